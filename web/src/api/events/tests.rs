//! Streams of events, as a client reads them.

use axum::body::{Body, BodyDataStream};
use axum::http::{Request, Response, header};
use futures_util::StreamExt as _;
use serde_json::{Value, json};
use tokio::time::timeout;

use super::EventSent;
use crate::api::world::{SOON, World, read};

fn watching(path: &str, token: &str, after: Option<&str>) -> Request<Body> {
    let mut request = Request::get(path)
        .header(header::HOST, "lage.example")
        .header(header::AUTHORIZATION, format!("Bearer {token}"));
    if let Some(after) = after {
        request = request.header("last-event-id", after);
    }
    request.body(Body::empty()).unwrap()
}

/// Somebody who reads a stream.
struct Reader {
    frames: BodyDataStream,
    text: String,
    /// The id that a browser would send.
    last: String,
}

/// An event.
#[derive(Debug, PartialEq)]
struct Event {
    id: i64,
    data: Value,
}

impl Reader {
    fn of(response: Response<Body>) -> Self {
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()[header::CONTENT_TYPE], "text/event-stream");
        let frames = response.into_body().into_data_stream();
        Self { frames, text: String::new(), last: String::new() }
    }

    /// The next event; none where the stream ended.
    async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some((block, rest)) = self.text.split_once("\n\n") {
                let (block, rest) = (block.to_owned(), rest.to_owned());
                self.text = rest;
                let line = |name: &str| {
                    block.lines().find_map(|line| line.strip_prefix(name)).map(str::to_owned)
                };
                if let Some(id) = line("id: ") {
                    self.last = id;
                }
                if let Some(data) = line("data: ") {
                    // As OpenAPI describes it.
                    let sent = json!({"id": self.last, "event": line("event: "), "data": data});
                    let EventSent { event, data, .. } = serde_json::from_value(sent).unwrap();
                    let data: Value = serde_json::from_str(&data).unwrap();
                    assert_eq!(event, data["stream"].as_str().unwrap());
                    return Some(Event { id: self.last.parse().unwrap(), data });
                }
                continue;
            }
            let chunk = timeout(SOON, self.frames.next()).await.expect("it goes on or ends")?;
            self.text.push_str(std::str::from_utf8(&chunk.unwrap()).unwrap());
        }
    }

    /// Reads until a sign of life, so that it knows where to go on.
    async fn settled(&mut self) {
        while self.last.is_empty() {
            let chunk = timeout(SOON, self.frames.next()).await.unwrap().unwrap().unwrap();
            let text = std::str::from_utf8(&chunk).unwrap();
            let id = text.lines().find_map(|line| line.strip_prefix("id: "));
            self.last = id.unwrap_or_default().to_owned();
        }
    }

    /// All numbers of a run's entries until one of them is of this kind.
    async fn until(&mut self, kind: &str) -> Vec<u64> {
        let mut seen = Vec::new();
        loop {
            let event = self.next().await.expect("an event");
            seen.push(event.data["seq"].as_u64().unwrap());
            if event.data["kinds"].as_array().unwrap().iter().any(|one| one == kind) {
                return seen;
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_comes_back_with_what_they_saw_last_misses_nothing_and_hears_nothing_twice() {
    let world = World::new().await;
    let run = world.run("sheet", "live", "k").await;
    let path = format!("/api/v1/runs/{run}/events");
    let mut all = Reader::of(world.sent(watching(&path, "reviewer", Some("0"))).await);
    let mut first = Reader::of(world.sent(watching(&path, "reviewer", Some("0"))).await);
    world.needs(&run, 1).await;
    let mut seen = first.until("need-opened").await;
    let last = first.last.clone();
    drop(first);
    // Written while nobody listens.
    let (status, _) =
        world.post(&format!("/api/v1/runs/{run}/pause"), "commander", json!({})).await;
    assert_eq!(status, 200);
    let mut back = Reader::of(world.sent(watching(&path, "reviewer", Some(&last))).await);
    seen.extend(back.until("paused").await);
    let (status, _) =
        world.post(&format!("/api/v1/runs/{run}/unpause"), "commander", json!({})).await;
    assert_eq!(status, 200);
    seen.extend(back.until("unpaused").await);
    let wanted: Vec<u64> = (1..=u64::try_from(seen.len()).unwrap()).collect();
    assert_eq!(seen, wanted, "each entry once, in order");
    assert_eq!(all.until("unpaused").await, wanted);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_last_event_it_begins_now() {
    let world = World::new().await;
    let old = world.run("sheet", "live", "k1").await;
    world.needs(&old, 1).await;
    let mut reader = Reader::of(world.sent(watching("/api/v1/events", "reviewer", None)).await);
    reader.settled().await;
    let new = world.run("sheet", "live", "k2").await;
    let mut event = reader.next().await.unwrap();
    while event.data["stream"] != "run" {
        event = reader.next().await.unwrap();
    }
    assert_eq!(event.data["id"].as_str().unwrap(), new);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_hears_of_what_they_may_not_see() {
    let world = World::new().await;
    let other = world.run("sheet", "live", "k1").await;
    world.link(&other, "stadt-b").await;
    let theirs = world.run("sheet", "live", "k2").await;
    world.link(&theirs, "stadt-a").await;
    let stream = world.sent(watching("/api/v1/events", "stadt-a", Some("0"))).await;
    let mut reader = Reader::of(stream);
    world.post(&format!("/api/v1/runs/{other}/pause"), "commander", json!({})).await;
    world.post(&format!("/api/v1/runs/{theirs}/pause"), "commander", json!({})).await;
    loop {
        let event = reader.next().await.unwrap();
        assert_ne!(event.data["id"].as_str().unwrap(), other);
        if event.data["kinds"].as_array().unwrap().contains(&json!("paused")) {
            return;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_ends_with_the_server() {
    let world = World::new().await;
    let mut reader = Reader::of(world.sent(watching("/api/v1/events", "reviewer", None)).await);
    reader.settled().await;
    world.leave.tell();
    assert_eq!(reader.next().await, None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_ends_with_the_right_to_it() {
    let world = World::new().await;
    let mut reader = Reader::of(world.sent(watching("/api/v1/events", "reviewer", None)).await);
    reader.settled().await;
    world.people.dismiss("reviewer");
    assert_eq!(reader.next().await, None);
    let refused = world.sent(watching("/api/v1/events", "reviewer", None)).await;
    assert_eq!(refused.status(), 403);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn there_is_a_place_for_so_many_and_who_leaves_gives_it_back() {
    let world = World::with_streams((1, 1)).await;
    let first = world.sent(watching("/api/v1/events", "reviewer", None)).await;
    let refused = world.sent(watching("/api/v1/events", "commander", None)).await;
    assert_eq!(refused.status(), 429);
    assert!(refused.headers().contains_key(header::RETRY_AFTER));
    drop(first);
    let second = world.sent(watching("/api/v1/events", "commander", None)).await;
    assert_eq!(second.status(), 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_takes_the_places_of_all_others() {
    let world = World::with_streams((10, 2)).await;
    let watch = async |who: &str| world.sent(watching("/api/v1/events", who, None)).await;
    let (first, second) = (watch("reviewer").await, watch("reviewer").await);
    assert_eq!((first.status().as_u16(), second.status().as_u16()), (200, 200));
    let (status, problem) = read(watch("reviewer").await).await;
    assert_eq!(status, 429);
    assert!(problem["detail"].as_str().unwrap().contains("`reviewer` is told"), "{problem}");
    assert_eq!(watch("commander").await.status(), 200, "there is a place for others");
    drop(first);
    assert_eq!(watch("reviewer").await.status(), 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_does_not_read_is_left() {
    let world = World::new().await;
    let run = world.run("sheet", "live", "k").await;
    for _ in 0..150 {
        for verb in ["pause", "unpause"] {
            world.post(&format!("/api/v1/runs/{run}/{verb}"), "commander", json!({})).await;
        }
    }
    let path = format!("/api/v1/runs/{run}/events");
    let mut frames =
        world.sent(watching(&path, "reviewer", Some("0"))).await.into_body().into_data_stream();
    let (mut unread, mut bytes) = (Vec::new(), 0);
    while let Some(frame) = timeout(SOON, frames.next()).await.unwrap() {
        let frame = frame.unwrap();
        bytes += frame.len();
        unread.push(frame);
    }
    assert!(bytes > 8 << 10 && bytes <= 32 << 10, "{bytes}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_no_id_of_an_event_is_refused() {
    let world = World::new().await;
    for wrong in ["", "x", "-1", "1.5", "99999999999999999999"] {
        let refused = world.sent(watching("/api/v1/events", "reviewer", Some(wrong))).await;
        assert_eq!(refused.status(), 400, "{wrong:?}");
    }
    // One of before a restore is taken for the newest.
    let later = world.sent(watching("/api/v1/events", "reviewer", Some("9999999"))).await;
    assert_eq!(later.status(), 200);
}
