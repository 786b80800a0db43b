# Logging in.

login-title = Log in
login-account = Account
login-passphrase = Passphrase
login-second = Second factor
login-second-hint = Only if your account has one: number and code from the printed sheet.
login-button = Log in
login-sso = Log in by the identity provider
login-break-glass = In an emergency the sealed account is given here as well. Its use is noticed.
login-no-accounts = This store has no accounts yet. Make the first one on the server:
once-more-title = One moment
once-more = You come from another page. Here it goes on:
once-more-go = Go on
passkey-login = Log in with a passkey
passkey-proof = Prove with a passkey
passkey-add = Add a passkey
passkey-none = This account has no passkey. It goes without.
passkey-wrong = Account, passphrase and passkey do not fit together.
passkey-later = Too many tries. Wait for a moment.
passkey-failed = The device did not answer. Try again, or take a printed code.
