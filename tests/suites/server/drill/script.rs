//! The drill as a list of acts: each of them is asked for in a way that can be asked again.

use beistand_core::model::digest_of_bytes;
use beistand_runtime::{Clock as _, WallClock};
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value, json};
use sha2::Sha256;

use super::super::house::MACHINE;
use super::stage::{SIGNS, Stage};
use crate::desk::text;

/// One act.
pub(super) struct Act {
    pub(super) name: &'static str,
    pub(super) play: fn(&mut Stage),
    /// Whether it may be asked for again without being done twice.
    pub(super) again: bool,
}

const fn act(name: &'static str, play: fn(&mut Stage)) -> Act {
    Act { name, play, again: true }
}

/// All of them, in their order.
pub(super) const ACTS: &[Act] = &[
    act("an alert opens the incident", alert),
    act("cleo takes command", take_command),
    act("cleo launches", launch),
    act("neither a machine nor who asked says yes", nobody_votes),
    act("ben votes", ben_votes),
    act("a late look and a second vote do not count", stale_votes),
    act("dora votes by her other account", dora_votes),
    act("cleo decides what nobody knows", decide),
    act("cleo offers command", offer),
    act("dora accepts it", accept),
    act("dora supersedes", supersede),
    act("cleo asks for more hosts", more),
    act("ben votes for more", ben_votes_for_more),
    act("cleo stops everything", stop),
    act("dora votes while all stands still", dora_votes_for_more),
    act("dora lets it go on", go_on),
    Act { name: "cleo types in what ben wrote", play: paper, again: false },
    act("the machine gives the all clear", all_clear),
    act("dora closes", close),
];

/// What is launched first.
pub(super) const CONTAIN: &str = "playbook: contain
language: 1
title: Contain
inputs:
  hosts: { type: array, items: { type: string, format: host } }
steps:
  - id: contain
    title: Cut off
    for_each: inputs.hosts
    as: host
    approval: { role: approver, votes: 2 }
    steps:
      - id: cut
        call: network.isolate
        with: { host: \"${host}\" }
  - id: tell
    title: Tell the town
    call: mail.send
    with: { to: [town@example.org], subject: \"Cut off since now: ${inputs.hosts[0]}\", text: Call us }
  - id: stay
    title: Wait for the all clear
    wait: { signal: all_clear }
";

/// The same with what was forgotten: a report.
pub(super) fn corrected() -> String {
    let report = "  - id: report
    title: Report
    call: mail.send
    with: { to: [office@example.org], subject: \"Report on ${inputs.hosts[0]}\", text: So far }
  - id: stay
";
    CONTAIN.replace("  - id: stay\n", report)
}

/// What is said in the subject of the mail of a step.
pub(super) fn subject(step: &str, more: bool) -> &'static str {
    match (step, more) {
        ("tell", false) => "Cut off since now: pc-1",
        ("tell", true) => "Cut off since now: pc-7",
        ("report", false) => "Report on pc-1",
        ("report", true) => "Report on pc-7",
        _ => panic!("no mail is sent at {step}"),
    }
}

fn alert(stage: &mut Stage) {
    let body = json!({"rule": "Beacon", "host": "pc-1", "key": "night"});
    let at = WallClock.now().get() / 1_000;
    let mut mac = Hmac::<Sha256>::new_from_slice(SIGNS.as_bytes()).unwrap();
    mac.update(format!("v1:{at}:{body}").as_bytes());
    let signature = hex::encode(mac.finalize().into_bytes());
    let head = format!("Beistand-Timestamp: {at}\r\nBeistand-Signature: v1={signature}\r\n");
    let taken = stage.house.ask_with("POST", "/api/v1/hooks/siem", &body, |_| head.clone());
    assert_eq!(taken.status, 200, "{taken:?}");
    let taken = taken.json();
    assert!(stage.house.again || taken["opened"] == true, "{taken}");
    text(&taken["incident"]).clone_into(&mut stage.facts.incident);
    for kind in ["incident-opened", "note-added", "asset-changed", "playbook-proposed"] {
        stage.did(kind, "hook-siem", "machine");
    }
}

fn take_command(stage: &mut Stage) {
    let incident = stage.facts.incident.clone();
    stage.house.types("cleo", &["incident", "assign", &incident, "commander", "cleo"]);
    stage.did("role-assigned", "cleo", "passphrase");
}

fn launch(stage: &mut Stage) {
    let body = json!({
        "playbook": "contain", "inputs": {"hosts": ["pc-1", "pc-2"]}, "mode": "drill",
        "incident": stage.facts.incident, "start_key": "night",
    });
    let launched = stage.house.does("cleo", "/api/v1/runs", &body, 201).json();
    text(&launched["id"]).clone_into(&mut stage.facts.run);
    stage.did("run-opened", "cleo", "passphrase");
    let same = stage.house.ask("cleo", "POST", "/api/v1/runs", &body);
    assert_eq!((same.status, &same.json()["id"]), (200, &launched["id"]));
    stage.facts.gate = stage.house.gate(&stage.facts.run);
}

/// A yes to the gate that is open.
fn yes(gate: &Value) -> (String, Value) {
    let path = format!("/api/v1/needs/{}", text(&gate["id"]));
    (path, json!({"answer": "approve", "reason": "I looked at it", "digest": gate["digest"]}))
}

fn nobody_votes(stage: &mut Stage) {
    let (path, body) = yes(&stage.facts.gate);
    for who in [MACHINE, "cleo"] {
        let refused = stage.house.ask(who, "POST", &path, &body);
        assert_eq!(refused.status, 403, "{who}: {refused:?}");
    }
    let (run, gate) = (stage.facts.run.clone(), stage.facts.gate.clone());
    assert_eq!(stage.house.gate(&run), gate, "nothing was counted");
    assert_eq!((&gate["votes"], &gate["votes_needed"]), (&json!(0), &json!(2)));
}

fn ben_votes(stage: &mut Stage) {
    let (path, body) = yes(&stage.facts.gate);
    let counted = stage.house.does("ben", &path, &body, 200);
    if !stage.house.again {
        assert_eq!(counted.json(), json!({"reply": "voted", "votes": 1, "needed": 2}));
    }
    stage.did("voted", "ben", "passphrase");
}

fn stale_votes(stage: &mut Stage) {
    let (path, body) = yes(&stage.facts.gate);
    assert_eq!(stage.house.ask("ben", "POST", &path, &body).status, 409, "one person is one vote");
    let mut other = body;
    other["digest"] = json!(digest_of_bytes(b"something else"));
    assert_eq!(stage.house.ask("dora", "POST", &path, &other).status, 409);
    let run = stage.facts.run.clone();
    assert_eq!(stage.house.gate(&run)["votes"], 1);
}

fn dora_votes(stage: &mut Stage) {
    use beistand_tests::smtp::Fate;
    // The town gets its mail, and the relay says nothing any more.
    stage.mails.plan(&[Fate::Drop]).unwrap();
    let (need, digest) =
        (text(&stage.facts.gate["id"]).to_owned(), text(&stage.facts.gate["digest"]).to_owned());
    stage.house.types("dora.duty", &["approve", &need, "--digest", &digest]);
    stage.did("voted", "dora", "passphrase").account = Some("dora.duty".to_owned());
    unknown(stage);
}

/// Looks until the mail whose answer was lost is asked about.
fn unknown(stage: &mut Stage) -> Value {
    let path = format!("/api/v1/needs?run={}", stage.facts.run);
    let begun = beistand_tests::tool::now();
    loop {
        let needs = stage.house.get("cleo", &path)["items"].take();
        if let Some(need) = needs.as_array().unwrap().first() {
            assert_eq!((&need["kind"], &need["step"]), (&json!("unknown"), &json!("tell")));
            return need.clone();
        }
        assert!(begun.elapsed() < beistand_tests::tool::PATIENCE, "nothing is asked");
    }
}

fn decide(stage: &mut Stage) {
    // Who died before the mail went out is told so, and it goes out.
    let mut need = unknown(stage);
    let subject = subject("tell", false);
    while !stage.mails.mails().unwrap().iter().any(|mail| mail.subject.contains(subject)) {
        assert_eq!(stage.settle(&need), "not-done");
        need = unknown(stage);
    }
    let run = stage.facts.run.clone();
    stage.house.types("cleo", &["resolve", &run, "tell", "done", "--reason", "the town has it"]);
    stage.did("need-answered", "cleo", "passphrase");
    let shown = stage.rest(&run, "waiting");
    assert_eq!(shown["needs"], json!([]), "{shown:#}");
    let held = ["host:pc-1", "host:pc-2"].map(|target| (target.to_owned(), run.clone()));
    assert_eq!(stage.held(), held.into());
}

fn offer(stage: &mut Stage) {
    let path = format!("/api/v1/incidents/{}/handover", stage.facts.incident);
    let body = json!({"to": "dora", "note": "coffee is out"});
    stage.house.does("cleo", &path, &body, 200);
    stage.did("command-offered", "cleo", "passphrase");
    let path = format!("/api/v1/incidents/{}/briefing", stage.facts.incident);
    let briefing = stage.house.get("dora", &path);
    text(&briefing["digest"]).clone_into(&mut stage.facts.briefing);
}

fn accept(stage: &mut Stage) {
    let (incident, digest) = (stage.facts.incident.clone(), stage.facts.briefing.clone());
    stage
        .house
        .types("dora", &["incident", "handover", &incident, "--accept", "--digest", &digest]);
    stage.did("command-taken", "dora", "passphrase");
    let shown = stage.house.get("ben", &format!("/api/v1/incidents/{incident}"));
    assert_eq!(shown["roles"], json!([{"role": "commander", "person": "dora"}]));
}

fn supersede(stage: &mut Stage) {
    let run = stage.facts.run.clone();
    let why = ["--reason", "the report was forgotten", "--yes", "--detach"];
    stage.house.types("dora", &[&["supersede", &run, "corrected.yaml"][..], &why].concat());
    stage.did("superseding", "dora", "passphrase");
    stage.did("run-opened", "dora", "passphrase");
    let before = stage.rest(&run, "superseded");
    text(&before["superseded_by"]).clone_into(&mut stage.facts.next);
    let next = stage.facts.next.clone();
    let shown = stage.rest(&next, "waiting");
    assert_eq!(shown["needs"], json!([]), "what was approved and done is not asked anew");
    let held = ["host:pc-1", "host:pc-2"].map(|target| (target.to_owned(), next.clone()));
    assert_eq!(stage.held(), held.into(), "{shown:#}");
}

fn more(stage: &mut Stage) {
    let body = json!({"inputs": {"hosts": ["pc-2", "pc-7"]}, "start_key": "more"});
    let path = format!("/api/v1/runs/{}/more", stage.facts.next);
    let further = stage.house.does("cleo", &path, &body, 201).json();
    text(&further["run"]).clone_into(&mut stage.facts.more);
    stage.did("run-opened", "cleo", "passphrase");
    let known = format!("pc-2 of `hosts` is with run {}", stage.facts.next);
    assert!(stage.house.again || further["left_out"] == json!([known]), "{further}");
    stage.facts.gate = stage.house.gate(&stage.facts.more);
    assert_eq!(stage.facts.gate["votes_needed"], 2);
}

fn ben_votes_for_more(stage: &mut Stage) {
    ben_votes(stage);
}

fn stop(stage: &mut Stage) {
    stage.house.types("cleo", &["stop-all", "--reason", "is this right?"]);
    stage.did("stopped", "cleo", "passphrase");
}

fn dora_votes_for_more(stage: &mut Stage) {
    let (path, body) = yes(&stage.facts.gate);
    stage.house.does("dora", &path, &body, 200);
    stage.did("voted", "dora", "passphrase");
    let more = stage.facts.more.clone();
    assert!(stage.held().iter().all(|(_, run)| *run != more), "nothing goes out");
    let launch = json!({
        "playbook": "contain", "inputs": {"hosts": ["pc-9"]}, "mode": "drill",
        "incident": stage.facts.incident, "start_key": "not-now",
    });
    assert_eq!(stage.house.ask("cleo", "POST", "/api/v1/runs", &launch).status, 403);
}

fn go_on(stage: &mut Stage) {
    let reason = json!({"reason": "it is"});
    let own = stage.house.ask("cleo", "POST", "/api/v1/go-on", &reason);
    assert_eq!(own.status, 403, "who stopped does not go on: {own:?}");
    stage.house.does("dora", "/api/v1/go-on", &reason, 200);
    stage.did("gone-on", "dora", "passphrase");
    let more = stage.facts.more.clone();
    stage.rest(&more, "waiting");
    assert!(stage.held().contains(&("host:pc-7".to_owned(), more)));
}

fn paper(stage: &mut Stage) {
    let incident = stage.facts.incident.clone();
    stage.house.types("cleo", &["note", &incident, "pc-7 is in the cellar", "--by", "ben"]);
    stage.did("note-added", "ben", "paper").through = Some("cleo".to_owned());
}

fn all_clear(stage: &mut Stage) {
    for run in [stage.facts.next.clone(), stage.facts.more.clone()] {
        let path = format!("/api/v1/runs/{run}/signal");
        let body = json!({"name": "all_clear", "form": {}, "key": "one"});
        stage.house.does(MACHINE, &path, &body, 200);
        stage.did("signal-received", MACHINE, "machine");
        stage.rest(&run, "succeeded");
    }
}

fn close(stage: &mut Stage) {
    let incident = stage.facts.incident.clone();
    stage.house.types("dora", &["incident", "close", &incident, "--reason", "it was a drill"]);
    stage.did("incident-closed", "dora", "passphrase");
}
