//! What waits, as people answer it.

use beistand_core::model::NeedCode;
use serde_json::{Value, json};

use crate::api::world::World;

fn yes(need: &Value) -> Value {
    json!({"answer": "approve", "digest": need["digest"]})
}

fn done(need: &Value) -> Value {
    json!({"answer": "done", "form": {"seen": true}, "digest": need["digest"]})
}

fn path(need: &Value) -> String {
    format!("/api/v1/needs/{}", need["id"].as_str().unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_waits_is_listed_in_parts() {
    let world = World::new().await;
    for key in ["a", "b", "c"] {
        let run = world.run("sheet", "live", key).await;
        world.needs(&run, 1).await;
    }
    let (status, first) = world.get("/api/v1/needs?limit=2", "reviewer").await;
    assert_eq!(status, 200);
    let next = first["next"].as_str().unwrap();
    let (_, rest) = world.get(&format!("/api/v1/needs?limit=2&cursor={next}"), "reviewer").await;
    assert_eq!((rest["items"].as_array().unwrap().len(), &rest["next"]), (1, &Value::Null));
    assert!(!first["items"].as_array().unwrap().contains(&rest["items"][0]));
    for wrong in ["cursor=x", "limit=0", "run=x", "role=commander"] {
        assert_eq!(world.get(&format!("/api/v1/needs?{wrong}"), "reviewer").await.0, 400);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_counts_once_and_for_what_was_shown() {
    let world = World::new().await;
    let run = world.run("sheet", "live", "k").await;
    let need = world.needs(&run, 1).await.remove(0);
    let other = format!("sha256:{}", "0".repeat(64));
    for (change, status) in [
        (json!({"digest": other}), 409),
        (json!({"digest": "seen"}), 400),
        (json!({"digest": null}), 400),
        (json!({"answer": "skip"}), 400),
        (json!({"answer": "yes"}), 400),
        (json!({"form": {"seen": "perhaps"}}), 400),
        (json!({"form": null}), 400),
        (json!({"by": ""}), 400),
        (json!({"by": "ben", "answer": "deny"}), 400),
        (json!({"at": "2999-01-01T00:00:00Z"}), 400),
        (json!({"at": "yesterday"}), 400),
        (json!({"done_at": "2020-01-01T00:00:00Z"}), 400),
    ] {
        let mut body = done(&need);
        for (name, value) in change.as_object().unwrap() {
            body[name] = value.clone();
        }
        let (was, problem) = world.post(&path(&need), "responder", body).await;
        assert_eq!(was, status, "{change}: {problem}");
    }
    let mut off = done(&need);
    off["form"] = json!({"seen": 7});
    let (_, problem) = world.post(&path(&need), "responder", off).await;
    assert_eq!(problem["problems"][0]["at"], "seen", "{problem}");
    let (status, reply) = world.post(&path(&need), "responder", done(&need)).await;
    assert_eq!((status, reply), (200, json!({"reply": "done"})));
    let (status, problem) = world.post(&path(&need), "responder", done(&need)).await;
    assert_eq!(status, 409, "{problem}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_done_on_paper_is_found_by_its_code_and_typed_in_by_somebody_else() {
    let world = World::new().await;
    let run = world.run("sheet", "live", "k").await;
    let need = world.needs(&run, 1).await.remove(0);
    let id = need["id"].as_str().unwrap().parse().unwrap();
    let digest = need["digest"].as_str().unwrap().parse().unwrap();
    let code = NeedCode::of(id, Some(digest)).to_string();
    let found = |code: &str| format!("/api/v1/needs?code={code}");
    let (status, coded) = world.get(&found(&code.to_lowercase()), "reviewer").await;
    assert_eq!((status, &coded["items"]), (200, &json!([need])), "{coded}");
    for beside in [&format!("run={run}"), "incident=SIT-2026-0001", "limit=5", "cursor=e30"] {
        let path = format!("{}&{beside}", found(&code));
        let (status, problem) = world.get(&path, "reviewer").await;
        assert_eq!((status, &problem["place"]), (400, &json!("code")), "{problem}");
    }
    assert_eq!(world.get(&found("K7M-4QX-A"), "reviewer").await.0, 400);
    world.link(&run, "stadt-b").await;
    assert_eq!(world.get(&found(&code), "stadt-a").await.1["items"], json!([]));

    let mut said = done(&need);
    said["by"] = json!("ines");
    said["at"] = json!("2016-01-02T03:04:05Z");
    let (status, problem) = world.post(&path(&need), "responder", said.clone()).await;
    assert_eq!(status, 400, "years before its run: {problem}");
    said["at"] = need["since"].clone();
    assert_eq!(world.post(&path(&need), "reviewer", said.clone()).await.0, 403);
    let (status, reply) = world.post(&path(&need), "responder", said).await;
    assert_eq!((status, reply), (200, json!({"reply": "done"})));
    assert_eq!(world.get(&found(&code), "reviewer").await.1["items"], json!([]));
    let (_, run) = world.get(&format!("/api/v1/runs/{run}"), "reviewer").await;
    let incident = format!("/api/v1/incidents/{}", run["incident"].as_str().unwrap());
    let note =
        json!({"text": "No light on the switch", "by": "ines", "at": "2026-01-02T03:05:00Z"});
    assert_eq!(world.post(&format!("{incident}/notes"), "responder", note).await.0, 200);
    let (_, lines) = world.get(&format!("{incident}/timeline?lang=en"), "reviewer").await;
    let on_paper = |line: &&Value| line["message"].to_string().contains("ines (on paper");
    let count = lines["items"].as_array().unwrap().iter().filter(on_paper).count();
    assert_eq!(count, 2, "what was done and written, and not what was refused: {lines:#}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_vote_is_for_who_may_vote_and_counts_for_one_person() {
    let world = World::new().await;
    let run = world.run("gate", "live", "k").await;
    let need = world.needs(&run, 1).await.remove(0);
    let (status, problem) = world.post(&path(&need), "fresh-responder", yes(&need)).await;
    assert_eq!(status, 403, "{problem}");
    let (status, problem) = world.post(&path(&need), "ben", yes(&need)).await;
    assert_eq!((status, &problem["type"]), (403, &json!("urn:beistand:problem:prove-again")));
    assert!(problem["hint"].as_str().unwrap().contains("/api/v1/session/proof"), "{problem}");
    let (status, reply) = world.post(&path(&need), "fresh-ben", yes(&need)).await;
    assert_eq!((status, reply), (200, json!({"reply": "voted", "votes": 1, "needed": 2})));
    let (status, _) = world.post(&path(&need), "fresh-ben", yes(&need)).await;
    assert_eq!(status, 409);
    // A no cuts nothing off, and needs no fresh proof.
    let no = json!({"answer": "deny", "reason": "not now", "digest": need["digest"]});
    let (status, reply) = world.post(&path(&need), "cleo", no).await;
    assert_eq!((status, &reply["reply"]), (200, &json!("done")), "{reply}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_drill_wants_no_fresh_proof() {
    let world = World::new().await;
    let run = world.run("gate", "drill", "k").await;
    let need = world.needs(&run, 1).await.remove(0);
    assert_eq!(world.post(&path(&need), "ben", yes(&need)).await.0, 200);
    assert_eq!(world.post(&path(&need), "cleo", yes(&need)).await.0, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_somebody_does_not_see_they_do_not_answer() {
    let world = World::new().await;
    let run = world.run("sheet", "live", "k").await;
    world.link(&run, "stadt-b").await;
    let need = world.needs(&run, 1).await.remove(0);
    assert_eq!(world.post(&path(&need), "stadt-a", done(&need)).await.0, 404);
    assert_eq!(world.post(&path(&need), "reviewer", done(&need)).await.0, 403);
    let none = "/api/v1/needs/01a2b3c4-0000-7000-8000-000000000000";
    assert_eq!(world.post(none, "commander", done(&need)).await.0, 404);
    let (_, none) = world.get("/api/v1/needs", "stadt-a").await;
    assert_eq!(none["items"], json!([]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn needs_are_answered_together_all_or_none() {
    let world = World::new().await;
    let (one, two) =
        (world.run("pair", "live", "k1").await, world.run("sheet", "live", "k2").await);
    let (needs, other) = (world.needs(&one, 2).await, world.needs(&two, 1).await.remove(0));
    let together = "/api/v1/needs/answers";
    let of = |need: &Value| {
        let mut said = json!({"answer": "done", "digest": need["digest"]});
        said["id"] = need["id"].clone();
        said
    };
    for (answers, status) in [
        (json!([]), 400),
        (json!([of(&needs[0]), of(&other)]), 400),
        (json!([of(&needs[0]), of(&needs[0])]), 400),
        (json!([of(&needs[0]), {"id": needs[1]["id"], "answer": "done"}]), 400),
        (
            json!([of(&needs[0]), {"id": needs[1]["id"], "answer": "done",
                   "digest": format!("sha256:{}", "0".repeat(64))}]),
            409,
        ),
    ] {
        let (was, problem) =
            world.post(together, "responder", json!({"answers": answers.clone()})).await;
        assert_eq!(was, status, "{answers}: {problem}");
        assert_eq!(world.needs(&one, 2).await.len(), 2, "nothing was answered");
    }
    let answers = json!({"answers": [of(&needs[0]), of(&needs[1])]});
    let (status, reply) = world.post(together, "responder", answers).await;
    assert_eq!((status, reply), (200, json!({"reply": "done"})));
}
