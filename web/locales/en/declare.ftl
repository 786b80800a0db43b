# Declaring an incident.

declare-title = Declare an incident
declare-hint = One sentence is enough. Everything else can be changed later.
declare-what = What happened?
declare-what-hint = For example: file server encrypted, ransom note on three machines
declare-mode = Live or a drill?
declare-drill-hint = nothing leaves but exercise mail
severity = Severity
tlp = Who may read it (TLP)
done-declared = The incident is open.
