//! Playbooks as pages: listed, read, checked, printed.

use axum::body::Body;
use axum::http::{Method, Request, header};

use crate::api::world::World;

async fn look(world: &World, path: &str, who: &str) -> (u16, String) {
    let response = world.asked(&Method::GET, path, (who, None)).await;
    let status = response.status().as_u16();
    let bytes = axum::body::to_bytes(response.into_body(), 1 << 20).await.unwrap();
    (status, String::from_utf8(bytes.to_vec()).unwrap())
}

async fn check(world: &World, path: &str, text: &str) -> (u16, String) {
    let body = form_urlencoded::Serializer::new(String::new()).append_pair("text", text).finish();
    let request = Request::post(path)
        .header(header::HOST, "lage.example")
        .header(header::AUTHORIZATION, "Bearer reviewer")
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(Body::from(body));
    let response = world.sent(request.unwrap()).await;
    let status = response.status().as_u16();
    let bytes = axum::body::to_bytes(response.into_body(), 1 << 20).await.unwrap();
    (status, String::from_utf8(bytes.to_vec()).unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_may_read_one_reads_what_it_does_or_what_is_wrong_with_it() {
    let world = World::new().await;
    let (status, list) = look(&world, "/playbooks", "responder").await;
    assert_eq!(status, 200, "{list}");
    for said in ["Fill in a sheet", "/playbooks/sheet/launch", "/playbooks/broken"] {
        assert!(list.contains(said), "{said}: {list}");
    }
    assert!(!list.contains("/playbooks/broken/launch"), "{list}");
    let (_, list) = look(&world, "/playbooks", "reviewer").await;
    assert!(!list.contains("/launch"), "{list}");
    let (_, list) = look(&world, "/playbooks", "stadt-a").await;
    assert!(!list.contains("broken"), "{list}");
    for (name, who, status, said) in [
        ("gate", "reviewer", 200, "2 × "),
        ("cut", "reviewer", 200, "network.release"),
        ("broken", "reviewer", 200, "unknown-key"),
        ("broken", "stadt-a", 404, ""),
        ("nothing", "reviewer", 404, ""),
    ] {
        let (was, page) = look(&world, &format!("/playbooks/{name}"), who).await;
        assert_eq!(was, status, "{name}");
        assert!(page.contains(said), "{name}: {page}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_incident_goes_along_to_the_launch() {
    let world = World::new().await;
    let run = world.run("sheet", "live", "k").await;
    let (_, run) = world.get(&format!("/api/v1/runs/{run}"), "commander").await;
    let number = run["incident_number"].as_str().unwrap();
    for path in ["/playbooks", "/playbooks/sheet"] {
        let (status, page) = look(&world, &format!("{path}?incident={number}"), "responder").await;
        assert_eq!(status, 200, "{page}");
        assert!(page.contains(&format!("/playbooks/sheet/launch?incident={number}")), "{page}");
    }
    assert_eq!(look(&world, "/playbooks?incident=SIT-1999-0001", "responder").await.0, 404);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_text_is_checked_with_and_without_script() {
    let world = World::new().await;
    let text = "playbook: a\nlanguage: 1\n</textarea><img src=x>: A\nsteps: []\n";
    for (path, whole) in [("/playbooks/check", true), ("/playbooks/check/findings", false)] {
        let (status, page) = check(&world, path, text).await;
        assert_eq!((status, page.contains("<html")), (200, whole), "{page}");
        assert_eq!(page.contains("hx-swap-oob"), !whole, "{page}");
        assert!(page.contains("class=\"finding finding-error\""), "{page}");
        assert!(!page.contains("<img src=x>"), "{page}");
        let (status, page) = check(&world, path, &" x".repeat(256 * 1024)).await;
        assert_eq!(status, 200, "{page}");
        assert!(page.contains("262144"), "it says how long one may be");
    }
    let (_, page) = check(&world, "/playbooks/check", "\n\nplaybook: a\n").await;
    assert!(page.contains("this:replace\">\n\n\nplaybook: a\n</textarea>"), "{page}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sheet_has_a_box_for_each_step() {
    let world = World::new().await;
    let (status, page) = look(&world, "/playbooks/sheet/sheet", "reviewer").await;
    assert_eq!((status, page.matches("class=\"tick-box\"").count()), (200, 2), "{page}");
    let run = world.run("sheet", "drill", "k").await;
    world.needs(&run, 1).await;
    let (status, page) = look(&world, &format!("/drill/runs/{run}/sheet"), "commander").await;
    assert_eq!(status, 200);
    assert!(page.contains("drill-banner") && page.contains("anna"), "{page}");
    assert_eq!(look(&world, &format!("/runs/{run}/sheet"), "commander").await.0, 303);
    assert_eq!(look(&world, &format!("/drill/runs/{run}/sheet"), "stadt-a").await.0, 404);
}
