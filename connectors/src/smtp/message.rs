//! From the arguments of `mail.send` to the text of a mail (RFC 5322), and who gets it.

use beistand_connector_api::{Call, CallError, Value};
use lettre::message::header::{ContentType, Header, HeaderName, HeaderValue};
use lettre::message::{Attachment, Mailbox, MultiPart, SinglePart};
use lettre::{Address, Message};

/// What relays commonly take.
const MAIL_BYTES_MAX: usize = 20 * 1024 * 1024;
/// Beyond this a mailing list is meant.
const RECIPIENTS_MAX: usize = 500;
/// Stands before the subject of every mail of a drill.
const DRILL_MARK: &str = "[ÜBUNG] ";

/// A mail, ready for the relay.
pub(super) struct Letter {
    pub(super) recipients: Vec<Address>,
    pub(super) text: Vec<u8>,
    pub(super) message_id: String,
}

impl std::fmt::Debug for Letter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Letter({})", self.message_id)
    }
}

/// `Auto-Submitted: auto-generated` (RFC 3834): no holiday notice comes back.
#[derive(Clone)]
struct AutoSubmitted;

impl Header for AutoSubmitted {
    fn name() -> HeaderName {
        HeaderName::new_from_ascii_str("Auto-Submitted")
    }
    fn parse(_: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(Self)
    }
    fn display(&self) -> HeaderValue {
        HeaderValue::new(Self::name(), "auto-generated".to_owned())
    }
}

impl Letter {
    /// Writes the mail. The Message-ID is made of the key: the same effect, the same mail.
    ///
    /// # Errors
    /// `Invalid`: nothing was sent.
    pub(super) fn write(
        call: &Call,
        from: &Address,
        only_to: Option<&Address>,
    ) -> Result<Self, CallError> {
        let arguments = &call.arguments;
        let (to, cc, mark) = match only_to {
            Some(only) => (vec![only.clone()], Vec::new(), DRILL_MARK),
            None => (addresses(arguments, "to")?, addresses(arguments, "cc")?, ""),
        };
        if to.is_empty() || to.len() + cc.len() > RECIPIENTS_MAX {
            return Err(CallError::invalid(format!("a mail has 1 to {RECIPIENTS_MAX} recipients")));
        }
        let message_id = format!("<{}@{}>", call.key, from.domain());
        let mut builder = Message::builder()
            .from(Mailbox::new(None, from.clone()))
            .subject(format!("{mark}{}", one_line(text(arguments, "subject"))))
            .message_id(Some(message_id.clone()))
            .header(AutoSubmitted);
        builder = to.iter().fold(builder, |b, to| b.to(Mailbox::new(None, to.clone())));
        builder = cc.iter().fold(builder, |b, cc| b.cc(Mailbox::new(None, cc.clone())));
        let attachments = attachments(arguments)?;
        let plain = text(arguments, "text").to_owned();
        let html = arguments.get("html").and_then(Value::as_str).map(str::to_owned);
        let built = match (html, attachments.is_empty()) {
            (None, true) => builder.singlepart(SinglePart::plain(plain)),
            (Some(html), true) => builder.multipart(MultiPart::alternative_plain_html(plain, html)),
            (html, false) => {
                let mixed = MultiPart::mixed();
                let start = match html {
                    Some(html) => mixed.multipart(MultiPart::alternative_plain_html(plain, html)),
                    None => mixed.singlepart(SinglePart::plain(plain)),
                };
                builder.multipart(attachments.into_iter().fold(start, MultiPart::singlepart))
            }
        };
        let message =
            built.map_err(|error| CallError::invalid(format!("this is no mail: {error}")))?;
        let text = message.formatted();
        if text.len() > MAIL_BYTES_MAX {
            return Err(CallError::invalid("the mail is larger than 20 MiB"));
        }
        Ok(Self { recipients: to.into_iter().chain(cc).collect(), text, message_id })
    }
}

fn text<'a>(arguments: &'a Value, name: &str) -> &'a str {
    arguments.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// A subject can not end its line: what would, becomes a space.
fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

fn addresses(arguments: &Value, name: &str) -> Result<Vec<Address>, CallError> {
    let listed = arguments.get(name).and_then(Value::as_array);
    let mut found: Vec<Address> = Vec::new();
    for value in listed.into_iter().flatten() {
        let text = value.as_str().unwrap_or_default();
        let address = text.parse().map_err(|_| {
            CallError::invalid(format!("`{name}`: `{}` is no mail address", text.escape_debug()))
        })?;
        if !found.contains(&address) {
            found.push(address);
        }
    }
    Ok(found)
}

fn attachments(arguments: &Value) -> Result<Vec<SinglePart>, CallError> {
    let listed = arguments.get("attachments").and_then(Value::as_array);
    let attachment = |value: &Value| {
        let kind = value.get("type").and_then(Value::as_str).unwrap_or("text/plain; charset=utf-8");
        let kind = ContentType::parse(kind).map_err(|_| {
            CallError::invalid(format!("attachment type `{}` is none", kind.escape_debug()))
        })?;
        let name = one_line(text(value, "name"));
        Ok(Attachment::new(name).body(text(value, "text").to_owned(), kind))
    };
    listed.into_iter().flatten().map(attachment).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::call;
    use serde_json::json;

    fn from() -> Address {
        "krisenstab@example.org".parse().unwrap()
    }

    fn written(arguments: Value) -> String {
        let letter = Letter::write(&call("mail.send", arguments), &from(), None).unwrap();
        String::from_utf8(letter.text).unwrap()
    }

    #[test]
    fn no_argument_can_add_a_header() {
        let evil = "x\r\nBcc: evil@example.net\r\n\r\nbody";
        let mail = written(json!({
            "to": ["a@example.org"], "subject": evil, "text": "t",
            "attachments": [{ "name": evil, "text": "a" }],
        }));
        assert!(!mail.lines().any(|line| line.starts_with("Bcc:")), "{mail}");
        for to in ["a@example.org\r\nBcc: b@x.org", "a@example.org, b@x.org", "<a@b.de>", ""] {
            let arguments = json!({ "to": [to], "subject": "s", "text": "t" });
            assert!(Letter::write(&call("mail.send", arguments), &from(), None).is_err(), "{to}");
        }
    }

    #[test]
    fn the_same_key_gives_the_same_message_id() {
        let arguments = json!({ "to": ["a@example.org"], "subject": "s", "text": "t" });
        let call = call("mail.send", arguments.clone());
        let id = format!("<{}@example.org>", call.key);
        assert!(written(arguments).contains(&format!("Message-ID: {id}\r\n")));
    }

    #[test]
    fn in_a_drill_nobody_but_the_one_address_gets_anything() {
        let arguments = json!({
            "to": ["anna@example.org"], "cc": ["cy@example.org"], "subject": "Ernst", "text": "t",
        });
        let only = "uebung@example.org".parse().unwrap();
        let letter = Letter::write(&call("mail.send", arguments), &from(), Some(&only)).unwrap();
        assert_eq!(letter.recipients, [only]);
        let mail = String::from_utf8(letter.text).unwrap();
        assert!(!mail.contains("anna@") && !mail.contains("cy@"), "{mail}");
        // "[ÜBUNG] Ernst" as an encoded word (RFC 2047).
        assert!(mail.contains("Subject: =?utf-8?b?W8OcQlVOR10=?= Ernst"), "{mail}");
    }
}
