# The first page.

home-title = Situation
home-open = Open incidents
home-none = No incident is open.
home-none-hint = When something happens, declare it: rather once too often.
home-more = { $n ->
    [one] and { $n } more
   *[other] and { $n } more
}
home-mine = Waits for you
home-mine-none = Nothing waits for you.
home-ended = Closed incidents
home-held = { $n ->
    [0] Nothing is cut off.
    [one] { $n } target is cut off.
   *[other] { $n } targets are cut off.
}
no-commander = without a commander
since = for
lead = Commander
next-deadline = Next deadline
no-deadline = no deadline open
failed-steps = { $n ->
    [0] Nothing has failed.
    [one] { $n } step failed or is unclear.
   *[other] { $n } steps failed or are unclear.
}
running-runs = { $n ->
    [0] no run under way
    [one] { $n } run under way
   *[other] { $n } runs under way
}
hidden-title = the title is not yours to read
