//! Somebody's text is checked, while it is written: every fault at once, with its place and a hint.
//!
//! Nothing of it is kept. Its address is taken before that of a playbook that would be called `check`.

use askama::Template;
use axum::extract::State;
use axum::http::request::Parts;
use axum::response::Response;
use beistand_core::playbook::SourceText;
use serde::Deserialize;

use super::form::Form;
use super::frame::Frame;
use super::planned::Fault;
use crate::app::App;
use crate::report::Problem;

/// What a form has room for: browsers write each byte of a text as up to three characters.
pub(super) const BYTES_MAX: usize = 3 * SourceText::BYTES_MAX + (1 << 10);

/// The page; with what was found where something was sent.
#[derive(Template)]
#[template(path = "check.html")]
struct Page<'a> {
    frame: &'a Frame,
    text: String,
    found: Found<'a>,
    text_max: usize,
}

/// What was found.
#[derive(Template)]
#[template(path = "part/checked.html")]
struct Found<'a> {
    frame: &'a Frame,
    faults: Vec<Fault>,
    /// A sentence for all of it; empty before anything was checked.
    summary: String,
    /// It goes into a page that is there already.
    alone: bool,
}

/// A text.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Text {
    #[serde(default)]
    text: String,
}

/// Where one is written.
pub(super) async fn page(frame: Frame) -> Result<Response, Problem> {
    let found = Found { frame: &frame, faults: Vec::new(), summary: String::new(), alone: false };
    frame.page(&Page { frame: &frame, text: String::new(), found, text_max: SourceText::BYTES_MAX })
}

/// The page with what was found, for who has no script.
pub(super) async fn check(State(app): State<App>, frame: Frame, form: Form) -> Response {
    let again = form.again();
    let answer = async {
        let Text { text } = form.read()?;
        let found = Found::of(&app, (&frame, false), &text).await?;
        frame.page(&Page { frame: &frame, text, found, text_max: SourceText::BYTES_MAX })
    };
    Form::answered(again, answer.await)
}

/// What was found alone, for the page that is there.
pub(super) async fn findings(
    State(app): State<App>,
    parts: Parts,
    form: Form,
) -> Result<Response, Problem> {
    // What stands around a page is not looked up for what is asked for while somebody writes.
    let frame = Frame::bare(&parts, app.engine.now());
    let Text { text } = form.read()?;
    frame.page(&Found::of(&app, (&frame, true), &text).await?)
}

impl<'a> Found<'a> {
    async fn of(app: &App, (frame, alone): (&'a Frame, bool), text: &str) -> Result<Self, Problem> {
        if text.trim().is_empty() {
            let summary = frame.t("check-empty");
            return Ok(Self { frame, faults: Vec::new(), summary, alone });
        }
        if text.len() > SourceText::BYTES_MAX {
            let summary = frame.ta("check-too-long", &SourceText::BYTES_MAX.to_string());
            return Ok(Self { frame, faults: Vec::new(), summary, alone });
        }
        let found = app.shelf.check(text.to_owned()).await?;
        let faults: Vec<Fault> = found.iter().map(Fault::from).collect();
        let errors = faults.iter().filter(|fault| fault.error).count();
        let summary = match (errors, faults.len() - errors) {
            (0, 0) => frame.t("check-sound"),
            (0, warnings) => {
                format!("{} {}", frame.t("check-usable"), frame.tn("check-warnings", warnings))
            }
            (errors, 0) => frame.tn("check-errors", errors),
            (errors, warnings) => {
                let warnings = frame.tn("check-warnings", warnings);
                format!("{} {warnings}", frame.tn("check-errors", errors))
            }
        };
        Ok(Self { frame, faults, summary, alone })
    }
}
