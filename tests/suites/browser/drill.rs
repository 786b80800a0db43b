//! A shipped playbook as a drill, played to its end by people at their browsers; what was written of it
//! is told, handed on, and proved without a server.

use std::collections::BTreeSet;
use std::fs;
use std::time::Duration;

use beistand_tests::browser::{Browser, Look, Session};
use beistand_tests::tool::now;
use serde_json::{Value, json};

use super::house::{House, VERA};
use crate::desk::{Desk, text};

/// So long for some forty answers of four people who share a small machine with other tests.
const PLAYED_WITHIN: Duration = Duration::from_mins(5);

/// What waits for who looks: where each of it stands.
const MINE: &str = "
const links = document.querySelectorAll('[aria-labelledby=mine-title] .needs > li > a');
return [...links].map((link) => link.getAttribute('href'));
";

/// Fills in what has to be filled in: a yes, the first of a choice, a time, some words.
const FILL: &str = "
const form = document.querySelector('form.answer');
if (!form) return false;
for (const field of form.querySelectorAll('[required]')) {
    if (field.tagName === 'SELECT') field.value = [...field.options].find((one) => one.value).value;
    else if (field.type === 'datetime-local') field.value = new Date().toISOString().slice(0, 16);
    else field.value = 'As it was agreed';
}
return true;
";

/// The messages of a file that was handed on, in order.
const MESSAGES: &str = "
const rows = document.querySelectorAll('tbody tr:not(:has(th))');
return [...rows].map((row) => (row.cells[2].querySelector('del') || row.cells[2].firstChild).textContent);
";

/// Somebody and their window.
type Player<'a> = (&'static str, &'a Session);

struct Drill {
    house: House,
    incident: String,
    run: String,
}

#[test]
fn a_shipped_playbook_is_played_to_its_end_at_browsers_and_what_was_written_proves_itself() {
    let desk = Desk::new();
    let hosts = ["pc-1", "pc-2"].map(|name| format!("{name},,,stadt-a,\n")).concat();
    desk.write("hosts.csv", &format!("name,addresses,macs,organisation,groups\n{hosts}"));
    desk.configure(&json!({"inventory": ["hosts.csv"]}));
    let house = House::of(desk);
    let english = Look { language: "en", ..Look::default() };
    let [cleo, ben, vera, rita] =
        ["cleo", "ben", VERA, "rita"].map(|who| house.window(who, &english));
    granted(&house, &vera, ("ben", "commander"));
    let (incident, run) = launched(&house, &cleo);
    for (role, person) in [("dpo", "cleo"), ("scribe", "rita")] {
        given(&house, &cleo, (&incident, role, person));
    }
    let drill = Drill { house, incident, run };
    let players = [("cleo", &cleo), ("ben", &ben), (VERA, &vera), ("rita", &rita)];
    drill.noted(&ben, "The backup server hums");
    drill.played(&players);
    drill.closed(&cleo);
    drill.marked(&rita);
    for (_, window) in players {
        assert_eq!(window.csp_reports().unwrap(), [""; 0]);
        assert_eq!(window.requests_beyond(&drill.house.origin()).unwrap(), []);
    }
    drill.handed_on(&rita);
}

/// Who keeps the accounts lets somebody else lead, too.
fn granted(house: &House, keeper: &Session, (person, role): (&str, &str)) {
    keeper.go(&house.url("/people")).unwrap();
    keeper.fill("#g-person", person).unwrap();
    choose(keeper, "#g-role", role);
    keeper.click("[aria-labelledby=grant] form button").unwrap();
    keeper.wait_for_text(".done", "The role is given").unwrap();
}

fn choose(window: &Session, css: &str, value: &str) {
    let script = "document.querySelector(arguments[0]).value = arguments[1]";
    window.run(script, &json!([css, value])).unwrap();
}

/// Looked at, and launched: the incident's number, and the address of the run.
fn launched(house: &House, cleo: &Session) -> (String, String) {
    cleo.go(&house.url("/drill/playbooks/ransomware-containment/launch")).unwrap();
    cleo.fill("#title", "Letters of extortion at the registry office").unwrap();
    cleo.fill("[name='in.hosts']", "pc-1\npc-2").unwrap();
    cleo.fill("[name='in.accounts']", "svc-backup").unwrap();
    cleo.click("form.launch-form button").unwrap();
    cleo.wait_for_text("h1", "Before the launch").unwrap();
    let shown = cleo.text("main").unwrap();
    for part in ["network.isolate", "pc-2", "directory.disable_account", "svc-backup"] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    if cleo.count("[name=by_hand_ok]").unwrap() > 0 {
        cleo.click("[name=by_hand_ok]").unwrap();
    }
    cleo.click("button[value=launch]").unwrap();
    cleo.wait_for_text("h1", "Contain ransomware").unwrap();
    let run = cleo.url().unwrap().split('?').next().unwrap().to_owned();
    assert!(run.contains("/drill/runs/"), "{run}");
    let incident = cleo.text(".identity a").unwrap();
    (incident.split(' ').next().unwrap().to_owned(), run)
}

fn given(house: &House, cleo: &Session, (incident, role, person): (&str, &str, &str)) {
    cleo.go(&house.url(&format!("/drill/incidents/{incident}"))).unwrap();
    cleo.click("[aria-labelledby=roles-title] summary").unwrap();
    choose(cleo, "#role", role);
    cleo.fill("#person", person).unwrap();
    cleo.click("form[action$='/roles'] button").unwrap();
    cleo.wait_for_text(".done", "The role is given").unwrap();
}

impl Drill {
    fn url(&self, below: &str) -> String {
        self.house.url(&format!("/drill/incidents/{}{below}", self.incident))
    }

    fn noted(&self, window: &Session, note: &str) {
        window.go(&self.url("")).unwrap();
        window.fill("form[action$='/notes'] textarea", note).unwrap();
        window.click("form[action$='/notes'] button").unwrap();
        window.wait_for_text(".lines", note).unwrap();
    }

    /// Everybody answers what waits for them, until nothing does and the run has ended.
    fn played(&self, players: &[Player<'_>]) {
        let begun = now();
        let mut answered = BTreeSet::new();
        loop {
            for player in players {
                // One answer leads to the next question.
                while self.turn(*player, &mut answered) {}
            }
            players[0].1.go(&self.run).unwrap();
            let stands = players[0].1.text(".identity").unwrap();
            if stands.contains("succeeded") {
                break;
            }
            assert!(begun.elapsed() < PLAYED_WITHIN, "{stands}: {answered:#?}");
        }
        assert!(answered.len() > 25, "{answered:#?}");
    }

    /// Somebody answers what waits for them; whether anything did.
    fn turn(&self, (who, window): Player<'_>, answered: &mut BTreeSet<(String, String)>) -> bool {
        window.go(&self.house.url("/")).unwrap();
        let mine = window.run(MINE, &json!([])).unwrap();
        let before = answered.len();
        for need in mine.as_array().unwrap() {
            let answer = (who.to_owned(), text(need).to_owned());
            // What others vote on, too, stands there until they have.
            if !answered.contains(&answer) && self.answered(window, text(need)) {
                answered.insert(answer);
            }
        }
        answered.len() > before
    }

    /// Whether somebody could answer a need.
    fn answered(&self, window: &Session, need: &str) -> bool {
        window.go(&self.house.url(need)).unwrap();
        if window.run(FILL, &json!([])).unwrap() != json!(true) {
            return false;
        }
        window.click("form.answer button").unwrap();
        window.wait_for_text(".done", "Your answer is written down").unwrap_or_else(|trouble| {
            panic!("{need}: {trouble}: {}", window.text("main").unwrap())
        });
        true
    }

    fn closed(&self, cleo: &Session) {
        cleo.go(&self.url("")).unwrap();
        cleo.run(
            "document.querySelector('form[action$=\"/close\"]').parentElement.open = true",
            &json!([]),
        )
        .unwrap();
        cleo.fill("#close-reason", "It was a drill").unwrap();
        cleo.click("form[action$='/close'] button").unwrap();
        cleo.wait_for_text(".done", "The incident is closed").unwrap();
    }

    /// A line is starred, corrected and told.
    fn marked(&self, rita: &Session) {
        let table = self.url("/timeline?view=table&q=hums");
        rita.go(&table).unwrap();
        rita.click("button.star").unwrap();
        rita.wait_for_text(".done", "Marked").unwrap();
        rita.go(&table).unwrap();
        assert_eq!(rita.count("button.star[aria-pressed=true]").unwrap(), 1);
        rita.run(INTO_SIGHT, &json!([])).unwrap();
        rita.click("td .acts a").unwrap();
        rita.fill("#t-title", "What was heard").unwrap();
        rita.fill("#t-text", "It hummed until noon").unwrap();
        rita.click("[aria-labelledby=tell] form button").unwrap();
        rita.wait_for_text(".done", "Marked").unwrap();
        rita.go(&table).unwrap();
        rita.run(INTO_SIGHT, &json!([])).unwrap();
        rita.click("td .acts a").unwrap();
        rita.fill("#text", "The mail server hums").unwrap();
        rita.fill("#reason", "It stood beside it").unwrap();
        rita.click("[aria-labelledby=correct] form button").unwrap();
        rita.wait_for_text(".done", "Marked").unwrap();
        rita.go(&self.url("/timeline?view=story")).unwrap();
        rita.wait_for_text(".story", "It hummed until noon").unwrap();
        let story = rita.text(".story").unwrap();
        assert_eq!(
            rita.count(".story s").unwrap(),
            1,
            "what was corrected is struck through: {story}"
        );
    }

    /// What is saved from the page opens without a server, says what the command line says, and proves
    /// itself until a byte of it is another one.
    fn handed_on(self, rita: &Session) {
        let saved = ["html", "jsonl"].map(|format| {
            rita.go(&self.url("/timeline")).unwrap();
            let open = "document.querySelector('#format').closest('details').open = true";
            rita.run(open, &json!([])).unwrap();
            choose(rita, "#format", format);
            let (name, bytes) = rita.download("form[action*='/api/'] button").unwrap();
            assert!(name.ends_with(&format!(".{format}")), "{name}");
            (format, bytes)
        });
        let told = self.house.desk.json(&["timeline", &self.incident]);
        let told: Vec<&str> =
            told.as_array().unwrap().iter().map(|line| text(&line["message"])).collect();
        let away = Desk::new();
        for (format, bytes) in &saved {
            let name = format!("night.{format}");
            fs::write(away.path(&name), bytes).unwrap();
            let proved = away.json(&["verify", &name]);
            assert!(proved["entries"].as_u64() > Some(40), "{proved}");
            let mut changed = bytes.clone();
            let at = position(bytes, b"The backup server hums").unwrap();
            changed[at] = b't';
            fs::write(away.path("changed"), changed).unwrap();
            let refused = away.done(&["verify", "changed"]);
            assert_eq!(refused.code(), 10, "{format}: {}", refused.stderr);
        }
        let place = format!("file://{}", away.path("night.html").display());
        let (_house, shown) = self.house.while_dead(|| opened(&place));
        assert_eq!(shown, told);
    }
}

fn position(bytes: &[u8], part: &[u8]) -> Option<usize> {
    bytes.windows(part.len()).position(|window| window == part)
}

/// A driver scrolls no further than it must, and then what stays at the top lies over what it clicks.
const INTO_SIGHT: &str =
    "document.querySelector('td .acts a').scrollIntoView({ block: 'center' });";

/// The messages of a file, in a browser that nothing was shown before.
fn opened(place: &str) -> Vec<String> {
    let window =
        Browser::start().unwrap().open(&Look { language: "en", ..Look::default() }).unwrap();
    window.go(place).unwrap();
    let shown: Value = window.run(MESSAGES, &json!([])).unwrap();
    assert_eq!(window.requests().unwrap(), [], "it asks nobody");
    assert_eq!(window.csp_reports().unwrap(), [""; 0]);
    shown.as_array().unwrap().iter().map(|one| text(one).trim().to_owned()).collect()
}
