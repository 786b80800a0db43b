//! What waits, all of it: for who looks at every open need, page by page, without what each shows.

use super::{Reader, rows};
use crate::error::StoreError;
use crate::sql::params;
use crate::table::OpenNeed;

impl Reader {
    /// Open needs that ask a role, oldest first, each with the number of its row; at most `limit`, those
    /// after this number.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn open_needs(
        &self,
        after: i64,
        limit: u32,
    ) -> Result<Vec<(i64, OpenNeed)>, StoreError> {
        let sql = "select id, incident, mode, kind, role, digest, since, until, escalated_at, no
             from need where closed_at is null and role is not null and no > $1
             order by no limit $2";
        let params = params![after, i64::from(limit)];
        let rows = self.pool().rows("list open needs", sql, params).await?;
        rows.into_iter().map(rows::open_need).collect()
    }
}
