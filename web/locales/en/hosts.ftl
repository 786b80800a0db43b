# What is cut off.

hosts-title = Holds: what is cut off
target = Target
by-run = By
let-go = Release
let-go-hint = The step is undone. It needs the same approval as the cut.
cut-title = Cut one host off now
cut-hint = In a live incident the host is really cut off, in a drill nothing real happens. Guard list, limits and approvals hold as in a run; the way back stands here afterwards.
cut-no-incident = A cut is made in an incident, and none is open.
cut-do = Cut it off now
by-hand-ok = Without a connector a person may do it by hand
done-releasing = It is being released.
done-launched = It is launched.
