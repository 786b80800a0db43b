//! Every page, in both languages, by day and by night, at a desk and on a telephone: what a program
//! can judge of it, and pictures for people.

use std::collections::BTreeSet;
use std::thread;

use beistand_tests::browser::{Look, Medium, Scheme, Session, Size};
use beistand_web::table;
use serde_json::{Value, json};

use super::house::{House, VERA};
use super::night::Night;

/// Who looks at a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum By {
    /// Whom nobody knows.
    Stranger,
    /// Who may everything.
    Vera,
}

/// One more page is one more line here: every page that is routed stands here, in each of its ways to
/// be looked at. The words in capitals are those of a [`Night`].
pub(super) const PAGES: &[(&str, By, &str)] = &[
    ("login", By::Stranger, "/login"),
    ("help", By::Stranger, "/help"),
    ("accessibility", By::Stranger, "/accessibility"),
    ("break-glass", By::Stranger, "/break-glass"),
    ("home", By::Vera, "/"),
    ("declare", By::Vera, "/incidents/new"),
    ("incident", By::Vera, "/incidents/LIVE"),
    ("briefing", By::Vera, "/incidents/LIVE/briefing"),
    ("timeline", By::Vera, "/incidents/LIVE/timeline"),
    ("table", By::Vera, "/incidents/LIVE/timeline?view=table&order=newest"),
    ("story", By::Vera, "/incidents/LIVE/timeline?view=story"),
    ("filtered", By::Vera, "/incidents/LIVE/timeline?lane=decisions&q=fire&significant=true"),
    ("line", By::Vera, "/incidents/LIVE/timeline/line?line=LINE"),
    ("report", By::Vera, "/incidents/LIVE/report"),
    ("drill", By::Vera, "/drill/incidents/PRACTICE"),
    ("drill-real", By::Vera, "/drill/incidents/PRACTICE/real"),
    ("real-already", By::Vera, "/incidents/LIVE/real"),
    ("drill-briefing", By::Vera, "/drill/incidents/PRACTICE/briefing"),
    ("drill-timeline", By::Vera, "/drill/incidents/PRACTICE/timeline"),
    ("drill-line", By::Vera, "/drill/incidents/PRACTICE/timeline/line?line=SCENE"),
    ("drill-report", By::Vera, "/drill/incidents/PRACTICE/report"),
    ("needs", By::Vera, "/needs"),
    ("votes", By::Vera, "/needs?kind=approval&incident=LIVE"),
    ("vote", By::Vera, "/needs/VOTE"),
    ("task", By::Vera, "/needs/TASK"),
    ("decision", By::Vera, "/needs/DECISION"),
    ("unknown", By::Vera, "/needs/UNKNOWN"),
    ("gate", By::Vera, "/drill/needs/GATE"),
    ("playbooks", By::Vera, "/playbooks"),
    ("playbook", By::Vera, "/playbooks/watch"),
    ("shipped", By::Vera, "/playbooks/ransomware-containment"),
    ("paper", By::Vera, "/playbooks/watch/sheet"),
    ("check", By::Vera, "/playbooks/check"),
    ("launch", By::Vera, "/playbooks/watch/launch?incident=LIVE"),
    ("drill-launch", By::Vera, "/drill/playbooks/cut/launch?incident=PRACTICE"),
    ("run", By::Vera, "/runs/RUN"),
    ("step", By::Vera, "/runs/RUN/step?path=STEP"),
    ("sheet", By::Vera, "/runs/RUN/sheet"),
    ("more", By::Vera, "/runs/RUN/more"),
    ("supersede", By::Vera, "/runs/RUN/supersede"),
    ("outlook", By::Vera, "/runs/RUN/supersede?playbook=cut"),
    ("drill-run", By::Vera, "/drill/runs/CUT"),
    ("drill-step", By::Vera, "/drill/runs/CUT/step?path=contain"),
    ("drill-sheet", By::Vera, "/drill/runs/CUT/sheet"),
    ("drill-more", By::Vera, "/drill/runs/CUT/more"),
    ("drill-supersede", By::Vera, "/drill/runs/CUT/supersede"),
    ("hosts", By::Vera, "/hosts"),
    ("me", By::Vera, "/me"),
    ("people", By::Vera, "/people"),
    ("health", By::Vera, "/health"),
    ("audit", By::Vera, "/audit?verify=now"),
    ("nothing", By::Vera, "/nothing/here"),
];

/// What forms answer with a page: how the page is called, who sends it from where, which form, and what
/// is entered into it.
const SENT: &[(&str, By, &str, &str, &str)] = &[
    (
        "wrong-login",
        By::Stranger,
        "/login",
        "/login",
        "f.account.value = 'x'; f.passphrase.value = 'y'",
    ),
    (
        "refused",
        By::Vera,
        "/incidents/LIVE",
        "/notes",
        "f.text.value = 'x'; f['at'].type = 'text'; f['at'].value = 'noon'",
    ),
    ("findings", By::Vera, "/playbooks/check", "/check", "f.text.value = 'playbook: x\\nsteps: 7'"),
    ("faults", By::Vera, "/playbooks/watch/launch", "/launch", ""),
    ("review", By::Vera, "/playbooks/watch/launch?incident=LIVE", "/launch", PC_3),
    ("drill-review", By::Vera, "/drill/playbooks/cut/launch?incident=PRACTICE", "/launch", PC_3),
    ("more-review", By::Vera, "/runs/RUN/more", "/more", PC_3),
    ("drill-more-review", By::Vera, "/drill/runs/CUT/more", "/more", PC_3),
];

const PC_3: &str = "f['in.hosts'].value = 'pc-3'";

/// Sends the form that leads to an address with this end, without the browser's own look at it.
fn send(window: &Session, end: &str, fill: &str) {
    let form = format!("document.querySelector(\"main form[method=post][action$='{end}']\")");
    let send = "HTMLFormElement.prototype.submit.call(form)";
    let script = format!("const form = {form}; const f = form.elements; {fill}; {send};");
    window.run(&script, &json!([])).unwrap();
}

/// What is looked at by programs alone.
const NO_PAGES: [&str; 4] = ["/assets/{build}/{name}", "/healthz", "/metrics", "/readyz"];

/// Everything that can be opened is open, but for what then lies above all else.
pub(super) const OPEN: &str =
    "for (const one of document.querySelectorAll('details:not(.stop)')) one.open = true;";

/// That alone is open.
const OPEN_ABOVE: &str = "
for (const one of document.querySelectorAll('details')) one.open = one.matches('.stop');
";

/// Pages on which it is looked at: what it says is the same on all.
const ABOVE: [&str; 2] = ["home", "drill"];

/// What sticks out on the right: nothing, or which elements.
const SIDEWAYS: &str = "
const wide = document.documentElement.clientWidth;
if (document.documentElement.scrollWidth <= wide) return [];
const scrolls = (one) => one && (getComputedStyle(one).overflowX === 'auto' || scrolls(one.parentElement));
const out = (one) => one.getBoundingClientRect().right > wide + 1 && !scrolls(one.parentElement);
const all = [...document.querySelectorAll('body *')].filter(out);
return ['scrolls to ' + document.documentElement.scrollWidth,
    ...all.slice(0, 8).map((one) => one.outerHTML.slice(0, 120))];
";

/// Letters, words and lines as far apart as a reader may set them (WCAG 2.2, 1.4.12); what of the text is cut
/// off then.
const SPACED: &str = "
const sheet = new CSSStyleSheet();
sheet.replaceSync(`* { line-height: 1.5 !important; letter-spacing: .12em !important;
    word-spacing: .16em !important } p { margin-bottom: 2em !important }`);
document.adoptedStyleSheets = [sheet];
const hides = (one) => ['hidden', 'clip'].includes(getComputedStyle(one).overflowY);
const cut = (one) => one.scrollHeight > one.clientHeight + 1 || one.scrollWidth > one.clientWidth + 1;
const all = [...document.querySelectorAll('main *, header *, footer *')];
const found = all.filter((one) => one instanceof HTMLElement && !one.matches('input') && one.clientHeight > 1
    && hides(one) && cut(one));
return found.slice(0, 8).map((one) => one.outerHTML.slice(0, 120));
";

/// What a sheet of paper cuts off on the right: nobody scrolls it.
const CUT_OFF: &str = "
document.adoptedStyleSheets = [];
const wide = document.documentElement.clientWidth;
const shown = (one) => one.checkVisibility() && one.getBoundingClientRect().width > 2;
const all = [...document.querySelectorAll('main *, .identity *')].filter(shown);
const cut = all.filter((one) => one.getBoundingClientRect().right > wide + 1);
return cut.slice(0, 8).map((one) => one.outerHTML.slice(0, 120));
";

/// A4 between the margins of its pages.
const PAPER: Size = Size { width: 673, height: 956 };

/// How pages are looked at: each width and each scheme in each language, and every pair of a width and
/// a scheme in one of them. What is judged of a page depends on no more than two of the three.
fn looks(language: &'static str) -> [(&'static str, Look); 3] {
    let look = |size, scheme| Look { size, language, scheme, ..Look::default() };
    if language == "de" {
        [
            ("desk", look(Size::DESK, Scheme::Light)),
            ("phone-dark", look(Size::PHONE, Scheme::Dark)),
            ("narrow", look(Size::NARROW, Scheme::Light)),
        ]
    } else {
        [
            ("desk-dark", look(Size::DESK, Scheme::Dark)),
            ("phone", look(Size::PHONE, Scheme::Light)),
            ("narrow-dark", look(Size::NARROW, Scheme::Dark)),
        ]
    }
}

#[test]
fn every_page_that_is_routed_is_looked_at() {
    let routed = table().declared().into_iter();
    let routed = routed.filter(|route| route.method == "GET" && !route.path.starts_with("/api/"));
    let routed: BTreeSet<String> = routed.map(|route| route.path).collect();
    let looked_at = |path: &str| {
        let path = path.split('?').next().unwrap();
        // Where a word fits and a gap, too, the word leads.
        let fitting = routed.iter().filter(|route| fits(route, path));
        fitting.min_by_key(|route| route.matches('{').count()).cloned()
    };
    let seen: BTreeSet<String> = PAGES.iter().filter_map(|(_, _, path)| looked_at(path)).collect();
    let unseen: Vec<&String> = routed.difference(&seen).collect();
    assert_eq!(unseen, NO_PAGES.iter().collect::<Vec<_>>(), "one line in `PAGES` for each");
}

/// Whether a path is one of a route, which has gaps in braces.
fn fits(route: &str, path: &str) -> bool {
    let (route, path): (Vec<_>, Vec<_>) = (route.split('/').collect(), path.split('/').collect());
    let mut pairs = route.iter().zip(&path);
    route.len() == path.len() && pairs.all(|(own, word)| own.starts_with('{') || own == word)
}

#[test]
fn every_page_is_for_everybody_and_asks_nobody_else_in_german() {
    looked_through("de");
}

#[test]
fn every_page_is_for_everybody_and_asks_nobody_else_in_english() {
    looked_through("en");
}

/// Half of the pages by each of two windows: they load beside each other.
fn looked_through(language: &'static str) {
    let night = Night::new();
    let faults: Vec<String> = thread::scope(|scope| {
        let night = &night;
        let read = [0, 1].map(|half| scope.spawn(move || walk(night, language, half)));
        read.into_iter().flat_map(|one| one.join().unwrap()).collect()
    });
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
}

/// What is wrong with every other page in a language.
fn walk(night: &Night, language: &'static str, half: usize) -> Vec<String> {
    let house = &night.house;
    let first = looks(language)[0].1;
    let mut faults = Vec::new();
    for by in [By::Stranger, By::Vera] {
        let mut window = match by {
            By::Stranger => house.stranger(&first),
            By::Vera => house.window(VERA, &first),
        };
        let pages = PAGES.iter().map(|(name, whose, path)| (name, whose, path, None));
        let sent = SENT
            .iter()
            .map(|(name, whose, path, form, fill)| (name, whose, path, Some((form, fill))));
        let pages = pages.chain(sent).filter(|(_, whose, _, _)| **whose == by);
        for (name, _, path, form) in pages.skip(half).step_by(2) {
            window.look_as(&first).unwrap();
            window.go(&night.url(path)).unwrap();
            if let Some((form, fill)) = form {
                send(&window, form, fill);
            }
            let found = page(&mut window, name, language);
            faults.extend(found.iter().map(|fault| format!("{language} {name}: {fault}")));
        }
        faults.extend(told(house, &window).iter().map(|fault| format!("{language}: {fault}")));
    }
    faults
}

/// What is wrong with the page that is open.
fn page(window: &mut Session, name: &str, language: &'static str) -> Vec<String> {
    let mut faults = Vec::new();
    for (look, as_seen) in &looks(language)[..2] {
        window.look_as(as_seen).unwrap();
        window.screenshot(&format!("pages/{language}/{name}-{look}")).unwrap();
    }
    window.run(OPEN, &json!([])).unwrap();
    for (look, as_seen) in looks(language) {
        window.look_as(&as_seen).unwrap();
        for violation in window.axe().unwrap() {
            faults.push(format!("{look}: {violation:?}"));
        }
    }
    let sideways = window.run(SIDEWAYS, &json!([])).unwrap();
    if sideways != Value::Array(Vec::new()) {
        faults.push(format!("at 320 px: {sideways}"));
    }
    for script in [SPACED, SIDEWAYS] {
        let spaced = window.run(script, &json!([])).unwrap();
        if spaced != Value::Array(Vec::new()) {
            faults.push(format!("spaced out: {spaced}"));
        }
    }
    let paper = Look { medium: Medium::Print, size: PAPER, language, ..Look::default() };
    window.look_as(&paper).unwrap();
    let cut_off = window.run(CUT_OFF, &json!([])).unwrap();
    if cut_off != Value::Array(Vec::new()) {
        faults.push(format!("on paper: {cut_off}"));
    }
    window.look_as(&looks(language)[2].1).unwrap();
    if ABOVE.contains(&name) {
        window.run(OPEN_ABOVE, &json!([])).unwrap();
        let found = window.axe().unwrap();
        faults.extend(found.iter().map(|violation| format!("stop: {violation:?}")));
    }
    faults
}

/// What a window did beside showing pages.
fn told(house: &House, window: &Session) -> Vec<String> {
    let mut faults: Vec<String> = window.csp_reports().unwrap();
    let beyond = window.requests_beyond(&house.origin()).unwrap();
    faults.extend(beyond.iter().map(|asked| format!("{asked:?}")));
    // What is not there is said to be so on the console, too; and what a browser would like better is
    // no fault.
    let is_fault = |(source, text): &(String, String)| {
        let is_refused_page = text.contains("a status of 4") && !text.contains("/assets/");
        source != "recommendation" && !is_refused_page
    };
    let console = window.console().unwrap().into_iter().filter(is_fault);
    faults.extend(console.map(|(source, text)| format!("{source}: {text}")));
    faults
}
