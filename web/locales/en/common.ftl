# Words that many pages say.

span-days = { $n ->
    [one] { $n } day
   *[other] { $n } days
}
span-hours = { $n } h
span-minutes = { $n } min
span-seconds = { $n } s

deadline-left = { $it } left
deadline-late = overdue for { $it }
deadline-due = due

role-commander = Commander
role-deputy = Deputy
role-approver = Approver
role-responder = Responder
role-scribe = Scribe
role-reviewer = Reviewer
role-dpo = Data protection
role-admin = Administration

severity-1 = Disruption
severity-2 = Incident
severity-3 = Emergency
severity-4 = Crisis

mode-live = Live
mode-drill = Drill

need-approval = Approval
need-task = Task
need-decision = Decision
need-unknown = Unknown outcome

run-running = running
run-waiting = waiting
run-paused = paused
run-cancelling = being cancelled
run-undoing = being undone
run-succeeded = succeeded
run-failed = failed
run-cancelled = cancelled
run-undone = undone
run-superseded = superseded

step-pending = not begun
step-waiting = running
step-ready = its turn has come
step-running = running
step-retrying = will be tried again
step-unknown = unknown outcome – please check
step-probing = being probed
step-needs-decision = waits for a decision
step-waiting-for-approval = waits for approval
step-waiting-for-person = waits for people
step-waiting-for-signal = waits for a signal
step-waiting-for-time = waits for time
step-waiting-for-child = sub-playbook runs
step-succeeded = succeeded
step-failed = failed
step-skipped = skipped
step-cancelled = cancelled
step-undoing = being undone
step-undone = undone
step-undo-failed = undo failed

hold-held = cut off
hold-taking = being cut off
hold-releasing = being released

done-stopped = Everything stands still. Nothing is begun any more.
done-gone-on = It goes on.
done-proved = You have just proved who you are.
