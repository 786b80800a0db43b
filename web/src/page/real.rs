//! "This is real now": what is known in a drill is shown, and then opened as a live incident.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use beistand_core::model::Mode;

use super::declare::cockpit;
use super::form::Form;
use super::frame::Frame;
use super::incident::mode_of;
use super::situation::Situation;
use crate::api::real::turned;
use crate::app::App;
use crate::asked::At as InPath;
use crate::door::Who;
use crate::report::Problem;

#[derive(Template)]
#[template(path = "real.html")]
struct Page<'a> {
    frame: &'a Frame,
    one: Situation,
    notes: usize,
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
    if let Some(elsewhere) = frame.elsewhere(mode_of(&app, id).await?) {
        return Ok(elsewhere);
    }
    let one = Situation::of(&app, (&caller, &frame), id).await?;
    if let Some(real) = &one.real {
        return Ok(cockpit(Mode::Live, real).seen());
    }
    if one.mode == Mode::Live {
        return Err(Problem::conflict(format!("incident {} is real already", one.number)));
    }
    let notes = app.views.known_in(id, &scope).await?.size().notes;
    frame.page(&Page { frame: &frame, one, notes })
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
