//! How far streams have come, without reading their entries.

use super::Reader;
use crate::error::StoreError;
use crate::sql::params;
use crate::stream::{Head, Stream};
use crate::writer::digest;

impl Reader {
    /// The newest entry of a stream, from the row of the stream.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn head(&self, stream: &Stream) -> Result<Head, StoreError> {
        let sql = "select seq, head from stream where no = $1";
        let row = self.pool().row("read the head of a stream", sql, params![stream.no]).await?;
        let Some(mut row) = row else { return Ok(Head::START) };
        let seq = u64::try_from(row.int("stream.seq")?).unwrap_or(0);
        Ok(Head { seq, hash: digest(&row.bytes("stream.head")?, "stream.head")? })
    }
}
