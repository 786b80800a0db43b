//! An entry made ready for its chain: salt, hashes, and what the writer must know.

use beistand_core::entry::{Link, body_hash};
use beistand_core::model::{Digest, Millis};

use crate::append::{Gate, Next};
use crate::error::AppendError;
use crate::open::Random;
use crate::stream::Head;

/// The bytes of one entry, before its place is known.
#[derive(Debug)]
pub(crate) struct Content {
    pub(crate) at: Millis,
    pub(crate) head: Vec<u8>,
    pub(crate) body: Option<Vec<u8>>,
    pub(crate) salt: Option<[u8; 32]>,
    pub(crate) body_hash: Digest,
}

impl Content {
    /// Salts and hashes the body. Without a body its hash is [`Digest::ZERO`].
    pub(crate) fn new(
        at: Millis,
        head: Vec<u8>,
        body: Option<Vec<u8>>,
        random: Random,
    ) -> Result<Self, AppendError> {
        let Some(body) = body else {
            return Ok(Self { at, head, body: None, salt: None, body_hash: Digest::ZERO });
        };
        let mut salt = [0; 32];
        random(&mut salt).map_err(|error| AppendError::Invalid(format!("no salt: {error}")))?;
        let body_hash = body_hash(&salt, &body);
        Ok(Self { at, head, body: Some(body), salt: Some(salt), body_hash })
    }

    /// The head that the stream has after this entry.
    pub(crate) fn after(&self, stream: &str, prev: Head) -> Result<Head, AppendError> {
        let seq = prev.seq.saturating_add(1);
        let link = Link {
            prev: prev.hash,
            stream,
            seq,
            at: self.at,
            head: &self.head,
            body_hash: self.body_hash,
        };
        let hash = link.hash().map_err(|error| AppendError::Invalid(error.to_string()))?;
        Ok(Head { seq, hash })
    }

    /// How many bytes it brings into a transaction.
    pub(crate) fn len(&self) -> usize {
        self.head.len() + self.body.as_ref().map_or(0, Vec::len)
    }
}

/// One guarded write: the entry, and its stream moved on by one.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Write<'a> {
    pub(crate) stream: i64,
    pub(crate) fence: i64,
    pub(crate) prev: Head,
    pub(crate) new: Head,
    pub(crate) next: Next,
    pub(crate) gate: Gate,
    pub(crate) content: &'a Content,
}

impl Write<'_> {
    /// 1 where the stream is released.
    pub(crate) const fn released(self) -> i64 {
        match self.next {
            Next::Keep => 0,
            Next::Release { .. } => 1,
        }
    }
    /// 1 where the stop switch holds it back.
    pub(crate) const fn gated(self) -> i64 {
        match self.gate {
            Gate::Open => 0,
            Gate::UnlessStopped => 1,
        }
    }
    /// When a released stream is due.
    pub(crate) const fn due(&self) -> Option<i64> {
        match self.next {
            Next::Release { due: Some(due) } => Some(due.get()),
            Next::Release { due: None } | Next::Keep => None,
        }
    }
}
