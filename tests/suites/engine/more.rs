//! More of the same: a run of a pinned plan for items that were found later.

use std::path::Path;
use std::time::Duration;

use beistand_core::entry::StreamKind;
use beistand_core::model::RunId;
use beistand_core::run::{Actor, Answer, AnswerKind, Command, RunState};
use beistand_runtime::{
    Engine, EngineError, IncidentAct, Modes, NewMore, NewRun, Parts, Verb, compare, view,
};
use beistand_script::Scripts;
use serde_json::{Value, json};

use super::GATED;
use super::world::{anna, engine, engine_with, new_run, status};

const CALLER: &str = "playbook: caller
language: 1
title: Calls the gate
inputs:
  hosts: { type: array, items: { type: string, format: host } }
steps:
  - id: part
    playbook: gated
    with: { hosts: \"${inputs.hosts}\" }
";

fn asked(run: RunId, hosts: &[&str]) -> NewMore {
    let inputs = json!({"hosts": hosts}).as_object().cloned().unwrap();
    NewMore { run, inputs, start_key: None, by_hand_ok: false, by: anna() }
}

fn opened(answer: &Value) -> RunId {
    answer["run"].as_str().unwrap().parse().unwrap()
}

async fn state(engine: &Engine, run: RunId) -> RunState {
    view(engine.journal().reader(), run, &Scripts::without_budget()).await.unwrap().1
}

async fn approve(engine: &Engine, run: RunId, people: &[&str]) {
    for name in people {
        let need = state(engine, run).await.needs().next().unwrap().id;
        let answers = vec![Answer {
            need,
            answer: AnswerKind::Approve,
            reason: String::new(),
            form: json!(null),
            digest: None,
            done_at: None,
        }];
        let by = Actor::asserted(name.parse().unwrap());
        engine.command(run, Command::Answer { answers, by, roles: None }, None).await.unwrap();
    }
    engine.rest().await;
}

async fn same_as_entries(engine: &Engine) {
    let found = compare(engine.journal().reader(), &Scripts::without_budget()).await.unwrap();
    assert_eq!(found.differences, []);
}

/// An engine whose policy is the one that stands where nothing is configured.
async fn with_policy(path: &Path) -> Engine {
    engine_with(path, Vec::new(), |parts| {
        let Parts { modes: Modes { mut live, drill }, .. } = parts;
        live.setup.policy = Some(Vec::new());
        Parts { modes: Modes { live, drill }, ..parts }
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_for_more_items_is_of_the_same_plan_and_asks_for_the_new_ones_alone() {
    let folder = tempfile::tempdir().unwrap();
    let engine = engine(&folder.path().join("a.db"), Vec::new()).await;
    let first = engine.launch(new_run(GATED, json!({"hosts": ["pc-1", "pc-2"]}))).await.unwrap();
    engine.rest().await;
    let answer = engine.more(asked(first, &["pc-2", "pc-7"])).await.unwrap();
    assert_eq!(answer["left_out"], json!([format!("pc-2 of `hosts` is with run {first}")]));
    let second = opened(&answer);
    engine.rest().await;
    let reader = engine.journal().reader();
    let rows = [first, second].map(|run| async move { reader.run(run).await.unwrap().unwrap() });
    let [one, two] = rows;
    let (one, two) = (one.await, two.await);
    assert_eq!((&one.plan, one.incident, one.mode), (&two.plan, two.incident, two.mode));
    let more = state(&engine, second).await;
    assert_eq!(more.opened().inputs.as_ref(), &json!({"hosts": ["pc-7"]}));
    assert_eq!(more.opened().more_of.as_ref().unwrap().run, first);
    let need = more.needs().next().unwrap();
    let lines = need.shows.as_ref().unwrap()["lines"].as_array().unwrap().clone();
    assert_eq!(lines.len(), 1, "{lines:#?}");
    approve(&engine, second, &["ben"]).await;
    assert_eq!(status(&engine, second).await, "succeeded");
    assert_eq!(status(&engine, first).await, "waiting", "its own gate is its own");
    let third = engine.more(asked(second, &["pc-7", "pc-1", "pc-9"])).await.unwrap();
    let third = state(&engine, opened(&third)).await;
    assert_eq!(third.opened().inputs.as_ref(), &json!({"hosts": ["pc-9"]}));
    assert_eq!(third.opened().more_of.as_ref().unwrap().run, first, "more of more is more of all");
    engine.rest().await;
    same_as_entries(&engine).await;
    engine.leave().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn more_of_a_run_that_ended_before_a_restart_is_counted_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.db");
    let hosts = |from: u32| (from..from + 15).map(|n| format!("pc-{n}")).collect::<Vec<_>>();
    let before = with_policy(&path).await;
    let first = before.launch(new_run(GATED, json!({"hosts": hosts(0)}))).await.unwrap();
    before.rest().await;
    approve(&before, first, &["ben"]).await;
    assert_eq!(status(&before, first).await, "succeeded");
    before.leave().await;

    let engine = with_policy(&path).await;
    let hosts = hosts(15);
    let hosts: Vec<&str> = hosts.iter().map(String::as_str).collect();
    let second = opened(&engine.more(asked(first, &hosts)).await.unwrap());
    engine.rest().await;
    let need = state(&engine, second).await.needs().next().cloned().unwrap();
    assert_eq!(need.votes_needed, 2, "30 targets in all");
    approve(&engine, second, &["ben", "cleo"]).await;
    assert_eq!(status(&engine, second).await, "succeeded");
    same_as_entries(&engine).await;
    engine.leave().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_same_items_asked_for_twice_are_one_run() {
    let folder = tempfile::tempdir().unwrap();
    let engine = engine(&folder.path().join("a.db"), Vec::new()).await;
    let first = engine.launch(new_run(GATED, json!({"hosts": ["pc-1"]}))).await.unwrap();
    let keyed = NewMore { start_key: Some("k".to_owned()), ..asked(first, &["pc-7"]) };
    let mut asking = tokio::task::JoinSet::new();
    for _ in 0..4 {
        let (engine, keyed) = (engine.clone(), keyed.clone());
        asking.spawn(async move { opened(&engine.more(keyed).await.unwrap()) });
    }
    let runs = asking.join_all().await;
    assert!(runs.iter().all(|run| *run == runs[0]), "{runs:?}");
    let mut asking = tokio::task::JoinSet::new();
    for _ in 0..4 {
        let engine = engine.clone();
        asking.spawn(async move {
            match engine.more(asked(first, &["pc-9"])).await {
                Ok(answer) => opened(&answer),
                Err(EngineError::Conflict(why)) => {
                    assert!(why.contains("nothing of it is new: pc-9"), "{why}");
                    first
                }
                Err(error) => panic!("{error}"),
            }
        });
    }
    let opened = asking.join_all().await.into_iter().filter(|run| *run != first).count();
    assert_eq!(opened, 1);
    // Word for word it is the same run, though others have had items since; of others it is none.
    assert_eq!(opened_by(&engine, keyed.clone()).await, Ok(runs[0]));
    let key = keyed.start_key;
    for hosts in [&["pc-8"][..], &["pc-7", "pc-8"], &["pc-1"], &["pc-9"]] {
        let other = NewMore { start_key: key.clone(), ..asked(first, hosts) };
        let why = opened_by(&engine, other).await.unwrap_err();
        assert!(why.ends_with("with other `inputs`"), "{hosts:?}: {why}");
    }
    engine.leave().await;
}

/// The run that was opened, or the words of the conflict.
async fn opened_by(engine: &Engine, new: NewMore) -> Result<RunId, String> {
    match engine.more(new).await {
        Ok(answer) => Ok(opened(&answer)),
        Err(EngineError::Conflict(why)) => Err(why),
        Err(error) => panic!("{error}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_asks_again_with_the_same_key_is_told_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let engine = engine(&folder.path().join("a.db"), Vec::new()).await;
    let first = engine.launch(new_run(GATED, json!({"hosts": ["pc-1", "pc-2"]}))).await.unwrap();
    let keyed = |key: &str, hosts: &[&str]| NewMore {
        start_key: Some(key.to_owned()),
        ..asked(first, hosts)
    };
    let one = engine.more(keyed("one", &["pc-2", "pc-7", "pc-1"])).await.unwrap();
    assert_eq!(one["left_out"].as_array().unwrap().len(), 2);
    let two = engine.more(keyed("two", &["pc-7", "pc-9"])).await.unwrap();
    assert_eq!(engine.more(keyed("one", &["pc-2", "pc-7", "pc-1"])).await.unwrap(), one);
    assert_eq!(engine.more(keyed("two", &["pc-7", "pc-9"])).await.unwrap(), two);
    engine.leave().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn more_that_can_not_be_opens_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let engine = engine(&folder.path().join("a.db"), Vec::new()).await;
    let mut caller = new_run(CALLER, json!({"hosts": ["pc-1"]}));
    caller.sources.extend(new_run(GATED, json!({})).sources);
    let caller = engine.launch(NewRun { start_key: Some("k".to_owned()), ..caller }).await.unwrap();
    let found = state(&engine, caller).await;
    let (_, part) = found.children().next().unwrap();
    while engine.journal().reader().run(part).await.unwrap().is_none() {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    let refused = async |new: NewMore| engine.more(new).await.unwrap_err();
    let below = refused(asked(part, &["pc-7"])).await;
    assert!(below.to_string().contains("ask for more of that"), "{below}");
    let key =
        refused(NewMore { start_key: Some("k".to_owned()), ..asked(caller, &["pc-7"]) }).await;
    assert!(matches!(key, EngineError::Conflict(_)), "{key}");
    let nobody = refused(asked(RunId::new(1, &[1; 10]), &["pc-7"])).await;
    assert!(matches!(nobody, EngineError::NotFound(_)), "{nobody}");
    let none = refused(asked(caller, &[])).await;
    assert!(matches!(none, EngineError::Usage(_)), "{none}");
    let row = engine.journal().reader().run(caller).await.unwrap().unwrap();
    let act = IncidentAct::Close { reason: "over".to_owned() };
    engine
        .execute(Verb::Incident { incident: row.incident, act, by: anna(), if_seq: None })
        .await
        .unwrap();
    let closed = refused(asked(caller, &["pc-7"])).await;
    assert!(matches!(closed, EngineError::Conflict(_)), "{closed}");
    let stop = Verb::StopAll { by: anna(), reason: "a look".to_owned() };
    engine.execute(stop).await.unwrap();
    let stopped = refused(asked(caller, &["pc-7"])).await;
    assert!(matches!(stopped, EngineError::Stopped(_)), "{stopped}");
    assert!(stopped.to_string().contains("by anna: a look"), "{stopped}");
    let all = engine.journal().reader().runs_with(row.id).await.unwrap();
    assert_eq!(all.len(), 1);
    let streams = engine.journal().reader().streams(StreamKind::Run, None, 10).await.unwrap();
    assert_eq!(streams.len(), 2, "the caller and its part");
    engine.leave().await;
}
