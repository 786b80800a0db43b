//! The playbooks, as a client finds them.

use serde_json::{Value, json};

use crate::api::world::World;

fn ids(listed: &Value) -> Vec<&str> {
    listed["items"].as_array().unwrap().iter().filter_map(|one| one["id"].as_str()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_are_listed_and_those_with_faults_are_marked() {
    let world = World::new().await;
    let (status, listed) = world.get("/api/v1/playbooks", "reviewer").await;
    assert_eq!((status, ids(&listed)), (200, vec!["broken", "gate", "pair", "sheet"]));
    assert_eq!(listed["items"][0]["sound"], false);
    assert_eq!(listed["items"][3]["title"], "Fill in a sheet");
    // Those that nobody marked AMBER stay with who may read everything.
    let (_, open) = world.get("/api/v1/playbooks", "stadt-a").await;
    assert!(!ids(&open).contains(&"broken"), "{open}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_playbook_says_what_it_wants_and_what_falls_to_people() {
    let world = World::new().await;
    let (status, sheet) = world.get("/api/v1/playbooks/sheet", "responder").await;
    assert_eq!(status, 200);
    assert_eq!(sheet["inputs"]["properties"]["who"]["type"], "string");
    assert_eq!(
        sheet["people"][0],
        json!({"playbook": "sheet", "step": "look", "title": "Look at it", "kind": "task",
               "action": null, "role": "responder"})
    );
    let (_, gate) = world.get("/api/v1/playbooks/gate", "responder").await;
    assert_eq!(gate["gates"][0]["votes"], 2);
    assert_eq!(gate["gates"][0]["role"], "commander");
    for (name, status) in [("nothing", 404), ("NOTHING", 404), ("broken", 409)] {
        let (was, _) = world.get(&format!("/api/v1/playbooks/{name}"), "responder").await;
        assert_eq!(was, status, "{name}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_text_is_checked_and_every_fault_is_said() {
    let world = World::new().await;
    let path = "/api/v1/playbooks/check";
    let text = "playbook: a\nlanguage: 1\ntitel: A\nsteps: []\n";
    let (status, checked) = world.post(path, "reviewer", json!({"text": text})).await;
    assert_eq!(status, 200);
    let codes: Vec<&Value> =
        checked["findings"].as_array().unwrap().iter().map(|one| &one["code"]).collect();
    assert!(codes.contains(&&json!("unknown-key")), "{checked}");
    assert!(codes.len() > 1, "{checked}");
    for odd in ["", "\u{0}", "- - - -", "a: &a [*a]", "%YAML 9", "{{{{"] {
        let (status, checked) = world.post(path, "reviewer", json!({"text": odd})).await;
        assert_eq!(status, 200, "{odd:?}: {checked}");
    }
    let long = " ".repeat(256 * 1024 + 1);
    assert_eq!(world.post(path, "reviewer", json!({"text": long})).await.0, 400);
    let (status, _) = world.post(path, "reviewer", json!({"text": "", "file": "x"})).await;
    assert_eq!(status, 400);
}
