# Wörter, die viele Seiten sagen.

span-days = { $n ->
    [one] { $n } Tag
   *[other] { $n } Tage
}
span-hours = { $n } Std.
span-minutes = { $n } Min.
span-seconds = { $n } Sek.

deadline-left = noch { $it }
deadline-late = seit { $it } überfällig
deadline-due = fällig

role-commander = Einsatzleitung
role-deputy = Vertretung
role-approver = Freigabe
role-responder = Einsatzkraft
role-scribe = Protokoll
role-reviewer = Auswertung
role-dpo = Datenschutz
role-admin = Verwaltung

severity-1 = Störung
severity-2 = Vorfall
severity-3 = Notfall
severity-4 = Krise

mode-live = Ernstfall
mode-drill = Übung

need-approval = Freigabe
need-task = Aufgabe
need-decision = Entscheidung
need-unknown = Ausgang unbekannt

run-running = läuft
run-waiting = wartet
run-paused = angehalten
run-cancelling = wird abgebrochen
run-undoing = wird rückgängig gemacht
run-succeeded = erledigt
run-failed = fehlgeschlagen
run-cancelled = abgebrochen
run-undone = rückgängig gemacht
run-superseded = abgelöst

step-pending = noch nicht begonnen
step-waiting = läuft
step-ready = an der Reihe
step-running = läuft
step-retrying = Wiederholung geplant
step-unknown = Ausgang unbekannt – bitte prüfen
step-probing = wird nachgesehen
step-needs-decision = wartet auf Entscheidung
step-waiting-for-approval = wartet auf Freigabe
step-waiting-for-person = wartet auf Menschen
step-waiting-for-signal = wartet auf Signal
step-waiting-for-time = wartet auf Zeit
step-waiting-for-child = Teilablauf läuft
step-succeeded = erledigt
step-failed = fehlgeschlagen
step-skipped = übersprungen
step-cancelled = abgebrochen
step-undoing = wird rückgängig gemacht
step-undone = rückgängig gemacht
step-undo-failed = Rückweg fehlgeschlagen

hold-held = getrennt
hold-taking = wird getrennt
hold-releasing = wird freigegeben

done-stopped = Alles steht still. Es wird nichts mehr begonnen.
done-gone-on = Es geht weiter.
done-proved = Sie haben sich eben ausgewiesen.
