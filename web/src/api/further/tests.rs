//! What would become of a run if another playbook took over: told, and nothing done.

use serde_json::json;

use crate::api::world::World;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_outlook_is_told_to_who_sees_the_run_and_nothing_happens() {
    let world = World::new().await;
    let run = world.run("sheet", "live", "k").await;
    world.needs(&run, 1).await;
    let path = format!("/api/v1/runs/{run}");
    let (_, before) = world.get(&path, "reviewer").await;
    let outlook = |by: &str| format!("{path}/outlook{by}");
    let (status, found) = world.get(&outlook("?playbook=pair"), "reviewer").await;
    assert_eq!((status, found), (200, json!({"taken_over": [], "new": [], "dropped": []})));
    for (by, status) in [
        ("", 400),
        ("?playbook=Pair", 400),
        ("?playbook=broken", 400),
        ("?playbook=pair&reason=x", 400),
        ("?playbook=nothing", 404),
    ] {
        assert_eq!(world.get(&outlook(by), "reviewer").await.0, status, "{by}");
    }
    world.link(&run, "stadt-b").await;
    assert_eq!(world.get(&outlook("?playbook=pair"), "stadt-a").await.0, 404);
    assert_eq!(world.get(&path, "reviewer").await.1, before, "nothing happened");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_done_to_whom_is_told_to_who_reads_all_of_the_incident_and_to_nobody_else() {
    let world = World::new().await;
    let wanted = json!({"playbook": "cut", "mode": "live", "by_hand_ok": true, "start_key": "k"});
    let (status, run) = world.post("/api/v1/runs", "responder", wanted).await;
    assert_eq!(status, 201, "{run}");
    let run = run["id"].as_str().unwrap().to_owned();
    let need = world.needs(&run, 1).await.remove(0);
    let path = format!("/api/v1/needs/{}", need["id"].as_str().unwrap());
    let said = json!({"answer": "done", "form": {"state": "isolated"}, "digest": need["digest"]});
    let (status, said) = world.post(&path, "responder", said).await;
    assert_eq!(status, 200, "{said}");
    // What comes after it waits: the run can still give way.
    world.needs(&run, 1).await;
    world.link(&run, "stadt-a").await;
    for (playbook, list) in [("pair", "dropped"), ("cut", "taken_over")] {
        let path = format!("/api/v1/runs/{run}/outlook?playbook={playbook}");
        let (_, mut whole) = world.get(&path, "commander").await;
        let line = &mut whole[list][0];
        assert_eq!(line["targets"], json!(["host:pc-7"]), "{line}");
        line["targets"] = json!([]);
        assert_eq!(world.get(&path, "stadt-a").await, (200, whole), "in outline");
    }
}
