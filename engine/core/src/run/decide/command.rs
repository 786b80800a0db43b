//! What people want of a run: votes, answers, signals, pause, cancel, undo.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use thiserror::Error;

use super::super::event::{Actor, AnswerKind, Event, Head, NeedKind, ProbeEnd, RunEnd, StepEnd};
use super::super::state::{Need, Phase, StepError, StepIx, UndoMark};
use super::enter::{Ask, ended};
use super::{Contradiction, Decided, Decider, Effect};
use crate::model::{Digest, ErrorKind, Millis, NeedId, Path, Problem, Role, Schema};

/// Something a person or another run wants of this run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "command", rename_all = "kebab-case")]
pub enum Command {
    /// Answers to needs: all or none.
    Answer {
        /// One for each need.
        answers: Vec<Answer>,
        /// Who.
        by: Actor,
    },
    /// A signal from outside or a person.
    Signal {
        /// Its name.
        name: String,
        /// What it carries.
        form: Value,
        /// The sender's key: a second signal with it changes nothing.
        key: String,
        /// Who.
        by: Actor,
    },
    /// Nothing new starts.
    Pause {
        /// Who.
        by: Actor,
        /// Why.
        reason: String,
    },
    /// It goes on.
    Unpause {
        /// Who.
        by: Actor,
    },
    /// It is ended; nothing is undone.
    Cancel {
        /// Who.
        by: Actor,
        /// Why.
        reason: String,
    },
    /// What it did is taken back.
    Undo {
        /// Who.
        by: Actor,
        /// Steps, with all below them; everything where empty.
        paths: Vec<Path>,
        /// Why.
        reason: String,
    },
    /// The program stops driving it and asks a person: after three panics, or a restore.
    Park {
        /// The program.
        by: Actor,
        /// Why.
        reason: String,
    },
}

/// An answer to one need.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Answer {
    /// The need.
    pub need: NeedId,
    /// How.
    pub answer: AnswerKind,
    /// Why.
    #[serde(default)]
    pub reason: String,
    /// What was filled in; null where nothing was.
    #[serde(default)]
    pub form: Value,
    /// What the person saw; a vote for something else does not count.
    #[serde(default)]
    pub digest: Option<Digest>,
    /// When it was done, where that is not now.
    #[serde(default)]
    pub done_at: Option<Millis>,
}

/// What became of a command.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "reply", rename_all = "kebab-case")]
pub enum Reply {
    /// It was done.
    Done,
    /// It was so already; nothing changed.
    Already,
    /// A vote was counted, and more are needed.
    Voted {
        /// So far.
        votes: u32,
        /// In all.
        needed: u32,
    },
}

/// Why a command was not carried out. Nothing was changed.
#[derive(Debug, Clone, PartialEq, Eq, Error, Serialize, Deserialize)]
#[serde(tag = "error", content = "about", rename_all = "kebab-case")]
pub enum AnswerError {
    /// There is no such need or step.
    #[error("{0}")]
    NotFound(String),
    /// It came too late, or for something else than is asked now.
    #[error("{0}")]
    Conflict(String),
    /// This person may not.
    #[error("{0}")]
    NotAllowed(String),
    /// The need does not take this kind of answer.
    #[error("{0}")]
    Usage(String),
    /// What was filled in does not fit the form.
    #[error("the form does not fit: {}", words(.0))]
    Form(Vec<Problem>),
}

fn words(problems: &[Problem]) -> String {
    let one = |problem: &Problem| format!("`{}` {}", problem.at, problem.message);
    problems.iter().map(one).collect::<Vec<_>>().join("; ")
}

type Answered = Result<Result<Reply, AnswerError>, Contradiction>;

impl Decider<'_, '_> {
    pub(super) fn command(&mut self, command: Command) -> Answered {
        match command {
            Command::Answer { answers, by } => self.answers(&answers, &by),
            Command::Signal { name, form, key, by } => self.signal(name, form, key, by),
            Command::Pause { by, reason } => self.pause(by, reason),
            Command::Unpause { by } => self.unpause(by),
            Command::Cancel { by, reason } => self.cancel(by, reason),
            Command::Undo { by, paths, reason } => self.undo(by, &paths, reason),
            Command::Park { by, reason } => self.park(by, &reason),
        }
    }

    fn answers(&mut self, answers: &[Answer], by: &Actor) -> Answered {
        for answer in answers {
            if let Err(error) = self.may_answer(answer, by) {
                return Ok(Err(error));
            }
        }
        let mut reply = Reply::Done;
        for answer in answers {
            reply = self.answer(answer, by)?;
        }
        Ok(Ok(reply))
    }

    fn may_answer(&self, answer: &Answer, by: &Actor) -> Result<(), AnswerError> {
        let Some(need) = self.state.need(answer.need) else {
            let text = format!("need {} is not open: it was answered, or is asked anew", answer.need);
            return Err(AnswerError::Conflict(text));
        };
        if !takes(need, answer.answer) {
            let text = format!("this need takes {}", takers(need).join(", "));
            return Err(AnswerError::Usage(text));
        }
        if answer.digest.is_some_and(|digest| digest != need.digest) {
            let text = "what was shown has changed: look again".to_owned();
            return Err(AnswerError::Conflict(text));
        }
        if answer.answer == AnswerKind::Approve {
            if self.asker(need) == Some(&by.person) {
                let text = format!("`{}` asked for it and can not approve it", by.person);
                return Err(AnswerError::NotAllowed(text));
            }
            if need.votes.iter().any(|vote| vote.person == by.person) {
                return Err(AnswerError::Conflict(format!("`{}` has voted already", by.person)));
            }
        }
        let filled = matches!(answer.answer, AnswerKind::Done | AnswerKind::ByHand);
        let free = need.kind != NeedKind::Task && answer.form.is_null();
        if let Some(form) = need.form.as_deref().filter(|_| filled && !free) {
            let schema: Schema = serde_json::from_value(form.clone()).unwrap_or_default();
            let mut value = form_value(&answer.form);
            schema.fill(&mut value);
            let problems = schema.problems(&value);
            if !problems.is_empty() {
                return Err(AnswerError::Form(problems));
            }
        }
        Ok(())
    }

    /// Who asked for what a gate guards.
    fn asker<'n>(&'n self, need: &Need) -> Option<&'n crate::model::Person> {
        match (need.step, &self.state.undo_by) {
            (None, Some(by)) => Some(&by.person),
            _ => Some(&self.requester().person),
        }
    }

    fn answer(&mut self, answer: &Answer, by: &Actor) -> Result<Reply, Contradiction> {
        let Some(need) = self.state.need(answer.need).cloned() else {
            // The same group was answered twice in one command.
            return Ok(Reply::Already);
        };
        if answer.answer == AnswerKind::Approve {
            self.emit(Event::new(Head::Voted { need: need.id, by: by.clone() }).text(answer.reason.clone()))?;
            let votes = u32::try_from(need.votes.len()).unwrap_or(u32::MAX).saturating_add(1);
            return Ok(if votes < need.votes_needed {
                Reply::Voted { votes, needed: need.votes_needed }
            } else {
                Reply::Done
            });
        }
        let head = Head::NeedAnswered {
            need: need.id,
            answer: answer.answer,
            by: by.clone(),
            done_at: answer.done_at,
        };
        let form = form_value(&answer.form);
        self.emit(Event::new(head).text(answer.reason.clone()).value(form.clone()))?;
        match need.step {
            Some(ix) => self.answer_step(ix, &need, answer, form)?,
            None => self.answer_run(answer)?,
        }
        Ok(Reply::Done)
    }

    fn answer_step(&mut self, ix: StepIx, need: &Need, answer: &Answer, form: Value) -> Decided {
        let path = self.path(ix)?;
        let output = if answer.form.is_null() { Value::Null } else { filled(need, form) };
        match answer.answer {
            AnswerKind::Approve => Ok(()),
            AnswerKind::Deny => self.fail(ix, ErrorKind::Denied, denial(&answer.reason)),
            AnswerKind::Done if need.kind == NeedKind::Unknown || self.step(ix)?.sent.is_some() => {
                self.done_by_hand(ix, output)
            }
            AnswerKind::Done => {
                let output = filled(need, form_value(&answer.form));
                self.emit(ended(path, StepEnd::Succeeded, None, None).value(output))
            }
            AnswerKind::Retry => {
                let renew = !self.step(ix)?.unknown;
                self.emit(Head::StepReopened { path, renew })
            }
            AnswerKind::Skip => self.skip(ix),
            AnswerKind::ByHand if self.step(ix)?.sent.is_some() => {
                self.mark_by_hand(ix)?;
                self.done_by_hand(ix, output)
            }
            AnswerKind::ByHand => {
                let mut event = ended(path, StepEnd::Succeeded, None, None).value(output);
                if let Head::StepEnded { by_hand, .. } = &mut event.head {
                    *by_hand = true;
                }
                self.emit(event)
            }
            AnswerKind::Abort => self.abort(ix),
            AnswerKind::NotDone => {
                self.free(ix)?;
                self.emit(Head::ProbeEnded { path: path.clone(), end: ProbeEnd::NotDone, reached: None })?;
                if self.is_stopping(ix)? {
                    return self.stop_call(ix);
                }
                self.emit(Head::StepReopened { path, renew: false })
            }
            AnswerKind::SendAgain => {
                self.free(ix)?;
                self.emit(Head::StepReopened { path, renew: true })
            }
        }
    }

    fn mark_by_hand(&mut self, ix: StepIx) -> Decided {
        let path = self.path(ix)?;
        self.emit(Head::DoneByHand { path })
    }

    fn skip(&mut self, ix: StepIx) -> Decided {
        if self.step(ix)?.sent.is_some() {
            self.free(ix)?;
        }
        self.conclude(ix, StepEnd::Skipped, None, false)
    }

    /// The run fails; nothing is undone by itself.
    fn abort(&mut self, ix: StepIx) -> Decided {
        let error = self.step(ix)?.error.clone().unwrap_or_else(|| StepError {
            kind: ErrorKind::Internal,
            message: "a person ended the run".to_owned(),
        });
        if self.state.closing().is_none() {
            let head = Head::Closing { end: RunEnd::Failed, by: None, error: Some(error.kind) };
            self.emit(Event::new(head).text(error.message.clone()))?;
        }
        self.conclude(ix, StepEnd::Failed, Some(error), false)?;
        self.cancel_all()
    }

    /// An answer to a need of the run itself: an undo's gate, or a parked run.
    fn answer_run(&mut self, answer: &Answer) -> Decided {
        match answer.answer {
            AnswerKind::Deny => self.deny_undo(&answer.reason),
            AnswerKind::Abort => {
                let head = Head::Closing { end: RunEnd::Failed, by: None, error: Some(ErrorKind::Internal) };
                self.emit(Event::new(head).text(answer.reason.clone()))?;
                let by = self.requester().clone();
                self.emit(Head::Unpaused { by })?;
                self.cancel_all()
            }
            AnswerKind::Retry => {
                let by = self.requester().clone();
                self.emit(Head::Unpaused { by })
            }
            AnswerKind::Approve
            | AnswerKind::Done
            | AnswerKind::Skip
            | AnswerKind::ByHand
            | AnswerKind::NotDone
            | AnswerKind::SendAgain => Ok(()),
        }
    }

    /// What was wanted and not begun is not taken back.
    fn deny_undo(&mut self, reason: &str) -> Decided {
        let open: Vec<StepIx> = self
            .state
            .steps
            .iter()
            .filter(|(_, step)| matches!(step.undo, UndoMark::Wanted | UndoMark::Undoing))
            .map(|(ix, _)| *ix)
            .collect();
        for of in open {
            let path = self.path(of)?;
            let undo = path.child("undo");
            if let Some(ix) = self.state.by_path.get(&undo).copied() {
                match self.step(ix)?.phase {
                    Phase::Ready => self.end(ix, StepEnd::Cancelled)?,
                    _ => continue,
                }
            }
            let head = Head::UndoEnded {
                path,
                undone: false,
                error: Some(ErrorKind::Denied),
                still_held_by: Vec::new(),
            };
            self.emit(Event::new(head).text(denial(reason)))?;
        }
        Ok(())
    }

    fn signal(&mut self, name: String, form: Value, key: String, by: Actor) -> Answered {
        if self.is_ended() {
            return Ok(Err(AnswerError::Conflict("the run has ended".to_owned())));
        }
        if self.state.signal_keys.contains(&key) {
            return Ok(Ok(Reply::Already));
        }
        if self.state.signal_keys.len() >= SIGNALS_MAX {
            let text = format!("the run has taken {SIGNALS_MAX} signals, which is all it can");
            return Ok(Err(AnswerError::Conflict(text)));
        }
        let head = Head::SignalReceived { name: name.clone(), key, by };
        self.emit(Event::new(head).value(form_value(&form)))?;
        let waiting = self.state.steps.iter().find(|(_, step)| match &step.phase {
            Phase::Signal(awaited, _) => *awaited == name,
            _ => false,
        });
        if let Some(ix) = waiting.map(|(ix, _)| *ix) {
            self.consume_signal(ix, &name)?;
        }
        Ok(Ok(Reply::Done))
    }

    fn pause(&mut self, by: Actor, reason: String) -> Answered {
        if self.is_ended() {
            return Ok(Err(AnswerError::Conflict("the run has ended".to_owned())));
        }
        if self.state.paused {
            return Ok(Ok(Reply::Already));
        }
        self.to_children(&Command::Pause { by: by.clone(), reason: reason.clone() });
        self.emit(Event::new(Head::Paused { by }).text(reason))?;
        Ok(Ok(Reply::Done))
    }

    fn unpause(&mut self, by: Actor) -> Answered {
        if !self.state.paused {
            return Ok(Ok(Reply::Already));
        }
        self.to_children(&Command::Unpause { by: by.clone() });
        self.emit(Head::Unpaused { by })?;
        Ok(Ok(Reply::Done))
    }

    fn to_children(&mut self, command: &Command) {
        let runs: Vec<_> = self.state.children().map(|(_, run)| run).collect();
        for run in runs {
            self.out.effects.push(Effect::ToChild { run, command: command.clone() });
        }
    }

    fn cancel(&mut self, by: Actor, reason: String) -> Answered {
        if self.is_ended() {
            return Ok(Err(AnswerError::Conflict("the run has ended".to_owned())));
        }
        if self.state.closing().is_some() {
            return Ok(Ok(Reply::Already));
        }
        let head = Head::Closing { end: RunEnd::Cancelled, by: Some(by), error: None };
        self.emit(Event::new(head).text(reason))?;
        if self.state.paused {
            let by = self.requester().clone();
            self.emit(Head::Unpaused { by })?;
        }
        self.cancel_all()?;
        Ok(Ok(Reply::Done))
    }

    fn undo(&mut self, by: Actor, paths: &[Path], reason: String) -> Answered {
        let mut wanted = Vec::new();
        let all = [Path::root()];
        for path in if paths.is_empty() { &all } else { paths } {
            let found = self.undoable(path);
            if found.is_empty() && !paths.is_empty() {
                let text = format!("there is nothing at {path} that can be taken back");
                return Ok(Err(AnswerError::NotFound(text)));
            }
            wanted.extend(found);
        }
        wanted.sort();
        wanted.dedup();
        if wanted.is_empty() {
            return Ok(Ok(Reply::Already));
        }
        self.request_undo(&wanted, (Some(by), None), reason)?;
        Ok(Ok(Reply::Done))
    }

    fn park(&mut self, by: Actor, reason: &str) -> Answered {
        if self.is_ended() {
            return Ok(Ok(Reply::Already));
        }
        let parked = self.state.needs().any(|need| need.step.is_none() && need.kind == NeedKind::Decision);
        if parked {
            return Ok(Ok(Reply::Already));
        }
        self.emit(Event::new(Head::Paused { by }).text(reason))?;
        let ask = Ask { kind: NeedKind::Decision, role: Role::Commander, votes: 0, until: None };
        self.ask(None, &ask, json!({"reason": reason}), None)?;
        Ok(Ok(Reply::Done))
    }
}

/// Most signals a run takes: a sender in a loop must not fill the store.
const SIGNALS_MAX: usize = 1_000;

/// The answers a need takes.
fn takers(need: &Need) -> Vec<&'static str> {
    match (need.kind, need.step) {
        (NeedKind::Approval, _) => vec!["approve", "deny"],
        (NeedKind::Task, _) => vec!["done"],
        (NeedKind::Decision, Some(_)) => vec!["retry", "skip", "by-hand", "abort"],
        (NeedKind::Decision, None) => vec!["retry", "abort"],
        (NeedKind::Unknown, _) => vec!["done", "not-done", "send-again"],
    }
}

fn takes(need: &Need, answer: AnswerKind) -> bool {
    let word = match answer {
        AnswerKind::Approve => "approve",
        AnswerKind::Deny => "deny",
        AnswerKind::Done => "done",
        AnswerKind::Retry => "retry",
        AnswerKind::Skip => "skip",
        AnswerKind::ByHand => "by-hand",
        AnswerKind::Abort => "abort",
        AnswerKind::NotDone => "not-done",
        AnswerKind::SendAgain => "send-again",
    };
    takers(need).contains(&word)
}

fn form_value(form: &Value) -> Value {
    if form.is_null() { json!({}) } else { form.clone() }
}

/// The form with its defaults; optional fields that were left out are null.
fn filled(need: &Need, mut form: Value) -> Value {
    let schema = need.form.as_deref().and_then(|form| serde_json::from_value::<Schema>(form.clone()).ok());
    if let Some(schema) = schema {
        schema.fill(&mut form);
    }
    form
}

fn denial(reason: &str) -> String {
    if reason.is_empty() { "denied".to_owned() } else { format!("denied: {reason}") }
}
