//! Somebody declares an incident: a title is enough, and everything else can be changed later.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use beistand_core::model::{Mode, Severity, Tlp};
use beistand_runtime::{NewIncident, Verb};
use serde::Deserialize;

use super::form::Form;
use super::frame::Frame;
use super::mine::text;
use super::place::Place;
use crate::api::form::{ModeWord, Title, TlpWord};
use crate::app::App;
use crate::door::Who;
use crate::report::Problem;

#[derive(Template)]
#[template(path = "declare.html")]
struct Page<'a> {
    frame: &'a Frame,
    grades: Vec<(u8, String)>,
    markings: Vec<&'static str>,
}

/// What somebody declares.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Declared {
    title: Title,
    mode: ModeWord,
    severity: String,
    tlp: TlpWord,
}

/// The form.
pub(super) async fn page(frame: Frame) -> Result<Response, Problem> {
    let markings = Tlp::ALL.iter().map(|tlp| tlp.as_str()).collect();
    frame.page(&Page { frame: &frame, grades: grades(&frame), markings })
}

/// How bad it can be, each with its word.
pub(super) fn grades(frame: &Frame) -> Vec<(u8, String)> {
    (1..=4).map(|n: u8| (n, frame.words.of("severity", &n.to_string()))).collect()
}

/// A grade as a form sends it.
pub(super) fn grade(text: &str) -> Result<Severity, Problem> {
    let grade = text.parse::<u8>().ok().and_then(|grade| Severity::try_from(grade).ok());
    grade.ok_or_else(|| Problem::malformed("a severity is 1 to 4").place("severity"))
}

/// Opens it.
pub(super) async fn declare(State(app): State<App>, Who(caller): Who, form: Form) -> Response {
    let again = form.again();
    let answer = async {
        let Declared { title, mode: ModeWord(mode), severity, tlp } = form.read()?;
        let verb = Verb::OpenIncident(NewIncident {
            title: title.into(),
            mode,
            severity: grade(&severity)?,
            tlp: tlp.0,
            short: app.short.clone(),
            by: caller.actor.clone(),
        });
        let answer = app.engine.execute_as(&caller, verb).await?;
        Ok(cockpit(mode, text(&answer, "number")).done("declared").seen())
    };
    Form::answered(again, answer.await)
}

/// Where an incident's page is.
pub(super) fn cockpit(mode: Mode, number: &str) -> Place {
    Place::of(&Frame::to(mode, &format!("/incidents/{number}")))
}
