# The timeline and the report.

view = View
view-lanes = Lanes
view-table = Table
view-story = Story
filter-text = Text
filter-lane = Lane
filter-item = Host or target
filter-from = From
filter-to = To
filter-details = details too
filter-failures = only failures
filter-starred = only starred
filter-newest = Newest first
filter-do = Filter
filter-reset = Clear the filter
export = Hand on
export-hint = A file with just these lines. HTML and JSONL carry the proof of the chain; “beistand verify” checks it.
export-format = Format
export-persons = Persons
export-named = by name
export-numbered = without personal data
export-do = Download
story-none = Nothing is told yet. Pick lines of the timeline and give them words of your own.
histogram = When how much happened
legend = What the marks mean
legend-point = Something happened
legend-failed = Something went wrong
legend-star = marked as important
legend-run = run
legend-attempt = a step is carried out
legend-need = people are asked
legend-hold = locked or cut off
legend-lasts = dotted edge: goes on
legend-badly = thick edge: ended badly
legend-unknown = dashed edge: outcome not known
legend-gone = empty: void
legend-due = deadline
legend-missed = flag: deadline missed
legend-gap = drawn together: nothing happened
legend-down = Beistand was not running
lines = { $n ->
    [one] { $n } line
   *[other] { $n } lines
}
lines-of = of { $n }
lines-shown = { $n } on this page
details-hidden = { $n ->
    [one] { $n } detail hidden:
   *[other] { $n } details hidden:
}
details-show = show them
details-shown = { $n ->
    [one] with { $n } detail:
   *[other] with { $n } details:
}
details-hide = hide them
when = When
what = What
who = Who
mark = Mark
mark-title = Mark a line
star = Star
recorded = written down
corrected = corrected
corrects = corrects this line
run = run
value = Values
pages = Pages
page-before = lines before
page-after = further lines
correct = Correct
correct-hint = The old line stays and is struck through.
correct-text = How it was
correct-at = When it was, if the time was wrong
tell = Tell
tell-hint = The line comes into the story; it does not change itself.
tell-text = Own words
tell-place = Place
leave-out = Leave it out of the story
report-conditions = Conditions
report-actions = Actions
report-needs = Needs
report-figures = Figures
figure-detect = To detect
figure-hold = To the first hold
figure-contain = To contain
figure-notify = To notify
figure-close = To close
figure-attempts = Attempts
figure-repeats = of these repeats
figure-failed = of these without success
figure-waits = Waits for people, how often
figure-waited = Waits for people, together
figure-longest = longest wait
figure-lines = Lines
figure-corrected = corrected
done-marked = Marked.
field-line = Line
