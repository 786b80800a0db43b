//! Being told that something was written: server-sent events. Which event says what stands in the
//! thing itself, which is read as ever.

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use beistand_core::model::RunId;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::app::App;
use crate::asked::At;
use crate::door::Who;
use crate::report::Problem;
use crate::stream::{Watch, stream};

/// The header in which a browser says what it has seen (HTML, section 9.2).
const LAST_EVENT_ID: &str = "last-event-id";

/// An event on its way (HTML, section 9.2.6): how each one of a stream is read. Nothing is rendered by
/// it; a test reads what is sent through it.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(super) struct EventSent {
    /// For `Last-Event-ID`.
    #[schema(pattern = "^[0-9]{1,18}$")]
    id: String,
    /// What was written to: `run`, `incident`, `store`.
    event: String,
    /// JSON: `{stream, id, seq, at, kinds}`.
    #[schema(content_media_type = "application/json")]
    data: String,
}

/// What is written to a run, as it is written.
///
/// Each event is named after what it was written to; its data is `{stream, id, seq, at, kinds}`.
#[utoipa::path(
    get, path = "/api/v1/runs/{id}/events", tag = "events",
    params(
        ("id" = String, Path, format = "uuid", description = "Which"),
        (
            "Last-Event-ID" = Option<String>, Header, description = "Go on after this event",
            pattern = "^[0-9]{1,18}$"
        )
    ),
    responses((status = 200, description = "Events, until either side leaves", body = EventSent,
               content_type = "text/event-stream"))
)]
pub(super) async fn of_run(
    State(app): State<App>,
    Who(caller): Who,
    At(run): At<RunId>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let after = last_seen(&headers)?;
    stream(app, Watch { caller, of: Some(run), after }, &headers).await
}

/// What is written to anything that the caller may see, as it is written.
///
/// Each event is named after what it was written to; its data is `{stream, id, seq, at, kinds}`.
#[utoipa::path(
    get, path = "/api/v1/events", tag = "events",
    params((
        "Last-Event-ID" = Option<String>, Header, description = "Go on after this event",
        pattern = "^[0-9]{1,18}$"
    )),
    responses((status = 200, description = "Events, until either side leaves", body = EventSent,
               content_type = "text/event-stream"))
)]
pub(super) async fn of_all(
    State(app): State<App>,
    Who(caller): Who,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let after = last_seen(&headers)?;
    stream(app, Watch { caller, of: None, after }, &headers).await
}

/// What was seen last; without it the stream begins now.
fn last_seen(headers: &HeaderMap) -> Result<Option<i64>, Problem> {
    let mut lines = headers.get_all(LAST_EVENT_ID).iter();
    let wrong = || Problem::malformed("`Last-Event-ID` is the id of an event of this stream");
    let Some(line) = lines.next() else { return Ok(None) };
    let text = line.to_str().map_err(|_| wrong())?;
    let number = text.bytes().all(|b| b.is_ascii_digit()) && lines.next().is_none();
    let cursor = text.parse::<i64>().ok().filter(|_| number);
    cursor.map(Some).ok_or_else(wrong)
}

#[cfg(test)]
mod tests;
