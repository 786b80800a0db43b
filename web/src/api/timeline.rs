//! What happened in an incident: line by line, as a file, and as the briefing for who takes command.

use axum::extract::State;
use axum::http::HeaderMap;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE, VARY};
use axum::response::{IntoResponse, Response};
use beistand_core::timeline::{Lang, Zone};
use beistand_runtime::{LineFilter, Telling, TimelineFormat};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::form::{
    Instant, LaneWord, LangWord, ModeWord, OrganisationName, PersonName, ProofWord, Sha256, Sought,
    TlpWord,
};
use super::incidents::shaped;
use super::page::{self, Cursor, Limit};
use crate::app::App;
use crate::asked::{Asked, At};
use crate::door::Who;
use crate::json::Sent;
use crate::lang;
use crate::report::Problem;

/// Which lines, and how they are told.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Wanted {
    /// Only this kind of doing.
    #[param(inline)]
    lane: Option<LaneWord>,
    /// Only what was written down at or after this instant.
    #[param(inline)]
    from: Option<Instant>,
    /// Only what was written down before this instant.
    #[param(inline)]
    to: Option<Instant>,
    /// Only sentences that hold this text, in small letters or large.
    #[param(inline)]
    q: Option<Sought>,
    /// `next` of the page before; nothing for the first.
    #[param(inline)]
    cursor: Option<Cursor>,
    /// The whole of it as a file, which goes with none of the above.
    #[param(inline)]
    format: Option<FileFormat>,
    /// The language of its sentences; where it is not said that which `Accept-Language` prefers, and
    /// German where that names neither.
    #[param(inline)]
    lang: Option<LangWord>,
}

/// A file that is made of a timeline.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum FileFormat {
    Jsonl,
    Csv,
    Html,
}

/// A line: that of the JSONL export.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(super) struct TimelineLine {
    /// A sentence.
    message: String,
    /// When it happened where somebody said so, otherwise when it was written down.
    datetime: Instant,
    /// Which of the two: `happened` or `recorded`.
    timestamp_desc: String,
    recorded_at: Instant,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    happened_at: Option<Instant>,
    lane: LaneWord,
    /// A word that does not change, `attempt-ended`.
    kind: String,
    /// Noise for most readers.
    detail: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    run: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    playbook: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    item: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    actor: Option<PersonName>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    asserted: bool,
    /// With which account, where it is not called like the person.
    #[serde(skip_serializing_if = "Option::is_none")]
    account: Option<PersonName>,
    /// How they proved who they are; `machine`: no person did this.
    #[serde(skip_serializing_if = "Option::is_none")]
    proof: Option<ProofWord>,
    /// Who typed it in, where that was somebody else.
    #[serde(skip_serializing_if = "Option::is_none")]
    through: Option<PersonName>,
    #[serde(skip_serializing_if = "Option::is_none")]
    organisation: Option<OrganisationName>,
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<Value>,
    mode: ModeWord,
    tlp: TlpWord,
    /// `kind:public-id`.
    stream: String,
    seq: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    entry: Option<String>,
}

/// A page of lines, oldest first.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct TimelinePage {
    items: Vec<TimelineLine>,
    /// Where the next page begins; null on the last.
    next: Option<String>,
}

/// How an incident stands, for who takes command of it.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(super) struct BriefingShown {
    /// What an acceptance is bound to.
    digest: Sha256,
    /// Number, title, roles, assets, what waits, what goes on, what is held, the newest notes.
    #[schema(value_type = Object)]
    briefing: Value,
}

/// What happened in an incident.
#[utoipa::path(
    get, path = "/api/v1/incidents/{id}/timeline", tag = "incidents",
    params(("id" = String, Path, description = "Its id or its number"), Wanted),
    responses((
        status = 200, description = "A page of lines, or the file that `format` asks for",
        content(
            (TimelinePage = "application/json"), (String = "application/x-ndjson"),
            (String = "text/csv"), (String = "text/html"),
        )
    ))
)]
pub(super) async fn timeline(
    State(app): State<App>,
    who: Who,
    At(id): At<String>,
    Asked(wanted): Asked<Wanted>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let scope = who.0.rights.scope();
    let id = app.views.find_incident(&id, &scope).await?;
    let preferred = || lang::preferred(&headers).unwrap_or(Lang::De);
    let lang = wanted.lang.map_or_else(preferred, |word| word.0);
    let telling = Telling { lang, zone: Zone::Berlin, now: app.engine.now() };
    let filter = LineFilter {
        lane: wanted.lane.map(|word| word.0),
        from: wanted.from.map(|at| at.0),
        to: wanted.to.map(|at| at.0),
        text: wanted.q.map(String::from),
    };
    // Who keeps answers keeps one for each language.
    let by_language = [(VARY, "accept-language")];
    let Some(format) = wanted.format else {
        let page = page::part(wanted.cursor, Limit::MOST);
        let listed = app.views.timeline(id, (&filter, &page), &telling, &scope).await?;
        let items: Result<_, _> = listed.items.into_iter().map(shaped).collect();
        let page = Sent(TimelinePage { items: items?, next: listed.next });
        return Ok((by_language, page).into_response());
    };
    let LineFilter { lane, from, to, text } = &filter;
    if lane.is_some() || from.is_some() || to.is_some() || text.is_some() || wanted.cursor.is_some()
    {
        let text = "a file is the whole of a timeline; it goes with `lang` alone";
        return Err(Problem::malformed(text).place("format"));
    }
    let (format, kind, ending) = match format {
        FileFormat::Jsonl => (TimelineFormat::Jsonl, "application/x-ndjson", "jsonl"),
        FileFormat::Csv => (TimelineFormat::Csv, "text/csv; charset=utf-8", "csv"),
        FileFormat::Html => (TimelineFormat::Html, "text/html; charset=utf-8", "html"),
    };
    let mut text = app.views.export(id, format, &telling, &scope).await?;
    text.push('\n');
    // To be saved, never to be shown from here: what people and machines wrote stands in it.
    let name = format!("attachment; filename=\"timeline-{id}.{ending}\"");
    let headers = [(CONTENT_TYPE, kind.to_owned()), (CONTENT_DISPOSITION, name)];
    Ok((by_language, headers, text).into_response())
}

/// How an incident stands, with the digest that taking command is bound to.
#[utoipa::path(
    get, path = "/api/v1/incidents/{id}/briefing", tag = "incidents",
    params(("id" = String, Path, description = "Its id or its number")),
    responses((status = 200, description = "How it stands", body = BriefingShown))
)]
pub(super) async fn briefing(
    State(app): State<App>,
    who: Who,
    At(id): At<String>,
) -> Result<impl IntoResponse, Problem> {
    let scope = who.0.rights.scope();
    let id = app.views.find_incident(&id, &scope).await?;
    let briefing: BriefingShown = shaped(app.views.briefing(id, &scope).await?)?;
    Ok(Sent(briefing))
}
