//! Where the drill is played: a house with people, and a mail server that is the world outside.

use std::collections::BTreeSet;
use std::fs;

use beistand_tests::smtp::{MailPlan, MailServer, Security};
use beistand_tests::tool::{PATIENCE, now};
use serde_json::{Value, json};

use super::super::house::House;
use super::script;
use crate::desk::{Desk, text};

/// Where a drill's mail goes, whoever it is for.
const ALL_MAIL: &str = "uebung@example.org";
/// What the monitoring signs its alerts with.
pub(super) const SIGNS: &str = "a secret of at least thirty-two bytes";

/// One act as the timeline must have it: what, who, how it was proved, by which account where that
/// has another name, and who typed it in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Told {
    pub(super) kind: String,
    pub(super) person: String,
    pub(super) proof: String,
    pub(super) account: Option<String>,
    pub(super) through: Option<String>,
}

/// What the acts find out for those after them.
#[derive(Debug, Default)]
pub(super) struct Facts {
    pub(super) incident: String,
    pub(super) run: String,
    /// The run of the corrected playbook.
    pub(super) next: String,
    /// The run for more hosts.
    pub(super) more: String,
    /// The gate that is open.
    pub(super) gate: Value,
    /// The digest of the briefing that command is offered with.
    pub(super) briefing: String,
}

/// The place, and what was done there so far.
pub(super) struct Stage {
    pub(super) house: House,
    pub(super) mails: MailServer,
    pub(super) facts: Facts,
    pub(super) told: Vec<Told>,
}

impl Stage {
    pub(super) fn new() -> Self {
        let desk = Desk::new();
        let mails = MailPlan::new(Security::Clear).start().unwrap();
        fs::write(desk.path("signs"), SIGNS).unwrap();
        fs::create_dir(desk.path("playbooks")).unwrap();
        desk.write("playbooks/contain.yaml", script::CONTAIN);
        desk.write("corrected.yaml", &script::corrected());
        desk.configure(&configuration(&desk, &mails));
        let house = House::of(desk);
        Self { house, mails, facts: Facts::default(), told: Vec::new() }
    }

    /// What the timeline must say from now on.
    pub(super) fn did(&mut self, kind: &str, person: &str, proof: &str) -> &mut Told {
        let (kind, person) = (kind.to_owned(), person.to_owned());
        let proof = proof.to_owned();
        self.told.push(Told { kind, person, proof, account: None, through: None });
        self.told.last_mut().expect("it was told just now")
    }

    /// Waits until a run stands like this, with nothing going on and nothing unknown; one that waits
    /// does so for the all clear. What became unknown because the server died is settled by who
    /// looks into the mail.
    pub(super) fn rest(&mut self, run: &str, status: &str) -> Value {
        let path = format!("/api/v1/runs/{run}");
        let begun = now();
        loop {
            let shown = self.house.get("cleo", &path);
            let needs = shown["needs"].as_array().unwrap();
            if let Some(need) = needs.iter().find(|need| need["kind"] == "unknown").cloned() {
                assert!(self.house.deaths > 0, "nobody died: {shown:#}");
                self.settle(&need);
            } else if shown["status"] == status && (status != "waiting" || is_quiet(&shown)) {
                return shown;
            }
            assert!(begun.elapsed() < PATIENCE, "not {status}: {shown:#}");
        }
    }

    /// Says of a mail nobody knows about what the one who gets it says.
    pub(super) fn settle(&mut self, need: &Value) -> &'static str {
        let step = text(&need["step"]);
        let subject = script::subject(step, text(&need["run"]) == self.facts.more);
        let came = self.mails.mails().unwrap().iter().any(|mail| mail.subject.contains(subject));
        let answer = if came { "done" } else { "not-done" };
        let body = json!({"answer": answer, "reason": "they were asked", "digest": need["digest"]});
        let path = format!("/api/v1/needs/{}", text(&need["id"]));
        self.house.does("cleo", &path, &body, 200);
        self.did("need-answered", "cleo", "passphrase");
        answer
    }

    /// The targets that are held, each with the run that holds it.
    pub(super) fn held(&mut self) -> BTreeSet<(String, String)> {
        let holds = self.house.get("cleo", "/api/v1/holds")["items"].take();
        let holds = holds.as_array().unwrap().iter();
        holds
            .map(|hold| (text(&hold["target"]).to_owned(), text(&hold["run"]).to_owned()))
            .collect()
    }
}

/// Whether a run waits for its signal, and for nothing before that.
fn is_quiet(shown: &Value) -> bool {
    let waits = shown["waits"].as_array().unwrap();
    waits.len() == 1 && waits[0]["for"] == "signal"
}

fn configuration(desk: &Desk, mails: &MailServer) -> Value {
    let address = mails.address();
    json!({
        "playbooks": [desk.path("playbooks")],
        "connectors": { "relay": {
            "kind": "smtp", "host": address.ip().to_string(), "port": address.port(),
            "tls": "none", "from": "krisenstab@example.org",
        } },
        "drill": { "relay": { "only_to": ALL_MAIL } },
        "hooks": { "siem": {
            "secret": { "file": desk.path("signs") }, "title": "{/rule} on {/host}",
            "mode": "drill", "key": "/key", "playbook": "contain", "inputs": { "hosts": "/host" },
            "assets": [{ "kind": "host", "value": "/host" }],
        } },
    })
}
