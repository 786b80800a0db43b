# Die Checkliste auf Papier.

sheet-title = Checkliste
sheet-print = Checkliste zum Drucken
sheet-back = Zurück
sheet-how = Drucken Sie diese Seite mit dem Browser.
sheet-run = Lauf
sheet-incident = Vorfall
sheet-marks = x erledigt, – nicht nötig, ! gescheitert, ? Ausgang unbekannt. Uhrzeit und Kürzel neben jedem Haken; später im Programm nachtragen.
sheet-when = Uhrzeit
sheet-who = Kürzel
sheet-notes = Notizen
