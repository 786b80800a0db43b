//! On a German page there is no sentence in English, whatever was refused.

use axum::body::Body;
use axum::http::{Method, Request, header};
use serde_json::json;

use crate::api::world::World;
use crate::page::told::{look, send, told};

/// Looks at a page in a browser that speaks this language.
async fn looked(world: &World, path: &str, (who, lang): (&str, &str)) -> (u16, String) {
    let request = Request::get(path)
        .header(header::HOST, "lage.example")
        .header(header::ACCEPT, "text/html")
        .header(header::ACCEPT_LANGUAGE, lang)
        .header(header::AUTHORIZATION, format!("Bearer {who}"));
    let (status, _, page) = told(world.sent(request.body(Body::empty()).unwrap()).await).await;
    (status, page)
}

/// A form: where to, by whom, its fields, and the status of the answer.
type Sent<'a> = (String, &'a str, Vec<(&'a str, &'a str)>, u16);

/// What a German refusal has in English: the button that changes the language is no sentence.
fn english(page: &str) -> Vec<&str> {
    let main = page.split_once("<main").and_then(|(_, rest)| rest.split_once("</main>"));
    let main = main.map_or(page, |(main, _)| main);
    main.match_indices("lang=\"en\"").map(|(at, _)| &main[at..main.len().min(at + 120)]).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_is_refused_is_told_so_in_german() {
    let world = World::new().await;
    let (_, opened) = world
        .post("/api/v1/incidents", "commander", json!({"title": "Nacht", "mode": "drill"}))
        .await;
    let number = opened["number"].as_str().unwrap();
    let at = |what: &str| format!("/drill/incidents/{number}/{what}");
    let sent: Vec<Sent<'_>> = vec![
        (at("notes"), "commander", vec![("text", "")], 400),
        (at("notes"), "commander", vec![("text", "x"), ("at", "gestern")], 400),
        (at("notes"), "commander", vec![("text", "x"), ("at", "2093-01-01T10:00")], 400),
        (at("notes"), "commander", vec![("text", "x"), ("odd", "y")], 400),
        (at("notes"), "reviewer", vec![("text", "x")], 403),
        (at("close"), "commander", vec![("reason", "")], 400),
        (at("edit"), "commander", vec![("seq", "1"), ("tlp", "CLEAR")], 400),
        (at("edit"), "commander", vec![("seq", "9"), ("title", "y")], 412),
        (at("edit"), "commander", vec![("seq", "1"), ("severity", "9")], 400),
        (at("handover"), "commander", vec![("act", "offer"), ("to", "ben")], 409),
        (at("handover"), "commander", vec![("act", "accept")], 400),
        (
            at("assets"),
            "commander",
            vec![("kind", "boat"), ("values", "x"), ("state", "affected")],
            400,
        ),
        ("/login".to_owned(), "", vec![("account", "anna"), ("passphrase", "falsch")], 403),
        ("/login".to_owned(), "", vec![("account", "anna")], 400),
        ("/stop".to_owned(), "commander", vec![("reason", "")], 400),
    ];
    for (path, who, fields, wanted) in sent {
        let (status, _, page) = send(&world, &path, (who, &fields)).await;
        assert_eq!(status, wanted, "{path} {fields:?}: {page}");
        assert!(page.contains("lang=\"de\""), "it is a page: {page}");
        assert_eq!(english(&page), [""; 0], "{path} {fields:?}");
    }
    for (path, who, wanted) in [
        ("/incidents/SIT-2026-0099", "commander", 404),
        ("/runs/0199a3f2-51c0-7d99-8d8a-000000000000", "commander", 404),
        ("/needs/0199a3f2-51c0-7d99-8d8a-000000000000", "commander", 404),
        ("/nothing", "commander", 404),
        ("/people", "scribe", 403),
        ("/playbooks/none", "commander", 404),
    ] {
        let (status, page) = looked(&world, path, (who, "de")).await;
        assert_eq!(status, wanted, "{path}: {page}");
        assert_eq!(english(&page), [""; 0], "{path}");
    }
    let (_, page) = looked(&world, "/people", ("scribe", "en")).await;
    assert!(page.contains("You lack the permission for this: keep accounts"), "{page}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_that_came_too_late_is_refused_in_german() {
    let world = World::new().await;
    let run = world.run("gate", "drill", "late").await;
    let need = world.needs(&run, 1).await.remove(0);
    let path = format!("/drill/needs/{}", need["id"].as_str().unwrap());
    let digest = need["digest"].as_str().unwrap();
    let other = format!("sha256:{}", "0".repeat(64));
    let vote = |digest| [("answer", "approve"), ("digest", digest)];
    let (status, _, page) = send(&world, &path, ("fresh-ben", &vote(&other))).await;
    assert_eq!((status, english(&page)), (409, Vec::new()), "{page}");
    assert!(page.contains("Bitte noch einmal ansehen"), "{page}");
    let waits = |page: &str| page.contains("id=\"answers\"");
    let (_, page) = looked(&world, &path, ("fresh-ben", "de")).await;
    assert!(waits(&page) && page.contains("value=\"approve\""), "{page}");
    let _first = send(&world, &path, ("fresh-ben", &vote(digest))).await;
    // Who approved is not asked again, and can still refuse.
    let (_, page) = looked(&world, &path, ("fresh-ben", "de")).await;
    assert!(!page.contains("value=\"approve\"") && page.contains("value=\"deny\""), "{page}");
    assert!(page.contains("Sie haben zugestimmt") && page.contains("1/2"), "{page}");
    let (_, page) = looked(&world, "/", ("fresh-ben", "de")).await;
    assert!(page.contains("Auf Sie wartet nichts."), "{page}");
    let (_, page) = looked(&world, &path, ("fresh-cleo", "de")).await;
    assert!(waits(&page) && page.contains("ben"), "{page}");
    let (status, _, page) = send(&world, &path, ("fresh-ben", &vote(digest))).await;
    assert!(status >= 400, "{page}");
    assert_eq!(english(&page), [""; 0], "{page}");
    assert_eq!(look(&world, "/needs", "ben").await.0, 200);
    drop(world.asked(&Method::GET, &path, ("ben", None)).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_list_is_not_empty_because_its_kind_was_mistyped() {
    let world = World::new().await;
    let run = world.run("sheet", "live", "k").await;
    world.needs(&run, 1).await;
    let (status, page) = looked(&world, "/needs?kind=boat", ("commander", "de")).await;
    assert_eq!(status, 400, "{page}");
    assert!(page.contains("boat"), "{page}");
    let (status, page) = looked(&world, "/needs?kind=task", ("commander", "de")).await;
    assert_eq!((status, page.contains("/needs/")), (200, true), "{page}");
}
