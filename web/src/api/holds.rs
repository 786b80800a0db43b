//! What is held: targets on which an effect stands.

use axum::extract::State;
use axum::response::IntoResponse;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::form::{Instant, ModeWord, OrganisationName};
use super::incidents::shaped;
use crate::app::App;
use crate::door::Who;
use crate::json::Sent;
use crate::report::Problem;

/// A run's claim on an effect on a target.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(super) struct HoldShown {
    mode: ModeWord,
    /// `host:pc-17`.
    target: String,
    /// `network.isolate`.
    effect: String,
    #[schema(format = "uuid")]
    run: String,
    /// The step.
    path: String,
    /// `taking`, `held` or `releasing`.
    state: String,
    since: Instant,
    organisation: Option<OrganisationName>,
    connector: String,
}

/// Everything that is held, by target and age.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct HoldList {
    items: Vec<HoldShown>,
}

/// What is held.
#[utoipa::path(
    get, path = "/api/v1/holds", tag = "holds",
    responses((status = 200, description = "All of it", body = HoldList))
)]
pub(super) async fn holds(State(app): State<App>, who: Who) -> Result<impl IntoResponse, Problem> {
    let held = app.views.holds(&who.0.rights.scope()).await?;
    let items: Result<_, _> = held.into_iter().map(shaped).collect();
    Ok(Sent(HoldList { items: items? }))
}
