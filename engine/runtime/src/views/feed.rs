//! What was written since somebody last looked: for whoever wants to be told and not to ask.
//!
//! It says that something happened and of which kind, not what: whoever wants to know reads it
//! through [`Views`], by the same rule.

use std::collections::BTreeMap;

use beistand_core::entry::StreamKind;
use beistand_core::incident::{self, store};
use beistand_core::model::{IncidentId, Millis, RunId};
use beistand_core::run::{self, Event};
use beistand_core::timeline::{Events, Eyes, Scope};
use beistand_journal::{Fed, Run, Stream};
use serde::Serialize;

use super::Views;
use crate::error::EngineError;

/// Entries that are looked at for one answer; who wants more asks again at once. Some hundred
/// heads are read and sent in a few milliseconds, and a watcher who was away holds up nobody.
pub const FEED_ROWS_MAX: u32 = 500;

/// That something was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FeedItem {
    /// Where to go on after it.
    pub cursor: i64,
    /// What it was written to: `run`, `incident`, `aid`, `store`.
    pub stream: &'static str,
    /// The public id of that.
    pub id: String,
    /// The entry's number there, from 1.
    pub seq: u64,
    /// When it was decided.
    #[serde(serialize_with = "as_text")]
    pub at: Millis,
    /// Which kinds of event: words that do not change, `attempt-ended`.
    pub kinds: Vec<&'static str>,
}

/// A part of what was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Feed {
    /// In the order in which it became true.
    pub items: Vec<FeedItem>,
    /// Where to go on, also where nothing was for these eyes.
    pub cursor: i64,
    /// There may be more already.
    pub more: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
fn as_text<S: serde::Serializer>(at: &Millis, to: S) -> Result<S::Ok, S::Error> {
    to.collect_str(at)
}

/// What was looked up for one answer.
#[derive(Default)]
struct Looked {
    incidents: BTreeMap<IncidentId, bool>,
    runs: BTreeMap<RunId, Option<Run>>,
}

impl Views {
    /// What was written after a cursor, of one run or of everything; without a cursor nothing, but
    /// where to begin. At most `limit` entries are looked at, and never more than [`FEED_ROWS_MAX`].
    ///
    /// Nothing that becomes true later stands before a cursor that was given out. A cursor that
    /// the store has not come to is one of before a restore: it is taken for the newest.
    ///
    /// # Errors
    /// [`EngineError::NotFound`] for a run that is not there, or not for these eyes;
    /// [`EngineError::Broken`] for an entry that can not be read; [`EngineError::Store`].
    pub async fn feed(
        &self,
        of: Option<RunId>,
        (after, limit): (Option<i64>, u32),
        scope: &Scope,
    ) -> Result<Feed, EngineError> {
        let reader = &self.0.reader;
        let stream: Option<Stream> = match of {
            None => None,
            Some(run) => {
                self.run_row(run, scope).await?;
                Some(self.version(run).await?.stream)
            }
        };
        let limit = limit.clamp(1, FEED_ROWS_MAX);
        let rows = match after {
            Some(after) => reader.feed(after, stream.as_ref(), limit).await?,
            None => Vec::new(),
        };
        let Some(last) = rows.last() else {
            // Asked after the rows: what came between has not been passed over, but stands after.
            let end = reader.feed_end().await?;
            let cursor = after.map_or(end, |after| after.min(end));
            return Ok(Feed { items: Vec::new(), cursor, more: false });
        };
        let (cursor, more) = (last.no, u32::try_from(rows.len()).is_ok_and(|rows| rows >= limit));
        let mut looked = Looked::default();
        let mut items = Vec::with_capacity(rows.len());
        for row in rows {
            let kinds = self.kinds(&row, &mut looked, scope).await?;
            if !kinds.is_empty() {
                items.push(FeedItem {
                    cursor: row.no,
                    stream: row.kind.as_str(),
                    id: row.id,
                    seq: row.seq,
                    at: row.at,
                    kinds,
                });
            }
        }
        Ok(Feed { items, cursor, more })
    }

    /// The kinds of those events of an entry of which these eyes may know.
    async fn kinds(
        &self,
        row: &Fed,
        looked: &mut Looked,
        scope: &Scope,
    ) -> Result<Vec<&'static str>, EngineError> {
        let broken = |why: String| EngineError::Broken {
            stream: beistand_core::entry::stream_name(row.kind, &row.id),
            seq: row.seq,
            why,
        };
        let events = match row.kind {
            StreamKind::Store | StreamKind::Aid if !scope.is_all() => return Ok(Vec::new()),
            StreamKind::Store | StreamKind::Aid => {
                let decoded = store::decode(&row.head, None);
                Events::Store(decoded.map_err(|error| broken(error.to_string()))?.1)
            }
            StreamKind::Incident => {
                let id = row.id.parse::<IncidentId>().map_err(|error| broken(error.to_string()))?;
                let decoded = incident::decode(&row.head, None);
                let (_, mut events) = decoded.map_err(|error| broken(error.to_string()))?;
                if !self.may_see_incident(id, looked, scope).await? {
                    return Ok(Vec::new());
                }
                let scope = scope.within(id);
                events.retain(|event| scope.may_know(event.organisation.as_ref()));
                Events::Incident(events)
            }
            StreamKind::Run => {
                let id = row.id.parse::<RunId>().map_err(|error| broken(error.to_string()))?;
                let decoded = run::decode(&row.head, None);
                let (_, events) = decoded.map_err(|error| broken(error.to_string()))?;
                Events::Run(self.known(id, events, looked, scope).await?)
            }
        };
        Ok(events.words())
    }

    async fn may_see_incident(
        &self,
        id: IncidentId,
        looked: &mut Looked,
        scope: &Scope,
    ) -> Result<bool, EngineError> {
        if scope.is_all() {
            return Ok(true);
        }
        if let Some(known) = looked.incidents.get(&id) {
            return Ok(*known);
        }
        let may = match self.incident_row(id, scope).await {
            Ok(_) => true,
            Err(EngineError::NotFound(_)) => false,
            Err(error) => return Err(error),
        };
        looked.incidents.insert(id, may);
        Ok(may)
    }

    /// Those events of a run of which these eyes may know.
    async fn known(
        &self,
        id: RunId,
        mut events: Vec<Event>,
        looked: &mut Looked,
        scope: &Scope,
    ) -> Result<Vec<Event>, EngineError> {
        if scope.is_all() {
            return Ok(events);
        }
        let row = if let Some(known) = looked.runs.get(&id) {
            known.clone()
        } else {
            let row = match self.run_row(id, scope).await {
                Ok(row) => Some(row),
                Err(EngineError::NotFound(_)) => None,
                Err(error) => return Err(error),
            };
            looked.runs.entry(id).or_insert(row).clone()
        };
        let Some(row) = row else { return Ok(Vec::new()) };
        let scope = scope.within(row.incident);
        if scope.organisations.is_some() {
            // Whose an event is follows from the run as it stands: a step may be known to act on
            // somebody's target only after it was begun.
            let held = self.folded(id, &self.version(id).await?).await?;
            let eyes = Eyes::on(&held.get()?.state, &scope);
            events.retain(|event| eyes.may_know(event));
        }
        Ok(events)
    }
}
