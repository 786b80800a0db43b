//! The timeline as people see it: which lines stand there, on which page, and that it is never old.

use axum::http::{Method, Request, header};
use flate2::read::GzDecoder;
use serde_json::json;
use std::io::Read as _;

use super::LINES;
use crate::api::world::World;

async fn look(world: &World, path: &str, who: &str) -> String {
    let response = world.asked(&Method::GET, path, (who, None)).await;
    assert_eq!(response.status(), 200, "{path}");
    let bytes = axum::body::to_bytes(response.into_body(), 4 << 20).await.unwrap();
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn rows(page: &str) -> usize {
    page.matches("<tr id=\"e-").count()
}

/// The incident of a new run.
async fn incident(world: &World) -> String {
    let run = world.run("sheet", "live", "k").await;
    world.needs(&run, 1).await;
    let (_, run) = world.get(&format!("/api/v1/runs/{run}"), "commander").await;
    run["incident_number"].as_str().unwrap().to_owned()
}

async fn note(world: &World, incident: &str, text: &str) {
    let body = json!({"text": text});
    let (status, answer) =
        world.post(&format!("/api/v1/incidents/{incident}/notes"), "commander", body).await;
    assert_eq!(status, 200, "{answer}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn details_are_hidden_until_they_are_asked_for_and_counted_all_the_same() {
    let world = World::new().await;
    let number = incident(&world).await;
    let at = format!("/incidents/{number}/timeline");
    let (_, all) = world.get(&format!("/api/v1/incidents/{number}/timeline"), "commander").await;
    let all = all["items"].as_array().unwrap();
    let is_detail = |line: &&serde_json::Value| line["detail"] == true;
    let (details, told) = (all.iter().filter(is_detail).count(), all.len());
    assert!(details > 0 && details < told, "{all:?}");
    let page = look(&world, &at, "commander").await;
    assert_eq!(rows(&page), told - details);
    assert!(page.contains("<span class=\"tlp\">TLP:"), "{page}");
    assert!(page.contains("?view=lanes\" aria-current=\"true\""), "{page}");
    let (_, drawn) = page.split_once("<svg class=\"lanes\"").unwrap();
    let (drawn, legend) = drawn.split_once("</svg>").unwrap();
    assert!(legend.contains("Was die Zeichen bedeuten"), "{page}");
    let points = drawn.matches("<circle").count() + drawn.matches("<path class=\"failed\"").count();
    assert!(points > 0 && points <= told - details, "points of one place are one");
    assert!(page.contains(&format!("{details} Einzelheit")), "{page}");
    let page = look(&world, &format!("{at}?details=true"), "commander").await;
    assert_eq!(rows(&page), told);
    // A filter stays, whichever lines it leaves.
    let page = look(&world, &format!("{at}?lane=system"), "commander").await;
    assert!(page.contains("&#38;details=true&#38;lane=system\">zeigen"), "{page}");
    assert!(!page.contains("name=\"significant\" value=\"true\""), "a file has details, too");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_line_is_found_on_its_page_as_soon_as_it_is_written() {
    let world = World::new().await;
    let number = incident(&world).await;
    let at = format!("/incidents/{number}/timeline");
    assert!(!look(&world, &at, "commander").await.contains("note 7 of many"));
    for count in 0..=LINES {
        note(&world, &number, &format!("note {count} of many")).await;
    }
    let page = look(&world, &at, "commander").await;
    assert!(page.contains("note 7 of many") && rows(&page) == LINES);
    let last = format!("note {LINES} of many");
    assert!(!page.contains(&last));
    let (_, found) = world.get(&format!("/api/v1{at}?q=note%20{LINES}%20of"), "commander").await;
    let found = found["items"].as_array().unwrap();
    let line = found.iter().find(|line| line["message"].as_str().unwrap().ends_with(&last));
    let line = line.unwrap()["line"].as_str().unwrap();
    let page = look(&world, &format!("{at}?line={line}"), "commander").await;
    assert!(page.contains(&format!("id=\"e-{line}\"")) && rows(&page) < LINES);
    // Kept in memory for one, it is still not there for others.
    let cockpit = look(&world, &format!("/incidents/{number}"), "commander").await;
    assert!(cockpit.contains(&last) && cockpit.contains(&format!("timeline?line={line}#e-{line}")));
    let hidden = world.asked(&Method::GET, &at, ("stadt-a", None)).await;
    assert_eq!(hidden.status(), 404);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_goes_packed_over_a_thin_line_and_the_answer_to_a_form_does_not() {
    let world = World::new().await;
    let asked = |method: Method, body: &'static str| {
        Request::builder()
            .method(method)
            .uri("/playbooks/check")
            .header(header::HOST, "lage.example")
            .header(header::AUTHORIZATION, "Bearer commander")
            .header(header::ACCEPT_ENCODING, "gzip, br")
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(body.into())
            .unwrap()
    };
    let response = world.sent(asked(Method::GET, "")).await;
    assert_eq!(response.headers()[header::CONTENT_ENCODING], "gzip");
    assert!(response.headers()[header::VARY].to_str().unwrap().contains("accept-encoding"));
    let bytes = axum::body::to_bytes(response.into_body(), 1 << 20).await.unwrap();
    let mut page = String::new();
    GzDecoder::new(bytes.as_ref()).read_to_string(&mut page).unwrap();
    assert!(page.contains("</html>") && page.len() > bytes.len());
    let response = world.sent(asked(Method::POST, "text=playbook")).await;
    assert!(!response.headers().contains_key(header::CONTENT_ENCODING));
}
