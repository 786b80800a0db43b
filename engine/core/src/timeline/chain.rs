//! The chain that an export carries, so that a reader can check it without the store.
//!
//! Heads are carried as they were chained, byte for byte; bodies only by their hash. What the check
//! proves is that these entries follow from each other, and that those which a seal names are the
//! ones that were sealed. It can not prove that a seal is the right one: for that its hash must be
//! compared with one that was kept outside.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::entry::Link;
use crate::model::{Digest, Millis, digest_of_bytes};

/// One entry of a stream, without its values.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChainEntry {
    /// `kind:public-id`.
    pub stream: String,
    /// From 1, without a gap.
    pub seq: u64,
    /// Milliseconds since 1970.
    pub at: Millis,
    /// The head's bytes as they were chained; always UTF-8. Empty where its hash stands for it.
    pub head: String,
    /// SHA-256 of the head, in place of a head that names persons.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub head_hash: Option<Digest>,
    /// SHA-256 of salt and body.
    pub body_hash: Digest,
    /// The hash of the entry before.
    pub prev: Digest,
    /// The entry's hash.
    pub hash: Digest,
}

/// How long a stream of an export is, and with which entry it ends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StreamEnd {
    /// `kind:public-id`.
    pub stream: String,
    /// The newest entry's number: there are so many entries.
    pub seq: u64,
    /// The newest entry's hash.
    pub hash: Digest,
}

/// All entries of the streams of an export, and the newest seal.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Chain {
    /// By stream, in rising order. The store's own stream is one of them: its seals bind the others.
    pub entries: Vec<ChainEntry>,
    /// Where each stream ends, by name.
    pub streams: Vec<StreamEnd>,
    /// The newest seal's entry in the store's stream; `None` before the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seal: Option<ChainEntry>,
}

/// Why an export can not be relied on.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ChainError {
    /// It carries no chain, or one that can not be read.
    #[error("the file carries no chain that can be read: {0}")]
    Missing(String),
    /// An entry does not fit what is around it.
    #[error("entry {seq} of {stream} {why}")]
    Broken {
        /// The stream.
        stream: String,
        /// The first bad entry.
        seq: u64,
        /// What is wrong with it.
        why: &'static str,
    },
    /// A line is not as it was written.
    #[error("line {line} {why}")]
    Line {
        /// In the file, from 1.
        line: usize,
        /// What is wrong with it.
        why: &'static str,
    },
    /// Each part fits for itself, the whole does not.
    #[error("the export's digest is not that of its streams, its seal and its lines")]
    Digest,
}

/// How the journal writes what a seal binds: stream, seq, 64 hex digits.
#[derive(Deserialize)]
struct Sealed {
    /// The same seal goes on in the next entry.
    more: bool,
    heads: Vec<(String, u64, String)>,
}

impl Sealed {
    fn of(entry: &ChainEntry) -> Option<Self> {
        if !entry.stream.starts_with("store:") {
            return None;
        }
        serde_json::from_str(&entry.head).ok()
    }
}

/// What is there of the streams, while it is checked.
#[derive(Default)]
struct Seen<'c> {
    ends: BTreeMap<&'c str, (u64, Digest)>,
    hashes: BTreeMap<(&'c str, u64), Digest>,
}

impl Chain {
    /// The chain of these entries: each stream's from the first on, in rising order.
    pub fn new(entries: Vec<ChainEntry>) -> Self {
        let mut ends: BTreeMap<&str, &ChainEntry> = BTreeMap::new();
        for entry in &entries {
            ends.insert(&entry.stream, entry);
        }
        let streams = ends.into_values().map(|last| StreamEnd {
            stream: last.stream.clone(),
            seq: last.seq,
            hash: last.hash,
        });
        let streams = streams.collect();
        let seal = newest_seal(&entries).cloned();
        Self { entries, streams, seal }
    }

    /// The same chain without what heads say, which names persons: the hash of each stands in its
    /// place, and the chain holds as before. Seals name nobody, and are needed whole.
    #[must_use]
    pub fn without_heads(mut self) -> Self {
        for entry in self.entries.iter_mut().filter(|entry| Sealed::of(entry).is_none()) {
            entry.head_hash = Some(digest_of_bytes(entry.head.as_bytes()));
            entry.head.clear();
        }
        self
    }

    /// Checks every entry against the one before it, each stream against its length, and all of
    /// them against the seals. Answers how many entries are bound by a seal.
    ///
    /// # Errors
    /// [`ChainError::Broken`] with the first bad entry.
    pub fn check(&self) -> Result<u64, ChainError> {
        let mut seen = Seen::default();
        for entry in &self.entries {
            let (seq, hash) =
                seen.ends.get(entry.stream.as_str()).copied().unwrap_or((0, Digest::ZERO));
            if entry.seq != seq.saturating_add(1) {
                return Err(entry.broken("is missing, or stands in the wrong place"));
            }
            if entry.prev != hash {
                return Err(entry.broken("does not follow the entry before it"));
            }
            entry.check_hash()?;
            seen.ends.insert(&entry.stream, (entry.seq, entry.hash));
            seen.hashes.insert((&entry.stream, entry.seq), entry.hash);
        }
        self.check_ends(&seen)?;
        self.check_seals(&seen)
    }

    /// No stream is shorter or longer than it says, and none is there that is not named.
    fn check_ends(&self, seen: &Seen<'_>) -> Result<(), ChainError> {
        let mut named: BTreeMap<&str, &StreamEnd> = BTreeMap::new();
        for end in &self.streams {
            let (seq, hash) =
                seen.ends.get(end.stream.as_str()).copied().unwrap_or((0, Digest::ZERO));
            let broken =
                |seq, why| Err(ChainError::Broken { stream: end.stream.clone(), seq, why });
            if seq < end.seq {
                return broken(seq.saturating_add(1), "is missing: the end was cut off");
            }
            if seq > end.seq || hash != end.hash {
                return broken(seq, "is not the one with which the stream ended");
            }
            named.insert(&end.stream, end);
        }
        match seen.ends.iter().find(|(stream, _)| !named.contains_key(*stream)) {
            Some((stream, _)) => Err(ChainError::Broken {
                stream: (*stream).to_owned(),
                seq: 1,
                why: "belongs to a stream that is not of this export",
            }),
            None => Ok(()),
        }
    }

    fn check_seals(&self, seen: &Seen<'_>) -> Result<u64, ChainError> {
        let newest = newest_seal(&self.entries);
        match (&self.seal, newest) {
            (Some(seal), newest) if newest != Some(seal) => {
                return Err(seal.broken("is not the newest seal of the store's stream"));
            }
            (None, Some(newest)) => return Err(newest.broken("is a seal that is not named")),
            (Some(_) | None, _) => {}
        }
        let mut sealed: BTreeMap<&str, u64> = BTreeMap::new();
        let until = newest.map_or(0, |seal| seal.seq);
        for entry in &self.entries {
            let Some(seal) = Sealed::of(entry) else { continue };
            for (stream, seq, hash) in &seal.heads {
                // A seal binds other streams too; those are not part of this export.
                let Some((stream, _)) = seen.ends.get_key_value(stream.as_str()) else { continue };
                if seen.hashes.get(&(stream, *seq)).map(Digest::hex).as_ref() != Some(hash) {
                    let (stream, why) = ((*stream).to_owned(), "is not the one that was sealed");
                    return Err(ChainError::Broken { stream, seq: *seq, why });
                }
                let bound = sealed.entry(stream).or_default();
                *bound = (*bound).max(*seq);
            }
            let own = sealed.entry(&entry.stream).or_default();
            *own = (*own).max(until);
        }
        Ok(sealed.values().sum())
    }
}

/// The last entry of the newest seal that is complete.
fn newest_seal(entries: &[ChainEntry]) -> Option<&ChainEntry> {
    entries.iter().rev().find(|entry| Sealed::of(entry).is_some_and(|sealed| !sealed.more))
}

impl ChainEntry {
    fn check_hash(&self) -> Result<(), ChainError> {
        let link = Link {
            prev: self.prev,
            stream: &self.stream,
            seq: self.seq,
            at: self.at,
            head: self.head.as_bytes(),
            body_hash: self.body_hash,
        };
        let hash = match self.head_hash {
            None => link.hash(),
            Some(_) if !self.head.is_empty() => {
                return Err(self.broken("has a head, and a hash in its place"));
            }
            Some(head) => link.hash_of(head),
        };
        match hash {
            Ok(hash) if hash == self.hash => Ok(()),
            Ok(_) | Err(_) => Err(self.broken("was changed")),
        }
    }

    fn broken(&self, why: &'static str) -> ChainError {
        ChainError::Broken { stream: self.stream.clone(), seq: self.seq, why }
    }
}
