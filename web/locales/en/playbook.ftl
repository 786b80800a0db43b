# Playbooks: what they do, whether they can be launched here, how one is launched, how one is checked.

plan-playbook = Playbook
plan-here = Here
plan-people = What people do
plan-none = There is no playbook here yet that you may read.
plan-for-incident = For the incident { $it }.
plan-for-new = Look at all playbooks without an incident
plan-ready = ready to launch
plan-blocked = It can not be launched live as it is
plan-for-people = { $n ->
    [one] One action falls to people
   *[other] { $n } actions fall to people
}
plan-for-people-why = No connector is bound for it here. People do it by hand, where the launch allows it.
plan-must-be-automatic = No connector is bound for { $it }, and the playbook lets nobody do it by hand
plan-unknown-hosts = These hosts are not in the inventory; a step that acts on one fails
plan-faults = { $n ->
    [one] one fault in its text
   *[other] { $n } faults in its text
}
plan-has-faults = What is wrong with this playbook
plan-look-at = Somebody should look at this
plan-tasks = { $n ->
    [0] no task
    [one] one task
   *[other] { $n } tasks
}
plan-gates = { $n ->
    [0] no approval
    [one] one approval
   *[other] { $n } approvals
}
plan-inputs = What it begins with
plan-no-inputs = It wants nothing entered.
plan-default = default:
plan-flow = As a drawing
plan-flow-hint = What the playbook does, from top to bottom. The list of steps says the same.
plan-steps = Steps
plan-only-if = only if
plan-hurts = intervenes
plan-undo-steps = steps of its own
plan-references = Sources

does-call = Measure
does-script = Computation
does-task = Task
does-approve = Approval
does-wait = Wait
does-group = Section
does-parallel = At once
does-for_each = For each
does-switch = Depending
does-repeat = Repeat
does-playbook = Sub-playbook
does-undo = Take back
does-note = Note
does-fail = Abort
does-end = End

launch-go = Launch
launch-drill = Launch as a drill
launch-first = First enter what it needs, then look at what would happen. Until then nothing does.
launch-second = Nothing has happened yet. Read what would happen; then launch it, or change it.
launch-wrong = It can not go on like this yet
launch-required = Please fill this in
launch-mode = Live or a drill?
launch-live-hint = Effects are real.
launch-drill-hint = Everything is only pretended; at most drill mail goes out.
launch-choose-mode = Please choose
launch-is-drill = The incident that you chose is a drill
launch-is-live = The incident that you chose is live
launch-incident = Incident
launch-new-incident = Open a new incident
launch-title = Title of the new incident
launch-title-hint = Empty: the title of the playbook. For a new incident alone.
launch-either = Either an incident, or a title for a new one
launch-review = Go on: look at what would happen
launch-check = Before the launch
launch-refused = It was not launched
launch-hurts = What would be cut off, locked or switched off
launch-hurts-nothing = Nothing, as far as it is known before the launch.
launch-hurts-hint = As far as it is known before the launch. What of it happens is decided in the run.
launch-targets = What it hits
launch-later = becomes known in the run
launch-more = and what the run adds
launch-nobody-asked = nobody is asked
launch-others = Also:
launch-people = For people:
launch-entered = What you entered
launch-nothing = nothing entered
launch-sensitive = entered, not shown here
launch-by-hand = Yes, people may do these actions by hand
launch-now-live = Launch it now: live
launch-now-drill = Launch it now: drill
launch-change = Back, to change it
launch-can-not = What is missing above must be set up first.

check-title = Check the text of a playbook
check-hint = Every fault at once, with its line and a hint. Nothing is kept.
check-while = Check while writing
check-paste = Paste it here and check it
check-text = The text (YAML)
check-do = Check
check-found = Result
check-empty = There is no text yet.
check-too-long = The text is too long: at most { $it } bytes.
check-sound = No faults found.
check-usable = No errors.
check-errors = { $n ->
    [one] One error.
   *[other] { $n } errors.
}
check-warnings = { $n ->
    [one] One warning.
   *[other] { $n } warnings.
}
check-failed = The text could not be checked just now. Write on, or press “Check”.
finding-error = Error
finding-warning = Warning
finding-line = line
finding-column = column
finding-hint = Hint:

further-back = To the run
further-more = More items for the same playbook
further-more-hint = What was found later. What an earlier run has already is not done again; everything else is as it was.
further-more-known = What an earlier run has already falls away.
further-more-do = Launch it for these items
further-no-lists = This playbook begins with no list: there is no more of it.
further-by-hand = What nothing is bound for people may do by hand
further-supersede = Let a corrected playbook take over
further-supersede-hint = What is done and says the same in the new playbook is taken over and not sent again. Of two approvals the stricter one asks.
further-which = Which playbook takes over?
further-look = Look at what would come of it
further-taken = Is taken over
further-new = Comes new
further-dropped = Falls away and stays as it is
further-nothing = nothing
further-do = Take over now by
done-superseding = The run gives way as soon as nothing of it is out any more.
launch-guarded = Guarded and never touched; the step fails on it:
launch-at-most = More targets than a run may touch: at most { $it }.
