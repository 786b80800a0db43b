//! Runs as they stand, kept in memory and folded on by what was written since.

use std::sync::Arc;

use beistand_core::model::RunId;
use beistand_core::playbook::Plan;
use beistand_core::run::{RunState, decode};
use beistand_journal::{Head, Run, RunVersion, Stream};
use tokio::sync::{Mutex, OwnedMutexGuard};

use super::seen::no_run;
use super::{Views, lock};
use crate::error::EngineError;
use crate::load::{PAGE, apply};
use crate::recent::{Bounds, Recent};

/// Folded runs in memory. A provider has a few dozen that go on at once; a thousand are a list that
/// somebody looks through. The weight is that of their entries, of which a folded run takes a few
/// times as much: a quarter of a gigabyte at worst.
pub(super) const STATES: Bounds = Bounds { count: 1_024, bytes: 64 << 20 };

/// How far runs have come: as many as are asked for again and again, some hundred bytes each.
pub(super) const VERSIONS: Bounds = Bounds { count: 4_096, bytes: 4_096 * VERSION_BYTES };

/// What one of them takes, about.
const VERSION_BYTES: usize = 256;

/// How far runs have come, and of which change that was true.
pub(super) type RunVersions = Recent<RunId, (u64, RunVersion)>;

/// A run as it stands.
#[derive(Debug)]
pub(super) struct Folded {
    pub(super) row: Run,
    /// Its incident's number.
    pub(super) number: String,
    pub(super) plan: Arc<Plan>,
    stream: Stream,
    /// The newest entry that is folded into the state.
    pub(super) head: Head,
    pub(super) state: RunState,
    /// Of its entries or its snapshot.
    bytes: usize,
}

/// A run's place in memory: whoever folds it on holds it, and who comes meanwhile waits for that
/// and not for the same work again.
pub(super) type Slot = Arc<Mutex<Option<Folded>>>;

/// A run as it stands; nobody else folds it on while this is held.
pub(super) struct Held(OwnedMutexGuard<Option<Folded>>);

impl Held {
    /// The run.
    pub(super) fn get(&self) -> Result<&Folded, EngineError> {
        // Given out only with a run in it.
        self.0.as_ref().ok_or_else(|| EngineError::Internal("a run left its place".to_owned()))
    }
}

pub(super) type States = Recent<RunId, Slot>;

impl Views {
    /// The run with at least the entries that `version` knows of.
    pub(super) async fn folded(
        &self,
        id: RunId,
        version: &RunVersion,
    ) -> Result<Held, EngineError> {
        let slot = lock(&self.0.states).place(&id);
        let mut place = Arc::clone(&slot).lock_owned().await;
        // What is half folded is nobody's: on an error the place stays empty.
        let folded = match place.take() {
            Some(folded) if folded.head.seq >= version.head.seq => folded,
            Some(folded) => self.fold_on(folded).await?,
            None => self.fold_on(self.begin(id, version.stream.clone()).await?).await?,
        };
        lock(&self.0.states).put(id, slot, folded.bytes);
        *place = Some(folded);
        Ok(Held(place))
    }

    /// How far a run has come: from memory, where nothing can have been written into it since.
    ///
    /// # Errors
    /// [`EngineError::NotFound`] where there is none.
    pub(super) async fn version(&self, id: RunId) -> Result<RunVersion, EngineError> {
        let Some(changes) = &self.0.changes else { return self.read_version(id).await };
        // Asked before the store is: what is written in between makes what was read a thing of before.
        let change = changes.of(id);
        let known = lock(&self.0.versions).get(&id);
        if let Some((of, version)) = known
            && of == change
        {
            return Ok(version);
        }
        let version = self.read_version(id).await?;
        lock(&self.0.versions).put(id, (change, version.clone()), VERSION_BYTES);
        Ok(version)
    }

    async fn read_version(&self, id: RunId) -> Result<RunVersion, EngineError> {
        self.0.reader.run_version(id).await?.ok_or_else(|| no_run(id))
    }

    /// A run as its snapshot has it, or as its first entry opened it.
    async fn begin(&self, id: RunId, stream: Stream) -> Result<Folded, EngineError> {
        let reader = &self.0.reader;
        let row = reader.run(id).await?.ok_or_else(|| no_run(id))?;
        let plan = self.plan(&row).await?;
        let number = reader.incident(row.incident).await?.map(|incident| incident.number);
        let broken = |why: String| EngineError::Unreadable { run: id, why };
        let kept = reader.snapshot(&stream).await?;
        let kept = kept.and_then(|kept| {
            let state = serde_json::from_slice::<RunState>(&kept.bytes).ok()?;
            Some((kept.seq, state, kept.bytes.len()))
        });
        let (after, state, bytes) = match kept {
            Some((seq, state, bytes)) => (seq, Some(state), bytes),
            None => (0, None, 0),
        };
        let at = after.max(1);
        let first = reader.entries(&stream, at - 1, 1).await?;
        let first = first.first().ok_or_else(|| broken("it has no entry".to_owned()))?;
        let mut state = state;
        if after == 0 {
            let (_, events) = decode(&first.head, first.body.as_deref())
                .map_err(|contradiction| broken(contradiction.to_string()))?;
            for event in &events {
                apply(&mut state, &plan, event, first.at).map_err(broken)?;
            }
        }
        let state = state.ok_or_else(|| broken("its first entry opens nothing".to_owned()))?;
        let head = Head { seq: first.seq, hash: first.hash };
        let number = number.unwrap_or_default();
        Ok(Folded { row, number, plan, stream, head, state, bytes })
    }

    /// Folds a run on by all that was written since.
    async fn fold_on(&self, folded: Folded) -> Result<Folded, EngineError> {
        let Folded { row, number, plan, stream, mut head, state, mut bytes } = folded;
        let broken = |why: String| EngineError::Unreadable { run: row.id, why };
        let mut state = Some(state);
        loop {
            let page = self.0.reader.entries(&stream, head.seq, PAGE).await?;
            for entry in &page {
                let (_, events) = decode(&entry.head, entry.body.as_deref())
                    .map_err(|contradiction| broken(contradiction.to_string()))?;
                for event in &events {
                    apply(&mut state, &plan, event, entry.at).map_err(broken)?;
                }
                head = Head { seq: entry.seq, hash: entry.hash };
                bytes += entry.head.len() + entry.body.as_ref().map_or(0, Vec::len);
            }
            if page.len() < PAGE as usize {
                break;
            }
        }
        let mut state = state.ok_or_else(|| broken("it has no entry".to_owned()))?;
        state.refresh();
        Ok(Folded { row, number, plan, stream, head, state, bytes })
    }
}
