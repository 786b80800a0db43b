//! Opening a store: ownership, safety checks, migration, identity, witness.

use std::path::PathBuf;

use beistand_core::entry::StreamKind;
use beistand_core::model::{Digest, Millis};

use crate::append::{Append, Appended};
use crate::counters::Metrics;
use crate::error::{AppendError, OpenError, StoreError};
use crate::read::Reader;
use crate::seal::Seal;
use crate::stream::Lease;
use crate::table::Meta;

/// Fills a buffer with random bytes for salts, ids and the epoch.
pub type Random = fn(&mut [u8]) -> Result<(), getrandom::Error>;

/// What opening needs from outside.
#[derive(Debug, Clone)]
pub struct Options {
    /// Now, for what is made at opening.
    pub now: Millis,
    /// Where salts and ids come from.
    pub random: Random,
    /// Where the newest seal is kept. Default for SQLite: `<db>.witness`; for PostgreSQL none.
    pub witness: Option<PathBuf>,
    /// Called at named places of the writer, so that a test can end the process exactly there:
    /// `before_commit`, `after_commit`, `after_seal`.
    pub crash_point: Option<fn(&'static str)>,
}

impl Options {
    /// Randomness from the operating system, the default witness.
    pub fn new(now: Millis) -> Self {
        Self { now, random: getrandom::fill, witness: None, crash_point: None }
    }
}

/// An owned store. Cheap to clone; the last clone, or [`Journal::close`], gives the store back.
#[derive(Debug, Clone)]
pub struct Journal {
    reader: Reader,
}

impl Journal {
    /// Takes ownership of the store at `url`, `sqlite:PATH` or `postgres://…`; makes it if there is
    /// none, migrates it forward, checks it against its witness. All streams of a former owner
    /// become claimable at once.
    pub async fn open(_url: &str, _options: Options) -> Result<Self, OpenError> {
        Err(OpenError::Store(StoreError::Dead))
    }
    /// Every question that can be asked.
    pub const fn reader(&self) -> &Reader {
        &self.reader
    }
    /// Who the store is.
    pub fn meta(&self) -> &Meta {
        self.reader.opened()
    }
    /// Writes one entry and what follows from it. Returns when it is durable.
    pub async fn append(&self, _append: Append) -> Result<Appended, AppendError> {
        Err(AppendError::Full)
    }
    /// Takes up to `limit` streams that are due and that nobody owns; the longest due first.
    pub async fn claim(&self, _now: Millis, _limit: u32) -> Result<Vec<Lease>, StoreError> {
        Err(StoreError::Dead)
    }
    /// Takes this one, due or not. `None` if it is owned or does not exist.
    pub async fn claim_stream(
        &self,
        _kind: StreamKind,
        _id: &str,
    ) -> Result<Option<Lease>, StoreError> {
        Err(StoreError::Dead)
    }
    /// Gives a stream back without an entry; claimable from `due` on. `false` if the lease was void.
    pub async fn release(&self, _lease: Lease, _due: Option<Millis>) -> Result<bool, StoreError> {
        Err(StoreError::Dead)
    }
    /// Keeps bytes under their digest, durable on return. The same bytes twice are kept once.
    pub async fn put_blob(&self, _bytes: Vec<u8>) -> Result<Digest, StoreError> {
        Err(StoreError::Dead)
    }
    /// Answers a command without an entry.
    pub async fn answer(
        &self,
        _command: &str,
        _answer: String,
        _at: Millis,
    ) -> Result<(), StoreError> {
        Err(StoreError::Dead)
    }
    /// Erases the body of an entry without an entry that says so; prefer [`crate::Change::EraseBody`].
    pub async fn erase_body(
        &self,
        _kind: StreamKind,
        _id: &str,
        _seq: u64,
    ) -> Result<bool, StoreError> {
        Err(StoreError::Dead)
    }
    /// Seals all heads that changed since the last seal and renews the witness. `None` if nothing
    /// changed. Call it every 10 s.
    pub async fn seal(&self, _now: Millis) -> Result<Option<Seal>, StoreError> {
        Err(StoreError::Dead)
    }
    /// What the writer did so far.
    pub fn metrics(&self) -> Metrics {
        Metrics::default()
    }
    /// Seals, stops the writer and gives the store back.
    pub async fn close(self, _now: Millis) -> Result<(), StoreError> {
        Err(StoreError::Dead)
    }
}
