# Was um jede Seite steht.

product = Beistand
skip = Zum Inhalt springen
menu = Hauptmenü
nav-home = Lage
nav-needs = Offene Punkte
nav-playbooks = Abläufe
nav-hosts = Sperren
nav-declare = Vorfall melden
nav-me = Mein Zugang
nav-people = Menschen
nav-health = System
nav-help = Hilfe
nav-accessibility = Barrierefreiheit
needs-waiting = { $n ->
    [0] nichts wartet auf Sie
    [one] { $n } wartet auf Sie
   *[other] { $n } warten auf Sie
}
show-language = Sprache
show-zone = Zeitzone
show-theme = Darstellung
show-berlin = MEZ
show-utc = UTC
show-system = wie das System
show-light = hell
show-dark = dunkel
log-out = Abmelden
logged-in-as = Angemeldet als { $it }
drill-banner = ÜBUNG – nichts hiervon ist echt
fresh-as-of = Stand
fresh-live = aktuell
fresh-once = wird nicht von selbst neu; bitte neu laden
fresh-lost = Verbindung weg – diese Anzeige ist alt
fresh-over = Die Anmeldung ist abgelaufen – diese Anzeige ist alt
fresh-again = Seite neu laden
stop-everything = Alles anhalten
stop-explain = In keinem Ernstfall und keiner Übung wird noch etwas begonnen, bis jemand anderes es freigibt. Was schon läuft, läuft zu Ende.
stop-reason = Warum?
stopped-title = Alles steht still
stopped-by = Angehalten von { $it }
go-on = Weitermachen
go-on-explain = Es geht weiter, sobald jemand anderes als die Person zustimmt, die angehalten hat.
prove-passphrase = Passphrase (Nachweis, dass Sie es sind)
prove-number = Nummer des Codes
prove-code = Gedruckter Code
prove-optional = nur wenn Ihr Zugang einen zweiten Faktor hat
cancel = Abbrechen
reason = Begründung
required = Pflichtfeld
choose = bitte wählen
optional = optional
