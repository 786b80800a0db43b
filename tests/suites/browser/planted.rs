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

/// Begins a formula (OWASP, CSV injection) and an element, ends an attribute, is a script, leads to one.
const MARKUP: &str = "=cmd|' /C calc'!A0 <img src=x onerror=alert(1)>\"><script>alert(1)</script>javascript:alert(1)";

/// Leads out of a folder, and turns the rest of a line around (Unicode, TR 9).
const TURNED: &str =
    "../../etc/passwd javascript:alert(1)\u{202e}gnp.exe\u{2066}'\"><svg onload=alert(1)>";

/// Parts of them that are read as they were written.
const PLANTED: [&str; 2] = ["<img src=x onerror=alert(1)>", "<svg onload=alert(1)>"];

/// Forms that end the night.
const SPARED: [&str; 2] = ["/close", "/me/passphrase"];

/// Forms that end so much that they are sent when all others were.
const LATE: [&str; 2] = ["/cancel", "/supersede"];

/// Where the forms of a page lead, and what they do there; nowhere, where nothing is typed into one.
const FORMS: &str = "
const typed = 'textarea, input:not([type]), input[type=text], input[type=search], input[type=url]';
const lead = (form) => form.getAttribute('action') + ' ' + (form.elements.act?.value ?? '');
return [...document.querySelectorAll('form[method=post]')]
    .map((form) => form.querySelector(typed) ? lead(form) : '');
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
    else if (['number', 'code', 'place'].includes(field.name)) continue;
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
const place = (one) => one.getAttribute(one.tagName === 'FORM' ? 'action' : 'href');
const places = [...document.querySelectorAll('a[href], form[action]')].map(place);
return [...[...grown].map((one) => one.outerHTML),
    ...places.filter((to) => new URL(to, location).origin !== location.origin)];
";

/// The same in a file that was handed on, which leads to places in itself alone.
const GROWN_AWAY: &str = "
const grown = document.querySelectorAll('img, [onerror], [onload], script:not([type=\"application/json\"])');
const links = [...document.querySelectorAll('a[href]')].map((one) => one.getAttribute('href'));
return [...[...grown].map((one) => one.outerHTML), ...links.filter((to) => !to.startsWith('#'))];
";

#[test]
fn what_is_planted_in_any_field_is_text_wherever_it_is_shown() {
    let night = Night::hearing();
    let window = night.house.window(VERA, &Look { language: "en", ..Look::default() });
    night.house.alerted(&json!({"rule": MARKUP, "host": format!("{TURNED}{MARKUP}")}));
    let path = format!("/api/v1/incidents/{}/evidence", night.word("LIVE"));
    let file = json!({"name": format!("../../{MARKUP}"), "base64": "eA=="});
    night.house.sent(VERA, &path, &file);
    let mut sent = BTreeSet::new();
    for (planted, late) in [(MARKUP, false), (TURNED, false), (MARKUP, true)] {
        for (name, _, path) in PAGES.iter().filter(|(_, by, _)| *by == By::Vera) {
            let url = night.url(path);
            window.go(&url).unwrap();
            for action in &forms(&window) {
                let ends = |those: &[&str]| those.iter().any(|end| leads(action, end));
                let spared = action.is_empty() || ends(&SPARED) || ends(&LATE) != late;
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
    for wanted in [
        "/notes",
        "/assets",
        "/edit",
        "/stop",
        "/incidents/new",
        "/people/add",
        "/mark",
        "/pause",
        "/cancel",
        "/more",
        "/supersede",
        "/playbooks/check",
        "/launch",
    ] {
        assert!(sent.iter().any(|(_, action)| leads(action, wanted)), "{wanted}: {sent:?}");
    }
    let mut shown = Vec::new();
    for (name, _, path) in PAGES.iter().filter(|(_, by, _)| *by == By::Vera) {
        window.go(&night.url(path)).unwrap();
        window.run(OPEN, &json!([])).unwrap();
        nothing_grew(&window, name);
        let said = window.text("main").unwrap();
        if PLANTED.iter().any(|part| said.contains(part)) {
            shown.push(*name);
        }
    }
    for wanted in
        ["home", "incident", "briefing", "audit", "timeline", "table", "story", "report", "run"]
    {
        assert!(shown.contains(&wanted), "{wanted} shows nothing of it: {shown:?}");
    }
    for name in ["LIVE", "PRACTICE"] {
        handed_on(&night, &window, night.word(name));
    }
    assert_eq!(window.csp_reports().unwrap(), [""; 0]);
    assert_eq!(window.requests_beyond(&night.house.origin()).unwrap(), []);
    let scripts = window.console().unwrap().into_iter();
    let scripts =
        scripts.filter(|(source, _)| ["javascript", "console-api"].contains(&source.as_str()));
    assert_eq!(scripts.collect::<Vec<_>>(), []);
}

/// Whether a form leads to an address with this end, whatever it does there.
fn leads(form: &str, end: &str) -> bool {
    form.split(' ').next().is_some_and(|action| action.ends_with(end))
}

/// What is handed on of an incident runs nowhere either: not in a spreadsheet, not in a browser.
fn handed_on(night: &Night, window: &Session, incident: &str) {
    let file = |format: &str| {
        let path = format!("/api/v1/incidents/{incident}/timeline?format={format}");
        night.house.text(VERA, &path)
    };
    let csv = file("csv");
    let cells = cells(&csv);
    assert!(cells.iter().any(|cell| cell.contains("onerror=alert(1)")), "{csv}");
    for cell in cells {
        assert!(!cell.starts_with(['=', '+', '-', '@', '\t', '\r']), "{cell}");
    }
    for (format, ending) in [("html", "html"), ("jsonl", "jsonl"), ("stix", "json"), ("csv", "csv")]
    {
        let text = file(format);
        assert!(!text.contains(['\u{202e}', '\u{2066}']), "{format} turns its reader around");
        night.house.desk.write(&format!("handed.{ending}"), &text);
    }
    for ending in ["html", "jsonl"] {
        night.house.desk.ok(0, &["verify", &format!("handed.{ending}")]);
    }
    window.go(&format!("file://{}", night.house.desk.path("handed.html").display())).unwrap();
    let grown = window.run(GROWN_AWAY, &json!([])).unwrap();
    assert_eq!(grown, Value::Array(Vec::new()), "{incident}");
}

/// The cells of a table as RFC 4180 writes it.
fn cells(csv: &str) -> Vec<String> {
    let (mut cells, mut cell, mut quoted) = (Vec::new(), String::new(), false);
    for sign in csv.replace("\r\n", "\n").chars() {
        match sign {
            '"' => quoted = !quoted,
            ',' | '\n' if !quoted => cells.push(std::mem::take(&mut cell)),
            sign => cell.push(sign),
        }
    }
    cells
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
