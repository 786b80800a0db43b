//! How often what is kept in memory may have changed in the store.
//!
//! Whoever keeps what was read keeps it with a number asked for before the reading: as long as that
//! stays, what was read is true. It moves before whoever asked for a change hears of it, whatever
//! became of the change, and rather once too often than once too few. It is a word for memories of
//! this process: nobody counts by it, and it begins anew with each opening.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use beistand_core::entry::StreamKind;
use beistand_core::model::RunId;

use crate::change::Change;
use crate::stream::Stream;

/// Numbers that all runs share: two of one number are read once too often, which costs a question.
const RUNS: usize = 4_096;

/// Moved by the writer, read by [`crate::Journal::access_version`] and [`RunChanges`].
#[derive(Debug)]
pub(crate) struct Versions {
    access: AtomicU64,
    runs: Box<[AtomicU64]>,
}

/// Says of each run whether something was written into it: what [`crate::Reader::run_version`] told
/// after [`RunChanges::of`] was asked is true as long as that stays the same.
#[derive(Debug, Clone)]
pub struct RunChanges(Arc<Versions>);

/// What a statement that tells no story writes into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Touches {
    /// Sessions or credentials: who stands behind what is shown may be somebody else, or nobody. Also
    /// where in doubt.
    Access,
    /// Tallies alone. Strangers make the store count, as often as they guess, and what is counted is
    /// nothing that anybody shows.
    Tallies,
}

impl Default for Versions {
    fn default() -> Self {
        let runs = std::iter::repeat_with(AtomicU64::default).take(RUNS).collect();
        Self { access: AtomicU64::default(), runs }
    }
}

impl Versions {
    /// What was read of accounts before this is a thing of before.
    pub(crate) fn access_moves(&self) {
        self.access.fetch_add(1, Ordering::SeqCst);
    }

    /// Where that of accounts stands.
    pub(crate) fn access(&self) -> u64 {
        self.access.load(Ordering::SeqCst)
    }

    /// An append to this stream with these changes was tried.
    pub(crate) fn tried(&self, stream: &Stream, changes: &[Change]) {
        match stream.kind() {
            StreamKind::Run => self.run_moves(stream.id()),
            StreamKind::Incident | StreamKind::Aid | StreamKind::Store => {}
        }
        for change in changes {
            if change.is_of_access() {
                self.access_moves();
            }
            if let Change::PutRun(run) = change
                && let Some((parent, _)) = &run.parent
            {
                // One more run that it called.
                self.run_moves(&parent.to_string());
            }
        }
    }

    /// Nobody knows what stands in the store.
    pub(crate) fn all_move(&self) {
        self.access_moves();
        for run in &self.runs {
            run.fetch_add(1, Ordering::SeqCst);
        }
    }

    fn run_moves(&self, id: &str) {
        if let Some(run) = self.runs.get(place(id)) {
            run.fetch_add(1, Ordering::SeqCst);
        }
    }
}

impl RunChanges {
    pub(crate) const fn new(versions: Arc<Versions>) -> Self {
        Self(versions)
    }

    /// A number that moves with every entry of the run, and with every run that it calls.
    pub fn of(&self, run: RunId) -> u64 {
        let found = self.0.runs.get(place(&run.to_string()));
        found.map_or(0, |run| run.load(Ordering::SeqCst))
    }
}

impl Touches {
    /// Whether the version of accounts moves with it.
    pub(crate) const fn moves_version(self) -> bool {
        match self {
            Self::Access => true,
            Self::Tallies => false,
        }
    }
}

fn place(id: &str) -> usize {
    let mut hasher = DefaultHasher::new();
    id.hash(&mut hasher);
    let wide = hasher.finish() % RUNS as u64;
    usize::try_from(wide).unwrap_or(0)
}
