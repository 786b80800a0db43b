# What waits for people.

filter = Filter
all-kinds = All
need-over = It was answered, or has fallen away.
need-too-late = Somebody was quicker: it has been answered meanwhile. Your answer does not count any more.
need-typed = What you had entered
need-why = Why
asked-by = asked for by { $it }
votes = Votes
votes-so-far = Votes so far
need-voted = You approved. Others are still missing; you can still refuse.
to-answers = To the answer
need-what = { $n ->
    [one] Exactly what happens: one effect
   *[other] Exactly what happens: { $n } effects
}
action = Action
with = With
through = Through
way-back = Way back
no-way-back = no way back
by-hand = by hand
need-unfit = This can not be done as it is
need-others = What comes behind it and is not decided here
need-equal = { $n ->
    [one] One equal need is still open
   *[other] { $n } equal needs are still open
}
need-own = You asked for this. Somebody else must approve it.
need-not-yours = Somebody with the role { $it } decides this.
digest = Digest
in-words = to be read aloud
yes = yes
no = no
items-hint = one item a line
answer-approve = Approve
answer-deny = Deny
answer-done = Done
answer-retry = Try again
answer-skip = Skip
answer-by-hand = Done by hand
answer-abort = End the run
answer-not-done = It was not done
answer-send-again = Send again
answer-hint-approve = Exactly what stands above is done as soon as enough people have said yes.
answer-hint-deny = It is not done; the step has failed.
answer-hint-done = It was done. Who says so, and when, stands in the timeline.
answer-hint-retry = The step begins anew.
answer-hint-skip = The run goes on without this step.
answer-hint-by-hand = A person has done it outside the program.
answer-hint-abort = The run ends here.
answer-hint-not-done = It surely was not done; the run may try it.
answer-hint-send-again = It is sent again, even if it perhaps arrived already.
done-answered = Your answer is written down.
field-digest = Digest
field-host = Host
