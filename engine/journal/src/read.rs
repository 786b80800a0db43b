//! Questions: read-only, beside an owner, without a lock.

use beistand_core::model::{Digest, IncidentId, Millis, NeedId, Organisation, Person, Role, RunId};

use crate::command::Command;
use crate::error::{OpenError, StoreError};
use crate::seal::Seal;
use crate::stream::{Entry, Snapshot, Stream};
use crate::table::{Asset, Evidence, Hold, Incident, Meta, Need, Run, Signal};
use beistand_core::entry::StreamKind;

/// Which runs.
#[derive(Debug, Clone, Default)]
pub struct RunFilter {
    /// Only of this status.
    pub status: Option<String>,
    /// Only of this incident.
    pub incident: Option<IncidentId>,
    /// Only those that did not end.
    pub unfinished: bool,
    /// Only children of this run.
    pub parent: Option<RunId>,
}

/// Which open needs.
#[derive(Debug, Clone, Default)]
pub struct NeedFilter {
    /// Of this run and everything below it, if it is a root; else of this run alone.
    pub run: Option<RunId>,
    /// Of this incident.
    pub incident: Option<IncidentId>,
    /// Of this group.
    pub group: Option<String>,
}

/// Where a page begins and how long it is.
#[derive(Debug, Clone, Copy)]
pub struct Page {
    /// After this row of the page before; `None` for the first page.
    pub cursor: Option<i64>,
    /// At most so many rows.
    pub limit: u32,
}

impl Page {
    /// The first so many.
    pub const fn first(limit: u32) -> Self {
        Self { cursor: None, limit }
    }
}

/// Asks a store. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Reader {
    meta: Meta,
}

impl Reader {
    /// Opens the store for reading alone. Makes nothing, migrates nothing, takes no lock.
    pub async fn open(_url: &str) -> Result<Self, OpenError> {
        Err(OpenError::Store(StoreError::Dead))
    }
    pub(crate) const fn opened(&self) -> &Meta {
        &self.meta
    }
    /// What the store says of itself now; the stop switch stands here.
    pub async fn meta(&self) -> Result<Meta, StoreError> {
        Err(StoreError::Dead)
    }
    /// The earliest time at which a stream that nobody owns is due.
    pub async fn next_due(&self) -> Result<Option<Millis>, StoreError> {
        Err(StoreError::Dead)
    }
    /// A stream by its public id.
    pub async fn stream(&self, _kind: StreamKind, _id: &str) -> Result<Option<Stream>, StoreError> {
        Err(StoreError::Dead)
    }
    /// The newest snapshot of a stream.
    pub async fn snapshot(&self, _stream: &Stream) -> Result<Option<Snapshot>, StoreError> {
        Err(StoreError::Dead)
    }
    /// Entries after `seq`, in order, at most `limit`.
    pub async fn entries(
        &self,
        _stream: &Stream,
        _after: u64,
        _limit: u32,
    ) -> Result<Vec<Entry>, StoreError> {
        Err(StoreError::Dead)
    }
    /// Bytes by their digest.
    pub async fn blob(&self, _digest: Digest) -> Result<Option<Vec<u8>>, StoreError> {
        Err(StoreError::Dead)
    }
    /// Runs, newest first, each with the cursor of its row.
    pub async fn runs(
        &self,
        _filter: &RunFilter,
        _page: Page,
    ) -> Result<Vec<(i64, Run)>, StoreError> {
        Err(StoreError::Dead)
    }
    /// A run by its id.
    pub async fn run(&self, _id: RunId) -> Result<Option<Run>, StoreError> {
        Err(StoreError::Dead)
    }
    /// Runs whose id begins with this text, at most two: more than one is ambiguous.
    pub async fn runs_by_prefix(&self, _prefix: &str) -> Result<Vec<Run>, StoreError> {
        Err(StoreError::Dead)
    }
    /// The run that was started with this key.
    pub async fn run_by_start_key(&self, _key: &str) -> Result<Option<Run>, StoreError> {
        Err(StoreError::Dead)
    }
    /// Open needs, oldest first.
    pub async fn needs(&self, _filter: &NeedFilter) -> Result<Vec<Need>, StoreError> {
        Err(StoreError::Dead)
    }
    /// A need by its id, open or not.
    pub async fn need(&self, _id: NeedId) -> Result<Option<Need>, StoreError> {
        Err(StoreError::Dead)
    }
    /// Needs whose id begins with this text, at most two.
    pub async fn needs_by_prefix(&self, _prefix: &str) -> Result<Vec<Need>, StoreError> {
        Err(StoreError::Dead)
    }
    /// Signals that came to a run, in the order they came.
    pub async fn signals(&self, _run: RunId) -> Result<Vec<Signal>, StoreError> {
        Err(StoreError::Dead)
    }
    /// Holds, by target; of one target where it is given (`host:pc-17`).
    pub async fn holds(&self, _target: Option<&str>) -> Result<Vec<Hold>, StoreError> {
        Err(StoreError::Dead)
    }
    /// Incidents, newest first, each with the cursor of its row.
    pub async fn incidents(&self, _page: Page) -> Result<Vec<(i64, Incident)>, StoreError> {
        Err(StoreError::Dead)
    }
    /// An incident by its id.
    pub async fn incident(&self, _id: IncidentId) -> Result<Option<Incident>, StoreError> {
        Err(StoreError::Dead)
    }
    /// An incident by its number.
    pub async fn incident_by_number(&self, _number: &str) -> Result<Option<Incident>, StoreError> {
        Err(StoreError::Dead)
    }
    /// How many incidents have a number that begins with `prefix`: `SIT-2026-`.
    pub async fn incident_count(&self, _prefix: &str) -> Result<u64, StoreError> {
        Err(StoreError::Dead)
    }
    /// Who has which role in an incident.
    pub async fn roles(&self, _incident: IncidentId) -> Result<Vec<(Role, Person)>, StoreError> {
        Err(StoreError::Dead)
    }
    /// Whom an incident concerns.
    pub async fn organisations(
        &self,
        _incident: IncidentId,
    ) -> Result<Vec<Organisation>, StoreError> {
        Err(StoreError::Dead)
    }
    /// What an incident is about.
    pub async fn assets(&self, _incident: IncidentId) -> Result<Vec<Asset>, StoreError> {
        Err(StoreError::Dead)
    }
    /// Files kept as evidence.
    pub async fn evidence(&self, _incident: IncidentId) -> Result<Vec<Evidence>, StoreError> {
        Err(StoreError::Dead)
    }
    /// Commands that wait for an answer, oldest first. The owner asks every 50 ms.
    pub async fn commands(&self) -> Result<Vec<Command>, StoreError> {
        Err(StoreError::Dead)
    }
    /// Runs by status, for metrics.
    pub async fn run_counts(&self) -> Result<Vec<(String, u64)>, StoreError> {
        Err(StoreError::Dead)
    }
    /// The newest seal; printed on pages and exports.
    pub async fn seal(&self) -> Result<Option<Seal>, StoreError> {
        Err(StoreError::Dead)
    }
}
