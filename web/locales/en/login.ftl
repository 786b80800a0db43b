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
