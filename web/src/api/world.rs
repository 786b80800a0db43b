//! A server in this process: an engine on a store of its own, people by name, two playbooks.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{Method, Request, Response, header};
use beistand_core::access::{AccountKind, Grant, Rights};
use beistand_core::model::{
    Catalogue, Guard, IncidentId, Inventory, Limits as Amounts, Millis, PlaybookName, Role,
};
use beistand_core::playbook::{CheckRequest, Finding, NoLibrary, SourceText, check};
use beistand_core::run::{Actor, Proof, Setup};
use beistand_journal::{Journal, Options};
use beistand_runtime::{
    AccessAct, Caller, Clock as _, Drive, Engine, IncidentAct, ModeSetup, Modes, Parts, Verb,
    WallClock,
};
use beistand_script::Scripts;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::time::timeout;
use tower::ServiceExt as _;

use super::described;
use crate::app::App;
use crate::door::{Credential, Denied, Doorkeeper, Identified};
use crate::gate::Gate;
use crate::limits::Limits;
use crate::peer::Proxies;
use crate::server::Leave;
use crate::shelf::{Found, Playbooks};
use crate::stream::{Pace, Streams};

/// Longer than anything here takes.
pub(crate) const SOON: Duration = Duration::from_secs(20);

/// A sheet that people fill in.
const SHEET: &str = "
playbook: sheet
language: 1
title: Fill in a sheet
inputs:
  who: { type: string, title: Who asks }
steps:
  - id: look
    title: Look at it
    task: { role: responder, instructions: Look., form: { seen: { type: boolean } } }
  - id: note
    title: Note it
    task: { role: responder, instructions: Note. }
";

/// A gate that two must open.
const GATE: &str = "
playbook: gate
language: 1
title: Open a gate
steps:
  - id: may
    title: May it be opened?
    approve: { role: commander, votes: 2, shows: All of it. }
  - id: told
    wait: { signal: all-clear, form: {} }
";

/// Two things at once.
const PAIR: &str = "
playbook: pair
language: 1
title: Two at once
steps:
  - id: both
    parallel:
      left:
        - id: one
          title: Left
          task: { role: responder, instructions: Left. }
      right:
        - id: other
          title: Right
          task: { role: responder, instructions: Right. }
";

/// A cut that falls to people, and what comes after it.
const CUT: &str = "
playbook: cut
language: 1
title: Cut one off
steps:
  - id: off
    title: Cut it off
    call: network.isolate
    with: { host: pc-7 }
  - id: told
    title: Tell them
    task: { role: responder, instructions: Tell them. }
";

/// Something that nobody answers in time.
const LATE: &str = "
playbook: late
language: 1
title: Nobody answers
steps:
  - id: looked
    title: Look at it in time
    approve: { role: commander, votes: 1, shows: All of it., within: 1s }
";

/// Those of the shelves.
#[derive(Debug)]
struct Texts(Arc<Scripts>);

impl Texts {
    fn found(&self, text: &str) -> Found {
        let source = SourceText::new("playbook.yaml", text);
        let (catalogue, library) = (Catalogue::first(), NoLibrary);
        check(CheckRequest {
            source: &source,
            catalogue: &catalogue,
            library: &library,
            expressions: self.0.as_ref(),
        })
    }
}

impl Playbooks for Texts {
    fn names(&self) -> BTreeSet<PlaybookName> {
        ["sheet", "gate", "pair", "broken"].map(|name| name.parse().unwrap()).into()
    }
    fn named(&self, name: &PlaybookName) -> Option<Found> {
        match name.as_str() {
            "sheet" => Some(self.found(SHEET)),
            "gate" => Some(self.found(GATE)),
            "pair" => Some(self.found(PAIR)),
            // Found by its name alone: lists stay as short as they are.
            "cut" => Some(self.found(CUT)),
            "late" => Some(self.found(LATE)),
            "broken" => Some(self.found("playbook: broken\ntitel: Nothing\n")),
            _ => None,
        }
    }
    fn check(&self, text: &str) -> Vec<Finding> {
        self.found(text).1
    }
}

/// Somebody's token is their name, `fresh-` before it where they proved it a moment ago. `NAME` is
/// a role everywhere, and two more commanders; `stadt-a` reads for an organisation.
#[derive(Debug, Default)]
pub(crate) struct People(std::sync::Mutex<BTreeSet<String>>);

impl People {
    /// Somebody has no role any more.
    pub(crate) fn dismiss(&self, name: &str) {
        self.0.lock().unwrap().insert(name.to_owned());
    }
}

impl Doorkeeper for People {
    fn identify<'a>(&'a self, credential: Credential<'a>) -> Identified<'a> {
        Box::pin(async move {
            let Credential::Bearer(token) = credential else { return Err(Denied::Invalid) };
            let name = token.strip_prefix("fresh-").unwrap_or(token);
            let proved_at = (name != token).then(|| WallClock.now());
            let (role, reach) = match name {
                "ben" | "cleo" => (Role::Commander, "instance"),
                "stadt-a" => (Role::Reviewer, "organisation:stadt-a"),
                "leads-a" => (Role::Commander, "organisation:stadt-a"),
                name => match name.parse() {
                    Ok(role) => (role, "instance"),
                    Err(_) => return Err(Denied::Invalid),
                },
            };
            let person: beistand_core::model::Person = name.parse().unwrap();
            let reach = reach.parse().unwrap();
            let grant = Grant { person: person.clone(), role, reach, until: None };
            let gone = self.0.lock().unwrap().contains(name);
            let rights = Rights::of(Some(grant).filter(|_| !gone), Millis::new(0));
            let actor = Actor::proved(person, Proof::SecondFactor);
            Ok(Caller { actor, account: None, rights, proved_at })
        })
    }
}

/// The server.
pub(crate) struct World {
    pub(crate) engine: Engine,
    pub(crate) people: Arc<People>,
    pub(crate) leave: Leave,
    router: Router,
    _folder: TempDir,
}

fn nothing_bound(store: &Journal) -> ModeSetup {
    ModeSetup {
        setup: Setup {
            store: store.meta().store,
            guarded: true,
            guard: Guard::default(),
            limits: Amounts::NONE,
            policy: None,
            inventory: Inventory::of_names(),
            escalation: Role::Deputy,
        },
        connectors: BTreeMap::new(),
        bindings: Vec::new(),
    }
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::with_streams((10, 10)).await
    }

    /// With places for so many who watch, and so many of one person.
    pub(crate) async fn with_streams(streams: (usize, u32)) -> Self {
        let folder = TempDir::new().unwrap();
        let url = format!("sqlite:{}", folder.path().join("store.db").display());
        let journal = Journal::open(&url, Options::new(WallClock.now())).await.unwrap();
        let modes = Modes { live: nothing_bound(&journal), drill: nothing_bound(&journal) };
        let scripts = Arc::new(Scripts::without_budget());
        let parts = Parts {
            journal,
            clock: Arc::new(WallClock),
            modes,
            scripts: Arc::clone(&scripts),
            drive: Drive::Yes,
            random: getrandom::fill,
            crash_point: None,
        };
        let engine = Engine::new(parts).await.unwrap();
        accounts(&engine).await;
        let (people, leave) = (Arc::new(People::default()), Leave::default());
        let door: Arc<dyn Doorkeeper> = Arc::clone(&people) as Arc<dyn Doorkeeper>;
        let given = (Arc::new(Texts(scripts)) as Arc<dyn Playbooks>, Arc::clone(&door));
        let mut app = App::new(engine.clone(), "SIT", given, leave.clone());
        let pace = Pace {
            looks_apart: Duration::from_millis(1),
            looks_every: Duration::from_millis(50),
            beats_every: Duration::from_millis(50),
            read_within: Duration::from_millis(200),
        };
        app.streams = Streams::new(streams, pace);
        let gate = Gate::new(door, Limits::default(), Proxies::default(), true);
        let router = super::table().behind(&Arc::new(gate), app);
        Self { engine, people, leave, router, _folder: folder }
    }

    /// Asks for something; the body goes with it where there is one.
    pub(crate) async fn asked(
        &self,
        method: &Method,
        path: &str,
        (token, body): (&str, Option<Value>),
    ) -> Response<Body> {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::HOST, "lage.example")
            .header(header::AUTHORIZATION, format!("Bearer {token}"));
        let request = match body {
            Some(body) => request
                .header(header::CONTENT_TYPE, "application/json")
                .body(Body::from(body.to_string())),
            None => request.body(Body::empty()),
        };
        self.sent(request.unwrap()).await
    }

    pub(crate) async fn sent(&self, request: Request<Body>) -> Response<Body> {
        timeout(SOON, self.router.clone().oneshot(request)).await.unwrap().unwrap()
    }

    /// The status and the body.
    pub(crate) async fn get(&self, path: &str, token: &str) -> (u16, Value) {
        self.told(&Method::GET, path, (token, None)).await
    }

    /// The status and the body.
    pub(crate) async fn post(&self, path: &str, token: &str, body: Value) -> (u16, Value) {
        self.told(&Method::POST, path, (token, Some(body))).await
    }

    async fn told(
        &self,
        method: &Method,
        path: &str,
        asked: (&str, Option<Value>),
    ) -> (u16, Value) {
        let (status, body) = read(self.asked(method, path, asked).await).await;
        described::hold(method.as_str(), path, (status, &body));
        (status, body)
    }

    /// A new run of a playbook, launched by the responder; its id.
    pub(crate) async fn run(&self, playbook: &str, mode: &str, key: &str) -> String {
        let inputs = if playbook == "sheet" { json!({"who": "anna"}) } else { json!({}) };
        let body = json!({"playbook": playbook, "inputs": inputs, "mode": mode, "start_key": key});
        let (status, run) = self.post("/api/v1/runs", "responder", body).await;
        assert_eq!(status, 201, "{run}");
        run["id"].as_str().unwrap().to_owned()
    }

    /// The needs of a run, as soon as there are so many.
    pub(crate) async fn needs(&self, run: &str, count: usize) -> Vec<Value> {
        let path = format!("/api/v1/needs?run={run}");
        let mut news = self.engine.news();
        loop {
            let (status, needs) = self.get(&path, "commander").await;
            assert_eq!(status, 200, "{needs}");
            let items = needs["items"].as_array().unwrap().clone();
            if items.len() == count {
                return items;
            }
            timeout(SOON, news.recv()).await.expect("news").expect("news");
        }
    }

    /// The incident of a run concerns an organisation.
    pub(crate) async fn link(&self, run: &str, organisation: &str) -> IncidentId {
        let (_, run) = self.get(&format!("/api/v1/runs/{run}"), "commander").await;
        let incident: IncidentId = run["incident"].as_str().unwrap().parse().unwrap();
        let act = IncidentAct::Link { organisation: organisation.parse().unwrap() };
        let by = Actor::program("test".parse().unwrap());
        let verb = Verb::Incident { incident, act, by, if_seq: None };
        self.engine.execute(verb).await.unwrap();
        incident
    }
}

/// From the first account on the engine asks for rights.
async fn accounts(engine: &Engine) {
    let person = "keeper".parse().unwrap();
    let reach = "instance".parse().unwrap();
    let act = AccessAct::AddAccount {
        account: "keeper".parse().unwrap(),
        kind: AccountKind::Person,
        person: None,
        credentials: Vec::new(),
        grants: vec![Grant { person, role: Role::Admin, reach, until: None }],
    };
    let by = Actor::program("test".parse().unwrap());
    engine.execute(Verb::Access { act, by }).await.unwrap();
}

/// The status and the body of an answer.
pub(crate) async fn read(response: Response<Body>) -> (u16, Value) {
    let status = response.status().as_u16();
    let bytes = timeout(SOON, axum::body::to_bytes(response.into_body(), 1 << 20)).await;
    let bytes = bytes.unwrap().unwrap();
    let body = if bytes.is_empty() { Value::Null } else { serde_json::from_slice(&bytes).unwrap() };
    (status, body)
}
