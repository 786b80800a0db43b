# Die erste Seite.

home-title = Lage
home-open = Offene Vorfälle
home-none = Kein Vorfall ist offen.
home-none-hint = Wenn etwas geschieht, melden Sie es: lieber einmal zu oft.
home-more = { $n ->
    [one] und { $n } weiterer
   *[other] und { $n } weitere
}
home-mine = Wartet auf Sie
home-mine-none = Auf Sie wartet nichts.
home-ended = Abgeschlossene Vorfälle
home-held = { $n ->
    [0] Nichts ist getrennt.
    [one] { $n } Ziel ist getrennt.
   *[other] { $n } Ziele sind getrennt.
}
no-commander = ohne Einsatzleitung
since = seit
lead = Einsatzleitung
next-deadline = Nächste Frist
no-deadline = keine Frist offen
failed-steps = { $n ->
    [0] Nichts ist fehlgeschlagen.
    [one] { $n } Schritt ist fehlgeschlagen oder unklar.
   *[other] { $n } Schritte sind fehlgeschlagen oder unklar.
}
running-runs = { $n ->
    [0] kein Ablauf läuft
    [one] { $n } Ablauf läuft
   *[other] { $n } Abläufe laufen
}
hidden-title = Titel nicht für Sie freigegeben
