# Was auf Menschen wartet.

filter = Auswahl
all-kinds = Alle
need-over = Das ist beantwortet oder hinfällig.
need-too-late = Jemand war schneller: Das ist inzwischen beantwortet. Ihre Antwort zählt nicht mehr.
need-typed = Was Sie eingetragen hatten
need-why = Warum
asked-by = angefordert von { $it }
votes = Stimmen
votes-so-far = Bisherige Stimmen
need-voted = Sie haben zugestimmt. Es fehlen noch andere; ablehnen können Sie weiterhin.
to-answers = Zur Antwort
need-what = { $n ->
    [one] Was genau geschieht: eine Maßnahme
   *[other] Was genau geschieht: { $n } Maßnahmen
}
action = Aktion
with = Womit
through = Über
way-back = Rückweg
no-way-back = kein Rückweg
by-hand = von Hand
need-unfit = Das kann so nicht geschehen
need-others = Was dahinter noch kommt und hier nicht mit entschieden wird
need-equal = { $n ->
    [one] Ein gleicher Punkt wartet noch
   *[other] { $n } gleiche Punkte warten noch
}
need-own = Sie haben das angefordert. Freigeben muss jemand anderes.
need-not-yours = Darüber entscheidet jemand mit der Rolle { $it }.
digest = Prüfsumme
in-words = zum Vorlesen
yes = ja
no = nein
items-hint = ein Eintrag je Zeile
answer-approve = Freigeben
answer-deny = Ablehnen
answer-done = Erledigt
answer-retry = Noch einmal versuchen
answer-skip = Überspringen
answer-by-hand = Von Hand erledigt
answer-abort = Ablauf beenden
answer-not-done = Nicht geschehen
answer-send-again = Noch einmal senden
answer-hint-approve = Genau das oben wird getan, sobald genug Menschen zugestimmt haben.
answer-hint-deny = Es wird nicht getan; der Schritt gilt als gescheitert.
answer-hint-done = Es ist geschehen. Wer es sagt und wann, steht in der Zeitleiste.
answer-hint-retry = Der Schritt beginnt von vorn.
answer-hint-skip = Der Ablauf geht ohne diesen Schritt weiter.
answer-hint-by-hand = Ein Mensch hat es außerhalb des Programms getan.
answer-hint-abort = Der Ablauf endet hier.
answer-hint-not-done = Es ist sicher nicht geschehen; der Ablauf darf es versuchen.
answer-hint-send-again = Es wird noch einmal gesendet, auch wenn es vielleicht schon angekommen ist.
done-answered = Ihre Antwort ist eingetragen.
field-digest = Prüfsumme
field-host = Rechner
