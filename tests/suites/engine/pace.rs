//! What one run decides does not hold up what others do.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::json;

use super::world::{engine, new_run, status};

/// A quick step, and then a decision about a thousand items.
const HEAVY: &str = "playbook: heavy
language: 1
title: A quick step, then a long decision
inputs:
  numbers: { type: array, items: { type: integer } }
steps:
  - id: quick
    call: chat.post
    with: { room: crisis, text: hello }
  - id: each
    for_each: 1000
    steps:
      - id: look
        when: inputs.numbers.filter(|n| n % 7 == 6).len() > 1000
        note: never
";

/// What it does changes what runs share.
const CUT: &str = "playbook: cut
language: 1
title: Cut a host off
inputs:
  host: { type: string, format: host }
steps:
  - id: cut
    call: network.isolate
    with: { host: \"${inputs.host}\" }
";

/// With a single worker, as on two cores.
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_long_decision_after_quick_ones_leaves_others_their_turn() {
    let folder = tempfile::tempdir().unwrap();
    let engine = engine(&folder.path().join("a.db"), Vec::new()).await;
    let over = Arc::new(AtomicBool::new(false));
    let others = tokio::spawn({
        let (engine, over) = (engine.clone(), Arc::clone(&over));
        async move {
            let mut ended = 0;
            while !over.load(Ordering::Relaxed) {
                let host = format!("pc-{ended}");
                let run = engine.launch(new_run(CUT, json!({"host": host}))).await.unwrap();
                engine.ended(run).await;
                ended += 1;
            }
            ended
        }
    });
    let numbers: Vec<u32> = (0..150).collect();
    let run = engine.launch(new_run(HEAVY, json!({"numbers": numbers}))).await.unwrap();
    engine.ended(run).await;
    over.store(true, Ordering::Relaxed);
    // Where the long decision holds the worker, some two end before it begins and none after.
    let ended = others.await.unwrap();
    assert!(ended > 10, "only {ended} other runs ended meanwhile");
    assert_eq!((status(&engine, run).await.as_str(), engine.leave().await), ("succeeded", 0));
}
