//! What is cut off: by which run, since when; how it is let go; and one thing cut off now.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use beistand_core::access::Permission;
use beistand_core::model::{IncidentId, Mode, RunId};
use beistand_core::run::Command;
use beistand_runtime::{OneCall, Verb, ViewPage};
use serde::Deserialize;
use serde_json::{Value, json};

use super::form::Form;
use super::frame::Frame;
use super::login::proved_here;
use super::mine::text;
use super::place::Place;
use super::row::{HoldRow, hold_row};
use crate::api::form::{Reason, StepPath};
use crate::api::reach;
use crate::app::App;
use crate::door::Who;
use crate::report::Problem;

/// Incidents that something can be cut off in.
const LOOKED_AT: u32 = 200;

#[derive(Template)]
#[template(path = "hosts.html")]
struct Page<'a> {
    frame: &'a Frame,
    live: Vec<HoldRow>,
    drills: Vec<HoldRow>,
    incidents: Vec<(String, String, bool)>,
    launches: bool,
}

/// The list.
pub(super) async fn page(
    State(app): State<App>,
    Who(caller): Who,
    frame: Frame,
) -> Result<Response, Problem> {
    let scope = caller.rights.scope();
    let holds = app.views.holds(&scope).await?;
    let holds = holds.iter().map(|hold| hold_row(&frame, hold));
    let holds = holds.collect::<Result<Vec<HoldRow>, _>>()?;
    let (live, drills) = holds.into_iter().partition(|hold| hold.mode == Mode::Live);
    let listed = app.views.incidents(&ViewPage::first(LOOKED_AT), &scope).await?;
    let open = listed.items.iter().filter(|one| text(one, "closed_at").is_empty());
    let incidents = open.map(|one| {
        let said = format!("{} {}", text(one, "number"), text(one, "title"));
        (text(one, "number").to_owned(), said, text(one, "mode") == Mode::Drill.as_str())
    });
    let incidents = incidents.collect();
    let launches = caller.rights.may_somewhere(Permission::Launch);
    frame.page(&Page { frame: &frame, live, drills, incidents, launches })
}

/// What is let go.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Release {
    run: String,
    path: StepPath,
    reason: Reason,
}

/// Takes back the step that holds it, by the gate that it had.
pub(super) async fn release(State(app): State<App>, Who(caller): Who, mut form: Form) -> Response {
    let again = form.again();
    let answer = async {
        let proved = proved_here(&app, caller, &mut form).await?;
        let Release { run, path: StepPath(path), reason } = form.read()?;
        let none = || Problem::not_found("there is no such run").place("run");
        let run: RunId = run.parse().map_err(|_| none())?;
        let caller = &proved.caller;
        reach::reached(&app, caller, (run, Permission::Control)).await?;
        let by = caller.actor.clone();
        let command = Command::Undo { by, paths: vec![path], reason: reason.into() };
        let done = app.engine.execute_as(caller, Verb::Run { run, command }).await;
        let place = Place::of("/hosts").done("releasing");
        proved.answer(done.map(|_| place.seen()).map_err(Problem::from))
    };
    Form::answered(again, answer.await)
}

/// What is cut off.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Cut {
    incident: String,
    host: String,
    reason: Reason,
    by_hand_ok: Option<String>,
}

/// Cuts one host off: a run of one step, with guard, limits, policy and undo.
pub(super) async fn cut(State(app): State<App>, Who(caller): Who, mut form: Form) -> Response {
    let again = form.again();
    let answer = async {
        let proved = proved_here(&app, caller, &mut form).await?;
        let Cut { incident, host, reason, by_hand_ok } = form.read()?;
        let caller = &proved.caller;
        let id: IncidentId = reach::incident(&app, caller, &incident).await?;
        let about = app.engine.about_incident(id).await?;
        let who = Who(caller.clone());
        for permission in [Permission::Launch, Permission::Note] {
            who.may(permission, &about)?;
        }
        let action = "network.isolate".parse().map_err(|error| Problem::internal(&error))?;
        let reason = String::from(reason);
        let with: Value = json!({"host": host.trim(), "reason": reason});
        let by_hand_ok = by_hand_ok.is_some();
        let by = caller.actor.clone();
        let call = OneCall { action, with, reason, by_hand_ok, by };
        let run = app.engine.call(caller, id, call).await;
        let mode = super::incident::mode_of(&app, id).await?;
        let seen = |run: RunId| {
            Place::of(&Frame::to(mode, &format!("/runs/{run}"))).done("launched").seen()
        };
        proved.answer(run.map(seen).map_err(Problem::from))
    };
    Form::answered(again, answer.await)
}
