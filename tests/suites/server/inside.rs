//! The server in this process, with a doorkeeper that knows three people: what they may, and what
//! becomes of a request that is under way.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use beistand_core::access::{Grant, Rights};
use beistand_core::model::{Millis, Person, PlaybookName, Role};
use beistand_core::playbook::{Finding, Plan};
use beistand_core::run::Actor;
use beistand_runtime::{Caller, Clock as _, Engine, WallClock};
use beistand_tests::tool::now;
use beistand_web::{
    App, Credential, Denied, Doorkeeper, Hooks, Identified, Leave, Limits, Playbooks, Proxies,
    Server, Settings, table,
};
use serde_json::json;
use tempfile::TempDir;
use tokio::task::{JoinHandle, spawn_blocking};

use super::client::{Client, answer};
use crate::engine::world::engine;

/// Shelves with nothing on them.
#[derive(Debug)]
struct NoPlaybooks;

impl Playbooks for NoPlaybooks {
    fn names(&self) -> BTreeSet<PlaybookName> {
        BTreeSet::new()
    }
    fn named(&self, _: &PlaybookName) -> Option<(Option<Plan>, Vec<Finding>)> {
        None
    }
    fn check(&self, _: &str) -> Vec<Finding> {
        Vec::new()
    }
}

/// A token is the name of a role and of who has it, `commander-anna`, everywhere or as far as it
/// says: `reviewer-rita@organisation:stadt-a`.
#[derive(Debug)]
struct Tokens;

impl Doorkeeper for Tokens {
    fn identify<'a>(&'a self, credential: Credential<'a>) -> Identified<'a> {
        let (token, reach) = match credential {
            Credential::Bearer(token) => token.split_once('@').unwrap_or((token, "instance")),
            Credential::Session(_) => ("", ""),
        };
        let known = token.split_once('-');
        let caller = known.and_then(|(role, name)| {
            let (role, person): (Role, Person) = (role.parse().ok()?, name.parse().ok()?);
            let reach = reach.parse().ok()?;
            let grant = Grant { person: person.clone(), role, reach, until: None };
            let rights = Rights::of([grant], Millis::new(0));
            let proved_at = Some(WallClock.now());
            Some(Caller { actor: Actor::asserted(person), account: None, rights, proved_at })
        });
        Box::pin(std::future::ready(caller.ok_or(Denied::Invalid)))
    }
}

pub(super) struct Inside {
    client: Client,
    pub(super) engine: Engine,
    leave: Leave,
    serving: JoinHandle<beistand_web::Threads>,
    _folder: TempDir,
}

impl Inside {
    pub(super) async fn new(limits: Limits) -> Self {
        Self::hearing(limits, Hooks::new()).await
    }

    pub(super) async fn hearing(limits: Limits, hooks: Hooks) -> Self {
        let folder = TempDir::new().unwrap();
        let engine = engine(&folder.path().join("b.db"), Vec::new()).await;
        let settings = Settings {
            listen: "127.0.0.1:0".parse().unwrap(),
            certificate: None,
            proxies: Proxies::default(),
            limits,
        };
        let server = Server::bind(settings).await.unwrap();
        let client = Client { address: server.address(), pinned: None };
        let leave = Leave::default();
        let door: Arc<dyn Doorkeeper> = Arc::new(Tokens);
        let given = (Arc::new(NoPlaybooks) as Arc<dyn Playbooks>, Arc::clone(&door));
        let app = App::new(engine.clone(), "SIT", given, leave.clone()).hearing(hooks);
        let serving = tokio::spawn(server.run(table(), app, door, leave.clone()));
        Self { client, engine, leave, serving, _folder: folder }
    }

    /// Lets the client talk, which blocks its thread.
    pub(super) async fn talk<T: Send + 'static>(
        &self,
        talk: impl FnOnce(Client) -> T + Send + 'static,
    ) -> T {
        let client = self.client.clone();
        spawn_blocking(move || talk(client)).await.unwrap()
    }

    pub(super) async fn end(self) {
        self.leave.tell();
        drop(self.serving.await.unwrap());
        self.engine.leave().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_does_what_their_role_may() {
    let inside = Inside::new(Limits::default()).await;
    inside
        .talk(|client| {
            let me = client.get("/api/v1/me", Some("reviewer-rita")).json();
            assert_eq!((&me["person"], &me["everywhere"]), (&json!("rita"), &json!(["read"])));
            for (path, missing) in [("/api/v1/stop", "stop"), ("/api/v1/go-on", "resume")] {
                let refused = client.post(path, "reviewer-rita", &json!({"reason": "x"}));
                assert_eq!(refused.status, 403, "{path}");
                assert_eq!(refused.json()["permission"], missing);
            }
            assert_eq!(client.get("/metrics", None).status, 401);
            assert_eq!(client.get("/metrics", Some("responder-rolf")).status, 403);
            let metrics = client.get("/metrics", Some("admin-ada"));
            assert!(metrics.body.contains("beistand_journal_commits_total"), "{metrics:?}");
        })
        .await;
    inside.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_stop_switch_goes_on_and_only_another_person_turns_it_off() {
    let inside = Inside::new(Limits::default()).await;
    inside
        .talk(|client| {
            let reason = json!({"reason": "something is wrong"});
            let on = client.post("/api/v1/stop", "responder-anna", &reason);
            assert_eq!((on.status, on.json()), (200, json!({"stopped": true})));
            let same = client.post("/api/v1/go-on", "commander-anna", &reason);
            assert_eq!(same.status, 403);
            assert!(same.json()["detail"].as_str().unwrap().contains("another person's act"));
            // Who stops it once more is not who lets it go on either.
            assert_eq!(client.post("/api/v1/stop", "commander-ben", &reason).status, 200);
            assert_eq!(client.post("/api/v1/go-on", "commander-ben", &reason).status, 403);
            let off = client.post("/api/v1/go-on", "commander-anna", &reason);
            assert_eq!((off.status, off.json()), (200, json!({"stopped": false})));
        })
        .await;
    let meta = inside.engine.journal().reader().meta().await.unwrap();
    assert!(meta.stopped_at.is_none());
    inside.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_body_that_is_too_large_or_in_another_format_is_refused() {
    let inside = Inside::new(Limits::default()).await;
    inside
        .talk(|client| {
            let large = json!({"reason": "x".repeat(300 << 10)}).to_string();
            let stop = |body: &str| client.send("POST", "/api/v1/stop", Some("commander-anna"), Some(body));
            assert_eq!(stop(&large).status, 413);
            assert_eq!(stop(&json!({"reason": "x".repeat(5 << 10)}).to_string()).status, 400);
            let unknown = stop(r#"{"reason": "x", "role": "commander"}"#);
            assert_eq!(unknown.status, 400);
            assert!(unknown.json()["detail"].as_str().unwrap().contains("`role`"));
            let head = client.head("POST", "/api/v1/stop", Some("commander-anna"));
            let form = format!(
                "{head}Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 8\r\n\r\nreason=x"
            );
            assert_eq!(client.raw(form.as_bytes()).unwrap().status, 415);
        })
        .await;
    assert!(inside.engine.journal().reader().meta().await.unwrap().stopped_at.is_none());
    inside.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_that_is_under_way_is_answered_before_the_end() {
    let inside = Inside::new(Limits::default()).await;
    let (client, leave) = (inside.client.clone(), inside.leave.clone());
    let stopped = spawn_blocking(move || {
        let body = json!({"reason": "at the last moment"}).to_string();
        let head = client.head("POST", "/api/v1/stop", Some("commander-anna"));
        let head = format!(
            "{head}Content-Type: application/json\r\nContent-Length: {}\r\nExpect: 100-continue\r\n\r\n",
            body.len()
        );
        let mut wire = client.connect().unwrap();
        wire.write_all(head.as_bytes()).unwrap();
        // It asks for the body: whoever that was has been let in.
        let mut asked = [0; 25];
        wire.read_exact(&mut asked).unwrap();
        assert!(asked.starts_with(b"HTTP/1.1 100 Continue"), "{asked:?}");
        leave.tell();
        // Nobody new is let in, and this one still is.
        while client.connect().is_ok() {}
        wire.write_all(body.as_bytes()).unwrap();
        answer(&mut wire).unwrap().status
    });
    assert_eq!(stopped.await.unwrap(), 200);
    drop(inside.serving.await.unwrap());
    assert!(inside.engine.journal().reader().meta().await.unwrap().stopped_at.is_some());
    inside.engine.leave().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn under_more_load_than_it_bears_the_stop_switch_answers_within_a_second() {
    let limits = Limits { at_work_max: 4, waiting_max: 8, ..Limits::default() };
    let inside = Inside::new(limits).await;
    let until = now() + Duration::from_secs(3);
    let crowd: Vec<_> = (0..48)
        .map(|_| {
            let client = inside.client.clone();
            thread::spawn(move || {
                let mut refused = 0;
                while now() < until {
                    match client.get("/readyz", None).status {
                        200 => {}
                        429 => refused += 1,
                        other => panic!("{other}"),
                    }
                }
                refused
            })
        })
        .collect();
    let slowest = inside
        .talk(move |client| {
            let mut slowest = Duration::ZERO;
            while now() < until {
                let begun = now();
                let on = client.post("/api/v1/stop", "commander-anna", &json!({"reason": "x"}));
                assert_eq!(on.status, 200, "{on:?}");
                slowest = slowest.max(begun.elapsed());
            }
            slowest
        })
        .await;
    let refused: u32 = crowd.into_iter().map(|one| one.join().unwrap()).sum();
    assert!(refused > 0, "it was not more than it bears");
    assert!(slowest < Duration::from_secs(1), "{slowest:?}");
    inside.end().await;
}
