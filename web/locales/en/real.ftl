# A drill turns out to be real.

real-title = This is real now
real-hint = The drill becomes an incident with a number of its own. Look at what goes along; nothing has happened yet.
real-back = Back to the drill { $it }
real-along = This goes along
real-notes = Notes
real-notes-many = { $n ->
    [0] none
    [one] one, with its time and who wrote it
   *[other] { $n }, with their times and who wrote them
}
real-stays = This stays in the drill
real-stays-runs = Runs, approvals and holds: nothing was really done in the drill. Launch in the incident what is needed.
real-stays-roles = Roles: a name is enough for one in a drill, and live they let things through. Give them anew in the incident.
real-stays-files = Files: what was kept in a drill is evidence of nothing. Keep in the incident what is real.
real-goes-on = The drill goes on until somebody closes it.
real-do = Open as a live incident
real-not = No, it stays a drill
real-offer = Is it real after all?
real-here = This drill turned out to be real:
real-was = Began as a drill:
done-real = The incident is open. From here on it is real: give the roles, launch what is needed.
