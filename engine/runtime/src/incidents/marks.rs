//! Lines of a timeline that people mark: whether they may see them, whose they are, and what is
//! marked already.

use beistand_core::incident::Marks;
use beistand_core::model::{IncidentId, LineId, Organisation};
use beistand_core::run::{Actor, Proof};
use beistand_core::timeline::{Lang, Scope};

use crate::engine::Engine;
use crate::entries::each_after;
use crate::error::EngineError;

impl Engine {
    /// Whose a line is. One that they do not see is not there, whatever they may write elsewhere in
    /// the incident.
    pub(super) async fn marked_line(
        &self,
        incident: IncidentId,
        line: LineId,
        by: &Actor,
    ) -> Result<Option<Organisation>, EngineError> {
        let scope = self.eyes_of(by).await?;
        // Whose it is, is the same in every language.
        let told = self.views().told(incident, Lang::En, &scope).await?;
        let found = told.lines.iter().find(|one| one.line() == Some(line));
        let missing = || EngineError::NotFound(format!("there is no line {line} in this timeline"));
        Ok(found.ok_or_else(missing)?.organisation.clone())
    }

    /// Through whose eyes an act is looked at: those of who does it, or types it in from paper.
    async fn eyes_of(&self, by: &Actor) -> Result<Scope, EngineError> {
        let is_program = by.proof.is_none() && !by.asserted;
        if is_program || !self.has_accounts().await? {
            return Ok(Scope::ALL);
        }
        let typed_by = by.through.as_ref().filter(|_| by.proof == Some(Proof::Paper));
        Ok(self.rights_of(typed_by.unwrap_or(&by.person)).await?.scope())
    }

    /// What is marked in an incident's timeline.
    pub(super) async fn marks(&self, incident: IncidentId) -> Result<Marks, EngineError> {
        let mut events = Vec::new();
        let reader = self.0.journal.reader();
        each_after(reader, incident, 0, |entry| events.extend(entry.events)).await?;
        Ok(Marks::fold(&events))
    }
}
