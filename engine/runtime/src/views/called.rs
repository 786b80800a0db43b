//! Who was called to what waits, as it stands beside a need on every page.
//!
//! It is told to whoever reads all of an incident: it is about people of the provider, and of no
//! organisation's targets.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use beistand_core::model::{IncidentId, NeedId};
use beistand_core::on_call::{CallOut, CallOuts};
use beistand_core::timeline::Scope;
use serde_json::{Value, json};

use super::Views;
use crate::call_out::fold_on;
use crate::engine::lock;
use crate::error::EngineError;
use crate::recent::Bounds;

/// Incidents of which it is kept in memory who was called: those that pages ask for again and again.
pub(super) const CALLS: Bounds = Bounds { count: 1_024, bytes: 16 << 20 };

/// What a call takes in memory, roughly: a few names and ids.
const CALL_BYTES: usize = 512;

/// Who was called, as far as an incident was read, and how far that is.
pub(super) type Read = Arc<(u64, CallOuts)>;

/// Who was called to what, in some incidents.
#[derive(Debug, Default)]
pub struct Called(BTreeMap<IncidentId, Read>);

impl Called {
    /// The newest call of each person to any of these needs, and of each of its reasons, oldest first.
    pub fn to(&self, incident: IncidentId, needs: &[NeedId]) -> Vec<&CallOut> {
        let calls = self.0.get(&incident).map(|read| read.1.all()).unwrap_or_default();
        let about = calls.iter().filter(|call| call.needs.iter().any(|id| needs.contains(id)));
        let mut newest = BTreeMap::new();
        for call in about {
            newest.insert((&call.person, call.step), call);
        }
        let mut newest: Vec<&CallOut> = newest.into_values().collect();
        newest.sort_by_key(|call| call.at);
        newest
    }

    /// The same as JSON, as a field of a need's JSON.
    fn beside(&self, need: &mut Value) {
        let Some((id, incident)) = of_need(need) else { return };
        // Of an incident that is not read as a whole nothing is said, not even that nobody was called.
        if !self.0.contains_key(&incident) {
            return;
        }
        let calls = self.to(incident, &[id]).into_iter().map(|call| {
            let (end, ended_at) = call.end.unzip();
            json!({
                "person": call.person, "role": call.role, "step": call.step, "key": call.key,
                "at": call.at.to_string(), "end": end,
                "ended_at": ended_at.map(|at| at.to_string()), "message": call.message,
            })
        });
        let calls = calls.collect();
        if let Value::Object(fields) = need {
            fields.insert("called".to_owned(), calls);
        }
    }
}

fn of_need(need: &Value) -> Option<(NeedId, IncidentId)> {
    let text = |name: &str| need.get(name).and_then(Value::as_str);
    Some((text("id")?.parse().ok()?, text("incident")?.parse().ok()?))
}

/// Whether all of an incident is read through these eyes.
fn is_whole(incident: IncidentId, scope: &Scope) -> bool {
    scope.within(incident).organisations.is_none()
}

impl Views {
    /// Who was called to what waits in these incidents, as far as these eyes read all of them.
    ///
    /// # Errors
    /// [`EngineError::Internal`] for an incident whose entries can not be read, [`EngineError::Store`].
    pub async fn called(
        &self,
        incidents: BTreeSet<IncidentId>,
        scope: &Scope,
    ) -> Result<Called, EngineError> {
        let mut all = BTreeMap::new();
        for id in incidents.into_iter().filter(|id| is_whole(*id, scope)) {
            let known = lock(&self.0.calls).get(&id).unwrap_or_default();
            let (mut seq, before) = (known.0, known.0);
            let mut calls = known.1.clone();
            fold_on(&self.0.reader, id, (&mut seq, &mut calls)).await?;
            let read = if seq == before { known } else { Arc::new((seq, calls)) };
            let weight = read.1.all().len().saturating_mul(CALL_BYTES);
            lock(&self.0.calls).put(id, Arc::clone(&read), weight);
            all.insert(id, read);
        }
        Ok(Called(all))
    }

    /// Adds to needs who was called to them, for eyes that read all of the incident.
    pub(super) async fn with_called(
        &self,
        mut needs: Vec<Value>,
        scope: &Scope,
    ) -> Result<Vec<Value>, EngineError> {
        let of = needs.iter().filter_map(|need| of_need(need).map(|(_, incident)| incident));
        let called = self.called(of.collect(), scope).await?;
        for need in &mut needs {
            called.beside(need);
        }
        Ok(needs)
    }
}
