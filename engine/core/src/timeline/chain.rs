//! The chain that an export carries, so that a reader can check it without the store.
//!
//! Heads are carried as they were chained, byte for byte; bodies only by their hash. What the check
//! proves is that these entries are the ones that were sealed. It can not prove that a seal is the
//! right one: for that its hash must be compared with one that was kept outside.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::entry::Link;
use crate::model::{Digest, Millis};

/// One entry of a stream, without its values.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChainEntry {
    /// `kind:public-id`.
    pub stream: String,
    /// From 1, without a gap.
    pub seq: u64,
    /// Milliseconds since 1970.
    pub at: Millis,
    /// The head's bytes as they were chained; always UTF-8.
    pub head: String,
    /// SHA-256 of salt and body.
    pub body_hash: Digest,
    /// The hash of the entry before.
    pub prev: Digest,
    /// The entry's hash.
    pub hash: Digest,
}

/// All entries of the streams of an export, and the newest seal.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Chain {
    /// By stream, in rising order.
    pub entries: Vec<ChainEntry>,
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
}

/// A line of an export that carries the chain, and what `<script id="chain">` holds.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct ChainLine<C> {
    /// The chain.
    pub(super) chain: C,
}

/// What stands before the chain in a page.
pub(super) const SCRIPT: &str = r#"<script type="application/json" id="chain">"#;

/// How the journal writes what a seal binds: stream, seq, 64 hex digits.
#[derive(Deserialize)]
struct Sealed {
    heads: Vec<(String, u64, String)>,
}

impl Chain {
    /// The chain that an export carries: the last line of a JSONL file, or the block in a page.
    ///
    /// # Errors
    /// [`ChainError::Missing`].
    pub fn find(export: &str) -> Result<Self, ChainError> {
        let text = match export.split_once(SCRIPT) {
            Some((_, after)) => after.split("</script>").next().unwrap_or_default(),
            None => export.trim_end().rsplit('\n').next().unwrap_or_default(),
        };
        serde_json::from_str::<ChainLine<Self>>(text)
            .map(|line| line.chain)
            .map_err(|error| ChainError::Missing(error.to_string()))
    }

    /// Checks every entry against the one before it, and all of them against the seal.
    ///
    /// # Errors
    /// [`ChainError::Broken`] with the first bad entry.
    pub fn check(&self) -> Result<(), ChainError> {
        let mut heads: BTreeMap<&str, (u64, Digest)> = BTreeMap::new();
        let mut hashes: BTreeMap<(&str, u64), Digest> = BTreeMap::new();
        for entry in &self.entries {
            let (seq, hash) =
                heads.get(entry.stream.as_str()).copied().unwrap_or((0, Digest::ZERO));
            if entry.seq != seq.saturating_add(1) {
                return Err(entry.broken("is missing, or stands in the wrong place"));
            }
            if entry.prev != hash {
                return Err(entry.broken("does not follow the entry before it"));
            }
            entry.check_hash()?;
            heads.insert(&entry.stream, (entry.seq, entry.hash));
            hashes.insert((&entry.stream, entry.seq), entry.hash);
        }
        let Some(seal) = &self.seal else { return Ok(()) };
        seal.check_hash()?;
        let sealed: Sealed =
            serde_json::from_str(&seal.head).map_err(|_| seal.broken("is no seal"))?;
        for (stream, seq, hash) in &sealed.heads {
            // The seal binds other streams too; those are not part of this export.
            if !heads.contains_key(stream.as_str()) {
                continue;
            }
            let found = hashes.get(&(stream.as_str(), *seq)).map(Digest::hex);
            if found.as_deref() != Some(hash) {
                let stream = stream.clone();
                let why = "is not the one that was sealed";
                return Err(ChainError::Broken { stream, seq: *seq, why });
            }
        }
        Ok(())
    }
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
        match link.hash() {
            Ok(hash) if hash == self.hash => Ok(()),
            Ok(_) | Err(_) => Err(self.broken("was changed")),
        }
    }

    fn broken(&self, why: &'static str) -> ChainError {
        ChainError::Broken { stream: self.stream.clone(), seq: self.seq, why }
    }
}
