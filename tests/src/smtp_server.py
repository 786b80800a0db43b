"""A mail server for the tests: aiosmtpd with STARTTLS or TLS, a login, and a plan.

Called with a folder that holds certificate.pem, certificate.key and, line by line, `plan`.
Prints its port, then serves until its standard input ends. Every mail it takes is a file
mail-NNNN.json in the folder, complete under that name and synced before it is acknowledged.
"""

import asyncio
import email
import email.policy
import itertools
import json
import os
import ssl
import sys

from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword

FOLDER, ADDRESS, SECURITY, USER, PASSWORD = sys.argv[1:6]


def authenticate(server, session, envelope, mechanism, data):
    known = isinstance(data, LoginPassword) and (data.login, data.password) == (
        USER.encode(),
        PASSWORD.encode(),
    )
    # Not handled: the server then answers 535 itself.
    return AuthResult(success=known, handled=False)


def next_of_plan():
    """Takes the first line off the plan; without one, mail is accepted."""
    path = os.path.join(FOLDER, "plan")
    with open(path) as file:
        lines = file.read().splitlines()
    if not lines:
        return "accept"
    with open(path + ".new", "w") as file:
        file.write("".join(line + "\n" for line in lines[1:]))
    os.replace(path + ".new", path)
    return lines[0]


class Box:
    def __init__(self):
        self.numbers = itertools.count(1)

    def keep(self, session, envelope):
        message = email.message_from_bytes(envelope.content, policy=email.policy.default)
        text = message.get_body(("plain",))
        html = message.get_body(("html",))
        mail = {
            "from": envelope.mail_from,
            "to": envelope.rcpt_tos,
            "message_id": message["Message-ID"] or "",
            "subject": message["Subject"] or "",
            "text": text.get_content() if text else "",
            "html": html.get_content() if html else "",
            "attachments": [
                {"name": part.get_filename() or "", "bytes": len(part.get_payload(decode=True) or b"")}
                for part in message.iter_attachments()
            ],
            "raw": envelope.content.decode("utf-8", "replace"),
            "tls": session.ssl is not None or SECURITY == "tls",
            "login": bool(session.authenticated),
        }
        path = os.path.join(FOLDER, f"mail-{next(self.numbers):04}.json")
        with open(path + ".new", "w") as file:
            json.dump(mail, file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(path + ".new", path)

    async def handle_DATA(self, server, session, envelope):
        plan = next_of_plan()
        if plan == "refuse":
            return "554 5.7.1 refused by plan"
        if plan == "later":
            return "451 4.3.0 not now, by plan"
        if plan == "lose":
            server.transport.abort()
            return "421 lost"
        self.keep(session, envelope)
        if plan == "drop":
            # Taken and never acknowledged: the sender can not know.
            server.transport.abort()
        return "250 2.0.0 taken"


async def main():
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(
        os.path.join(FOLDER, "certificate.pem"), os.path.join(FOLDER, "certificate.key")
    )
    box = Box()
    login = bool(PASSWORD)
    starttls = SECURITY == "starttls"

    def conversation():
        return SMTP(
            box,
            hostname="mail.test",
            enable_SMTPUTF8=True,
            tls_context=context if starttls else None,
            require_starttls=starttls,
            auth_required=login,
            auth_require_tls=starttls,
            authenticator=authenticate if login else None,
        )

    loop = asyncio.get_running_loop()
    implicit = context if SECURITY == "tls" else None
    server = await loop.create_server(conversation, ADDRESS, 0, ssl=implicit)
    print(server.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)
    os._exit(0)


asyncio.run(main())
