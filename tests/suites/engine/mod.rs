//! The shell alone: an engine in this process, a real SQLite store, pretended effects.

use self::world::{anna, engine, new_run, status};
use beistand_core::entry::StreamKind;
use beistand_core::run::{Answer, AnswerKind, Command, Reply, StepStatus};
use beistand_runtime::{NewRun, Verb, view};
use beistand_script::Scripts;
use serde_json::json;

mod access;
mod acts;
mod alerts;
mod calling;
mod crowd;
mod eyes;
mod more;
mod opening;
mod pace;
mod race;
mod setback;
mod supersede;
mod switch;
mod views;
pub(crate) mod world;

const TEN: &str = "playbook: ten
language: 1
title: Ten steps
steps:
  - id: each
    for_each: 10
    steps:
      - id: post
        call: chat.post
        with: { room: crisis, text: \"no. ${item}\" }
";

const GATED: &str = "playbook: gated
language: 1
title: A gate
inputs:
  hosts: { type: array, items: { type: string, format: host } }
steps:
  - id: contain
    for_each: inputs.hosts
    as: host
    approval: { role: commander, votes: 1 }
    steps:
      - id: cut
        call: network.isolate
        with: { host: \"${host}\" }
  - id: say
    note: \"${steps.contain.counts.succeeded} cut\"
outputs:
  cut: steps.contain.counts.succeeded
";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_goes_to_its_end_and_leaves_memory() {
    let folder = tempfile::tempdir().unwrap();
    let engine = engine(&folder.path().join("a.db"), Vec::new()).await;
    let run = engine.launch(new_run(TEN, json!({}))).await.unwrap();
    engine.rest().await;
    assert_eq!(status(&engine, run).await, "succeeded");
    let reader = engine.journal().reader();
    let stream = reader.stream(StreamKind::Run, &run.to_string()).await.unwrap().unwrap();
    let entries = reader.entries(&stream, 0, 100).await.unwrap();
    // Opened with the first intent, nine times outcome and next intent, the last outcome.
    assert_eq!(entries.len(), 11, "one entry a step");
    assert_eq!(engine.leave().await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_gate_waits_as_a_row_and_goes_on_after_the_vote() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.db");
    let first = engine(&path, Vec::new()).await;
    let run = first.launch(new_run(GATED, json!({"hosts": ["pc-1", "pc-2"]}))).await.unwrap();
    first.rest().await;
    assert_eq!(status(&first, run).await, "waiting");
    first.leave().await;

    let second = engine(&path, Vec::new()).await;
    let reader = second.journal().reader().clone();
    let (_, state, _) = view(&reader, run, &Scripts::without_budget()).await.unwrap();
    let need = state.needs().next().unwrap().id;
    let vote = |name: &str| Command::Answer {
        answers: vec![Answer {
            need,
            answer: AnswerKind::Approve,
            reason: String::new(),
            form: json!(null),
            digest: None,
            done_at: None,
        }],
        by: beistand_core::run::Actor::asserted(name.parse().unwrap()),
        roles: None,
    };
    assert!(
        second.command(run, vote(anna().person.as_str()), None).await.is_err(),
        "the requester"
    );
    assert_eq!(second.command(run, vote("ben"), None).await.unwrap(), Reply::Done);
    second.rest().await;
    assert_eq!(status(&second, run).await, "succeeded");
    assert_eq!(reader.holds(None).await.unwrap().len(), 2);
    let (_, state, _) = view(&reader, run, &Scripts::without_budget()).await.unwrap();
    assert_eq!(**state.outputs().unwrap(), json!({"cut": 2}));

    let undo = Command::Undo { by: anna(), paths: Vec::new(), reason: "all clear".to_owned() };
    assert_eq!(second.command(run, undo, None).await.unwrap(), Reply::Done);
    second.rest().await;
    let (_, state, _) = view(&reader, run, &Scripts::without_budget()).await.unwrap();
    let waiting: Vec<_> = state.needs().map(|need| need.id).collect();
    for need in waiting {
        let answers = vec![Answer {
            need,
            answer: AnswerKind::Approve,
            reason: String::new(),
            form: json!(null),
            digest: None,
            done_at: None,
        }];
        let by = beistand_core::run::Actor::asserted("ben".parse().unwrap());
        second.command(run, Command::Answer { answers, by, roles: None }, None).await.unwrap();
    }
    second.rest().await;
    assert_eq!(status(&second, run).await, "undone");
    assert_eq!(reader.holds(None).await.unwrap(), []);
    second.leave().await;
}

const ONCE: &str = "playbook: report
language: 1
title: Told once
steps:
  - id: tell
    call: mail.send
    with: { to: [a@example.org], subject: s, text: x }
    once_per_incident: true
";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_done_once_in_an_incident_is_known_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.db");
    let first = engine(&path, Vec::new()).await;
    let run = first.launch(new_run(ONCE, json!({}))).await.unwrap();
    first.rest().await;
    let row = first.journal().reader().run(run).await.unwrap().unwrap();
    assert_eq!(row.status, "succeeded");
    first.leave().await;

    let second = engine(&path, Vec::new()).await;
    let again = NewRun { incident: Some(row.incident), ..new_run(ONCE, json!({})) };
    let run = second.launch(again).await.unwrap();
    second.rest().await;
    let reader = second.journal().reader().clone();
    let (_, state, _) = view(&reader, run, &Scripts::without_budget()).await.unwrap();
    assert_eq!(state.status().as_str(), "succeeded");
    assert_eq!(StepStatus::of(state.steps().next().unwrap()), StepStatus::Skipped);
    second.leave().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_paused_connector_stays_paused_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.db");
    let pause = |name: &str, paused| Verb::PauseConnector {
        connector: name.parse().unwrap(),
        paused,
        by: anna(),
    };
    let first = engine(&path, Vec::new()).await;
    first.execute(pause("router", true)).await.unwrap();
    first.execute(pause("relay", true)).await.unwrap();
    first.execute(pause("relay", false)).await.unwrap();
    first.leave().await;
    let second = engine(&path, Vec::new()).await;
    let left = second.execute(pause("relay", false)).await.unwrap();
    assert_eq!(left, json!({"paused": ["router"]}));
    second.leave().await;
}
