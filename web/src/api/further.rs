//! Runs that follow on another one: for more items, or by a corrected playbook.

use axum::extract::State;
use axum::http::{HeaderName, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use beistand_core::access::Permission;
use beistand_core::model::RunId;
use beistand_runtime::{Caller, NewMore, NewSuccessor, Verb};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::form::{ChosenKey, PlaybookId, Reason};
use super::reach;
use crate::app::App;
use crate::asked::{Asked, At};
use crate::door::Who;
use crate::json::{Exact, Sent};
use crate::report::Problem;

/// More items for a playbook that ran, or runs.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct More {
    /// The lists of its inputs that have more items.
    pub(crate) inputs: Map<String, Value>,
    /// Steps that nothing is bound for may fall to people, also where they did not before.
    #[serde(default)]
    pub(crate) by_hand_ok: bool,
    /// The same key gives the same run.
    pub(crate) start_key: ChosenKey,
}

/// A corrected playbook.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Corrected {
    /// Its name.
    pub(crate) playbook: PlaybookId,
    /// Steps that nothing is bound for may fall to people.
    #[serde(default)]
    pub(crate) by_hand_ok: bool,
    pub(crate) reason: Reason,
}

/// The run for more items.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct Further {
    #[schema(value_type = String, format = "uuid")]
    pub(crate) run: RunId,
    /// A sentence for each item that an earlier run has already.
    left_out: Vec<String>,
}

/// The run that takes over.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct Successor {
    /// It is there as soon as nothing of the old one is out any more.
    #[schema(value_type = String, format = "uuid")]
    pub(crate) run: RunId,
}

/// Which playbook would take over.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct By {
    /// Its name.
    #[param(inline)]
    playbook: PlaybookId,
}

/// What would become of a run's effects if another playbook took over now.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(super) struct Outlook {
    /// Done, and the same in the other one: not sent again.
    taken_over: Vec<OutlookLine>,
    /// Only in the other one.
    new: Vec<OutlookLine>,
    /// Done, and not in the other one: it stays as it is, nothing is undone by itself.
    dropped: Vec<OutlookLine>,
}

/// One effect.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(super) struct OutlookLine {
    /// The step; of one that is still to come, without the numbers of loops.
    step: String,
    /// What is done.
    action: String,
    /// On what; nothing where the incident is read in outline.
    targets: Vec<String>,
    /// What would take it back.
    undo: Option<String>,
}

/// Launches a run of the same plan, in the same incident, for items that no run before it was given.
#[utoipa::path(
    post, path = "/api/v1/runs/{id}/more", tag = "runs", request_body = More,
    params(("id" = String, Path, format = "uuid", description = "Which")),
    responses((status = 201, description = "It was launched, now or before with this key",
               body = Further, headers(("Location" = String))))
)]
pub(super) async fn more(
    State(app): State<App>,
    Who(caller): Who,
    At(run): At<RunId>,
    Exact(body): Exact<More>,
) -> Result<Response, Problem> {
    let further = more_of(&app, &caller, (run, body)).await?;
    Ok((StatusCode::CREATED, place(further.run), Sent(further)).into_response())
}

/// Launches a run for more items.
///
/// # Errors
/// As [`more`] answers them.
pub(crate) async fn more_of(
    app: &App,
    caller: &Caller,
    (run, body): (RunId, More),
) -> Result<Further, Problem> {
    reach::reached(app, caller, (run, Permission::Launch)).await?;
    let verb = Verb::More(Box::new(NewMore {
        run,
        inputs: body.inputs,
        start_key: Some(body.start_key.into()),
        by_hand_ok: body.by_hand_ok,
        by: caller.actor.clone(),
    }));
    let answer = app.engine.execute_as(caller, verb).await?;
    serde_json::from_value(answer).map_err(|error| Problem::internal(&error))
}

/// Lets a corrected playbook take over from a run that has not ended: what was done is taken over,
/// of two gates the stricter one asks.
#[utoipa::path(
    post, path = "/api/v1/runs/{id}/supersede", tag = "runs", request_body = Corrected,
    params(("id" = String, Path, format = "uuid", description = "Which")),
    responses((status = 202, description = "It gives way", body = Successor,
               headers(("Location" = String))))
)]
pub(super) async fn supersede(
    State(app): State<App>,
    Who(caller): Who,
    At(run): At<RunId>,
    Exact(body): Exact<Corrected>,
) -> Result<Response, Problem> {
    let successor = supersede_by(&app, &caller, (run, body)).await?;
    Ok((StatusCode::ACCEPTED, place(successor.run), Sent(successor)).into_response())
}

/// Lets a corrected playbook take over.
///
/// # Errors
/// As [`supersede`] answers them.
pub(crate) async fn supersede_by(
    app: &App,
    caller: &Caller,
    (run, body): (RunId, Corrected),
) -> Result<Successor, Problem> {
    reach::reached(app, caller, (run, Permission::Launch)).await?;
    let plan = app.shelf.plan(body.playbook.0).await?;
    let verb = Verb::Supersede(Box::new(NewSuccessor {
        run,
        sources: plan.sources(),
        playbook: plan.name().clone(),
        reason: body.reason.into(),
        by_hand_ok: body.by_hand_ok,
        by: caller.actor.clone(),
    }));
    let answer = app.engine.execute_as(caller, verb).await?;
    serde_json::from_value(answer).map_err(|error| Problem::internal(&error))
}

/// What would become of a run's effects if a corrected playbook took over now. Nothing happens.
#[utoipa::path(
    get, path = "/api/v1/runs/{id}/outlook", tag = "runs",
    params(("id" = String, Path, format = "uuid", description = "Which"), By),
    responses((status = 200, description = "As far as it is known now", body = Outlook))
)]
pub(super) async fn outlook(
    State(app): State<App>,
    Who(caller): Who,
    At(run): At<RunId>,
    Asked(by): Asked<By>,
) -> Result<Sent<Outlook>, Problem> {
    let scope = caller.rights.scope();
    // Nothing is checked for a run that is not there for the caller.
    app.views.row_of(run, &scope).await?;
    let plan = app.shelf.plan(by.playbook.0).await?;
    let found = app.engine.outlook(run, &plan, &scope).await?;
    let found = serde_json::to_value(found).map_err(|error| Problem::internal(&error))?;
    let found: Outlook =
        serde_json::from_value(found).map_err(|error| Problem::internal(&error))?;
    Ok(Sent(found))
}

fn place(run: RunId) -> [(HeaderName, String); 1] {
    [(header::LOCATION, format!("/api/v1/runs/{run}"))]
}

#[cfg(test)]
mod tests;
