//! What is held: targets on which an effect stands.

use beistand_core::timeline::Scope;
use beistand_journal::Hold;
use serde_json::{Value, json};

use super::Views;
use crate::error::EngineError;

impl Views {
    /// Holds, by target and age; for readers of some organisations only of their targets, and of
    /// incidents that concern them.
    ///
    /// # Errors
    /// [`EngineError::Store`].
    pub async fn holds(&self, scope: &Scope) -> Result<Vec<Value>, EngineError> {
        let reader = &self.0.reader;
        if scope.is_all() {
            return Ok(reader.holds(None).await?.iter().map(json_of).collect());
        }
        let mut seen = Vec::new();
        for hold in reader.holds_seen(scope).await? {
            let Some(row) = reader.run(hold.key.run).await? else { continue };
            let theirs = match scope.within(row.incident).organisations {
                None => true,
                Some(mine) => hold.organisation.as_ref().is_some_and(|whose| mine.contains(whose)),
            };
            if theirs && self.is_open(&row, scope).await? {
                seen.push(json_of(&hold));
            }
        }
        Ok(seen)
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
