//! Every page, in both languages, by day and by night, at a desk and on a telephone: what a program
//! can judge of it, and pictures for people.

use std::thread;

use beistand_tests::browser::{Look, Scheme, Session, Size};
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

/// One more page is one more line here. The words in capitals are those of a [`Night`].
pub(super) const PAGES: &[(&str, By, &str)] = &[
    ("login", By::Stranger, "/login"),
    ("help", By::Stranger, "/help"),
    ("accessibility", By::Stranger, "/accessibility"),
    ("break-glass", By::Stranger, "/break-glass"),
    ("home", By::Vera, "/"),
    ("declare", By::Vera, "/incidents/new"),
    ("incident", By::Vera, "/incidents/LIVE"),
    ("briefing", By::Vera, "/incidents/LIVE/briefing"),
    ("drill", By::Vera, "/drill/incidents/PRACTICE"),
    ("drill-briefing", By::Vera, "/drill/incidents/PRACTICE/briefing"),
    ("needs", By::Vera, "/needs"),
    ("vote", By::Vera, "/needs/VOTE"),
    ("task", By::Vera, "/needs/TASK"),
    ("gate", By::Vera, "/drill/needs/GATE"),
    ("hosts", By::Vera, "/hosts"),
    ("me", By::Vera, "/me"),
    ("people", By::Vera, "/people"),
    ("health", By::Vera, "/health"),
    ("audit", By::Vera, "/audit?verify=now"),
    ("nothing", By::Vera, "/nothing/here"),
];

/// Everything that can be opened is open.
pub(super) const OPEN: &str =
    "for (const one of document.querySelectorAll('details')) one.open = true;";

/// What sticks out on the right: nothing, or which elements.
const SIDEWAYS: &str = "
const wide = document.documentElement.clientWidth;
if (document.documentElement.scrollWidth <= wide) return [];
const out = (one) => one.getBoundingClientRect().right > wide + 1;
const all = [...document.querySelectorAll('body *')].filter(out);
return ['scrolls to ' + document.documentElement.scrollWidth,
    ...all.slice(0, 8).map((one) => one.outerHTML.slice(0, 120))];
";

/// How pages are looked at.
fn looks(language: &'static str) -> [(&'static str, Look); 4] {
    let look = |size, scheme| Look { size, language, scheme, ..Look::default() };
    [
        ("desk", look(Size::DESK, Scheme::Light)),
        ("desk-dark", look(Size::DESK, Scheme::Dark)),
        ("phone", look(Size::PHONE, Scheme::Light)),
        ("phone-dark", look(Size::PHONE, Scheme::Dark)),
    ]
}

#[test]
fn every_page_is_for_everybody_and_asks_nobody_else() {
    let night = Night::new();
    let faults: Vec<String> = thread::scope(|scope| {
        let night = &night;
        let read = ["de", "en"].map(|language| scope.spawn(move || walk(night, language)));
        read.into_iter().flat_map(|one| one.join().unwrap()).collect()
    });
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
}

/// What is wrong with the pages in a language.
fn walk(night: &Night, language: &'static str) -> Vec<String> {
    let house = &night.house;
    let first = looks(language)[0].1;
    let mut faults = Vec::new();
    for by in [By::Stranger, By::Vera] {
        let mut window = match by {
            By::Stranger => house.stranger(&first),
            By::Vera => house.window(VERA, &first),
        };
        for (name, _, path) in PAGES.iter().filter(|(_, whose, _)| *whose == by) {
            let found = page(&mut window, (name, &night.url(path)), language);
            faults.extend(found.iter().map(|fault| format!("{language} {name}: {fault}")));
        }
        faults.extend(told(house, &window).iter().map(|fault| format!("{language}: {fault}")));
    }
    faults
}

/// What is wrong with a page.
fn page(window: &mut Session, (name, url): (&str, &str), language: &'static str) -> Vec<String> {
    let mut faults = Vec::new();
    window.look_as(&looks(language)[0].1).unwrap();
    window.go(url).unwrap();
    for (look, as_seen) in looks(language) {
        window.look_as(&as_seen).unwrap();
        if ["desk", "phone-dark"].contains(&look) {
            window.screenshot(&format!("pages/{language}/{name}-{look}")).unwrap();
        }
    }
    window.run(OPEN, &json!([])).unwrap();
    for (look, as_seen) in looks(language) {
        window.look_as(&as_seen).unwrap();
        for violation in window.axe().unwrap() {
            faults.push(format!("{look}: {violation:?}"));
        }
    }
    let (_, narrow) = looks(language)[0];
    window.look_as(&Look { size: Size::NARROW, ..narrow }).unwrap();
    let sideways = window.run(SIDEWAYS, &json!([])).unwrap();
    if sideways != Value::Array(Vec::new()) {
        faults.push(format!("at 320 px: {sideways}"));
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
        source != "recommendation" && !text.contains("/nothing/here")
    };
    let console = window.console().unwrap().into_iter().filter(is_fault);
    faults.extend(console.map(|(source, text)| format!("{source}: {text}")));
    faults
}
