//! Runs as a client meets them.

use axum::http::{Method, Request, header};
use serde_json::{Value, json};

use crate::api::world::{World, read};

fn wanted(key: &str) -> Value {
    json!({"playbook": "sheet", "inputs": {"who": "anna"}, "start_key": key})
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_is_launched_once_for_a_start_key() {
    let world = World::new().await;
    let path = "/api/v1/runs";
    let first = world.asked(&Method::POST, path, ("responder", Some(wanted("k1")))).await;
    let place = first.headers()[header::LOCATION].to_str().unwrap().to_owned();
    let (status, run) = read(first).await;
    assert_eq!((status, place), (201, format!("/api/v1/runs/{}", run["id"].as_str().unwrap())));
    assert_eq!((&run["mode"], &run["requested_by"]), (&json!("live"), &json!("responder")));
    let (status, again) = world.post(path, "responder", wanted("k1")).await;
    assert_eq!((status, &again["id"]), (200, &run["id"]));
    let (status, other) = world.post(path, "responder", wanted("k2")).await;
    assert_eq!(status, 201);
    assert_ne!(other["id"], run["id"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_start_key_of_another_launch_is_refused_and_says_what_differs() {
    let world = World::new().await;
    let path = "/api/v1/runs";
    let other = world.run("gate", "live", "k2").await;
    let (_, other) = world.get(&format!("/api/v1/runs/{other}"), "commander").await;
    let (status, first) = world.post(path, "responder", wanted("k1")).await;
    assert_eq!(status, 201);
    for (change, named) in [
        (json!({"playbook": "gate", "inputs": {}}), &["`playbook`"][..]),
        (json!({"inputs": {"who": "cleo"}}), &["`inputs`"]),
        (json!({"mode": "drill"}), &["`mode`"]),
        (json!({"incident": other["incident"]}), &["`incident`"]),
        (json!({"title": "Something else"}), &["`title`"]),
        (json!({"by_hand_ok": true, "inputs": {"who": "x"}}), &["`by_hand_ok`", "`inputs`"]),
    ] {
        let mut body = wanted("k1");
        for (name, value) in change.as_object().unwrap() {
            body[name] = value.clone();
        }
        let (status, problem) = world.post(path, "responder", body).await;
        assert_eq!((status, &problem["place"]), (409, &json!("start_key")), "{change}: {problem}");
        let detail = problem["detail"].as_str().unwrap();
        let said: Vec<&str> = detail.split(" other ").last().unwrap().split(", ").collect();
        assert_eq!(said, named, "{detail}");
        assert!(!problem.to_string().contains("anna"), "what was asked before is not told");
    }
    // Word for word it is the same run, and so it is by the name of what it opened.
    let mut by_id = wanted("k1");
    by_id["incident"] = first["incident"].clone();
    for body in [wanted("k1"), by_id] {
        let (status, again) = world.post(path, "responder", body).await;
        assert_eq!((status, &again["id"]), (200, &first["id"]), "{again}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_reads_a_run_in_outline_is_not_told_what_it_was_launched_with() {
    let world = World::new().await;
    let (_, run) = world.post("/api/v1/runs", "responder", wanted("k1")).await;
    let incident = world.link(run["id"].as_str().unwrap(), "stadt-a").await;
    let mut said = Vec::new();
    for who in ["anna", "cleo"] {
        let mut body = wanted("k1");
        body["inputs"]["who"] = json!(who);
        body["incident"] = json!(incident);
        let (status, problem) = world.post("/api/v1/runs", "leads-a", body).await;
        assert_eq!(status, 409, "{problem}");
        said.push(problem["detail"].clone());
    }
    assert_eq!(said[0], said[1]);
    // Their own they are led to again.
    let mut own = wanted("k2");
    own["incident"] = json!(incident);
    let (status, first) = world.post("/api/v1/runs", "leads-a", own.clone()).await;
    assert_eq!(status, 201, "{first}");
    let (status, again) = world.post("/api/v1/runs", "leads-a", own).await;
    assert_eq!((status, &again["id"]), (200, &first["id"]), "{again}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_joins_an_incident_by_its_id_or_its_number() {
    let world = World::new().await;
    let run = world.run("sheet", "live", "first").await;
    let (_, run) = world.get(&format!("/api/v1/runs/{run}"), "commander").await;
    for (key, name) in [("by-id", "incident"), ("by-number", "incident_number")] {
        let mut body = wanted(key);
        body["incident"] = run[name].clone();
        let (status, joined) = world.post("/api/v1/runs", "responder", body).await;
        assert_eq!((status, &joined["incident"]), (201, &run["incident"]), "{joined}");
    }
    let (status, listed) = world
        .get(
            &format!("/api/v1/runs?incident={}", run["incident_number"].as_str().unwrap()),
            "reviewer",
        )
        .await;
    assert_eq!((status, listed["items"].as_array().unwrap().len()), (200, 3));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_launch_that_can_not_be_meant_is_refused() {
    let world = World::new().await;
    let none = "01a2b3c4-0000-7000-8000-000000000000";
    for (change, status) in [
        (json!({"playbook": "nothing"}), 404),
        (json!({"playbook": "../../etc/passwd"}), 400),
        (json!({"playbook": "broken"}), 400),
        (json!({"inputs": {"who": 7}}), 400),
        (json!({"inputs": {}}), 400),
        (json!({"mode": "rehearsal"}), 400),
        (json!({"start_key": ""}), 400),
        (json!({"start_key": "a\u{0}"}), 400),
        (json!({"title": "a\u{7}"}), 400),
        (json!({"incident": none}), 404),
        (json!({"incident": "\u{0}"}), 404),
        (json!({"incident": none, "title": "Two"}), 400),
        (json!({"approved_by": "ben"}), 400),
    ] {
        let mut body = wanted("k");
        for (name, value) in change.as_object().unwrap() {
            body[name] = value.clone();
        }
        let (was, problem) = world.post("/api/v1/runs", "responder", body).await;
        assert_eq!(was, status, "{change}: {problem}");
    }
    let (_, faults) = world
        .post("/api/v1/runs", "responder", json!({"playbook": "broken", "start_key": "k"}))
        .await;
    assert!(faults["problems"].as_array().unwrap().iter().any(|one| one["code"].is_string()));
    let (_, off) = world
        .post("/api/v1/runs", "responder", json!({"playbook": "sheet", "start_key": "k"}))
        .await;
    assert!(off["problems"].to_string().contains("who"), "{off}");
    let (status, _) = world.get("/api/v1/runs", "reviewer").await;
    assert_eq!(status, 200);
    let (_, runs) = world.get("/api/v1/runs", "commander").await;
    assert_eq!(runs["items"], json!([]), "nothing was opened");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_live_launch_says_what_nothing_is_bound_for_and_how_it_goes_all_the_same() {
    let world = World::new().await;
    let mut body = json!({"playbook": "cut", "mode": "live", "start_key": "k"});
    let (status, problem) = world.post("/api/v1/runs", "responder", body.clone()).await;
    let missing = json!([{"what": "connector", "name": "network.isolate", "by_hand": true}]);
    assert_eq!((status, &problem["missing"]), (409, &missing), "{problem}");
    assert!(problem["hint"].as_str().unwrap().contains("by_hand_ok: true"), "{problem}");
    let (_, runs) = world.get("/api/v1/runs", "commander").await;
    assert_eq!(runs["items"], json!([]), "nothing was opened");
    body["by_hand_ok"] = json!(true);
    let (status, run) = world.post("/api/v1/runs", "responder", body).await;
    assert_eq!(status, 201, "{run}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_may_not_launch_does_not() {
    let world = World::new().await;
    for name in ["reviewer", "scribe", "admin", "stadt-a"] {
        let (status, problem) = world.post("/api/v1/runs", name, wanted("k")).await;
        assert_eq!((status, &problem["permission"]), (403, &json!("launch")), "{name}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lists_come_in_parts_and_by_status() {
    let world = World::new().await;
    for number in 0..3 {
        world.run("sheet", "drill", &format!("k{number}")).await;
    }
    let (_, first) = world.get("/api/v1/runs?limit=2", "reviewer").await;
    let next = first["next"].as_str().unwrap();
    let (_, rest) = world.get(&format!("/api/v1/runs?limit=2&cursor={next}"), "reviewer").await;
    assert_eq!((rest["items"].as_array().unwrap().len(), &rest["next"]), (1, &Value::Null));
    let (_, ended) = world.get("/api/v1/runs?status=succeeded", "reviewer").await;
    assert_eq!(ended["items"], json!([]));
    for wrong in ["status=sleeping", "cursor=%25", "limit=0", "limit=501", "limit=x", "page=2"] {
        let (status, _) = world.get(&format!("/api/v1/runs?{wrong}"), "reviewer").await;
        assert_eq!(status, 400, "{wrong}");
    }
    let (status, _) = world.get("/api/v1/runs?incident=SIT-1999-0001", "reviewer").await;
    assert_eq!(status, 404);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_known_already_is_not_sent_again() {
    let world = World::new().await;
    let run = world.run("sheet", "live", "k").await;
    world.needs(&run, 1).await;
    let path = format!("/api/v1/runs/{run}");
    let known = |etag: &str| {
        Request::get(&path)
            .header(header::HOST, "lage.example")
            .header(header::AUTHORIZATION, "Bearer reviewer")
            .header(header::IF_NONE_MATCH, etag)
            .body(axum::body::Body::empty())
            .unwrap()
    };
    let whole = world.asked(&Method::GET, &path, ("reviewer", None)).await;
    let etag = whole.headers()[header::ETAG].to_str().unwrap().to_owned();
    for tags in [etag.clone(), format!("W/{etag}"), format!("\"x\", {etag}"), "*".to_owned()] {
        let answer = world.sent(known(&tags)).await;
        assert_eq!(answer.headers()[header::ETAG], etag.as_str());
        assert_eq!(read(answer).await, (304, Value::Null), "{tags}");
    }
    assert_eq!(read(world.sent(known("\"x\"")).await).await.0, 200);
    world.post(&format!("{path}/pause"), "commander", json!({})).await;
    let (status, body) = read(world.sent(known(&etag)).await).await;
    assert_eq!((status, &body["status"]), (200, &json!("paused")));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_of_somebody_else_is_not_there() {
    let world = World::new().await;
    let (theirs, other) =
        (world.run("sheet", "live", "k1").await, world.run("sheet", "live", "k2").await);
    world.link(&theirs, "stadt-a").await;
    world.link(&other, "stadt-b").await;
    let (status, outline) = world.get(&format!("/api/v1/runs/{theirs}"), "stadt-a").await;
    assert_eq!((status, &outline["inputs"]), (200, &Value::Null));
    assert_eq!(world.get(&format!("/api/v1/runs/{other}"), "stadt-a").await.0, 404);
    assert_eq!(world.get(&format!("/api/v1/runs/{other}/events"), "stadt-a").await.0, 404);
    assert_eq!(world.get(&format!("/api/v1/needs?run={other}"), "stadt-a").await.0, 404);
    let (_, listed) = world.get("/api/v1/runs", "stadt-a").await;
    assert_eq!(listed["items"].as_array().unwrap().len(), 1);
    assert!(!listed.to_string().contains(&other));
    for path in ["/api/v1/runs/nothing", "/api/v1/runs/01a2b3c4-0000-7000-8000-000000000000"] {
        assert_eq!(world.get(path, "commander").await.0, 404);
    }
}
