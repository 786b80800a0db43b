//! What the routes have in common: parts of lists, who may reach a run, texts and their limits.

use beistand_core::access::Permission;
use beistand_core::model::{IncidentId, RunId};
use beistand_journal::Run;
use beistand_runtime::{Caller, EngineError, Listed, ViewPage};
use serde_json::{Value, json};

use crate::app::App;

use crate::report::Problem;

/// Rows of a list where nothing else is asked for.
const ROWS: u32 = 100;

/// The most rows of a list that can be asked for; each run of it is folded.
pub(super) const ROWS_MAX: u32 = 500;

/// The longest sentence for the timeline, in characters.
pub(super) const REASON_MAX: usize = 4_096;

/// The longest key, name or number that somebody else chose, in characters.
pub(super) const WORD_MAX: usize = 200;

/// Which part of a list is asked for.
///
/// # Errors
/// 400 for more or less rows than a part can have.
pub(super) fn page(cursor: Option<String>, limit: Option<u32>) -> Result<ViewPage, Problem> {
    let limit = limit.unwrap_or(ROWS);
    if !(1..=ROWS_MAX).contains(&limit) {
        return Err(Problem::malformed(format!("a part of a list has 1 to {ROWS_MAX} rows")));
    }
    Ok(ViewPage { cursor, limit })
}

/// A sentence for people: what stands in a timeline for ever has no character that is not seen.
///
/// # Errors
/// 400 where it is too long, or has such characters.
pub(super) fn sentence(name: &str, text: String, longest: usize) -> Result<String, Problem> {
    let hidden = |c: char| c.is_control() && !matches!(c, '\n' | '\t');
    if text.chars().count() > longest {
        let said = format!("`{name}` has at most {longest} characters");
        return Err(Problem::malformed(said).place(name));
    }
    if text.chars().any(hidden) {
        return Err(Problem::malformed(format!("`{name}` has a control character")).place(name));
    }
    Ok(text)
}

/// A key or a name that somebody else chose: printable ASCII, and not nothing.
///
/// # Errors
/// 400 for anything else.
pub(super) fn word(name: &str, text: String) -> Result<String, Problem> {
    let fits = (1..=WORD_MAX).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic());
    if fits {
        return Ok(text);
    }
    let said = format!("`{name}` has 1 to {WORD_MAX} characters of printable ASCII, no blanks");
    Err(Problem::malformed(said).place(name))
}

/// An incident by its id or its number, if these eyes may see it.
///
/// # Errors
/// 404 where it is not there, or not for them.
pub(super) async fn incident(
    app: &App,
    caller: &Caller,
    text: &str,
) -> Result<IncidentId, Problem> {
    let not_there = || Problem::not_found("there is no such incident").place("incident");
    let id = if let Ok(id) = text.parse::<IncidentId>() {
        id
    } else {
        let number = word("incident", text.to_uppercase()).map_err(|_| not_there())?;
        let found = app.engine.journal().reader().incident_by_number(&number).await?;
        found.ok_or_else(not_there)?.id
    };
    match app.views.incident(id, &caller.rights.scope()).await {
        Ok(_) => Ok(id),
        Err(EngineError::NotFound(_)) => Err(not_there()),
        Err(error) => Err(error.into()),
    }
}

/// A run that somebody wants to do something about: who neither sees it nor may do that is told
/// that it is not there.
///
/// # Errors
/// 404.
pub(super) async fn reached(
    app: &App,
    caller: &Caller,
    (run, permission): (RunId, Permission),
) -> Result<Run, Problem> {
    match app.views.row_of(run, &caller.rights.scope()).await {
        Ok(row) => Ok(row),
        Err(hidden @ EngineError::NotFound(_)) => {
            // What never was is answered in the same words.
            let Some(row) = app.engine.journal().reader().run(run).await? else {
                return Err(hidden.into());
            };
            let about = app.engine.about_incident(row.incident).await?;
            let may = caller.rights.may(permission, &about);
            Some(row).filter(|_| may).ok_or_else(|| hidden.into())
        }
        Err(error) => Err(error.into()),
    }
}

/// A part of a list as it is sent.
pub(super) fn listed(Listed { items, next }: Listed) -> Value {
    json!({"items": Value::Array(items), "next": next})
}
