//! Markup in every field that takes a text, and in an alert from outside: every page shows it as
//! text, runs nothing of it, and leads nowhere by it.

use std::collections::BTreeSet;

use beistand_tests::browser::{Look, Session};
use serde_json::{Value, json};

use super::house::VERA;
use super::night::Night;
use super::pages::{By, OPEN, PAGES};
use crate::desk::text;
use crate::staff::WORDS;

/// Begins an element, ends an attribute, is a script, leads to one, and stands the wrong way round.
const MARKUP: &str = "<img src=x onerror=alert(1)>\"><script>alert(1)</script>javascript:alert(1)";

/// What turns the rest of a line around (Unicode, TR 9).
const TURNED: &str = "javascript:alert(1)\u{202e}gnp.exe\u{2066}'\"><svg onload=alert(1)>";

/// Forms that end the night before all was seen.
const SPARED: [&str; 2] = ["/close", "/me/passphrase"];

/// Where the forms of a page lead; nowhere, where nothing is typed into one.
const FORMS: &str = "
const typed = 'textarea, input:not([type]), input[type=text], input[type=search], input[type=url]';
return [...document.querySelectorAll('form[method=post]')]
    .map((form) => form.querySelector(typed) ? form.getAttribute('action') : '');
";

/// Fills one with the text wherever a person can type, chooses what can be chosen, and sends it without
/// asking the browser what it thinks of that. Words that prove who somebody is are right.
const SEND: &str = "
const [index, text, words] = arguments;
const form = document.querySelectorAll('form[method=post]')[index];
for (const field of form.elements) {
    if (field.tagName === 'TEXTAREA') field.value = text;
    else if (field.tagName === 'SELECT') field.selectedIndex = field.options.length - 1;
    else if (field.type === 'radio') field.checked = true;
    else if (field.name === 'passphrase' || field.name === 'new') field.value = words;
    else if (field.type === 'datetime-local' || field.type === 'hidden') continue;
    else if (['number', 'code'].includes(field.name)) continue;
    else if (field.tagName === 'INPUT' && field.type !== 'checkbox') {
        field.type = 'text';
        field.value = text;
    }
}
HTMLFormElement.prototype.submit.call(form);
";

/// Elements that what was planted would have made, and links that would run it.
const GROWN: &str = "
const grown = document.querySelectorAll('img[src=x], svg[onload], [onerror], script:not([src])');
const links = [...document.querySelectorAll('a[href], form[action]')].map((one) => one.href || one.action);
return [...[...grown].map((one) => one.outerHTML),
    ...links.filter((to) => !to.startsWith(location.origin + '/'))];
";

#[test]
fn what_is_planted_in_any_field_is_text_wherever_it_is_shown() {
    let night = Night::hearing();
    let window = night.house.window(VERA, &Look { language: "en", ..Look::default() });
    night.house.alerted(&json!({"rule": MARKUP, "host": format!("{TURNED}{MARKUP}")}));
    let mut sent = BTreeSet::new();
    for planted in [MARKUP, TURNED] {
        for (name, _, path) in PAGES.iter().filter(|(_, by, _)| *by == By::Vera) {
            let url = night.url(path);
            window.go(&url).unwrap();
            for action in &forms(&window) {
                let spared = action.is_empty() || SPARED.iter().any(|end| action.ends_with(end));
                if spared || !sent.insert((planted, action.clone())) {
                    continue;
                }
                window.go(&url).unwrap();
                // Another account is another form before it.
                let here = forms(&window).iter().position(|one| one == action);
                let index = here.unwrap_or_else(|| panic!("{action} is gone from {name}"));
                window.run(SEND, &json!([index, planted, WORDS])).unwrap();
                nothing_grew(&window, &format!("{action} of {name}"));
            }
        }
    }
    for wanted in ["/notes", "/assets", "/edit", "/stop", "/incidents/new", "/people/add"] {
        assert!(sent.iter().any(|(_, action)| action.ends_with(wanted)), "{wanted}: {sent:?}");
    }
    let mut shown = Vec::new();
    for (name, _, path) in PAGES.iter().filter(|(_, by, _)| *by == By::Vera) {
        window.go(&night.url(path)).unwrap();
        window.run(OPEN, &json!([])).unwrap();
        nothing_grew(&window, name);
        if window.text("main").unwrap().contains("<img src=x onerror=alert(1)>") {
            shown.push(*name);
        }
    }
    for wanted in ["home", "incident", "briefing", "audit"] {
        assert!(shown.contains(&wanted), "{wanted} shows nothing of it: {shown:?}");
    }
    assert_eq!(window.csp_reports().unwrap(), [""; 0]);
    assert_eq!(window.requests_beyond(&night.house.origin()).unwrap(), []);
    let scripts = window.console().unwrap().into_iter();
    let scripts =
        scripts.filter(|(source, _)| ["javascript", "console-api"].contains(&source.as_str()));
    assert_eq!(scripts.collect::<Vec<_>>(), []);
}

/// The forms of the page that is open.
fn forms(window: &Session) -> Vec<String> {
    let found = window.run(FORMS, &json!([])).unwrap();
    found.as_array().unwrap().iter().map(|action| text(action).to_owned()).collect()
}

/// An open dialog would refuse the question itself.
fn nothing_grew(window: &Session, place: &str) {
    let grown =
        window.run(GROWN, &json!([])).unwrap_or_else(|trouble| panic!("{place}: {trouble}"));
    assert_eq!(grown, Value::Array(Vec::new()), "{place}");
}
