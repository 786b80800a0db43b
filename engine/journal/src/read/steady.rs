//! Questions of somebody who compares: all answers of one state of the store, stream by stream.

use std::sync::Arc;

use beistand_core::entry::StreamKind;
use beistand_core::model::RunId;
use tokio::sync::Mutex;

use super::{Reader, rows};
use crate::error::StoreError;
use crate::sql::{Pool, params};
use crate::stream::Stream;
use crate::table::{Hold, Need};

/// Rows that belong to nothing: what kind of row, and its id.
const STRAYS: &str = "
    select 'run', r.id from run r
        where not exists (select 1 from stream s where s.kind = 'run' and s.id = r.id)
    union all select 'incident', i.id from incident i
        where not exists (select 1 from stream s where s.kind = 'incident' and s.id = i.id)
    union all select 'need', n.id from need n where n.closed_at is null
        and not exists (select 1 from run r where r.id = n.run)
    union all select 'hold', h.target from hold h
        where not exists (select 1 from run r where r.id = h.run)
    union all select 'snapshot', cast(p.stream as text) from snapshot p
        where not exists (select 1 from stream s where s.no = p.stream)";

impl Reader {
    /// A reader with a connection of its own, all of whose answers are of one state of the store,
    /// whoever writes beside it, until [`Reader::look_anew`].
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn steady(&self) -> Result<Self, StoreError> {
        let failed = |source| StoreError::Database { what: "begin to compare", source };
        let mut connection = self.pool().own().await.map_err(failed)?;
        let begins = connection.begins();
        connection.script(begins).await.map_err(failed)?;
        let pool = Pool::Steady(Arc::new(Mutex::new(connection)));
        Ok(Self::new(pool, self.opened().clone()))
    }

    /// From here on a steady reader answers of the state that the store has now.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn look_anew(&self) -> Result<(), StoreError> {
        let failed = |source| StoreError::Database { what: "look anew", source };
        let Pool::Steady(connection) = self.pool() else { return Ok(()) };
        let mut connection = connection.lock().await;
        connection.script("commit").await.map_err(failed)?;
        let begins = connection.begins();
        connection.script(begins).await.map_err(failed)
    }

    /// Streams of one kind in the order they began, at most `limit` after the one before.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn streams(
        &self,
        kind: StreamKind,
        after: Option<&Stream>,
        limit: u32,
    ) -> Result<Vec<Stream>, StoreError> {
        let sql = "select no, id from stream where kind = $1 and no > $2 order by no limit $3";
        let after = after.map_or(i64::MIN, Stream::no);
        let params = params![kind.as_str(), after, i64::from(limit)];
        let rows = self.pool().rows("list streams", sql, params).await?;
        rows.into_iter()
            .map(|mut row| Ok(Stream::new(row.int("stream.no")?, kind, &row.text("stream.id")?)))
            .collect()
    }

    /// The open needs of one run, and of no run below it.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn needs_of(&self, run: RunId) -> Result<Vec<Need>, StoreError> {
        let sql = "select id, run, root, incident, mode, kind, step, batch, role, organisation,
             digest, since, until, escalated_at, closed_at, body from need
             where closed_at is null and run = $1 order by no";
        let rows = self.pool().rows("list a run's needs", sql, params![run.to_string()]).await?;
        rows.into_iter().map(rows::need).collect()
    }

    /// The holds of one run.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn holds_of(&self, run: RunId) -> Result<Vec<Hold>, StoreError> {
        let sql = "select mode, target, effect, connector, run, path, state, since, organisation,
             body from hold where run = $1 order by no";
        let rows = self.pool().rows("list a run's holds", sql, params![run.to_string()]).await?;
        rows.into_iter().map(rows::hold).collect()
    }

    /// Rows of tables that follow from no stream that is there: what they are, and their ids.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn strays(&self) -> Result<Vec<(String, String)>, StoreError> {
        let rows = self.pool().rows("look for stray rows", STRAYS, Vec::new()).await?;
        rows.into_iter().map(|mut row| Ok((row.text("kind")?, row.text("id")?))).collect()
    }
}
