//! The timeline of an incident, for who reads it afterwards: lanes, the same lines as a table, and the
//! story that somebody told of them. What is left out stands in the address, so that a view can be
//! handed on as a link.

use askama::Template;
use axum::extract::{RawQuery, State};
use axum::response::Response;
use beistand_core::access::Permission;
use beistand_core::incident::{Mark, Telling as Story};
use beistand_core::model::{LineId, Mode};
use beistand_core::timeline::{Filter, Lane, Review, StoryEntry, TimelineEntry, drawing};
use beistand_runtime::{IncidentAct, Telling, Told};
use serde::Deserialize;

use super::form::Form;
use super::frame::Frame;
use super::incident::{May, mode_of, wrote_to};
use super::ui::At;
use crate::api::form::{Line, NoteText, Reason, Title};
use crate::app::App;
use crate::asked::At as InPath;
use crate::door::Who;
use crate::report::Problem;

/// Lines on one page: what a browser shows at once, and a person looks through.
const LINES: usize = 200;

#[derive(Template)]
#[template(path = "timeline.html")]
struct Page<'a> {
    frame: &'a Frame,
    number: String,
    title: String,
    /// What paper says below each page.
    paper: String,
    href: String,
    view: View,
    newest_first: bool,
    filter: Fields,
    /// Which lines a file has: those that are shown.
    handed_on: Vec<(&'static str, String)>,
    /// The other views of the same lines.
    views: [String; 3],
    /// Details that are hidden or shown, and the page where it is the other way.
    details: Option<Details>,
    lanes: Vec<(&'static str, &'static str)>,
    drawn: String,
    bins: Vec<Bin>,
    rows: Vec<Row>,
    shown: (usize, usize, usize),
    earlier: Option<String>,
    later: Option<String>,
    story: Vec<Chapter>,
    marks: bool,
    api: String,
}

/// What is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum View {
    /// The drawing and the table below it.
    Lanes,
    /// The table alone.
    Table,
    /// The story.
    Story,
}

/// The filter as the form has it.
#[derive(Debug, Clone, Default)]
struct Fields {
    parts: Vec<(&'static str, String)>,
    active: usize,
}

/// Lines that are noise for most readers.
struct Details {
    count: usize,
    shown: bool,
    href: String,
}

/// A stretch of time, and how much happened in it.
struct Bin {
    x: usize,
    height: usize,
    bad: bool,
    href: String,
    said: String,
}

/// A line.
struct Row {
    id: String,
    line: Option<String>,
    at: At,
    recorded: Option<At>,
    late: String,
    lane: &'static str,
    lane_word: &'static str,
    text: String,
    who: String,
    failed: bool,
    detail: bool,
    starred: bool,
    corrected_by: Option<String>,
    corrects: Option<String>,
    run: Option<String>,
    value: String,
}

/// A line as the story tells it.
struct Chapter {
    at: At,
    title: String,
    text: String,
    by: String,
    line: String,
    message: String,
    corrected: bool,
}

impl Fields {
    fn of(filter: &Filter) -> Self {
        Self { parts: filter.parts(), active: filter.active() }
    }

    fn get(&self, name: &str) -> &str {
        let part = self.parts.iter().find(|(own, _)| *own == name);
        part.map(|(_, value)| value.as_str()).unwrap_or_default()
    }

    fn is(&self, name: &str, value: &str) -> bool {
        self.get(name) == value
    }
}

/// What an address asks for.
#[derive(Debug, Clone, Default)]
struct Asked {
    filter: Filter,
    view: Option<View>,
    newest_first: bool,
    /// With what is noise for most readers.
    details: bool,
    page: usize,
    /// The page that this line stands on.
    line: Option<LineId>,
}

impl Asked {
    /// Reads a query. A field of the form that was left empty asks for nothing; a time may be typed as
    /// people write it.
    fn read(query: &str, frame: &Frame) -> Result<Self, Problem> {
        let mut asked = Self::default();
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            if value.is_empty() {
                continue;
            }
            match name.as_ref() {
                "view" => {
                    asked.view = match value.as_ref() {
                        "table" => Some(View::Table),
                        "story" => Some(View::Story),
                        _ => Some(View::Lanes),
                    };
                }
                "order" => asked.newest_first = value == "newest",
                "details" => asked.details = value == "true",
                "line" => asked.line = value.parse().ok(),
                "page" => asked.page = value.parse().unwrap_or_default(),
                // What matters is what is shown, unless details are asked for.
                "done" | "significant" => {}
                "from" | "to" => {
                    let wrong = || {
                        let text = "a time is `14:41`, or a date with a time";
                        Problem::malformed(text).place(name.clone())
                    };
                    let at = frame.times.read(&value).ok_or_else(wrong)?;
                    let set = asked.filter.set(&name, &at.to_string());
                    set.map_err(|error| Problem::malformed(error.to_string()))?;
                }
                name => {
                    let set = asked.filter.set(name, &value);
                    set.map_err(|error| Problem::malformed(error.to_string()).place(name))?;
                }
            }
        }
        Ok(asked)
    }

    /// The query that asks for the same.
    fn query(&self) -> String {
        let view = match self.view {
            Some(View::Table) => "table",
            Some(View::Story) => "story",
            Some(View::Lanes) | None => "lanes",
        };
        let order = if self.newest_first { "&order=newest" } else { "" };
        let details = if self.details { "&details=true" } else { "" };
        let query = self.filter.to_query();
        let joint = if query.is_empty() { "" } else { "&" };
        let page = if self.page > 0 { format!("&page={}", self.page) } else { String::new() };
        format!("?view={view}{order}{details}{joint}{query}{page}")
    }

    /// Another page of the same.
    fn page(&self, page: usize) -> String {
        Self { page, ..self.clone() }.query()
    }

    /// The same from its beginning, as another view.
    fn view(&self, view: View) -> String {
        Self { view: Some(view), page: 0, ..self.clone() }.query()
    }

    /// Which lines stand in the table.
    fn shows(&self, line: &TimelineEntry) -> bool {
        self.details || !line.detail
    }
}

/// The lines that stand on the page that is asked for, and which page that is.
fn on_page<'l>(told: &'l Told, asked: &mut Asked) -> (Vec<&'l TimelineEntry>, usize) {
    let wanted = |line: &TimelineEntry| asked.line.is_some() && line.line() == asked.line;
    asked.details |= told.lines.iter().any(|line| line.detail && wanted(line));
    let mut lines: Vec<&TimelineEntry> =
        told.lines.iter().filter(|line| asked.shows(line)).collect();
    if asked.newest_first {
        lines.reverse();
    }
    let found = lines.len();
    if let Some(place) = lines.iter().position(|line| wanted(line)) {
        asked.page = place / LINES;
    }
    let begin = asked.page.saturating_mul(LINES).min(found);
    (lines.into_iter().skip(begin).take(LINES).collect(), found)
}

/// The page.
pub(super) async fn page(
    State(app): State<App>,
    Who(caller): Who,
    InPath(id): InPath<String>,
    RawQuery(query): RawQuery,
    mut frame: Frame,
) -> Result<Response, Problem> {
    let scope = caller.rights.scope();
    let id = app.views.find_incident(&id, &scope).await?;
    if let Some(elsewhere) = frame.elsewhere(mode_of(&app, id).await?) {
        return Ok(elsewhere);
    }
    let asked = Asked::read(&query.unwrap_or_default(), &frame)?;
    let told = app.views.told(id, frame.show.lang, &scope).await?;
    let story = told.story();
    let all = told.lines.iter().filter(|line| asked.shows(line)).count();
    let told = told.filtered(&asked.filter);
    let about = app.engine.about_incident(id).await?;
    let marks = May::of(&caller, &about).have(Permission::Note.as_str());
    let page = Page::of(&frame, (told, story), (asked, all), (marks, id.to_string()));
    frame.page(&page)
}

impl<'a> Page<'a> {
    fn of(
        frame: &'a Frame,
        (told, story): (Told, Vec<StoryEntry>),
        (mut asked, all): (Asked, usize),
        (marks, id): (bool, String),
    ) -> Self {
        let href = Frame::to(told.mode, &format!("/incidents/{}", told.number));
        let view = asked.view.unwrap_or(View::Lanes);
        let telling = frame.telling();
        let review = if view == View::Lanes { told.review(&telling) } else { None };
        let here = format!("{href}/timeline");
        let (lines, found) = on_page(&told, &mut asked);
        let bins = review.as_ref().map(|review| bins(frame, review, (&here, &asked)));
        let rows: Vec<Row> = match view {
            View::Story => Vec::new(),
            View::Lanes | View::Table => {
                lines.into_iter().map(|line| Row::of(frame, told.mode, line)).collect()
            }
        };
        let more = asked.page.saturating_mul(LINES) + rows.len() < found;
        let count = told.lines.iter().filter(|line| line.detail).count();
        let other = Asked { details: !asked.details, page: 0, ..asked.clone() };
        let details =
            Details { count, shown: asked.details, href: format!("{here}{}", other.query()) };
        Self {
            frame,
            number: told.number.clone(),
            title: told.title.clone().unwrap_or_default(),
            paper: paper(frame, &told, &telling),
            view,
            newest_first: asked.newest_first,
            filter: Fields::of(&asked.filter),
            // What only the eye leaves out is handed on.
            handed_on: asked.filter.parts(),
            views: [View::Lanes, View::Table, View::Story]
                .map(|view| format!("{here}{}", asked.view(view))),
            details: (count > 0 || asked.details).then_some(details),
            lanes: Lane::ALL
                .iter()
                .map(|lane| (lane.as_str(), lane.said(frame.show.lang)))
                .collect(),
            drawn: review.as_ref().map(drawing).unwrap_or_default(),
            bins: bins.unwrap_or_default(),
            shown: (rows.len(), found, all),
            earlier: asked.page.checked_sub(1).map(|page| format!("{here}{}", asked.page(page))),
            later: more.then(|| format!("{here}{}", asked.page(asked.page + 1))),
            rows,
            story: story.iter().map(|one| Chapter::of(frame, one)).collect(),
            marks,
            api: format!("/api/v1/incidents/{id}/timeline"),
            href,
        }
    }
}

/// As much of a digest as somebody compares by eye: `sha256:` and sixteen digits.
const HEAD_SIGNS: usize = 23;

/// Which incident, for whom, and the head of the journal where all of it may be read.
fn paper(frame: &Frame, told: &Told, telling: &Telling) -> String {
    let said = format!("{} · TLP:{}", told.number, told.tlp);
    match told.document("", telling, None).head {
        Some(head) => {
            let head: String = head.to_string().chars().take(HEAD_SIGNS).collect();
            format!("{said} · {} {head}…", frame.t("digest"))
        }
        None => said,
    }
}

/// The histogram, each stretch a link to itself.
fn bins(frame: &Frame, review: &Review, (here, asked): (&str, &Asked)) -> Vec<Bin> {
    let most = review.bins.iter().map(|bin| bin.lines).max().unwrap_or(1).max(1);
    let bin = |(at, bin): (usize, &beistand_core::timeline::Bin)| Bin {
        x: at * 10,
        height: (bin.lines * 40).div_ceil(most),
        bad: bin.failed > 0,
        href: {
            let (from, to) = (Some(bin.from), Some(bin.to));
            let filter = Filter { from, to, ..asked.filter.clone() };
            format!("{here}{}", Asked { filter, page: 0, ..asked.clone() }.query())
        },
        said: format!(
            "{} – {}: {}",
            frame.times.stamp(bin.from).short,
            frame.times.stamp(bin.to).short,
            frame.tn("lines", bin.lines)
        ),
    };
    let all = review.bins.iter().enumerate().map(bin);
    all.filter(|bin| bin.height > 0).collect()
}

impl Row {
    fn of(frame: &Frame, mode: Mode, line: &TimelineEntry) -> Self {
        let id = line.line();
        let late = line.late_by();
        let who = line.actor.as_ref().map(ToString::to_string).unwrap_or_default();
        let through = line.through.as_ref().map(|through| format!(" ({through})"));
        Self {
            id: anchor(id, line),
            line: id.map(|id| id.to_string()),
            at: At::short(frame, line.when()),
            recorded: late.map(|_| At::short(frame, line.at)),
            late: late.map(|span| frame.times.span(span)).unwrap_or_default(),
            lane: line.lane.as_str(),
            lane_word: line.lane.said(frame.show.lang),
            text: line.text.clone(),
            who: format!("{who}{}", through.unwrap_or_default()),
            failed: line.failed,
            detail: line.detail,
            starred: line.starred_by.is_some(),
            corrected_by: line.corrected_by.map(|id| id.to_string()),
            corrects: (line.kind == "line-corrected")
                .then_some(line.about)
                .flatten()
                .map(|id| id.to_string()),
            run: line.run.map(|run| Frame::to(mode, &format!("/runs/{run}"))),
            value: line.value.as_ref().map(super::need::said).unwrap_or_default(),
        }
    }
}

/// Where a line stands on the page: by its own name, which is the same for everybody.
fn anchor(id: Option<LineId>, line: &TimelineEntry) -> String {
    id.map_or_else(|| format!("e-{}-{}", line.stream, line.seq), |id| format!("e-{id}"))
}

impl Chapter {
    fn of(frame: &Frame, told: &StoryEntry) -> Self {
        Self {
            at: At::full(frame, told.at),
            title: told.title.clone().unwrap_or_default(),
            text: told.text.clone().unwrap_or_default(),
            by: told.by.as_ref().map(ToString::to_string).unwrap_or_default(),
            line: told.line.to_string(),
            message: told.message.clone(),
            corrected: told.corrected,
        }
    }
}

#[derive(Template)]
#[template(path = "line.html")]
struct LinePage<'a> {
    frame: &'a Frame,
    number: String,
    href: String,
    row: Row,
    told: Option<Chapter>,
    place: String,
}

/// Which line.
#[derive(Debug, Deserialize)]
pub(super) struct Which {
    line: LineId,
}

/// One line, and what can be marked of it.
pub(super) async fn line(
    State(app): State<App>,
    Who(caller): Who,
    InPath(id): InPath<String>,
    crate::asked::Asked(Which { line }): crate::asked::Asked<Which>,
    mut frame: Frame,
) -> Result<Response, Problem> {
    let scope = caller.rights.scope();
    let id = app.views.find_incident(&id, &scope).await?;
    if let Some(elsewhere) = frame.elsewhere(mode_of(&app, id).await?) {
        return Ok(elsewhere);
    }
    let told = app.views.told(id, frame.show.lang, &scope).await?;
    let missing = || Problem::not_found("the timeline has no such line").place("line");
    let found = told.lines.iter().find(|one| one.line() == Some(line)).ok_or_else(missing)?;
    let story = told.story();
    let chapter = story.iter().find(|one| one.line == line);
    let page = LinePage {
        frame: &frame,
        number: told.number.clone(),
        href: Frame::to(told.mode, &format!("/incidents/{}", told.number)),
        row: Row::of(&frame, told.mode, found),
        told: chapter.map(|one| Chapter::of(&frame, one)),
        place: chapter.and_then(|one| one.place).map(|n| n.to_string()).unwrap_or_default(),
    };
    frame.page(&page)
}

/// What is marked of a line.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Marked {
    line: Line,
    act: Act,
    title: Option<Title>,
    text: Option<NoteText>,
    reason: Option<Reason>,
    at: Option<String>,
    place: Option<String>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Act {
    Star,
    Unstar,
    Correct,
    Tell,
    LeaveOut,
}

/// Stars, corrects or tells a line. What stands in the timeline stays as it is.
pub(super) async fn mark(
    State(app): State<App>,
    who: Who,
    InPath(id): InPath<String>,
    frame: Frame,
    form: Form,
) -> Response {
    let again = form.again();
    let answer = async {
        let Marked { line, act, title, text, reason, at, place } = form.read()?;
        let wrong = || Problem::malformed("a time is `14:41`, or a date with a time").place("at");
        let happened_at = at.map(|at| frame.times.read(&at).ok_or_else(wrong)).transpose()?;
        let missing = |field: &str| Problem::malformed("this is missing").place(field);
        let mark = match act {
            Act::Star => Mark::Star,
            Act::Unstar => Mark::Unstar,
            Act::LeaveOut => Mark::LeaveOut,
            Act::Correct => Mark::Correct {
                text: text.ok_or_else(|| missing("text"))?.into(),
                reason: reason.ok_or_else(|| missing("reason"))?.into(),
                happened_at,
            },
            Act::Tell => {
                let number = |text: String| text.parse().map_err(|_| missing("place"));
                Mark::Tell(Story {
                    title: title.map(String::from),
                    text: text.map(String::from),
                    happened_at,
                    place: place.map(number).transpose()?,
                })
            }
        };
        let anchor = format!("/timeline?line={0}#e-{0}", line.0);
        let act = IncidentAct::Mark { line: line.0, mark };
        wrote_to(&app, &who, (&id, None), (act, "marked", &anchor)).await
    };
    Form::answered(again, answer.await)
}

#[cfg(test)]
mod tests;
