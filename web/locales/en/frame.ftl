# What stands around every page.

product = Beistand
skip = Skip to the content
menu = Main menu
nav-home = Situation
nav-needs = Needs
nav-playbooks = Playbooks
nav-hosts = Holds
nav-declare = Declare an incident
nav-me = My account
nav-people = People
nav-health = System
nav-help = Help
nav-accessibility = Accessibility
needs-waiting = { $n ->
    [0] nothing waits for you
    [one] { $n } waits for you
   *[other] { $n } wait for you
}
show-language = Language
show-zone = Time zone
show-theme = Appearance
show-berlin = CET
show-utc = UTC
show-system = as the system
show-light = light
show-dark = dark
log-out = Log out
logged-in-as = Logged in as { $it }
drill-banner = DRILL – none of this is real
fresh-as-of = As of
fresh-live = up to date
fresh-once = does not renew itself; please reload
fresh-lost = Connection lost – what you see is old
fresh-over = Your session is over – what you see is old
fresh-again = Reload the page
stop-everything = Stop everything
stop-explain = Nothing is begun any more, in no live incident and no drill, until somebody else lets it go on. What is under way comes to its end.
stop-reason = Why?
stopped-title = Everything stands still
stopped-by = Stopped by { $it }
go-on = Go on
go-on-explain = It goes on as soon as somebody other than who stopped it says so.
prove-passphrase = Passphrase (a proof that it is you)
prove-number = Number of the code
prove-code = Printed code
prove-optional = only if your account has a second factor
cancel = Cancel
reason = Reason
required = required
choose = please choose
optional = optional
