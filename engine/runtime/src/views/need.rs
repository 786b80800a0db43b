//! What waits for people.

use beistand_core::timeline::Scope;
use beistand_journal::NeedFilter;
use serde_json::Value;

use super::{Views, whole};
use crate::error::EngineError;

impl Views {
    /// Open needs, oldest first, each with its run and its incident.
    ///
    /// # Errors
    /// [`EngineError::Store`].
    pub async fn needs(
        &self,
        filter: &NeedFilter,
        scope: &Scope,
    ) -> Result<Vec<Value>, EngineError> {
        whole(scope)?;
        let needs = self.0.reader.needs(filter).await?;
        Ok(needs.iter().filter_map(|need| serde_json::from_str(&need.body).ok()).collect())
    }
}
