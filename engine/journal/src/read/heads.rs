//! How far streams have come, without reading their entries.

use std::collections::BTreeSet;

use beistand_core::entry::StreamKind;
use beistand_core::model::{RunId, StoreId};
use serde_json::{Value, json};

use super::Reader;
use crate::error::StoreError;
use crate::sql::{Row, params};
use crate::stream::{Head, Stream};
use crate::writer::digest;

/// How far a run has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunVersion {
    /// Its stream.
    pub stream: Stream,
    /// Its newest entry.
    pub head: Head,
    /// How many runs it called.
    pub children: u64,
}

/// How far everything below a run has come: it only grows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Below {
    /// Runs that it called, and those that they called.
    pub runs: u64,
    /// Their entries, all together.
    pub entries: u64,
}

impl Reader {
    /// The id of the store, as it was opened; it never changes.
    pub const fn store(&self) -> StoreId {
        self.opened.store
    }

    /// The newest entry of a stream, from the row of the stream.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn head(&self, stream: &Stream) -> Result<Head, StoreError> {
        let sql = "select seq, head from stream where no = $1";
        let row = self.pool().row("read the head of a stream", sql, params![stream.no]).await?;
        row.map_or(Ok(Head::START), |mut row| head(&mut row))
    }

    /// How far a run has come; nothing where there is none. Two rows by their index: cheap enough to
    /// be asked before every answer from memory.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn run_version(&self, run: RunId) -> Result<Option<RunVersion>, StoreError> {
        let sql = "select s.no, s.seq, s.head, (select count(*) from run c where c.parent = $1)
             from stream s where s.kind = 'run' and s.id = $1";
        let id = run.to_string();
        let row = self.pool().row("ask how far a run has come", sql, params![id.as_str()]).await?;
        row.map(|mut row| {
            let stream = Stream::new(row.int("stream.no")?, StreamKind::Run, &id);
            let head = head(&mut row)?;
            let children = count(row.int("run.parent")?);
            Ok(RunVersion { stream, head, children })
        })
        .transpose()
    }

    /// How far everything below a run has come, level by level: each is found by an index, which one
    /// statement over all levels could not use on PostgreSQL, where the columns of ids differ in
    /// their collation.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn below(&self, run: RunId) -> Result<Below, StoreError> {
        let of = "select id from run where parent in (select w.value ->> 'w' from json_each($1) w)";
        let sum = "select cast(coalesce(sum(seq), 0) as bigint) from stream where kind = 'run'
             and id in (select w.value ->> 'w' from json_each($1) w)";
        let mut below = Below::default();
        let mut known = BTreeSet::from([run.to_string()]);
        let mut level = vec![run.to_string()];
        while !level.is_empty() {
            let rows = self.pool().rows("list the runs below", of, params![words(&level)]).await?;
            let mut next = Vec::with_capacity(rows.len());
            for mut row in rows {
                let id = row.text("run.id")?;
                if known.insert(id.clone()) {
                    next.push(id);
                }
            }
            level = next;
            if level.is_empty() {
                break;
            }
            let row = self.pool().row("count their entries", sum, params![words(&level)]).await?;
            let entries = row.map(|mut row| row.int("stream.seq")).transpose()?.unwrap_or(0);
            below.runs += level.len() as u64;
            below.entries += count(entries);
        }
        Ok(below)
    }
}

fn head(row: &mut Row) -> Result<Head, StoreError> {
    let seq = count(row.int("stream.seq")?);
    Ok(Head { seq, hash: digest(&row.bytes("stream.head")?, "stream.head")? })
}

fn count(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

/// Words as rows of a parameter.
fn words(words: &[String]) -> String {
    words.iter().map(|word| json!({ "w": word })).collect::<Value>().to_string()
}
