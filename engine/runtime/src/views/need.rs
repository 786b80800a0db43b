//! What waits for people.

use std::collections::BTreeMap;

use beistand_core::model::{NeedCode, NeedId, RunId};
use beistand_core::run::with_words;
use beistand_core::timeline::{Eyes, Scope};
use beistand_journal::{Need, NeedFilter, OpenNeed, Reader};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Listed, ViewPage, Views, cursor, seen};
use crate::error::EngineError;
use crate::open_needs::each_open_need;

/// Where the next part of a list begins: after this need.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Place {
    need: NeedId,
}

/// The open needs that have a code of a printed sheet: one, or none any more.
///
/// # Errors
/// [`beistand_journal::StoreError`].
pub async fn needs_by_code(reader: &Reader, code: NeedCode) -> Result<Vec<Need>, EngineError> {
    let mut ids = Vec::new();
    let keep = |open: OpenNeed| {
        if NeedCode::of(open.id, open.digest) == code {
            ids.push(open.id);
        }
    };
    each_open_need(reader, keep).await?;
    let mut found = Vec::with_capacity(ids.len());
    for id in ids {
        found.extend(reader.need(id).await?.filter(|need| need.closed_at.is_none()));
    }
    Ok(found)
}

impl Views {
    /// Open needs, oldest first, each with its run, its incident and who was called to it; for readers
    /// of some organisations in outline, but for what is asked about their own targets, and without
    /// who was called.
    ///
    /// # Errors
    /// [`EngineError::Unreadable`] for one of a run that can not be read, [`EngineError::Store`].
    pub async fn needs(
        &self,
        filter: &NeedFilter,
        scope: &Scope,
    ) -> Result<Vec<Value>, EngineError> {
        let filter = NeedFilter { eyes: seen::filter(scope), ..filter.clone() };
        let needs = self.0.reader.needs(&filter).await?;
        let needs = self.needs_of(&needs.iter().collect::<Vec<_>>(), scope).await?;
        self.with_called(needs, scope).await
    }

    /// A part of the open needs, as [`Views::needs`] has them.
    ///
    /// # Errors
    /// [`EngineError::Usage`] for a cursor of something else; as [`Views::needs`].
    pub async fn needs_page(
        &self,
        filter: &NeedFilter,
        page: &ViewPage,
        scope: &Scope,
    ) -> Result<Listed, EngineError> {
        let after: Option<Place> = page.cursor.as_deref().map(cursor::read).transpose()?;
        let limit = usize::try_from(page.rows()).unwrap_or(usize::MAX);
        let filter = NeedFilter { eyes: seen::filter(scope), ..filter.clone() };
        let all = self.0.reader.needs(&filter).await?;
        // What was answered meanwhile moves nothing: ids grow as needs open.
        let is_later = |need: &&Need| after.as_ref().is_none_or(|place| need.id > place.need);
        let mut part: Vec<&Need> = all.iter().filter(is_later).collect();
        part.sort_by_key(|need| need.id);
        let more = part.len() > limit;
        part.truncate(limit);
        let next = match part.last() {
            Some(last) if more => Some(cursor::written(&Place { need: last.id })?),
            Some(_) | None => None,
        };
        let items = self.needs_of(&part, scope).await?;
        Ok(Listed { items: self.with_called(items, scope).await?, next })
    }

    /// What is asked under a code of a printed sheet; what was answered, or is asked anew, has it no
    /// more.
    ///
    /// # Errors
    /// As [`Views::needs`].
    pub async fn needs_by_code(
        &self,
        code: NeedCode,
        scope: &Scope,
    ) -> Result<Vec<Value>, EngineError> {
        let mut needs = Vec::new();
        for need in needs_by_code(&self.0.reader, code).await? {
            match self.incident_row(need.incident, scope).await {
                Ok(_) => needs.push(need),
                Err(EngineError::NotFound(_)) => {}
                Err(error) => return Err(error),
            }
        }
        let needs = self.needs_of(&needs.iter().collect::<Vec<_>>(), scope).await?;
        self.with_called(needs, scope).await
    }

    /// What these eyes see of needs, in the same order.
    pub(super) async fn needs_of(
        &self,
        needs: &[&Need],
        scope: &Scope,
    ) -> Result<Vec<Value>, EngineError> {
        let json = |need: &Need| serde_json::from_str::<Value>(&need.body).ok().map(with_words);
        if scope.is_all() {
            return Ok(needs.iter().filter_map(|need| json(need)).collect());
        }
        // A run is looked at once, however much of it waits.
        let mut by_run: BTreeMap<RunId, Vec<usize>> = BTreeMap::new();
        for (place, need) in needs.iter().enumerate() {
            // One that is no run's can not be told whose it is.
            if let Some(run) = need.run {
                by_run.entry(run).or_default().push(place);
            }
        }
        let mut seen: BTreeMap<usize, Value> = BTreeMap::new();
        for (run, places) in by_run {
            let Some(row) = self.0.reader.run(run).await? else { continue };
            if !self.is_open(&row, scope).await? {
                continue;
            }
            let held = self.folded(run, &self.version(run).await?).await?;
            let scope = scope.within(row.incident);
            let eyes = Eyes::on(&held.get()?.state, &scope);
            for place in places {
                let json = needs.get(place).and_then(|need| json(need));
                seen.extend(json.and_then(|json| eyes.need(json)).map(|json| (place, json)));
            }
        }
        Ok(seen.into_values().collect())
    }
}
