# A run and its steps.

run-started = began
run-ended = ended
run-by = requested by
run-for = running for
run-waits = What waits now
run-waits-none = Nothing waits.
run-stand = How far it is
run-steps = Steps
run-steps-none = No step has begun yet.
run-gantt = Over time
run-flow = The whole playbook
run-flow-hint = What the playbook does, from top to bottom, and how far it has come. The list of steps says the same.
run-values = Inputs and results
run-inputs = Inputs
run-outputs = Results
run-id = Run
run-acts = Act on the run
run-holds-more = { $n ->
    [one] and { $n } more
   *[other] and { $n } more
}
run-beside-parent = Called by
run-beside-children = Sub-playbook
run-beside-more-of = More of
run-beside-supersedes = Takes over from
run-beside-superseded-by = Superseded by

wait-time = waits for time
wait-signal = waits for a signal
wait-child = a sub-playbook runs
wait-permit = waits for a free place
wait-hold = waits until another run lets the target go

wrong-title = Failed or unknown
wrong-tried = Tried
wrong-answer = Answer
wrong-attempts = Attempts
wrong-next = next
wrong-who = Who decides
wrong-decide = Decide now
wrong-look = Look at it
wrong-more = { $n ->
    [one] and { $n } more, in the list below
   *[other] and { $n } more, in the list below
}
attempt = Attempt
attempt-told = What became of it

step-through = by { $it }
step-handled = dealt with
step-taken-over = taken over from the superseded run
step-rounds = { $n ->
    [one] { $n } round
   *[other] { $n } rounds
}
step-left-out = { $n ->
    [one] { $n } more on the step's page
   *[other] { $n } more on the step's page
}
step-not-begun = not begun yet
step-within = Within
step-with = Arguments
step-with-hint = As they stand in the playbook; what stands in ‹…› is filled in by the run.
step-output = Result
step-holds = Still holds
step-facts = To be checked
step-lines = What happened
step-undo = Take it back
fact-path = Place in the playbook
fact-kind = Kind
fact-key = Key
fact-generation = Generation
fact-taken-over = taken over from run
fact-already-held = already held by
fact-still-held = still held by

pause-do = Pause
pause-hint = Nothing new starts; what is out is settled.
unpause-do = Let it go on
unpause-hint = The run goes on where it stands.
cancel-do = Cancel the run
cancel-hint = The run ends. Nothing of it is taken back: what is cut off stays cut off.
undo-do = Take back
undo-hint = What the run did is taken back by its way back, with the same approval as the way there.
undo-what = What is taken back
undo-all = everything that this run did
signal-title = Waits for a signal: { $it }
signal-hint = The step goes on as soon as somebody says that it is time.
signal-name = Name of the signal
signal-do = Give the signal

done-paused = The run is paused.
done-unpaused = The run goes on.
done-cancelling = The run is being ended.
done-undoing = It is being taken back.
done-signalled = The signal has arrived.
