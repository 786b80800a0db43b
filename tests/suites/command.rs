//! Command of an incident: what it is about, what is changed, handed over and written down later.

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
        (2, "has a title", &["--title", " "]),
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
