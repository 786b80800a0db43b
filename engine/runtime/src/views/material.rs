//! What a timeline is made of: every entry of an incident and of its runs, undisguised. It goes to
//! the core, which tells of it what somebody may read, and nowhere else.
//!
//! Streams only grow: what was decoded of one stays in memory, and only what was written since is read.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use beistand_core::entry::{StreamKind, stream_name};
use beistand_core::incident::{self, store};
use beistand_core::model::{Digest, IncidentId};
use beistand_core::playbook::Plan;
use beistand_core::run::{self, Contradiction};
use beistand_core::timeline::{ChainEntry, Events, Recorded};
use beistand_journal::{Entry, Head, Page, RunFilter, Stream};

use super::Views;
use crate::engine::lock;
use crate::error::EngineError;
use crate::recent::{Bounds, Recent};

/// Entries read at once.
const ENTRIES: u32 = 1_000;

/// Runs of one incident that are told: more are no incident.
const RUNS_MAX: u32 = 100_000;

/// Streams that are kept decoded: those of the incidents that go on. The weight is that of their
/// entries as they are stored; decoded they take a few times as much, a quarter of a gigabyte at worst.
pub(super) const STREAMS: Bounds = Bounds { count: 4_096, bytes: 64 << 20 };

/// What is kept of streams, by their names.
pub(super) type Streams = Recent<String, Arc<Decoded>>;

/// The entries of a stream, as far as they were read.
#[derive(Debug, Clone)]
pub(super) struct Decoded {
    stream: Stream,
    head: Head,
    /// Of the entries as they are stored.
    bytes: usize,
    entries: Vec<Arc<Recorded>>,
    /// The same as an export carries them.
    chained: Vec<Arc<ChainEntry>>,
}

impl Decoded {
    /// What happened, in its order.
    pub(super) fn entries(&self) -> impl Iterator<Item = &Recorded> {
        self.entries.iter().map(AsRef::as_ref)
    }

    fn take(&mut self, entry: &Entry) -> Result<(), EngineError> {
        self.chained.push(Arc::new(entry.chained(&self.stream, self.head.hash)?));
        self.entries.push(Arc::new(recorded(&self.stream, entry)?));
        self.head = Head { seq: entry.seq, hash: entry.hash };
        self.bytes += entry.head.len() + entry.body.as_ref().map_or(0, Vec::len);
        Ok(())
    }
}

/// Everything an incident's timeline is made of.
#[derive(Debug, Default)]
pub(super) struct Material {
    /// Of the store itself.
    pub(super) own: Option<Arc<Decoded>>,
    /// Of the incident and its runs.
    pub(super) streams: Vec<Arc<Decoded>>,
    /// Of the runs, where they can still be read; what is told without its plan holds less.
    pub(super) plans: BTreeMap<Digest, Arc<Plan>>,
}

impl Material {
    /// What happened in the incident and its runs.
    pub(super) fn entries(&self) -> impl Iterator<Item = &Recorded> {
        self.streams.iter().flat_map(|stream| stream.entries())
    }

    /// What happened to the store itself.
    pub(super) fn own(&self) -> Vec<Recorded> {
        self.own.iter().flat_map(|own| own.entries()).cloned().collect()
    }

    /// The ids of the incident and its runs.
    pub(super) fn ids(&self) -> BTreeSet<&str> {
        self.streams.iter().map(|stream| stream.stream.id()).collect()
    }

    /// What of it is the incident's alone, as it is stored; the store's own is there once for all.
    pub(super) fn bytes(&self) -> usize {
        self.streams.iter().map(|stream| stream.bytes).sum()
    }

    /// How far each stream had come.
    pub(super) fn heads(&self) -> Vec<(String, u64)> {
        let all = self.own.iter().chain(&self.streams);
        all.map(|read| (read.stream.name().to_owned(), read.head.seq)).collect()
    }

    /// The hash of the incident's newest entry.
    pub(super) fn head(&self) -> Option<Digest> {
        self.streams.first().map(|incident| incident.head.hash)
    }

    /// All entries as an export carries them.
    pub(super) fn chained(&self) -> Vec<ChainEntry> {
        let all = self.own.iter().chain(&self.streams);
        all.flat_map(|read| &read.chained).map(|entry| ChainEntry::clone(entry)).collect()
    }
}

impl Views {
    pub(super) async fn material(&self, id: IncidentId) -> Result<Material, EngineError> {
        // Before all others: what its seals name is there when the others are read.
        let mut material = self.own_material().await?;
        let incident = self.decoded(StreamKind::Incident, &id.to_string()).await?;
        material.streams.extend(incident);
        let filter = RunFilter { incident: Some(id), ..RunFilter::default() };
        for (_, row) in self.0.reader.runs(&filter, Page::first(RUNS_MAX)).await? {
            if !material.plans.contains_key(&row.plan)
                && let Ok(plan) = self.plan(&row).await
            {
                material.plans.insert(row.plan, plan);
            }
            material.streams.extend(self.decoded(StreamKind::Run, &row.id.to_string()).await?);
        }
        Ok(material)
    }

    /// The store's own entries alone.
    pub(super) async fn own_material(&self) -> Result<Material, EngineError> {
        let own = self.0.reader.meta().await?.store.to_string();
        let own = self.decoded(StreamKind::Store, &own).await?;
        Ok(Material { own, ..Material::default() })
    }

    /// All entries of a stream, if there is one: those that are known, and what was written since.
    async fn decoded(
        &self,
        kind: StreamKind,
        id: &str,
    ) -> Result<Option<Arc<Decoded>>, EngineError> {
        let reader = &self.0.reader;
        let name = stream_name(kind, id);
        let known = lock(&self.0.streams).get(&name);
        let mut read = if let Some(known) = known {
            known
        } else {
            let Some(stream) = reader.stream(kind, id).await? else { return Ok(None) };
            let (head, bytes) = (Head::START, 0);
            let (entries, chained) = (Vec::new(), Vec::new());
            Arc::new(Decoded { stream, head, bytes, entries, chained })
        };
        let before = read.head.seq;
        loop {
            let page = reader.entries(&read.stream, read.head.seq, ENTRIES).await?;
            if !page.is_empty() {
                // Whoever tells of what was known has it still: what is copied are places, not entries.
                let read = Arc::make_mut(&mut read);
                page.iter().try_for_each(|entry| read.take(entry))?;
            }
            if page.len() < ENTRIES as usize {
                break;
            }
        }
        if read.head.seq > before {
            lock(&self.0.streams).put(name, Arc::clone(&read), read.bytes);
        }
        Ok(Some(read))
    }
}

/// An entry, decoded.
fn recorded(stream: &Stream, entry: &Entry) -> Result<Recorded, EngineError> {
    let broken = |error: Contradiction| EngineError::Broken {
        stream: stream.name().to_owned(),
        seq: entry.seq,
        why: error.to_string(),
    };
    let body = entry.body.as_deref();
    let (id, events) = match stream.kind() {
        StreamKind::Run => {
            let (id, events) = run::decode(&entry.head, body).map_err(broken)?;
            (Some(id), Events::Run(events))
        }
        StreamKind::Incident => {
            let (id, events) = incident::decode(&entry.head, body).map_err(broken)?;
            (Some(id), Events::Incident(events))
        }
        StreamKind::Store | StreamKind::Aid => {
            let (id, events) = store::decode(&entry.head, body).map_err(broken)?;
            (id, Events::Store(events))
        }
    };
    let stream = stream.name().to_owned();
    Ok(Recorded { stream, seq: entry.seq, at: entry.at, id, events })
}
