//! A night at the house: an incident in which much waits, a drill with hosts that are cut off, and one
//! person at the browser who may everything.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use beistand_tests::smtp::{Fate, MailPlan, MailServer, Security};
use serde_json::{Value, json};

use super::house::{House, VERA};
use crate::desk::{Desk, text};
use crate::server::ALERTS;

/// Waits for votes, for somebody who looks, for somebody who decides what became of a step, for word from
/// outside, and for somebody who knows whether a mail came.
const WATCH: &str = "playbook: watch
language: 1
title: The town hall is watched
inputs:
  hosts: { type: array, items: { type: string, format: host } }
steps:
  - id: both
    parallel:
      vote:
        - { id: gate, title: May it go on, approve: { role: approver, votes: 2, shows: Go }, within: 2h }
      work:
        - id: each
          for_each: inputs.hosts
          as: host
          steps:
            - id: look
              title: Look at a host
              task:
                role: responder
                instructions: \"Look at ${host}\"
                form:
                  seen: { type: string, title: What you saw }
                  clean: { type: boolean, title: It is clean }
                  since: { type: string, format: date-time, optional: true, title: Since }
      fault:
        - { id: odd, title: Was it the heating, when: 'parse_json(\"7\")', note: Never said }
      rest:
        - { id: clear, title: The all clear, wait: { signal: all_clear } }
      tell:
        - { id: tell, title: Tell the town, call: mail.send, with: { to: [town@example.org], subject: Smoke, text: Call us } }
";

/// Cuts hosts off, and asks before it does more.
const CUT: &str = "playbook: cut
language: 1
title: Hosts are cut off
inputs:
  hosts: { type: array, items: { type: string, format: host } }
steps:
  - id: contain
    for_each: inputs.hosts
    as: host
    steps:
      - { id: off, call: network.isolate, with: { host: \"${host}\", reason: It spreads } }
  - { id: gate, approve: { role: approver, votes: 2 } }
  - { id: more, call: network.isolate, with: { host: pc-3, reason: It spreads } }
";

/// What there is to look at.
pub(super) struct Night {
    pub(super) house: House,
    /// Words of paths and what they stand for.
    words: Vec<(&'static str, String)>,
    /// Took a mail and did not say so.
    mails: MailServer,
}

impl Night {
    /// Everything has begun, and waits.
    pub(super) fn new() -> Self {
        Self::with(&json!({}))
    }

    /// The same in a house that hears a monitoring system.
    pub(super) fn hearing() -> Self {
        let title = "{/rule} on {/host}";
        let asset = json!({"kind": "host", "value": "/host"});
        Self::with(&json!({"hooks": {"siem": {
            "secret": {"file": "siem.key"}, "organisation": "stadt-a", "title": title, "assets": [asset],
        }}}))
    }

    fn with(more: &Value) -> Self {
        let desk = Desk::new();
        let hosts = ["pc-1", "pc-2", "pc-3"].map(|name| format!("{name},,,stadt-a,\n")).concat();
        desk.write("hosts.csv", &format!("name,addresses,macs,organisation,groups\n{hosts}"));
        fs::create_dir(desk.path("shelf")).unwrap();
        desk.write("shelf/watch.yaml", WATCH);
        desk.write("shelf/cut.yaml", CUT);
        desk.write("siem.key", ALERTS);
        let owner = fs::Permissions::from_mode(0o600);
        fs::set_permissions(desk.path("siem.key"), owner).unwrap();
        let mails = MailPlan::new(Security::Clear).start().unwrap();
        mails.plan(&[Fate::Drop]).unwrap();
        let (host, port) = (mails.address().ip().to_string(), mails.address().port());
        let relay = json!({
            "kind": "smtp", "host": host, "port": port, "tls": "none", "from": "night@example.org",
        });
        let mut config = json!({
            "inventory": ["hosts.csv"], "playbooks": ["shelf"], "connectors": {"relay": relay},
        });
        config.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        desk.configure(&config);
        Self::of(House::of(desk), mails)
    }

    fn of(house: House, mails: MailServer) -> Self {
        let opened = |title: &str, mode: &str| {
            let body = json!({"title": title, "mode": mode});
            text(&house.sent(VERA, "/api/v1/incidents", &body)["incident"]).to_owned()
        };
        let (live, drill) =
            (opened("Smoke over the town hall", "live"), opened("A drill", "drill"));
        let begun = |incident: &str, playbook: &str, mode: &str| {
            let body = json!({
                "playbook": playbook, "inputs": {"hosts": ["pc-1", "pc-2"]}, "incident": incident,
                "mode": mode, "start_key": playbook,
            });
            text(&house.sent(VERA, "/api/v1/runs", &body)["id"]).to_owned()
        };
        let (watch, cut) = (begun(&live, "watch", "live"), begun(&drill, "cut", "drill"));
        let (note, drilled) = (noted(&house, &live), noted(&house, &drill));
        let path = |what: &str| format!("/api/v1/incidents/{live}/{what}");
        let told = json!({"line": note, "title": "Help", "text": "They came within minutes"});
        house.sent(VERA, &path("story"), &told);
        house.sent(VERA, &path("evidence"), &json!({"name": "dump.raw", "base64": "ZHVtcA=="}));
        let assets = json!({"kind": "host", "values": ["pc-1"], "state": "affected"});
        house.sent(VERA, &path("assets"), &assets);
        house.sent(VERA, &path("roles"), &json!({"role": "commander", "person": "cleo"}));
        let need = |run: &str, kind: &str| text(&house.need(run, kind)["id"]).to_owned();
        let words = vec![
            ("VOTE", need(&watch, "approval")),
            ("TASK", need(&watch, "task")),
            ("DECISION", need(&watch, "decision")),
            ("UNKNOWN", need(&watch, "unknown")),
            ("GATE", need(&cut, "approval")),
            ("STEP", text(&house.need(&watch, "task")["step"]).to_owned()),
            ("LIVE", live),
            ("PRACTICE", drill),
            ("LINE", note),
            ("SCENE", drilled),
            ("RUN", watch),
            ("CUT", cut),
        ];
        Self { house, words, mails }
    }

    /// The server is killed meanwhile, and is back after it.
    pub(super) fn while_dead<T>(self, meanwhile: impl FnOnce() -> T) -> (Self, T) {
        let Self { house, words, mails } = self;
        let (house, seen) = house.while_dead(meanwhile);
        (Self { house, words, mails }, seen)
    }

    /// The address of a page, its words in capitals filled in.
    pub(super) fn url(&self, path: &str) -> String {
        let fill = |path: String, (word, value): &(&str, String)| path.replace(word, value);
        self.house.url(&self.words.iter().fold(path.to_owned(), fill))
    }

    /// What a word stands for.
    pub(super) fn word(&self, word: &str) -> &str {
        let (_, value) = self.words.iter().find(|(own, _)| *own == word).unwrap();
        value
    }
}

/// Notes something in an incident; the line that tells of it.
fn noted(house: &House, incident: &str) -> String {
    let said = "The fire brigade is here";
    house.sent(VERA, &format!("/api/v1/incidents/{incident}/notes"), &json!({"text": said}));
    let lines = house.got(VERA, &format!("/api/v1/incidents/{incident}/timeline"));
    let mut lines = lines["items"].as_array().unwrap().iter();
    let told = lines.find(|line| text(&line["message"]).contains(said)).unwrap();
    text(&told["line"]).to_owned()
}
