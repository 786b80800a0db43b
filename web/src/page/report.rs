//! The report of an incident: conditions, actions and needs as they are now, the story, the figures.
//! It is put together of what was written, each time it is read.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use beistand_core::model::Span;

use super::frame::Frame;
use super::incident::mode_of;
use super::situation::Situation;
use super::ui::At;
use crate::app::App;
use crate::asked::At as InPath;
use crate::door::Who;
use crate::report::Problem;

#[derive(Template)]
#[template(path = "report.html")]
struct Page<'a> {
    frame: &'a Frame,
    one: Situation,
    figures: Vec<(&'static str, String)>,
    story: Vec<(At, String, String, bool)>,
}

/// The page.
pub(super) async fn page(
    State(app): State<App>,
    Who(caller): Who,
    InPath(id): InPath<String>,
    mut frame: Frame,
) -> Result<Response, Problem> {
    let scope = caller.rights.scope();
    let id = app.views.find_incident(&id, &scope).await?;
    if let Some(elsewhere) = frame.elsewhere(mode_of(&app, id).await?) {
        return Ok(elsewhere);
    }
    let one = Situation::of(&app, (&caller, &frame), id).await?;
    let told = app.views.told(id, frame.show.lang, &scope).await?;
    let found = told.metrics(&frame.telling());
    let length = |millis: Option<u64>| {
        millis.map_or_else(|| "–".to_owned(), |millis| frame.times.span(Span::from_millis(millis)))
    };
    let figures = vec![
        ("figure-detect", length(found.detect_ms)),
        ("figure-hold", length(found.first_hold_ms)),
        ("figure-contain", length(found.contain_ms)),
        ("figure-notify", length(found.notify_ms)),
        ("figure-close", length(found.close_ms)),
        ("figure-attempts", found.attempts.to_string()),
        ("figure-repeats", found.repeats.to_string()),
        ("figure-failed", found.attempts_failed.to_string()),
        ("figure-waits", found.waits.to_string()),
        ("figure-waited", length(Some(found.waited_ms))),
        ("figure-longest", length(found.waited_longest_ms)),
        ("figure-lines", found.lines.to_string()),
        ("figure-corrected", found.corrected.to_string()),
    ];
    let story = told.story();
    let story = story.iter().map(|one| {
        let title = one.title.clone().unwrap_or_default();
        let text = one.text.clone().unwrap_or_else(|| one.message.clone());
        (At::full(&frame, one.at), title, text, one.corrected)
    });
    frame.page(&Page { frame: &frame, one, figures, story: story.collect() })
}
