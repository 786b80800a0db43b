//! A drill becomes real, as somebody with a browser says so.

use axum::http::Method;
use serde_json::json;

use crate::api::world::World;
use crate::page::told::{look, send};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_drill_becomes_real_once_with_what_is_known_in_it() {
    let world = World::new().await;
    let (_, drill) = world
        .post(
            "/api/v1/incidents",
            "commander",
            json!({"title": "Übung <b>", "mode": "drill", "tlp": "RED"}),
        )
        .await;
    let number = drill["number"].as_str().unwrap();
    let note = json!({"text": "Anruf aus der Kämmerei"});
    world.post(&format!("/api/v1/incidents/{number}/notes"), "commander", note).await;
    let path = format!("/drill/incidents/{number}/real");
    let (status, _, page) = look(&world, &path, "responder").await;
    assert_eq!(status, 200, "{page}");
    assert!(page.contains("drill-banner") && page.contains("Übung &#60;b&#62;"), "{page}");
    let (_, all) = world.get("/api/v1/incidents", "commander").await;
    assert_eq!(all["items"].as_array().unwrap().len(), 1, "looking opens nothing");
    for who in ["reviewer", "scribe"] {
        assert_eq!(look(&world, &path, who).await.0, 403, "{who}");
        assert_eq!(send(&world, &path, (who, &[])).await.0, 403, "{who}");
    }
    let (status, place, _) = send(&world, &path, ("responder", &[])).await;
    assert_eq!(status, 303);
    let (_, again, _) = send(&world, &path, ("responder", &[])).await;
    assert_eq!(again, place, "who presses twice is led to the same");
    let (_, all) = world.get("/api/v1/incidents", "commander").await;
    assert_eq!(all["items"].as_array().unwrap().len(), 2);
    let (_, real) = world
        .get(
            &format!("/api/v1/incidents/{}", all["items"][0]["number"].as_str().unwrap()),
            "commander",
        )
        .await;
    assert_eq!(
        (&real["mode"], &real["tlp"], &real["drill"]),
        (&json!("live"), &json!("RED"), &json!(number))
    );
    assert_eq!(real["roles"], json!([]));
    let (_, drill) = world.get(&format!("/api/v1/incidents/{number}"), "commander").await;
    assert_eq!(drill["real"], real["number"]);
    let (_, _, cockpit) = look(&world, &place, "responder").await;
    assert!(cockpit.contains("Anruf aus der Kämmerei") && cockpit.contains(number), "{cockpit}");
    let (status, to, _) = look(&world, &path, "responder").await;
    assert_eq!((status, place.starts_with(&to)), (303, true), "{to}");
    let live = place.split('?').next().unwrap();
    assert_eq!(look(&world, &format!("{live}/real"), "responder").await.0, 409);
    let answer = world
        .asked(&Method::POST, &format!("/api/v1/incidents/{number}/real"), ("responder", None))
        .await;
    assert_eq!(answer.status().as_u16(), 200, "it was opened before");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobodys_start_key_takes_the_place_of_a_drills_live_incident() {
    let world = World::new().await;
    let drill = json!({"title": "Übung", "mode": "drill"});
    let (_, drill) = world.post("/api/v1/incidents", "commander", drill).await;
    let (id, number) = (drill["incident"].as_str().unwrap(), drill["number"].as_str().unwrap());
    world.run("sheet", "drill", &format!("real/{id}")).await;
    let path = format!("/api/v1/incidents/{number}/real");
    let answer = world.asked(&Method::POST, &path, ("responder", None)).await;
    assert_eq!(answer.status().as_u16(), 201);
    let (_, drill) = world.get(&format!("/api/v1/incidents/{number}"), "commander").await;
    let live = format!("/api/v1/incidents/{}", drill["real"].as_str().unwrap());
    assert_eq!(world.get(&live, "commander").await.1["mode"], json!("live"));
}
