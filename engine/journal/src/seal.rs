//! Seals: one entry over all changed heads, and the witness outside the database.

use beistand_core::model::{Digest, Millis};

/// A seal, as it is printed and given away.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seal {
    /// Its number in the store's stream.
    pub seq: u64,
    /// When.
    pub at: Millis,
    /// Its hash: what goes on paper.
    pub hash: Digest,
}
