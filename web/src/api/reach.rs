//! What somebody reaches by naming it: what is not for them is not there.

use beistand_core::access::Permission;
use beistand_core::model::{IncidentId, RunId};
use beistand_journal::Run;
use beistand_runtime::{Caller, EngineError};

use crate::app::App;
use crate::report::Problem;

/// An incident by its id or its number, if these eyes may see it.
///
/// # Errors
/// 404 where it is not there, or not for them.
pub(crate) async fn incident(
    app: &App,
    caller: &Caller,
    text: &str,
) -> Result<IncidentId, Problem> {
    match app.views.find_incident(text, &caller.rights.scope()).await {
        Ok(id) => Ok(id),
        Err(EngineError::NotFound(_)) => {
            Err(Problem::not_found("there is no such incident").place("incident"))
        }
        Err(error) => Err(error.into()),
    }
}

/// A run that somebody wants to do something about: who neither sees it nor may do that is told
/// that it is not there.
///
/// # Errors
/// 404.
pub(crate) async fn reached(
    app: &App,
    caller: &Caller,
    (run, permission): (RunId, Permission),
) -> Result<Run, Problem> {
    match app.views.row_of(run, &caller.rights.scope()).await {
        Ok(row) => Ok(row),
        Err(hidden @ EngineError::NotFound(_)) => {
            // What never was is answered in the same words.
            let Some(row) = app.engine.journal().reader().run(run).await? else {
                return Err(hidden.into());
            };
            let about = app.engine.about_incident(row.incident).await?;
            let may = caller.rights.may(permission, &about);
            Some(row).filter(|_| may).ok_or_else(|| hidden.into())
        }
        Err(error) => Err(error.into()),
    }
}
