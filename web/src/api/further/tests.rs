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
