//! One incident, and the list of them.

use beistand_core::model::IncidentId;
use beistand_core::timeline::Scope;
use beistand_journal::{Incident, Page};
use serde_json::{Value, json};

use super::{Listed, ViewPage, Views, cursor, whole};
use crate::error::EngineError;

impl Views {
    /// An incident with its roles, whom it concerns, what it is about, and its evidence.
    ///
    /// # Errors
    /// [`EngineError::NotFound`] where it is not there, or not for these eyes;
    /// [`EngineError::Store`].
    pub async fn incident(&self, id: IncidentId, scope: &Scope) -> Result<Value, EngineError> {
        let incident = self.incident_row(id, scope).await?;
        let reader = &self.0.reader;
        let roles: Vec<Value> = reader
            .roles(id)
            .await?
            .iter()
            .map(|(role, person)| json!({"role": role, "person": person}))
            .collect();
        let assets: Vec<Value> = reader
            .assets(id)
            .await?
            .iter()
            .map(|asset| {
                json!({
                    "kind": asset.kind, "value": asset.value, "state": asset.state,
                    "organisation": asset.organisation, "at": asset.at.to_string(),
                })
            })
            .collect();
        let evidence: Vec<Value> = reader.evidence(id).await?.iter().map(|one| {
            json!({"name": one.name, "digest": one.digest, "by": one.by, "at": one.at.to_string()})
        }).collect();
        let mut all = json_of(&incident);
        if let Value::Object(fields) = &mut all {
            fields.insert("roles".to_owned(), json!(roles));
            fields.insert("organisations".to_owned(), json!(reader.organisations(id).await?));
            fields.insert("assets".to_owned(), json!(assets));
            fields.insert("evidence".to_owned(), json!(evidence));
        }
        Ok(all)
    }

    /// Incidents, newest first, without what belongs to them.
    ///
    /// # Errors
    /// [`EngineError::Usage`] for a cursor of something else; [`EngineError::Store`].
    pub async fn incidents(&self, page: &ViewPage, scope: &Scope) -> Result<Listed, EngineError> {
        whole(scope)?;
        let limit = page.rows();
        let cursor = cursor::row(page.cursor.as_deref())?;
        let rows = self.0.reader.incidents(Page { cursor, limit }).await?;
        let items = rows.iter().map(|(_, incident)| json_of(incident)).collect();
        Ok(Listed { items, next: cursor::next(&rows, limit)? })
    }

    /// The row of an incident that these eyes may see.
    pub(super) async fn incident_row(
        &self,
        id: IncidentId,
        scope: &Scope,
    ) -> Result<Incident, EngineError> {
        whole(scope)?;
        let row = self.0.reader.incident(id).await?;
        row.ok_or_else(|| EngineError::NotFound(format!("there is no incident {id}")))
    }
}

fn json_of(incident: &Incident) -> Value {
    json!({
        "id": incident.id,
        "number": incident.number,
        "mode": incident.mode,
        "title": incident.title,
        "severity": incident.severity,
        "tlp": incident.tlp,
        "opened_at": incident.opened_at.to_string(),
        "closed_at": incident.closed_at.map(|at| at.to_string()),
    })
}
