//! Streams, their heads and their entries, as callers see them.

use std::sync::Arc;

use beistand_core::entry::{StreamKind, stream_name};
use beistand_core::model::{Digest, Millis};
use beistand_core::timeline::ChainEntry;

use crate::error::StoreError;

/// A stream of the store. Cheap to clone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stream {
    pub(crate) no: i64,
    pub(crate) kind: StreamKind,
    pub(crate) name: Arc<str>,
}

impl Stream {
    pub(crate) fn new(no: i64, kind: StreamKind, id: &str) -> Self {
        Self { no, kind, name: stream_name(kind, id).into() }
    }
    /// What it belongs to.
    pub const fn kind(&self) -> StreamKind {
        self.kind
    }
    /// The public id: a UUID for runs, incidents and threads.
    pub fn id(&self) -> &str {
        self.name.split_once(':').map_or(&self.name, |(_, id)| id)
    }
    /// `kind:public-id`, as the chain names it.
    pub fn name(&self) -> &str {
        &self.name
    }
    /// The row number inside this store, for [`crate::Reader::entries`]; never shown outside.
    pub const fn no(&self) -> i64 {
        self.no
    }
}

/// The newest entry of a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// Its number, from 1; 0 for a stream without entries.
    pub seq: u64,
    /// Its hash; [`Digest::ZERO`] for a stream without entries.
    pub hash: Digest,
}

impl Head {
    /// Before the first entry.
    pub const START: Self = Self { seq: 0, hash: Digest::ZERO };
}

/// The right to append to a stream: who holds it drives the run.
///
/// It carries the fence and the head that the next append is checked against. Each append gives the
/// lease for the next one. A lease that was overtaken is answered with
/// [`crate::AppendError::LostOwnership`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    pub(crate) stream: Stream,
    pub(crate) fence: i64,
    pub(crate) head: Head,
}

impl Lease {
    /// Whose stream.
    pub const fn stream(&self) -> &Stream {
        &self.stream
    }
    /// How often the stream changed hands.
    pub const fn fence(&self) -> i64 {
        self.fence
    }
    /// The entry that the next one follows.
    pub const fn head(&self) -> Head {
        self.head
    }
}

/// An entry as the store keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// From 1, without a gap.
    pub seq: u64,
    /// When it was decided.
    pub at: Millis,
    /// Kinds, paths, keys, digests, actor, organisation; no personal data. The bytes that were chained.
    pub head: Vec<u8>,
    /// The values; `None` where there were none, or where they were erased.
    pub body: Option<Vec<u8>>,
    /// SHA-256 of salt and body; [`Digest::ZERO`] where there never was a body.
    pub body_hash: Digest,
    /// The entry's hash.
    pub hash: Digest,
}

impl Entry {
    /// Whether the body was there and has been erased (retention, GDPR).
    pub fn is_erased(&self) -> bool {
        self.body.is_none() && self.body_hash != Digest::ZERO
    }

    /// The entry as an export carries it, without its body.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] for a head that is no UTF-8.
    pub fn chained(&self, stream: &Stream, prev: Digest) -> Result<ChainEntry, StoreError> {
        let head = String::from_utf8(self.head.clone())
            .map_err(|error| StoreError::Damaged { what: "entry.head", why: error.to_string() })?;
        Ok(ChainEntry {
            stream: stream.name().to_owned(),
            seq: self.seq,
            at: self.at,
            head,
            head_hash: None,
            body_hash: self.body_hash,
            prev,
            hash: self.hash,
        })
    }
}

/// A folded state, so that loading does not begin at the first entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    /// The last entry folded into it.
    pub seq: u64,
    /// The state, in the caller's own form.
    pub bytes: Vec<u8>,
}
