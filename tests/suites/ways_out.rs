//! Whoever is refused reads why, once, and what to type next.

use crate::desk::{ANNA, BEN, Desk, announced, text};
use serde_json::json;

const LOOK: &str = "playbook: look
language: 1
title: Look at it
steps:
  - id: look
    task:
      role: responder
      instructions: Look at it.
      form: { attack: { type: boolean }, machines: { type: integer } }
  - id: gate
    approve: { role: commander, votes: 1, shows: Go on }
";

const CUT: &str = "playbook: cut
language: 1
title: Cut a host off
steps:
  - id: cut
    call: network.isolate
    with: { host: dc01 }
";

fn desk() -> Desk {
    let desk = Desk::new();
    desk.configure(&json!({ "inventory": ["hosts.csv"], "guard": { "never": ["dc01"] } }));
    desk.write("hosts.csv", "name,addresses\ndc01,10.77.3.1\npc-1,10.77.3.2\n");
    desk.write("look.yaml", LOOK);
    desk.write("cut.yaml", CUT);
    desk
}

/// What is refused with this code says all of these.
fn refused(desk: &Desk, code: i32, words: &[&str], parts: &[&str]) -> String {
    let ended = desk.done(words);
    ended.expect_code(code).unwrap_or_else(|trouble| panic!("{words:?}: {trouble}"));
    for part in parts {
        assert!(ended.stderr.contains(part), "{words:?}: {part}: {}", ended.stderr);
    }
    ended.stderr
}

/// A run that waits for somebody, and the id of what it waits for.
fn begun(desk: &Desk, playbook: &str) -> (String, String) {
    let ended = desk.done(&["run", playbook, "--by-hand-ok", "--as", ANNA]);
    ended.expect_code(6).unwrap();
    let run = announced(&ended.stderr).unwrap();
    let need = text(&desk.needs(&run)[0]["id"]).to_owned();
    (run, need)
}

#[test]
fn while_everything_is_stopped_who_begins_reads_by_whom_why_and_who_lets_it_go_on() {
    let desk = desk();
    let (run, _) = begun(&desk, "look.yaml");
    let number = text(&desk.show(&run)["incident_number"]).to_owned();
    desk.ok(0, &["stop-all", "--reason", "wrong network", "--as", ANNA]);
    let wanted = ["by anna: wrong network", "beistand go-on --as OTHER"];
    refused(&desk, 5, &["run", "look.yaml", "--as", BEN], &wanted);
    let call = ["call", "network.isolate", "--with", "host=pc-1", "--incident", &number];
    let by_hand = ["--by-hand-ok", "--reason", "x", "--as", BEN];
    refused(&desk, 5, &[&call[..], &by_hand].concat(), &wanted);
    let supersede = ["supersede", &run, "look.yaml", "--yes", "--reason", "x", "--as", BEN];
    refused(&desk, 5, &supersede, &wanted);
    refused(&desk, 5, &["go-on", "--as", ANNA], &["beistand go-on --as OTHER"]);
}

#[test]
fn what_is_answered_by_another_verb_or_not_any_more_says_what_to_type() {
    let desk = desk();
    let (run, look) = begun(&desk, "look.yaml");
    for words in [["approve", &look].as_slice(), &["deny", &look, "--reason", "no"]] {
        let said = refused(
            &desk,
            2,
            &[words, &["--as", BEN]].concat(),
            &[&format!("beistand done {look}")],
        );
        assert!(!said.contains("votes") && !said.contains("[y/N]"), "{said}");
    }
    let form = ["done", &look, "--form", "attack=true", "--as", BEN];
    let said = refused(&desk, 2, &form, &["`machines`"]);
    assert_eq!(said.matches("`machines`").count(), 1, "once: {said}");
    let long_ago = ["--at", "2019-03-01 04:12"];
    let done = ["done", &look, "--form", "attack=true", "--form", "machines=3", "--as", BEN];
    refused(&desk, 2, &[&done[..], &long_ago].concat(), &["long before the run began"]);
    refused(&desk, 2, &[&done[..], &["--at", "soon"]].concat(), &["04:12 for today"]);
    desk.ok(0, &[&done[..], &["--at", "00:00"]].concat());
    refused(&desk, 7, &done, &["answered already", "`beistand needs`"]);
    desk.ok(6, &["resume"]);
    let gate = desk.needs(&run)[0].clone();
    let old = format!("sha256:{}", "0".repeat(64));
    let words = ["approve", text(&gate["id"]), "--digest", &old, "--as", BEN];
    refused(&desk, 7, &words, &["has changed", &format!("beistand needs --run {run}")]);
    let decide = ["decide", text(&gate["id"]), "retry", "--reason", "x", "--as", BEN];
    refused(&desk, 2, &decide, &["beistand approve"]);
}

#[test]
fn what_is_guarded_is_not_done_by_hand_either() {
    let desk = desk();
    let (_, need) = begun(&desk, "cut.yaml");
    let listed = desk.ok(0, &["needs"]);
    assert!(listed.contains("retry|skip|abort") && !listed.contains("by-hand"), "{listed}");
    let words = ["decide", &need, "by-hand", "--reason", "unplugged", "--as", ANNA];
    refused(&desk, 2, &words, &["guarded", "retry, skip, abort"]);
}

#[test]
fn command_that_is_offered_to_nobody_or_to_another_is_not_read_out_first() {
    let desk = desk();
    let number = desk.ok(0, &["incident", "open", "Beacons", "--as", ANNA]);
    let number = number.trim();
    desk.ok(0, &["incident", "assign", number, "commander", ANNA, "--as", ANNA]);
    let accept = ["incident", "handover", number, "--accept", "--as", "carla"];
    refused(&desk, 7, &accept, &["not offered", &format!("handover {number} --to PERSON")]);
    desk.ok(0, &["incident", "handover", number, "--to", BEN, "--as", ANNA]);
    let said = refused(&desk, 5, &accept, &["--accept --as ben"]);
    assert!(!said.contains("# "), "no briefing: {said}");
}
