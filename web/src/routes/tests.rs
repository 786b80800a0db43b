//! The shell as a client meets it, with routes of the tests' own.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{Method, Request, Response, StatusCode, header};
use beistand_core::access::{Grant, Permission, Rights};
use beistand_core::model::{Millis, Role};
use beistand_core::run::Actor;
use serde::Deserialize;
use serde_json::Value;
use tokio::sync::Notify;
use tower::ServiceExt as _;
use utoipa_axum::routes;

use super::*;
use crate::asked::{Asked, At};
use beistand_runtime::Caller;

use crate::door::{Credential, Denied, Doorkeeper, Identified, Who};
use crate::json::Exact;
use crate::limits::Limits;
use crate::peer::Proxies;

/// Knows a commander, a reviewer and nobody else.
#[derive(Debug)]
struct Double;

impl Doorkeeper for Double {
    fn identify<'a>(&'a self, credential: Credential<'a>) -> Identified<'a> {
        Box::pin(async move {
            let name = match credential {
                Credential::Bearer("t-commander") | Credential::Session("s-commander") => {
                    "commander"
                }
                Credential::Bearer("t-reviewer") => "reviewer",
                Credential::Bearer("t-shaken") => {
                    return Err(Denied::Unavailable("the store is gone".into()));
                }
                Credential::Bearer(_) | Credential::Session(_) => return Err(Denied::Invalid),
            };
            let role: Role = name.parse().unwrap();
            let person: beistand_core::model::Person = name.parse().unwrap();
            let grant = Grant {
                person: person.clone(),
                role,
                reach: "instance".parse().unwrap(),
                until: None,
            };
            let rights = Rights::of([grant], Millis::new(0));
            let actor = Actor::asserted(person);
            Ok(Caller { actor, account: None, rights, proved_at: None })
        })
    }
}

/// Lets handlers wait for the test.
#[derive(Debug, Clone, Default)]
struct World {
    begun: Arc<Notify>,
    go: Arc<Notify>,
    done: Arc<Notify>,
}

#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct Note {
    text: String,
}

#[utoipa::path(get, path = "/open", responses((status = 200)))]
async fn open() -> &'static str {
    "open"
}

#[utoipa::path(get, path = "/api/v1/me", responses((status = 200)))]
async fn me(Who(caller): Who) -> String {
    caller.actor.person.to_string()
}

#[utoipa::path(post, path = "/api/v1/notes", request_body = Note, responses((status = 200)))]
async fn note(Exact(note): Exact<Note>) -> String {
    note.text
}

#[utoipa::path(get, path = "/api/v1/notes", responses((status = 200)))]
async fn notes() -> &'static str {
    "notes"
}

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
struct Page {
    #[serde(default)]
    cursor: u32,
}

#[utoipa::path(
    get, path = "/api/v1/notes/{number}",
    params(("number" = u32, Path, description = "Which"), Page), responses((status = 200))
)]
async fn one_note(At(number): At<u32>, Asked(page): Asked<Page>) -> String {
    format!("{number} {}", page.cursor)
}

#[utoipa::path(post, path = "/api/v1/slow", responses((status = 200)))]
async fn slow(axum::extract::State(world): axum::extract::State<World>) -> &'static str {
    world.begun.notify_one();
    world.go.notified().await;
    world.done.notify_one();
    "slow"
}

#[utoipa::path(post, path = "/api/v1/urgent", responses((status = 200)))]
async fn urgent() -> &'static str {
    "urgent"
}

#[utoipa::path(get, path = "/api/v1/broken", responses((status = 200)))]
async fn broken() -> &'static str {
    panic!("a fault of ours")
}

fn declared() -> Routes<World> {
    use Lane::{Free, Ordinary, Urgent};
    Routes::new()
        .add(Right::Public, Free, routes!(open))
        .add(Right::LoggedIn, Ordinary, routes!(me))
        .add(Right::Needs(Permission::Launch), Ordinary, routes!(note))
        .add(Right::Needs(Permission::Read), Ordinary, routes!(notes))
        .add(Right::LoggedIn, Ordinary, routes!(one_note))
        .add(Right::NeedsThere(Permission::Launch), Ordinary, routes!(slow))
        .add(Right::Needs(Permission::Stop), Urgent, routes!(urgent))
        .add(Right::LoggedIn, Ordinary, routes!(broken))
}

fn served(world: &World, limits: Limits) -> Router {
    let gate = Gate::new(Arc::new(Double), limits, Proxies::default(), true);
    declared().behind(&Arc::new(gate), world.clone())
}

fn request(method: &Method, path: &str, token: Option<&str>) -> Request<Body> {
    let mut request =
        Request::builder().method(method).uri(path).header(header::HOST, "lage.example");
    if let Some(token) = token {
        request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
    }
    request.body(Body::empty()).unwrap()
}

async fn answer(router: &Router, request: Request<Body>) -> Response<Body> {
    router.clone().oneshot(request).await.unwrap()
}

async fn status(router: &Router, method: &Method, path: &str, token: Option<&str>) -> u16 {
    answer(router, request(method, path, token)).await.status().as_u16()
}

async fn problem(response: Response<Body>) -> Value {
    assert_eq!(response.headers()[header::CONTENT_TYPE], MEDIA_TYPE);
    let body = axum::body::to_bytes(response.into_body(), 1 << 20).await.unwrap();
    serde_json::from_slice(&body).unwrap()
}

#[tokio::test]
async fn no_bad_credential_and_no_method_opens_a_declared_door() {
    let router = served(&World::default(), Limits::default());
    let methods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "BREW"];
    let mut paths: Vec<String> = declared().declared().into_iter().map(|one| one.path).collect();
    paths.retain(|path| !path.contains('{'));
    paths.push("/api/v1/notes/7".to_owned());
    for path in paths.iter().filter(|path| *path != "/open") {
        for method in methods {
            let method = method.parse().unwrap();
            for token in [None, Some("rubbish"), Some("t-commander-expired")] {
                assert_eq!(status(&router, &method, path, token).await, 401, "{method} {path}");
            }
        }
    }
    assert_eq!(status(&router, &Method::POST, "/open", None).await, 401);
    assert_eq!(status(&router, &Method::GET, "/open", None).await, 200);
}

#[tokio::test]
async fn each_method_of_a_path_has_the_right_that_it_was_declared_with() {
    let router = served(&World::default(), Limits::default());
    let reviewer = Some("t-reviewer");
    assert_eq!(status(&router, &Method::GET, "/api/v1/notes", reviewer).await, 200);
    for path in ["/api/v1/notes", "/api/v1/slow", "/api/v1/urgent"] {
        let refused = answer(&router, request(&Method::POST, path, reviewer)).await;
        assert_eq!(refused.status(), StatusCode::FORBIDDEN, "{path}");
        assert!(problem(refused).await["permission"].is_string(), "{path}");
    }
    assert_eq!(status(&router, &Method::POST, "/api/v1/urgent", Some("t-commander")).await, 200);
    assert_eq!(status(&router, &Method::GET, "/api/v1/me", Some("t-shaken")).await, 503);
}

#[tokio::test]
async fn what_is_not_there_is_not_there_for_anybody_and_says_the_same_to_all() {
    let router = served(&World::default(), Limits::default());
    let mut said = Vec::new();
    for path in ["/api/v1/nothing", "/api/v1/me/more", "/", "//", "/api/v1/%6de", "/admin.php"] {
        for method in [Method::GET, Method::POST, "BREW".parse().unwrap()] {
            for token in [None, Some("rubbish"), Some("t-shaken"), Some("t-reviewer")] {
                let refused = answer(&router, request(&method, path, token)).await;
                assert_eq!(refused.status(), StatusCode::NOT_FOUND, "{method} {path} {token:?}");
                let mut told = problem(refused).await;
                told["reference"] = Value::Null;
                said.push(told.to_string());
            }
        }
    }
    said.dedup();
    assert_eq!(said.len(), 1, "{said:?}");
}

#[tokio::test]
async fn which_methods_a_path_has_is_told_to_who_is_logged_in() {
    let router = served(&World::default(), Limits::default());
    let reviewer = Some("t-reviewer");
    assert_eq!(status(&router, &Method::DELETE, "/api/v1/me", None).await, 401);
    let refused = answer(&router, request(&Method::DELETE, "/api/v1/me", reviewer)).await;
    assert_eq!(refused.status(), StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(refused.headers()[header::ALLOW], "GET,HEAD");
    problem(refused).await;
}

#[tokio::test]
async fn another_spelling_of_a_path_is_not_there() {
    let router = served(&World::default(), Limits::default());
    for path in [
        "//api/v1/me",
        "/api//v1/me",
        "/api/v1/me/",
        "/api/./v1/me",
        "/api/v1/x/../me",
        "/api/v1/x/..;/me",
        "/api/v1/%2e%2e/v1/me",
        "/api/v1/me;x=1",
        "/api/v1/%6de",
        "/API/v1/me",
        "/api/v1/Me",
        "/open/../api/v1/me",
        "/api/v1/me/open",
        "https://lage.example/api/v1/me",
    ] {
        for token in [None, Some("t-commander")] {
            assert_eq!(status(&router, &Method::GET, path, token).await, 404, "{path}");
        }
    }
}

#[tokio::test]
async fn every_answer_has_the_headers_also_a_refusal() {
    let router = served(&World::default(), Limits::default());
    for (path, token) in [("/open", None), ("/api/v1/me", None), ("//", None)] {
        let response = answer(&router, request(&Method::GET, path, token)).await;
        let policy = response.headers()[header::CONTENT_SECURITY_POLICY].to_str().unwrap();
        assert!(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"));
        for name in ["x-content-type-options", "referrer-policy", "strict-transport-security"] {
            assert!(response.headers().contains_key(name), "{path}: {name}");
        }
        assert_eq!(response.headers()[header::CACHE_CONTROL], "no-store");
    }
}

#[tokio::test]
async fn another_page_can_not_send_what_changes_something() {
    let router = served(&World::default(), Limits::default());
    let sent = |name: &'static str, value: &'static str| {
        let mut request = request(&Method::POST, "/api/v1/urgent", None);
        let cookie = format!("{SESSION_COOKIE}=s-commander");
        request.headers_mut().insert(header::COOKIE, cookie.parse().unwrap());
        request.headers_mut().insert(name, value.parse().unwrap());
        request
    };
    for (name, value, wanted) in [
        ("origin", "https://lage.example", 200),
        ("origin", "null", 403),
        ("origin", "https://evil.example", 403),
        ("sec-fetch-site", "cross-site", 403),
        ("x-forwarded-host", "evil.example", 403),
    ] {
        assert_eq!(answer(&router, sent(name, value)).await.status(), wanted, "{name}: {value}");
    }
}

fn body(content: &str, bytes: impl Into<Body>) -> Request<Body> {
    let request = request(&Method::POST, "/api/v1/notes", Some("t-commander"));
    let (mut parts, _) = request.into_parts();
    parts.headers.insert(header::CONTENT_TYPE, content.parse().unwrap());
    Request::from_parts(parts, bytes.into())
}

#[tokio::test]
async fn a_body_is_json_of_the_declared_form_and_size() {
    let router = served(&World::default(), Limits::default());
    let long = format!("{{\"text\": \"{}\"}}", "x".repeat(BODY_BYTES_MAX));
    for (kind, text, wanted) in [
        ("application/json", r#"{"text": "x"}"#, 200),
        ("text/plain", r#"{"text": "x"}"#, 415),
        ("application/json; charset=latin1", "not even JSON", 415),
        ("application/x-www-form-urlencoded", "text=x", 415),
        ("application/json", r#"{"text": "x", "approved_by": "ben"}"#, 400),
        ("application/json", r#"{"text": "x", "text": "y"}"#, 400),
        ("application/json", long.as_str(), 413),
    ] {
        let text = text.to_owned();
        let said: String = text.chars().take(40).collect();
        assert_eq!(answer(&router, body(kind, text)).await.status(), wanted, "{kind} {said}");
    }
    // One that does not say how long it is.
    let chunks = std::iter::repeat_n(vec![b' '; 1 << 10], 1 << 10).map(Ok::<_, std::io::Error>);
    let endless = Body::from_stream(futures_util::stream::iter(chunks));
    assert_eq!(answer(&router, body("application/json", endless)).await.status(), 413);
}

#[tokio::test]
async fn who_may_not_sends_no_body() {
    let router = served(&World::default(), Limits::default());
    let never =
        Body::from_stream(futures_util::stream::pending::<Result<Vec<u8>, std::io::Error>>());
    let mut request = body("application/json", never);
    request.headers_mut().insert(header::AUTHORIZATION, "Bearer t-reviewer".parse().unwrap());
    assert_eq!(answer(&router, request).await.status(), 403);
}

#[tokio::test]
async fn a_stranger_sends_no_body_and_is_not_waited_for() {
    let limits = Limits { strangers_within: Duration::from_millis(20), ..Limits::default() };
    let router = served(&World::default(), limits);
    let sent = |path: &str, bytes: Body| {
        let (parts, _) = request(&Method::GET, path, None).into_parts();
        Request::from_parts(parts, bytes)
    };
    assert_eq!(answer(&router, sent("/open", Body::from("x"))).await.status(), 413);
    let never =
        || Body::from_stream(futures_util::stream::pending::<Result<Vec<u8>, std::io::Error>>());
    assert_eq!(answer(&router, sent("/open", never())).await.status(), 408);
    // Where somebody is wanted, or nothing is, none is read at all.
    for (path, wanted) in [("/api/v1/me", 401), ("/api/v1/nothing", 404)] {
        assert_eq!(answer(&router, sent(path, never())).await.status(), wanted, "{path}");
    }
}

#[tokio::test]
async fn a_body_that_does_not_come_is_given_up_and_takes_no_place_meanwhile() {
    let limits = Limits {
        at_work_max: 1,
        waiting_max: 0,
        body_within: Duration::from_millis(50),
        ..Limits::default()
    };
    let router = served(&World::default(), limits);
    let never =
        Body::from_stream(futures_util::stream::pending::<Result<Vec<u8>, std::io::Error>>());
    let slow = answer(&router, body("application/json", never));
    let (slow, quick) = tokio::join!(slow, async {
        tokio::task::yield_now().await;
        status(&router, &Method::GET, "/api/v1/me", Some("t-commander")).await
    });
    assert_eq!((slow.status().as_u16(), quick), (408, 200));
}

#[tokio::test]
async fn a_full_server_says_so_and_lets_through_what_is_urgent() {
    let limits = Limits { at_work_max: 1, waiting_max: 0, ..Limits::default() };
    let world = World::default();
    let router = served(&world, limits);
    let commander = Some("t-commander");
    let slow =
        tokio::spawn(router.clone().oneshot(request(&Method::POST, "/api/v1/slow", commander)));
    world.begun.notified().await;
    let refused = answer(&router, request(&Method::GET, "/api/v1/me", commander)).await;
    assert_eq!(refused.status(), StatusCode::TOO_MANY_REQUESTS);
    assert!(refused.headers().contains_key(header::RETRY_AFTER));
    // What is not there takes no place of what is.
    assert_eq!(status(&router, &Method::GET, "/api/v1/nothing", commander).await, 404);
    assert_eq!(status(&router, &Method::POST, "/api/v1/urgent", commander).await, 200);
    assert_eq!(status(&router, &Method::GET, "/open", None).await, 200);
    world.go.notify_one();
    assert_eq!(slow.await.unwrap().unwrap().status(), StatusCode::OK);
    assert_eq!(status(&router, &Method::GET, "/api/v1/me", commander).await, 200);
}

#[tokio::test]
async fn what_takes_too_long_is_answered_and_still_goes_to_its_end() {
    let limits = Limits { request_within: Duration::from_millis(20), ..Limits::default() };
    let world = World::default();
    let router = served(&world, limits);
    let commander = Some("t-commander");
    assert_eq!(status(&router, &Method::POST, "/api/v1/slow", commander).await, 503);
    world.go.notify_one();
    world.done.notified().await;
}

#[tokio::test]
async fn who_leaves_does_not_cut_what_was_begun() {
    let world = World::default();
    let router = served(&world, Limits::default());
    let left = router.oneshot(request(&Method::POST, "/api/v1/slow", Some("t-commander")));
    tokio::select! {
        _ = left => panic!("it waits for the test"),
        () = world.begun.notified() => {}
    }
    world.go.notify_one();
    world.done.notified().await;
}

#[tokio::test]
async fn a_fault_of_ours_is_an_answer_that_tells_nothing() {
    let router = served(&World::default(), Limits::default());
    let refused =
        answer(&router, request(&Method::GET, "/api/v1/broken", Some("t-commander"))).await;
    assert_eq!(refused.status(), StatusCode::INTERNAL_SERVER_ERROR);
    assert!(!problem(refused).await.to_string().contains("a fault of ours"));
}

#[tokio::test]
async fn a_request_names_one_host() {
    let router = served(&World::default(), Limits::default());
    let mut without = request(&Method::GET, "/open", None);
    without.headers_mut().remove(header::HOST);
    let mut two = request(&Method::GET, "/open", None);
    two.headers_mut().append(header::HOST, "other.example".parse().unwrap());
    for request in [without, two] {
        assert_eq!(answer(&router, request).await.status(), StatusCode::BAD_REQUEST);
    }
}

#[test]
fn the_description_has_every_route_with_its_permission_and_no_other() {
    let text = declared().openapi().to_json().unwrap();
    let described: Value = serde_json::from_str(&text).unwrap();
    assert!(described["openapi"].as_str().unwrap().starts_with("3.1"), "{}", described["openapi"]);
    let mut found = Vec::new();
    for (path, item) in described["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            assert!(operation["x-permission"].is_string(), "{method} {path}");
            assert!(operation["responses"]["default"].is_object(), "{method} {path}");
            let open = operation["security"].as_array().unwrap().is_empty();
            assert_eq!(open, operation["x-permission"] == "public", "{method} {path}");
            found.push((path.clone(), method.to_uppercase()));
        }
    }
    let declared = declared().declared().into_iter();
    let declared: Vec<_> = declared.map(|one| (one.path, one.method.to_owned())).collect();
    assert_eq!(found, declared);
    assert!(described["components"]["schemas"]["Note"].is_object());
    assert!(described["components"]["securitySchemes"]["token"].is_object());
}

#[tokio::test]
async fn what_a_path_or_a_query_can_not_mean_is_refused() {
    let router = served(&World::default(), Limits::default());
    for (path, wanted) in [
        ("/api/v1/notes/7", 200),
        ("/api/v1/notes/7?cursor=4", 200),
        ("/api/v1/notes/seven", 404),
        ("/api/v1/notes/-7", 404),
        ("/api/v1/notes/7?cursor=x", 400),
        ("/api/v1/notes/7?cursor=1&cursor=2", 400),
        ("/api/v1/notes/7?curser=1", 400),
    ] {
        let answered = answer(&router, request(&Method::GET, path, Some("t-reviewer"))).await;
        assert_eq!(answered.status(), wanted, "{path}");
        if wanted != 200 {
            problem(answered).await;
        }
    }
}
