//! Runs are opened with their first turn.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use beistand_core::entry::StreamKind;
use beistand_core::model::{Guard, GuardHit, GuardIdentity, Mode, RunId, TargetKind};
use beistand_journal::Page;
use beistand_runtime::{Drive, Engine, EngineError, IncidentAct, NewRun, Parts, Verb};
use serde_json::json;

use super::TEN;
use super::world::{Calls, anna, engine, engine_with, new_run, noting, status};

const ONE: &str = "playbook: one
language: 1
title: One post
steps:
  - id: post
    call: chat.post
    with: { room: crisis, text: hello }
";

const SAID: &str = "playbook: said
language: 1
title: Only says something
steps:
  - { id: say, note: hello }
";

async fn entries(engine: &Engine, run: RunId) -> usize {
    let reader = engine.journal().reader();
    let stream = reader.stream(StreamKind::Run, &run.to_string()).await.unwrap().unwrap();
    reader.entries(&stream, 0, 100).await.unwrap().len()
}

static WRITTEN: AtomicBool = AtomicBool::new(false);
static GO_ON: AtomicBool = AtomicBool::new(false);

/// Keeps the task of the first append between what is durable and what follows from it.
fn between(place: &'static str) {
    if place == "after_append" && !WRITTEN.swap(true, Ordering::SeqCst) {
        while !GO_ON.load(Ordering::SeqCst) {
            std::thread::yield_now();
        }
    }
}

async fn counted(path: &Path, calls: &Calls) -> Engine {
    engine_with(path, vec![("chat", "counting", noting(calls))], |parts| Parts {
        crash_point: Some(between),
        ..parts
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn who_leaves_waits_for_a_run_that_is_being_opened() {
    let folder = tempfile::tempdir().unwrap();
    let calls = Calls::default();
    let engine = counted(&folder.path().join("a.db"), &calls).await;
    let opener = engine.clone();
    let launched = tokio::spawn(async move { opener.launch(new_run(ONE, json!({}))).await });
    while !WRITTEN.load(Ordering::SeqCst) {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let leaver = engine.clone();
    let leaving = tokio::spawn(async move { leaver.leave().await });
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert!(!leaving.is_finished(), "its intent is written, and nothing was done yet");
    GO_ON.store(true, Ordering::SeqCst);
    assert_eq!(leaving.await.unwrap(), 0);
    let called = calls.lock().unwrap().len();
    launched.await.unwrap().unwrap();
    tokio::time::sleep(Duration::from_millis(50)).await;
    let after = calls.lock().unwrap().len();
    assert_eq!(after, called, "nothing begins after the store was given back");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_that_ends_in_its_first_turn_is_one_entry() {
    let folder = tempfile::tempdir().unwrap();
    let engine = engine(&folder.path().join("a.db"), Vec::new()).await;
    let run = engine.launch(new_run(SAID, json!({}))).await.unwrap();
    assert_eq!(
        (status(&engine, run).await.as_str(), entries(&engine, run).await),
        ("succeeded", 1)
    );
    let row = engine.journal().reader().run(run).await.unwrap().unwrap();
    assert!(row.ended_at.is_some());
    engine.rest().await;
    assert_eq!((engine.in_memory(), engine.leave().await), (0, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_that_was_opened_by_who_does_not_drive_is_due_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.db");
    let first = engine_with(&path, Vec::new(), |parts| Parts { drive: Drive::No, ..parts }).await;
    let run = first.launch(new_run(TEN, json!({}))).await.unwrap();
    // It is answered before it is left.
    first.ended(run).await;
    assert_eq!((entries(&first, run).await, first.in_memory()), (1, 0), "only opened");
    first.leave().await;
    let second = engine(&path, Vec::new()).await;
    second.claim_due().await.unwrap();
    second.rest().await;
    assert_eq!(status(&second, run).await, "succeeded");
    second.leave().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn launches_with_one_start_key_at_once_are_one_run() {
    let folder = tempfile::tempdir().unwrap();
    let engine = engine(&folder.path().join("a.db"), Vec::new()).await;
    let first = engine.launch(new_run(SAID, json!({}))).await.unwrap();
    let incident = engine.journal().reader().run(first).await.unwrap().unwrap().incident;
    let wanted = NewRun {
        start_key: Some("alert 7".to_owned()),
        incident: Some(incident),
        ..new_run(TEN, json!({}))
    };
    let mut launches = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let (engine, wanted) = (engine.clone(), wanted.clone());
        launches.spawn(async move { engine.launch(wanted).await.unwrap() });
    }
    let runs = launches.join_all().await;
    assert!(runs.iter().all(|run| *run == runs[0]), "{runs:?}");
    engine.rest().await;
    assert_eq!(engine.launch(wanted).await.unwrap(), runs[0], "afterwards too");
    assert_eq!((status(&engine, runs[0]).await.as_str(), engine.leave().await), ("succeeded", 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn launches_with_one_start_key_at_once_open_one_incident() {
    let folder = tempfile::tempdir().unwrap();
    let engine = engine(&folder.path().join("a.db"), Vec::new()).await;
    let of = |key: &str| NewRun { start_key: Some(key.to_owned()), ..new_run(TEN, json!({})) };
    let mut launches = tokio::task::JoinSet::new();
    for number in 0..12 {
        let (engine, wanted) = (engine.clone(), of(if number < 8 { "one" } else { "other" }));
        launches.spawn(async move { engine.launch(wanted).await.unwrap() });
    }
    let mut runs = launches.join_all().await;
    runs.sort();
    runs.dedup();
    let incidents = engine.journal().reader().incidents(Page::first(20)).await.unwrap();
    assert_eq!((runs.len(), incidents.len()), (2, 2), "a key opens one, another one another");
    let drill = NewRun { mode: Mode::Drill, ..of("one") };
    let refused = engine.launch(drill).await.unwrap_err();
    assert!(refused.to_string().ends_with("of other `mode`"), "{refused}");
    engine.rest().await;
    engine.leave().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_closed_incident_admits_no_run_though_one_was_launched_in_it() {
    let folder = tempfile::tempdir().unwrap();
    let engine = engine(&folder.path().join("a.db"), Vec::new()).await;
    let first = engine.launch(new_run(SAID, json!({}))).await.unwrap();
    let incident = engine.journal().reader().run(first).await.unwrap().unwrap().incident;
    let again = NewRun { incident: Some(incident), ..new_run(SAID, json!({})) };
    engine.launch(again.clone()).await.unwrap();
    let act = IncidentAct::Close { reason: "over".to_owned() };
    engine.execute(Verb::Incident { incident, act, by: anna(), if_seq: None }).await.unwrap();
    let refused = engine.launch(again).await;
    assert!(matches!(refused, Err(EngineError::Conflict(_))), "{refused:?}");
    engine.leave().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_about_to_launch_is_told_what_is_never_touched_and_what_is_too_much() {
    let folder = tempfile::tempdir().unwrap();
    let change = |mut parts: Parts| {
        let live = &mut parts.modes.live.setup;
        live.guard = Guard::new(vec![GuardIdentity::from_text("dc01")]);
        live.limits.targets_per_run = Some(2);
        parts
    };
    let engine = engine_with(&folder.path().join("a.db"), Vec::new(), change).await;
    let kept_back = |mode, names: &[&str]| {
        let hosts: Vec<_> =
            names.iter().map(|name| (TargetKind::Host, (*name).to_owned())).collect();
        engine.kept_back(mode, &hosts)
    };
    let hit = |target: &str| GuardHit { target: target.to_owned(), label: "dc01".to_owned() };
    assert_eq!(kept_back(Mode::Live, &["pc-1", "pc-2"]), (vec![], None));
    assert_eq!(
        kept_back(Mode::Live, &["dc01.town.example", "pc-1"]),
        (vec![hit("dc01.town.example")], None)
    );
    assert_eq!(kept_back(Mode::Live, &["pc-1", "DC01", "pc-2"]).1, Some(2));
    assert_eq!(kept_back(Mode::Live, &["pc-1", "pc-2", "dc01"]), (vec![hit("dc01")], Some(2)));
    // A drill touches nothing.
    assert_eq!(kept_back(Mode::Drill, &["pc-1", "pc-2", "dc01"]), (vec![], None));
    engine.leave().await;
}
