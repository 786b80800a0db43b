# Das Lagebild.

code = Code
need-what-short = Was
not-yet = Beantragt, aber noch nicht geschehen:
notes = Einträge
notes-none = Noch niemand hat etwas eingetragen.
notes-older = { $n ->
    [one] und { $n } älterer Eintrag
   *[other] und { $n } ältere Einträge
}
print = Drucken
take-over-hint = Mit diesem Lagebild übernehmen Sie die Einsatzleitung.
take-over-do = Einsatzleitung übernehmen
