//! Who asks is found out, and what goes on reads, beside what others read, however much that is.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use beistand_core::access::{AccountKind, Grant, Permission, Reach};
use beistand_core::entry::StreamKind;
use beistand_core::incident;
use beistand_core::model::{EntryId, Mode, Role, Severity, Tlp};
use beistand_core::run::Proof;
use beistand_journal::{Append, Reader, To};
use beistand_runtime::{
    AccessAct, Clock as _, Engine, NewCredential, NewIncident, Secret, Verb, WallClock, new_token,
};

use super::world::{anna, engine};

/// Who reads at once: as many as are at work in the server's ordinary lane.
const READERS: usize = 32;

/// How often somebody comes whom memory does not know.
const ARRIVALS: usize = 10;

/// Notes in what they read.
const NOTES: u16 = 300;

/// An incident with many long notes.
async fn long_incident(engine: &Engine) -> String {
    let new = NewIncident {
        title: "A long night".to_owned(),
        mode: Mode::Drill,
        severity: Severity::default(),
        tlp: Tlp::Amber,
        short: "SIT".to_owned(),
        by: anna(),
    };
    let id = engine.open_incident(&new).await.unwrap().id;
    let mut notes = tokio::task::JoinSet::new();
    for number in 0..NOTES {
        let mut bytes = [0; 10];
        bytes[..2].copy_from_slice(&number.to_be_bytes());
        let note = incident::Head::NoteAdded { happened_at: None };
        let event = incident::Event::new(note, anna()).text("x".repeat(2_000));
        let (head, body) = incident::encode(EntryId::at(WallClock.now(), &bytes), &[event]);
        let to = To::End { kind: StreamKind::Incident, id: id.to_string() };
        let append = Append { body, ..Append::new(to, WallClock.now(), head) };
        let engine = engine.clone();
        notes.spawn(async move { engine.journal().append(append).await.unwrap() });
    }
    notes.join_all().await;
    id.to_string()
}

/// An admin with as many tokens as there are arrivals.
async fn tokens(engine: &Engine) -> Vec<Secret> {
    let tokens: Vec<_> = (0..ARRIVALS).map(|_| new_token(getrandom::fill).unwrap()).collect();
    let title = |number: usize| format!("no. {number}").parse().unwrap();
    let credential =
        |(number, token)| NewCredential::token(token, title(number), &[Permission::Stop], None);
    let person: beistand_core::model::Person = "root".parse().unwrap();
    let grant = Grant { person, role: Role::Admin, reach: Reach::Instance, until: None };
    let act = AccessAct::AddAccount {
        account: "root".parse().unwrap(),
        kind: AccountKind::Person,
        person: None,
        credentials: tokens.iter().enumerate().map(credential).collect(),
        grants: vec![grant],
    };
    engine.execute(Verb::Access { act, by: anna() }).await.unwrap();
    tokens
}

/// As many as may, who read an incident again and again.
struct Crowd {
    over: Arc<AtomicBool>,
    read: Arc<AtomicU32>,
    readers: tokio::task::JoinSet<()>,
}

impl Crowd {
    /// Begins, and has begun to read.
    async fn of(reader: &Reader, incident: &str) -> Self {
        let stream = reader.stream(StreamKind::Incident, incident).await.unwrap().unwrap();
        let (over, read) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU32::new(0)));
        let mut readers = tokio::task::JoinSet::new();
        for _ in 0..READERS {
            let (reader, stream) = (reader.clone(), stream.clone());
            let (over, read) = (Arc::clone(&over), Arc::clone(&read));
            readers.spawn(async move {
                while !over.load(Ordering::Relaxed) {
                    reader.entries(&stream, 0, 1_000).await.unwrap();
                    read.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        while read.load(Ordering::Relaxed) < 8 {
            tokio::task::yield_now().await;
        }
        Self { over, read, readers }
    }

    /// How often it had read.
    fn read(&self) -> u32 {
        self.read.load(Ordering::Relaxed)
    }

    async fn end(self) {
        self.over.store(true, Ordering::Relaxed);
        self.readers.join_all().await;
    }
}

/// Behind everybody it would be some thirty of them.
fn waited_for_few(mut waited: Vec<u32>) {
    waited.sort_unstable();
    assert!(waited[waited.len() / 2] < 8, "reads of others that were waited for: {waited:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_asks_is_found_out_beside_a_crowd_that_reads_all_it_may() {
    let folder = tempfile::tempdir().unwrap();
    let engine = engine(&folder.path().join("a.db"), Vec::new()).await;
    let id = long_incident(&engine).await;
    let tokens = tokens(&engine).await;
    let crowd = Crowd::of(engine.journal().reader(), &id).await;
    let mut waited = Vec::new();
    for token in &tokens {
        let before = crowd.read();
        let caller = engine.caller_by_token(token).await.unwrap();
        assert_eq!(caller.actor.proof, Some(Proof::Token));
        waited.push(crowd.read() - before);
    }
    crowd.end().await;
    waited_for_few(waited);
    engine.leave().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_goes_on_reads_beside_a_crowd_that_looks() {
    let folder = tempfile::tempdir().unwrap();
    let engine = engine(&folder.path().join("a.db"), Vec::new()).await;
    let id = long_incident(&engine).await;
    let crowd = Crowd::of(engine.journal().pages(), &id).await;
    let mut waited = Vec::new();
    for _ in 0..ARRIVALS {
        let before = crowd.read();
        // What the stop switch asks, a vote on a run at rest, and whoever claims what is due.
        assert!(engine.journal().reader().meta().await.unwrap().stopped_at.is_none());
        waited.push(crowd.read() - before);
    }
    crowd.end().await;
    waited_for_few(waited);
    engine.leave().await;
}
