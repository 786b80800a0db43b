//! What is done to a run, as a client does it.

use serde_json::{Value, json};

use crate::api::world::World;

async fn done(world: &World, run: &str, verb: &str, (token, body): (&str, Value)) -> (u16, Value) {
    world.post(&format!("/api/v1/runs/{run}/{verb}"), token, body).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_is_paused_goes_on_and_is_ended() {
    let world = World::new().await;
    let run = world.run("sheet", "live", "k").await;
    world.needs(&run, 1).await;
    for (verb, body, status) in [
        ("pause", json!({"reason": "lunch"}), "paused"),
        ("unpause", json!({}), "waiting"),
        ("cancel", json!({"reason": "no need any more"}), "cancelled"),
    ] {
        let (was, reply) = done(&world, &run, verb, ("commander", body)).await;
        assert_eq!((was, &reply["reply"]), (200, &json!("done")), "{verb}: {reply}");
        let (_, now) = world.get(&format!("/api/v1/runs/{run}"), "reviewer").await;
        assert_eq!(now["status"], status);
    }
    let (status, again) =
        done(&world, &run, "cancel", ("commander", json!({"reason": "again"}))).await;
    assert!(matches!(status, 200 | 409), "{again}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_may_not_control_a_run_does_not_and_who_does_not_see_it_finds_nothing() {
    let world = World::new().await;
    let run = world.run("sheet", "live", "k").await;
    world.link(&run, "stadt-b").await;
    for (verb, body) in [
        ("pause", json!({})),
        ("unpause", json!({})),
        ("cancel", json!({"reason": "x"})),
        ("undo", json!({"reason": "x"})),
    ] {
        let (status, _) = done(&world, &run, verb, ("responder", body.clone())).await;
        assert_eq!(status, 403, "{verb}");
        let none = "01a2b3c4-0000-7000-8000-000000000000";
        assert_eq!(done(&world, none, verb, ("fresh-commander", body.clone())).await.0, 404);
        let mut more = body;
        more["by"] = json!("ben");
        assert_eq!(done(&world, &run, verb, ("fresh-commander", more)).await.0, 400, "{verb}");
    }
    let (status, _) = done(&world, &run, "cancel", ("commander", json!({}))).await;
    assert_eq!(status, 400, "an end wants a reason");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_live_undo_wants_a_proof_of_a_moment_ago() {
    let world = World::new().await;
    let body = json!({"reason": "it was a drill after all"});
    let live = world.run("sheet", "live", "k1").await;
    let (status, problem) = done(&world, &live, "undo", ("commander", body.clone())).await;
    assert_eq!((status, &problem["type"]), (403, &json!("urn:beistand:problem:prove-again")));
    let (status, problem) = done(&world, &live, "undo", ("responder", body.clone())).await;
    assert_eq!((status, &problem["type"]), (403, &json!("urn:beistand:problem:forbidden")));
    let (status, reply) = done(&world, &live, "undo", ("fresh-commander", body.clone())).await;
    assert_eq!(status, 200, "{reply}");
    let drill = world.run("sheet", "drill", "k2").await;
    for (wrong, status) in [
        (json!({"reason": "x", "items": ["pc-9"]}), 404),
        (json!({"reason": "x", "steps": ["a//b"]}), 400),
        (json!({"reason": "x", "steps": ["nowhere"]}), 404),
    ] {
        let (was, problem) = done(&world, &drill, "undo", ("commander", wrong.clone())).await;
        assert_eq!(was, status, "{wrong}: {problem}");
    }
    let (status, reply) = done(&world, &drill, "undo", ("commander", body)).await;
    assert_eq!(status, 200, "{reply}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_signal_counts_once_for_its_key_and_only_where_it_is_awaited() {
    let world = World::new().await;
    let run = world.run("gate", "drill", "k").await;
    let signal = json!({"name": "all-clear", "key": "s1"});
    let (status, reply) = done(&world, &run, "signal", ("responder", signal.clone())).await;
    assert_eq!((status, &reply["reply"]), (200, &json!("done")), "{reply}");
    let (status, reply) = done(&world, &run, "signal", ("responder", signal)).await;
    assert_eq!((status, &reply["reply"]), (200, &json!("already")), "{reply}");
    for (wrong, status) in [
        (json!({"name": "other", "key": "s2"}), 404),
        (json!({"name": "all-clear"}), 400),
        (json!({"name": "all-clear", "key": "\u{0}"}), 400),
        (json!({"name": "all-clear", "key": "s2", "form": []}), 400),
    ] {
        assert_eq!(done(&world, &run, "signal", ("responder", wrong.clone())).await.0, status);
    }
    let signal = json!({"name": "all-clear", "key": "s3"});
    assert_eq!(done(&world, &run, "signal", ("reviewer", signal)).await.0, 403);
}
