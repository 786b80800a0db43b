//! Runs: launched, listed, read.

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::Response;
use beistand_core::model::{Mode, RunId};
use beistand_journal::{Run as Row, RunFilter};
use beistand_runtime::{Caller, EngineError, Launching, NewRun, RunBytes, Verb};
use serde::Deserialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::form::{ChosenKey, ModeWord, PlaybookId, StatusWord, Title};
use super::page::{self, Cursor, Limit};
use super::reach;
use super::shape::{Run, Runs};
use crate::app::App;
use crate::asked::{Asked, At};
use crate::door::Who;
use crate::json::{Exact, Sent};
use crate::report::Problem;

/// A run to be launched.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Wanted {
    /// The playbook's name.
    pub(crate) playbook: PlaybookId,
    /// Its inputs, as `GET /api/v1/playbooks/{id}` describes them.
    #[serde(default)]
    pub(crate) inputs: Map<String, Value>,
    /// In which incident, by id or number; without it one is opened.
    #[schema(max_length = 200)]
    pub(crate) incident: Option<String>,
    /// The title of the incident that is opened; the playbook's where absent. Not beside `incident`.
    pub(crate) title: Option<Title>,
    /// For real or as a drill, as the incident it is in; for real where it is not said.
    pub(crate) mode: Option<ModeWord>,
    /// Steps that nothing is bound for may fall to people.
    #[serde(default)]
    pub(crate) by_hand_ok: bool,
    /// The same launch with the same key gives the same run; with another one it is refused.
    pub(crate) start_key: ChosenKey,
}

/// Which runs.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Which {
    /// Only of this status.
    #[param(inline)]
    status: Option<StatusWord>,
    /// Only of this incident, by id or number.
    #[param(max_length = 200)]
    incident: Option<String>,
    /// `next` of the part before.
    #[param(inline)]
    cursor: Option<Cursor>,
    /// At most so many.
    #[param(inline)]
    limit: Option<Limit>,
}

/// Launches a run. The same launch with the same `start_key` gives the same run; another launch with it
/// is refused with 409.
#[utoipa::path(
    post, path = "/api/v1/runs", tag = "runs", request_body = Wanted,
    responses(
        (status = 201, description = "It was launched", body = Run,
         headers(("Location" = String), ("ETag" = String))),
        (status = 200, description = "It was launched before", body = Run,
         headers(("Location" = String), ("ETag" = String)))
    )
)]
pub(super) async fn launch(
    State(app): State<App>,
    Who(caller): Who,
    Exact(wanted): Exact<Wanted>,
) -> Result<Response, Problem> {
    let (run, status) = launch_one(&app, &caller, wanted).await?;
    launched(&app, &caller, run, status).await
}

/// Launches a run, or finds the one that the same launch gave: 201 or 200.
///
/// # Errors
/// As [`launch`] answers them.
pub(crate) async fn launch_one(
    app: &App,
    caller: &Caller,
    wanted: Wanted,
) -> Result<(RunId, StatusCode), Problem> {
    let key = String::from(wanted.start_key);
    if wanted.incident.is_some() && wanted.title.is_some() {
        let text = "an incident that is there has its title: name `incident` or `title`";
        return Err(Problem::malformed(text).place("title"));
    }
    let incident = match &wanted.incident {
        Some(text) => Some(reach::incident(app, caller, text).await?),
        None => None,
    };
    let asked = Launching {
        playbook: &wanted.playbook.0,
        inputs: &Value::Object(wanted.inputs),
        incident,
        title: wanted.title.as_ref().map(|title| title.0.as_str()),
        mode: wanted.mode.map_or(Mode::Live, |word| word.0),
        by_hand_ok: wanted.by_hand_ok,
        case: None,
    };
    if let Some(known) = app.engine.journal().reader().run_by_start_key(&key).await? {
        known_before(app, caller, (&key, &known), &asked).await?;
        return Ok((known.id, StatusCode::OK));
    }
    let new = new_run(app, caller, &asked, key).await?;
    let verb = Verb::Launch(Box::new(new));
    let answer = app.engine.execute_as(caller, verb).await?;
    let run = answer.get("run").and_then(Value::as_str).and_then(|run| run.parse().ok());
    let run: RunId = run
        .ok_or_else(|| Problem::from(EngineError::Internal("a launch named no run".to_owned())))?;
    Ok((run, StatusCode::CREATED))
}

/// A key that was used is good for the same launch alone, by who may see what it gave.
async fn known_before(
    app: &App,
    caller: &Caller,
    (key, known): (&str, &Row),
    asked: &Launching<'_>,
) -> Result<(), Problem> {
    let scope = caller.rights.scope();
    match app.views.row_of(known.id, &scope).await {
        Ok(_) => {}
        Err(EngineError::NotFound(_)) => {
            return Err(taken("this start key was used for another run"));
        }
        Err(error) => return Err(error.into()),
    }
    // Who reads of it in outline alone is not told what somebody else asked for.
    let reads_all = scope.within(known.incident).organisations.is_none();
    if !reads_all && known.requested_by != caller.actor.person {
        return Err(taken("this start key was used for another run"));
    }
    match app.engine.is_same_launch((key, known), asked).await {
        Ok(()) => Ok(()),
        Err(EngineError::Conflict(text)) => Err(taken(text)),
        Err(error) => Err(error.into()),
    }
}

/// The start key is another launch's.
fn taken(text: impl Into<String>) -> Problem {
    Problem::conflict(text).place("start_key").hint(
        "the same launch gives the same run again, word for word; another launch has another key",
    )
}

async fn new_run(
    app: &App,
    caller: &Caller,
    asked: &Launching<'_>,
    start_key: String,
) -> Result<NewRun, Problem> {
    let plan = app.shelf.plan(asked.playbook.clone()).await?;
    Ok(NewRun {
        sources: plan.sources(),
        playbook: plan.name().clone(),
        inputs: asked.inputs.clone(),
        incident: asked.incident,
        title: asked.title.map(str::to_owned),
        mode: asked.mode,
        short: app.short.clone(),
        start_key: Some(start_key),
        by_hand_ok: asked.by_hand_ok,
        case: None,
        by: caller.actor.clone(),
    })
}

async fn launched(
    app: &App,
    caller: &Caller,
    run: RunId,
    status: StatusCode,
) -> Result<Response, Problem> {
    let bytes = match app.views.run_bytes(run, &caller.rights.scope()).await {
        Ok(bytes) => bytes,
        Err(EngineError::NotFound(_)) => {
            return Err(taken("this start key was used for another run"));
        }
        Err(error) => return Err(error.into()),
    };
    let mut response = whole(bytes, status)?;
    let place = HeaderValue::from_str(&format!("/api/v1/runs/{run}"));
    let place = place.map_err(|error| Problem::internal(&error))?;
    response.headers_mut().insert(header::LOCATION, place);
    Ok(response)
}

/// Runs, newest first, without their steps.
#[utoipa::path(
    get, path = "/api/v1/runs", tag = "runs", params(Which),
    responses((status = 200, description = "A part of them", body = Runs))
)]
pub(super) async fn runs(
    State(app): State<App>,
    Who(caller): Who,
    Asked(which): Asked<Which>,
) -> Result<Sent<Value>, Problem> {
    let page = page::part(which.cursor, which.limit.unwrap_or_default());
    let incident = match &which.incident {
        Some(text) => Some(reach::incident(&app, &caller, text).await?),
        None => None,
    };
    let status = which.status.map(|word| word.0.to_string());
    let filter = RunFilter { status, incident, ..RunFilter::default() };
    let listed = app.views.runs(&filter, &page, &caller.rights.scope()).await?;
    Ok(Sent(page::listed(listed)))
}

/// One run.
#[utoipa::path(
    get, path = "/api/v1/runs/{id}", tag = "runs",
    params(
        ("id" = String, Path, format = "uuid", description = "Which"),
        ("If-None-Match" = Option<String>, Header, description = "What is known of it already")
    ),
    responses(
        (status = 200, description = "As it stands", body = Run, headers(("ETag" = String))),
        (status = 304, description = "It is still as it was", headers(("ETag" = String)))
    )
)]
pub(super) async fn run(
    State(app): State<App>,
    Who(caller): Who,
    At(id): At<RunId>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let bytes = app.views.run_bytes(id, &caller.rights.scope()).await?;
    if is_known(&headers, &bytes.etag) {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        response.headers_mut().insert(header::ETAG, tag(&bytes)?);
        return Ok(response);
    }
    whole(bytes, StatusCode::OK)
}

fn whole(bytes: RunBytes, status: StatusCode) -> Result<Response, Problem> {
    let etag = tag(&bytes)?;
    // What is kept in memory is sent from there, and not copied for each reader.
    let mut response = Response::new(Body::from(Bytes::from_owner(bytes.bytes)));
    *response.status_mut() = status;
    let json = HeaderValue::from_static("application/json");
    response.headers_mut().insert(header::CONTENT_TYPE, json);
    response.headers_mut().insert(header::ETAG, etag);
    Ok(response)
}

fn tag(bytes: &RunBytes) -> Result<HeaderValue, Problem> {
    let value = HeaderValue::from_str(&format!("\"{}\"", bytes.etag));
    value.map_err(|error| Problem::internal(&error))
}

/// Whether the asker has just this (RFC 9110, section 13.1.2: the weak comparison).
fn is_known(headers: &HeaderMap, etag: &str) -> bool {
    let lines = headers.get_all(header::IF_NONE_MATCH).iter().filter_map(|line| line.to_str().ok());
    lines.flat_map(|line| line.split(',')).map(str::trim).any(|tag| {
        let tag = tag.strip_prefix("W/").unwrap_or(tag);
        tag == "*" || tag.strip_prefix('"').and_then(|tag| tag.strip_suffix('"')) == Some(etag)
    })
}

#[cfg(test)]
mod tests;
