//! The stop switch: whoever turns it when, what is in memory ends as what is in the store.

use beistand_core::run::Actor;
use beistand_runtime::{Engine, EngineError, Verb};
use serde_json::json;

use super::GATED;
use super::world::{engine, new_run};

/// Turns of the switch that cross: enough that each order comes.
const ROUNDS: usize = 100;

fn somebody(name: &str) -> Actor {
    Actor::asserted(name.parse().unwrap())
}

fn stops(name: &str) -> Verb {
    Verb::StopAll { by: somebody(name), reason: "a look".to_owned() }
}

async fn goes_on(engine: &Engine, name: &str) -> Result<serde_json::Value, EngineError> {
    engine.execute(Verb::GoOn { by: somebody(name), reason: "looked at".to_owned() }).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stop_and_a_going_on_that_cross_leave_memory_as_the_store() {
    let folder = tempfile::tempdir().unwrap();
    let engine = engine(&folder.path().join("a.db"), Vec::new()).await;
    for round in 0..ROUNDS {
        engine.execute(stops("cleo")).await.unwrap();
        let (stopped, gone_on) =
            tokio::join!(engine.execute(stops("anna")), goes_on(&engine, "ben"));
        stopped.unwrap();
        gone_on.unwrap();
        let meta = engine.journal().reader().meta().await.unwrap();
        let launched = engine.launch(new_run(GATED, json!({"hosts": []}))).await;
        assert_eq!(
            matches!(launched, Err(EngineError::Stopped(_))),
            meta.stopped_at.is_some(),
            "round {round}: {launched:?}, {}",
            meta.stop_body
        );
    }
    engine.leave().await;
}
