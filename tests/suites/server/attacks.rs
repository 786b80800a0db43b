//! What an intruder tries on the way in and with what is sent: votes of one's own, other spellings,
//! headers that lie, other people's pages, bodies of another shape, scripts that reach outside. Each
//! has one answer, and changes nothing.

use std::collections::BTreeMap;
use std::time::Duration;

use beistand_runtime::{Clock as _, WallClock};
use beistand_tests::ledger::{Chance, Fate, Ledger, LedgerPlan};
use beistand_tests::program::DEADLINE;
use beistand_tests::tool::{now, pause, wait_for};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::client::Answer;
use super::town::{HERE, Place, Town};
use crate::desk::{service, text};

/// The most that the stop switch may take, until nothing begins any more.
const STOPPED_WITHIN: Duration = Duration::from_secs(1);

fn town() -> Town {
    Town::new(&json!({}), &BTreeMap::new())
}

/// A request of a page of ours, by who is logged in.
fn paged(town: &Town, cookie: &str, path: &str, body: &Value) -> Answer {
    let origin = format!("http://{}", town.client().address);
    let lines = [("Cookie", cookie), ("Origin", origin.as_str())];
    town.client().ask(("POST", path), &lines, Some(&body.to_string()))
}

fn vote(town: &Town, cookie: &str, Place { gate: (need, digest), .. }: &Place) -> Answer {
    let body = json!({"answer": "approve", "digest": digest});
    paged(town, cookie, &format!("/api/v1/needs/{need}"), &body)
}

#[test]
fn who_asked_for_it_does_not_vote_with_any_account_and_nobody_votes_twice() {
    let town = town();
    for (account, person) in [("cleo.two", "cleo"), ("ben", "ben"), ("ben.two", "ben")] {
        town.account(account, &["--role", "commander", "--person", person]);
    }
    let place = town.place(HERE, &["pc-a1"]);
    let votes = || town.need(&place.run, "approval")["votes"].as_u64().unwrap_or(0);
    for account in ["cleo", "cleo.two"] {
        let refused = vote(&town, &town.cookie(account), &place);
        assert_eq!((refused.status, votes()), (403, 0), "{account}: {refused:?}");
    }
    // It stands in the timeline that they tried.
    let path = format!("/api/v1/incidents/{}/timeline?lang=en", place.incident);
    let lines = town.got(&path, &town.leads);
    let refused = |line: &&Value| text(&line["message"]).contains("Refused");
    let tried = lines["items"].as_array().unwrap().iter().filter(refused);
    assert_eq!(tried.filter(|line| line["actor"] == "cleo").count(), 2, "{lines}");

    let ben = town.cookie("ben");
    let first = vote(&town, &ben, &place);
    assert_eq!((first.status, votes()), (200, 1), "{first:?}");
    for cookie in [&ben, &town.cookie("ben.two")] {
        let again = vote(&town, cookie, &place);
        assert!([200, 409].contains(&again.status), "{again:?}");
        assert_eq!(votes(), 1, "one person, one vote: {again:?}");
    }
    let mut other = place.clone();
    other.gate.1 = format!("sha256:{}", "0".repeat(64));
    assert_eq!(vote(&town, &ben, &other).status, 409, "of something else than what was shown");
    // A program never votes for what destroys, whoever's token it has.
    let program = town.account("robot", &["--role", "commander"]).token;
    let body = json!({"answer": "approve", "digest": place.gate.1});
    let refused = town.client().post(&format!("/api/v1/needs/{}", place.gate.0), &program, &body);
    assert_eq!((refused.status, votes()), (403, 1), "{refused:?}");
    assert_eq!(refused.json()["type"], "urn:beistand:problem:prove-again");
    let over = json!({"reason": "a false alarm"});
    town.led(&format!("/api/v1/runs/{}/cancel", place.run), &over);
    let late = vote(&town, &ben, &place);
    assert!([404, 409, 410].contains(&late.status), "{late:?}");
}

#[test]
fn a_path_has_one_spelling_and_the_others_open_nothing() {
    let town = town();
    let reason = json!({"reason": "x"}).to_string();
    let bearer = format!("Bearer {}", town.leads);
    let before = town.journal();
    for path in [
        "//api/v1/stop",
        "/api//v1/stop",
        "/api/v1/stop/",
        "/api/v1/STOP",
        "/api/v1/stop;x=1",
        "/api/v1/x/..;/stop",
        "/api/v1/me/../stop",
        "/api/v1/%2e%2e/v1/stop",
        "/api/v1/%73top",
        "/api/v1/stop%00",
        "/api/v1/stop%2f",
        "/api/v1/./stop",
        "/api\\v1\\stop",
        "/healthz/../api/v1/stop",
        "/healthz%2f..%2fapi/v1/stop",
    ] {
        for lines in [&[("Authorization", bearer.as_str())][..], &[]] {
            let answer = town.client().ask(("POST", path), lines, Some(&reason));
            assert!([400, 404].contains(&answer.status), "{path}: {answer:?}");
        }
    }
    assert_eq!(town.journal(), before);
    let plain =
        town.client().ask(("POST", "/api/v1/stop"), &[("Authorization", &bearer)], Some(&reason));
    assert_eq!(plain.status, 200, "the one spelling does it: {plain:?}");
}

#[test]
fn a_header_that_says_who_or_where_is_nobodys_word() {
    let town = town();
    for line in [
        ("X-User", "root"),
        ("X-Remote-User", "root"),
        ("X-Forwarded-User", "root"),
        ("X-Forwarded-For", "127.0.0.1"),
        ("X-Original-URL", "/healthz"),
        ("X-Rewrite-URL", "/healthz"),
        ("X-HTTP-Method-Override", "GET"),
        ("Forwarded", "for=127.0.0.1;proto=https"),
    ] {
        let client = town.client();
        assert_eq!(client.ask(("GET", "/api/v1/me"), &[line], None).status, 401, "{line:?}");
        assert_eq!(client.ask(("GET", "/healthz"), &[line], None).body, "alive\n", "{line:?}");
    }
    let override_me = [("X-Original-URL", "/api/v1/me"), ("X-HTTP-Method-Override", "DELETE")];
    assert_eq!(town.client().ask(("GET", "/healthz"), &override_me, None).body, "alive\n");
    // Who guesses does not come from somewhere else because they say so.
    let wrong = json!({"account": "cleo", "passphrase": "not these words"}).to_string();
    let statuses: Vec<u16> = (0..8)
        .map(|number| {
            let place = format!("192.0.2.{number}");
            let line = [("X-Forwarded-For", place.as_str())];
            town.client().ask(("POST", "/api/v1/session"), &line, Some(&wrong)).status
        })
        .collect();
    assert_eq!(statuses, [403, 403, 403, 403, 403, 429, 429, 429]);
}

#[test]
fn what_changes_something_comes_from_no_other_page() {
    let town = town();
    let cookie = town.cookie("cleo");
    let place = town.place(HERE, &["pc-a1"]);
    let path = format!("/api/v1/incidents/{}/notes", place.incident);
    let note = json!({"text": "from elsewhere"}).to_string();
    let own = format!("http://{}", town.client().address);
    let before = town.journal();
    for line in [
        ("Origin", "null"),
        ("Origin", "https://evil.example"),
        ("Origin", "http://127.0.0.1:1"),
        ("Origin", ""),
        ("Sec-Fetch-Site", "cross-site"),
        ("Sec-Fetch-Site", "same-site"),
    ] {
        let lines = [("Cookie", cookie.as_str()), line];
        let refused = town.client().ask(("POST", &path), &lines, Some(&note));
        assert_eq!(refused.status, 403, "{line:?}: {refused:?}");
    }
    let two = [("Cookie", cookie.as_str()), ("Origin", &own), ("Origin", "https://evil.example")];
    assert_eq!(town.client().ask(("POST", &path), &two, Some(&note)).status, 403);
    assert_eq!(town.journal(), before);
    let ours = [("Cookie", cookie.as_str()), ("Origin", own.as_str())];
    assert_eq!(town.client().ask(("POST", &path), &ours, Some(&note)).status, 200);
}

#[test]
fn a_body_of_another_shape_is_not_read() {
    let town = town();
    let place = town.place(HERE, &["pc-a1"]);
    let bearer = format!("Bearer {}", town.leads);
    let path = format!("/api/v1/incidents/{}/notes", place.incident);
    let before = town.journal();
    for kind in [
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "text/plain",
        "application/json; charset=utf-16",
        "application/json, text/html",
        "application/jsonp",
        "",
    ] {
        let lines = [("Authorization", bearer.as_str()), ("Content-Type", kind)];
        let refused = town.client().ask(("POST", &path), &lines, Some(r#"{"text": "x"}"#));
        assert_eq!(refused.status, 415, "{kind}: {refused:?}");
    }
    for (what, body) in [
        ("notes", json!({"text": "x", "by": "root", "proof": "passphrase"})),
        ("notes", json!({"text": "x", "actor": {"person": "root"}})),
        ("evidence", json!({"name": "x", "base64": "", "path": "/etc/passwd"})),
        ("roles", json!({"role": "scribe", "person": "x", "approved_by": "root"})),
        ("assets", json!({"kind": "host", "values": ["x"], "state": "affected", "id": null})),
        ("calls", json!({"action": "network.isolate", "with": {}, "reason": "x", "gate": false})),
    ] {
        let path = format!("/api/v1/incidents/{}/{what}", place.incident);
        let refused = town.client().post(&path, &town.leads, &body);
        assert_eq!(refused.status, 400, "{what} {body}: {refused:?}");
        assert!(refused.body.contains("unknown field"), "{what} {body}: {refused:?}");
    }
    let run = |incident: Value| {
        let wanted = json!({
            "playbook": "hall", "inputs": {"hosts": []}, "incident": incident, "start_key": "k",
        });
        town.client().post("/api/v1/runs", &town.leads, &wanted).status
    };
    for nobodys in [json!(""), json!(" "), json!("SIT-2026-9999"), json!("0"), json!("*")] {
        assert_eq!(run(nobodys.clone()), 404, "{nobodys}");
    }
    for none in [json!(7), json!({}), json!([place.incident])] {
        assert_eq!(run(none.clone()), 400, "{none}");
    }
    assert_eq!(town.journal(), before);
}

#[test]
fn a_script_that_reaches_outside_is_refused_when_it_is_read() {
    let town = town();
    for script in [
        "eval(\\\"1\\\")",
        "import \\\"os\\\" as os; 1",
        "sleep(1e9)",
        "timestamp()",
        "print(inputs.who)",
        "debug(1)",
        "open(\\\"/etc/passwd\\\")",
        "curry(1)",
        "Fn(\\\"eval\\\").call(\\\"1\\\")",
    ] {
        let playbook = format!(
            "playbook: reach\nlanguage: 1\ntitle: Reaches out\n\
             inputs: {{ who: {{ type: string }} }}\nsteps:\n  - {{ id: out, script: \"{script}\" }}\n"
        );
        let found = town.led("/api/v1/playbooks/check", &json!({"text": playbook}));
        let errors =
            found["findings"].as_array().unwrap().iter().filter(|one| one["severity"] == "error");
        let places: Vec<&Value> = errors.map(|one| &one["line"]).collect();
        assert_eq!(places, [6], "{script}: {found}");
    }
}

/// Sends a hundred things, each slowly.
const MANY: &str = "playbook: many
language: 1
title: Many effects
inputs: { url: { type: string } }
steps:
  - id: all
    for_each: 400
    max_parallel: 8
    steps:
      - { id: put, call: http.request, with: { method: PUT, url: { base: \"BASE/\", path: [cut, \"${item_index}\"] } } }
";

#[test]
fn the_stop_switch_lets_nothing_begin_within_a_second_while_effects_go_on() {
    let folder = TempDir::new().unwrap();
    let ledger = Ledger::start(&folder.path().join("ledger")).unwrap();
    let chances = vec![Chance { fate: Fate::DoneLate, per_mille: 1000 }];
    ledger.plan(&LedgerPlan { chances, late_ms: 50, ..LedgerPlan::default() }).unwrap();
    let many =
        MANY.replace("BASE", &ledger.url()).replace("inputs: { url: { type: string } }\n", "");
    let town = Town::new(&service(&ledger.url()), &BTreeMap::from([("many", many.as_str())]));
    let incident = town.incident(&json!({"title": "Many"}), &[]);
    let wanted = json!({"playbook": "many", "incident": incident, "start_key": "many"});
    let run = text(&town.led("/api/v1/runs", &wanted)["id"]).to_owned();
    let begun = || Ok((ledger.records().unwrap().len() >= 100).then_some(()));
    wait_for("a hundred effects", DEADLINE, begun).unwrap();
    let asked = now();
    town.led("/api/v1/stop", &json!({"reason": "the wrong hosts"}));
    assert!(asked.elapsed() < STOPPED_WITHIN, "{:?}", asked.elapsed());
    let answered = u64::try_from(WallClock.now().get()).unwrap();
    pause(3 * STOPPED_WITHIN);
    let records = ledger.records().unwrap();
    let late: Vec<_> = records.iter().filter(|one| one.at > answered + 1_000).collect();
    assert!(late.is_empty(), "{late:?}");
    assert!(records.len() < 400, "all was done before");
    let shown = town.got(&format!("/api/v1/runs/{run}"), &town.leads);
    assert!(shown["ended_at"].is_null(), "{}", shown["status"]);
    // Another person lets it go on, and nothing was lost or done twice.
    town.account("ben", &["--role", "commander"]);
    let on = paged(&town, &town.cookie("ben"), "/api/v1/go-on", &json!({"reason": "looked at"}));
    assert_eq!(on.status, 200, "{on:?}");
    let over = || {
        let status = town.got(&format!("/api/v1/runs/{run}"), &town.leads)["status"].clone();
        Ok((status == "succeeded").then_some(()))
    };
    wait_for("the end", DEADLINE, over).unwrap();
    let records = ledger.records().unwrap();
    assert_eq!(records.iter().filter(|one| one.first).count(), 400);
}
