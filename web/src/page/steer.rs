//! What people do to a run from its page: pause it, let it go on, end it, take it back, give it a
//! signal. By the same functions as the JSON interface.

use axum::extract::State;
use axum::response::Response;
use beistand_core::model::{Mode, RunId, Schema};
use beistand_core::playbook::{Kind, Wait};
use beistand_runtime::Caller;
use serde::Deserialize;

use super::form::Form;
use super::frame::Frame;
use super::login::proved_here;
use super::place::Place;
use super::schema::read;
use crate::api::control::{self, cancel_one, pause_one, signal_one, undo_one, unpause_one};
use crate::api::form::{ChosenKey, Reason, StepPath};
use crate::app::App;
use crate::asked::At as InPath;
use crate::door::Who;
use crate::report::Problem;

/// Before the names of what a signal carries.
pub(super) const FORM: &str = "form.";

/// It is paused, and perhaps why.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Pause {
    reason: Option<Reason>,
}

/// Nothing new starts in it.
pub(super) async fn pause(
    State(app): State<App>,
    Who(caller): Who,
    InPath(run): InPath<RunId>,
    form: Form,
) -> Response {
    let again = form.again();
    let answer = async {
        let Pause { reason } = form.read()?;
        pause_one(&app, &caller, run, reason).await?;
        seen(&app, run, "paused").await
    };
    Form::answered(again, answer.await)
}

/// Nothing more to say.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Nothing {}

/// It goes on.
pub(super) async fn unpause(
    State(app): State<App>,
    Who(caller): Who,
    InPath(run): InPath<RunId>,
    form: Form,
) -> Response {
    let again = form.again();
    let answer = async {
        let Nothing {} = form.read()?;
        unpause_one(&app, &caller, run).await?;
        seen(&app, run, "unpaused").await
    };
    Form::answered(again, answer.await)
}

/// It is ended, and why.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Cancel {
    reason: Reason,
}

/// It is ended; nothing of it is taken back.
pub(super) async fn cancel(
    State(app): State<App>,
    Who(caller): Who,
    InPath(run): InPath<RunId>,
    form: Form,
) -> Response {
    let again = form.again();
    let answer = async {
        let Cancel { reason } = form.read()?;
        cancel_one(&app, &caller, run, reason).await?;
        seen(&app, run, "cancelling").await
    };
    Form::answered(again, answer.await)
}

/// What is taken back.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Undo {
    #[serde(default)]
    steps: Vec<StepPath>,
    /// All of it, said on purpose: nothing that was forgotten to be ticked is taken for everything.
    all: Option<String>,
    reason: Reason,
}

/// It is taken back: all of it, or the steps that are ticked.
pub(super) async fn undo(
    State(app): State<App>,
    Who(caller): Who,
    InPath(run): InPath<RunId>,
    mut form: Form,
) -> Response {
    let again = form.again();
    let answer = async {
        let proved = proved_here(&app, caller, &mut form).await?;
        let done = async {
            let Undo { steps, all, reason } = form.read()?;
            if steps.is_empty() == all.is_none() {
                let text = "either everything is taken back, or the steps that are ticked";
                return Err(Problem::malformed(text).place("steps"));
            }
            let body = control::Undo { steps, items: Vec::new(), reason };
            undo_one(&app, &proved.caller, run, body).await?;
            seen(&app, run, "undoing").await
        };
        let done = done.await;
        proved.answer(done)
    };
    Form::answered(again, answer.await)
}

/// A signal, and where it is waited for.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Signal {
    name: ChosenKey,
    key: ChosenKey,
    path: StepPath,
}

/// It gets a signal.
pub(super) async fn signal(
    State(app): State<App>,
    Who(caller): Who,
    InPath(run): InPath<RunId>,
    frame: Frame,
    mut form: Form,
) -> Response {
    let again = form.again();
    let answer = async {
        let filled = form.take_all(FORM);
        let Signal { name, key, path: StepPath(path) } = form.read()?;
        let schema = awaited(&app, &caller, (run, path.id())).await?;
        let form = read(filled, &schema, frame.times)?;
        let body = control::Signal { name, form, key };
        signal_one(&app, &caller, run, body).await?;
        seen(&app, run, "signalled").await
    };
    Form::answered(again, answer.await)
}

/// What the signal carries that a step waits for.
async fn awaited(
    app: &App,
    caller: &Caller,
    (run, step): (RunId, &str),
) -> Result<Schema, Problem> {
    let missing = || Problem::not_found("no step waits for a signal here").place("path");
    let plan = app.views.plan_of(run, &caller.rights.scope()).await?.ok_or_else(missing)?;
    let node = plan.node(plan.by_id(step).ok_or_else(missing)?);
    let Kind::Wait(Wait::Signal { form, .. }) = &node.kind else { return Err(missing()) };
    Ok(form.clone())
}

/// Back to the run, where what was done is said.
async fn seen(app: &App, run: RunId, done: &str) -> Result<Response, Problem> {
    let row = app.engine.journal().reader().run(run).await?;
    let mode = row.map_or(Mode::Live, |row| row.mode);
    Ok(Place::of(&Frame::to(mode, &format!("/runs/{run}"))).done(done).seen())
}
