//! Runs that follow on another one: for more items, or by a corrected playbook.

use axum::extract::State;
use axum::http::{HeaderName, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use beistand_core::access::Permission;
use beistand_core::model::{PlaybookName, RunId};
use beistand_runtime::{NewMore, NewSuccessor, Verb};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::form::{ChosenKey, Reason};
use super::reach;
use crate::app::App;
use crate::asked::At;
use crate::door::Who;
use crate::json::{Exact, Sent};
use crate::report::Problem;

/// More items for a playbook that ran, or runs.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct More {
    /// The lists of its inputs that have more items.
    inputs: Map<String, Value>,
    /// Steps that nothing is bound for may fall to people, also where they did not before.
    #[serde(default)]
    by_hand_ok: bool,
    /// The same key gives the same run.
    start_key: ChosenKey,
}

/// A corrected playbook.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Corrected {
    /// Its name.
    #[schema(pattern = "^[a-z][a-z0-9-]{0,62}$")]
    playbook: String,
    /// Steps that nothing is bound for may fall to people.
    #[serde(default)]
    by_hand_ok: bool,
    reason: Reason,
}

/// The run for more items.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(super) struct Further {
    #[schema(value_type = String, format = "uuid")]
    run: RunId,
    /// A sentence for each item that an earlier run has already.
    left_out: Vec<String>,
}

/// The run that takes over.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(super) struct Successor {
    /// It is there as soon as nothing of the old one is out any more.
    #[schema(value_type = String, format = "uuid")]
    run: RunId,
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
    reach::reached(&app, &caller, (run, Permission::Launch)).await?;
    let verb = Verb::More(Box::new(NewMore {
        run,
        inputs: body.inputs,
        start_key: Some(body.start_key.into()),
        by_hand_ok: body.by_hand_ok,
        by: caller.actor.clone(),
    }));
    let answer = app.engine.execute_as(&caller, verb).await?;
    let further: Further =
        serde_json::from_value(answer).map_err(|error| Problem::internal(&error))?;
    Ok((StatusCode::CREATED, place(further.run), Sent(further)).into_response())
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
    reach::reached(&app, &caller, (run, Permission::Launch)).await?;
    let name: PlaybookName = body
        .playbook
        .parse()
        .map_err(|error| Problem::malformed(format!("{error}")).place("playbook"))?;
    let plan = app.shelf.plan(name).await?;
    let verb = Verb::Supersede(Box::new(NewSuccessor {
        run,
        sources: plan.sources(),
        playbook: plan.name().clone(),
        reason: body.reason.into(),
        by_hand_ok: body.by_hand_ok,
        by: caller.actor.clone(),
    }));
    let answer = app.engine.execute_as(&caller, verb).await?;
    let successor: Successor =
        serde_json::from_value(answer).map_err(|error| Problem::internal(&error))?;
    Ok((StatusCode::ACCEPTED, place(successor.run), Sent(successor)).into_response())
}

fn place(run: RunId) -> [(HeaderName, String); 1] {
    [(header::LOCATION, format!("/api/v1/runs/{run}"))]
}
