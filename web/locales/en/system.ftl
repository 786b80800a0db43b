# System and audit.

health-well = The store answers, and is written.
health-dead = The store takes nothing any more
health-store = Store and clock
health-version = Version
health-clock = Clock
health-backup = Last backup
health-no-backup = none yet:
health-counters = Counters
audit-title = Audit
audit-hint = Each entry hangs on the one before by a digest. What stands before the last seal that somebody keeps outside nobody can change unnoticed.
audit-seal = Newest seal
audit-verify = Verify the chain now
audit-whole = All in order:
audit-broken = The chain is broken
audit-entries = entries
audit-streams = streams
audit-erased = erased bodies
audit-lines = What happened to the store itself
accessibility-title = Accessibility statement
break-glass-title = Break glass
