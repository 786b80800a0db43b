//! The verbs as scripts meet them: JSON wherever it is asked for, the exit codes of the contract,
//! and nothing written by a verb that is refused.

use std::fs;

use beistand_tests::tool::{PATIENCE, wait_for};
use serde_json::{Value, json};

use crate::desk::{ANNA, BEN, Desk, announced, text};

const LOOK: &str = "playbook: look
language: 1
title: Look at a host
inputs: { host: { type: string, format: host } }
steps:
  - { id: look, task: { role: responder, instructions: Look at it. } }
  - { id: stay, wait: { signal: over } }
  - { id: tell, note: \"seen ${inputs.host}\" }
";

/// A desk with a guarded host, and a run that waits for a person.
fn desk() -> (Desk, String) {
    let desk = Desk::new();
    desk.configure(&json!({
        "inventory": ["hosts.csv"],
        "guard": { "never": ["dc01"] },
        "connectors": { "api": { "kind": "http", "allow": [{ "methods": ["GET"], "url": "https://api.example.org/" }] } },
    }));
    desk.write("hosts.csv", "name,addresses\ndc01,10.77.3.1\npc-1,10.77.3.2\n");
    desk.write("look.yaml", LOOK);
    let ended = desk.done(&["run", "look.yaml", "--input", "host=pc-1", "--as", ANNA]);
    ended.expect_code(6).unwrap();
    let run = announced(&ended.stderr).unwrap();
    (desk, run)
}

fn parsed(desk: &Desk, code: i32, words: &[&str]) -> Value {
    desk.done(&[words, &["--json", "--as", ANNA]].concat()).json(code).unwrap()
}

#[test]
fn whoever_asks_for_json_gets_json_from_every_verb() {
    let (desk, run) = desk();
    let incident = parsed(&desk, 0, &["show", &run])["incident_number"].clone();
    let incident = text(&incident);
    let need = parsed(&desk, 0, &["needs"])[0]["id"].clone();
    let reading: [&[&str]; 17] = [
        &["check", "look.yaml"],
        &["plan", "look.yaml", "--input", "host=pc-1"],
        &["runs"],
        &["holds"],
        &["needs"],
        &["incident", "list"],
        &["incident", "show", incident],
        &["timeline", incident],
        &["print", &run],
        &["print", incident],
        &["print", "look.yaml"],
        &["verify"],
        &["schema", "playbook"],
        &["config", "check"],
        &["inventory", "list"],
        &["connectors"],
        &["backup", "copy.db"],
    ];
    for words in reading {
        parsed(&desk, 0, words);
    }
    let writing: [(i32, &[&str]); 13] = [
        (0, &["pause", &run]),
        (0, &["unpause", &run]),
        (0, &["note", incident, "looked"]),
        (0, &["incident", "link", incident, "stadt-a"]),
        (0, &["connectors", "pause", "api"]),
        (0, &["connectors", "unpause", "api"]),
        (0, &["stop-all", "--reason", "a look"]),
        (0, &["go-on", "--as", BEN]),
        (0, &["done", text(&need)]),
        (0, &["signal", &run, "over"]),
        (0, &["resume"]),
        (0, &["undo", &run, "--reason", "nothing"]),
        (0, &["incident", "close", incident]),
    ];
    for (code, words) in writing {
        let words = if words.contains(&"--as") {
            words.to_vec()
        } else {
            [words, &["--as", ANNA]].concat()
        };
        desk.done(&[&words[..], &["--json"]].concat()).json(code).unwrap();
    }
    let detached = ["run", "look.yaml", "--input", "host=pc-1", "--detach"];
    let shown = parsed(&desk, 0, &detached);
    assert!(["running", "waiting"].contains(&text(&shown["status"])), "{shown:#}");
    assert!(shown["steps"].is_array(), "{shown:#}");
    parsed(&desk, 0, &["cancel", text(&shown["id"]), "--reason", "enough"]);
    let lines = parsed(&desk, 0, &["timeline", incident]);
    for name in ["message", "datetime", "timestamp_desc", "lane", "stream", "seq"] {
        assert!(lines[0].get(name).is_some(), "{name} in {lines:#}");
    }
    assert_eq!(parsed(&desk, 0, &["go-on"]), json!({"stopped": false}));
}

#[test]
fn a_wrong_word_ends_with_the_code_of_the_contract() {
    let (desk, run) = desk();
    desk.write("empty.yaml", "playbook: empty\n");
    desk.write("there.db", "");
    let cases: [(i32, &str, &[&str]); 24] = [
        (2, "running, waiting, paused", &["runs", "--status", "foo"]),
        (2, "commander, deputy", &["incident", "assign", "X", "chief", "anna"]),
        (2, "AMBER+STRICT", &["incident", "open", "T", "--tlp", "PINK"]),
        (2, "1..=4", &["incident", "open", "T", "--severity", "9"]),
        (2, "table, jsonl, csv, html", &["timeline", "X", "--format", "pdf"]),
        (2, "not both", &["timeline", "X", "--format", "csv", "--json"]),
        (2, "`host` is missing", &["plan", "look.yaml"]),
        (2, "`host` is missing", &["run", "look.yaml"]),
        (2, "no duration", &["run", "look.yaml", "--timeout", "soon"]),
        (3, "missing-key", &["check", "empty.yaml"]),
        (4, "no playbook", &["run", "nothing"]),
        (4, "no run", &["show", "ffff"]),
        (4, "no incident", &["timeline", "IT-1999-0001"]),
        (4, "no need", &["approve", "ffff"]),
        (4, "no case", &["run", "look.yaml", "--drill", "--case", "none"]),
        (4, "none.yaml", &["--config", "none.yaml", "runs"]),
        (4, "none.csv", &["inventory", "import", "none.csv"]),
        (4, "no folder", &["backup", "none/copy.db"]),
        (4, "never waits", &["signal", &run, "start"]),
        (4, "no connector", &["connectors", "pause", "none"]),
        (7, "there already", &["backup", "there.db"]),
        (2, "no store", &["runs", "--store", "file:x"]),
        (4, "none.txt", &["evidence", "add", "X", "none.txt"]),
        (10, "no chain", &["verify", "look.yaml"]),
    ];
    for (code, said, words) in cases {
        let ended = desk.done(&[words, &["--as", ANNA]].concat());
        ended.expect_code(code).unwrap_or_else(|trouble| panic!("{words:?}: {trouble}"));
        assert!(ended.stderr.contains(said), "{words:?}: {}", ended.stderr);
    }
}

#[test]
fn what_is_over_or_no_store_is_said_with_its_own_code() {
    let (desk, run) = desk();
    desk.ok(0, &["cancel", &run, "--reason", "enough", "--as", ANNA]);
    desk.ok(0, &["resume"]);
    for verb in ["pause", "unpause"] {
        let ended = desk.done(&[verb, &run, "--as", ANNA]);
        ended.expect_code(7).unwrap();
        assert!(ended.stderr.contains("has ended"), "{}", ended.stderr);
    }
    desk.ok(0, &["stop-all", "--reason", "a look", "--as", ANNA]);
    let stopped = desk.done(&["resume"]);
    stopped.expect_code(0).unwrap();
    assert!(stopped.stderr.contains("the stop switch is on"), "{}", stopped.stderr);
    let refused = desk.done(&["restore", "look.yaml", "--store", "sqlite:other.db"]);
    refused.expect_code(5).unwrap();
    assert!(refused.stderr.contains("is not a store of beistand"), "{}", refused.stderr);
}

#[test]
fn a_single_call_that_can_not_be_is_refused_before_anything_is_written() {
    let (desk, run) = desk();
    let incident = desk.show(&run)["incident_number"].clone();
    let incident = text(&incident);
    let before = (desk.json(&["runs"]), desk.json(&["timeline", incident]));
    let cases: [(i32, &str, &[&str]); 5] = [
        (5, "guarded", &["network.isolate", "--with", "host=dc01"]),
        (5, "nothing is bound", &["network.isolate", "--with", "host=pc-1"]),
        (2, "`host` is missing", &["network.isolate"]),
        (2, "not known here", &["network.isolate", "--with", "hostt=pc-1", "--with", "host=pc-1"]),
        (4, "pc-99", &["network.isolate", "--with", "host=pc-99", "--by-hand-ok"]),
    ];
    for (code, said, words) in cases {
        let more = ["--incident", incident, "--reason", "a try", "--as", ANNA];
        let ended = desk.done(&[&["call"], words, &more].concat());
        ended.expect_code(code).unwrap_or_else(|trouble| panic!("{words:?}: {trouble}"));
        assert!(ended.stderr.contains(said), "{words:?}: {}", ended.stderr);
    }
    let guarded = ["call", "network.isolate", "--with", "host=10.77.3.1", "--by-hand-ok"];
    desk.ok(5, &[&guarded[..], &["--incident", incident, "--reason", "a try"]].concat());
    assert_eq!((desk.json(&["runs"]), desk.json(&["timeline", incident])), before);
}

#[test]
fn times_for_people_name_their_zone_and_json_has_utc() {
    let (desk, run) = desk();
    for words in [vec!["runs"], vec!["needs"], vec!["show", &run], vec!["incident", "list"]] {
        let (berlin, utc) = (desk.ok(0, &words), desk.ok(0, &[&words[..], &["--utc"]].concat()));
        assert!(berlin.contains(" CET") || berlin.contains(" CEST"), "{berlin}");
        assert!(utc.contains(" UTC") && !utc.contains(" CE"), "{utc}");
    }
    assert!(text(&desk.show(&run)["started_at"]).ends_with('Z'));
}

const NIGHT: &str = "playbook: night
language: 1
title: Night
steps:
  - { id: look, task: { role: responder, instructions: Look. } }
  - { id: rest, wait: 2s }
  - { id: again, task: { role: responder, instructions: Look again. } }
  - { id: gate, approve: { role: commander, votes: 2, shows: go } }
";

const PEOPLE: &str = "case: everybody answers
people:
  - { step: look, form: {} }
  - { step: again, form: {} }
  - { step: gate, approve: [ben, carla] }
expect: { status: succeeded }
";

#[test]
fn a_drill_finds_its_people_again_after_a_kill() {
    let desk = Desk::new();
    fs::create_dir_all(desk.path("night/cases")).unwrap();
    desk.write("night/playbook.yaml", NIGHT);
    desk.write("night/cases/all.yaml", PEOPLE);
    let words = ["run", "night/playbook.yaml", "--drill", "--case", "all", "--as", ANNA];
    let running = desk.call(&words).start().unwrap();
    let waits = wait_for("the wait", PATIENCE, || {
        Ok(running
            .stderr()
            .lines()
            .find(|line| line.contains("rest  waits until"))
            .map(str::to_owned))
    });
    assert!(waits.unwrap().contains(" CE"), "until when, and in which zone");
    let run = announced(&running.kill().unwrap().stderr).unwrap();
    // The case is in the journal: its file is not needed any more.
    fs::remove_dir_all(desk.path("night")).unwrap();
    let ended = desk.done(&["resume"]);
    ended.expect_code(0).unwrap();
    let shown = desk.show(&run);
    assert_eq!(shown["status"], "succeeded", "{shown:#}\n{}", ended.stderr);
}

#[test]
fn the_programs_own_log_is_plain_where_nobody_sees_colours() {
    let (desk, _) = desk();
    // A collector that is not there is something to log.
    let words = ["run", "look.yaml", "--input", "host=pc-1", "--drill", "-vv", "--as", ANNA];
    let call = desk.call(&words).env("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9");
    let ended = call.run().unwrap();
    assert!(ended.stderr.contains("DEBUG"), "it says something: {}", ended.stderr);
    assert!(!ended.stderr.contains('\u{1b}'), "{:?}", ended.stderr);
}

const LOOK_AT_ALL: &str = "playbook: look-at-all
language: 1
title: Look at all of them
inputs: { hosts: { type: array, items: { type: string, format: host } } }
steps:
  - id: each
    for_each: inputs.hosts
    as: host
    steps:
      - { id: look, task: { role: responder, instructions: \"Look at ${host}.\" } }
";

#[test]
fn more_items_are_a_run_of_their_own_and_asked_for_once() {
    let desk = Desk::new();
    desk.write("look-at-all.yaml", LOOK_AT_ALL);
    let ended = desk.done(&["run", "look-at-all.yaml", "--input", "hosts=pc-1", "--as", ANNA]);
    ended.expect_code(6).unwrap();
    let first = announced(&ended.stderr).unwrap();
    let words = ["more", &first, "--input", "hosts=pc-1", "--input", "hosts=pc-7", "--as", BEN];
    let ended = desk.done(&words);
    ended.expect_code(6).unwrap();
    assert!(ended.stderr.contains("left out: pc-1 of `hosts` is with run"), "{}", ended.stderr);
    let second = desk.show(&announced(&ended.stderr).unwrap());
    assert_eq!((&second["more_of"], &second["requested_by"]), (&json!(first), &json!(BEN)));
    assert_eq!(second["inputs"], json!({"hosts": ["pc-7"]}));
    assert_eq!(desk.needs(&first).len(), 1, "what waits in the other is not asked here");
    let again = desk.done(&words);
    again.expect_code(7).unwrap();
    assert!(again.stderr.contains("nothing of it is new"), "{}", again.stderr);
    let keyed = [&words[..3], &["hosts=pc-9", "--start-key", "k", "--detach"]].concat();
    let runs = [parsed(&desk, 0, &keyed), parsed(&desk, 0, &keyed)];
    assert_eq!(runs[0]["id"], runs[1]["id"], "the same key gives the same run");
    for (code, input) in [(2, "host=pc-8"), (2, "hosts:=\"pc-8\""), (2, "hosts:=[]")] {
        desk.done(&["more", &first, "--input", input, "--as", ANNA]).expect_code(code).unwrap();
    }
    desk.done(&["more", "0000", "--input", "hosts=pc-8"]).expect_code(4).unwrap();
    let timeline = parsed(&desk, 0, &["timeline", text(&second["incident_number"])]).to_string();
    assert!(timeline.contains(&format!("more of run {first}")), "{timeline}");
    desk.ok(0, &["verify"]);
}

const WRONG: &str = "playbook: wrong
language: 1
title: With a wrong step
steps:
  - { id: first, call: chat.post, with: { room: crisis, text: first } }
  - { id: second, call: chat.post, with: { room: crisis, text: wrong } }
  - { id: stay, wait: { signal: go, role: responder } }
  - { id: same, call: chat.post, with: { room: crisis, text: done } }
  - { id: third, call: chat.post, with: { room: crisis, text: wrong } }
";

#[test]
fn whoever_supersedes_a_run_is_told_before_what_becomes_of_its_effects() {
    let desk = Desk::new();
    desk.write("wrong.yaml", WRONG);
    let right = WRONG.replace("text: wrong", "text: right");
    let right = right.replace("stay, wait: { signal: go, role: responder }", "last, note: x");
    desk.write("right.yaml", &right);
    let ended = desk.done(&["run", "wrong.yaml", "--drill", "--as", ANNA]);
    ended.expect_code(6).unwrap();
    let run = announced(&ended.stderr).unwrap();
    let words = ["supersede", &run, "right.yaml", "--reason", "a wrong text", "--as", ANNA];
    let found = desk.done(&[&words[..], &["--json"]].concat()).json(0).unwrap();
    let steps = |list: &str| -> Vec<Value> {
        found[list].as_array().unwrap().iter().map(|line| line["step"].clone()).collect()
    };
    assert_eq!(steps("taken_over"), ["first"]);
    assert_eq!(
        steps("new"),
        ["second", "third"],
        "also what has not come yet and says another thing"
    );
    assert_eq!(steps("dropped"), ["second"]);
    let refused = desk.done(&words);
    refused.expect_code(5).unwrap();
    assert!(refused.stdout.contains("taken over, not sent again:"), "{}", refused.stdout);
    assert_eq!(desk.show(&run)["superseded_by"], Value::Null, "nothing happened");
    let new = desk.done(&[&words[..], &["--yes", "--json"]].concat()).json(0).unwrap();
    assert_eq!((&new["status"], &new["supersedes"]), (&json!("succeeded"), &json!(run)));
    let old = desk.show(&run);
    assert_eq!((&old["status"], &old["superseded_by"]), (&json!("superseded"), &new["id"]));
    desk.done(&[&words[..], &["--yes"]].concat()).expect_code(7).unwrap();
    desk.ok(0, &["verify"]);
}

#[test]
fn a_file_that_is_added_twice_is_kept_once_and_the_store_is_whole() {
    let desk = Desk::new();
    let opened = desk.json(&["incident", "open", "Night", "--as", ANNA]);
    let id = opened["incident"].as_str().unwrap();
    desk.write("log.txt", "what was seen");
    for _ in 0..2 {
        desk.ok(0, &["evidence", "add", id, "log.txt", "--as", ANNA]);
    }
    desk.ok(0, &["verify"]);
}
