//! The hot write on SQLite: one query string, one hop to the connection's thread.
//!
//! Rows do not travel as JSON: taking numbers out of JSON cost a third of the write. Each row is a
//! record of [`RECORD`] bytes in one blob, numbers as digits, hashes as they are; heads and bodies
//! are pieces of a second blob. `json_each` only counts the rows.

use std::io::Write as _;

use futures_util::TryStreamExt as _;
use sqlx::{Either, Executor as _, Row as _, SqliteConnection};

use crate::chain::Write;
use crate::sql::Failure;

/// Ten numbers of 16 digits, the hash before and the hash after.
const RECORD: usize = 224;

// A number of the record, by its place; a blob is cast by way of its text.
macro_rules! number {
    ($place:literal) => {
        concat!("cast(substr($2, w.key * 224 + ", $place, ", 16) as integer)")
    };
}

macro_rules! write_sql {
    ($begin:literal, $commit:literal) => {
        concat!(
            $begin,
            // $1: as many elements as rows; $2: the records; $3: head, body, salt, body hash of each.
            "update stream set seq = seq + 1, head = substr($2, w.key * 224 + 193, 32),
                 fence = fence + ", number!(49), ",
                 owner = case ", number!(49), " when 0 then owner end,
                 due = case when ", number!(49), " = 0 or substr($2, w.key * 224 + 65, 1) = x'2d' then due
                     else min(coalesce(due, ", number!(65), "), ", number!(65), ") end
             from json_each($1) as w
             where stream.no = ", number!(1), " and stream.fence = ", number!(17), "
                 and stream.seq = ", number!(33), "
                 and stream.head = substr($2, w.key * 224 + 161, 32)
                 and (", number!(81), " = 0
                     or not exists (select 1 from meta where stopped_at is not null));
             insert into entry (stream, seq, at, head, body, salt, body_hash, hash)
             select s.no, s.seq, ", number!(97), ",
                 substr($3, ", number!(113), ", ", number!(129), "),
                 case when ", number!(145), " >= 0 then substr($3, ", number!(113), " + ", number!(129), ", ", number!(145), ") end,
                 case when ", number!(145), " >= 0 then substr($3, ", number!(113), " + ", number!(129), " + ", number!(145), ", 32) end,
                 substr($3, ", number!(113), " + ", number!(129), " + max(", number!(145), " + 32, 0), 32),
                 s.head
             from json_each($1) w cross join stream s
             where s.no = ", number!(1), " and s.head = substr($2, w.key * 224 + 193, 32)
             returning stream;\n",
            $commit
        )
    };
}

/// A whole transaction.
pub(super) const BATCH: &str = write_sql!("begin immediate;\n", "commit");
/// Inside one.
pub(super) const WRITE: &str = write_sql!("", "");

pub(super) async fn write(
    connection: &mut SqliteConnection,
    sql: &'static str,
    writes: &[Write<'_>],
) -> Result<Vec<i64>, Failure> {
    let (records, bytes) = packed(writes)?;
    let mut count = String::with_capacity(writes.len() * 2 + 2);
    count.push('[');
    count.extend(std::iter::repeat_n("0,", writes.len().saturating_sub(1)));
    count.push_str("0]");
    let mut written = Vec::with_capacity(writes.len());
    let query = sqlx::query(sql).bind(count).bind(records).bind(bytes);
    let mut results = connection.fetch_many(query);
    while let Some(result) = results.try_next().await? {
        if let Either::Right(row) = result {
            written.push(row.try_get_unchecked::<i64, _>(0)?);
        }
    }
    Ok(written)
}

/// Records and pieces. A row without a body says −32 for its length: no body, no salt.
fn packed(writes: &[Write<'_>]) -> Result<(Vec<u8>, Vec<u8>), Failure> {
    let mut records = Vec::with_capacity(writes.len() * RECORD);
    let room = writes.iter().map(|write| write.content.len() + 64).sum();
    let mut bytes = Vec::with_capacity(room);
    let failed = |error: std::io::Error| Failure::Bad(error.to_string());
    for write in writes {
        let content = write.content;
        let place = bytes.len() + 1; // substr counts from 1
        let body = content.body.as_deref();
        let body_len = body.map_or(-32, |body| i64::try_from(body.len()).unwrap_or(i64::MAX));
        let head_len = content.head.len();
        // Sixteen digits hold every instant and every count of this machine.
        write!(
            records,
            "{:016}{:016}{:016}{:016}",
            write.stream,
            write.fence,
            write.prev.seq,
            write.released()
        )
        .map_err(failed)?;
        match write.due() {
            Some(due) => write!(records, "{due:016}").map_err(failed)?,
            None => write!(records, "{:<16}", '-').map_err(failed)?,
        }
        write!(records, "{:016}{:016}", write.gated(), content.at.get()).map_err(failed)?;
        write!(records, "{place:016}{head_len:016}{body_len:016}").map_err(failed)?;
        records.extend_from_slice(write.prev.hash.as_bytes());
        records.extend_from_slice(write.new.hash.as_bytes());
        bytes.extend_from_slice(&content.head);
        bytes.extend_from_slice(body.unwrap_or_default());
        if let Some(salt) = &content.salt {
            bytes.extend_from_slice(salt);
        }
        bytes.extend_from_slice(content.body_hash.as_bytes());
    }
    if records.len() != writes.len() * RECORD {
        return Err(Failure::Bad("a number has more than sixteen digits".to_owned()));
    }
    Ok((records, bytes))
}
