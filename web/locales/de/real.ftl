# Aus einer Übung wird Ernst.

real-title = Das ist jetzt ernst
real-hint = Aus der Übung wird ein Vorfall mit eigener Nummer. Schauen Sie, was mitgeht; geschehen ist noch nichts.
real-back = Zurück zur Übung { $it }
real-along = Das geht mit
real-notes = Einträge
real-notes-many = { $n ->
    [0] keine
    [one] einer, mit seiner Zeit und wer ihn schrieb
   *[other] { $n }, mit ihren Zeiten und wer sie schrieb
}
real-stays = Das bleibt in der Übung
real-stays-runs = Abläufe, Freigaben und Sperren: In der Übung wurde nichts wirklich getan. Starten Sie im Vorfall, was nötig ist.
real-stays-roles = Rollen: In der Übung genügt ein Name, im Ernstfall lassen sie etwas zu. Vergeben Sie sie im Vorfall neu.
real-stays-files = Dateien: Was in einer Übung gesichert wurde, beweist nichts. Sichern Sie Echtes im Vorfall neu.
real-goes-on = Die Übung läuft weiter, bis jemand sie abschließt.
real-do = Als Ernstfall eröffnen
real-not = Nein, es bleibt eine Übung
real-offer = Ist es doch echt?
real-here = Aus dieser Übung wurde Ernst:
real-was = Begonnen als Übung:
done-real = Der Vorfall ist eröffnet. Ab hier ist es ernst: Vergeben Sie die Rollen, starten Sie, was nötig ist.
