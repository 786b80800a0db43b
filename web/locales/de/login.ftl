# Anmelden.

login-title = Anmelden
login-account = Zugang
login-passphrase = Passphrase
login-second = Zweiter Faktor
login-second-hint = Nur wenn Ihr Zugang einen hat: Nummer und Code vom gedruckten Blatt.
login-button = Anmelden
login-sso = Über den Verzeichnisdienst anmelden
login-break-glass = Im Notfall: der versiegelte Zugang wird hier ebenso eingegeben. Sein Gebrauch fällt auf.
login-no-accounts = Dieser Speicher hat noch keine Zugänge. Legen Sie auf dem Server den ersten an:
once-more-title = Einen Augenblick
once-more = Sie kommen von einer anderen Seite. Hier geht es weiter:
once-more-go = Weiter
passkey-login = Mit Passkey anmelden
passkey-proof = Mit Passkey ausweisen
passkey-add = Passkey einrichten
passkey-none = Dieser Zugang hat keinen Passkey. Es geht ohne.
passkey-wrong = Zugang, Passphrase und Passkey passen nicht zusammen.
passkey-later = Zu viele Versuche. Warten Sie einen Moment.
passkey-failed = Das Gerät hat nicht geantwortet. Versuchen Sie es noch einmal, oder nehmen Sie einen gedruckten Code.
