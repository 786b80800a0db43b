//! Command of an incident: what it is about, what is changed, handed over and written down later.

use beistand_core::model::Span;
use beistand_runtime::{Clock as _, WallClock};
use serde_json::{Value, json};

use crate::desk::{ANNA, BEN, Desk, announced, text};

/// A playbook that goes over what the incident is about.
const ROUNDS: &str = "playbook: rounds
language: 1
title: Go round
steps:
  - { id: first, task: { role: responder, instructions: Name what is affected. } }
  - id: each
    for_each: incident.assets(\"host\", \"affected\")
    as: asset
    steps:
      - { id: seen, note: \"${asset.value} of ${asset.organisation}\" }
outputs:
  hosts: incident.assets(\"host\", \"affected\").map(|asset| asset.value)
";

/// A desk with an inventory, a drill's run that waits for a person, and its incident.
fn desk() -> (Desk, String, String) {
    let desk = Desk::new();
    desk.configure(&json!({ "inventory": ["hosts.csv"], "guard": { "never": ["dc01"] } }));
    desk.write(
        "hosts.csv",
        "name,addresses,organisation\npc-1,10.77.3.1,stadt-a\npc-2,10.77.3.2,stadt-b\n",
    );
    desk.write("rounds.yaml", ROUNDS);
    let ended = desk.done(&["run", "rounds.yaml", "--drill", "--as", ANNA]);
    ended.expect_code(6).unwrap();
    let run = announced(&ended.stderr).unwrap();
    let number = text(&desk.show(&run)["incident_number"]).to_owned();
    (desk, run, number)
}

/// What the incident is about, as `incident show` says it.
fn assets(desk: &Desk, incident: &str) -> Vec<Value> {
    let shown = desk.json(&["incident", "show", incident]);
    let mut assets = shown["assets"].as_array().unwrap().clone();
    for asset in &mut assets {
        let at = asset.as_object_mut().unwrap().remove("at").unwrap();
        assert!(text(&at).ends_with('Z'));
    }
    assets
}

/// What an incident's timeline tells of one kind, in German.
fn messages(desk: &Desk, incident: &str, kind: &str) -> Vec<String> {
    let lines = desk.json(&["timeline", incident, "--lang", "de"]);
    let lines = lines.as_array().unwrap().iter().filter(|line| line["kind"] == kind);
    lines.map(|line| text(&line["message"]).to_owned()).collect()
}

#[test]
fn a_playbook_goes_over_what_the_incident_is_about() {
    let (desk, run, number) = desk();
    let asset = |kind: &str, value: &str, state: &str| {
        let words = ["incident", "asset", &number, kind, value, state, "--as", ANNA];
        desk.json(&words)
    };
    desk.write("more.txt", "10.77.3.2\n\nROGUE\n");
    assert_eq!(asset("host", "pc-1", "suspected")["seq"], 2);
    asset("host", "PC-1", "affected");
    let told = asset("host", "@more.txt", "affected");
    assert_eq!(told["seq"], 4, "what is named together is written together: {told}");
    assert_eq!(asset("host", "pc-2", "affected")["already"], true);
    asset("mailbox", "info@example.org", "contained");
    let show = |value: &str, kind: &str, state: &str, whose: Option<&str>| json!({ "kind": kind, "value": value, "state": state, "organisation": whose });
    let wanted = [
        show("pc-1", "host", "affected", Some("stadt-a")),
        show("pc-2", "host", "affected", Some("stadt-b")),
        show("rogue", "host", "affected", None),
        show("info@example.org", "mailbox", "contained", None),
    ];
    assert_eq!(assets(&desk, &number), wanted);
    let words = ["incident", "asset", &number, "host", "rogue", "affected"];
    desk.ok(0, &[&words[..], &["--organisation", "stadt-a", "--as", ANNA]].concat());
    assert_eq!(assets(&desk, &number)[2], show("rogue", "host", "affected", Some("stadt-a")));

    let need = desk.needs(&run)[0]["id"].clone();
    desk.ok(0, &["done", text(&need), "--as", BEN]);
    desk.ok(0, &["resume"]);
    let shown = desk.show(&run);
    assert_eq!(shown["outputs"]["hosts"], json!(["pc-1", "pc-2", "rogue"]), "{shown:#}");
    let lines = desk.ok(0, &["timeline", &number, "--utc"]);
    assert!(lines.contains("pc-2 of stadt-b") && lines.contains("Asset host rogue is affected"));
    desk.ok(0, &["verify"]);
}

#[test]
fn what_is_no_asset_is_refused_and_nothing_is_written() {
    let (desk, _, number) = desk();
    desk.write("empty.txt", "\n  \n");
    let before = desk.json(&["incident", "show", &number]);
    for (code, said, words) in [
        (2, "host, address", ["server", "pc-1", "affected"]),
        (2, "suspected, affected", ["host", "pc-1", "broken"]),
        (2, "names nothing", ["host", "@empty.txt", "affected"]),
        (2, "could not read", ["host", "@none.txt", "affected"]),
        (2, "300 characters", ["host", " ", "affected"]),
    ] {
        let words = [&["incident", "asset", &number], &words[..], &["--as", ANNA]].concat();
        let ended = desk.done(&words);
        ended.expect_code(code).unwrap_or_else(|trouble| panic!("{words:?}: {trouble}"));
        assert!(ended.stderr.contains(said), "{words:?}: {}", ended.stderr);
    }
    assert_eq!(desk.json(&["incident", "show", &number]), before);
}

#[test]
fn an_edit_is_written_down_and_not_on_top_of_what_nobody_saw() {
    let (desk, _, number) = desk();
    let edit = |words: &[&str]| {
        desk.done(&[&["incident", "edit", &number], words, &["--json", "--as", BEN]].concat())
    };
    let told =
        edit(&["--title", "Zwei Server", "--severity", "4", "--tlp", "RED"]).json(0).unwrap();
    assert_eq!(told["seq"], 2);
    let shown = desk.json(&["incident", "show", &number]);
    let changed = [&shown["title"], &shown["severity"], &shown["tlp"], &shown["seq"]];
    assert_eq!(changed, [&json!("Zwei Server"), &json!(4), &json!("RED"), &json!(2)]);
    assert_eq!(edit(&["--severity", "4"]).json(0).unwrap()["already"], true);
    for (code, said, words) in [
        (2, "say why", &["--tlp", "GREEN"][..]),
        (2, "it is empty", &["--title", " "]),
        (2, "required", &["--reason", "nothing"]),
        (7, "moved on to entry 2", &["--severity", "1", "--if-seq", "1"]),
    ] {
        let ended = edit(words);
        ended.expect_code(code).unwrap_or_else(|trouble| panic!("{words:?}: {trouble}"));
        assert!(ended.stderr.contains(said), "{words:?}: {}", ended.stderr);
    }
    let seen = edit(&["--tlp", "GREEN", "--reason", "for the neighbours", "--if-seq", "2"]);
    assert_eq!(seen.json(0).unwrap()["seq"], 3);
    let told = messages(&desk, &number, "incident-changed");
    let ben = "Vorfall geändert von ben (ungeprüft), jetzt";
    let wanted = [
        format!("{ben} Titel „Zwei Server“, Schwere 4, TLP:RED"),
        format!("{ben} TLP:GREEN: for the neighbours"),
    ];
    assert_eq!(told, wanted);
    desk.ok(0, &["verify"]);
}

const CARLA: &str = "carla";
const DORA: &str = "dora";

/// The digest of how an incident stands now.
fn briefed(desk: &Desk, incident: &str) -> String {
    text(&desk.json(&["incident", "briefing", incident])["digest"]).to_owned()
}

/// An incident whose commander is Carla.
fn commanded() -> (Desk, String, String) {
    let (desk, run, number) = desk();
    desk.ok(0, &["incident", "assign", &number, "commander", CARLA, "--as", ANNA]);
    (desk, run, number)
}

#[test]
fn command_goes_to_who_saw_how_things_stand() {
    let (desk, run, number) = commanded();
    let hand = |words: &[&str]| {
        desk.done(&[&["incident", "handover", &number], words, &["--json"]].concat())
    };
    let words = ["--to", DORA, "--note", "Der Router schweigt", "--as", CARLA];
    let offered = hand(&words).json(0).unwrap();
    let digest = briefed(&desk, &number);
    assert_eq!(offered["digest"], json!(digest), "an offer is bound to how things stand");
    assert_eq!(hand(&words).json(0).unwrap()["already"], true);
    let shown = desk.json(&["incident", "show", &number]);
    assert_eq!([&shown["offer"]["to"], &shown["offer"]["by"]], [DORA, CARLA]);
    assert_eq!(shown["roles"], json!([{ "role": "commander", "person": CARLA }]));
    let needs = desk.json(&["needs"]);
    let offer = needs.as_array().unwrap().iter().find(|need| need["kind"] == "handover").unwrap();
    assert_eq!(
        [&offer["to"], &offer["digest"], &offer["incident"]],
        [&json!(DORA), &json!(digest), &shown["id"]]
    );
    let told = desk.ok(0, &["needs"]);
    assert!(
        told.contains(&format!("beistand incident handover {number} --accept --as dora")),
        "{told}"
    );

    // Without a terminal one says what one has seen; the briefing is printed meanwhile.
    let asked = desk.done(&["incident", "handover", &number, "--accept", "--as", DORA]);
    asked.expect_code(2).unwrap();
    for said in [format!("--digest {digest}"), "carla: Der Router schweigt".to_owned()] {
        assert!(asked.stderr.contains(&said), "{said}: {}", asked.stderr);
    }
    assert!(asked.stderr.contains("task: first · responder"), "{}", asked.stderr);

    let need = desk.needs(&run)[0]["id"].clone();
    desk.ok(0, &["note", &number, "Strom weg", "--as", BEN]);
    desk.ok(0, &["done", text(&need), "--as", BEN]);
    desk.ok(0, &["resume"]);
    let late = hand(&["--accept", "--digest", &digest, "--as", DORA]);
    late.expect_code(7).unwrap();
    for said in ["since the offer changed", "needs (0 new, 1 gone)", "notes (1 new, 0 gone)"] {
        assert!(late.stderr.contains(said), "{said}: {}", late.stderr);
    }
    let now = briefed(&desk, &number);
    for (code, words) in [
        (5, ["--accept", "--digest", &now, "--as", BEN]),
        (0, ["--accept", "--digest", &now, "--as", DORA]),
        (7, ["--accept", "--digest", &now, "--as", DORA]),
    ] {
        hand(&words).expect_code(code).unwrap();
    }
    let shown = desk.json(&["incident", "show", &number]);
    assert_eq!(shown["roles"], json!([{ "role": "commander", "person": DORA }]));
    assert_eq!(shown["offer"], Value::Null);
    let short = &now["sha256:".len()..][..12];
    let taken = messages(&desk, &number, "command-taken");
    assert_eq!(
        taken,
        [format!("dora (ungeprüft) hat die Einsatzleitung übernommen, Lagebild {short}…")]
    );
    desk.ok(0, &["verify"]);
    let (export, file) =
        (desk.ok(0, &["timeline", &number, "--format", "jsonl", "--all"]), "a.jsonl");
    desk.write(file, &export);
    desk.ok(0, &["verify", file]);
}

#[test]
fn an_offer_is_made_by_who_has_command_and_withdrawn_by_who_made_it() {
    let (desk, _, number) = desk();
    let hand = |code: i32, said: &str, words: &[&str]| {
        let ended = desk.done(&[&["incident", "handover", &number], words].concat());
        ended.expect_code(code).unwrap_or_else(|trouble| panic!("{words:?}: {trouble}"));
        assert!(ended.stderr.contains(said), "{words:?}: {}", ended.stderr);
    };
    hand(7, "incident assign", &["--to", DORA, "--as", CARLA]);
    desk.ok(0, &["incident", "assign", &number, "commander", CARLA, "--as", ANNA]);
    hand(2, "required", &["--as", CARLA]);
    hand(2, "cannot be used", &["--to", DORA, "--accept", "--as", CARLA]);
    hand(5, "`carla` has command", &["--to", DORA, "--as", BEN]);
    hand(7, "not offered", &["--accept", "--as", DORA]);
    hand(0, "", &["--to", DORA, "--as", CARLA]);
    hand(5, "`carla` offered", &["--withdraw", "--as", DORA]);
    hand(0, "", &["--withdraw", "--as", CARLA]);
    assert_eq!(desk.json(&["incident", "show", &number])["offer"], Value::Null);
    hand(0, "", &["--to", DORA, "--as", CARLA]);
    // Who gives command to somebody else takes back what was offered of it.
    desk.ok(0, &["incident", "assign", &number, "commander", BEN, "--as", ANNA]);
    hand(7, "not offered", &["--accept", "--as", DORA]);
    desk.ok(0, &["verify"]);
}

/// The codes on a sheet, in the order they stand there.
fn codes(sheet: &str) -> Vec<String> {
    let words = sheet.split(|c: char| c.is_whitespace() || c == '*');
    let code = |word: &&str| {
        let groups: Vec<usize> = word.split('-').map(str::len).collect();
        groups == [3, 3, 1]
            && word.chars().all(|c| c == '-' || c.is_ascii_uppercase() || c.is_ascii_digit())
    };
    words.filter(code).map(str::to_owned).collect()
}

#[test]
fn what_was_done_on_paper_is_found_by_its_code_and_says_who_did_it() {
    let (desk, run, number) = desk();
    let sheets = [["print", &run], ["print", &number]].map(|words| codes(&desk.ok(0, &words)));
    assert_eq!(sheets[0].len(), 1, "{sheets:?}");
    assert_eq!(sheets[0], sheets[1], "the run's sheet and the incident's have the same code");
    let code = sheets[0][0].as_str();

    let mut wrong = code.as_bytes().to_vec();
    wrong.swap(0, 1);
    if wrong == code.as_bytes() {
        wrong[0] = if wrong[0] == b'2' { b'3' } else { b'2' };
    }
    let wrong = String::from_utf8(wrong).unwrap();
    for (exit, said, typed) in [
        (2, "mistyped", wrong.as_str()),
        (4, "under the code", "222-222-2"),
        (4, "K7M-4QX-P", "O0O-O0O-O"),
    ] {
        let ended = desk.done(&["done", typed, "--as", ANNA]);
        ended.expect_code(exit).unwrap_or_else(|trouble| panic!("{typed}: {trouble}"));
        assert!(ended.stderr.contains(said), "{typed}: {}", ended.stderr);
    }
    let typed = code.to_lowercase();
    let mistyped = desk.done(&["done", &typed, "--at", "2023-10-30T04:00:00Z", "--as", ANNA]);
    mistyped.expect_code(2).unwrap();
    assert!(mistyped.stderr.contains("long before the run began"), "{}", mistyped.stderr);
    let at = WallClock.now().minus(Span::from_secs(3_600)).to_string();
    let at = at.as_str();
    desk.ok(0, &["done", &typed, "--at", at, "--by", BEN, "--as", ANNA]);
    desk.ok(0, &["note", &number, "Strom weg", "--at", at, "--by", BEN, "--as", ANNA]);
    desk.ok(0, &["note", &number, "Selbst gesehen", "--by", ANNA, "--as", ANNA]);
    desk.done(&["done", code, "--as", ANNA]).expect_code(4).unwrap();
    let ben = "ben (ungeprüft, auf Papier, eingegeben von anna)";
    assert_eq!(messages(&desk, &number, "need-answered"), [format!("first: erledigt von {ben}")]);
    let notes = [format!("{ben}: Strom weg"), "anna (ungeprüft): Selbst gesehen".to_owned()];
    assert_eq!(messages(&desk, &number, "note-added"), notes);
    let lines = desk.export(&number);
    let line = lines.iter().find(|line| line["kind"] == "need-answered").unwrap();
    assert_eq!([&line["datetime"], &line["actor"]], [at, BEN]);
    let chain = &lines.last().unwrap()["chain"].to_string();
    assert!(chain.contains("paper") && chain.contains("through"), "the head says it too");
    desk.ok(0, &["verify"]);
}
