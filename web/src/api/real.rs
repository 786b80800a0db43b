//! A drill that turned out to be real: its live incident, opened once.

use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::LOCATION;
use axum::response::IntoResponse;
use beistand_runtime::{Caller, Verb};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::incidents::shaped;
use crate::app::App;
use crate::asked::At;
use crate::door::Who;
use crate::json::Sent;
use crate::report::Problem;

/// The live incident of a drill.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct Real {
    #[schema(format = "uuid")]
    pub(crate) incident: String,
    pub(crate) number: String,
    /// It was opened before, and this changed nothing.
    #[serde(default)]
    already: bool,
}

/// Opens what is known in a drill as a live incident: its title, severity and marking, whom it concerns, its
/// assets, and its notes with their times; no run, approval, hold, role or file. Who asks again is led to the
/// same.
#[utoipa::path(
    post, path = "/api/v1/incidents/{id}/real", tag = "incidents",
    params(("id" = String, Path, description = "The drill's id or number")),
    responses(
        (
            status = 201, description = "It is open", body = Real,
            headers(("Location" = String, description = "Where it is"))
        ),
        (
            status = 200, description = "It was opened before", body = Real,
            headers(("Location" = String, description = "Where it is"))
        )
    )
)]
pub(super) async fn turn(
    State(app): State<App>,
    Who(caller): Who,
    At(id): At<String>,
) -> Result<impl IntoResponse, Problem> {
    let real = turned(&app, &caller, &id).await?;
    let status = if real.already { StatusCode::OK } else { StatusCode::CREATED };
    let place = format!("/api/v1/incidents/{}", real.incident);
    Ok((status, [(LOCATION, place)], Sent(real)))
}

/// Opens it.
///
/// # Errors
/// 404 where the drill is not there for them, 403 where they read only a part of it, 409 where it is none.
pub(crate) async fn turned(app: &App, caller: &Caller, id: &str) -> Result<Real, Problem> {
    let scope = caller.rights.scope();
    let incident = app.views.find_incident(id, &scope).await?;
    // Who copies all of it reads all of it.
    app.views.known_in(incident, &scope).await?;
    let (short, by) = (app.short.clone(), caller.actor.clone());
    let verb = Verb::TurnReal { incident, short, by };
    shaped(app.engine.execute_as(caller, verb).await?)
}
