//! Incidents: listed, opened, shown, edited and closed. What is added to one stands beside.

use axum::extract::State;
use axum::http::header::{ETAG, IF_MATCH, LOCATION};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::IntoResponse;
use beistand_core::access::{About, Permission};
use beistand_core::model::{IncidentId, Mode, Severity, Tlp};
use beistand_core::timeline::Scope;
use beistand_runtime::{EngineError, IncidentAct, NewIncident, Verb};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::form::{
    AssetWord, Grade, Instant, KindWord, ModeWord, OrganisationName, PersonName, Reason, RoleWord,
    Sha256, Title, TlpWord, Yes,
};
use super::page::{self, Cursor, Limit};
use crate::app::App;
use crate::asked::{Asked, At};
use crate::door::Who;
use crate::json::{Exact, Sent};
use crate::report::Problem;

/// Which part of a list.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Part {
    /// `next` of the page before; nothing for the first.
    #[param(inline)]
    cursor: Option<Cursor>,
}

/// An incident in a list.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(super) struct IncidentRow {
    #[schema(format = "uuid")]
    id: String,
    /// For people: `SIT-2026-0007`.
    number: String,
    mode: ModeWord,
    /// One line; null where it is not yours to read.
    title: Option<String>,
    severity: Grade,
    tlp: TlpWord,
    opened_at: Instant,
    /// Null while it goes on.
    closed_at: Option<Instant>,
}

/// An incident with what belongs to it.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(super) struct IncidentWhole {
    #[serde(flatten)]
    row: IncidentRow,
    /// The number of its newest entry: what `ETag` says.
    seq: u64,
    roles: Vec<RoleHeld>,
    organisations: Vec<OrganisationName>,
    assets: Vec<AssetShown>,
    evidence: Vec<EvidenceShown>,
    /// The number of the drill that it was before it was real.
    drill: Option<String>,
    /// The number of the live incident that this drill turned out to be.
    real: Option<String>,
    /// Command that is offered and not yet taken.
    offer: Option<OfferShown>,
}

/// Who has a role.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(super) struct RoleHeld {
    role: RoleWord,
    person: PersonName,
}

/// Something an incident is about.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(super) struct AssetShown {
    kind: KindWord,
    value: String,
    state: AssetWord,
    organisation: Option<OrganisationName>,
    at: Instant,
}

/// A file that is kept.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(super) struct EvidenceShown {
    name: String,
    digest: Sha256,
    by: PersonName,
    at: Instant,
}

/// Command that is offered.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(super) struct OfferShown {
    to: PersonName,
    by: PersonName,
    since: Instant,
    /// Of the briefing that it was offered with.
    digest: Sha256,
}

/// A page of incidents, newest first.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct IncidentPage {
    items: Vec<IncidentRow>,
    /// Where the next page begins; null on the last.
    next: Option<String>,
}

/// An incident to be opened.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct IncidentOpened {
    title: Title,
    /// `live` where it is not said.
    mode: Option<ModeWord>,
    /// 3 where it is not said.
    severity: Option<Grade>,
    /// `AMBER` where it is not said.
    tlp: Option<TlpWord>,
}

/// Where an incident is.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(super) struct IncidentAt {
    #[schema(format = "uuid")]
    incident: String,
    number: String,
}

/// Another title, severity or circle of readers; or the end.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(
    untagged,
    expecting = "either `closed: true` with a `reason`, or `title`, `severity`, `tlp`, `reason`, each of which may be left out"
)]
pub(super) enum IncidentEdited {
    Closed(Closed),
    Changed(Changed),
}

/// It is over.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Closed {
    #[expect(dead_code, reason = "that it is there is what it says")]
    closed: Yes,
    reason: Reason,
}

/// What becomes of it; what is left out stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Changed {
    title: Option<Title>,
    severity: Option<Grade>,
    tlp: Option<TlpWord>,
    /// Needed where more people may read it than before.
    reason: Option<Reason>,
}

/// What was written into an incident.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct Written {
    #[schema(format = "uuid")]
    incident: String,
    number: String,
    /// The number of its newest entry.
    seq: u64,
    /// It stood so before, and nothing was written.
    #[serde(default)]
    already: bool,
    /// Of the briefing that command is offered with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    digest: Option<Sha256>,
}

/// Incidents, newest first.
#[utoipa::path(
    get, path = "/api/v1/incidents", tag = "incidents", params(Part),
    responses((status = 200, description = "A page of them", body = IncidentPage))
)]
pub(super) async fn list(
    State(app): State<App>,
    who: Who,
    Asked(part): Asked<Part>,
) -> Result<impl IntoResponse, Problem> {
    let page = page::part(part.cursor, Limit::default());
    let listed = app.views.incidents(&page, &who.0.rights.scope()).await?;
    let items: Result<_, _> = listed.items.into_iter().map(shaped).collect();
    Ok(Sent(IncidentPage { items: items?, next: listed.next }))
}

/// Opens an incident.
#[utoipa::path(
    post, path = "/api/v1/incidents", tag = "incidents", request_body = IncidentOpened,
    responses((
        status = 201, description = "It is open", body = IncidentAt,
        headers(("Location" = String, description = "Where it is"))
    ))
)]
pub(super) async fn open(
    State(app): State<App>,
    who: Who,
    Exact(body): Exact<IncidentOpened>,
) -> Result<impl IntoResponse, Problem> {
    let new = NewIncident {
        title: body.title.into(),
        mode: body.mode.map_or(Mode::Live, |word| word.0),
        severity: body.severity.map_or_else(Severity::default, |grade| grade.0),
        tlp: body.tlp.map_or(Tlp::Amber, |word| word.0),
        short: app.short.clone(),
        by: who.0.actor.clone(),
    };
    let verb = Verb::OpenIncident(new);
    who.may(verb.needs(), &About::Instance)?;
    let answer: IncidentAt = shaped(app.engine.execute_as(&who.0, verb).await?)?;
    let place = format!("/api/v1/incidents/{}", answer.incident);
    Ok((StatusCode::CREATED, [(LOCATION, place)], Sent(answer)))
}

/// One incident.
#[utoipa::path(
    get, path = "/api/v1/incidents/{id}", tag = "incidents",
    params(("id" = String, Path, description = "Its id or its number")),
    responses((
        status = 200, description = "It", body = IncidentWhole,
        headers(("ETag" = String, description = "For `If-Match`: its newest entry"))
    ))
)]
pub(super) async fn one(
    State(app): State<App>,
    who: Who,
    At(id): At<String>,
) -> Result<impl IntoResponse, Problem> {
    let scope = who.0.rights.scope();
    let id = app.views.find_incident(&id, &scope).await?;
    let incident: IncidentWhole = shaped(app.views.incident(id, &scope).await?)?;
    Ok(([(ETAG, etag(incident.seq)?)], Sent(incident)))
}

/// Edits or closes an incident, if it is still as it was seen.
#[utoipa::path(
    patch, path = "/api/v1/incidents/{id}", tag = "incidents", request_body = IncidentEdited,
    params(
        ("id" = String, Path, description = "Its id or its number"),
        ("If-Match" = String, Header, description = "The `ETag` of what was seen", pattern = "^\"[0-9]{1,15}\"$"),
    ),
    responses((
        status = 200, description = "It is written", body = Written,
        headers(("ETag" = String, description = "Its newest entry"))
    ))
)]
pub(super) async fn edit(
    State(app): State<App>,
    who: Who,
    At(id): At<String>,
    headers: HeaderMap,
    Exact(body): Exact<IncidentEdited>,
) -> Result<impl IntoResponse, Problem> {
    let seen = seen(&headers)?;
    let act = match body {
        IncidentEdited::Closed(Closed { reason, .. }) => {
            IncidentAct::Close { reason: reason.into() }
        }
        IncidentEdited::Changed(changed) => IncidentAct::Edit {
            title: changed.title.map(String::from),
            severity: changed.severity.map(|grade| grade.0),
            tlp: changed.tlp.map(|word| word.0),
            reason: changed.reason.map(String::from).unwrap_or_default(),
        },
    };
    written(&app, &who, (&id, Some(seen)), act).await
}

/// The entry that the asker saw.
fn seen(headers: &HeaderMap) -> Result<u64, Problem> {
    let hint = "get the incident, and send its `ETag` as `If-Match`";
    let mut values = headers.get_all(IF_MATCH).iter();
    let (first, second) = (values.next(), values.next());
    let first = first.ok_or_else(|| Problem::precondition_required().hint(hint))?;
    let quoted = first.to_str().ok().filter(|_| second.is_none());
    let digits = quoted.and_then(|text| text.strip_prefix('"')?.strip_suffix('"'));
    let digits = digits.filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()));
    digits.and_then(|digits| digits.parse().ok()).ok_or_else(|| {
        Problem::malformed("`If-Match` names one `ETag` in quotation marks, `\"7\"`").hint(hint)
    })
}

/// Writes into an incident: whoever neither sees it nor may do this is told that it is not there.
pub(crate) async fn written(
    app: &App,
    who: &Who,
    (incident, if_seq): (&str, Option<u64>),
    act: IncidentAct,
) -> Result<impl IntoResponse + use<>, Problem> {
    let verb = |incident| Verb::Incident { incident, act, by: who.0.actor.clone(), if_seq };
    let (id, about) = about(app, incident).await?;
    let verb = verb(id);
    allowed(app, who, (incident, id, &about), verb.needs()).await?;
    let answer: Written = shaped(app.engine.execute_as(&who.0, verb).await?)?;
    Ok(([(ETAG, etag(answer.seq)?)], Sent(answer)))
}

/// The incident that a path names, and what acts in it are about.
pub(super) async fn about(app: &App, text: &str) -> Result<(IncidentId, About), Problem> {
    let id = app.views.find_incident(text, &Scope::ALL).await?;
    Ok((id, app.engine.about_incident(id).await?))
}

/// Whether they may do it there.
pub(super) async fn allowed(
    app: &App,
    who: &Who,
    (text, id, about): (&str, IncidentId, &About),
    permission: Permission,
) -> Result<(), Problem> {
    let Err(lacks) = who.may(permission, about) else { return Ok(()) };
    let seen = app.views.find_incident(text, &who.0.rights.scope()).await;
    match seen {
        Ok(found) if found == id => Err(lacks),
        Ok(_) => Err(EngineError::NotFound(format!("there is no incident {text}")).into()),
        Err(error) => Err(error.into()),
    }
}

/// What the engine says, in the shape that OpenAPI names.
pub(super) fn shaped<T: DeserializeOwned>(value: Value) -> Result<T, Problem> {
    serde_json::from_value(value).map_err(|error| Problem::internal(&error))
}

pub(super) fn etag(seq: u64) -> Result<HeaderValue, Problem> {
    HeaderValue::from_str(&format!("\"{seq}\"")).map_err(|error| Problem::internal(&error))
}
