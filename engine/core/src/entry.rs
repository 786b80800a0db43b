//! The journal's bytes: an entry's head, body and place in the chain.
//!
//! An entry has a *head* (kinds, paths, keys, digests, actor, organisation) and a *body* (values).
//! Erasing a body leaves the chain verifiable, because the chain holds only the body's hash.

use std::fmt::Write as _;

use crate::model::{
    Digest, Millis, NotCanonical, canonical_integer, digest_of_bytes, digest_of_canonical, words,
};

words! {
    /// What a stream belongs to.
    StreamKind = "kind of stream" {
        /// A run.
        Run = "run",
        /// An incident.
        Incident = "incident",
        /// A thread of mutual aid.
        Aid = "aid",
        /// The store itself: seals, stop switch, backup, restore.
        Store = "store",
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
    /// The entry's hash: the digest for `entry` of the array of all six.
    ///
    /// Its canonical form is written out here and not made from a tree of values, which would be
    /// the dearest part of a durable step.
    ///
    /// # Errors
    /// Only for an instant or a place outside ±(2^53−1).
    pub fn hash(&self) -> Result<Digest, NotCanonical> {
        self.hash_of(digest_of_bytes(self.head))
    }

    /// The same of a head of which only SHA-256 is known.
    ///
    /// # Errors
    /// As [`Self::hash`].
    pub fn hash_of(&self, head: Digest) -> Result<Digest, NotCanonical> {
        let seq = i64::try_from(self.seq).map_err(|_| NotCanonical(self.seq.to_string()))?;
        let (seq, at) = (canonical_integer(seq)?, canonical_integer(self.at.get())?);
        let invalid = |error: &dyn std::fmt::Display| NotCanonical(error.to_string());
        let stream = serde_json::to_string(self.stream).map_err(|error| invalid(&error))?;
        let (prev, head) = (self.prev.hex(), head.hex());
        let mut form = String::with_capacity(3 * 64 + stream.len() + 48);
        write!(form, "[\"{prev}\",{stream},{seq},{at},\"{head}\",\"{}\"]", self.body_hash.hex())
            .map_err(|error| invalid(&error))?;
        Ok(digest_of_canonical("entry", form.as_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::digest_of;
    use proptest::prelude::*;
    use serde_json::json;

    proptest! {
        #[test]
        fn the_hash_is_that_of_the_canonical_array(
            stream in any::<String>(),
            (seq, at) in (0..1_u64 << 53, -(1_i64 << 53) + 1..1_i64 << 53),
            (prev, body, head) in any::<([u8; 32], [u8; 32], Vec<u8>)>(),
        ) {
            let (prev, body_hash) = (Digest::from_bytes(prev), Digest::from_bytes(body));
            let at = Millis::new(at);
            let link = Link { prev, stream: &stream, seq, at, head: &head, body_hash };
            let head = digest_of_bytes(&head).hex();
            let array = json!([prev.hex(), stream, seq, at.get(), head, body_hash.hex()]);
            prop_assert_eq!(link.hash(), digest_of("entry", &array));
        }
    }

    #[test]
    fn a_number_that_would_be_rounded_is_refused() {
        let (prev, body_hash) = (Digest::ZERO, Digest::ZERO);
        let link = |seq, at| Link {
            prev,
            stream: "run:x",
            seq,
            at: Millis::new(at),
            head: &[],
            body_hash,
        };
        assert!(link(1, (1 << 53) - 1).hash().is_ok());
        assert!(link(1, 1 << 53).hash().is_err());
        assert!(link(1 << 53, 0).hash().is_err());
        assert!(link(u64::MAX, 0).hash().is_err());
    }
}
