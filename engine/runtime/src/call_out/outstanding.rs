//! What is known of what waits and of who was called: read anew only where something was written.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use beistand_core::model::{IdempotencyKey, IncidentId, Millis, NeedId};
use beistand_core::on_call::CallOuts;
use beistand_core::timeline::CalledTo;
use beistand_journal::{OpenNeed, Reader};
use serde_json::Value;

use crate::entries::each_after;
use crate::error::EngineError;
use crate::open_needs::each_open_need;

/// What waits, and what was called out in the incidents it belongs to.
#[derive(Debug, Default)]
pub(super) struct Outstanding {
    /// The newest entry of the store when the open needs were read: before there is another one
    /// nothing opens, is escalated or is answered.
    read_to: Option<i64>,
    open: BTreeMap<NeedId, OpenNeed>,
    calls: BTreeMap<IncidentId, CallOuts>,
    /// The last entry of each incident that was read.
    seqs: BTreeMap<IncidentId, u64>,
    /// Incidents that were written into since.
    stale: BTreeSet<IncidentId>,
}

/// Everything that was called out in an incident.
///
/// # Errors
/// [`beistand_journal::StoreError`] when it can not be read; what is no entry of an incident.
pub async fn call_outs(reader: &Reader, id: IncidentId) -> Result<CallOuts, EngineError> {
    let mut calls = CallOuts::default();
    fold_on(reader, id, (&mut 0, &mut calls)).await?;
    Ok(calls)
}

/// Folds on by what was written since.
pub(crate) async fn fold_on(
    reader: &Reader,
    id: IncidentId,
    (seq, calls): (&mut u64, &mut CallOuts),
) -> Result<(), EngineError> {
    each_after(reader, id, *seq, |entry| {
        for event in &entry.events {
            calls.apply(event, entry.at);
        }
        *seq = entry.seq;
    })
    .await
    .map(|_| ())
}

impl Outstanding {
    /// Everything that waits for a role.
    pub(super) fn open(&self) -> impl Iterator<Item = &OpenNeed> {
        self.open.values()
    }

    /// Who was called, by incident; one that could not be read is not in it.
    pub(super) fn calls(&self) -> &BTreeMap<IncidentId, CallOuts> {
        &self.calls
    }

    /// The last entry of an incident that this knows of.
    pub(super) fn seq(&self, incident: IncidentId) -> u64 {
        self.seqs.get(&incident).copied().unwrap_or(0)
    }

    /// An incident is read on before it is looked at again.
    pub(super) fn wrote(&mut self, incident: IncidentId) {
        self.stale.insert(incident);
    }

    /// Calls whose outcome nobody will tell any more, by incident.
    pub(super) fn lost(&self, now: Millis) -> Vec<(IncidentId, BTreeSet<IdempotencyKey>)> {
        let lost = self.calls.iter().map(|(incident, calls)| (*incident, calls.lost(now)));
        lost.filter(|(_, keys)| !keys.is_empty()).collect()
    }

    /// Reads what waits, where anything was written since, and of the incidents it belongs to what was
    /// called out.
    pub(super) async fn read(&mut self, reader: &Reader, now: Millis) -> Result<(), EngineError> {
        // First the number: what is written after it is noticed.
        let end = reader.feed_end().await?;
        if self.read_to != Some(end) {
            let mut all = BTreeMap::new();
            each_open_need(reader, |need| all.extend([(need.id, need)])).await?;
            self.open = all;
            self.read_to = Some(end);
        }
        let open: BTreeSet<IncidentId> = self.open.values().map(|need| need.incident).collect();
        // Where nothing waits any more, what is under way is still seen to its end.
        self.calls.retain(|id, calls| open.contains(id) || !calls.is_past(now));
        self.seqs.retain(|id, _| self.calls.contains_key(id));
        self.stale.retain(|id| self.calls.contains_key(id));
        let mut wanted = self.stale.clone();
        wanted.extend(open.into_iter().filter(|id| !self.calls.contains_key(id)));
        self.read_on(reader, wanted).await.map(|_| ())
    }

    /// Reads on in some incidents; whether anything was written there since. One that can not be read
    /// is not known any more: nobody is called to what waits in it, and to all else they are.
    pub(super) async fn read_on(
        &mut self,
        reader: &Reader,
        incidents: BTreeSet<IncidentId>,
    ) -> Result<bool, EngineError> {
        let mut moved = false;
        for id in incidents {
            let mut seq = self.seq(id);
            let before = seq;
            let mut calls = match self.calls.entry(id) {
                Entry::Occupied(held) => held.remove(),
                Entry::Vacant(_) => CallOuts::default(),
            };
            self.seqs.remove(&id);
            match fold_on(reader, id, (&mut seq, &mut calls)).await {
                Ok(()) => {
                    moved |= seq != before;
                    self.stale.remove(&id);
                    self.calls.insert(id, calls);
                    self.seqs.insert(id, seq);
                }
                Err(error @ EngineError::Store(_)) => return Err(error),
                Err(error) => {
                    moved = true;
                    tracing::warn!(incident = %id, %error, "Nobody is called to what waits in an incident.");
                }
            }
        }
        Ok(moved)
    }

    /// What a mail says of needs: of the first ones, as many as there is room for, with their titles.
    pub(super) async fn called_to(
        &self,
        reader: &Reader,
        needs: &[NeedId],
        room: usize,
    ) -> Result<Vec<CalledTo>, EngineError> {
        let mut told = Vec::with_capacity(needs.len());
        for (id, place) in needs.iter().zip(0..) {
            let Some(open) = self.open.get(id) else { continue };
            let full = if place < room { reader.need(*id).await? } else { None };
            let (body, step) = full.map(|need| (need.body, need.step)).unwrap_or_default();
            let body: Value = serde_json::from_str(&body).unwrap_or_default();
            told.push(CalledTo {
                id: *id,
                kind: open.kind,
                step,
                title: body.get("title").and_then(Value::as_str).unwrap_or_default().to_owned(),
                digest: open.digest,
                since: open.since,
                until: open.until,
            });
        }
        Ok(told)
    }
}
