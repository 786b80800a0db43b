//! A launch, as somebody with a browser goes through it.

use serde_json::json;

use crate::api::world::World;
use crate::page::told::{look, send};

/// What stands in a hidden field.
fn hidden(page: &str, name: &str) -> String {
    let (_, rest) = page.split_once(&format!("name=\"{name}\" value=\"")).expect("the field");
    rest.split('"').next().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_begins_after_it_was_shown_and_once() {
    let world = World::new().await;
    let path = "/playbooks/sheet/launch";
    let (status, _, form) = look(&world, path, "responder").await;
    assert_eq!(status, 200, "{form}");
    assert!(!form.contains(" checked"), "nobody chose yet whether it is real");
    let key = hidden(&form, "start_key");
    let fields = |step| [("start_key", key.as_str()), ("mode", "live"), ("in.who", "anna"), step];
    let (status, _, review) = send(&world, path, ("responder", &fields(("step", "review")))).await;
    assert_eq!(status, 200, "{review}");
    assert_eq!(hidden(&review, "in.who"), "anna");
    let (_, runs) = world.get("/api/v1/runs", "commander").await;
    assert_eq!(runs["items"], json!([]), "nothing happened yet");
    let launch = fields(("step", "launch"));
    let (status, place, _) = send(&world, path, ("responder", &launch)).await;
    assert_eq!(status, 303);
    assert!(place.starts_with("/runs/") && place.ends_with("?done=launched"), "{place}");
    let (_, again, _) = send(&world, path, ("responder", &launch)).await;
    assert_eq!(again, place, "who sends it twice is led to the same run");
    let (_, runs) = world.get("/api/v1/runs", "commander").await;
    assert_eq!(runs["items"].as_array().unwrap().len(), 1);
    for who in ["reviewer", "scribe"] {
        assert_eq!(look(&world, path, who).await.0, 403, "{who}");
        assert_eq!(send(&world, path, (who, &launch)).await.0, 403, "{who}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_does_not_fit_comes_back_as_it_was_typed() {
    let world = World::new().await;
    let path = "/playbooks/sheet/launch";
    let nasty = "\"><script>alert(1)</script>";
    for (fields, said) in [
        (&[("mode", "live")][..], "#in-who"),
        (&[("in.who", nasty)][..], "#mode"),
        (&[("in.who", nasty), ("mode", "live"), ("in.more", "x")][..], "#in-more"),
        (&[("in.who", nasty), ("in.who", "x"), ("mode", "live")][..], "#in-who"),
    ] {
        let mut sent = vec![("start_key", "k"), ("step", "review")];
        sent.extend(fields);
        let (status, _, page) = send(&world, path, ("responder", &sent)).await;
        assert_eq!(status, 400, "{fields:?}: {page}");
        assert!(page.contains(said), "{fields:?}: {page}");
        assert!(!page.contains("<script>alert"), "{page}");
        if fields.len() > 1 || fields[0].0 == "in.who" {
            assert!(page.contains("alert(1)"), "what was typed is not lost: {page}");
        }
    }
    let sent = [("start_key", "k"), ("step", "review"), ("mode", "live"), ("in.who", nasty)];
    let (status, _, page) = send(&world, path, ("responder", &sent)).await;
    assert_eq!(status, 200, "{page}");
    assert!(page.contains("alert(1)") && !page.contains("<script>alert"), "{page}");
    for wrong in [("step", "leap"), ("approved_by", "ben")] {
        let sent = [("start_key", "k"), ("mode", "live"), ("in.who", "x"), wrong];
        assert_eq!(send(&world, path, ("responder", &sent)).await.0, 400, "{wrong:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_drill_has_its_own_address_and_a_banner() {
    let world = World::new().await;
    let (path, drill) = ("/playbooks/sheet/launch", "/drill/playbooks/sheet/launch");
    let sent = [("start_key", "k"), ("step", "review"), ("mode", "drill"), ("in.who", "x")];
    let (status, place, _) = send(&world, path, ("responder", &sent)).await;
    assert_eq!((status, place.as_str()), (307, drill));
    let (status, _, page) = send(&world, drill, ("responder", &sent)).await;
    assert_eq!(status, 200);
    assert!(page.contains("drill-banner"), "{page}");
    // Another language is another page, and what was entered would be gone.
    assert!(!page.contains("action=\"/show\""), "{page}");
    assert!(look(&world, drill, "responder").await.2.contains("action=\"/show\""));
    let run = world.run("sheet", "drill", "other").await;
    let (_, run) = world.get(&format!("/api/v1/runs/{run}"), "commander").await;
    let number = run["incident_number"].as_str().unwrap();
    let there = format!("{path}?incident={number}");
    let (status, place, _) = look(&world, &there, "responder").await;
    assert_eq!((status, place), (303, format!("{drill}?incident={number}")));
    let sent = [("start_key", "k"), ("step", "review"), ("mode", "live"), ("in.who", "x")];
    let sent = [&sent[..], &[("incident", number)]].concat();
    let (status, _, page) = send(&world, path, ("responder", &sent)).await;
    assert_eq!(status, 400);
    assert!(page.contains("href=\"#mode\""), "a drill is not launched for real: {page}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_falls_to_people_is_shown_and_wants_a_yes() {
    let world = World::new().await;
    let path = "/playbooks/cut/launch";
    let fields = [("start_key", "k"), ("mode", "live"), ("title", "Night")];
    let with = |more: &[(&'static str, &'static str)]| [&fields[..], more].concat();
    let (status, _, review) = send(&world, path, ("responder", &with(&[("step", "review")]))).await;
    assert_eq!(status, 200, "{review}");
    assert!(review.contains("name=\"by_hand_ok\""), "{review}");
    assert!(review.contains("pc-7"), "what would be cut off is named: {review}");
    let (status, _, refused) =
        send(&world, path, ("responder", &with(&[("step", "launch")]))).await;
    assert_eq!(status, 409);
    assert!(refused.contains("name=\"by_hand_ok\""), "{refused}");
    assert_eq!(hidden(&refused, "title"), "Night", "what was entered is not lost");
    let yes = with(&[("step", "launch"), ("by_hand_ok", "yes")]);
    assert_eq!(send(&world, path, ("responder", &yes)).await.0, 303);
}
