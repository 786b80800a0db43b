//! What people want of a run: votes, answers, signals, pause, cancel, undo.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use thiserror::Error;

use super::super::event::{Actor, AnswerKind, Event, Head, NeedKind, RunEnd, Successor};
use super::super::state::Flow;
use super::answer::form_value;
use super::outcome::Ask;
use super::{Contradiction, Decider, Effect};
use crate::model::{Digest, Millis, NeedId, Path, Problem, Role};

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
        /// The roles they hold there, looked up by who hands the command over; every role where
        /// absent, because the store has no accounts.
        #[serde(skip)]
        roles: Option<BTreeSet<Role>>,
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
        /// Because the run that called it is paused.
        #[serde(default)]
        with_caller: bool,
    },
    /// It goes on.
    Unpause {
        /// Who.
        by: Actor,
        /// Because the run that called it goes on: a pause of its own stays.
        #[serde(default)]
        with_caller: bool,
    },
    /// It is ended; nothing is undone.
    Cancel {
        /// Who.
        by: Actor,
        /// Why.
        reason: String,
    },
    /// A corrected playbook takes over.
    Supersede {
        /// The run that does.
        next: Successor,
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
        /// The epoch of the store, where a restore is why.
        #[serde(default)]
        restored: Option<String>,
    },
}

impl Command {
    /// Who wants it.
    pub const fn by(&self) -> &Actor {
        match self {
            Self::Answer { by, .. }
            | Self::Signal { by, .. }
            | Self::Pause { by, .. }
            | Self::Unpause { by, .. }
            | Self::Cancel { by, .. }
            | Self::Undo { by, .. }
            | Self::Park { by, .. } => by,
            Self::Supersede { next, .. } => &next.by,
        }
    }
}

/// An answer to one need.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[expect(clippy::struct_field_names, reason = "the word that commands in a mailbox have for it")]
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

/// What becomes of a command; the outer error is a fault of this program.
pub(super) type Answered = Result<Result<Reply, AnswerError>, Contradiction>;

impl Decider<'_, '_> {
    pub(super) fn command(&mut self, command: Command) -> Answered {
        match command {
            Command::Answer { answers, by, roles } => self.answers(&answers, (&by, roles.as_ref())),
            Command::Signal { name, form, key, by } => self.signal(&name, &form, key, by),
            Command::Pause { by, reason, with_caller } => self.pause(by, reason, with_caller),
            Command::Unpause { by, with_caller } => self.unpause(by, with_caller),
            Command::Cancel { by, reason } => self.cancel(by, reason),
            Command::Supersede { next, reason } => self.supersede(next, reason),
            Command::Undo { by, paths, reason } => self.undo(by, &paths, reason),
            Command::Park { by, reason, restored } => self.park(by, &reason, restored),
        }
    }

    fn signal(&mut self, name: &str, form: &Value, key: String, by: Actor) -> Answered {
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
        let first = self.state.awaiting.get(name).and_then(|steps| steps.first()).copied();
        let mut form = form_value(form);
        if let Some(ix) = first {
            let schema = self.signal_form(ix)?;
            schema.fill(&mut form);
            let problems = schema.problems(&form);
            if !problems.is_empty() {
                return Ok(Err(AnswerError::Form(problems)));
            }
        }
        let head = Head::SignalReceived { name: name.to_owned(), key, by };
        self.emit(Event::new(head).value(form))?;
        if let Some(ix) = first {
            self.consume_signal(ix, name)?;
        }
        Ok(Ok(Reply::Done))
    }

    fn pause(&mut self, by: Actor, reason: String, with_caller: bool) -> Answered {
        if self.is_ended() {
            return Ok(Err(AnswerError::Conflict("the run has ended".to_owned())));
        }
        if self.state.paused {
            return Ok(Ok(Reply::Already));
        }
        let (whose, why) = (by.clone(), reason.clone());
        self.tell_children(&Command::Pause { by: whose, reason: why, with_caller: true });
        self.emit(Event::new(Head::Paused { by, with_caller }).text(reason))?;
        Ok(Ok(Reply::Done))
    }

    fn unpause(&mut self, by: Actor, with_caller: bool) -> Answered {
        if self.is_ended() && !with_caller {
            return Ok(Err(AnswerError::Conflict("the run has ended".to_owned())));
        }
        if !self.state.paused || (with_caller && !self.state.paused_with_caller) {
            return Ok(Ok(Reply::Already));
        }
        self.tell_children(&Command::Unpause { by: by.clone(), with_caller: true });
        self.emit(Head::Unpaused { by })?;
        Ok(Ok(Reply::Done))
    }

    fn tell_children(&mut self, command: &Command) {
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
        if self.state.closing() == Some(RunEnd::Superseded) {
            let text = "the run gives way to another; what it leaves is taken back after that";
            return Ok(Err(AnswerError::Conflict(text.to_owned())));
        }
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
        // A run that was called says that it has come to the end of its undo, if only of nothing.
        let tells = self.state.opened.parent.is_some() && matches!(self.state.flow, Flow::Ended(_));
        if wanted.is_empty() && !tells {
            return Ok(Ok(Reply::Already));
        }
        self.request_undo(&wanted, (Some(by), None), reason)?;
        Ok(Ok(Reply::Done))
    }

    fn park(&mut self, by: Actor, reason: &str, restored: Option<String>) -> Answered {
        if let Some(epoch) = restored {
            self.emit(Head::Restored { epoch })?;
        }
        let parked =
            self.state.needs().any(|need| need.step.is_none() && need.kind == NeedKind::Decision);
        if parked || matches!(self.state.flow, Flow::Ended(_)) {
            return Ok(Ok(Reply::Already));
        }
        self.emit(Event::new(Head::Paused { by, with_caller: false }).text(reason))?;
        let ask = Ask { kind: NeedKind::Decision, role: Role::Commander, votes: 0, until: None };
        self.ask(None, &ask, json!({"reason": reason}), None)?;
        Ok(Ok(Reply::Done))
    }
}

/// Most signals a run takes: a sender in a loop must not fill the store.
const SIGNALS_MAX: usize = 1_000;
