# Einen Vorfall melden.

declare-title = Vorfall melden
declare-hint = Ein Satz genügt. Alles andere lässt sich später ändern.
declare-what = Was ist geschehen?
declare-what-hint = Zum Beispiel: Fileserver verschlüsselt, Erpresserbrief auf drei Rechnern
declare-mode = Ernstfall oder Übung?
declare-drill-hint = nichts verlässt das System außer Übungsmails
severity = Schwere
tlp = Wer darf es lesen (TLP)
done-declared = Der Vorfall ist eröffnet.
