//! What differs between SQLite and PostgreSQL; everything else is the same text.

mod postgres;
mod sqlite;

use crate::chain::Write;
use crate::sql::{Connection, Failure, Statement};

/// The statements that are not the same text on both stores.
#[derive(Debug)]
pub(crate) struct Dialect {
    /// Begins a transaction that will write.
    pub(crate) begin: &'static str,
    /// Takes streams that are due: now, owner, limit.
    pub(crate) claim: &'static str,
    /// The first of a block of stream numbers.
    pub(crate) stream_number: &'static str,
    /// How many numbers the block has.
    pub(crate) stream_block: i64,
    /// How many tables there are, and how many of them are `migration`.
    pub(crate) tables: &'static str,
}

/// Of the embedded store.
pub(crate) const SQLITE: Dialect = Dialect {
    // A deferred transaction that turns into a writing one gets SQLITE_BUSY at once.
    begin: "begin immediate",
    claim: "update stream set owner = $2, fence = fence + 1, due = null where no in (
            select no from stream where owner is null and due is not null and due <= $1
            order by due limit $3)
        returning no, kind, id, fence, seq, head",
    // One process writes: it counts on from here by itself.
    stream_number: "select coalesce(max(no), 0) + 1 from stream",
    stream_block: i64::MAX,
    tables: "select count(*), count(case when name = 'migration' then 1 end) from sqlite_schema
        where type = 'table' and name not like 'sqlite_%'",
};

/// Of PostgreSQL.
pub(crate) const POSTGRES: Dialect = Dialect {
    begin: "begin",
    claim: "update stream set owner = $2, fence = fence + 1, due = null where no in (
            select no from stream where owner is null and due is not null and due <= $1
            order by due limit $3 for update skip locked)
        returning no, kind, id, fence, seq, head",
    stream_number: "select nextval('stream_number')",
    stream_block: 64,
    tables: "select count(*), count(case when table_name = 'migration' then 1 end)
        from information_schema.tables where table_schema = current_schema()",
};

impl Connection {
    /// What is different here.
    pub(crate) const fn dialect(&self) -> &'static Dialect {
        match self {
            Self::Sqlite(_) => &SQLITE,
            Self::Postgres(_) => &POSTGRES,
        }
    }

    /// Makes this the writer's connection: on SQLite, an entry moves its stream by a trigger.
    pub(crate) async fn made_writer(&mut self) -> Result<(), sqlx::Error> {
        match self {
            Self::Sqlite(_) => self.script(sqlite::MOVES).await,
            Self::Postgres(_) => Ok(()),
        }
    }

    /// Does all of a transaction and commits it. Answers the streams whose entry was written; the
    /// others were not ours any more, or were held back.
    pub(crate) async fn commit(
        &mut self,
        transaction: Transaction<'_>,
    ) -> Result<Vec<i64>, Failure> {
        match self {
            Self::Sqlite(connection) => sqlite::commit(connection, transaction).await,
            Self::Postgres(connection) => postgres::commit(connection, transaction).await,
        }
    }
}

/// What is done in one transaction.
#[derive(Debug)]
pub(crate) struct Transaction<'a> {
    /// Whether it has begun already: something was asked in it.
    pub(crate) begun: bool,
    pub(crate) before: Vec<Statement>,
    pub(crate) writes: &'a [Write<'a>],
    pub(crate) after: Vec<Statement>,
}
