//! One incident, and the list of them.

use beistand_core::entry::StreamKind;
use beistand_core::incident::{IncidentNumber, Known, Offer};
use beistand_core::model::{Digest, IncidentId, Organisation};
use beistand_core::timeline::Scope;
use beistand_journal::{Asset, Evidence, Incident, Page};
use serde_json::{Value, json};

use super::{Listed, ViewPage, Views, cursor, seen};
use crate::briefing::brief;
use crate::error::EngineError;
use crate::incidents::{besides_of, known_in};

impl Views {
    /// An incident with its roles, whom it concerns, what it is about, its evidence, command that is
    /// offered, and the number of its newest entry; for readers of some organisations only what of it
    /// is theirs.
    ///
    /// # Errors
    /// [`EngineError::NotFound`] where it is not there, or not for these eyes;
    /// [`EngineError::Store`].
    pub async fn incident(&self, id: IncidentId, scope: &Scope) -> Result<Value, EngineError> {
        let reader = &self.0.reader;
        // First the number: whoever edits what they saw by it overwrites nothing written since.
        let seq = reader.newest(StreamKind::Incident, &id.to_string()).await?;
        let incident = self.incident_row(id, scope).await?;
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
        let besides = besides_of(&incident);
        let offer = besides.offer.filter(|_| theirs(None));
        fields.insert("offer".to_owned(), offer.as_ref().map(offer_json).unwrap_or_default());
        let other = |number: Option<IncidentNumber>| json!(number.filter(|_| theirs(None)));
        fields.insert("drill".to_owned(), other(besides.drill));
        fields.insert("real".to_owned(), other(besides.real));
        fields.insert("seq".to_owned(), seq.into());
        Ok(all)
    }

    /// The incident of an id or of a number for people, if these eyes may see it.
    ///
    /// # Errors
    /// [`EngineError::NotFound`] where it is not there, or not for these eyes;
    /// [`EngineError::Store`].
    pub async fn find_incident(
        &self,
        text: &str,
        scope: &Scope,
    ) -> Result<IncidentId, EngineError> {
        let missing = || EngineError::NotFound(format!("there is no incident {text}"));
        let id = if let Ok(id) = text.parse::<IncidentId>() {
            id
        } else {
            let number: IncidentNumber = text.parse().map_err(|_| missing())?;
            let found = self.0.reader.incident_by_number(&number.to_string()).await?;
            found.ok_or_else(missing)?.id
        };
        match self.incident_row(id, scope).await {
            Err(EngineError::NotFound(_)) => Err(missing()),
            other => other.map(|row| row.id),
        }
    }

    /// How an incident stands, for who takes command of it: with what its runs have open, and the
    /// digest that an acceptance is bound to.
    ///
    /// # Errors
    /// As [`Views::incident`]; [`EngineError::NotAllowed`] for readers of some organisations: it is
    /// one whole, and its digest tells nothing to who is shown a part.
    pub async fn briefing(&self, id: IncidentId, scope: &Scope) -> Result<Value, EngineError> {
        self.incident_row(id, scope).await?;
        if scope.within(id).organisations.is_some() {
            let text =
                "a briefing is read as a whole, and not all of the incident is yours to read";
            return Err(EngineError::NotAllowed(text.to_owned()));
        }
        let briefed = brief(&self.0.reader, id).await?;
        Ok(json!({"digest": briefed.digest, "briefing": briefed.briefing.value()}))
    }

    /// What is known in a drill, for who says that it is real now.
    ///
    /// # Errors
    /// As [`Views::briefing`].
    pub async fn known_in(&self, id: IncidentId, scope: &Scope) -> Result<Known, EngineError> {
        self.incident_row(id, scope).await?;
        if scope.within(id).organisations.is_some() {
            let text = "a drill goes along as a whole, and not all of it is yours to read";
            return Err(EngineError::NotAllowed(text.to_owned()));
        }
        known_in(&self.0.reader, id).await
    }

    /// The bytes of a file that an incident keeps; nothing where it keeps none of this digest, or not
    /// for these eyes.
    ///
    /// # Errors
    /// As [`Views::incident`].
    pub async fn evidence(
        &self,
        id: IncidentId,
        digest: Digest,
        scope: &Scope,
    ) -> Result<Option<Vec<u8>>, EngineError> {
        self.incident_row(id, scope).await?;
        let theirs = |one: &Evidence| match scope.within(id).organisations {
            None => true,
            Some(mine) => one.organisation.as_ref().is_some_and(|whose| mine.contains(whose)),
        };
        let kept = self.0.reader.evidence(id).await?;
        if !kept.iter().any(|one| one.digest == digest && theirs(one)) {
            return Ok(None);
        }
        Ok(self.0.reader.blob(digest).await?)
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

fn offer_json(offer: &Offer) -> Value {
    json!({
        "to": offer.to, "by": offer.by, "since": offer.since.to_string(), "digest": offer.digest,
    })
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
