//! Two towns with accounts, incidents and runs behind a real server: what the walks go through.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt as _;

use beistand_core::access::Permission;
use beistand_tests::program::{DEADLINE, Ended};
use beistand_tests::tool::wait_for;
use serde_json::{Value, json};

use super::client::{Answer, Client};
use super::{Served, serve};
use crate::desk::{Desk, text};
pub(super) use crate::staff::WORDS;
use crate::staff::{Staff, Token};

/// The organisations.
pub(super) const HERE: &str = "stadt-a";
pub(super) const THERE: &str = "kreis-b";

/// Stands in every value that is the other organisation's, and is the name of its host.
pub(super) const CANARY: &str = "kanarie-7f3a";

/// What the alerts of the other organisation are signed with.
pub(crate) const ALERTS: &str = "a secret of at least thirty-two bytes";

/// Waits for everything that can be waited for, and touches nothing.
const HALL: &str = "playbook: hall
language: 1
title: The town hall waits
inputs:
  hosts: { type: array, items: { type: string, format: host } }
steps:
  - id: both
    parallel:
      vote:
        - { id: gate, approve: { role: approver, votes: 3, shows: Go } }
      come:
        - { id: called, wait: { signal: go, role: responder } }
      work:
        - id: each
          for_each: inputs.hosts
          as: host
          steps:
            - { id: look, task: { role: responder, instructions: \"Look at ${host}\" } }
";

/// A server with accounts; what they may do is each test's affair.
pub(super) struct Town {
    pub(super) desk: Desk,
    pub(super) served: Served,
    /// May keep the accounts.
    root: String,
    /// Leads everywhere.
    pub(super) leads: String,
}

/// An incident and a run of it that waits.
#[derive(Debug, Clone)]
pub(super) struct Place {
    pub(super) incident: String,
    pub(super) run: String,
    /// The gate that is open: its id and digest.
    pub(super) gate: (String, String),
    /// The SHA-256 of its evidence.
    pub(super) evidence: String,
    /// The first line of its timeline.
    pub(super) line: String,
}

impl Town {
    /// A town with `root`, who keeps the accounts, and `cleo`, who leads everywhere. `more` is added
    /// to its configuration, `playbooks` to its shelf.
    pub(super) fn new(more: &Value, playbooks: &BTreeMap<&str, &str>) -> Self {
        let desk = Desk::new();
        let hosts = [("pc-a1", HERE), ("pc-a2", HERE), ("pc-b1", THERE), (CANARY, THERE)];
        let hosts = hosts.map(|(name, whose)| format!("{name},,,{whose},\n")).concat();
        desk.write("hosts.csv", &format!("name,addresses,macs,organisation,groups\n{hosts}"));
        std::fs::create_dir(desk.path("shelf")).unwrap();
        for (name, text) in playbooks.iter().chain([(&"hall", &HALL)]) {
            desk.write(&format!("shelf/{name}.yaml"), text);
        }
        desk.write("siem.key", ALERTS);
        let owner = std::fs::Permissions::from_mode(0o600);
        std::fs::set_permissions(desk.path("siem.key"), owner).unwrap();
        let siem = json!({
            "secret": {"file": desk.path("siem.key")}, "organisation": THERE,
            "title": "{/rule} on {/host}", "assets": [{"kind": "host", "value": "/host"}],
        });
        let mut config = json!({
            "inventory": ["hosts.csv"], "playbooks": ["shelf"], "hooks": {"siem": siem},
        });
        config.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        desk.configure(&config);
        let root = Staff::of(&desk).token(&desk, "root", &["manage"]).token;
        // It says all that it ever says, so that what it says can be looked at.
        let served = serve(&desk, &["--plain", "-vv"]);
        let mut town = Self { desk, served, root, leads: String::new() };
        town.leads = town.account("cleo", &["--role", "commander"]).token;
        town
    }

    pub(super) fn client(&self) -> &Client {
        &self.served.client
    }

    /// A call by the owner of a token.
    pub(super) fn by(&self, token: &str, words: &[&str]) -> Ended {
        self.desk.call(words).env("BEISTAND_TOKEN", token).run().unwrap()
    }

    /// A call by who keeps the accounts, which must end well.
    pub(super) fn as_root(&self, words: &[&str]) -> Value {
        self.by(&self.root, &[words, &["--json"]].concat()).json(0).unwrap()
    }

    /// An account of this name, made with these words, and a token of it that may everything.
    pub(super) fn account(&self, name: &str, words: &[&str]) -> Token {
        let made = [&["user", "add", name, "--new", "words"][..], words].concat();
        self.as_root(&made);
        self.token(name, &[])
    }

    /// One more token of an account.
    pub(super) fn token(&self, account: &str, words: &[&str]) -> Token {
        let mut all = vec!["token", "add", account, "--title", "walk"];
        all.extend(Permission::ALL.iter().flat_map(|one| ["--may", one.as_str()]));
        let made = self.as_root(&[&all[..], words].concat());
        Token { id: text(&made["id"]).to_owned(), token: text(&made["token"]).to_owned() }
    }

    /// The cookie of a session that begins now.
    pub(super) fn cookie(&self, account: &str) -> String {
        let body = json!({"account": account, "passphrase": WORDS}).to_string();
        let answer = self.client().send("POST", "/api/v1/session", None, Some(&body));
        assert_eq!(answer.status, 200, "{answer:?}");
        let set = answer.header("set-cookie").unwrap();
        set.split(';').next().unwrap().to_owned()
    }

    /// What somebody is answered, which must be in order.
    pub(super) fn got(&self, path: &str, token: &str) -> Value {
        let answer = self.client().get(path, Some(token));
        assert_eq!(answer.status, 200, "{path}: {answer:?}");
        answer.json()
    }

    /// What the commander does, which must succeed.
    pub(super) fn led(&self, path: &str, body: &Value) -> Value {
        let answer = self.client().post(path, &self.leads, body);
        assert!((200..300).contains(&answer.status), "{path} {body}: {answer:?}");
        answer.json()
    }

    /// An incident of one organisation.
    pub(super) fn incident(&self, body: &Value, organisations: &[&str]) -> String {
        let id = text(&self.led("/api/v1/incidents", body)["incident"]).to_owned();
        for organisation in organisations {
            let ended = self.by(&self.leads, &["incident", "link", &id, organisation]);
            ended.expect_code(0).unwrap();
        }
        id
    }

    /// An incident of an organisation with a run that waits, and evidence.
    pub(super) fn place(&self, organisation: &str, hosts: &[&str]) -> Place {
        let incident = self.incident(&json!({"title": "The hall is dark"}), &[organisation]);
        let evidence = json!({"name": "dump.raw", "base64": "ZHVtcA=="});
        self.led(&format!("/api/v1/incidents/{incident}/evidence"), &evidence);
        let kept = self.got(&format!("/api/v1/incidents/{incident}"), &self.leads);
        let digest = text(&kept["evidence"][0]["digest"]);
        let evidence = digest.trim_start_matches("sha256:").to_owned();
        let inputs = json!({"hosts": hosts});
        let key = format!("hall-{incident}");
        let wanted = json!({
            "playbook": "hall", "inputs": inputs, "incident": incident, "start_key": key,
        });
        let run = text(&self.led("/api/v1/runs", &wanted)["id"]).to_owned();
        let gate = self.need(&run, "approval");
        let gate = (text(&gate["id"]).to_owned(), text(&gate["digest"]).to_owned());
        let told = self.got(&format!("/api/v1/incidents/{incident}/timeline"), &self.leads);
        let line = text(&told["items"][0]["line"]).to_owned();
        Place { incident, run, gate, evidence, line }
    }

    /// The first open need of this kind of a run, as soon as there is one.
    pub(super) fn need(&self, run: &str, kind: &str) -> Value {
        wait_for("a need", DEADLINE, || {
            let needs = self.got(&format!("/api/v1/needs?run={run}"), &self.leads);
            let needs = needs["items"].as_array().unwrap().clone();
            Ok(needs.into_iter().find(|need| need["kind"] == kind))
        })
        .unwrap()
    }

    /// How far everything has come but the store's own stream, in which refusals stand.
    pub(super) fn journal(&self) -> String {
        let file = self.desk.path("beistand.db").display().to_string();
        let rows = "select kind, id, seq from stream where kind <> 'store' order by 1, 2;
                    select stopped_at from meta; select count(*) from credential;
                    select count(*) from access_grant; select count(*) from account";
        beistand_tests::tool::call("sqlite3", &["-readonly", &file, rows]).unwrap()
    }
}

/// Whether an answer says that somebody may not: everything but the wish for a proof of a moment ago,
/// which only who may is asked for.
pub(super) fn is_refused(answer: &Answer) -> bool {
    let again = "urn:beistand:problem:prove-again";
    matches!(answer.status, 401 | 403) && !answer.body.contains(again)
}
