//! The hot write on SQLite: one query string, one hop to the connection's thread.
//!
//! The numbers of all rows go as one JSON text, all bytes as two blobs out of which each row cuts
//! its pieces: heads and hashes are never turned into hex or quoted.

use std::fmt::Write as _;

use futures_util::TryStreamExt as _;
use sqlx::{Either, Row as _, SqliteConnection};

use crate::chain::Write;
use crate::sql::Failure;

macro_rules! write_sql {
    ($begin:literal, $commit:literal) => {
        concat!(
            $begin,
            // $1: [[stream, fence, seq, released, due, gated, at, place, head, body, salt], ..];
            // $2: before and after hash of each row, 64 bytes; $3: head, body, salt, body hash.
            "update stream set seq = w.seq, head = w.hash, fence = stream.fence + w.released,
                 owner = case w.released when 0 then owner end,
                 due = case when w.released = 0 or w.due is null then stream.due
                     else min(coalesce(stream.due, w.due), w.due) end
             from (select value ->> 0 as no, value ->> 1 as fence, value ->> 2 as seq,
                     value ->> 3 as released, value ->> 4 as due, value ->> 5 as gated,
                     substr($2, key * 64 + 1, 32) as prev, substr($2, key * 64 + 33, 32) as hash
                   from json_each($1)) as w
             where stream.no = w.no and stream.fence = w.fence and stream.seq = w.seq - 1
                 and stream.head = w.prev
                 and (w.gated = 0 or not exists (select 1 from meta where stopped_at is not null));
             insert into entry (stream, seq, at, head, body, salt, body_hash, hash)
             select s.no, s.seq, w.value ->> 6, substr($3, w.value ->> 7, w.value ->> 8),
                 case when w.value ->> 10 > 0 then substr($3, (w.value ->> 7) + (w.value ->> 8), w.value ->> 9) end,
                 case when w.value ->> 10 > 0 then substr($3, (w.value ->> 7) + (w.value ->> 8) + (w.value ->> 9), 32) end,
                 substr($3, (w.value ->> 7) + (w.value ->> 8) + (w.value ->> 9) + (w.value ->> 10), 32),
                 s.head
             from json_each($1) w cross join stream s
             where s.no = w.value ->> 0 and s.head = substr($2, w.key * 64 + 33, 32)
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
    let (numbers, hashes, bytes) = packed(writes);
    let mut written = Vec::with_capacity(writes.len());
    let mut results =
        sqlx::query(sql).bind(numbers).bind(hashes).bind(bytes).fetch_many(connection);
    while let Some(result) = results.try_next().await? {
        if let Either::Right(row) = result {
            written.push(row.try_get_unchecked::<i64, _>(0)?);
        }
    }
    Ok(written)
}

fn packed(writes: &[Write<'_>]) -> (String, Vec<u8>, Vec<u8>) {
    let mut numbers = String::with_capacity(writes.len() * 96);
    let mut hashes = Vec::with_capacity(writes.len() * 64);
    let mut bytes =
        Vec::with_capacity(writes.iter().map(|write| write.content.len() + 64).sum::<usize>());
    numbers.push('[');
    for write in writes {
        let content = write.content;
        let place = bytes.len() + 1; // substr counts from 1
        let body = content.body.as_deref().unwrap_or_default();
        let salt = content.salt.as_ref().map_or(&[][..], |salt| salt);
        if numbers.len() > 1 {
            numbers.push(',');
        }
        let due = write.due().map_or_else(|| "null".to_owned(), |due| due.to_string());
        // Writing into a String can not fail.
        let _: std::fmt::Result = write!(
            numbers,
            "[{},{},{},{},{due},{},{},{place},{},{},{}]",
            write.stream,
            write.fence,
            write.new.seq,
            write.released(),
            write.gated(),
            content.at.get(),
            content.head.len(),
            body.len(),
            salt.len(),
        );
        hashes.extend_from_slice(write.prev.hash.as_bytes());
        hashes.extend_from_slice(write.new.hash.as_bytes());
        bytes.extend_from_slice(&content.head);
        bytes.extend_from_slice(body);
        bytes.extend_from_slice(salt);
        bytes.extend_from_slice(content.body_hash.as_bytes());
    }
    numbers.push(']');
    (numbers, hashes, bytes)
}
