//! What is added to an incident: notes, marks in its timeline, assets, roles, the hand-over of command.

use axum::extract::State;
use axum::response::IntoResponse;
use beistand_core::incident::{Mark, Telling};
use beistand_runtime::IncidentAct;
use serde::Deserialize;
use utoipa::ToSchema;

use super::form::{
    AssetName, AssetWord, Instant, KindWord, Line, NoteText, OrganisationName, PersonName, Place,
    Reason, RoleWord, Sha256, Title, Yes,
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
    /// The line that it corrects, which stays and is struck through; `at` is then when it happened in
    /// truth, where that was wrong.
    corrects: Option<Line>,
    /// Why it corrects it; goes with `corrects`, and is needed there.
    reason: Option<Reason>,
}

/// Whether a line matters.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Starred {
    line: Line,
    /// `false` takes the mark away.
    starred: bool,
}

/// A line is told in the story, or no more.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(
    untagged,
    expecting = "`line` with `leave_out: true`, or with `title`, `text`, `at`, `place`, each of which may be left out"
)]
pub(super) enum StoryWritten {
    LeftOut(LeftOut),
    Told(Told),
}

/// It is told no more.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct LeftOut {
    line: Line,
    #[expect(dead_code, reason = "that it is there is what it says")]
    leave_out: Yes,
}

/// It is told; what is left out is as the line has it.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Told {
    line: Line,
    /// What it is called in the story.
    title: Option<Title>,
    /// In own words.
    text: Option<NoteText>,
    /// The time it is told with; in the past.
    at: Option<Instant>,
    /// Its place; those without one follow by their times.
    place: Option<Place>,
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
    let text = body.text.into();
    let act = match (body.corrects, body.reason) {
        (None, None) => IncidentAct::Note { text, at },
        (Some(line), Some(reason)) => {
            let mark = Mark::Correct { text, happened_at: at, reason: reason.into() };
            IncidentAct::Mark { line: line.0, mark }
        }
        (Some(_), None) => {
            return Err(Problem::malformed("whoever corrects a line says why").place("reason"));
        }
        (None, Some(_)) => {
            return Err(Problem::malformed("a `reason` goes with `corrects`").place("reason"));
        }
    };
    written(&app, &who, (&id, None), act).await
}

/// Marks a line of the timeline as one that matters, or takes the mark away.
#[utoipa::path(
    post, path = "/api/v1/incidents/{id}/stars", tag = "incidents", request_body = Starred,
    params(("id" = String, Path, description = "Its id or its number")),
    responses((status = 200, description = "It is written", body = Written))
)]
pub(super) async fn star(
    State(app): State<App>,
    who: Who,
    At(id): At<String>,
    Exact(body): Exact<Starred>,
) -> Result<impl IntoResponse, Problem> {
    let mark = if body.starred { Mark::Star } else { Mark::Unstar };
    written(&app, &who, (&id, None), IncidentAct::Mark { line: body.line.0, mark }).await
}

/// Tells a line in the story of the incident, or leaves it out again.
#[utoipa::path(
    post, path = "/api/v1/incidents/{id}/story", tag = "incidents", request_body = StoryWritten,
    params(("id" = String, Path, description = "Its id or its number")),
    responses((status = 200, description = "It is written", body = Written))
)]
pub(super) async fn tell(
    State(app): State<App>,
    who: Who,
    At(id): At<String>,
    Exact(body): Exact<StoryWritten>,
) -> Result<impl IntoResponse, Problem> {
    let (line, mark) = match body {
        StoryWritten::LeftOut(LeftOut { line, .. }) => (line, Mark::LeaveOut),
        StoryWritten::Told(Told { line, title, text, at, place }) => {
            let happened_at = paper::past(&app, at)?;
            let (title, text) = (title.map(String::from), text.map(String::from));
            let place = place.map(u32::from);
            (line, Mark::Tell(Telling { title, text, happened_at, place }))
        }
    };
    written(&app, &who, (&id, None), IncidentAct::Mark { line: line.0, mark }).await
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
