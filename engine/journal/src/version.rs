//! How often what accounts may do may have changed.
//!
//! Whoever keeps in memory who stood behind what was shown keeps it with this number: as long as it
//! stays, what was read is true. It moves before whoever asked for the change hears of it, whatever
//! became of the change, and rather once too often than once too few. It is a word for memories of
//! this process: nobody counts by it, and it begins anew with each opening.

use std::sync::atomic::{AtomicU64, Ordering};

/// Moved by the writer, read by [`crate::Journal::access_version`].
#[derive(Debug, Default)]
pub(crate) struct AccessVersion(AtomicU64);

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

impl AccessVersion {
    /// What was read before this is a thing of before.
    pub(crate) fn moves(&self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }

    /// Where it stands.
    pub(crate) fn get(&self) -> u64 {
        self.0.load(Ordering::SeqCst)
    }
}

impl Touches {
    /// Whether the version moves with it.
    pub(crate) const fn moves_version(self) -> bool {
        match self {
            Self::Access => true,
            Self::Tallies => false,
        }
    }
}
