//! What happens next: a function of the run, the inputs, the world and an instant.
//!
//! A decision is made of events to append and effects to do after that. The state has the events
//! applied already; when the append fails the state is thrown away and loaded anew.

mod agenda;
mod answer;
mod block;
mod bound;
mod call;
mod cancel;
mod command;
mod enter;
mod finish;
mod gate;
mod hold;
mod input;
mod launch;
mod leaf;
mod outcome;
mod place;
mod prepare;
mod recover;
mod release;
mod settle;
mod shared;
mod takeover;
mod undo;

use serde_json::Value;

use super::apply::Contradiction;
use super::event::{Actor, Event, Head};
use super::scope::Scope;
use super::state::{Cause, Flow, Home, RunState, Step, StepIx};
use super::world::{Chance, Permits, World};
use crate::model::{Digest, Millis, NeedId, Path};
use shared::Pending;

pub use answer::requester;
pub use call::never_sent;
pub use command::{Answer, AnswerError, Command, Reply};
pub use input::{Answered, Decision, Effect, Input};
pub use launch::{Launch, LaunchError, launch};
pub use place::touched;
pub(super) use takeover::would_do;

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
    let shared = Pending::new(world.shared);
    let out = Decision::default();
    let mut decider = Decider { world, state, permits, chance, shared, out, walk_undo: false };
    if !decider.state.has_decided() {
        decider.emit(Head::SectionStarted { section: super::event::Section::Steps })?;
    }
    // Whoever began to have the run that takes over opened may have died before that.
    let unsure = inputs.contains(&Input::Recovered) || decider.state.paused;
    let unsure = unsure || decider.state.gave_way.is_none();
    for input in inputs {
        decider.take(input)?;
    }
    decider.wake()?;
    decider.settle_agenda()?;
    decider.open_successor(unsure);
    Ok(decider.out)
}

/// One decision being made.
pub(super) struct Decider<'a, 'w> {
    pub(super) world: &'a World<'w>,
    pub(super) state: &'a mut RunState,
    pub(super) permits: &'a mut dyn Permits,
    pub(super) chance: &'a mut Chance,
    shared: Pending<'w>,
    pub(super) out: Decision,
    /// What is to be taken back is looked for from the top.
    pub(super) walk_undo: bool,
}

/// The result of a part of a decision.
pub(super) type Decided = Result<(), Contradiction>;

impl Decider<'_, '_> {
    pub(super) fn emit(&mut self, event: impl Into<Event>) -> Decided {
        let event = event.into();
        self.state.apply(self.world.plan, &event, self.world.now)?;
        self.give_up_claim(&event)?;
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
        self.state.hold_back(ix, cause);
    }

    /// Whether a step may not start: by the stop switch, or by a pause. A pause keeps new work from
    /// starting; what people want back is not new work, unless the run is parked.
    pub(super) fn is_paused(&self, ix: StepIx) -> Result<bool, Contradiction> {
        if self.world.shared.stopped || !self.state.paused {
            return Ok(self.world.shared.stopped);
        }
        Ok(self.is_parked() || !self.state.takes_back(ix)?)
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
                self.child_ended(&path, (run, end), outputs, error)
            }
            Input::Command(number, command) => {
                let reply = self.command(command)?;
                self.out.replies.push((number, reply));
                Ok(())
            }
            Input::Successor { run, refused } => self.succeeded_by(run, refused),
            Input::Recovered => self.recover(),
        }
    }

    pub(super) fn need_id(&mut self) -> NeedId {
        self.chance.need_id(self.world.now)
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

/// The digest of what a need shows; a need of a digest is one question.
pub(super) fn need_digest(parts: &Value) -> Digest {
    // Values of a run are canonical: they were checked when they came in.
    crate::model::digest_of("need", parts).unwrap_or(Digest::ZERO)
}
