//! A run and a step as people see them, and what their forms do.

use axum::body::Body;
use axum::http::{Method, Request, Response, header};
use serde_json::json;

use crate::api::world::World;

async fn html(response: Response<Body>) -> (u16, String, String) {
    let status = response.status().as_u16();
    let place = response.headers().get(header::LOCATION);
    let place = place.and_then(|place| place.to_str().ok()).unwrap_or_default().to_owned();
    let bytes = axum::body::to_bytes(response.into_body(), 4 << 20).await.unwrap();
    (status, place, String::from_utf8(bytes.to_vec()).unwrap())
}

async fn look(world: &World, path: &str, who: &str) -> (u16, String, String) {
    html(world.asked(&Method::GET, path, (who, None)).await).await
}

async fn send(world: &World, path: &str, (who, body): (&str, &str)) -> (u16, String, String) {
    let request = Request::post(path)
        .header(header::HOST, "lage.example")
        .header(header::AUTHORIZATION, format!("Bearer {who}"))
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(Body::from(body.to_owned()));
    html(world.sent(request.unwrap()).await).await
}

/// A run of the sheet for somebody with such a name, as soon as it waits.
async fn asked_by(world: &World, who: &str) -> String {
    let body = json!({"playbook": "sheet", "inputs": {"who": who}, "mode": "live",
                      "start_key": "k"});
    let (status, run) = world.post("/api/v1/runs", "responder", body).await;
    assert_eq!(status, 201, "{run}");
    let run = run["id"].as_str().unwrap().to_owned();
    world.needs(&run, 1).await;
    run
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_shows_how_it_stands_and_what_waits() {
    let world = World::new().await;
    let run = asked_by(&world, "<script>alert(1)</script>").await;
    let (status, _, page) = look(&world, &format!("/runs/{run}"), "responder").await;
    assert_eq!(status, 200);
    for shown in ["Fill in a sheet", "Look at it", "/needs/", "status-waiting-for-person", "<svg"] {
        assert!(page.contains(shown), "{shown}");
    }
    assert!(page.contains("script") && !page.contains("<script>alert"), "inputs are text");
    let step = format!("/runs/{run}/step?path=look");
    assert!(page.contains(&step), "{step}");
    let (status, _, page) = look(&world, &step, "responder").await;
    assert!(status == 200 && page.contains("Look at it") && page.contains("/needs/"));
    assert_eq!(look(&world, &format!("/runs/{run}/step?path=nowhere"), "responder").await.0, 404);
    let (status, place, _) = look(&world, &format!("/drill/runs/{run}"), "responder").await;
    assert_eq!((status, place), (303, format!("/runs/{run}")));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_reads_for_one_organisation_sees_an_outline_or_nothing() {
    let world = World::new().await;
    let run = asked_by(&world, "anna").await;
    let pages = [format!("/runs/{run}"), format!("/runs/{run}/step?path=look")];
    for page in &pages {
        assert_eq!(look(&world, page, "stadt-a").await.0, 404, "{page}");
    }
    world.link(&run, "stadt-a").await;
    for path in &pages {
        let (status, _, page) = look(&world, path, "stadt-a").await;
        assert!(status == 200 && page.contains("sheet"));
        for hidden in ["anna", "angefordert von", "id=\"flow\"", "id=\"values\""] {
            assert!(!page.contains(hidden), "{path}: {hidden}");
        }
    }
    // What its timeline tells in outline names the step, and nothing else does.
    let (_, _, page) = look(&world, &pages[0], "stadt-a").await;
    assert!(!page.contains("Look at it") && !page.contains("Fill in a sheet"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn forms_do_to_a_run_what_the_interface_does() {
    let world = World::new().await;
    let run = asked_by(&world, "anna").await;
    let at = |verb: &str| format!("/runs/{run}/{verb}");
    for (verb, form, who, wanted) in [
        ("pause", "reason=", "responder", 403),
        ("pause", "reason=&by=ben", "commander", 400),
        ("pause", "reason=lunch", "commander", 303),
        ("unpause", "", "commander", 303),
        ("undo", "reason=x", "fresh-commander", 400),
        ("undo", "reason=x&all=yes&steps%5B%5D=look", "fresh-commander", 400),
        ("undo", "reason=x&all=yes", "commander", 403),
        ("signal", "name=a&key=b&path=look", "responder", 404),
        ("cancel", "reason=", "commander", 400),
        ("cancel", "reason=over", "commander", 303),
    ] {
        let (status, place, page) = send(&world, &at(verb), (who, form)).await;
        assert_eq!(status, wanted, "{verb} {form}: {page}");
        assert_eq!(place.is_empty(), status != 303);
    }
    let (_, now) = world.get(&format!("/api/v1/runs/{run}"), "reviewer").await;
    assert_eq!(now["status"], "cancelled");
}
