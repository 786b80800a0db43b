//! A night at the house: an incident in which much waits, a drill with hosts that are cut off, and one
//! person at the browser who may everything.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use serde_json::{Value, json};

use super::house::{House, VERA};
use crate::desk::{Desk, text};
use crate::server::ALERTS;

/// Waits for votes, and for somebody who looks.
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
        let mut config = json!({"inventory": ["hosts.csv"], "playbooks": ["shelf"]});
        config.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        desk.configure(&config);
        Self::of(House::of(desk))
    }

    fn of(house: House) -> Self {
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
        let path = |what: &str| format!("/api/v1/incidents/{live}/{what}");
        house.sent(VERA, &path("notes"), &json!({"text": "The fire brigade is here"}));
        house.sent(VERA, &path("evidence"), &json!({"name": "dump.raw", "base64": "ZHVtcA=="}));
        let assets = json!({"kind": "host", "values": ["pc-1"], "state": "affected"});
        house.sent(VERA, &path("assets"), &assets);
        house.sent(VERA, &path("roles"), &json!({"role": "commander", "person": "cleo"}));
        let gate = |run: &str| text(&house.need(run, "approval")["id"]).to_owned();
        let task = text(&house.need(&watch, "task")["id"]).to_owned();
        let words = vec![
            ("LIVE", live),
            ("PRACTICE", drill),
            ("VOTE", gate(&watch)),
            ("TASK", task),
            ("GATE", gate(&cut)),
            ("RUN", watch),
            ("CUT", cut),
        ];
        Self { house, words }
    }

    /// The server is killed meanwhile, and is back after it.
    pub(super) fn while_dead<T>(self, meanwhile: impl FnOnce() -> T) -> (Self, T) {
        let Self { house, words } = self;
        let (house, seen) = house.while_dead(meanwhile);
        (Self { house, words }, seen)
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
