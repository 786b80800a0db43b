//! People who decide what a case says, in order per step.

use serde_json::Value;

use crate::model::{NeedId, Path, Person, Span};
use crate::playbook::{Case, CaseChoice, CaseDecision, CaseResolution};
use crate::run::{Actor, Answer, AnswerKind, Command, Need, Phase, RunState, Step};

/// The beginning of the keys of signals that people give.
const SIGNAL_KEY: &str = "people-";

/// The people of a case.
#[derive(Debug, Clone)]
pub struct CasePeople {
    decisions: Vec<(CaseDecision, bool)>,
    anybody: Person,
}

/// What somebody of a case wants now, or when somebody will.
#[derive(Debug, Clone, PartialEq)]
pub enum Wants {
    /// These commands, now.
    Now(Vec<Command>),
    /// Something, so long after the start.
    At(Span),
}

impl CasePeople {
    /// The people of a case; `anybody` answers where it names no one.
    pub fn new(case: &Case, anybody: Person) -> Self {
        let decisions = case.people.iter().map(|decision| (decision.clone(), false)).collect();
        Self { decisions, anybody }
    }

    /// What people do about what waits in a run, `elapsed` after the start: the first wish that is
    /// due, or the earliest that is not.
    pub fn wants(&mut self, run: &RunState, elapsed: Span) -> Option<Wants> {
        let mut next: Option<Span> = None;
        for waiting in waiting(run) {
            let Some(found) = self.first_for(&waiting) else { continue };
            let Some((decision, used)) = self.decisions.get_mut(found) else { continue };
            if let Some(at) = decision.at.filter(|at| *at > elapsed) {
                next = Some(next.map_or(at, |next| next.min(at)));
            } else {
                *used = true;
                let decision = decision.clone();
                return Some(Wants::Now(self.commands(&decision, &waiting, found)));
            }
        }
        next.map(Wants::At)
    }

    /// What somebody said about a step before: the next need of it gets the next answer.
    pub fn answered(&mut self, run: &RunState, path: &Path) {
        let by_item = run.step_at(path).map_or_else(String::new, |step| run.path_by_items(step));
        let need = Waiting { path: path.clone(), by_item, need: None, signal: String::new() };
        let found = self.first_for(&need).and_then(|at| self.decisions.get_mut(at));
        if let Some((_, used)) = found {
            *used = true;
        }
    }

    /// A signal with this key was given before.
    pub fn signalled(&mut self, key: &str) {
        let number = key.strip_prefix(SIGNAL_KEY).and_then(|number| number.parse().ok());
        if let Some((_, used)) = number.and_then(|at: usize| self.decisions.get_mut(at)) {
            *used = true;
        }
    }

    /// Decisions that nobody asked for, by their number from 1.
    pub fn unused(&self) -> impl Iterator<Item = (usize, &CaseDecision)> {
        let numbered = self.decisions.iter().zip(1..);
        numbered.filter(|((_, used), _)| !used).map(|((decision, _), number)| (number, decision))
    }

    fn first_for(&self, waiting: &Waiting) -> Option<usize> {
        self.decisions
            .iter()
            .position(|(decision, used)| !used && waiting.is_called(&decision.step))
    }

    fn commands(&self, decision: &CaseDecision, waiting: &Waiting, number: usize) -> Vec<Command> {
        let by = decision.by.clone().unwrap_or_else(|| self.anybody.clone());
        let actor = |person: &Person| Actor::asserted(person.clone());
        let by = actor(&by);
        let Some(need) = waiting.need else {
            let form = match &decision.answer {
                CaseChoice::Signal(form) | CaseChoice::Form(form) => form.clone().into(),
                CaseChoice::Approve(_)
                | CaseChoice::Deny(_)
                | CaseChoice::Retry(_)
                | CaseChoice::Skip(_)
                | CaseChoice::Abort(_)
                | CaseChoice::ByHand(_)
                | CaseChoice::Resolve(_) => Value::Null,
            };
            let (name, key) = (waiting.signal.clone(), format!("{SIGNAL_KEY}{number}"));
            return vec![Command::Signal { name, form, key, by }];
        };
        let one = |answer, reason: &str, form: Value| {
            let reason = reason.to_owned();
            Answer { need, answer, reason, form, digest: None, done_at: None }
        };
        let answer = match &decision.answer {
            CaseChoice::Approve(persons) => {
                let vote = || one(AnswerKind::Approve, "", Value::Null);
                let votes = persons.iter().map(|person| Command::Answer {
                    answers: vec![vote()],
                    by: actor(person),
                    roles: None,
                });
                return votes.collect();
            }
            CaseChoice::Form(form) | CaseChoice::Signal(form) => {
                one(AnswerKind::Done, "", form.clone().into())
            }
            CaseChoice::Deny(reason) => one(AnswerKind::Deny, reason, Value::Null),
            CaseChoice::Retry(reason) => one(AnswerKind::Retry, reason, Value::Null),
            CaseChoice::Skip(reason) => one(AnswerKind::Skip, reason, Value::Null),
            CaseChoice::Abort(reason) => one(AnswerKind::Abort, reason, Value::Null),
            CaseChoice::ByHand(form) => one(AnswerKind::ByHand, "", form.clone().into()),
            CaseChoice::Resolve(how) => one(resolution(*how), "", Value::Null),
        };
        vec![Command::Answer { answers: vec![answer], by, roles: None }]
    }
}

fn resolution(how: CaseResolution) -> AnswerKind {
    match how {
        CaseResolution::Done => AnswerKind::Done,
        CaseResolution::NotDone => AnswerKind::NotDone,
        CaseResolution::SendAgain => AnswerKind::SendAgain,
    }
}

/// A step that waits for people.
struct Waiting {
    path: Path,
    by_item: String,
    need: Option<NeedId>,
    signal: String,
}

impl Waiting {
    /// Whether a case means this step: by id, by path, or by the end of its path; items of loops by
    /// index or by name.
    fn is_called(&self, name: &str) -> bool {
        let ends = |path: &str| {
            path.strip_suffix(name).is_some_and(|rest| rest.is_empty() || rest.ends_with('/'))
        };
        ends(self.path.as_str()) || ends(&self.by_item)
    }
}

/// What waits for people in a run, in the order of becoming ready.
fn waiting(run: &RunState) -> Vec<Waiting> {
    let mut found: Vec<Waiting> = Vec::new();
    for step in run.steps_that_wait() {
        let (need, signal) = match &step.phase {
            Phase::Gated(need) | Phase::Asked(need) | Phase::Person(need) => {
                (Some(*need), String::new())
            }
            Phase::Signal(name, need) => (*need, name.clone()),
            Phase::Ready
            | Phase::Reading
            | Phase::Running
            | Phase::Backoff(_)
            | Phase::Settling(_)
            | Phase::Probing
            | Phase::Time(_)
            | Phase::Child(_)
            | Phase::Block
            | Phase::Handling
            | Phase::Concluding(..)
            | Phase::Ended(_) => continue,
        };
        found.push(named(run, step, need, signal));
    }
    // The gate of an undo is the run's; a case names it by the `undo:` step that asked.
    let undo = |need: &&Need| need.step.is_none();
    for need in run.needs().filter(undo) {
        let asking = run.undo_steps.iter().filter_map(|ix| run.step(*ix));
        found.extend(asking.map(|step| named(run, step, Some(need.id), String::new())));
    }
    found
}

fn named(run: &RunState, step: &Step, need: Option<NeedId>, signal: String) -> Waiting {
    Waiting { path: step.path.clone(), by_item: run.path_by_items(step), need, signal }
}
