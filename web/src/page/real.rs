//! "This is real now": what is known in a drill is shown, and then opened as a live incident.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use beistand_core::incident::Known;
use beistand_core::model::Mode;

use super::declare::cockpit;
use super::form::Form;
use super::frame::Frame;
use super::incident::mode_of;
use super::mine::text;
use crate::api::real::turned;
use crate::app::App;
use crate::asked::At as InPath;
use crate::door::Who;
use crate::report::Problem;

#[derive(Template)]
#[template(path = "real.html")]
struct Page<'a> {
    frame: &'a Frame,
    href: String,
    known: Known,
    severity: String,
    /// Kind, value and state.
    assets: Vec<[String; 3]>,
}

/// What would go along, and what would not.
pub(super) async fn page(
    State(app): State<App>,
    Who(caller): Who,
    InPath(id): InPath<String>,
    mut frame: Frame,
) -> Result<Response, Problem> {
    let scope = caller.rights.scope();
    let id = app.views.find_incident(&id, &scope).await?;
    let mode = mode_of(&app, id).await?;
    if let Some(elsewhere) = frame.elsewhere(mode) {
        return Ok(elsewhere);
    }
    let drill = app.views.incident(id, &scope).await?;
    if !text(&drill, "real").is_empty() {
        return Ok(cockpit(Mode::Live, text(&drill, "real")).seen());
    }
    let number = text(&drill, "number");
    if mode == Mode::Live {
        return Err(Problem::conflict(format!("incident {number} is real already")));
    }
    let href = Frame::to(mode, &format!("/incidents/{number}"));
    let known = app.views.known_in(id, &scope).await?;
    frame.page(&Page::of(&frame, href, known))
}

impl<'a> Page<'a> {
    fn of(frame: &'a Frame, href: String, known: Known) -> Self {
        let severity = known.severity().get();
        let assets = known.assets().iter().map(|asset| {
            let kind = frame.words.of("target", asset.kind.as_str());
            let state = frame.words.of("asset", asset.state.as_str());
            [kind, asset.value.clone(), state]
        });
        Self {
            frame,
            href,
            severity: frame.words.of("severity", &severity.to_string()),
            assets: assets.collect(),
            known,
        }
    }
}

/// Opens it, once.
pub(super) async fn turn(
    State(app): State<App>,
    Who(caller): Who,
    InPath(id): InPath<String>,
    form: Form,
) -> Response {
    let again = form.again();
    let answer = async {
        form.read::<super::form::Nothing>()?;
        let real = turned(&app, &caller, &id).await?;
        Ok(cockpit(Mode::Live, &real.number).done("real").seen())
    };
    Form::answered(again, answer.await)
}

#[cfg(test)]
mod tests;
