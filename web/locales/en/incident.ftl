# An incident.

tab-situation = Cockpit
tab-briefing = Briefing
tab-timeline = Timeline
tab-report = Report
open = open
closed = closed
running = Under way
steps-done = { $n ->
    [0] no step ended yet
    [one] { $n } step ended
   *[other] { $n } steps ended
}
began = since
launch = Launch a playbook
deadline-then = When it passes it is escalated. By itself nothing counts as done, and nothing breaks off.
due-step = step
offered-by = { $it } offers command
take-over = read the briefing and take over
cut-off-now = Cut off
from = since
all-holds = All holds
last-lines = Latest events
who-helps = Who helps
who-helps-none = Nobody is assigned yet.
whole-timeline = Whole timeline
waits-for-others = Waits for others
note = Note
note-what = What happened, or was decided?
note-paper = Copy from paper: when and who
note-at = When it was
note-by = Who wrote it down
note-do = Write it down
assets = Assets
assets-none = Nothing is listed as affected yet.
assets-add = List assets
asset-kind = Kind
asset-values = Names, one a line
asset-state = State
concerns = Concerns
link-add = Add an organisation
organisation = Organisation
evidence = Evidence
evidence-none = Nothing is kept yet.
roles = Roles
roles-give = Give a role
role = Role
person = Person
role-nobody = Empty: nobody
hand-over = Hand over command
hand-over-hint = The other person reads the briefing and takes over by it; until then everything stays as it is.
hand-over-note = What they should know besides
withdraw = Withdraw the offer
edit = Edit
edit-what = Title, severity, readers
edit-reason = needed where more people may read it
edit-do = Change
close = Close the incident
close-hint = Still open:
needs-open = { $n ->
    [0] no need open
    [one] { $n } need open
   *[other] { $n } needs open
}
ended-runs = Ended runs
attempts = { $n ->
    [one] { $n } attempt
   *[other] { $n } attempts
}
target-host = Host
target-address = Address
target-account = Account
target-mailbox = Mailbox
target-vm = Virtual machine
target-link = Link
target-organisation = Organisation
asset-suspected = suspected
asset-affected = affected
asset-contained = contained
asset-cleared = cleared
done-noted = Written down.
done-edited = Changed.
done-closed = The incident is closed.
done-assets = Written down.
done-linked = The organisation belongs to it now.
done-assigned = The role is given.
done-offered = Command is offered.
done-accepted = You have command.
done-withdrawn = The offer is withdrawn.
