//! The printed form: what is to be done, with boxes to tick and lines to write on, for the night in
//! which everything else is off. Of a playbook, before it; of a run, with what is done so far.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use beistand_core::model::{Mode, PlaybookName, RunId};
use beistand_core::timeline::{Bit, Given, Row, RowKind, Sheet, sheet};

use super::frame::Frame;
use super::playbook::sound;
use super::ui::At;
use crate::app::App;
use crate::asked::At as InPath;
use crate::door::Who;
use crate::report::Problem;

/// Lines are moved in by their depth as far as paper has room for.
const DEPTH_MAX: usize = 6;

#[derive(Template)]
#[template(path = "sheet.html")]
struct Page<'a> {
    frame: &'a Frame,
    title: String,
    playbook: String,
    tlp: String,
    digest: String,
    /// The run that it is of.
    run: String,
    given: Vec<Given>,
    asked: Vec<Vec<Part>>,
    sections: Vec<(String, Vec<Item>)>,
    sources: Vec<String>,
    at: At,
    back: String,
}

/// A line, with what belongs to it.
struct Item {
    depth: usize,
    /// What stands in its box; nothing where it is no step.
    mark: Option<char>,
    title: String,
    more: Vec<(String, Vec<Part>)>,
}

/// A part of a line, by how it looks.
enum Part {
    Text(String),
    Code(String),
    Strong(String),
    Blank,
    Break,
}

/// Of a playbook.
pub(super) async fn of_playbook(
    State(app): State<App>,
    Who(caller): Who,
    InPath(name): InPath<PlaybookName>,
    frame: Frame,
) -> Result<Response, Problem> {
    let plan = sound(&app, &caller, &name).await?;
    let sheet = sheet(&plan, app.engine.catalogue(), None, frame.show.lang);
    let back = format!("/playbooks/{name}");
    frame.page(&Page::of(&frame, sheet, (String::new(), back)))
}

/// Of a run.
pub(super) async fn of_run(
    State(app): State<App>,
    Who(caller): Who,
    InPath(run): InPath<RunId>,
    mut frame: Frame,
) -> Result<Response, Problem> {
    let scope = caller.rights.scope();
    let mode: Mode = app.views.row_of(run, &scope).await?.mode;
    if let Some(elsewhere) = frame.elsewhere(mode) {
        return Ok(elsewhere);
    }
    let sheet = app.views.sheet(run, frame.show.lang, &scope).await?;
    let back = Frame::to(mode, &format!("/runs/{run}"));
    frame.page(&Page::of(&frame, sheet, (run.to_string(), back)))
}

impl<'a> Page<'a> {
    fn of(frame: &'a Frame, sheet: Sheet, (run, back): (String, String)) -> Self {
        let parts = sheet.parts.into_iter();
        let sections =
            parts.map(|(title, rows)| (title.map(str::to_owned).unwrap_or_default(), items(rows)));
        Self {
            frame,
            title: sheet.title,
            playbook: sheet.playbook.to_string(),
            tlp: sheet.tlp,
            digest: sheet.digest,
            run,
            given: sheet.given,
            asked: sheet.asked.iter().map(|bits| said(bits)).collect(),
            sections: sections.collect(),
            sources: sheet.sources,
            at: At::full(frame, frame.times.now),
            back,
        }
    }
}

/// Lines with what belongs to each.
fn items(rows: Vec<Row>) -> Vec<Item> {
    let mut items: Vec<Item> = Vec::new();
    for Row { depth, kind } in rows {
        let depth = depth.min(DEPTH_MAX);
        let (label, text) = match kind {
            RowKind::Step { mark, title } => {
                items.push(Item { depth, mark: Some(mark), title, more: Vec::new() });
                continue;
            }
            RowKind::Item { number, text } => {
                let title = format!("{number}. {text}");
                items.push(Item { depth, mark: None, title, more: Vec::new() });
                continue;
            }
            RowKind::More { label, text } => (label.to_owned(), text),
            RowKind::Line(text) => (String::new(), text),
        };
        let last = items.last_mut().filter(|last| last.depth < depth || depth == DEPTH_MAX);
        match last {
            Some(last) => last.more.push((label, said(&text))),
            // It is about a block whose other steps stand above it.
            None => items.push(Item {
                depth,
                mark: None,
                title: String::new(),
                more: vec![(label, said(&text))],
            }),
        }
    }
    items
}

/// What ends a line in texts that were made fit for one.
const BREAK: char = '⏎';

fn said(bits: &[Bit]) -> Vec<Part> {
    let mut parts = Vec::new();
    for bit in bits {
        match bit {
            Bit::Text(text) => {
                for (at, line) in text.split(BREAK).enumerate() {
                    if at > 0 {
                        parts.push(Part::Break);
                    }
                    parts.push(Part::Text(line.to_owned()));
                }
            }
            Bit::Code(text) => parts.push(Part::Code(text.clone())),
            Bit::Strong(text) => parts.push(Part::Strong(text.clone())),
            Bit::Blank(_) => parts.push(Part::Blank),
        }
    }
    parts
}
