//! What people do to a run: pause, end, take back, signal.

use axum::extract::State;
use beistand_core::access::Permission;
use beistand_core::model::{Path, RunId};
use beistand_core::run::Command;
use beistand_runtime::{Caller, Verb};
use serde::Deserialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::form::{ChosenKey, Reason, StepPath};
use super::reach;
use super::shape::Reply;
use crate::app::App;
use crate::asked::At;
use crate::door::Who;
use crate::json::{Exact, Sent};
use crate::report::Problem;

/// Steps or items that can be named in one call.
const NAMED_MAX: usize = 1_000;

/// Nothing new starts in it.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Pause {
    reason: Option<Reason>,
}

/// Nothing more to say.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Nothing {}

/// It is ended.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Cancel {
    reason: Reason,
}

/// It is taken back: all of it, or what is named.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Undo {
    /// Paths of steps, with all below them.
    #[serde(default)]
    #[schema(max_items = 1000)]
    pub(crate) steps: Vec<StepPath>,
    /// Loop items, by their text; of the named steps where such are named.
    #[serde(default)]
    #[schema(max_items = 1000)]
    pub(crate) items: Vec<String>,
    pub(crate) reason: Reason,
}

/// A signal that the playbook waits for.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Signal {
    /// Its name.
    pub(crate) name: ChosenKey,
    /// What it carries.
    #[serde(default)]
    pub(crate) form: Map<String, Value>,
    /// The sender's own key: a second signal with it changes nothing.
    pub(crate) key: ChosenKey,
}

/// Nothing new starts in a run; what is out is settled.
#[utoipa::path(
    post, path = "/api/v1/runs/{id}/pause", tag = "runs", request_body = Pause,
    params(("id" = String, Path, format = "uuid", description = "Which")),
    responses((status = 200, description = "It is paused", body = Reply))
)]
pub(super) async fn pause(
    State(app): State<App>,
    Who(caller): Who,
    At(run): At<RunId>,
    Exact(body): Exact<Pause>,
) -> Result<Sent<Value>, Problem> {
    pause_one(&app, &caller, run, body.reason).await
}

/// Pauses a run.
///
/// # Errors
/// 404 where it is not theirs to see; what the engine refuses.
pub(crate) async fn pause_one(
    app: &App,
    caller: &Caller,
    run: RunId,
    reason: Option<Reason>,
) -> Result<Sent<Value>, Problem> {
    reach::reached(app, caller, (run, Permission::Control)).await?;
    let reason = reason.map(String::from).unwrap_or_default();
    let by = caller.actor.clone();
    told(app, caller, run, Command::Pause { by, reason, with_caller: false }).await
}

/// A paused run goes on.
#[utoipa::path(
    post, path = "/api/v1/runs/{id}/unpause", tag = "runs", request_body = Nothing,
    params(("id" = String, Path, format = "uuid", description = "Which")),
    responses((status = 200, description = "It goes on", body = Reply))
)]
pub(super) async fn unpause(
    State(app): State<App>,
    Who(caller): Who,
    At(run): At<RunId>,
    Exact(Nothing {}): Exact<Nothing>,
) -> Result<Sent<Value>, Problem> {
    unpause_one(&app, &caller, run).await
}

/// Lets a paused run go on.
///
/// # Errors
/// As [`pause_one`].
pub(crate) async fn unpause_one(
    app: &App,
    caller: &Caller,
    run: RunId,
) -> Result<Sent<Value>, Problem> {
    reach::reached(app, caller, (run, Permission::Control)).await?;
    let by = caller.actor.clone();
    told(app, caller, run, Command::Unpause { by, with_caller: false }).await
}

/// A run is ended; nothing of it is taken back.
#[utoipa::path(
    post, path = "/api/v1/runs/{id}/cancel", tag = "runs", request_body = Cancel,
    params(("id" = String, Path, format = "uuid", description = "Which")),
    responses((status = 200, description = "It is being ended", body = Reply))
)]
pub(super) async fn cancel(
    State(app): State<App>,
    Who(caller): Who,
    At(run): At<RunId>,
    Exact(body): Exact<Cancel>,
) -> Result<Sent<Value>, Problem> {
    cancel_one(&app, &caller, run, body.reason).await
}

/// Ends a run.
///
/// # Errors
/// As [`pause_one`].
pub(crate) async fn cancel_one(
    app: &App,
    caller: &Caller,
    run: RunId,
    reason: Reason,
) -> Result<Sent<Value>, Problem> {
    reach::reached(app, caller, (run, Permission::Control)).await?;
    let by = caller.actor.clone();
    told(app, caller, run, Command::Cancel { by, reason: reason.into() }).await
}

/// What a run did is taken back: all of it, or single steps and items. Live, it wants a proof of a
/// moment ago.
#[utoipa::path(
    post, path = "/api/v1/runs/{id}/undo", tag = "runs", request_body = Undo,
    params(("id" = String, Path, format = "uuid", description = "Which")),
    responses((status = 200, description = "It is being taken back", body = Reply))
)]
pub(super) async fn undo(
    State(app): State<App>,
    Who(caller): Who,
    At(run): At<RunId>,
    Exact(body): Exact<Undo>,
) -> Result<Sent<Value>, Problem> {
    undo_one(&app, &caller, run, body).await
}

/// Takes back what a run did.
///
/// # Errors
/// As [`pause_one`]; 404 where nothing of what was named can be taken back.
pub(crate) async fn undo_one(
    app: &App,
    caller: &Caller,
    run: RunId,
    body: Undo,
) -> Result<Sent<Value>, Problem> {
    reach::reached(app, caller, (run, Permission::Control)).await?;
    if body.steps.len().max(body.items.len()) > NAMED_MAX {
        return Err(Problem::malformed(format!("at most {NAMED_MAX} steps or items at once")));
    }
    let mut paths: Vec<Path> = body.steps.into_iter().map(|StepPath(path)| path).collect();
    if !body.items.is_empty() {
        let scope = caller.rights.scope();
        // With items it is about those alone, and not about all of the steps they were looked for in.
        paths = app.views.undoable(run, (&body.items, &paths), &scope).await?;
        if paths.is_empty() {
            let text = "no step of these items can be taken back";
            return Err(Problem::not_found(text).place("items"));
        }
    }
    let by = caller.actor.clone();
    told(app, caller, run, Command::Undo { by, paths, reason: body.reason.into() }).await
}

/// A run gets a signal; an early one is kept for it.
#[utoipa::path(
    post, path = "/api/v1/runs/{id}/signal", tag = "runs", request_body = Signal,
    params(("id" = String, Path, format = "uuid", description = "Which")),
    responses((status = 200, description = "It has it", body = Reply))
)]
pub(super) async fn signal(
    State(app): State<App>,
    Who(caller): Who,
    At(run): At<RunId>,
    Exact(body): Exact<Signal>,
) -> Result<Sent<Value>, Problem> {
    signal_one(&app, &caller, run, body).await
}

/// Gives a run a signal.
///
/// # Errors
/// As [`pause_one`]; 404 where the playbook never waits for it.
pub(crate) async fn signal_one(
    app: &App,
    caller: &Caller,
    run: RunId,
    body: Signal,
) -> Result<Sent<Value>, Problem> {
    reach::reached(app, caller, (run, Permission::Answer)).await?;
    let (name, key) = (String::from(body.name), String::from(body.key));
    if !app.views.awaits(run, &name, &caller.rights.scope()).await? {
        let text = "the playbook never waits for a signal of this name";
        return Err(Problem::not_found(text).place("name"));
    }
    let by = caller.actor.clone();
    told(app, caller, run, Command::Signal { name, form: Value::Object(body.form), key, by }).await
}

/// Gives a run a command, and says what became of it.
pub(super) async fn told(
    app: &App,
    caller: &Caller,
    run: RunId,
    command: Command,
) -> Result<Sent<Value>, Problem> {
    let verb = Verb::Run { run, command };
    Ok(Sent(app.engine.execute_as(caller, verb).await?))
}

#[cfg(test)]
mod tests;
