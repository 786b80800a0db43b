//! Pages without their script, and without a mouse: the same is said, and the same can be done.

use std::collections::BTreeSet;

use beistand_tests::browser::{Colours, Look, Medium, Scheme, Scripts, Session, Size};

use super::house::{House, VERA};
use super::night::Night;
use super::pages::{By, PAGES};
use crate::desk::{Desk, text};

const WITHOUT: Look = Look {
    size: Size::DESK,
    language: "en",
    scheme: Scheme::Light,
    colours: Colours::Page,
    medium: Medium::Screen,
    scripts: Scripts::Off,
};

/// What only script can do: without it, nothing of it is offered.
const BY_SCRIPT: [&str; 5] = [
    "Print",
    "Log in with a passkey",
    "Add a passkey",
    "Name of the device",
    "Your device will ask for a finger, a face or a PIN. From then on a login asks for the passkey, or for a \
     printed code.",
];

/// What is said in its place.
const INSTEAD: &str = "Adding a passkey takes JavaScript.";

/// What a page says, but for how long ago something was.
fn said(window: &Session, url: &str) -> Vec<String> {
    window.go(url).unwrap();
    let text = ["main", "header"].map(|css| window.text(css).unwrap()).join("\n");
    let is_time = |word: &str| word.chars().any(|one| one.is_ascii_digit()) || word == "just";
    // A minute later is another number.
    let lines = text.lines().map(|line| {
        line.split_whitespace().filter(|word| !is_time(word)).collect::<Vec<_>>().join(" ")
    });
    lines.filter(|line| !line.is_empty()).collect()
}

#[test]
fn a_page_says_without_script_what_it_says_with_it() {
    let night = Night::new();
    let with = Look { scripts: Scripts::On, ..WITHOUT };
    let windows = [&WITHOUT, &with].map(|look| night.house.window(VERA, look));
    let strangers = [&WITHOUT, &with].map(|look| night.house.stranger(look));
    let mut offered = BTreeSet::new();
    for (name, by, path) in PAGES {
        let windows = match by {
            By::Stranger => &strangers,
            By::Vera => &windows,
        };
        let mut both = || {
            let [mut without, mut with] =
                windows.each_ref().map(|window| said(window, &night.url(path)));
            offered.extend(with.extract_if(.., |line| BY_SCRIPT.contains(&line.as_str())));
            offered.extend(without.extract_if(.., |line| line == INSTEAD));
            [without, with]
        };
        // The server lives on: something may happen between two looks.
        let mut pair = both();
        for _ in 0..2 {
            pair = if pair[0] == pair[1] { pair } else { both() };
        }
        let [without, with] = pair;
        assert_eq!(without, with, "{name}");
        assert!(!without.is_empty(), "{name}");
    }
    assert_eq!(offered, BY_SCRIPT.into_iter().chain([INSTEAD]).map(str::to_owned).collect());
}

#[test]
fn without_script_an_incident_is_declared_noted_and_everything_stopped_and_let_go_on() {
    let house = House::of(Desk::new());
    let (cleo, vera) = (house.window("cleo", &WITHOUT), house.window(VERA, &WITHOUT));
    cleo.go(&house.url("/incidents/new")).unwrap();
    cleo.fill("#title", "Smoke over the hall").unwrap();
    cleo.click("input[name=mode][value=live]").unwrap();
    cleo.click("main form button").unwrap();
    cleo.wait_for_text("h1", "Smoke over the hall").unwrap();

    cleo.fill("textarea[name=text]", "The fire brigade\nis here").unwrap();
    cleo.click("form[action$='/notes'] button").unwrap();
    cleo.wait_for_text(".lines", "The fire brigade").unwrap();

    cleo.click("details.stop summary").unwrap();
    cleo.fill("#stop-reason", "It spreads").unwrap();
    cleo.click("form[action='/stop'] button").unwrap();
    cleo.wait_for_text(".stopped", "It spreads").unwrap();

    vera.go(&house.url("/")).unwrap();
    vera.click(".stopped summary").unwrap();
    vera.fill("#go-on-reason", "It was a drill of the fire brigade").unwrap();
    vera.click("form[action='/go-on'] button").unwrap();
    vera.wait_for_text(".done", "It goes on.").unwrap();
    assert_eq!(vera.count(".stopped").unwrap(), 0);
}

#[test]
fn without_script_a_run_is_launched_approved_noted_filtered_and_handed_on() {
    let night = Night::new();
    let [cleo, ben] = ["cleo", "ben"].map(|who| night.house.window(who, &WITHOUT));
    cleo.go(&night.url("/drill/incidents/PRACTICE")).unwrap();
    cleo.click("a[href^='/playbooks?incident=']").unwrap();
    cleo.click("a[href*='/cut/launch']").unwrap();
    cleo.fill("[name='in.hosts']", "pc-3").unwrap();
    cleo.click("form.launch-form button").unwrap();
    cleo.wait_for_text("h1", "Before the launch").unwrap();
    assert!(cleo.text(".entered").unwrap().contains("pc-3"));
    if cleo.count("[name=by_hand_ok]").unwrap() > 0 {
        cleo.click("[name=by_hand_ok]").unwrap();
    }
    cleo.click("button[value=launch]").unwrap();
    cleo.wait_for_text("h1", "Hosts are cut off").unwrap();
    let run = cleo.url().unwrap();
    let run = run.split(['?', '/']).rfind(|part| part.len() > 30).unwrap();
    let gate = night.house.need(run, "approval");

    ben.go(&night.url("/")).unwrap();
    ben.click(&format!("a[href$='{}']", text(&gate["id"]))).unwrap();
    ben.fill("form.answer [name=reason]", "I looked at it").unwrap();
    ben.click("form.answer button").unwrap();
    ben.wait_for_text(".done", "Your answer is written down").unwrap();

    cleo.go(&night.url("/drill/incidents/PRACTICE")).unwrap();
    cleo.fill("form[action$='/notes'] textarea", "Seen from the quay").unwrap();
    cleo.click("form[action$='/notes'] button").unwrap();
    cleo.click(".tabs a[href$='/timeline']").unwrap();
    cleo.click("main details summary").unwrap();
    cleo.fill("#q", "quay").unwrap();
    cleo.click("main form[action^='/drill/'] button").unwrap();
    assert_eq!(cleo.count("#timeline tbody tr").unwrap(), 1);
    cleo.click("main details:nth-of-type(2) summary").unwrap();
    let (name, file) = cleo.download("main form[action^='/api/'] button").unwrap();
    let file = String::from_utf8(file).unwrap();
    assert!(name.ends_with("html") && file.contains("Seen from the quay"), "{name}: {file}");
    assert!(!file.contains("fire brigade"), "what was filtered out is not handed on");
}
