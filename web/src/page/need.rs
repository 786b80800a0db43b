//! One need: what exactly is asked, of whom, until when; and the answer.
//!
//! What a person says yes to is what stands here: its digest goes along with the answer, and another
//! one is refused.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use beistand_core::model::{Digest, Mode, NeedId, RunId, Schema};
use beistand_core::run::{AnswerKind, requester};
use beistand_core::timeline::TimelineEntry;
use beistand_journal::{Need, NeedFilter};
use beistand_runtime::Caller;
use serde::Deserialize;
use serde_json::Value;

use super::form::Form;
use super::frame::Frame;
use super::login::proved_here;
use super::mine::{self, Sieve, text};
use super::place::Place;
use super::row::{NeedRow, list, need_row};
use super::schema::{Field, fields, read};
use super::ui::At;
use crate::api::form::{AnswerWord, PersonName, Reason, Sha256};
use crate::api::needs::{Said, answer_one, within_reach};
use crate::app::App;
use crate::asked::At as InPath;
use crate::door::Who;
use crate::report::Problem;

/// Before the names of what a need's own form asks for.
const FORM: &str = "form.";

/// Kinds of lines that tell of an answer.
const ANSWERS: [&str; 2] = ["voted", "need-answered"];

#[derive(Template)]
#[template(path = "need.html")]
struct Page<'a> {
    frame: &'a Frame,
    need: NeedRow,
    open: bool,
    /// Who answered it so far, and how.
    answered: Vec<(At, String)>,
    /// What was filled in when it was over already.
    typed: Vec<(String, String)>,
    incident: (String, String),
    tlp: String,
    /// Who has the role that is asked, in this incident.
    holder: Option<String>,
    /// Why who looks can not answer it, or not in every way.
    hindered: Option<String>,
    run: Option<(String, String)>,
    asked_by: String,
    effects: Vec<Effect>,
    others: Vec<String>,
    unfit: Vec<String>,
    shown: Vec<(String, String)>,
    digest: String,
    words: String,
    fields: Vec<Field>,
    answers: Vec<Choice>,
    proof: bool,
    equal: usize,
}

/// What would be done.
struct Effect {
    action: String,
    through: String,
    path: String,
    arguments: Vec<(String, String)>,
    undo: Option<String>,
}

/// One way to answer.
struct Choice {
    word: &'static str,
    said: String,
    explains: String,
    /// It wants a reason.
    reason: bool,
    /// It wants the form.
    form: bool,
    strong: bool,
}

/// The page.
pub(super) async fn page(
    State(app): State<App>,
    Who(caller): Who,
    InPath(id): InPath<NeedId>,
    frame: Frame,
) -> Result<Response, Problem> {
    shown((&app, &caller), frame, (id, Vec::new())).await
}

/// The page, with what somebody filled in who came too late.
async fn shown(
    (app, caller): (&App, &Caller),
    mut frame: Frame,
    (id, typed): (NeedId, Vec<(String, String)>),
) -> Result<Response, Problem> {
    let missing = || Problem::not_found(format!("there is no need {id}"));
    let row = app.engine.journal().reader().need(id).await?.ok_or_else(missing)?;
    let scope = caller.rights.scope();
    let run = row.run.ok_or_else(missing)?;
    let seen = app.views.row_of(run, &scope).await.map_err(|_| missing())?;
    let filter = NeedFilter { run: Some(run), ..NeedFilter::default() };
    let open = app.views.needs(&filter, &scope).await?;
    let json = open.iter().find(|need| text(need, "id") == id.to_string());
    // Answered ones are told as far as the whole of their incident is for who looks.
    let closed = || match scope.within(row.incident).organisations {
        None => serde_json::from_str(&row.body).ok(),
        Some(_) => None,
    };
    let json = json.cloned().or_else(closed).ok_or_else(missing)?;
    // Not before it is there for them: that it is a drill says that it is.
    if let Some(elsewhere) = frame.elsewhere(row.mode) {
        return Ok(elsewhere);
    }
    let group = text(&json, "group");
    let equal = open.iter().filter(|need| !group.is_empty() && text(need, "group") == group);
    let page =
        Page::of((app, caller, &frame), (&row, &json), (run, seen.playbook.clone(), equal.count()));
    let answered = answered(app, caller, (&frame, &row)).await?;
    frame.page(&Page { answered, typed, ..page.await? })
}

/// What the timeline says of the answers to a need.
async fn answered(
    app: &App,
    caller: &Caller,
    (frame, row): (&Frame, &Need),
) -> Result<Vec<(At, String)>, Problem> {
    let told = app.views.told(row.incident, frame.show.lang, &caller.rights.scope()).await?;
    let is_answer = |line: &&TimelineEntry| {
        ANSWERS.contains(&line.kind)
            && (line.run, &line.path) == (row.run, &row.step)
            && line.at >= row.since
            && row.closed_at.is_none_or(|closed| line.at <= closed)
    };
    let lines = told.lines.iter().filter(is_answer);
    Ok(lines.map(|line| (At::short(frame, line.at), line.text.clone())).collect())
}

impl<'a> Page<'a> {
    async fn of(
        (app, caller, frame): (&App, &Caller, &'a Frame),
        (row, json): (&Need, &Value),
        (run, playbook, equal): (RunId, String, usize),
    ) -> Result<Self, Problem> {
        let mut sieve = Sieve::new(app, caller);
        let mine = sieve.is_theirs(json).await?;
        let scope = caller.rights.scope();
        let incident = app.views.incident(row.incident, &scope).await?;
        let number = text(&incident, "number");
        let shows = json.get("shows").cloned().unwrap_or_default();
        let asked_by = requester(&shows).unwrap_or_default().to_owned();
        let open = row.closed_at.is_none();
        let form: Option<Schema> =
            json.get("form").and_then(|form| serde_json::from_value(form.clone()).ok());
        let fields =
            form.as_ref().map(|form| fields(frame, form, (FORM, &Value::Null))).unwrap_or_default();
        let voted = open && mine::voted(json, caller) && sieve.may_answer(json).await?;
        let mut answers = if open && (mine || voted) {
            Choice::all(frame, row, fields.is_empty())
        } else {
            Vec::new()
        };
        answers.retain(|choice| !voted || choice.word != AnswerKind::Approve.as_str());
        let need = need_row(frame, json, (row.mode, mine));
        let own = asked_by == caller.actor.person.as_str();
        let hindered = (open && !mine).then(|| {
            if voted {
                frame.t("need-voted")
            } else if own {
                frame.t("need-own")
            } else {
                frame.ta("need-not-yours", &need.role)
            }
        });
        let digest = row.digest.unwrap_or(Digest::ZERO);
        Ok(Self {
            frame,
            need,
            open,
            incident: (
                Frame::to(row.mode, &format!("/incidents/{number}")),
                format!("{number} {}", text(&incident, "title")),
            ),
            tlp: text(&incident, "tlp").to_owned(),
            holder: holder(&incident, text(json, "role")),
            hindered,
            run: Some((Frame::to(row.mode, &format!("/runs/{run}")), playbook)),
            answered: Vec::new(),
            typed: Vec::new(),
            asked_by,
            effects: list(&shows, "lines").iter().map(|line| Effect::of(frame, line)).collect(),
            others: list(&shows, "others").iter().map(later).collect(),
            unfit: list(&shows, "unresolved").iter().map(unfit).collect(),
            shown: shows.get("shown").map(signed).unwrap_or_default(),
            words: digest.spoken(),
            digest: digest.to_string(),
            fields,
            answers,
            proof: row.mode == Mode::Live && !frame.me.as_ref().is_some_and(|me| me.fresh),
            equal: equal.saturating_sub(1),
        })
    }
}

impl Effect {
    fn of(frame: &Frame, line: &Value) -> Self {
        let effect = line.get("effect").unwrap_or(line);
        let through = match text(effect, "connector") {
            "" => frame.t("by-hand"),
            connector => connector.to_owned(),
        };
        let arguments = effect.get("arguments").and_then(Value::as_object);
        let arguments = arguments.into_iter().flatten();
        let undo = effect.get("undo").filter(|undo| !undo.is_null()).map(way_back);
        Self {
            action: text(effect, "action").to_owned(),
            through,
            path: text(effect, "path").to_owned(),
            arguments: arguments.map(|(name, value)| (name.clone(), said(value))).collect(),
            undo,
        }
    }
}

impl Choice {
    /// What can be answered to a need of a kind, the strongest first.
    fn all(frame: &Frame, need: &Need, no_form: bool) -> Vec<Self> {
        use AnswerKind as A;
        use beistand_core::run::NeedKind as K;
        let kinds: &[A] = match (need.kind, &need.step) {
            (K::Approval, _) => &[A::Approve, A::Deny],
            (K::Task, _) => &[A::Done],
            (K::Decision, Some(_)) => &[A::Retry, A::ByHand, A::Skip, A::Abort],
            (K::Decision, None) => &[A::Retry, A::Abort],
            (K::Unknown, _) => &[A::Done, A::NotDone, A::SendAgain],
        };
        let choice = |(at, kind): (usize, &A)| {
            let word = kind.as_str();
            Self {
                word,
                said: frame.words.of("answer", word),
                explains: frame.words.of("answer-hint", word),
                reason: !matches!(kind, A::Approve | A::Done | A::Retry) || need.kind == K::Unknown,
                form: !no_form && matches!(kind, A::Done | A::ByHand),
                strong: at == 0,
            }
        };
        kinds.iter().enumerate().map(choice).collect()
    }
}

/// Who has a role in an incident.
fn holder(incident: &Value, role: &str) -> Option<String> {
    let mut held = list(incident, "roles").iter();
    held.find(|one| text(one, "role") == role).map(|one| text(one, "person").to_owned())
}

/// A value as people read it: a text as it is, a list with commas, all else as JSON.
pub(super) fn said(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(said).collect::<Vec<_>>().join(", "),
        Value::Null => String::new(),
        Value::Bool(_) | Value::Number(_) | Value::Object(_) => value.to_string(),
    }
}

/// What takes an effect back: `network.release (host pc-17)`.
fn way_back(undo: &Value) -> String {
    let arguments = undo.get("arguments").and_then(Value::as_object);
    let arguments = arguments.into_iter().flatten();
    let with: Vec<_> = arguments.map(|(name, value)| format!("{name} {}", said(value))).collect();
    match text(undo, "action") {
        "" => said(undo),
        action if with.is_empty() => action.to_owned(),
        action => format!("{action} ({})", with.join(", ")),
    }
}

/// What stands behind the gate and is not decided with it.
fn later(one: &Value) -> String {
    let what = [text(one, "action"), text(one, "playbook"), text(one, "step")].concat();
    format!("{} {what}", text(one, "path"))
}

/// What can not be done as it is written, and why.
fn unfit(one: &Value) -> String {
    format!("{}: {} ({})", text(one, "path"), text(one, "message"), text(one, "error"))
}

/// What a gate signs that is no effect: a text, or what steps found out.
fn signed(shown: &Value) -> Vec<(String, String)> {
    match shown {
        Value::Null => Vec::new(),
        Value::Array(steps) => steps
            .iter()
            .map(|step| {
                let output = step.get("output").map(said).unwrap_or_default();
                (step.get("step").map(said).unwrap_or_default(), output)
            })
            .collect(),
        Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_) => {
            vec![(String::new(), said(shown))]
        }
    }
}

/// An answer.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Answered {
    answer: AnswerWord,
    reason: Option<Reason>,
    digest: Sha256,
    by: Option<PersonName>,
    at: Option<String>,
    next: Option<String>,
}

/// Answers it.
pub(super) async fn answer(
    State(app): State<App>,
    Who(caller): Who,
    InPath(id): InPath<NeedId>,
    mut frame: Frame,
    mut form: Form,
) -> Response {
    let again = form.again();
    let answer = async {
        let proved = proved_here(&app, caller, &mut form).await?;
        let filled = form.take_all(FORM);
        let Answered { answer, reason, digest, by, at, next } = form.read()?;
        // Before its form is read: what it asks for is told to who may answer it.
        let row = within_reach(&app, &proved.caller, (id, &answer)).await?;
        let body: Value = serde_json::from_str(&row.body).unwrap_or_default();
        let schema: Option<Schema> =
            body.get("form").and_then(|form| serde_json::from_value(form.clone()).ok());
        let typed = typed(&frame, schema.as_ref(), (&filled, reason.as_ref()));
        let wants = matches!(answer.0, AnswerKind::Done | AnswerKind::ByHand);
        let form =
            schema.filter(|_| wants).map(|schema| read(filled, &schema, frame.times)).transpose();
        let at = frame.times.typed(at.as_deref(), "at")?;
        let said = form.map(|form| Said::on_page((answer, reason, form), digest, (by, at)));
        let done = match said {
            Ok(said) => answer_one(&app, &proved.caller, id, said).await,
            Err(problem) => Err(problem),
        };
        // Somebody else was quicker, be it in this very moment: they are named, and nobody is at fault.
        let clash = |problem: &Problem| problem.status() == StatusCode::CONFLICT;
        if done.as_ref().is_err_and(clash) && is_over(&app, id).await? {
            frame.done = Some(frame.t("need-too-late"));
            let late = shown((&app, &proved.caller), frame, (id, typed)).await;
            return proved.answer(late);
        }
        let place = Frame::to(row.mode, &format!("/needs/{id}"));
        let place = Place::of(next.as_deref().unwrap_or(&place)).done("answered");
        proved.answer(done.map(|_| place.seen()))
    };
    Form::answered(again, answer.await)
}

async fn is_over(app: &App, id: NeedId) -> Result<bool, Problem> {
    let row = app.engine.journal().reader().need(id).await?;
    Ok(row.is_some_and(|row| row.closed_at.is_some()))
}

/// What was filled in, each with its label.
fn typed(
    frame: &Frame,
    schema: Option<&Schema>,
    (filled, reason): (&[(String, String)], Option<&Reason>),
) -> Vec<(String, String)> {
    let own = |name: &str| schema?.properties.as_ref()?.get(name)?.title.clone();
    let filled = filled.iter().filter(|(_, value)| !value.trim().is_empty());
    let filled = filled
        .map(|(name, value)| (own(name).unwrap_or_else(|| name.replace('_', " ")), value.clone()));
    let reason = reason.map(|reason| (frame.t("reason"), String::from(reason.clone())));
    filled.chain(reason).collect()
}
