# System und Prüfung.

health-well = Der Speicher antwortet, und es wird geschrieben.
health-dead = Der Speicher nimmt nichts mehr an
health-store = Speicher und Uhr
health-version = Fassung
health-clock = Uhr
health-backup = Letzte Sicherung
health-no-backup = noch keine:
health-counters = Zähler
audit-title = Prüfung
audit-hint = Jeder Eintrag hängt durch eine Prüfsumme am vorigen. Was vor dem letzten Siegel steht, das außerhalb aufgeschrieben ist, kann niemand unbemerkt ändern.
audit-seal = Neuestes Siegel
audit-verify = Kette jetzt prüfen
audit-whole = Alles in Ordnung:
audit-broken = Die Kette ist verletzt
audit-entries = Einträge
audit-streams = Ketten
audit-erased = gelöschte Inhalte
audit-lines = Was am Speicher selbst geschah
accessibility-title = Erklärung zur Barrierefreiheit
break-glass-title = Notzugang
