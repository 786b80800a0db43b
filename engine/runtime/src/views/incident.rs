//! One incident, and the list of them.

use beistand_core::model::{IncidentId, Organisation};
use beistand_core::timeline::Scope;
use beistand_journal::{Asset, Evidence, Incident, Page};
use serde_json::{Value, json};

use super::{Listed, ViewPage, Views, cursor, seen};
use crate::error::EngineError;

impl Views {
    /// An incident with its roles, whom it concerns, what it is about, and its evidence; for readers
    /// of some organisations only what of it is theirs.
    ///
    /// # Errors
    /// [`EngineError::NotFound`] where it is not there, or not for these eyes;
    /// [`EngineError::Store`].
    pub async fn incident(&self, id: IncidentId, scope: &Scope) -> Result<Value, EngineError> {
        let incident = self.incident_row(id, scope).await?;
        let reader = &self.0.reader;
        let scope = &scope.within(id);
        let theirs = |whose: Option<&Organisation>| match &scope.organisations {
            None => true,
            Some(mine) => whose.is_some_and(|whose| mine.contains(whose)),
        };
        let linked = reader.organisations(id).await?;
        let mut all = json_of(&incident, is_all_theirs(&linked, scope));
        let Value::Object(fields) = &mut all else { return Ok(all) };
        let roles = reader.roles(id).await?;
        let roles = roles.iter().filter(|_| theirs(None));
        let roles = roles.map(|(role, person)| json!({"role": role, "person": person}));
        fields.insert("roles".to_owned(), roles.collect());
        let linked: Vec<_> = linked.iter().filter(|linked| theirs(Some(linked))).collect();
        fields.insert("organisations".to_owned(), json!(linked));
        let assets = reader.assets(id).await?;
        let assets = assets.iter().filter(|asset| theirs(asset.organisation.as_ref()));
        fields.insert("assets".to_owned(), assets.map(asset_json).collect());
        let evidence = reader.evidence(id).await?;
        let evidence = evidence.iter().filter(|one| theirs(one.organisation.as_ref()));
        fields.insert("evidence".to_owned(), evidence.map(evidence_json).collect());
        Ok(all)
    }

    /// Incidents, newest first, without what belongs to them.
    ///
    /// # Errors
    /// [`EngineError::Usage`] for a cursor of something else; [`EngineError::Store`].
    pub async fn incidents(&self, page: &ViewPage, scope: &Scope) -> Result<Listed, EngineError> {
        let limit = page.rows();
        let cursor = cursor::row(page.cursor.as_deref())?;
        let reader = &self.0.reader;
        let eyes = seen::filter(scope);
        let rows = reader.incidents_seen(Page { cursor, limit }, eyes.as_ref()).await?;
        let mut items = Vec::with_capacity(rows.len());
        for (_, incident) in &rows {
            items.push(json_of(incident, self.is_titled(incident, scope).await?));
        }
        Ok(Listed { items, next: cursor::next(&rows, limit)? })
    }

    /// Whether these eyes may read an incident's title: it may be about anybody it concerns.
    pub(super) async fn is_titled(
        &self,
        incident: &Incident,
        scope: &Scope,
    ) -> Result<bool, EngineError> {
        let scope = &scope.within(incident.id);
        if scope.organisations.is_none() {
            return Ok(true);
        }
        Ok(is_all_theirs(&self.0.reader.organisations(incident.id).await?, scope))
    }
}

fn is_all_theirs(linked: &[Organisation], scope: &Scope) -> bool {
    match &scope.organisations {
        None => true,
        Some(mine) => !linked.is_empty() && linked.iter().all(|linked| mine.contains(linked)),
    }
}

fn asset_json(asset: &Asset) -> Value {
    json!({
        "kind": asset.kind,
        "value": asset.value,
        "state": asset.state,
        "organisation": asset.organisation,
        "at": asset.at.to_string(),
    })
}

fn evidence_json(one: &Evidence) -> Value {
    json!({"name": one.name, "digest": one.digest, "by": one.by, "at": one.at.to_string()})
}

fn json_of(incident: &Incident, titled: bool) -> Value {
    json!({
        "id": incident.id,
        "number": incident.number,
        "mode": incident.mode,
        "title": titled.then_some(&incident.title),
        "severity": incident.severity,
        "tlp": incident.tlp,
        "opened_at": incident.opened_at.to_string(),
        "closed_at": incident.closed_at.map(|at| at.to_string()),
    })
}
