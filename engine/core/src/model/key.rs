//! The idempotency key: the same effect of the same step carries the same key for ever.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{IdError, NeedId, Path, Person, RunId, StoreId, digest_of, words};

words! {
    /// Whether an effect is done or taken back.
    Direction = "direction" {
        /// The effect itself.
        Do = "do",
        /// What takes it back.
        Undo = "undo",
    }
}

/// 128 bits as 32 hex digits. Attempt, node and epoch are not in it, so a successor after a crash
/// sends what its predecessor sent.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct IdempotencyKey([u8; 16]);

impl IdempotencyKey {
    /// The key of one effect.
    ///
    /// `generation` grows only by a person: `retry` after attempts that all ended definitely, or
    /// `send-again`.
    pub fn new(
        store: StoreId,
        root: RunId,
        path: &Path,
        direction: Direction,
        generation: u32,
    ) -> Self {
        let parts = json!([
            store.to_string(),
            root.to_string(),
            path.as_str(),
            direction.as_str(),
            generation
        ]);
        // Strings and a u32 always have a canonical form.
        Self::half_of(digest_of("key", &parts).unwrap_or(super::Digest::ZERO))
    }

    /// The key of a mail that calls somebody to what waits: no effect of a run, and the same mail
    /// however often it is tried.
    pub fn of_call_out(store: StoreId, needs: &[NeedId], step: &str, person: &Person) -> Self {
        let parts = json!([store.to_string(), needs, step, person]);
        // Strings always have a canonical form.
        Self::half_of(digest_of("call-out", &parts).unwrap_or(super::Digest::ZERO))
    }

    fn half_of(digest: super::Digest) -> Self {
        let mut key = [0; 16];
        key.copy_from_slice(digest.as_bytes().get(..16).unwrap_or(&[0; 16]));
        Self(key)
    }
}

impl fmt::Display for IdempotencyKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for IdempotencyKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl TryFrom<String> for IdempotencyKey {
    type Error = IdError;
    fn try_from(text: String) -> Result<Self, IdError> {
        let mut key = [0; 16];
        hex::decode_to_slice(&text, &mut key).map_err(|_| IdError {
            what: "idempotency key",
            text,
            hint: "32 hex digits",
        })?;
        Ok(Self(key))
    }
}

impl From<IdempotencyKey> for String {
    fn from(key: IdempotencyKey) -> String {
        key.to_string()
    }
}
