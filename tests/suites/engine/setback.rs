//! A store that gives no answer for a while: what is asked of a run meanwhile is not lost, and no run
//! stays behind that nobody drives.

use std::path::Path;
use std::time::Duration;

use beistand_core::run::{Answer, AnswerKind, Command, Reply};
use beistand_journal::NeedFilter;
use beistand_runtime::Engine;
use beistand_tests::tool;
use serde_json::json;

use super::GATED;
use super::world::{engine, new_run, status};

/// Reads what stands in the incident while it goes on.
const READS: &str = "playbook: reads
language: 1
title: Look at all of them
steps:
  - id: each
    for_each: incident.assets(\"host\", \"affected\")
    as: host
    steps:
      - { id: look, note: \"${host.value}\" }
";

/// Long enough for others to have their turn.
const MOMENT: Duration = Duration::from_millis(10);

fn sqlite(store: &Path, sql: &str) {
    tool::call("sqlite3", &[store.to_str().unwrap(), sql]).unwrap();
}

/// One that nobody drives any more never rests.
async fn rested(engine: &Engine) {
    tokio::time::timeout(Duration::from_mins(1), engine.rest()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_vote_on_a_run_that_can_not_be_read_right_now_is_heard_later() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("a.db");
    let engine = engine(&store, Vec::new()).await;
    let run = engine.launch(new_run(GATED, json!({"hosts": ["pc-1"]}))).await.unwrap();
    engine.rest().await;
    let need = engine.journal().reader().needs(&NeedFilter::default()).await.unwrap()[0].id;
    sqlite(&store, "alter table snapshot rename to away");
    let voter = engine.clone();
    let vote = tokio::spawn(async move {
        let answers = vec![Answer {
            need,
            answer: AnswerKind::Approve,
            reason: String::new(),
            form: json!(null),
            digest: None,
            done_at: None,
        }];
        let by = beistand_core::run::Actor::asserted("ben".parse().unwrap());
        voter.command(run, Command::Answer { answers, by, roles: None }, None).await
    });
    // Only what was given back unread is due.
    while engine.journal().reader().next_due().await.unwrap().is_none() {
        tokio::time::sleep(MOMENT).await;
    }
    sqlite(&store, "alter table away rename to snapshot");
    assert_eq!(vote.await.unwrap().unwrap(), Reply::Done);
    rested(&engine).await;
    assert_eq!(status(&engine, run).await, "succeeded");
    engine.leave().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_that_can_not_be_read_again_stays_until_it_can() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("a.db");
    let engine = engine(&store, Vec::new()).await;
    sqlite(&store, "alter table asset rename to away; alter table snapshot rename to gone");
    let run = engine.launch(new_run(READS, json!({}))).await.unwrap();
    assert_eq!(status(&engine, run).await, "running");
    // Meanwhile it looked for the assets in vain, and then for itself.
    tokio::time::sleep(30 * MOMENT).await;
    sqlite(&store, "alter table away rename to asset; alter table gone rename to snapshot");
    rested(&engine).await;
    assert_eq!(status(&engine, run).await, "succeeded");
    engine.leave().await;
}
