//! Chains and seals: what was changed afterwards is found and named.
//!
//! The claim is exact: a change made *after* the last seal that somebody keeps outside is not
//! found, everything before it is.

use beistand_core::entry::{Link, body_hash, stream_name};
use beistand_core::model::{Digest, Millis};
use serde_json::{Value, json};
use thiserror::Error;

use crate::error::StoreError;
use crate::read::Reader;
use crate::seal::{SEAL, SealHead};
use crate::sql::{Row, params};
use crate::writer::digest;

/// Entries read at once: bounds memory, whatever the size of the store.
const PAGE: i64 = 500;

/// What was found in order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Verified {
    /// Streams.
    pub streams: u64,
    /// Entries.
    pub entries: u64,
    /// Entries whose body was erased.
    pub erased: u64,
    /// The newest seal: a change after it is not found.
    pub anchored_until: Option<Millis>,
    /// Its hash.
    pub anchor: Option<Digest>,
}

/// The first thing that is not in order.
#[derive(Debug, Error)]
pub enum Broken {
    /// An entry.
    #[error("entry {seq} of `{stream}`: {why}")]
    Entry {
        /// `kind:public-id`.
        stream: String,
        /// Which.
        seq: u64,
        /// What is wrong.
        why: String,
    },
    /// What was expected stands nowhere.
    #[error("no entry has the hash {0}")]
    NotFound(Digest),
    /// The store could not be read.
    #[error("could not read the store")]
    Store(#[from] StoreError),
}

/// An entry with all that its check needs.
struct Found {
    stream: String,
    /// What the stream's row says of its end.
    end: Option<(u64, Digest)>,
    seq: u64,
    at: Millis,
    head: Vec<u8>,
    body: Option<Vec<u8>>,
    salt: Option<Vec<u8>>,
    body_hash: Digest,
    hash: Digest,
}

/// Where the walk is in the stream it is in.
#[derive(Default)]
struct Walk {
    stream: String,
    end: Option<(u64, Digest)>,
    seq: u64,
    hash: Option<Digest>,
}

/// Walks every chain of the store and holds it against all seals; `expect` must be the hash of some
/// entry (what stands on paper). Memory does not grow with the store.
pub async fn store(reader: &Reader, expect: Option<Digest>) -> Result<Verified, Broken> {
    let mut verified = Verified::default();
    let mut walk = Walk::default();
    let mut expected = expect;
    let mut place = (i64::MIN, 0);
    loop {
        let page = page_after(reader, place).await?;
        let Some((last, _)) = page.last() else { break };
        place = *last;
        for (_, entry) in page {
            walk.step(&entry, &mut verified)?;
            if expected == Some(entry.hash) {
                expected = None;
            }
            if entry.stream.starts_with("store:") && entry.head.starts_with(SEAL) {
                check_seal(reader, &entry).await?;
                verified.anchored_until = Some(entry.at);
                verified.anchor = Some(entry.hash);
            }
        }
    }
    walk.ends()?;
    without_entries(reader).await?;
    match expected {
        Some(digest) => Err(Broken::NotFound(digest)),
        None => Ok(verified),
    }
}

/// A page of entries behind a place, with their places.
async fn page_after(
    reader: &Reader,
    place: (i64, i64),
) -> Result<Vec<((i64, i64), Found)>, StoreError> {
    let sql = "select e.stream, e.seq, e.at, e.head, e.body, e.salt, e.body_hash, e.hash,
             s.kind, s.id, s.seq, s.head
         from entry e left join stream s on s.no = e.stream
         where (e.stream, e.seq) > ($1, $2) order by e.stream, e.seq limit $3";
    let params = params![place.0, place.1, PAGE];
    let rows = reader.pool().rows("read entries", sql, params).await?;
    rows.into_iter().map(found).collect()
}

impl Walk {
    fn step(&mut self, entry: &Found, verified: &mut Verified) -> Result<(), Broken> {
        if entry.stream != self.stream {
            self.ends()?;
            *self = Self {
                stream: entry.stream.clone(),
                end: entry.end,
                seq: 0,
                hash: Some(Digest::ZERO),
            };
            verified.streams += 1;
        }
        // Read anew with each entry: the store may be in use.
        self.end = entry.end;
        let broken = |seq, why: &str| {
            Err(Broken::Entry { stream: entry.stream.clone(), seq, why: why.to_owned() })
        };
        if entry.seq != self.seq + 1 {
            return broken(self.seq + 1, "it is missing");
        }
        let chained = Link {
            prev: self.hash.unwrap_or(Digest::ZERO),
            stream: &entry.stream,
            seq: entry.seq,
            at: entry.at,
            head: &entry.head,
            body_hash: entry.body_hash,
        };
        if chained.hash().ok() != Some(entry.hash) {
            return broken(
                entry.seq,
                "it was changed: its hash does not follow from its content and the entry before",
            );
        }
        match (&entry.body, &entry.salt) {
            (Some(body), Some(salt)) => {
                let salt: Result<[u8; 32], _> = salt.as_slice().try_into();
                if salt.ok().map(|salt| body_hash(&salt, body)) != Some(entry.body_hash) {
                    return broken(entry.seq, "its body was changed");
                }
            }
            (None, None) if entry.body_hash == Digest::ZERO => {}
            (None, None) => verified.erased += 1,
            (Some(_), None) | (None, Some(_)) => {
                return broken(entry.seq, "its body and salt do not belong together");
            }
        }
        self.seq = entry.seq;
        self.hash = Some(entry.hash);
        verified.entries += 1;
        Ok(())
    }

    /// The stream's own row names its last entry.
    fn ends(&self) -> Result<(), Broken> {
        let Some(hash) = self.hash else { return Ok(()) };
        let broken = |seq, why: &str| {
            Err(Broken::Entry { stream: self.stream.clone(), seq, why: why.to_owned() })
        };
        match self.end {
            None => broken(1, "the stream was deleted, its entries are still there"),
            Some((seq, _)) if seq > self.seq => broken(self.seq + 1, "the end was cut off"),
            Some((seq, head)) if seq < self.seq || head != hash => {
                broken(self.seq, "the stream's row does not name it as the newest")
            }
            Some(_) => Ok(()),
        }
    }
}

fn found(mut row: Row) -> Result<((i64, i64), Found), StoreError> {
    let no = row.int("entry.stream")?;
    let seq = row.int("entry.seq")?;
    let at = Millis::new(row.int("entry.at")?);
    let head = row.bytes("entry.head")?;
    let body = row.maybe_bytes("entry.body")?;
    let salt = row.maybe_bytes("entry.salt")?;
    let body_hash = digest(&row.bytes("entry.body_hash")?, "entry.body_hash")?;
    let hash = digest(&row.bytes("entry.hash")?, "entry.hash")?;
    let kind = row.maybe_text("stream.kind")?;
    let id = row.maybe_text("stream.id")?;
    let end_seq = row.maybe_int("stream.seq")?;
    let end_hash = row.maybe_bytes("stream.head")?;
    let (stream, end) = match (kind, id, end_seq, end_hash) {
        (Some(kind), Some(id), Some(end_seq), Some(end_hash)) => {
            let name = stream_name(crate::writer::kind(&kind)?, &id);
            let end_seq = u64::try_from(end_seq).unwrap_or(0);
            (name, Some((end_seq, digest(&end_hash, "stream.head")?)))
        }
        _ => (format!("row {no}"), None),
    };
    let entry = Found {
        stream,
        end,
        seq: u64::try_from(seq).unwrap_or(0),
        at,
        head,
        body,
        salt,
        body_hash,
        hash,
    };
    Ok(((no, seq), entry))
}

/// Everything that a seal has seen must be there as it was.
async fn check_seal(reader: &Reader, entry: &Found) -> Result<(), Broken> {
    let own = |why: String| Broken::Entry { stream: entry.stream.clone(), seq: entry.seq, why };
    let seal: SealHead = serde_json::from_slice(&entry.head)
        .map_err(|error| own(format!("its seal can not be read: {error}")))?;
    // One question a seal; what comes back is what is missing or different.
    let sql = "select w.value ->> 'name', cast(w.value ->> 'seq' as bigint), e.hash, s.no
         from json_each($1) w
         left join stream s on s.kind = w.value ->> 'kind' and s.id = w.value ->> 'id'
         left join entry e on e.stream = s.no and e.seq = cast(w.value ->> 'seq' as bigint)
         where e.hash is null or e.hash <> unhex(w.value ->> 'hash')
         order by coalesce(s.no, 0) limit 1";
    let rows: Vec<Value> = seal
        .heads
        .iter()
        .map(|(name, seq, hash)| {
            let (kind, id) = name.split_once(':').unwrap_or((name, ""));
            json!({"name": name, "kind": kind, "id": id, "seq": seq, "hash": hash})
        })
        .collect();
    let params = params![Value::Array(rows).to_string()];
    let row = reader.pool().row("hold a seal against the store", sql, params).await?;
    let Some(mut row) = row else { return Ok(()) };
    let stream = row.text("name")?;
    let seq = u64::try_from(row.int("seq")?).unwrap_or(0);
    let why = match row.maybe_bytes("entry.hash")? {
        None => format!("the seal {} has seen it, and it is gone", entry.seq),
        Some(_) => format!("the seal {} has seen it with another hash", entry.seq),
    };
    if let Some(no) = row.maybe_int("stream.no")? {
        before(reader, no, seq).await?;
    }
    Err(Broken::Entry { stream, seq, why })
}

/// The store's own stream is walked first: of what its seals have seen, an earlier entry may have
/// been changed too.
async fn before(reader: &Reader, no: i64, seen: u64) -> Result<(), Broken> {
    let (mut walk, mut verified) = (Walk::default(), Verified::default());
    let mut place = (no, 0);
    loop {
        let page = page_after(reader, place).await?;
        let Some((last, _)) = page.last() else { return Ok(()) };
        place = *last;
        for ((stream, _), entry) in page {
            if stream != no || entry.seq > seen {
                return Ok(());
            }
            walk.step(&entry, &mut verified)?;
        }
    }
}

/// A stream whose row names entries of which none is there.
async fn without_entries(reader: &Reader) -> Result<(), Broken> {
    let sql = "select kind, id from stream s where seq > 0
         and not exists (select 1 from entry e where e.stream = s.no) limit 1";
    let row = reader.pool().row("look for emptied streams", sql, Vec::new()).await?;
    let Some(mut row) = row else { return Ok(()) };
    let kind = crate::writer::kind(&row.text("stream.kind")?)?;
    let stream = stream_name(kind, &row.text("stream.id")?);
    Err(Broken::Entry { stream, seq: 1, why: "all its entries are gone".to_owned() })
}
