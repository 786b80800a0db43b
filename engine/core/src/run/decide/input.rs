//! What goes into a decision and what comes out of it.

use serde_json::{Map, Value};

use super::super::event::{Event, RunEnd, Successor};
use super::super::state::StepError;
use super::super::world::SharedChange;
use super::{AnswerError, Command, Reply};
use crate::model::{Answer, Call, CallError, ConnectorName, Path, PlaybookName, Probed, RunId};
use crate::playbook::{EvalError, Expression};

/// Something that a decision reacts to.
#[derive(Debug, Clone, PartialEq)]
pub enum Input {
    /// Time passed, a permit or a hold became free, or the run was just loaded.
    Tick,
    /// An effect, probe, script or look at the previous state ended.
    Answered(Answered),
    /// A sub-playbook ended.
    ChildEnded {
        /// The step that called it.
        path: Path,
        /// The run.
        run: RunId,
        /// How it ended.
        end: RunEnd,
        /// What it gave.
        outputs: Value,
        /// The error that ended it.
        error: Option<StepError>,
    },
    /// The run that takes over is there, or can not be.
    Successor {
        /// Which.
        run: RunId,
        /// Why it can not be opened.
        refused: Option<String>,
    },
    /// A person or a command wants something; the number comes back in the reply.
    Command(u64, Command),
    /// The owner of this run died; its open effects are taken up.
    Recovered,
}

/// An answer, with the attempt it belongs to: one that came twice or too late changes nothing.
#[derive(Debug, Clone, PartialEq)]
pub enum Answered {
    /// To [`Effect::Call`].
    Call {
        /// The step.
        path: Path,
        /// The attempt, counted over all generations.
        attempt: u32,
        /// What came back.
        result: Result<Answer, CallError>,
    },
    /// [`Effect::Call`] was surely never sent: the program is going down.
    Withdrawn {
        /// The step.
        path: Path,
        /// The attempt.
        attempt: u32,
    },
    /// To [`Effect::Probe`].
    Probe {
        /// The step.
        path: Path,
        /// The attempt.
        attempt: u32,
        /// What was found out.
        result: Probed,
    },
    /// To [`Effect::Previous`].
    Previous {
        /// The step.
        path: Path,
        /// What came back.
        result: Result<Answer, CallError>,
    },
    /// To [`Effect::Script`].
    Script {
        /// The step.
        path: Path,
        /// What it gave.
        result: Result<Value, EvalError>,
    },
}

/// Something to do once the events are durable.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// Send a call. A permit was taken for it.
    Call {
        /// The step.
        path: Path,
        /// The attempt, counted over all generations.
        attempt: u32,
        /// Who does it.
        connector: ConnectorName,
        /// What.
        call: Box<Call>,
    },
    /// Find out whether a call was done. A permit was taken for it.
    Probe {
        /// The step.
        path: Path,
        /// The attempt.
        attempt: u32,
        /// Who looks.
        connector: ConnectorName,
        /// The call in question.
        call: Box<Call>,
    },
    /// Read the state before an effect. A permit was taken for it.
    Previous {
        /// The step.
        path: Path,
        /// Who looks.
        connector: ConnectorName,
        /// The reading call.
        call: Box<Call>,
    },
    /// Run a script in the pool.
    Script {
        /// The step.
        path: Path,
        /// The script.
        script: Expression,
        /// What it reads.
        values: Map<String, Value>,
    },
    /// Launch a sub-playbook as a run of its own, if it is not there yet.
    OpenChild {
        /// The step.
        path: Path,
        /// The run.
        run: RunId,
        /// Its playbook, pinned with this run's plan.
        playbook: PlaybookName,
        /// Its inputs.
        inputs: Value,
    },
    /// Launch the run that takes over, if it is not there yet, with what it takes over.
    OpenSuccessor {
        /// Which.
        next: Successor,
    },
    /// Pass a command down to a sub-playbook.
    ToChild {
        /// The run.
        run: RunId,
        /// What it is told.
        command: Command,
    },
}

/// What was decided.
#[derive(Debug, Default)]
pub struct Decision {
    /// To be appended as one entry; nothing where empty.
    pub events: Vec<Event>,
    /// To be done after that.
    pub effects: Vec<Effect>,
    /// Goes into the same transaction.
    pub shared: Vec<SharedChange>,
    /// Answers to commands, for the same transaction.
    pub replies: Vec<(u64, Result<Reply, AnswerError>)>,
}
