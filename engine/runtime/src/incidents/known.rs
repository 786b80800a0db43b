//! Incidents that runs were launched in, kept in memory.

use std::collections::BTreeMap;
use std::sync::Mutex;

use beistand_core::model::IncidentId;
use beistand_journal::{Incident, Journal, Reader};

use crate::engine::lock;
use crate::error::EngineError;

/// How many incidents are kept: a provider has few at once.
const INCIDENTS_MAX: usize = 64;

/// Incidents as the store has them, where nothing but the engine's own acts can change them.
#[derive(Debug, Default)]
pub(crate) struct Incidents(Mutex<Kept>);

#[derive(Debug, Default)]
struct Kept {
    /// How many acts there were: what was read before the last of them is not kept.
    acts: u64,
    rows: BTreeMap<IncidentId, Incident>,
}

impl Incidents {
    /// An incident's row.
    ///
    /// # Errors
    /// [`EngineError::NotFound`]; what the store says.
    pub(crate) async fn get(
        &self,
        journal: &Journal,
        id: IncidentId,
    ) -> Result<Incident, EngineError> {
        if !journal.is_alone() {
            return read(journal.reader(), id).await;
        }
        let acts = {
            let known = lock(&self.0);
            if let Some(row) = known.rows.get(&id) {
                return Ok(row.clone());
            }
            known.acts
        };
        let row = read(journal.reader(), id).await?;
        let mut known = lock(&self.0);
        if known.acts == acts {
            if known.rows.len() >= INCIDENTS_MAX {
                // The oldest: ids rise with time.
                known.rows.pop_first();
            }
            known.rows.insert(id, row.clone());
        }
        Ok(row)
    }

    /// Something may have been written: what was read of it before is forgotten.
    pub(super) fn acted(&self, id: IncidentId) {
        let mut known = lock(&self.0);
        known.acts += 1;
        known.rows.remove(&id);
    }
}

/// An incident's row, as it is in the store now.
pub(crate) async fn read(reader: &Reader, id: IncidentId) -> Result<Incident, EngineError> {
    let row = reader.incident(id).await?;
    row.ok_or_else(|| EngineError::NotFound(format!("there is no incident {id}")))
}
