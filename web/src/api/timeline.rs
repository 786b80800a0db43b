//! What happened in an incident: line by line, as a file, and as the briefing for who takes command.

use axum::extract::State;
use axum::http::HeaderMap;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE, VARY};
use axum::response::{IntoResponse, Response};
use beistand_core::timeline::{Filter, Lang, Persons, Zone};
use beistand_runtime::{Selection, Telling, TimelineFormat};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::form::{
    Instant, LaneWord, LangWord, Line, ModeWord, OrganisationName, PersonName, PersonsWord,
    PlaybookId, ProofWord, RoleWord, Sha256, Sought, StepPath, TlpWord, Yes, ZoneNamed,
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
    /// Only what this person did, or typed in for somebody else.
    #[param(inline)]
    person: Option<PersonName>,
    /// Only what whoever had this role did then, and what the role was asked for.
    #[param(inline)]
    role: Option<RoleWord>,
    /// Only what is about this host, account or other item, in small letters or large.
    #[param(inline)]
    item: Option<Sought>,
    /// Only this step and what is inside of it; an id alone means the step wherever it stands.
    #[param(inline)]
    step: Option<StepPath>,
    /// Only runs of this playbook.
    #[param(inline)]
    playbook: Option<PlaybookId>,
    /// Only what matters to most readers.
    #[param(inline)]
    significant: Option<Yes>,
    /// Only what did not work, or was late.
    #[param(inline)]
    failures: Option<Yes>,
    /// Only what somebody starred.
    #[param(inline)]
    starred: Option<Yes>,
    /// Only what happened at or after this instant.
    #[param(inline)]
    from: Option<Instant>,
    /// Only what happened before this instant.
    #[param(inline)]
    to: Option<Instant>,
    /// Only sentences that hold this text, in small letters or large.
    #[param(inline)]
    q: Option<Sought>,
    /// `next` of the page before; nothing for the first.
    #[param(inline)]
    cursor: Option<Cursor>,
    /// All of these lines as a file, which has no pages.
    #[param(inline)]
    format: Option<FileFormat>,
    /// The time zone of what people read in a file; Europe/Berlin where it is not said.
    #[param(inline)]
    zone: Option<ZoneNamed>,
    /// In a file: whether it says who; `numbered` leaves out what people wrote freely, too.
    #[param(inline)]
    persons: Option<PersonsWord>,
    /// In a file: only for readers of this marking.
    #[param(inline)]
    up_to: Option<TlpWord>,
    /// The language of its sentences; where it is not said that which `Accept-Language` prefers, and
    /// German where that names neither.
    #[param(inline)]
    lang: Option<LangWord>,
}

impl Wanted {
    fn filter(&self) -> Filter {
        Filter {
            lane: self.lane.map(|word| word.0),
            person: self.person.as_ref().map(|name| name.0.clone()),
            role: self.role.map(|word| word.0),
            item: self.item.clone().map(String::from),
            step: self.step.as_ref().map(|path| path.0.clone()),
            playbook: self.playbook.as_ref().map(|name| name.0.clone()),
            significant: self.significant.is_some(),
            failures: self.failures.is_some(),
            starred: self.starred.is_some(),
            text: self.q.clone().map(String::from),
            from: self.from.map(|at| at.0),
            to: self.to.map(|at| at.0),
        }
    }

    fn telling(&self, app: &App, headers: &HeaderMap) -> Telling {
        let preferred = || lang::preferred(headers).unwrap_or(Lang::De);
        let lang = self.lang.map_or_else(preferred, |word| word.0);
        let zone = self.zone.as_ref().map_or(Zone::Berlin, |zone| zone.0);
        Telling { lang, zone, now: app.engine.now() }
    }

    fn selection(&self) -> Selection {
        Selection {
            filter: self.filter(),
            persons: self.persons.map_or_else(Persons::default, |word| word.0),
            up_to: self.up_to.map(|word| word.0),
        }
    }

    /// What is for files alone goes with no page of lines.
    fn is_plain(&self) -> Result<(), Problem> {
        if self.persons.is_some() || self.up_to.is_some() {
            return Err(Problem::malformed("`persons` and `up_to` go with `format`"));
        }
        Ok(())
    }
}

/// A file that is made of a timeline.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum FileFormat {
    Jsonl,
    Csv,
    Html,
    Stix,
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
    /// It did not work, or is late.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    failed: bool,
    /// How long after it happened it was written down, where that is more than a minute.
    #[serde(skip_serializing_if = "Option::is_none")]
    late_by_ms: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    run: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    playbook: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    item: Option<String>,
    /// What it acts on or is about, by name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    targets: Vec<String>,
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
    /// What it is called when it is corrected, starred or told.
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<Line>,
    /// The line that it corrects, stars or tells.
    #[serde(skip_serializing_if = "Option::is_none")]
    about: Option<Line>,
    /// The newest line that corrects it.
    #[serde(skip_serializing_if = "Option::is_none")]
    corrected_by: Option<Line>,
    /// Who starred it.
    #[serde(skip_serializing_if = "Option::is_none")]
    starred_by: Option<PersonName>,
    /// The roles it is about: who is asked, who is given one, and what who acted was then.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    roles: Vec<RoleWord>,
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

/// A timeline as a drawing.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ReviewShown {
    /// Lanes with points and bars, gaps, deadlines, breaks, ticks and a histogram; null where there is
    /// nothing to see.
    #[schema(value_type = Option<Object>)]
    review: Value,
}

/// An incident in figures; what its lines do not say is null.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(super) struct Figures {
    opened_at: Option<Instant>,
    /// The earliest that is told of it.
    began_at: Option<Instant>,
    /// From the earliest that is told to its opening.
    detect_ms: Option<u64>,
    /// From its opening to the first hold.
    first_hold_ms: Option<u64>,
    /// From its opening to the moment from which on no asset was affected any more.
    contain_ms: Option<u64>,
    /// From its opening to the first message to others that went out.
    notify_ms: Option<u64>,
    /// From its opening to its end.
    close_ms: Option<u64>,
    attempts: u64,
    /// Attempts after the first of the same step.
    repeats: u64,
    attempts_failed: u64,
    /// What waited for people.
    waits: u64,
    /// How long all of that waited, each for itself.
    waited_ms: u64,
    waited_longest_ms: Option<u64>,
    /// How long something waited for people, counted once where several things waited.
    waited_together_ms: u64,
    /// What waits still.
    waiting: u64,
    lines: u64,
    /// Lines that were written down more than a minute after they happened.
    late: u64,
    corrected: u64,
}

/// In which language.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct StoryAsked {
    /// The language of the sentences; where it is not said that which `Accept-Language` prefers.
    #[param(inline)]
    lang: Option<LangWord>,
}

/// A line as the story tells it.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(super) struct StoryLine {
    line: Line,
    /// Null where it has none, and where it is not yours to read.
    title: Option<String>,
    /// Null where the line speaks for itself, and where it is not yours to read.
    text: Option<String>,
    /// The time it is told with.
    at: Instant,
    place: Option<u32>,
    /// Who tells it.
    by: Option<PersonName>,
    told_at: Instant,
    /// What the line itself says.
    message: String,
    lane: LaneWord,
    /// The line was corrected.
    corrected: bool,
}

/// A timeline as a bundle of STIX 2.1, section 8.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct StixBundle {
    id: String,
    r#type: String,
    /// Markings, identities, the incident, and its lines as notes.
    objects: Vec<serde_json::Map<String, Value>>,
}

/// The story of an incident.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Story {
    items: Vec<StoryLine>,
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
            (StixBundle = "application/stix+json;version=2.1"),
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
    let (telling, filter) = (wanted.telling(&app, &headers), wanted.filter());
    // Who keeps answers keeps one for each language.
    let by_language = [(VARY, "accept-language")];
    let selection = wanted.selection();
    let Some(format) = wanted.format else {
        wanted.is_plain()?;
        let page = page::part(wanted.cursor, Limit::MOST);
        let listed = app.views.timeline(id, (&filter, &page), &telling, &scope).await?;
        let items: Result<_, _> = listed.items.into_iter().map(shaped).collect();
        let page = Sent(TimelinePage { items: items?, next: listed.next });
        return Ok((by_language, page).into_response());
    };
    if wanted.cursor.is_some() {
        return Err(Problem::malformed("a file has no pages").place("format"));
    }
    let (format, kind, ending) = match format {
        FileFormat::Jsonl => (TimelineFormat::Jsonl, "application/x-ndjson", "jsonl"),
        FileFormat::Csv => (TimelineFormat::Csv, "text/csv; charset=utf-8", "csv"),
        FileFormat::Html => (TimelineFormat::Html, "text/html; charset=utf-8", "html"),
        FileFormat::Stix => (TimelineFormat::Stix, "application/stix+json;version=2.1", "json"),
    };
    let mut text = app.views.export(id, (format, &selection), &telling, &scope).await?;
    text.push('\n');
    // To be saved, never to be shown from here: what people and machines wrote stands in it.
    let name = format!("attachment; filename=\"timeline-{id}.{ending}\"");
    let headers = [(CONTENT_TYPE, kind.to_owned()), (CONTENT_DISPOSITION, name)];
    Ok((by_language, headers, text).into_response())
}

/// A timeline as a drawing: lanes with points and bars, in numbers from 0 to 1000.
#[utoipa::path(
    get, path = "/api/v1/incidents/{id}/timeline/review", tag = "incidents",
    params(("id" = String, Path, description = "Its id or its number"), Wanted),
    responses((status = 200, description = "How these lines are drawn", body = ReviewShown))
)]
pub(super) async fn review(
    State(app): State<App>,
    who: Who,
    At(id): At<String>,
    Asked(wanted): Asked<Wanted>,
    headers: HeaderMap,
) -> Result<impl IntoResponse, Problem> {
    wanted.is_plain()?;
    if wanted.cursor.is_some() || wanted.format.is_some() {
        return Err(Problem::malformed("a drawing has no pages and no other format"));
    }
    let scope = who.0.rights.scope();
    let id = app.views.find_incident(&id, &scope).await?;
    let telling = wanted.telling(&app, &headers);
    let told = app.views.told(id, telling.lang, &scope).await?.filtered(&wanted.filter());
    let review = serde_json::to_value(told.review(&telling));
    let review = review.map_err(|error| Problem::internal(&error))?;
    Ok(([(VARY, "accept-language")], Sent(ReviewShown { review })))
}

/// An incident in figures.
#[utoipa::path(
    get, path = "/api/v1/incidents/{id}/metrics", tag = "incidents",
    params(("id" = String, Path, description = "Its id or its number")),
    responses((status = 200, description = "Lengths in milliseconds; null what is not known", body = Figures))
)]
pub(super) async fn metrics(
    State(app): State<App>,
    who: Who,
    At(id): At<String>,
) -> Result<impl IntoResponse, Problem> {
    let scope = who.0.rights.scope();
    let id = app.views.find_incident(&id, &scope).await?;
    let telling = Telling { lang: Lang::En, zone: Zone::Utc, now: app.engine.now() };
    let found = app.views.told(id, telling.lang, &scope).await?.metrics(&telling);
    let found = serde_json::to_value(found).map_err(|error| Problem::internal(&error))?;
    let figures: Figures = shaped(found)?;
    Ok(Sent(figures))
}

/// The story that is told of an incident.
#[utoipa::path(
    get, path = "/api/v1/incidents/{id}/story", tag = "incidents",
    params(("id" = String, Path, description = "Its id or its number"), StoryAsked),
    responses((status = 200, description = "Its entries, in their order", body = Story))
)]
pub(super) async fn story(
    State(app): State<App>,
    who: Who,
    At(id): At<String>,
    Asked(asked): Asked<StoryAsked>,
    headers: HeaderMap,
) -> Result<impl IntoResponse, Problem> {
    let scope = who.0.rights.scope();
    let id = app.views.find_incident(&id, &scope).await?;
    let preferred = || lang::preferred(&headers).unwrap_or(Lang::De);
    let lang = asked.lang.map_or_else(preferred, |word| word.0);
    let told = app.views.told(id, lang, &scope).await?;
    let items = serde_json::to_value(told.story()).map_err(|error| Problem::internal(&error))?;
    let items: Vec<StoryLine> = shaped(items)?;
    Ok(([(VARY, "accept-language")], Sent(Story { items })))
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
