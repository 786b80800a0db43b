//! What a timeline is made of: every entry of an incident and of its runs, undisguised. It goes to
//! the core, which tells of it what somebody may read, and nowhere else.

use std::collections::BTreeMap;
use std::sync::Arc;

use beistand_core::entry::StreamKind;
use beistand_core::incident::{self, store};
use beistand_core::model::{Digest, IncidentId};
use beistand_core::playbook::Plan;
use beistand_core::run::{self, Contradiction};
use beistand_core::timeline::{ChainEntry, Events, Recorded};
use beistand_journal::{Entry, Page, RunFilter, Stream};

use super::Views;
use crate::error::EngineError;

/// Entries read at once.
const ENTRIES: u32 = 1_000;

/// Runs of one incident that are told: more are no incident.
const RUNS_MAX: u32 = 100_000;

/// Everything an incident's timeline is made of.
#[derive(Default)]
pub(super) struct Material {
    /// Of the incident and its runs.
    pub(super) entries: Vec<Recorded>,
    /// Of the store itself.
    pub(super) own: Vec<Recorded>,
    /// Of the runs, where they can still be read; what is told without its plan holds less.
    pub(super) plans: BTreeMap<Digest, Arc<Plan>>,
    /// The same entries as an export carries them.
    pub(super) chained: Vec<ChainEntry>,
}

impl Views {
    pub(super) async fn material(&self, id: IncidentId) -> Result<Material, EngineError> {
        let reader = &self.0.reader;
        // Before all others: what its seals name is there when the others are read.
        let mut material = self.own_material().await?;
        self.take(StreamKind::Incident, &id.to_string(), &mut material).await?;
        let filter = RunFilter { incident: Some(id), ..RunFilter::default() };
        for (_, row) in reader.runs(&filter, Page::first(RUNS_MAX)).await? {
            if !material.plans.contains_key(&row.plan)
                && let Ok(plan) = self.plan(&row).await
            {
                material.plans.insert(row.plan, plan);
            }
            self.take(StreamKind::Run, &row.id.to_string(), &mut material).await?;
        }
        Ok(material)
    }

    /// The store's own entries alone.
    pub(super) async fn own_material(&self) -> Result<Material, EngineError> {
        let mut material = Material::default();
        let own = self.0.reader.meta().await?.store.to_string();
        self.take(StreamKind::Store, &own, &mut material).await?;
        Ok(material)
    }

    /// Takes in all entries of a stream, if there is one.
    async fn take(
        &self,
        kind: StreamKind,
        id: &str,
        material: &mut Material,
    ) -> Result<(), EngineError> {
        let reader = &self.0.reader;
        let Some(stream) = reader.stream(kind, id).await? else { return Ok(()) };
        let (mut after, mut prev) = (0, Digest::ZERO);
        loop {
            let page = reader.entries(&stream, after, ENTRIES).await?;
            for entry in &page {
                material.chained.push(entry.chained(&stream, prev)?);
                (after, prev) = (entry.seq, entry.hash);
                let recorded = recorded(&stream, entry)?;
                match kind {
                    StreamKind::Store => material.own.push(recorded),
                    StreamKind::Run | StreamKind::Incident | StreamKind::Aid => {
                        material.entries.push(recorded);
                    }
                }
            }
            if page.len() < ENTRIES as usize {
                return Ok(());
            }
        }
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
