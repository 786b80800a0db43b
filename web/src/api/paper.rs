//! What stands on paper: somebody did it, somebody else types it in.
//!
//! The right to it is that of whoever types; the line says both. It votes for nobody: the engine
//! refuses a vote on paper.

use beistand_core::model::Millis;
use beistand_core::run::Actor;
use beistand_runtime::Caller;

use super::form::{Instant, PersonName};
use crate::app::App;
use crate::report::Problem;

/// When something happened. The engine refuses what is yet to come; here it is said which field that
/// is.
///
/// # Errors
/// 400 for what is yet to come.
pub(crate) fn past(app: &App, at: Option<Instant>) -> Result<Option<Millis>, Problem> {
    let at = at.map(|at| at.0);
    if at.is_some_and(|at| !at.can_have_been(app.engine.now())) {
        let text = "`at` says when it happened, and that is yet to come";
        return Err(Problem::malformed(text).place("at"));
    }
    Ok(at)
}

/// Who did it, as the caller types it in; the caller where nobody else is named.
///
/// # Errors
/// 403 where a machine or a token names somebody: it reads no paper.
pub(crate) fn typed_in(caller: Caller, by: Option<PersonName>) -> Result<Caller, Problem> {
    let person = match by {
        Some(PersonName(person)) if person != caller.actor.person => person,
        Some(_) | None => return Ok(caller),
    };
    if !caller.actor.is_present() {
        let text = "a program, or a token, says nothing in the name of a person";
        return Err(Problem::forbidden(text));
    }
    let actor = Actor::on_paper(person, &caller.actor);
    Ok(Caller { actor, ..caller })
}
