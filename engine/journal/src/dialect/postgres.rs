//! The hot write on PostgreSQL: one statement, one round trip, committed by itself.

use sqlx::{PgConnection, Row as _};

use super::Transaction;
use crate::chain::Write;
use crate::sql::{Failure, Statement, bind};

const WRITE: &str = "
    with w as (
        select * from unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[],
            $6::bigint[], $7::bigint[], $8::bytea[], $9::bytea[], $10::bytea[], $11::bytea[],
            $12::bytea[], $13::bytea[])
            as w (no, fence, seq, released, due, gated, at, prev, hash, head, body, salt, body_hash)
    ), moved as (
        update stream set seq = w.seq, head = w.hash, fence = stream.fence + w.released,
            owner = case w.released when 0 then owner end,
            due = case w.released when 0 then stream.due else least(stream.due, w.due) end
        from w
        where stream.no = w.no and stream.fence = w.fence and stream.seq = w.seq - 1
            and stream.head = w.prev
            and (w.gated = 0 or not exists (select 1 from meta where stopped_at is not null))
        returning stream.no
    )
    insert into entry (stream, seq, at, head, body, salt, body_hash, hash)
    select w.no, w.seq, w.at, w.head, w.body, w.salt, w.body_hash, w.hash
    from w join moved on moved.no = w.no order by w.no
    returning stream";

/// One statement commits by itself.
pub(super) async fn commit(
    connection: &mut PgConnection,
    transaction: Transaction<'_>,
) -> Result<Vec<i64>, Failure> {
    let Transaction { begun, before, writes, after } = transaction;
    if !begun && before.is_empty() && after.is_empty() {
        return write(connection, writes).await;
    }
    if !begun {
        sqlx::raw_sql(super::POSTGRES.begin).execute(&mut *connection).await?;
    }
    for Statement { sql, params } in before {
        bind!(sql, params).execute(&mut *connection).await?;
    }
    let written = match writes {
        [] => Vec::new(),
        writes => write(connection, writes).await?,
    };
    for Statement { sql, params } in after {
        bind!(sql, params).execute(&mut *connection).await?;
    }
    sqlx::raw_sql("commit").execute(connection).await?;
    Ok(written)
}

async fn write(connection: &mut PgConnection, writes: &[Write<'_>]) -> Result<Vec<i64>, Failure> {
    let ints = |of: for<'w> fn(&Write<'w>) -> i64| writes.iter().map(of).collect::<Vec<i64>>();
    let bytes = |of: fn(&Write<'_>) -> Vec<u8>| writes.iter().map(of).collect::<Vec<Vec<u8>>>();
    let dues: Vec<Option<i64>> = writes.iter().map(Write::due).collect();
    let bodies: Vec<Option<&[u8]>> = writes.iter().map(|w| w.content.body.as_deref()).collect();
    let salts: Vec<Option<&[u8]>> =
        writes.iter().map(|w| w.content.salt.as_ref().map(|salt| &salt[..])).collect();
    let rows = sqlx::query(WRITE)
        .bind(ints(|w| w.stream))
        .bind(ints(|w| w.fence))
        .bind(ints(|w| i64::try_from(w.new.seq).unwrap_or(i64::MAX)))
        .bind(ints(|w| w.released()))
        .bind(dues)
        .bind(ints(|w| w.gated()))
        .bind(ints(|w| w.content.at.get()))
        .bind(bytes(|w| w.prev.hash.as_bytes().to_vec()))
        .bind(bytes(|w| w.new.hash.as_bytes().to_vec()))
        .bind(bytes(|w| w.content.head.clone()))
        .bind(bodies)
        .bind(salts)
        .bind(bytes(|w| w.content.body_hash.as_bytes().to_vec()))
        .fetch_all(connection)
        .await?;
    rows.iter().map(|row| row.try_get_unchecked::<i64, _>(0).map_err(Failure::from)).collect()
}
