//! What waits for people, and what they answer.

use std::collections::BTreeSet;

use axum::extract::State;
use beistand_core::access::Permission;
use beistand_core::model::{Millis, NeedId, RunId};
use beistand_core::run::{Answer, AnswerKind, Command};
use beistand_journal::{Need, NeedFilter, Run};
use beistand_runtime::{Caller, Listed, Verb};
use serde::Deserialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::control::told;
use super::form::{AnswerWord, Instant, PersonName, Reason, Sha256, SheetCode};
use super::page::{self, Cursor, Limit};
use super::shape::{Needs, Reply};
use super::telephone::OnTelephone;
use super::{paper, reach};
use crate::app::App;
use crate::asked::{Asked, At};
use crate::door::Who;
use crate::json::{Exact, Sent};
use crate::report::Problem;

/// Answers in one call: the hosts of a large loop, and no more than a body has room for.
const ANSWERS_MAX: usize = 500;

/// Which needs.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Which {
    /// Only of this run and of everything below it.
    #[param(value_type = Option<String>, format = "uuid")]
    run: Option<RunId>,
    /// Only of this incident, by id or number.
    #[param(max_length = 200)]
    incident: Option<String>,
    /// Only what is asked under this code of a printed sheet; a code says all of it alone.
    #[param(inline)]
    code: Option<SheetCode>,
    /// `next` of the part before.
    #[param(inline)]
    cursor: Option<Cursor>,
    /// At most so many.
    #[param(inline)]
    limit: Option<Limit>,
}

/// An answer to one need.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Said {
    answer: AnswerWord,
    reason: Option<Reason>,
    /// What the need's form asks for; null or absent where it asks for nothing.
    form: Option<serde_json::Map<String, Value>>,
    /// The need's digest as it was shown: another one is refused.
    digest: Sha256,
    /// Who votes, where that is somebody on the telephone.
    telephone: Option<OnTelephone>,
    /// Who did it, where that stands on paper and somebody else types it in; only with `done`.
    by: Option<PersonName>,
    /// When it was done, where that is not now; in the past, and only with `done`.
    at: Option<Instant>,
}

impl Said {
    /// As a page's form says it.
    pub(crate) fn on_page(
        (answer, reason, form): (
            AnswerWord,
            Option<Reason>,
            Option<serde_json::Map<String, Value>>,
        ),
        digest: Sha256,
        (by, at): (Option<PersonName>, Option<Millis>),
    ) -> Self {
        Self { answer, reason, form, digest, telephone: None, by, at: at.map(Instant) }
    }
}

/// An answer to one of several needs.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SaidOf {
    /// Which.
    #[schema(value_type = String, format = "uuid")]
    id: NeedId,
    answer: AnswerWord,
    reason: Option<Reason>,
    /// What the need's form asks for; null or absent where it asks for nothing.
    form: Option<serde_json::Map<String, Value>>,
    /// The need's digest as it was shown: another one is refused.
    digest: Sha256,
}

/// Answers to needs of one run: all or none.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Together {
    #[schema(min_items = 1, max_items = 500)]
    answers: Vec<SaidOf>,
    /// Who votes, where that is somebody on the telephone.
    telephone: Option<OnTelephone>,
}

/// The permission that an answer needs.
const fn needed(answer: AnswerKind) -> Permission {
    match answer {
        AnswerKind::Approve | AnswerKind::Deny => Permission::Approve,
        AnswerKind::Done
        | AnswerKind::Retry
        | AnswerKind::Skip
        | AnswerKind::ByHand
        | AnswerKind::Abort
        | AnswerKind::NotDone
        | AnswerKind::SendAgain => Permission::Answer,
    }
}

/// What waits for people, oldest first.
#[utoipa::path(
    get, path = "/api/v1/needs", tag = "needs", params(Which),
    responses((status = 200, description = "A part of it", body = Needs))
)]
pub(super) async fn needs(
    State(app): State<App>,
    Who(caller): Who,
    Asked(which): Asked<Which>,
) -> Result<Sent<Value>, Problem> {
    let scope = caller.rights.scope();
    if let Some(SheetCode(code)) = which.code {
        if which.run.is_some()
            || which.incident.is_some()
            || which.cursor.is_some()
            || which.limit.is_some()
        {
            let text = "a code says all of it, and all of it is told: it is looked for alone";
            return Err(Problem::malformed(text).place("code"));
        }
        let items = app.views.needs_by_code(code, &scope).await?;
        return Ok(Sent(page::listed(Listed { items, next: None })));
    }
    let incident = match &which.incident {
        Some(text) => Some(reach::incident(&app, &caller, text).await?),
        None => None,
    };
    if let Some(run) = which.run {
        app.views.row_of(run, &scope).await?;
    }
    let page = page::part(which.cursor, which.limit.unwrap_or_default());
    let filter = NeedFilter { run: which.run, incident, ..NeedFilter::default() };
    Ok(Sent(page::listed(app.views.needs_page(&filter, &page, &scope).await?)))
}

/// Answers a need. A live `approve` or `send-again` wants a proof of a moment ago.
#[utoipa::path(
    post, path = "/api/v1/needs/{id}", tag = "needs", request_body = Said,
    params(("id" = String, Path, format = "uuid", description = "Which")),
    responses((status = 200, description = "It is answered", body = Reply))
)]
pub(super) async fn answer(
    State(app): State<App>,
    Who(caller): Who,
    At(id): At<NeedId>,
    Exact(said): Exact<Said>,
) -> Result<Sent<Value>, Problem> {
    answer_one(&app, &caller, id, said).await
}

/// Answers a need.
///
/// # Errors
/// As [`answer`].
pub(crate) async fn answer_one(
    app: &App,
    caller: &Caller,
    id: NeedId,
    said: Said,
) -> Result<Sent<Value>, Problem> {
    let Said { answer, reason, form, digest, telephone, by, at } = said;
    if (by.is_some() || at.is_some()) && answer.0 != AnswerKind::Done {
        let text = "`by` and `at` say who did it on paper, and when: only with `done`";
        return Err(Problem::malformed(text).place("answer"));
    }
    let (at, caller) = (paper::past(app, at)?, paper::typed_in(caller.clone(), by)?);
    let said = vec![SaidOf { id, answer, reason, form, digest }];
    answered(app, &caller, (said, telephone, at)).await
}

/// Answers needs of one run together: all or none.
#[utoipa::path(
    post, path = "/api/v1/needs/answers", tag = "needs", request_body = Together,
    responses((status = 200, description = "All are answered", body = Reply))
)]
pub(super) async fn answers(
    State(app): State<App>,
    Who(caller): Who,
    Exact(together): Exact<Together>,
) -> Result<Sent<Value>, Problem> {
    let count = together.answers.len();
    if !(1..=ANSWERS_MAX).contains(&count) {
        let text = format!("1 to {ANSWERS_MAX} needs are answered together");
        return Err(Problem::malformed(text).place("answers"));
    }
    answered(&app, &caller, (together.answers, together.telephone, None)).await
}

async fn answered(
    app: &App,
    caller: &Caller,
    (said, telephone, done_at): (Vec<SaidOf>, Option<OnTelephone>, Option<Millis>),
) -> Result<Sent<Value>, Problem> {
    let mut runs = BTreeSet::new();
    let mut answers = Vec::with_capacity(said.len());
    let mut wanted: Option<Run> = None;
    let named: BTreeSet<_> = said.iter().map(|one| one.id).collect();
    if named.len() < said.len() {
        return Err(Problem::malformed("a need is answered once").place("answers"));
    }
    let votes_only = said.iter().all(|one| needed(one.answer.0) == Permission::Approve);
    for one in said {
        let row = run_of(app, caller, (one.id, needed(one.answer.0))).await?;
        if runs.insert(row.id) && runs.len() > 1 {
            let text = "needs of one run can be answered together, and these are of several";
            return Err(Problem::malformed(text).place("answers"));
        }
        wanted = Some(row);
        answers.push(read(one, done_at));
    }
    let Some(row) = wanted else {
        return Err(Problem::malformed("nothing is answered").place("answers"));
    };
    let voter = match telephone {
        Some(_) if !votes_only => {
            let text = "on the telephone people vote; what was done is typed in as a note";
            return Err(Problem::malformed(text).place("telephone"));
        }
        Some(telephone) => Some(telephone.voter(app, caller, &row).await?),
        None => None,
    };
    let by = voter.as_ref().map_or(caller, |(voter, _)| voter).actor.clone();
    let (run, command) = (row.id, Command::Answer { answers, by, roles: None });
    match voter {
        // As on the command line: the engine uses the code up with the vote, or not at all.
        Some((voter, code)) => {
            let verb = Verb::Telephone { code, run, command };
            Ok(Sent(app.engine.execute_as(&voter, verb).await?))
        }
        None => told(app, caller, run, command).await,
    }
}

fn read(said: SaidOf, done_at: Option<Millis>) -> Answer {
    Answer {
        need: said.id,
        answer: said.answer.0,
        reason: said.reason.map(String::from).unwrap_or_default(),
        form: said.form.map_or(Value::Null, Value::Object),
        digest: Some(said.digest.0),
        done_at,
    }
}

/// A need that somebody wants to answer so: what is not for them is not there.
///
/// # Errors
/// 404.
pub(crate) async fn within_reach(
    app: &App,
    caller: &Caller,
    (id, answer): (NeedId, &AnswerWord),
) -> Result<Need, Problem> {
    found(app, caller, (id, needed(answer.0))).await.map(|(need, _)| need)
}

/// The run that a need is of: what is not for the caller is not there.
async fn run_of(app: &App, caller: &Caller, asked: (NeedId, Permission)) -> Result<Run, Problem> {
    found(app, caller, asked).await.map(|(_, run)| run)
}

async fn found(
    app: &App,
    caller: &Caller,
    (id, permission): (NeedId, Permission),
) -> Result<(Need, Run), Problem> {
    let not_there = || Problem::not_found(format!("there is no need {id}"));
    let need = app.engine.journal().reader().need(id).await?.ok_or_else(not_there)?;
    let run = need.run.ok_or_else(not_there)?;
    match reach::reached(app, caller, (run, permission)).await {
        Ok(run) => Ok((need, run)),
        Err(refused) if refused.is_not_found() => Err(not_there()),
        Err(refused) => Err(refused),
    }
}

#[cfg(test)]
mod tests;
