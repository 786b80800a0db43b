//! Counters for `/metrics`.

use std::sync::atomic::{AtomicU64, Ordering};

/// What the writer counts; shared with [`crate::Journal::metrics`].
#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) commits: AtomicU64,
    pub(crate) entries: AtomicU64,
    pub(crate) batch_max: AtomicU64,
    pub(crate) refused: AtomicU64,
    pub(crate) full: AtomicU64,
}

impl Counters {
    pub(crate) fn committed(&self, entries: u64) {
        self.commits.fetch_add(1, Ordering::Relaxed);
        self.entries.fetch_add(entries, Ordering::Relaxed);
        self.batch_max.fetch_max(entries, Ordering::Relaxed);
    }
}

/// What the writer did since the store was opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Metrics {
    /// Transactions that were committed.
    pub commits: u64,
    /// Entries in them; entries ÷ commits is the mean batch.
    pub entries: u64,
    /// The largest batch.
    pub batch_max: u64,
    /// Appends refused by a guard, the stop switch or a lost lease.
    pub refused: u64,
    /// Appends refused because the disk was full.
    pub full: u64,
    /// Appends that wait now.
    pub queue: u64,
    /// How many fit in the queue; a full queue makes appenders wait.
    pub queue_max: u64,
}
