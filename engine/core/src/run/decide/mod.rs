//! What happens next: a function of the run, the inputs, the world and an instant.
//!
//! A decision is made of events to append and effects to do after that. The state has the events
//! applied already; when the append fails the state is thrown away and loaded anew.

mod block;
mod call;
mod cancel;
mod command;
mod enter;
mod finish;
mod gate;
mod launch;
mod settle;
mod undo;

use serde_json::{Map, Value};

use super::apply::Contradiction;
use super::event::{Actor, Event, Head, RunEnd};
use super::scope::Scope;
use super::state::{Cause, Flow, Home, Phase, RunState, Step, StepError, StepIx, Timer};
use super::world::{Chance, Permits, SharedChange, World};
use crate::model::{
    Answer, Call, CallError, ConnectorName, Digest, Millis, NeedId, Path, PlaybookName, Probed, RunId,
};
use crate::playbook::{EvalError, Expression};

pub use command::{AnswerError, Command, Reply};
pub use launch::{Launch, LaunchError, launch};

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

/// Decides on all inputs that wait.
///
/// # Errors
/// [`Contradiction`] when the state can not take its own events: a fault of this program; the run
/// is parked.
pub fn decide(
    world: &World<'_>,
    state: &mut RunState,
    inputs: Vec<Input>,
    permits: &mut dyn Permits,
    chance: &mut Chance,
) -> Result<Decision, Contradiction> {
    let mut decider = Decider { world, state, permits, chance, out: Decision::default() };
    if decider.state.roots.is_empty() && decider.state.closing().is_none() {
        decider.emit(Head::SectionStarted { section: super::event::Section::Steps })?;
    }
    for input in inputs {
        decider.take(input)?;
    }
    decider.wake()?;
    decider.settle_agenda()?;
    Ok(decider.out)
}

/// One decision being made.
pub(super) struct Decider<'a, 'w> {
    pub(super) world: &'a World<'w>,
    pub(super) state: &'a mut RunState,
    pub(super) permits: &'a mut dyn Permits,
    pub(super) chance: &'a mut Chance,
    pub(super) out: Decision,
}

/// The result of a part of a decision.
pub(super) type Decided = Result<(), Contradiction>;

impl Decider<'_, '_> {
    pub(super) fn emit(&mut self, event: impl Into<Event>) -> Decided {
        let event = event.into();
        self.state.apply(self.world.plan, &event, self.world.now)?;
        self.out.events.push(event);
        Ok(())
    }

    pub(super) fn now(&self) -> Millis {
        self.world.now
    }

    pub(super) fn step(&self, ix: StepIx) -> Result<&Step, Contradiction> {
        self.state.step_ref(ix)
    }

    pub(super) fn path(&self, ix: StepIx) -> Result<Path, Contradiction> {
        Ok(self.step(ix)?.path.clone())
    }

    pub(super) fn scope(&self, ix: StepIx) -> Result<Scope<'_>, Contradiction> {
        Ok(Scope::of_step(self.world, self.state, self.step(ix)?))
    }

    /// A step can not go on now; it is looked at again when its cause is gone.
    pub(super) fn hold_back(&mut self, ix: StepIx, cause: Cause) {
        self.state.held_back.entry(cause).or_default().insert(ix);
    }

    /// Whether nothing may start: pause or stop switch.
    pub(super) fn is_paused(&self) -> bool {
        self.state.paused || self.world.shared.stopped
    }

    /// Whether what encloses a step is being ended.
    pub(super) fn is_stopping(&self, ix: StepIx) -> Result<bool, Contradiction> {
        match self.step(ix)?.home {
            Home::Seq(seq) => self.state.is_stopping(seq),
            Home::Undo(_) => Ok(false),
        }
    }

    fn take(&mut self, input: Input) -> Decided {
        match input {
            Input::Tick => Ok(()),
            Input::Answered(answered) => self.answered(answered),
            Input::ChildEnded { path, run, end, outputs, error } => {
                self.child_ended(&path, run, end, outputs, error)
            }
            Input::Command(number, command) => {
                let reply = self.command(command)?;
                self.out.replies.push((number, reply));
                Ok(())
            }
            Input::Recovered => self.recover(),
        }
    }

    /// What is due by now is looked at.
    fn wake(&mut self) -> Decided {
        let now = self.now();
        let due: Vec<Timer> = self
            .state
            .timers
            .iter()
            .take_while(|(at, _)| *at <= now)
            .map(|(_, timer)| *timer)
            .collect();
        for timer in due {
            match timer {
                Timer::Step(ix) => {
                    self.state.fresh.insert(ix);
                }
                Timer::Deadline(ix) => {
                    let path = self.path(ix)?;
                    let role = self.world.setup.escalation;
                    self.emit(Head::DeadlinePassed { path, role })?;
                }
                Timer::Need(need) => {
                    let role = self.world.setup.escalation;
                    self.emit(Head::NeedEscalated { need, role })?;
                }
            }
        }
        if !self.is_paused() {
            self.state.release_held(&Cause::Paused);
        }
        let held: Vec<Cause> = self.state.held_back.keys().cloned().collect();
        for cause in held {
            if cause != Cause::Paused && self.may_be_gone(&cause) {
                self.state.release_held(&cause);
            }
        }
        Ok(())
    }

    /// Holds are looked at anew at each decision; a permit's steps are asked for one by one, so
    /// that a long queue costs nothing while the connector is busy.
    fn may_be_gone(&mut self, cause: &Cause) -> bool {
        match cause {
            Cause::Hold => true,
            Cause::Permit(_) | Cause::Paused => false,
        }
    }

    /// Looks at steps until nothing can go on.
    fn settle_agenda(&mut self) -> Decided {
        loop {
            while let Some(ix) = self.state.fresh.pop_first() {
                if self.state.steps.contains_key(&ix) {
                    self.look_at(ix)?;
                }
            }
            if self.next_undo()? || self.finish()? {
                continue;
            }
            if self.state.fresh.is_empty() && !self.take_from_queues()? {
                return Ok(());
            }
        }
    }

    /// Steps that wait for a permit get theirs, oldest first, while there are places.
    fn take_from_queues(&mut self) -> Result<bool, Contradiction> {
        let queues: Vec<ConnectorName> = self
            .state
            .held_back
            .iter()
            .filter(|(_, steps)| !steps.is_empty())
            .filter_map(|(cause, _)| match cause {
                Cause::Permit(connector) => Some(connector.clone()),
                Cause::Hold | Cause::Paused => None,
            })
            .collect();
        let mut any = false;
        for connector in queues {
            while let Some(ix) = self.first_in(&connector) {
                self.look_at(ix)?;
                if self.first_in(&connector) == Some(ix) {
                    break;
                }
                any = true;
            }
        }
        Ok(any || !self.state.fresh.is_empty())
    }

    fn first_in(&self, connector: &ConnectorName) -> Option<StepIx> {
        let steps = self.state.held_back.get(&Cause::Permit(connector.clone()))?;
        steps.first().copied()
    }

    fn look_at(&mut self, ix: StepIx) -> Decided {
        let step = self.step(ix)?;
        let now = self.now();
        match &step.phase {
            Phase::Ready => match step.home {
                Home::Seq(_) => self.enter(ix),
                Home::Undo(_) => self.undo_call(ix),
            },
            Phase::Backoff(at) if *at <= now => match step.home {
                Home::Seq(_) => self.start_call(ix),
                Home::Undo(_) => self.undo_call(ix),
            },
            Phase::Settling(at) if *at <= now => self.start_probe(ix),
            Phase::Time(at) if *at <= now => self.time_passed(ix),
            Phase::Block => self.block(ix),
            Phase::Handling if step.open_seqs == 0 => self.handled(ix),
            Phase::Concluding(..) if step.open_seqs == 0 => self.concluded(ix),
            Phase::Ended(_) => self.undo_steps_ended(ix),
            Phase::Gated(_)
            | Phase::Reading
            | Phase::Running
            | Phase::Backoff(_)
            | Phase::Settling(_)
            | Phase::Probing
            | Phase::Asked(_)
            | Phase::Person(_)
            | Phase::Signal(..)
            | Phase::Time(_)
            | Phase::Child(_)
            | Phase::Handling
            | Phase::Concluding(..) => Ok(()),
        }
    }

    pub(super) fn need_id(&mut self) -> NeedId {
        self.chance.need_id(self.world.now)
    }

    /// The digest of what a need shows; a need of a digest is one question.
    pub(super) fn need_digest(&self, parts: &Value) -> Digest {
        // Values of a run are canonical: they were checked when they came in.
        crate::model::digest_of("need", parts).unwrap_or(Digest::ZERO)
    }

    /// By whom an act is remembered where the run itself acts.
    pub(super) fn requester(&self) -> &Actor {
        &self.state.opened.by
    }

    /// Whether the run ended.
    pub(super) fn is_ended(&self) -> bool {
        matches!(self.state.flow, Flow::Ended(_) | Flow::Undoing { .. })
    }
}
