//! The stop switch.

use axum::extract::State;
use axum::response::IntoResponse;
use beistand_runtime::{Caller, Verb};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::form::Reason;
use crate::app::App;
use crate::door::Who;
use crate::json::{Exact, Sent};
use crate::report::Problem;

/// The switch is turned.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Turned {
    reason: Reason,
}

/// How the switch stands.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(super) struct Switch {
    /// Whether nothing starts.
    stopped: bool,
    /// Effects that had begun and are out now: target, effect, run and path of each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    open: Vec<Value>,
}

/// No effect starts any more, in any run.
#[utoipa::path(
    post, path = "/api/v1/stop", tag = "stop switch", request_body = Turned,
    responses((status = 200, description = "It is on", body = Switch))
)]
pub(super) async fn stop(
    State(app): State<App>,
    Who(caller): Who,
    Exact(body): Exact<Turned>,
) -> Result<impl IntoResponse, Problem> {
    let verb = Verb::StopAll { by: caller.actor.clone(), reason: body.reason.into() };
    switched(&app, &caller, verb).await
}

/// Effects start again. Another person's act than the stop.
#[utoipa::path(
    post, path = "/api/v1/go-on", tag = "stop switch", request_body = Turned,
    responses((status = 200, description = "It is off", body = Switch))
)]
pub(super) async fn go_on(
    State(app): State<App>,
    Who(caller): Who,
    Exact(body): Exact<Turned>,
) -> Result<impl IntoResponse, Problem> {
    let verb = Verb::GoOn { by: caller.actor.clone(), reason: body.reason.into() };
    switched(&app, &caller, verb).await
}

async fn switched(
    app: &App,
    caller: &Caller,
    verb: Verb,
) -> Result<impl IntoResponse + use<>, Problem> {
    let answer = app.engine.execute_as(caller, verb).await?;
    let switch: Switch =
        serde_json::from_value(answer).map_err(|error| Problem::internal(&error))?;
    Ok(Sent(switch))
}
