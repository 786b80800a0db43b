//! What is added to an incident: notes, assets, roles, the hand-over of command.

use axum::extract::State;
use axum::response::IntoResponse;
use beistand_runtime::IncidentAct;
use serde::Deserialize;
use utoipa::ToSchema;

use super::form::{
    AssetName, AssetWord, Instant, KindWord, NoteText, OrganisationName, PersonName, RoleWord,
    Sha256, Yes,
};
use super::incidents::{Written, written};
use super::paper;
use crate::app::App;
use crate::asked::At;
use crate::door::Who;
use crate::json::Exact;
use crate::report::Problem;

/// A note.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NoteWritten {
    text: NoteText,
    /// When it happened, where that is not now; in the past.
    at: Option<Instant>,
    /// Who wrote it down on paper, where that is somebody else than who types it in.
    by: Option<PersonName>,
}

/// Things that the incident is about, all in one state.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct AssetsNamed {
    kind: KindWord,
    #[schema(min_items = 1, max_items = 1000)]
    values: Vec<AssetName>,
    state: AssetWord,
    /// Whose they are, where the inventory does not say.
    organisation: Option<OrganisationName>,
}

/// A person takes a role, or leaves it.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RoleAssigned {
    role: RoleWord,
    /// Who; null: nobody.
    #[serde(deserialize_with = "said")]
    #[schema(required)]
    person: Option<PersonName>,
}

/// Command is offered, taken, or not offered any more.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(
    untagged,
    expecting = "one of `to` with an optional `note`, `accept` with the briefing's digest, `withdraw: true`"
)]
pub(super) enum Handover {
    Offered(Offered),
    Accepted(Accepted),
    Withdrawn(Withdrawn),
}

/// Who has command offers it.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Offered {
    to: PersonName,
    /// What they should know besides.
    note: Option<NoteText>,
}

/// Who it was offered to takes it.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Accepted {
    /// The digest of the briefing that they read.
    accept: Sha256,
}

/// Who offered it does not any more.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Withdrawn {
    #[expect(dead_code, reason = "that it is there is what it says")]
    withdraw: Yes,
}

/// A field that must be there, though it may be null: leaving it out empties no role by accident.
fn said<'d, D: serde::Deserializer<'d>>(from: D) -> Result<Option<PersonName>, D::Error> {
    Option::deserialize(from)
}

/// Writes a note.
#[utoipa::path(
    post, path = "/api/v1/incidents/{id}/notes", tag = "incidents", request_body = NoteWritten,
    params(("id" = String, Path, description = "Its id or its number")),
    responses((status = 200, description = "It is written", body = Written))
)]
pub(super) async fn note(
    State(app): State<App>,
    Who(caller): Who,
    At(id): At<String>,
    Exact(body): Exact<NoteWritten>,
) -> Result<impl IntoResponse, Problem> {
    let at = paper::past(&app, body.at)?;
    let who = Who(paper::typed_in(caller, body.by)?);
    written(&app, &who, (&id, None), IncidentAct::Note { text: body.text.into(), at }).await
}

/// Says what the incident is about, and how it stands.
#[utoipa::path(
    post, path = "/api/v1/incidents/{id}/assets", tag = "incidents", request_body = AssetsNamed,
    params(("id" = String, Path, description = "Its id or its number")),
    responses((status = 200, description = "It is written", body = Written))
)]
pub(super) async fn assets(
    State(app): State<App>,
    who: Who,
    At(id): At<String>,
    Exact(body): Exact<AssetsNamed>,
) -> Result<impl IntoResponse, Problem> {
    if body.values.is_empty() {
        return Err(Problem::malformed("this names nothing").place("values"));
    }
    let act = IncidentAct::Assets {
        kind: body.kind.0,
        values: body.values.into_iter().map(String::from).collect(),
        state: body.state.0,
        organisation: body.organisation.map(|name| name.0),
    };
    written(&app, &who, (&id, None), act).await
}

/// Gives a role to a person, or takes it back.
#[utoipa::path(
    post, path = "/api/v1/incidents/{id}/roles", tag = "incidents", request_body = RoleAssigned,
    params(("id" = String, Path, description = "Its id or its number")),
    responses((status = 200, description = "It is written", body = Written))
)]
pub(super) async fn roles(
    State(app): State<App>,
    who: Who,
    At(id): At<String>,
    Exact(body): Exact<RoleAssigned>,
) -> Result<impl IntoResponse, Problem> {
    let (role, person) = (body.role.0, body.person.map(|name| name.0));
    written(&app, &who, (&id, None), IncidentAct::Assign { role, person }).await
}

/// Hands over command.
#[utoipa::path(
    post, path = "/api/v1/incidents/{id}/handover", tag = "incidents", request_body = Handover,
    params(("id" = String, Path, description = "Its id or its number")),
    responses((status = 200, description = "It is written", body = Written))
)]
pub(super) async fn handover(
    State(app): State<App>,
    who: Who,
    At(id): At<String>,
    Exact(body): Exact<Handover>,
) -> Result<impl IntoResponse, Problem> {
    let act = match body {
        Handover::Offered(Offered { to, note }) => {
            IncidentAct::OfferCommand { to: to.0, note: note.map(String::from).unwrap_or_default() }
        }
        Handover::Accepted(Accepted { accept }) => IncidentAct::AcceptCommand { digest: accept.0 },
        Handover::Withdrawn(_) => IncidentAct::WithdrawCommand,
    };
    written(&app, &who, (&id, None), act).await
}
