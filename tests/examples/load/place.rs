//! A server with a store of its own, and what is asked of it beside the load.

use std::fs;
use std::net::SocketAddr;

use beistand_tests::program::{Call, DEADLINE, Running};
use beistand_tests::tool::wait_for;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::wire::{Way, Wire};

/// At once, as in `beistand bench`.
const RUNS: usize = 64;

/// Steps of each: more than are done while it is measured.
const STEPS: u32 = 20_000;

/// What a run of it does: `beistand bench` has the same.
fn playbook(name: &str, each: &str) -> String {
    format!("playbook: {name}\nlanguage: 1\ntitle: Load\nsteps:\n{each}")
}

const POST: &str = "call: chat.post, with: { room: load, text: load }, on_unknown: repeat";

/// A running server and the person who asks it.
#[derive(Debug)]
pub(crate) struct Place {
    _folder: TempDir,
    running: Running,
    way: Way,
    token: String,
    voter: String,
    watchers: Vec<String>,
    incident: String,
}

impl Place {
    pub(crate) fn new() -> Self {
        Self::watched_by(0)
    }

    /// The same with so many more people who are told of events.
    pub(crate) fn watched_by(watchers: usize) -> Self {
        let folder = TempDir::with_prefix("beistand-load-").expect("a folder");
        let write =
            |name: &str, text: &str| fs::write(folder.path().join(name), text).expect("a file");
        write("words", "a gate, a fence and a river\n");
        write("beistand.yaml", "playbooks: [shelf]\n");
        fs::create_dir(folder.path().join("shelf")).expect("a folder");
        let loop_of = |count: u32, step: &str| {
            format!(
                "  - id: all\n    for_each: {count}\n    steps:\n      - {{ id: one, {step} }}\n"
            )
        };
        write("shelf/quiet.yaml", &playbook("quiet", &loop_of(10, POST)));
        write("shelf/busy.yaml", &playbook("busy", &loop_of(STEPS, POST)));
        let gate = "approve: { role: commander, votes: 1, shows: Go }";
        let gates = "  - id: all\n    for_each: 20\n    max_parallel: 20\n    steps:\n";
        write(
            "shelf/gates.yaml",
            &playbook("gates", &format!("{gates}      - {{ id: one, {gate} }}\n")),
        );
        let call = |words: &[&str]| {
            let call = Call::new(folder.path()).expect("the program").args(words).run();
            call.expect("a call").expect_code(0).expect("a call that ends well").to_owned()
        };
        call(&["user", "add", "root", "--role", "admin", "--new", "words"]);
        let root = ["--as", "root", "--passphrase", "words"];
        let token_of = |name: &str| {
            let add = ["user", "add", name, "--role", "commander", "--new", "words"];
            call(&[&root[..], &add].concat());
            let token = ["--json", "token", "add", name, "--title", "load"];
            let mut words = [&root[..], &token].concat();
            for may in ["read", "note", "open", "launch", "approve", "stop", "observe"] {
                words.extend(["--may", may]);
            }
            let made: Value = serde_json::from_str(&call(&words)).expect("a token");
            made.get("token").and_then(Value::as_str).expect("a token").to_owned()
        };
        // Who asked for something has no vote on it.
        let (token, voter) = (token_of("cleo"), token_of("ben"));
        let watchers = (0..watchers).map(|number| token_of(&format!("watcher-{number}"))).collect();
        let call = Call::new(folder.path()).expect("the program");
        let running = call.args(["serve", "--listen", "127.0.0.1:0"]).start().expect("a server");
        let address: SocketAddr = wait_for("the server", DEADLINE, || {
            let said = running.stderr();
            let line = said.lines().find_map(|line| line.strip_prefix("listening on https://"));
            Ok(line.and_then(|line| line.split(' ').next()?.parse().ok()))
        })
        .expect("a server that listens");
        let pem = fs::read(folder.path().join("beistand.db.tls.pem")).expect("its certificate");
        let mut place = Self {
            way: Way::new(address, &pem),
            _folder: folder,
            running,
            token,
            voter,
            watchers,
            incident: String::new(),
        };
        let opened = place.posted("/api/v1/incidents", &json!({"title": "Load", "mode": "drill"}));
        opened
            .get("incident")
            .and_then(Value::as_str)
            .expect("an incident")
            .clone_into(&mut place.incident);
        place
    }

    pub(crate) fn token(&self) -> &str {
        &self.token
    }

    pub(crate) fn way(&self) -> &Way {
        &self.way
    }

    pub(crate) fn wire(&self) -> Wire {
        Wire::new(&self.way)
    }

    /// A connection of each who watches on which events come.
    pub(crate) fn streams(&self) -> Vec<Wire> {
        let watch = |token: &String| {
            let mut wire = self.wire();
            wire.watch("/api/v1/events", token);
            wire
        };
        self.watchers.iter().map(watch).collect()
    }

    fn posted(&self, path: &str, body: &Value) -> Value {
        let (status, answer) =
            self.wire().ask(("POST", path), &self.token, Some(&body.to_string()));
        assert!((200..300).contains(&status), "{path}: {}", String::from_utf8_lossy(&answer));
        serde_json::from_slice(&answer).expect("JSON")
    }

    fn got(&self, path: &str) -> Value {
        let (status, answer) = self.wire().ask(("GET", path), &self.token, None);
        assert_eq!(status, 200, "{path}: {}", String::from_utf8_lossy(&answer));
        serde_json::from_slice(&answer).expect("JSON")
    }

    fn launched(&self, playbook: &str, number: usize) -> String {
        let wanted = json!({
            "playbook": playbook, "incident": self.incident, "mode": "drill",
            "start_key": format!("{playbook}-{number}"),
        });
        let run = self.posted("/api/v1/runs", &wanted);
        run.get("id").and_then(Value::as_str).expect("a run").to_owned()
    }

    /// Runs of ten steps that have ended.
    pub(crate) fn quiet(&self, count: usize) -> Vec<String> {
        let runs: Vec<String> = (0..count).map(|number| self.launched("quiet", number)).collect();
        for run in &runs {
            let path = format!("/api/v1/runs/{run}");
            let over = || {
                Ok((self.got(&path).get("status").and_then(Value::as_str) == Some("succeeded"))
                    .then_some(()))
            };
            wait_for("a run", DEADLINE, over).expect("a run that ends");
        }
        runs
    }

    /// Runs that go on for longer than it is measured.
    pub(crate) fn busy(&self) {
        for number in 0..RUNS {
            self.launched("busy", number);
        }
    }

    /// Gates that are open: their ids and digests.
    pub(crate) fn gates(&self, count: usize) -> Vec<(String, String)> {
        let run = self.launched("gates", 0);
        let path = format!("/api/v1/needs?run={run}");
        let open = || {
            let needs =
                self.got(&path).get("items").and_then(Value::as_array).cloned().unwrap_or_default();
            Ok((needs.len() == count).then_some(needs))
        };
        let needs = wait_for("the gates", DEADLINE, open).expect("gates that are open");
        let word = |need: &Value, name: &str| {
            need.get(name).and_then(Value::as_str).expect("a word").to_owned()
        };
        needs.iter().map(|need| (word(need, "id"), word(need, "digest"))).collect()
    }

    /// One vote; the answer's status.
    pub(crate) fn vote(&self, need: &str, digest: &str) -> u16 {
        let body = json!({"answer": "approve", "digest": digest}).to_string();
        self.wire().ask(("POST", &format!("/api/v1/needs/{need}")), &self.voter, Some(&body)).0
    }

    /// The stop switch; the answer's status.
    pub(crate) fn stop(&self) -> u16 {
        let body = json!({"reason": "load"}).to_string();
        self.wire().ask(("POST", "/api/v1/stop"), &self.token, Some(&body)).0
    }

    /// Something that all are told of.
    pub(crate) fn note(&self) {
        let path = format!("/api/v1/incidents/{}/notes", self.incident);
        self.posted(&path, &json!({"text": "load"}));
    }

    /// A counter of the server.
    pub(crate) fn counter(&self, name: &str) -> f64 {
        let (_, text) = self.wire().ask(("GET", "/metrics"), &self.token, None);
        let text = String::from_utf8_lossy(&text).into_owned();
        let line = text.lines().find_map(|line| line.strip_prefix(name)?.trim().parse().ok());
        line.expect("a counter")
    }

    /// Memory that the server has now, in KiB.
    pub(crate) fn resident_kib(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.running.id()));
        let status = status.expect("the kernel knows the server");
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kib = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
        kib.expect("a number of KiB")
    }
}
