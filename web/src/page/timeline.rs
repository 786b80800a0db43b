//! The timeline of an incident, for who reads it afterwards: lanes, the same lines as a table, and the
//! story that somebody told of them.

mod asked;
mod line;

use askama::Template;
use axum::extract::{RawQuery, State};
use axum::response::Response;
use beistand_core::access::Permission;
use beistand_core::timeline::{Filter, Lane, Review, StoryEntry, TimelineEntry, drawing};
use beistand_runtime::{Telling, Told};

use self::asked::{Asked, Fields, View};
use self::line::{Chapter, Row};
pub(super) use self::line::{line, mark};
use super::frame::Frame;
use super::incident::{May, mode_of};
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
    tlp: String,
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
            tlp: told.tlp.to_string(),
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

#[cfg(test)]
mod tests;
