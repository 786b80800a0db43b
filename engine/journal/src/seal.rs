//! Seals: one entry over all changed heads, and the witness outside the database.
//!
//! What was changed after the newest seal that somebody keeps outside is not found; what was
//! changed before it is.

use std::path::{Path, PathBuf};

use beistand_core::model::{Digest, Millis, StoreId};
use rustix::fs::{Access, access};
use serde::{Deserialize, Serialize};

use crate::error::{OpenError, StoreError};
use crate::lock::beside;
use crate::place::Place;
use crate::space::replace;
use crate::sql::{Connection, params};
use crate::stream::{Head, Stream};
use crate::table::Meta;
use crate::writer::digest;

/// A seal, as it is printed and given away.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seal {
    /// Its number in the store's stream.
    pub seq: u64,
    /// When.
    pub at: Millis,
    /// Its hash: what goes on paper.
    pub hash: Digest,
}

/// How an entry's head begins if it is a seal.
pub(crate) const SEAL: &[u8] = br#"{"kind":"sealed""#;
/// How the last entry of a seal begins: a seal over very many streams takes several.
pub(crate) const SEAL_END: &[u8] = br#"{"kind":"sealed","more":false"#;
/// Heads in one entry: about half a megabyte.
const HEADS_MAX: usize = 4000;

/// The newest complete seal: seq, at, hash and the number of its row.
pub(crate) const NEWEST_SEAL: &str = "
    select e.seq, e.at, e.hash, e.no from entry e join stream s on s.no = e.stream
    where s.kind = 'store' and substr(e.head, 1, 29) = $1 order by e.seq desc limit 1";

/// The head of a seal's entry.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct SealHead {
    kind: String,
    more: bool,
    epoch: String,
    /// Stream, seq, hash as 64 hex digits.
    pub(crate) heads: Vec<(String, u64, String)>,
}

/// The heads of the entries that seal these streams; at least one.
pub(crate) fn heads(epoch: &str, heads: &[(&Stream, Head)]) -> Vec<Vec<u8>> {
    let mut chunks: Vec<&[(&Stream, Head)]> = heads.chunks(HEADS_MAX).collect();
    if chunks.is_empty() {
        chunks.push(&[]);
    }
    let last = chunks.len() - 1;
    let sealed = chunks.into_iter().enumerate().map(|(index, chunk)| SealHead {
        kind: "sealed".to_owned(),
        more: index < last,
        epoch: epoch.to_owned(),
        heads: chunk
            .iter()
            .map(|(stream, head)| (stream.name().to_owned(), head.seq, head.hash.hex()))
            .collect(),
    });
    // Texts and numbers always have a JSON form.
    sealed.map(|head| serde_json::to_vec(&head).unwrap_or_default()).collect()
}

/// What the witness file says.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Witness {
    pub(crate) store: StoreId,
    pub(crate) epoch: String,
    pub(crate) seal: Seal,
}

/// Where the newest seal of a store is kept, if nobody says otherwise: beside a SQLite database; for
/// PostgreSQL beside the configuration, named after the database, and nowhere without one.
pub fn witness_of(url: &str, configuration: Option<&Path>) -> Result<Option<PathBuf>, OpenError> {
    match Place::parse(url)? {
        Place::Sqlite(path) => Ok(Some(beside(&path, ".witness"))),
        Place::Postgres { options, .. } => {
            let name = options.get_database().unwrap_or_else(|| options.get_username());
            let is_plain = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_');
            let name: String = name.chars().map(|c| if is_plain(c) { c } else { '_' }).collect();
            Ok(configuration.map(|file| file.with_file_name(format!("{name}.witness"))))
        }
    }
}

/// The seal that a witness has seen, for `verify`'s `expect`: who cut off the newest seals together
/// with what they sealed has not changed this file. `None` where there is no such file yet.
pub fn witnessed(witness: &Path) -> Result<Option<Seal>, OpenError> {
    Ok(read_witness(witness)?.map(|witness| witness.seal))
}

/// A witness that can not be written would be missed only when it is needed: opening says so.
pub(crate) fn check_writable(witness: &Path) -> Result<(), OpenError> {
    let folder = witness.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or_else(|| Path::new("."));
    access(folder, Access::WRITE_OK | Access::EXEC_OK)
        .map_err(|error| OpenError::Witness { path: witness.to_owned(), source: error.into() })
}

pub(crate) fn write_witness(path: &Path, meta: &Meta, seal: &Seal) -> Result<(), StoreError> {
    let witness = Witness { store: meta.store, epoch: meta.epoch.clone(), seal: seal.clone() };
    let failed = |source| StoreError::File { path: path.to_owned(), source };
    let bytes = serde_json::to_vec(&witness).map_err(|error| failed(error.into()))?;
    replace(path, &bytes).map_err(failed)
}

pub(crate) fn read_witness(path: &Path) -> Result<Option<Witness>, OpenError> {
    let failed = |source| OpenError::File { path: path.to_owned(), source };
    match std::fs::read(path) {
        Ok(bytes) => serde_json::from_slice(&bytes).map(Some).map_err(|error| failed(error.into())),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(failed(error)),
    }
}

/// Refuses a store that is older than what the witness has seen.
pub(crate) async fn check_witness(
    connection: &mut Connection,
    path: &Path,
    meta: &Meta,
) -> Result<(), OpenError> {
    let Some(witness) = read_witness(path)? else { return Ok(()) };
    let older = |why: String| OpenError::Older { witness: path.to_owned(), why };
    if witness.store != meta.store {
        return Err(older(format!("it belongs to the store {}", witness.store)));
    }
    if witness.epoch != meta.epoch {
        return Err(older(format!("it has seen the epoch {}", witness.epoch)));
    }
    let sql = "select e.hash from entry e join stream s on s.no = e.stream
         where s.kind = 'store' and e.seq = $1";
    let seq = i64::try_from(witness.seal.seq).unwrap_or(i64::MAX);
    let what = "find the seal that the witness names";
    let row = connection
        .row(sql, params![seq])
        .await
        .map_err(|source| StoreError::Database { what, source })?;
    let hash = row.map(|mut row| digest(&row.bytes("entry.hash")?, "entry.hash")).transpose()?;
    match hash {
        Some(hash) if hash == witness.seal.hash => Ok(()),
        Some(_) => Err(older(format!("its seal {} has another hash here", witness.seal.seq))),
        None => {
            Err(older(format!("it has seen the seal {} of {}", witness.seal.seq, witness.seal.at)))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_witness_stands_beside_the_database_or_beside_the_configuration() {
        let of = |url, file: Option<&str>| witness_of(url, file.map(Path::new)).unwrap();
        let file = Some("/etc/beistand/beistand.yaml");
        assert_eq!(of("sqlite:/var/b.db", None), Some("/var/b.db.witness".into()));
        assert_eq!(of("sqlite:/var/b.db", file), Some("/var/b.db.witness".into()));
        let postgres = "postgres://me:secret@db.example/night";
        assert_eq!(of(postgres, file), Some("/etc/beistand/night.witness".into()));
        assert_eq!(of(postgres, None), None);
        let odd = "postgres://me@db.example/..%2Fup";
        assert_eq!(of(odd, file), Some("/etc/beistand/___up.witness".into()));
    }
}
