//! The seam to sqlx: one shape of parameters and rows for both stores.
//!
//! Statements are `&'static str` and the same text on both; what differs stands in
//! [`crate::dialect`].

use sqlx::postgres::{PgConnection, PgPool, PgRow};
use sqlx::sqlite::{SqliteConnection, SqlitePool, SqliteRow};
use sqlx::{Column as _, Connection as _, Row as _, TypeInfo as _, ValueRef as _};

use std::sync::Arc;

use tokio::sync::Mutex;

use crate::error::StoreError;

/// A bound value.
#[derive(Debug, Clone)]
pub(crate) enum Param {
    Int(Option<i64>),
    Text(Option<String>),
    Bytes(Option<Vec<u8>>),
    /// Of whatever type the column is: only for copies.
    Null,
}

/// A null of no type.
pub(crate) struct Untyped;

impl sqlx::Encode<'_, sqlx::Sqlite> for Untyped {
    fn encode_by_ref(
        &self,
        _: &mut <sqlx::Sqlite as sqlx::Database>::ArgumentBuffer,
    ) -> Result<sqlx::encode::IsNull, sqlx::error::BoxDynError> {
        Ok(sqlx::encode::IsNull::Yes)
    }
}
impl sqlx::Type<sqlx::Sqlite> for Untyped {
    fn type_info() -> sqlx::sqlite::SqliteTypeInfo {
        <i64 as sqlx::Type<sqlx::Sqlite>>::type_info()
    }
}
impl sqlx::Encode<'_, sqlx::Postgres> for Untyped {
    fn encode_by_ref(
        &self,
        _: &mut sqlx::postgres::PgArgumentBuffer,
    ) -> Result<sqlx::encode::IsNull, sqlx::error::BoxDynError> {
        Ok(sqlx::encode::IsNull::Yes)
    }
}
impl sqlx::Type<sqlx::Postgres> for Untyped {
    fn type_info() -> sqlx::postgres::PgTypeInfo {
        // OID 0: the server takes the column's own type.
        sqlx::postgres::PgTypeInfo::with_oid(sqlx::postgres::types::Oid(0))
    }
}

impl From<i64> for Param {
    fn from(value: i64) -> Self {
        Self::Int(Some(value))
    }
}
impl From<Option<i64>> for Param {
    fn from(value: Option<i64>) -> Self {
        Self::Int(value)
    }
}
impl From<&str> for Param {
    fn from(value: &str) -> Self {
        Self::Text(Some(value.to_owned()))
    }
}
impl From<String> for Param {
    fn from(value: String) -> Self {
        Self::Text(Some(value))
    }
}
impl From<Option<String>> for Param {
    fn from(value: Option<String>) -> Self {
        Self::Text(value)
    }
}
impl From<&[u8]> for Param {
    fn from(value: &[u8]) -> Self {
        Self::Bytes(Some(value.to_vec()))
    }
}
impl From<Vec<u8>> for Param {
    fn from(value: Vec<u8>) -> Self {
        Self::Bytes(Some(value))
    }
}

/// A statement with its values: `$1` is the first of them.
#[derive(Debug)]
pub(crate) struct Statement {
    pub(crate) sql: &'static str,
    pub(crate) params: Vec<Param>,
}

/// Parameters from values of different types.
macro_rules! params {
    ($($value:expr),* $(,)?) => { vec![$($crate::sql::Param::from($value)),*] };
}
pub(crate) use params;

/// A value of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Cell {
    Null,
    Int(i64),
    Text(String),
    Bytes(Vec<u8>),
}

/// A row, read from left to right.
#[derive(Debug)]
pub(crate) struct Row(std::vec::IntoIter<Cell>);

impl Row {
    pub(crate) fn cells(self) -> Vec<Cell> {
        self.0.collect()
    }
    pub(crate) fn maybe_int(&mut self, what: &'static str) -> Result<Option<i64>, StoreError> {
        match self.0.next() {
            Some(Cell::Int(value)) => Ok(Some(value)),
            Some(Cell::Null) => Ok(None),
            other @ (Some(Cell::Text(_) | Cell::Bytes(_)) | None) => {
                Err(damaged(what, other.as_ref()))
            }
        }
    }
    pub(crate) fn maybe_text(&mut self, what: &'static str) -> Result<Option<String>, StoreError> {
        match self.0.next() {
            Some(Cell::Text(value)) => Ok(Some(value)),
            Some(Cell::Null) => Ok(None),
            other @ (Some(Cell::Int(_) | Cell::Bytes(_)) | None) => {
                Err(damaged(what, other.as_ref()))
            }
        }
    }
    pub(crate) fn maybe_bytes(
        &mut self,
        what: &'static str,
    ) -> Result<Option<Vec<u8>>, StoreError> {
        match self.0.next() {
            Some(Cell::Bytes(value)) => Ok(Some(value)),
            Some(Cell::Null) => Ok(None),
            other @ (Some(Cell::Int(_) | Cell::Text(_)) | None) => {
                Err(damaged(what, other.as_ref()))
            }
        }
    }
    pub(crate) fn int(&mut self, what: &'static str) -> Result<i64, StoreError> {
        self.maybe_int(what)?.ok_or_else(|| missing(what))
    }
    pub(crate) fn text(&mut self, what: &'static str) -> Result<String, StoreError> {
        self.maybe_text(what)?.ok_or_else(|| missing(what))
    }
    pub(crate) fn bytes(&mut self, what: &'static str) -> Result<Vec<u8>, StoreError> {
        self.maybe_bytes(what)?.ok_or_else(|| missing(what))
    }
    /// Text that has a form of its own.
    pub(crate) fn parse<T: std::str::FromStr>(
        &mut self,
        what: &'static str,
    ) -> Result<T, StoreError>
    where
        T::Err: std::fmt::Display,
    {
        parsed(&self.text(what)?, what)
    }
    pub(crate) fn maybe_parse<T: std::str::FromStr>(
        &mut self,
        what: &'static str,
    ) -> Result<Option<T>, StoreError>
    where
        T::Err: std::fmt::Display,
    {
        self.maybe_text(what)?.map(|text| parsed(&text, what)).transpose()
    }
}

fn parsed<T: std::str::FromStr>(text: &str, what: &'static str) -> Result<T, StoreError>
where
    T::Err: std::fmt::Display,
{
    text.parse().map_err(|error: T::Err| StoreError::Damaged { what, why: error.to_string() })
}

fn damaged(what: &'static str, found: Option<&Cell>) -> StoreError {
    let why = match found {
        Some(Cell::Null) => "it is null",
        Some(Cell::Int(_)) => "it is a number",
        Some(Cell::Text(_)) => "it is a text",
        Some(Cell::Bytes(_)) => "it is bytes",
        None => "the column is missing",
    };
    StoreError::Damaged { what, why: why.to_owned() }
}

fn missing(what: &'static str) -> StoreError {
    StoreError::Damaged { what, why: "it is null".to_owned() }
}

/// One connection of either store.
#[derive(Debug)]
pub(crate) enum Connection {
    Sqlite(Box<SqliteConnection>),
    Postgres(Box<PgConnection>),
}

/// Read-only connections of either store.
#[derive(Debug, Clone)]
pub(crate) enum Pool {
    Sqlite(SqlitePool),
    Postgres(PgPool),
    /// One connection inside of a transaction: all answers are of one state of the store.
    Steady(Arc<Mutex<Connection>>),
}

macro_rules! bind {
    ($sql:expr, $params:expr) => {{
        let mut query = sqlx::query($sql);
        for param in $params {
            query = match param {
                $crate::sql::Param::Int(value) => query.bind(value),
                $crate::sql::Param::Text(value) => query.bind(value),
                $crate::sql::Param::Bytes(value) => query.bind(value),
                $crate::sql::Param::Null => query.bind($crate::sql::Untyped),
            };
        }
        query
    }};
}
pub(crate) use bind;

impl Connection {
    /// All rows of one statement.
    pub(crate) async fn rows(
        &mut self,
        sql: &'static str,
        params: Vec<Param>,
    ) -> Result<Vec<Row>, sqlx::Error> {
        match self {
            Self::Sqlite(connection) => bind!(sql, params)
                .fetch_all(&mut **connection)
                .await?
                .iter()
                .map(sqlite_row)
                .collect(),
            Self::Postgres(connection) => bind!(sql, params)
                .fetch_all(&mut **connection)
                .await?
                .iter()
                .map(postgres_row)
                .collect(),
        }
    }
    /// The first row, if there is one.
    pub(crate) async fn row(
        &mut self,
        sql: &'static str,
        params: Vec<Param>,
    ) -> Result<Option<Row>, sqlx::Error> {
        Ok(self.rows(sql, params).await?.into_iter().next())
    }
    /// A statement for its effect; how many rows it changed.
    pub(crate) async fn execute(
        &mut self,
        sql: &'static str,
        params: Vec<Param>,
    ) -> Result<u64, sqlx::Error> {
        Ok(match self {
            Self::Sqlite(connection) => {
                bind!(sql, params).execute(&mut **connection).await?.rows_affected()
            }
            Self::Postgres(connection) => {
                bind!(sql, params).execute(&mut **connection).await?.rows_affected()
            }
        })
    }
    /// Statements without parameters, several at once: migrations, `begin`, `commit`.
    pub(crate) async fn script(&mut self, sql: &'static str) -> Result<(), sqlx::Error> {
        match self {
            Self::Sqlite(connection) => {
                sqlx::raw_sql(sql).execute(&mut **connection).await?;
            }
            Self::Postgres(connection) => {
                sqlx::raw_sql(sql).execute(&mut **connection).await?;
            }
        }
        Ok(())
    }
    /// The statement that begins a transaction which sees one state of the store.
    pub(crate) const fn begins(&self) -> &'static str {
        match self {
            Self::Sqlite(_) => "begin",
            Self::Postgres(_) => "begin isolation level repeatable read read only",
        }
    }
    /// Closes it in order: SQLite writes back its log with the last connection; PostgreSQL gives the
    /// session's locks back now, and not when its process has noticed that nobody is there any more.
    pub(crate) async fn close(self) -> Result<(), sqlx::Error> {
        match self {
            Self::Sqlite(connection) => connection.close().await,
            Self::Postgres(mut connection) => {
                let unlock = sqlx::query("select pg_advisory_unlock_all()");
                let unlocked = unlock.execute(connection.as_mut()).await;
                // Also where that failed: its end gives the locks back too, only later.
                connection.close().await?;
                unlocked.map(drop)
            }
        }
    }
}

impl Pool {
    pub(crate) async fn rows(
        &self,
        what: &'static str,
        sql: &'static str,
        params: Vec<Param>,
    ) -> Result<Vec<Row>, StoreError> {
        let rows: Result<Vec<Row>, sqlx::Error> = match self {
            Self::Sqlite(pool) => bind!(sql, params)
                .fetch_all(pool)
                .await
                .and_then(|rows| rows.iter().map(sqlite_row).collect()),
            Self::Postgres(pool) => bind!(sql, params)
                .fetch_all(pool)
                .await
                .and_then(|rows| rows.iter().map(postgres_row).collect()),
            Self::Steady(connection) => connection.lock().await.rows(sql, params).await,
        };
        rows.map_err(|source| StoreError::Database { what, source })
    }
    /// A connection of one's own, outside of the pool.
    pub(crate) async fn own(&self) -> Result<Connection, sqlx::Error> {
        match self {
            Self::Sqlite(pool) => Ok(Connection::Sqlite(Box::new(pool.acquire().await?.detach()))),
            Self::Postgres(pool) => {
                Ok(Connection::Postgres(Box::new(pool.acquire().await?.detach())))
            }
            Self::Steady(_) => Err(sqlx::Error::PoolClosed),
        }
    }
    pub(crate) async fn row(
        &self,
        what: &'static str,
        sql: &'static str,
        params: Vec<Param>,
    ) -> Result<Option<Row>, StoreError> {
        Ok(self.rows(what, sql, params).await?.into_iter().next())
    }
    pub(crate) async fn close(&self) {
        match self {
            Self::Sqlite(pool) => pool.close().await,
            Self::Postgres(pool) => pool.close().await,
            // It ends with its last reader.
            Self::Steady(_) => {}
        }
    }
}

pub(crate) fn sqlite_row(row: &SqliteRow) -> Result<Row, sqlx::Error> {
    let mut cells = Vec::with_capacity(row.columns().len());
    for column in row.columns() {
        let at = column.ordinal();
        let raw = row.try_get_raw(at)?;
        cells.push(if raw.is_null() {
            Cell::Null
        } else {
            match raw.type_info().name() {
                "INTEGER" | "BOOLEAN" => Cell::Int(row.try_get_unchecked(at)?),
                "TEXT" => Cell::Text(row.try_get_unchecked(at)?),
                "BLOB" => Cell::Bytes(row.try_get_unchecked(at)?),
                other => return Err(odd_type(column.name(), other)),
            }
        });
    }
    Ok(Row(cells.into_iter()))
}

pub(crate) fn postgres_row(row: &PgRow) -> Result<Row, sqlx::Error> {
    let mut cells = Vec::with_capacity(row.columns().len());
    for column in row.columns() {
        let at = column.ordinal();
        let raw = row.try_get_raw(at)?;
        cells.push(if raw.is_null() {
            Cell::Null
        } else {
            match raw.type_info().name() {
                "INT8" => Cell::Int(row.try_get_unchecked(at)?),
                "INT4" => Cell::Int(i64::from(row.try_get_unchecked::<i32, _>(at)?)),
                "BOOL" => Cell::Int(i64::from(row.try_get_unchecked::<bool, _>(at)?)),
                "TEXT" | "VARCHAR" | "NAME" => Cell::Text(row.try_get_unchecked(at)?),
                "BYTEA" => Cell::Bytes(row.try_get_unchecked(at)?),
                other => return Err(odd_type(column.name(), other)),
            }
        });
    }
    Ok(Row(cells.into_iter()))
}

fn odd_type(column: &str, found: &str) -> sqlx::Error {
    sqlx::Error::Protocol(format!("column `{column}` has the type {found}"))
}

/// What a failed statement means for the writer.
#[derive(Debug)]
pub(crate) enum Failure {
    /// No space: rolled back, nothing was written.
    Full,
    /// Another process holds the write lock, or a deadlock: nothing was written, try again.
    Busy,
    /// The statement itself is wrong for its values: rolled back.
    Bad(String),
    /// The connection was lost: it is not known whether it was written.
    Lost(String),
    /// An I/O error: nobody may be acknowledged any more.
    Fatal(String),
}

impl From<sqlx::Error> for Failure {
    fn from(error: sqlx::Error) -> Self {
        Self::of(&error)
    }
}

impl Failure {
    pub(crate) fn of(error: &sqlx::Error) -> Self {
        classify(error)
    }
}

fn classify(error: &sqlx::Error) -> Failure {
    let words = error.to_string();
    let Some(database) = error.as_database_error() else {
        let lost =
            matches!(error, sqlx::Error::Io(_) | sqlx::Error::Tls(_) | sqlx::Error::Protocol(_));
        let bad = matches!(
            error,
            sqlx::Error::Encode(_) | sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_)
        );
        return match (lost, bad) {
            (true, _) => Failure::Lost(words),
            (false, true) => Failure::Bad(words),
            (false, false) => Failure::Fatal(words),
        };
    };
    let code = database.code().unwrap_or_default();
    if database.try_downcast_ref::<sqlx::sqlite::SqliteError>().is_some() {
        // https://www.sqlite.org/rescode.html: the low byte is the primary code.
        return match code.parse::<i64>().unwrap_or_default() & 0xff {
            13 => Failure::Full,
            5 | 6 => Failure::Busy,
            1 | 18 | 19 | 20 | 25 => Failure::Bad(words),
            _ => Failure::Fatal(words),
        };
    }
    // https://www.postgresql.org/docs/15/errcodes-appendix.html
    match code.get(..2).unwrap_or_default() {
        "53" if code == "53100" => Failure::Full,
        "40" => Failure::Busy,
        "21" | "22" | "23" | "42" | "54" => Failure::Bad(words),
        "08" | "57" => Failure::Lost(words),
        _ => Failure::Fatal(words),
    }
}
