//! What is held: targets on which an effect stands.

use beistand_core::timeline::Scope;
use beistand_journal::Hold;
use serde_json::{Value, json};

use super::{Views, whole};
use crate::error::EngineError;

impl Views {
    /// Holds, by target and age.
    ///
    /// # Errors
    /// [`EngineError::Store`].
    pub async fn holds(&self, scope: &Scope) -> Result<Vec<Value>, EngineError> {
        whole(scope)?;
        Ok(self.0.reader.holds(None).await?.iter().map(json_of).collect())
    }
}

fn json_of(hold: &Hold) -> Value {
    json!({
        "mode": hold.key.mode,
        "target": hold.key.target,
        "effect": hold.key.effect,
        "run": hold.key.run,
        "path": hold.key.path,
        "state": hold.state.as_str(),
        "since": hold.since.to_string(),
        "organisation": hold.organisation,
        "connector": hold.key.connector,
    })
}
