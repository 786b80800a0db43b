//! The journal's bytes: an entry's head, body and place in the chain.
//!
//! An entry has a *head* (kinds, paths, keys, digests, actor, organisation) and a *body* (values).
//! Erasing a body leaves the chain verifiable, because the chain holds only the body's hash.

use serde_json::json;

use crate::model::{Digest, Millis, NotCanonical, digest_of, digest_of_bytes};

/// What a stream belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum StreamKind {
    /// A run.
    Run,
    /// An incident.
    Incident,
    /// A thread of mutual aid.
    Aid,
    /// The store itself: seals, stop switch, backup, restore.
    Store,
}

impl StreamKind {
    /// The word in the chain and in exports.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Run => "run",
            Self::Incident => "incident",
            Self::Aid => "aid",
            Self::Store => "store",
        }
    }
}

/// `kind:public-id`, as the chain names a stream; never its row number.
pub fn stream_name(kind: StreamKind, id: &str) -> String {
    format!("{}:{id}", kind.as_str())
}

/// SHA-256 of 32 salt bytes followed by the body.
pub fn body_hash(salt: &[u8; 32], body: &[u8]) -> Digest {
    let mut bytes = Vec::with_capacity(32 + body.len());
    bytes.extend_from_slice(salt);
    bytes.extend_from_slice(body);
    digest_of_bytes(&bytes)
}

/// What the chain binds together in one entry.
#[derive(Debug, Clone, Copy)]
pub struct Link<'a> {
    /// The hash of the entry before; [`Digest::ZERO`] for the first.
    pub prev: Digest,
    /// `kind:public-id`.
    pub stream: &'a str,
    /// From 1, without a gap.
    pub seq: u64,
    /// When it was decided.
    pub at: Millis,
    /// The head's bytes as they are kept.
    pub head: &'a [u8],
    /// The body's hash.
    pub body_hash: Digest,
}

impl Link<'_> {
    /// The entry's hash.
    ///
    /// # Errors
    /// Only for an instant outside ±2^53 ms.
    pub fn hash(&self) -> Result<Digest, NotCanonical> {
        digest_of(
            "entry",
            &json!([
                self.prev.hex(),
                self.stream,
                self.seq,
                self.at.get(),
                digest_of_bytes(self.head).hex(),
                self.body_hash.hex()
            ]),
        )
    }
}
