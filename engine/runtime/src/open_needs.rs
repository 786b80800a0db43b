//! Everything that waits for a role: read page by page, to the last.

use beistand_journal::{OpenNeed, Reader, StoreError};

/// Open needs that are read at once; all of them are read.
const AT_ONCE: u32 = 10_000;

/// Shows each of them, in the order in which they opened.
///
/// # Errors
/// [`StoreError`]; then not all were shown.
pub(crate) async fn each_open_need(
    reader: &Reader,
    mut each: impl FnMut(OpenNeed),
) -> Result<(), StoreError> {
    let mut after = i64::MIN;
    loop {
        let page = reader.open_needs(after, AT_ONCE).await?;
        let is_last = page.len() < usize::try_from(AT_ONCE).unwrap_or(usize::MAX);
        for (no, need) in page {
            after = no;
            each(need);
        }
        if is_last {
            return Ok(());
        }
    }
}
