# Ein Lauf und seine Schritte.

run-started = begonnen
run-ended = beendet
run-by = angefordert von
run-for = läuft seit
run-waits = Was jetzt wartet
run-waits-none = Nichts wartet.
run-stand = Stand
run-steps = Schritte
run-steps-none = Noch hat kein Schritt begonnen.
run-gantt = Über die Zeit
run-flow = Der ganze Ablauf
run-flow-hint = Was der Ablauf tut, von oben nach unten, und wie weit er ist. Die Liste der Schritte sagt dasselbe.
run-values = Eingaben und Ergebnisse
run-inputs = Eingaben
run-outputs = Ergebnisse
run-id = Lauf
run-acts = In den Lauf eingreifen
run-holds-more = { $n ->
    [one] und { $n } weiteres
   *[other] und { $n } weitere
}
run-beside-parent = Aufgerufen von
run-beside-children = Teilablauf
run-beside-more-of = Nachtrag zu
run-beside-supersedes = Löst ab
run-beside-superseded-by = Abgelöst durch

wait-time = wartet auf Zeit
wait-signal = wartet auf ein Signal
wait-child = Teilablauf läuft
wait-permit = wartet, bis ein Platz frei ist
wait-hold = wartet, bis ein anderer Lauf das Ziel freigibt

wrong-title = Fehlgeschlagen oder unklar
wrong-tried = Versucht
wrong-answer = Antwort
wrong-attempts = Versuche
wrong-next = nächster
wrong-who = Wer entscheidet
wrong-decide = Jetzt entscheiden
wrong-look = Ansehen
wrong-more = { $n ->
    [one] und { $n } weiterer, unten in der Liste
   *[other] und { $n } weitere, unten in der Liste
}
attempt = Versuch
attempt-told = Was daraus wurde

step-through = über { $it }
step-handled = behandelt
step-taken-over = vom abgelösten Lauf übernommen
step-rounds = { $n ->
    [one] { $n } Durchgang
   *[other] { $n } Durchgänge
}
step-left-out = { $n ->
    [one] { $n } weiterer auf der Seite des Schritts
   *[other] { $n } weitere auf der Seite des Schritts
}
step-not-begun = noch nicht begonnen
step-within = Darin
step-with = Angaben
step-with-hint = Wie sie im Ablauf stehen; was in ‹…› steht, wird beim Lauf eingesetzt.
step-output = Ergebnis
step-holds = Hält noch
step-facts = Zum Nachprüfen
step-lines = Was geschehen ist
step-undo = Rückgängig machen
fact-path = Stelle im Ablauf
fact-kind = Art
fact-key = Schlüssel
fact-generation = Anlauf
fact-taken-over = übernommen von Lauf
fact-already-held = schon gehalten von
fact-still-held = noch gehalten von

pause-do = Anhalten
pause-hint = Nichts Neues beginnt; was draußen ist, wird zu Ende geführt.
unpause-do = Weiterlaufen lassen
unpause-hint = Der Lauf geht weiter, wo er steht.
cancel-do = Lauf abbrechen
cancel-hint = Der Lauf endet. Nichts davon wird rückgängig gemacht: was getrennt ist, bleibt getrennt.
undo-do = Rückgängig machen
undo-hint = Was der Lauf getan hat, wird auf dem Rückweg zurückgenommen, mit derselben Freigabe wie der Hinweg.
undo-what = Was zurückgenommen wird
undo-all = alles, was dieser Lauf getan hat
signal-title = Wartet auf ein Signal: { $it }
signal-hint = Der Schritt geht weiter, sobald jemand sagt, dass es so weit ist.
signal-name = Name des Signals
signal-do = Signal geben

done-paused = Der Lauf ist angehalten.
done-unpaused = Der Lauf geht weiter.
done-cancelling = Der Lauf wird abgebrochen.
done-undoing = Es wird rückgängig gemacht.
done-signalled = Das Signal ist angekommen.
