//! What somebody reads at three in the morning before they decide: whether anything goes on at all,
//! what is real, what is asked for and what is done, and what to type.

use serde_json::json;

use crate::desk::{ANNA, BEN, Desk, announced, text};

const CUT: &str = "playbook: cut
language: 1
title: Cut a host off
inputs: { host: { type: string, format: host } }
steps:
  - id: cut
    title: \"Cut ${inputs.host} off\"
    call: network.isolate
    with: { host: \"${inputs.host}\" }
    approval: { role: commander, votes: 1, within: 15m }
";

const LOOK: &str = "playbook: look
language: 1
title: Look at it
inputs: { host: { type: string, format: host } }
steps:
  - id: look
    task:
      role: responder
      instructions: Look at it.
      form: { attack: { type: boolean }, note: { type: string, optional: true } }
";

const MAIL: &str = "playbook: mail
language: 1
title: Tell it
steps:
  - id: tell
    call: chat.post
    with: { room: crisis, text: look }
";

fn desk() -> Desk {
    let desk = Desk::new();
    desk.configure(&json!({ "inventory": ["hosts.csv"], "guard": { "never": ["dc01"] } }));
    desk.write("hosts.csv", "name,addresses\ndc01,10.77.3.1\npc-1,10.77.3.2\n");
    desk.write("cut.yaml", CUT);
    desk.write("look.yaml", LOOK);
    desk
}

/// Starts a run that comes to rest at somebody's question.
fn begun(desk: &Desk, playbook: &str) -> String {
    let words = ["run", playbook, "--input", "host=pc-1", "--by-hand-ok", "--as", ANNA];
    let ended = desk.done(&words);
    ended.expect_code(6).unwrap();
    announced(&ended.stderr).unwrap()
}

/// The id of the only need of a run.
fn need(desk: &Desk, run: &str) -> String {
    let needs = desk.needs(run);
    let [need] = needs.as_slice() else { panic!("one need: {needs:#?}") };
    text(&need["id"]).to_owned()
}

fn stderr(desk: &Desk, code: i32, words: &[&str]) -> String {
    let ended = desk.done(words);
    ended.expect_code(code).unwrap_or_else(|trouble| panic!("{words:?}: {trouble}"));
    ended.stderr
}

#[test]
fn a_stop_is_said_wherever_somebody_looks_why_nothing_happens() {
    let desk = desk();
    let run = begun(&desk, "look.yaml");
    let incident = text(&desk.show(&run)["incident_number"]).to_owned();
    let looks: [&[&str]; 8] = [
        &["needs"],
        &["needs", "--json"],
        &["runs"],
        &["holds"],
        &["show", &run],
        &["incident", "show", &incident],
        &["incident", "briefing", &incident],
        &["resume"],
    ];
    let code = |words: &[&str]| if words == ["resume"] { 6 } else { 0 };
    for words in looks {
        let said = stderr(&desk, code(words), words);
        assert!(!said.contains("stop switch"), "{words:?}: {said}");
    }
    let stopped = stderr(&desk, 0, &["stop-all", "--reason", "wrong network", "--as", ANNA]);
    assert!(!stopped.contains("continues with"), "nothing does: {stopped}");
    for words in looks {
        let said = stderr(&desk, code(words), words);
        for part in ["STOPPED: the stop switch is on since", "by anna: wrong network", "go-on"] {
            assert!(said.contains(part), "{words:?}: {said}");
        }
    }
    desk.write("beistand.db.stop", "");
    let said = stderr(&desk, 0, &["needs"]);
    assert!(said.contains("beistand.db.stop"), "it would stop everything again: {said}");
    let said = stderr(&desk, 7, &["go-on", "--as", BEN]);
    assert!(said.contains("beistand.db.stop"), "which file: {said}");
    std::fs::remove_file(desk.path("beistand.db.stop")).unwrap();
    let gone_on = stderr(&desk, 0, &["go-on", "--as", BEN]);
    assert!(gone_on.contains("effects may start again"), "{gone_on}");
    let gone_on = stderr(&desk, 0, &["go-on", "--as", BEN]);
    assert!(gone_on.contains("nothing was stopped"), "{gone_on}");
    let said = stderr(&desk, 0, &["needs"]);
    assert!(!said.contains("stop switch"), "{said}");
}

#[test]
fn where_the_stop_file_lies_nothing_begins() {
    let desk = desk();
    desk.write("mail.yaml", MAIL);
    desk.ok(0, &["run", "mail.yaml", "--drill"]);
    desk.write("beistand.db.stop", "");
    let said = stderr(&desk, 0, &["runs"]);
    assert!(said.contains("STOPPED") && said.contains("beistand.db.stop"), "{said}");
    for _ in 0..3 {
        let said = stderr(&desk, 5, &["run", "mail.yaml", "--drill"]);
        assert!(said.contains("the stop switch is on"), "{said}");
    }
    let runs = desk.json(&["runs"]);
    assert_eq!(runs.as_array().unwrap().len(), 1, "{runs:#}");
    std::fs::remove_file(desk.path("beistand.db.stop")).unwrap();
    let said = stderr(&desk, 0, &["runs"]);
    assert!(said.contains("by stop-file: the stop file is there"), "{said}");
    desk.ok(0, &["go-on", "--as", BEN]);
    desk.ok(0, &["run", "mail.yaml", "--drill"]);
}

#[test]
fn a_store_that_is_not_there_is_not_stopped() {
    let desk = desk();
    for words in [&["stop-all", "--reason", "all", "--as", ANNA][..], &["go-on", "--as", ANNA]] {
        let said = stderr(&desk, 4, words);
        assert!(said.contains("name another one by --store"), "{said}");
        assert!(!desk.path("beistand.db").exists(), "{words:?} makes no store of its own");
    }
}

#[test]
fn what_is_asked_after_a_restore_says_why_and_is_shown_run_by_run() {
    let desk = desk();
    let runs = [begun(&desk, "look.yaml"), begun(&desk, "look.yaml")];
    desk.ok(0, &["backup", "old.backup"]);
    desk.ok(0, &["restore", "old.backup"]);
    let said = stderr(&desk, 0, &["needs"]);
    for part in ["restored from a backup; 2 runs had not ended", "go-on --reason"] {
        assert!(said.contains(part), "{said}");
    }
    // Who stops after that is not who lets things go on, and what the restore wants stays.
    desk.ok(0, &["stop-all", "--reason", "not yet", "--as", ANNA]);
    let said = stderr(&desk, 0, &["needs"]);
    for part in
        ["from a backup; 2 runs had not ended; and stopped by anna: not yet", "old instance"]
    {
        assert!(said.contains(part), "{said}");
    }
    desk.ok(5, &["go-on", "--reason", "the old instance is off", "--as", ANNA]);
    desk.ok(2, &["go-on", "--as", BEN]);
    desk.ok(0, &["go-on", "--reason", "the old instance is off", "--as", BEN]);
    desk.ok(6, &["resume"]);
    let shown = desk.ok(0, &["needs"]);
    let decisions = shown.matches("[decision by commander").count();
    assert_eq!((decisions, shown.matches("  reason: ").count()), (2, 2), "{shown}");
    assert!(!shown.contains("answers them together"), "no verb answers two runs at once: {shown}");
    // What one answers with its group is what stands together.
    let needs = desk.needs(&runs[0]);
    let asked = needs.iter().find(|need| need["kind"] == "decision").unwrap();
    let words = ["decide", text(&asked["id"]), "retry", "--group", "--reason", "x", "--as", BEN];
    desk.ok(0, &words);
    let shown = desk.ok(0, &["needs"]);
    assert_eq!(shown.matches("[decision by commander").count(), 1, "{shown}");
}

#[test]
fn an_approver_reads_what_is_real_who_asks_and_how_many_have_said_yes() {
    let desk = desk();
    let run = begun(&desk, "cut.yaml");
    let gate = need(&desk, &run);
    // Without a terminal the question is not asked, and what stands before it is said all the same.
    let screen = stderr(&desk, 2, &["approve", &gate, "--as", BEN]);
    let incident = text(&desk.show(&run)["incident_number"]).to_owned();
    let asked = format!("incident {incident}: Cut a host off");
    for part in [
        "LIVE: its effects are real",
        &asked,
        &format!("run {run} of cut"),
        "asked for by anna since ",
        "0 of 1 votes; until ",
    ] {
        assert!(screen.contains(part), "{part}: {screen}");
    }
    let drilled = desk.done(&["run", "cut.yaml", "--input", "host=pc-1", "--drill", "--as", ANNA]);
    drilled.expect_code(6).unwrap();
    let gate = need(&desk, &announced(&drilled.stderr).unwrap());
    let screen = stderr(&desk, 2, &["approve", &gate, "--as", BEN]);
    assert!(screen.contains("DRILL: its effects are pretended"), "{screen}");
    assert!(!screen.contains("LIVE"), "{screen}");
}

#[test]
fn what_was_only_asked_for_is_not_cut_off_and_an_undo_is_called_one() {
    let desk = desk();
    let run = begun(&desk, "cut.yaml");
    let incident = text(&desk.show(&run)["incident_number"]).to_owned();
    let briefing = || desk.ok(0, &["incident", "briefing", &incident]);
    assert!(!briefing().contains("ut off or locked"), "a gate is open: {}", briefing());
    assert_eq!(desk.approve(&run, BEN), 1);
    desk.ok(6, &["resume"]);
    let asked = "## Asked to be cut off or locked, not yet known to be done (1)";
    assert!(briefing().contains(asked), "{}", briefing());
    assert!(!briefing().contains("## Cut off"), "{}", briefing());

    let task = need(&desk, &run);
    let said = stderr(&desk, 2, &["done", &task, "--as", BEN]);
    assert!(said.contains("this task asks for a form: "), "{said}");
    let (_, example) = said.split_once("for example: beistand ").unwrap();
    let words: Vec<&str> = example.trim().split(' ').chain(["--as", BEN]).collect();
    desk.ok(0, &words);
    assert_eq!(desk.show(&run)["status"], "succeeded");
    assert!(briefing().contains("## Cut off or locked (1)"), "{}", briefing());

    let undone = stderr(&desk, 6, &["undo", &run, "--reason", "it is clean", "--as", ANNA]);
    assert!(undone.contains("waits: take back: Cut a host off"), "{undone}");
    assert!(!undone.contains("continues with"), "it was driven at once: {undone}");
    let gate = need(&desk, &run);
    for said in [
        desk.ok(0, &["needs"]),
        desk.ok(0, &["show", &run]),
        stderr(&desk, 2, &["approve", &gate, "--as", BEN]),
        briefing(),
    ] {
        assert!(said.contains("take back: Cut a host off"), "{said}");
    }
    desk.approve(&run, BEN);
    desk.ok(6, &["resume"]);
    let by_hand = desk.ok(0, &["needs"]);
    assert!(by_hand.contains("take back: Cut"), "whoever does it by hand: {by_hand}");
    let ended = "## Being taken back, not yet known to be free (1)";
    assert!(briefing().contains(ended), "{}", briefing());
}

#[test]
fn what_had_ended_before_was_not_resumed() {
    let desk = desk();
    let run = begun(&desk, "look.yaml");
    let said = stderr(&desk, 2, &["done", &need(&desk, &run), "--as", BEN]);
    for part in ["attack (true or false), note (a text, may be left out)", "--form attack=true"] {
        assert!(said.contains(part), "{said}");
    }
    desk.ok(0, &["done", &need(&desk, &run), "--form", "attack=true", "--as", BEN]);
    desk.ok(0, &["resume"]);
    begun(&desk, "look.yaml");
    let ended = stderr(&desk, 6, &["resume"]);
    assert!(ended.contains("resumed: 1 waiting"), "{ended}");
    assert_eq!(desk.done(&["resume", "--json"]).json(6).unwrap(), json!({"waiting": 1}));
    let alone = Desk::new();
    alone.configure(&json!({}));
    alone.ok(0, &["incident", "open", "A look", "--as", ANNA]);
    assert!(stderr(&alone, 0, &["resume"]).contains("no run is left to go on with"));
}

#[test]
fn a_host_that_is_in_no_inventory_is_said_before_a_live_run_begins_and_where_it_fails() {
    let desk = desk();
    let words = ["run", "cut.yaml", "--input", "host=pc-99", "--by-hand-ok", "--as", ANNA];
    let said = stderr(&desk, 6, &words);
    let (missing, began) = (said.find("`pc-99` is not in the inventory"), said.find("run 0"));
    assert!(missing.is_some() && missing < began, "{said}");
    let shown = desk.ok(0, &["needs"]);
    assert!(shown.contains("is no address; add it there and retry"), "{shown}");
}
