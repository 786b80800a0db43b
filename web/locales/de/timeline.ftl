# Die Zeitleiste und der Bericht.

view = Ansicht
view-lanes = Spuren
view-table = Tabelle
view-story = Erzählung
filter-text = Text
filter-lane = Spur
filter-item = Rechner oder Ziel
filter-from = Von
filter-to = Bis
filter-details = auch Einzelheiten
filter-failures = nur Fehlschläge
filter-starred = nur mit Stern
filter-newest = Neuestes zuerst
filter-do = Auswählen
filter-reset = Auswahl aufheben
export = Weitergeben
export-hint = Eine Datei mit genau diesen Zeilen. HTML und JSONL tragen den Nachweis der Kette; „beistand verify“ prüft sie.
export-format = Form
export-persons = Personen
export-named = mit Namen
export-numbered = ohne personenbezogene Daten
export-do = Herunterladen
story-none = Noch ist nichts erzählt. Wählen Sie Zeilen der Zeitleiste aus und geben Sie ihnen eigene Worte.
histogram = Wann wie viel geschah
legend = Was die Zeichen bedeuten
legend-point = Etwas geschah
legend-failed = Etwas ging schief
legend-star = als wichtig markiert
legend-run = Ablauf
legend-attempt = Ausführung eines Schritts
legend-need = Menschen sind gefragt
legend-hold = gesperrt oder abgetrennt
legend-lasts = gepunkteter Rand: dauert an
legend-badly = dicker Rand: endete schlecht
legend-unknown = gestrichelter Rand: Ausgang unbekannt
legend-gone = leer: hinfällig
legend-due = Frist
legend-missed = Fahne: Frist verpasst
legend-gap = zusammengezogen: nichts geschah
legend-down = Beistand lief nicht
lines = { $n ->
    [one] { $n } Zeile
   *[other] { $n } Zeilen
}
lines-of = von { $n }
lines-shown = { $n } auf dieser Seite
details-hidden = { $n ->
    [one] { $n } Einzelheit ausgeblendet:
   *[other] { $n } Einzelheiten ausgeblendet:
}
details-show = zeigen
details-shown = { $n ->
    [one] mit { $n } Einzelheit:
   *[other] mit { $n } Einzelheiten:
}
details-hide = ausblenden
when = Wann
what = Was
who = Wer
mark = Anmerken
mark-title = Eine Zeile anmerken
star = Stern
recorded = nachgetragen
corrected = berichtigt
corrects = berichtigt diese Zeile
run = Lauf
value = Werte
pages = Seiten
page-before = vorige Zeilen
page-after = weitere Zeilen
correct = Berichtigen
correct-hint = Die alte Zeile bleibt stehen und wird durchgestrichen.
correct-text = Wie es war
correct-at = Wann es war, wenn die Zeit falsch war
tell = Erzählen
tell-hint = Die Zeile kommt in die Erzählung; sie selbst ändert sich nicht.
tell-text = Eigene Worte
tell-place = Stelle
leave-out = Aus der Erzählung nehmen
report-conditions = Lage
report-actions = Maßnahmen
report-needs = Bedarf
report-figures = Zahlen
figure-detect = Bis zur Entdeckung
figure-hold = Bis zur ersten Trennung
figure-contain = Bis zur Eindämmung
figure-notify = Bis zur ersten Meldung
figure-close = Bis zum Abschluss
figure-attempts = Versuche
figure-repeats = davon Wiederholungen
figure-failed = davon ohne Erfolg
figure-waits = Warten auf Menschen, wie oft
figure-waited = Warten auf Menschen, zusammen
figure-longest = längstes Warten
figure-lines = Zeilen
figure-corrected = berichtigt
done-marked = Angemerkt.
field-line = Zeile
