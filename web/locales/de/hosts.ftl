# Was getrennt ist.

hosts-title = Sperren: was getrennt ist
target = Ziel
by-run = Durch
let-go = Freigeben
let-go-hint = Der Schritt wird rückgängig gemacht. Er braucht dieselbe Freigabe wie die Trennung.
cut-title = Einen Rechner jetzt trennen
cut-hint = In einem Ernstfall wird der Rechner wirklich getrennt, in einer Übung geschieht nichts Echtes. Es gelten Schutzliste, Grenzen und Freigaben wie in einem Ablauf; der Rückweg steht danach hier.
cut-no-incident = Getrennt wird in einem Vorfall, und es ist keiner offen.
cut-do = Jetzt trennen
by-hand-ok = Ohne Anbindung darf ein Mensch es von Hand tun
done-releasing = Die Freigabe ist in Gang.
done-launched = Es ist gestartet.
