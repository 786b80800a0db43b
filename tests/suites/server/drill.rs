//! One drill, three people and a machine, over HTTP and the command line: whoever kills the server
//! and whenever, each act is done once and stands under who did it.

mod script;
mod stage;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use self::script::ACTS;
use self::stage::{Stage, Told};
use crate::desk::text;

/// When the server is killed.
#[derive(Debug, Clone, Copy)]
enum Kill {
    /// Never.
    Never,
    /// Between any two acts.
    Between,
    /// Between any two, and in each as it comes to a named place for the n-th time.
    Within(&'static str),
}

/// Plays all acts and looks at what came out; answers the acts in which the server died.
fn play(kill: Kill) -> BTreeSet<&'static str> {
    let mut stage = Stage::new();
    let mut died = BTreeSet::new();
    for act in ACTS {
        match kill {
            Kill::Never => {}
            Kill::Between => stage.house.serve(None),
            Kill::Within(place) => stage.house.serve(Some(place).filter(|_| act.again)),
        }
        let before = stage.house.deaths;
        (act.play)(&mut stage);
        stage.house.revived();
        if stage.house.deaths > before {
            died.insert(act.name);
        }
    }
    judge(&mut stage);
    died
}

fn judge(stage: &mut Stage) {
    stage.house.desk.ok(0, &["verify"]);
    each_act_is_told_once(stage);
    each_effect_took_place_once(stage);
}

/// Every act of a person or a machine in the timeline, over HTTP and on the command line.
fn each_act_is_told_once(stage: &mut Stage) {
    let path = format!("/api/v1/incidents/{}/timeline", stage.facts.incident);
    let page = stage.house.get("cleo", &path);
    assert_eq!(page["next"], Value::Null);
    let over_http = acts_of(page["items"].as_array().unwrap());
    assert_eq!(over_http, stage.told);
    let typed = acts_of(&stage.house.desk.export(&stage.facts.incident));
    assert_eq!(typed, stage.told);
}

fn acts_of(lines: &[Value]) -> Vec<Told> {
    let word = |line: &Value, name: &str| line[name].as_str().map(str::to_owned);
    let told = |line: &Value| {
        let person = word(line, "actor")?;
        // Who keeps the accounts made them before the drill, and what was refused was not done.
        if line["kind"] == "access-changed" {
            return None;
        }
        assert_eq!(line.get("asserted"), None, "{line}");
        Some(Told {
            kind: word(line, "kind")?,
            person,
            proof: word(line, "proof").unwrap_or_default(),
            account: word(line, "account"),
            through: word(line, "through"),
        })
    };
    lines.iter().filter_map(told).collect()
}

/// The mail server has each mail once, and each host was cut off under one key.
fn each_effect_took_place_once(stage: &mut Stage) {
    let mails = stage.mails.mails().unwrap();
    let mut subjects: Vec<&str> = mails.iter().map(|mail| mail.subject.as_str()).collect();
    subjects.sort_unstable();
    let wanted = [("tell", false), ("tell", true), ("report", false), ("report", true)];
    let mut wanted: Vec<String> =
        wanted.map(|(step, more)| format!("[ÜBUNG] {}", script::subject(step, more))).into();
    wanted.sort_unstable();
    assert_eq!(subjects, wanted);
    let lines = stage.house.desk.export(&stage.facts.incident);
    let chain = lines.last().unwrap()["chain"]["entries"].as_array().unwrap();
    let mut keys: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for entry in chain {
        let head: Value = serde_json::from_str(text(&entry["head"])).unwrap();
        for event in head["events"].as_array().into_iter().flatten() {
            if event["k"] == "attempt-started" {
                let effect = format!("{} {}", text(&entry["stream"]), text(&event["path"]));
                keys.entry(effect).or_default().insert(text(&event["key"]).to_owned());
            }
        }
    }
    let (run, next, more) = (&stage.facts.run, &stage.facts.next, &stage.facts.more);
    let effects = [
        (run, "contain[0]/cut"),
        (run, "contain[1]/cut"),
        (run, "tell"),
        (next, "report"),
        (more, "contain[0]/cut"),
        (more, "tell"),
        (more, "report"),
    ];
    let effects: BTreeSet<String> =
        effects.iter().map(|(run, path)| format!("run:{run} {path}")).collect();
    assert_eq!(keys.keys().cloned().collect::<BTreeSet<_>>(), effects);
    assert!(keys.values().all(|keys| keys.len() == 1), "{keys:#?}");
}

#[test]
fn three_people_and_a_machine_go_through_a_drill() {
    assert!(play(Kill::Never).is_empty());
}

#[test]
fn a_drill_goes_on_when_the_server_is_killed_between_any_two_acts() {
    assert!(play(Kill::Between).is_empty());
}

/// What must have been hit: otherwise nothing was tried.
fn hit(place: &'static str, wanted: &[&str]) {
    let died = play(Kill::Within(place));
    for act in wanted {
        assert!(died.contains(act), "{place} is not in `{act}`: {died:?}");
    }
}

const IN_A_RUN: [&str; 5] = [
    "ben votes",
    "dora votes by her other account",
    "dora supersedes",
    "cleo asks for more hosts",
    "ben votes for more",
];

#[test]
fn an_act_that_dies_before_it_is_written_is_asked_again_and_done_once() {
    hit("before_append:1", &IN_A_RUN);
}

#[test]
fn an_act_that_dies_when_it_was_written_is_asked_again_and_done_once() {
    hit("after_append:1", &IN_A_RUN);
}

#[test]
fn an_act_that_dies_before_its_effect_has_one_effect() {
    hit("before_effect:1", &["dora votes by her other account", "dora supersedes"]);
}

#[test]
fn an_act_that_dies_after_its_effect_has_one_effect() {
    hit("after_effect:1", &["dora votes by her other account", "dora supersedes"]);
}

const IN_THE_STORE: [&str; 4] =
    ["cleo offers command", "dora accepts it", "dora supersedes", "cleo stops everything"];

#[test]
fn a_server_that_dies_before_a_commit_has_done_nothing() {
    hit("before_commit:1", &IN_THE_STORE);
}

#[test]
fn a_server_that_dies_after_a_commit_has_done_it() {
    hit("after_commit:1", &IN_THE_STORE);
}
