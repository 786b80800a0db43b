# Ein Vorfall.

tab-situation = Cockpit
tab-briefing = Lagebild
tab-timeline = Zeitleiste
tab-report = Bericht
open = offen
closed = abgeschlossen
running = Was läuft
steps-done = { $n ->
    [0] noch kein Schritt beendet
    [one] { $n } Schritt beendet
   *[other] { $n } Schritte beendet
}
began = seit
launch = Ablauf starten
deadline-then = Verstreicht sie, wird eskaliert. Von selbst gilt nichts als erledigt, und nichts bricht ab.
due-step = Schritt
offered-by = { $it } bietet die Einsatzleitung an
take-over = Lagebild lesen und übernehmen
cut-off-now = Getrennt
from = seit
all-holds = Alle Sperren
last-lines = Letzte Ereignisse
who-helps = Wer hilft
who-helps-none = Noch niemand ist eingeteilt.
whole-timeline = Ganze Zeitleiste
waits-for-others = Wartet auf andere
note = Eintrag
note-what = Was ist passiert oder entschieden?
note-paper = Vom Papier nachtragen: wann und wer
note-at = Wann es war
note-by = Wer es aufgeschrieben hat
note-do = Eintragen
assets = Betroffenes
assets-none = Noch ist nichts als betroffen eingetragen.
assets-add = Betroffenes eintragen
asset-kind = Art
asset-values = Namen, einer je Zeile
asset-state = Zustand
concerns = Betrifft
link-add = Organisation hinzufügen
organisation = Organisation
evidence = Beweise
evidence-none = Noch ist nichts gesichert.
roles = Rollen
roles-give = Rolle vergeben
role = Rolle
person = Person
role-nobody = Leer: niemand
hand-over = Einsatzleitung übergeben
hand-over-hint = Die andere Person liest das Lagebild und übernimmt damit; bis dahin bleibt alles, wie es ist.
hand-over-note = Was sie noch wissen sollte
withdraw = Angebot zurückziehen
edit = Ändern
edit-what = Titel, Schwere, Leserkreis
edit-reason = nötig, wenn mehr Menschen es lesen dürfen
edit-do = Ändern
close = Vorfall abschließen
close-hint = Offen ist noch:
needs-open = { $n ->
    [0] kein Punkt offen
    [one] { $n } Punkt offen
   *[other] { $n } Punkte offen
}
ended-runs = Beendete Abläufe
attempts = { $n ->
    [one] { $n } Versuch
   *[other] { $n } Versuche
}
target-host = Rechner
target-address = Adresse
target-account = Zugang
target-mailbox = Postfach
target-vm = virtuelle Maschine
target-link = Verbindung
target-organisation = Organisation
asset-suspected = verdächtig
asset-affected = betroffen
asset-contained = eingedämmt
asset-cleared = bereinigt
done-noted = Eingetragen.
done-edited = Geändert.
done-closed = Der Vorfall ist abgeschlossen.
done-assets = Eingetragen.
done-linked = Die Organisation gehört nun dazu.
done-assigned = Die Rolle ist vergeben.
done-offered = Die Einsatzleitung ist angeboten.
done-accepted = Sie haben die Einsatzleitung.
done-withdrawn = Das Angebot ist zurückgezogen.
