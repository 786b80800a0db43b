# The briefing.

code = Code
need-what-short = What
not-yet = Asked for and not yet done:
notes = Notes
notes-none = Nobody has written anything yet.
notes-older = { $n ->
    [one] and { $n } older note
   *[other] and { $n } older notes
}
print = Print
take-over-hint = With this briefing you take over command.
take-over-do = Take over command
