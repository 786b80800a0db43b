# The checklist on paper.

sheet-title = Checklist
sheet-print = Checklist to print
sheet-back = Back
sheet-how = Print this page with your browser.
sheet-run = Run
sheet-incident = Incident
sheet-marks = x done, – not needed, ! failed, ? outcome unknown. Time and initials beside every tick; to be entered in the program later.
sheet-when = Time
sheet-who = Initials
sheet-notes = Notes
