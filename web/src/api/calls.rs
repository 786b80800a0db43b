//! One effect now, in an incident.

use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::LOCATION;
use axum::response::IntoResponse;
use beistand_core::access::Permission;
use beistand_runtime::OneCall;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::form::{Action, Reason};
use super::incidents::{about, allowed};
use crate::app::App;
use crate::asked::At;
use crate::door::Who;
use crate::json::{Exact, Sent};
use crate::report::Problem;

/// What is to be done.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CallWanted {
    action: Action,
    /// Its arguments.
    #[schema(value_type = Object)]
    with: Map<String, Value>,
    reason: Reason,
    /// It may fall to people where nothing does it.
    #[serde(default)]
    by_hand_ok: bool,
}

/// The run that does it.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct CallRuns {
    #[schema(format = "uuid")]
    run: String,
}

/// Does one thing now: a run of one step, with guard, limits, policy and undo. In a drill it is one.
/// What cuts something off, live, wants a proof of a moment ago.
#[utoipa::path(
    post, path = "/api/v1/incidents/{id}/calls", tag = "incidents", request_body = CallWanted,
    params(("id" = String, Path, description = "The incident's id or number")),
    responses((
        status = 201, description = "It is launched", body = CallRuns,
        headers(("Location" = String, description = "The run"))
    ))
)]
pub(super) async fn call(
    State(app): State<App>,
    who: Who,
    At(text): At<String>,
    Exact(body): Exact<CallWanted>,
) -> Result<impl IntoResponse, Problem> {
    let (id, about) = about(&app, &text).await?;
    for permission in [Permission::Launch, Permission::Note] {
        allowed(&app, &who, (&text, id, &about), permission).await?;
    }
    let call = OneCall {
        action: body.action.0,
        with: Value::Object(body.with),
        reason: body.reason.into(),
        by_hand_ok: body.by_hand_ok,
        by: who.0.actor.clone(),
    };
    let run = app.engine.call(&who.0, id, call).await?.to_string();
    let place = format!("/api/v1/runs/{run}");
    Ok((StatusCode::CREATED, [(LOCATION, place)], Sent(CallRuns { run })))
}
