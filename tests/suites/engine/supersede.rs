//! A corrected playbook takes over: on a real store, also over the end of a process.

use beistand_core::model::RunId;
use beistand_core::run::{Command, RunState};
use beistand_runtime::{Drive, Engine, EngineError, NewRun, NewSuccessor, Parts, compare, view};
use beistand_script::Scripts;
use serde_json::{Value, json};

use super::world::{anna, engine, engine_with, new_run, status};

const OLD: &str = "playbook: contain
language: 1
title: Contain
inputs:
  hosts: { type: array, items: { type: string, format: host } }
steps:
  - id: part
    playbook: part
    with: { hosts: \"${inputs.hosts}\" }
  - { id: stay, wait: { signal: go } }
";

const PART: &str = "playbook: part
language: 1
title: A part
inputs:
  hosts: { type: array, items: { type: string, format: host } }
steps:
  - id: contain
    for_each: inputs.hosts
    as: host
    steps:
      - id: cut
        call: network.isolate
        with: { host: \"${host}\" }
  - id: tell
    call: chat.post
    with: { room: crisis, text: cut off }
";

fn with_part(text: &str, part: &str, inputs: Value) -> NewRun {
    let mut new = new_run(text, inputs);
    new.sources.extend(new_run(part, json!({})).sources);
    new
}

fn successor(run: RunId, text: &str, part: &str) -> NewSuccessor {
    let NewRun { sources, playbook, .. } = with_part(text, part, json!({}));
    let reason = "a wrong text".to_owned();
    NewSuccessor { run, sources, playbook, reason, by_hand_ok: false, by: anna() }
}

fn opened(answer: &Value) -> RunId {
    answer["run"].as_str().unwrap().parse().unwrap()
}

async fn state(engine: &Engine, run: RunId) -> RunState {
    view(engine.journal().reader(), run, &Scripts::without_budget()).await.unwrap().1
}

/// Drives until a run has this status.
async fn until(engine: &Engine, run: RunId, wanted: &str) {
    let known = async || engine.journal().reader().run(run).await.unwrap().map(|row| row.status);
    for _ in 0..2_000 {
        engine.claim_due().await.unwrap();
        if known().await.as_deref() == Some(wanted) {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    panic!("run {run} is {:?} and not {wanted}", known().await);
}

async fn same_as_entries(engine: &Engine) {
    let found = compare(engine.journal().reader(), &Scripts::without_budget()).await.unwrap();
    assert_eq!(found.differences, []);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_run_and_its_parts_did_is_taken_over_and_every_row_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let engine = engine(&folder.path().join("a.db"), Vec::new()).await;
    let old = with_part(OLD, PART, json!({"hosts": ["pc-1", "pc-2"]}));
    let old = engine.launch(old).await.unwrap();
    until(&engine, old, "waiting").await;
    while engine.journal().reader().holds(None).await.unwrap().len() < 2
        || state(&engine, old).await.children().next().is_some()
    {
        engine.claim_due().await.unwrap();
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    let part = PART.replace("text: cut off", "text: cut off by us");
    let text = OLD.replace("  - { id: stay, wait: { signal: go } }\n", "");
    let answer = engine.supersede(successor(old, &text, &part)).await.unwrap();
    let new = opened(&answer);
    until(&engine, old, "superseded").await;
    until(&engine, new, "succeeded").await;
    let reader = engine.journal().reader();
    let row = reader.run(old).await.unwrap().unwrap();
    assert_eq!(row.superseded_by, Some(new));
    let found = state(&engine, new).await;
    assert_eq!(found.opened().supersedes.as_ref().unwrap().run, old);
    let children = found.steps().filter_map(|step| step.child).collect::<Vec<_>>();
    let part = state(&engine, children[0]).await;
    let taken = part.steps().filter(|step| step.taken_from.is_some()).count();
    assert_eq!(taken, 2, "the hosts; the text was corrected and is told");
    let holds = reader.holds(None).await.unwrap();
    assert!(holds.iter().all(|hold| hold.key.run == children[0]), "{holds:#?}");
    assert_eq!(holds.len(), 2);
    same_as_entries(&engine).await;
    let undo = Command::Undo { by: anna(), paths: Vec::new(), reason: "all clear".to_owned() };
    engine.command(new, undo, None).await.unwrap();
    until(&engine, new, "undone").await;
    assert_eq!(reader.holds(None).await.unwrap(), []);
    same_as_entries(&engine).await;
    engine.leave().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_only_answers_leaves_the_rest_to_the_next_who_drives() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.db");
    let text =
        "playbook: wait\nlanguage: 1\ntitle: Waits\nsteps:\n- { id: stay, wait: { signal: go } }\n";
    let first = engine(&path, Vec::new()).await;
    let old = first.launch(new_run(text, json!({}))).await.unwrap();
    first.ended(old).await;
    first.leave().await;

    let second = engine_with(&path, Vec::new(), |parts| Parts { drive: Drive::No, ..parts }).await;
    let corrected = new_run(
        "playbook: say\nlanguage: 1\ntitle: Says\nsteps:\n- { id: say, note: x }\n",
        json!({}),
    );
    let wanted = NewSuccessor {
        run: old,
        sources: corrected.sources,
        playbook: corrected.playbook,
        reason: "a wrong wait".to_owned(),
        by_hand_ok: false,
        by: anna(),
    };
    let new = opened(&second.supersede(wanted.clone()).await.unwrap());
    second.leave().await;

    let third = engine(&path, Vec::new()).await;
    until(&third, old, "superseded").await;
    until(&third, new, "succeeded").await;
    same_as_entries(&third).await;
    let ended = third.supersede(wanted).await.unwrap_err();
    assert!(matches!(ended, EngineError::Answer(_)), "{ended}");
    let more = beistand_runtime::NewMore {
        run: old,
        inputs: serde_json::Map::new(),
        start_key: None,
        by_hand_ok: false,
        by: anna(),
    };
    let more = third.more(more).await.unwrap_err();
    assert!(more.to_string().contains("ask for more of that"), "{more}");
    third.leave().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn inputs_that_do_not_fit_the_corrected_playbook_are_found_before_anything_happens() {
    let folder = tempfile::tempdir().unwrap();
    let engine = engine(&folder.path().join("a.db"), Vec::new()).await;
    let text =
        "playbook: wait\nlanguage: 1\ntitle: Waits\nsteps:\n- { id: stay, wait: { signal: go } }\n";
    let old = engine.launch(new_run(text, json!({}))).await.unwrap();
    engine.ended(old).await;
    let refused = engine.supersede(successor(old, OLD, PART)).await.unwrap_err();
    assert!(matches!(refused, EngineError::Launch(_)), "{refused}");
    assert_eq!(status(&engine, old).await, "waiting");
    engine.leave().await;
}
