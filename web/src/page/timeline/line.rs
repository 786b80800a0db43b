//! A line of a timeline: as a row of the table, as the story tells it, and as a page of its own, on which it
//! is marked. What stands in the timeline stays as it is.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use beistand_core::incident::{Mark, Telling as Story};
use beistand_core::model::{LineId, Mode};
use beistand_core::timeline::{StoryEntry, TimelineEntry};
use beistand_runtime::IncidentAct;
use serde::Deserialize;

use super::super::form::Form;
use super::super::frame::Frame;
use super::super::incident::{mode_of, wrote_to};
use super::super::need::said;
use super::super::ui::At;
use crate::api::form::{Line, NoteText, Reason, Title};
use crate::app::App;
use crate::asked::{Asked, At as InPath};
use crate::door::Who;
use crate::report::Problem;

/// A line.
pub(super) struct Row {
    pub(super) id: String,
    pub(super) line: Option<String>,
    pub(super) at: At,
    pub(super) recorded: Option<At>,
    pub(super) late: String,
    pub(super) lane: &'static str,
    pub(super) lane_word: &'static str,
    pub(super) text: String,
    pub(super) who: String,
    pub(super) failed: bool,
    pub(super) detail: bool,
    pub(super) starred: bool,
    pub(super) corrected_by: Option<String>,
    pub(super) corrects: Option<String>,
    pub(super) run: Option<String>,
    pub(super) value: String,
}

/// A line as the story tells it.
pub(super) struct Chapter {
    pub(super) at: At,
    pub(super) title: String,
    pub(super) text: String,
    pub(super) by: String,
    pub(super) line: String,
    pub(super) message: String,
    pub(super) corrected: bool,
}

impl Row {
    pub(super) fn of(frame: &Frame, mode: Mode, line: &TimelineEntry) -> Self {
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
            value: line.value.as_ref().map(said).unwrap_or_default(),
        }
    }
}

/// Where a line stands on the page: by its own name, which is the same for everybody.
fn anchor(id: Option<LineId>, line: &TimelineEntry) -> String {
    id.map_or_else(|| format!("e-{}-{}", line.stream, line.seq), |id| format!("e-{id}"))
}

impl Chapter {
    pub(super) fn of(frame: &Frame, told: &StoryEntry) -> Self {
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
pub(in crate::page) struct Which {
    line: LineId,
}

/// One line, and what can be marked of it.
pub(in crate::page) async fn line(
    State(app): State<App>,
    Who(caller): Who,
    InPath(id): InPath<String>,
    Asked(Which { line }): Asked<Which>,
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
pub(in crate::page) async fn mark(
    State(app): State<App>,
    who: Who,
    InPath(id): InPath<String>,
    frame: Frame,
    form: Form,
) -> Response {
    let again = form.again();
    let answer = async {
        let Marked { line, act, title, text, reason, at, place } = form.read()?;
        let happened_at = frame.times.typed(at.as_deref(), "at")?;
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
