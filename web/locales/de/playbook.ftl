# Abläufe: was sie tun, ob sie hier gestartet werden können, wie einer startet, wie einer geprüft wird.

plan-playbook = Ablauf
plan-here = Hier
plan-people = Was Menschen tun
plan-none = Hier liegt noch kein Ablauf, den Sie lesen dürfen.
plan-for-incident = Für den Vorfall { $it }.
plan-for-new = Alle Abläufe ohne Vorfall ansehen
plan-ready = startbereit
plan-blocked = So kann er nicht im Ernstfall starten
plan-for-people = { $n ->
    [one] Eine Aktion fällt an Menschen
   *[other] { $n } Aktionen fallen an Menschen
}
plan-for-people-why = Dafür ist hier keine Anbindung eingerichtet. Menschen tun es von Hand, wenn der Start das zulässt.
plan-must-be-automatic = Für { $it } ist keine Anbindung eingerichtet, und der Ablauf lässt es niemanden von Hand tun
plan-unknown-hosts = Diese Rechner stehen nicht im Verzeichnis; ein Schritt, der sie betrifft, scheitert
plan-faults = { $n ->
    [one] ein Fehler im Text
   *[other] { $n } Fehler im Text
}
plan-has-faults = Was an diesem Ablauf nicht stimmt
plan-look-at = Darauf sollte jemand schauen
plan-tasks = { $n ->
    [0] keine Aufgabe
    [one] eine Aufgabe
   *[other] { $n } Aufgaben
}
plan-gates = { $n ->
    [0] keine Freigabe
    [one] eine Freigabe
   *[other] { $n } Freigaben
}
plan-inputs = Womit er beginnt
plan-no-inputs = Er braucht keine Angaben.
plan-default = Vorgabe:
plan-flow = Der Ablauf als Bild
plan-flow-hint = Was der Ablauf tut, von oben nach unten. Die Liste der Schritte sagt dasselbe.
plan-steps = Schritte
plan-only-if = nur wenn
plan-hurts = greift ein
plan-undo-steps = eigene Schritte
plan-references = Quellen

does-call = Maßnahme
does-script = Rechnung
does-task = Aufgabe
does-approve = Freigabe
does-wait = Warten
does-group = Abschnitt
does-parallel = Gleichzeitig
does-for_each = Für jedes
does-switch = Je nachdem
does-repeat = Wiederholen
does-playbook = Teilablauf
does-undo = Zurücknehmen
does-note = Vermerk
does-fail = Abbruch
does-end = Ende

launch-go = Starten
launch-drill = Als Übung starten
launch-first = Erst eintragen, dann ansehen, was geschehen würde. Bis dahin geschieht nichts.
launch-second = Noch ist nichts geschehen. Lesen Sie, was geschehen würde; dann starten Sie oder ändern.
launch-wrong = So kann es noch nicht weitergehen
launch-required = Bitte ausfüllen
launch-mode = Ernstfall oder Übung?
launch-live-hint = Maßnahmen wirken wirklich.
launch-drill-hint = Alles wird nur vorgespielt; hinaus geht höchstens Übungsmail.
launch-choose-mode = Bitte wählen Sie
launch-is-drill = Der gewählte Vorfall ist eine Übung
launch-is-live = Der gewählte Vorfall ist ein Ernstfall
launch-incident = Vorfall
launch-new-incident = Einen neuen Vorfall eröffnen
launch-title = Titel des neuen Vorfalls
launch-title-hint = Leer: der Titel des Ablaufs. Nur für einen neuen Vorfall.
launch-either = Entweder ein Vorfall oder ein Titel für einen neuen
launch-review = Weiter: ansehen, was geschehen würde
launch-check = Vor dem Start
launch-refused = So wurde nicht gestartet
launch-hurts = Was getrennt, gesperrt oder abgeschaltet würde
launch-hurts-nothing = Nichts, soweit es vor dem Start bekannt ist.
launch-hurts-hint = Soweit es vor dem Start bekannt ist. Was davon geschieht, entscheidet sich im Lauf.
launch-targets = Was es trifft
launch-later = wird erst im Lauf bekannt
launch-more = und was im Lauf dazukommt
launch-nobody-asked = niemand wird gefragt
launch-others = Außerdem:
launch-people = Für Menschen:
launch-entered = Was Sie eingetragen haben
launch-nothing = nichts eingetragen
launch-sensitive = eingetragen, hier nicht gezeigt
launch-by-hand = Ja, diese Aktionen dürfen Menschen von Hand tun
launch-now-live = Jetzt starten: Ernstfall
launch-now-drill = Jetzt starten: Übung
launch-change = Zurück und ändern
launch-can-not = Erst muss eingerichtet werden, was oben fehlt.

check-title = Text eines Ablaufs prüfen
check-hint = Alle Fehler auf einmal, mit Zeile und Rat. Gespeichert wird nichts.
check-while = Beim Schreiben prüfen
check-paste = Hier einfügen und prüfen
check-text = Der Text (YAML)
check-do = Prüfen
check-found = Ergebnis
check-empty = Es ist noch kein Text da.
check-too-long = Der Text ist zu lang: höchstens { $it } Bytes.
check-sound = Keine Fehler gefunden.
check-usable = Keine Fehler.
check-errors = { $n ->
    [one] Ein Fehler.
   *[other] { $n } Fehler.
}
check-warnings = { $n ->
    [one] Ein Hinweis.
   *[other] { $n } Hinweise.
}
check-failed = Der Text konnte eben nicht geprüft werden. Schreiben Sie weiter oder drücken Sie „Prüfen“.
finding-error = Fehler
finding-warning = Hinweis
finding-line = Zeile
finding-column = Spalte
finding-hint = Rat:

further-back = Zum Lauf
further-more = Weitere Einträge für denselben Ablauf
further-more-hint = Was später gefunden wurde. Was ein früherer Lauf schon hat, wird nicht noch einmal getan; alles andere bleibt, wie es war.
further-more-known = Was ein früherer Lauf schon hat, fällt dabei weg.
further-more-do = Für diese Einträge starten
further-no-lists = Dieser Ablauf beginnt mit keiner Liste: mehr davon gibt es nicht.
further-by-hand = Wofür keine Anbindung da ist, dürfen Menschen von Hand tun
further-supersede = Durch einen berichtigten Ablauf ablösen
further-supersede-hint = Was getan ist und im neuen Ablauf gleich steht, wird übernommen und nicht noch einmal gesendet. Von zwei Freigaben gilt die strengere.
further-which = Welcher Ablauf löst ihn ab?
further-look = Ansehen, was daraus würde
further-taken = Wird übernommen
further-new = Kommt neu hinzu
further-dropped = Fällt weg und bleibt, wie es ist
further-nothing = nichts
further-do = Jetzt ablösen durch
done-superseding = Der Lauf gibt ab, sobald nichts mehr von ihm unterwegs ist.
launch-guarded = Geschützt, wird nie angefasst; der Schritt scheitert daran:
launch-at-most = Mehr Ziele, als ein Ablauf anfassen darf: höchstens { $it }.
