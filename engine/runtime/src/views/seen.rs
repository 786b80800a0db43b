//! Who may see an incident, and a run of it. Whoever may not is told that it is not there.

use std::collections::BTreeSet;
use std::sync::Arc;

use beistand_core::model::{IncidentId, RunId, Tlp};
use beistand_core::playbook::Plan;
use beistand_core::timeline::Scope;
use beistand_journal::{Incident, Run};

use super::Views;
use crate::error::EngineError;

pub(super) fn no_run(id: RunId) -> EngineError {
    EngineError::NotFound(format!("there is no run {id}"))
}

fn no_incident(id: IncidentId) -> EngineError {
    EngineError::NotFound(format!("there is no incident {id}"))
}

/// The scope as a filter of lists: nothing is filtered for who may see everything.
pub(super) fn filter(scope: &Scope) -> Option<Scope> {
    (!scope.is_all()).then(|| scope.clone())
}

impl Views {
    /// The row of an incident, if these eyes may see it: it is marked low enough and concerns one of
    /// their organisations.
    pub(super) async fn incident_row(
        &self,
        id: IncidentId,
        scope: &Scope,
    ) -> Result<Incident, EngineError> {
        let reader = &self.0.reader;
        let row = reader.incident(id).await?.ok_or_else(|| no_incident(id))?;
        let concerned = match scope.organisations {
            None => BTreeSet::new(),
            Some(_) => reader.organisations(id).await?.into_iter().collect(),
        };
        if scope.sees(id, &concerned, row.tlp) { Ok(row) } else { Err(no_incident(id)) }
    }

    /// The row of a run, if these eyes may see it.
    pub(super) async fn run_row(&self, id: RunId, scope: &Scope) -> Result<Run, EngineError> {
        let row = self.0.reader.run(id).await?.ok_or_else(|| no_run(id))?;
        if scope.is_all() {
            return Ok(row);
        }
        match self.incident_row(row.incident, scope).await {
            Ok(_) if self.is_open(&row, scope).await? => Ok(row),
            Ok(_) | Err(EngineError::NotFound(_)) => Err(no_run(id)),
            Err(error) => Err(error),
        }
    }

    /// Whether a run of an incident that they may see is open to these eyes too: its playbook may
    /// be marked higher, and one that can not be read counts as the highest.
    pub(super) async fn is_open(&self, row: &Run, scope: &Scope) -> Result<bool, EngineError> {
        if let (Some(mine), Some(whose)) =
            (scope.within(row.incident).organisations, &row.organisation)
            && !mine.contains(whose)
        {
            return Ok(false);
        }
        if scope.tlp == Tlp::Red {
            return Ok(true);
        }
        match self.plan(row).await {
            Ok(plan) => Ok(marking(&plan) <= scope.tlp),
            Err(EngineError::Unreadable { .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }
}

fn marking(plan: &Arc<Plan>) -> Tlp {
    plan.parts().tlp
}
