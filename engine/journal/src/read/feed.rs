//! What was written since: entries of all streams in the order in which they became true.
//!
//! That order is the number of the row. One process owns a store and writes through one connection,
//! one transaction after the other: SQLite lets no two write, and on PostgreSQL the writer's session
//! holds an advisory lock that is given back only after its last transaction has ended. A number is
//! taken inside of its transaction, and the next transaction begins after it was committed; so
//! nothing that is committed later can have a smaller number, and whoever has read up to a number
//! has read everything before it. It needs no lag, which would delay every watcher, and no horizon
//! of open transactions, which a stranger's long one on the same server would hold up.

use beistand_core::entry::StreamKind;
use beistand_core::model::Millis;

use super::Reader;
use crate::error::StoreError;
use crate::sql::{Row, params};
use crate::stream::Stream;
use crate::writer::kind;

/// An entry as the feed has it: without its values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fed {
    /// Where the feed goes on after it: rises, with gaps.
    pub no: i64,
    /// What it belongs to.
    pub kind: StreamKind,
    /// The public id of that.
    pub id: String,
    /// From 1 in its stream.
    pub seq: u64,
    /// When it was decided.
    pub at: Millis,
    /// Kinds, paths, keys, digests, actor, organisation.
    pub head: Vec<u8>,
}

impl Reader {
    /// Entries after this number, of one stream or of all, at most `limit`.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn feed(
        &self,
        after: i64,
        stream: Option<&Stream>,
        limit: u32,
    ) -> Result<Vec<Fed>, StoreError> {
        let all = "select e.no, s.kind, s.id, e.seq, e.at, e.head from entry e
             join stream s on s.no = e.stream where e.no > $1 order by e.no limit $2";
        // In a stream the number rises with the place, which has an index.
        let one = "select e.no, s.kind, s.id, e.seq, e.at, e.head from entry e
             join stream s on s.no = e.stream where e.no > $1 and e.stream = $3
             order by e.seq limit $2";
        let limit = i64::from(limit);
        let rows = match stream {
            None => self.pool().rows("read what was written", all, params![after, limit]).await?,
            Some(stream) => {
                let params = params![after, limit, stream.no];
                self.pool().rows("read what was written", one, params).await?
            }
        };
        rows.into_iter().map(fed).collect()
    }

    /// The number of the newest entry; 0 where there is none.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn feed_end(&self) -> Result<i64, StoreError> {
        let sql = "select coalesce(max(no), 0) from entry";
        let row = self.pool().row("find the newest entry", sql, Vec::new()).await?;
        Ok(row.map(|mut row| row.int("entry.no")).transpose()?.unwrap_or(0))
    }
}

fn fed(mut row: Row) -> Result<Fed, StoreError> {
    let no = row.int("entry.no")?;
    Ok(Fed {
        no,
        kind: kind(&row.text("stream.kind")?)?,
        id: row.text("stream.id")?,
        seq: u64::try_from(row.int("entry.seq")?).unwrap_or(0),
        at: Millis::new(row.int("entry.at")?),
        head: row.bytes("entry.head")?,
    })
}
