//! Two people at one thing, and one who comes back: nobody is at fault, and nothing that was typed is
//! lost.

use std::thread;

use beistand_tests::browser::{Look, Scripts, Session};
use serde_json::json;

use super::house::{House, VERA};
use super::night::Night;
use crate::desk::{Desk, text};
use crate::staff::WORDS;

/// What the second is told.
const LATE: &str = "Somebody was quicker";

/// What says that surely nothing was done.
const NOT_DONE: &str = "form.answer:has([value='not-done'])";

/// Chooses yes wherever there is a choice.
const YES: &str =
    "for (const one of document.querySelectorAll('form.answer select')) one.value = 'true'";

fn english() -> Look {
    Look { language: "en", ..Look::default() }
}

#[test]
fn who_answers_second_sees_who_answered_first_and_what_they_typed_themselves() {
    let night = Night::new();
    let [cleo, vera] = ["cleo", VERA].map(|who| night.house.window(who, &english()));
    for (window, seen) in [(&cleo, "A burnt fuse"), (&vera, "Smoke & <b>soot</b>")] {
        window.go(&night.url("/needs/TASK")).unwrap();
        window.fill("[name='form.seen']", seen).unwrap();
        window.run(YES, &json!([])).unwrap();
    }
    cleo.click("form.answer button").unwrap();
    cleo.wait_for_text(".done", "Your answer is written down").unwrap();
    vera.click("form.answer button").unwrap();
    vera.wait_for_text(".done", LATE).unwrap();
    let shown = vera.text("main").unwrap();
    for part in ["cleo has done it", "What you had entered", "Smoke & <b>soot</b>"] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    assert_eq!(vera.count(".kern-alert--danger, form.answer").unwrap(), 0);
    judged(&vera, "too-late");

    // In the same moment: whoever of them it is, one was first.
    for window in [&cleo, &vera] {
        window.go(&night.url("/needs/UNKNOWN")).unwrap();
        window.fill(&format!("{NOT_DONE} [name=reason]"), "They were asked").unwrap();
    }
    let told = thread::scope(|scope| {
        let answer = |window: &Session| {
            window.click(&format!("{NOT_DONE} button")).unwrap();
            window.wait_for_text(".done", ".").unwrap();
            window.text(".done").unwrap()
        };
        let both = [&cleo, &vera].map(|window| scope.spawn(move || answer(window)));
        both.map(|one| one.join().unwrap())
    });
    let late = told.iter().filter(|said| said.contains(LATE)).count();
    assert_eq!(late, 1, "{told:?}");
}

#[test]
fn a_note_that_was_typed_while_the_session_ended_is_sent_after_the_next_login() {
    let house = House::of(Desk::new());
    let body = json!({"title": "Smoke over the hall", "mode": "live"});
    let opened = house.sent(VERA, "/api/v1/incidents", &body);
    let cockpit = house.url(&format!("/incidents/{}", text(&opened["number"])));
    for (who, scripts) in [("cleo", Scripts::On), (VERA, Scripts::Off)] {
        let window = house.window(who, &Look { scripts, ..english() });
        window.go(&cockpit).unwrap();
        let note = format!("{who}: \"two\" engines, <i>one</i> ladder\nand soup");
        window.fill("form[action$='/notes'] textarea", &note).unwrap();
        house.logged_out(who);
        window.click("form[action$='/notes'] button").unwrap();
        window.wait_for_text("h1", "Nobody is logged in").unwrap();
        assert!(window.text("main").unwrap().contains("<i>one</i> ladder"));
        judged(&window, "session-ended");

        // Also past a wrong passphrase.
        for (words, told) in
            [("not these words", "fit together"), (WORDS, "You are logged in again")]
        {
            window.fill("#account", who).unwrap();
            window.fill("#passphrase", words).unwrap();
            window.click("form[action='/login'] button").unwrap();
            window.wait_for_text("main", told).unwrap();
        }
        judged(&window, "logged-in-again");
        window.click("main form button").unwrap();
        window.wait_for_text(".done", "Written down").unwrap();
        let lines = window.text(".lines").unwrap();
        assert!(lines.contains(&note.replace('\n', " ⏎ ")), "{lines}");
    }
}

/// A page that stands behind a form is judged where it is met.
fn judged(window: &Session, name: &str) {
    window.screenshot(&format!("pages/en/{name}")).unwrap();
    assert_eq!(window.axe().unwrap(), [], "{name}");
}
