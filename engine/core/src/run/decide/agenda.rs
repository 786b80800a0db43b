//! Which steps are looked at, and in which order: what is due, what is fresh, what waited.

use std::collections::BTreeSet;

use super::super::event::Head;
use super::super::state::{Cause, Home, Phase, StepIx, Timer};
use super::{Contradiction, Decided, Decider};
use crate::model::ConnectorName;

impl Decider<'_, '_> {
    /// What is due by now is looked at. Timers of steps are taken out, so that a queue of steps that
    /// are due but may not start costs nothing.
    pub(super) fn wake(&mut self) -> Decided {
        self.wake_timers()?;
        if !self.world.shared.stopped && (!self.state.paused || self.state.undo_open > 0) {
            self.state.release_held(&Cause::Paused);
        }
        let held: Vec<Cause> = self.state.held_back.keys().cloned().collect();
        for cause in held {
            match &cause {
                Cause::Hold(key) => {
                    if self.shared.hold(key).is_none_or(|state| state.busy.is_none()) {
                        self.state.release_held(&cause);
                    }
                }
                // A permit's steps are asked for one by one, see below.
                Cause::Permit(_) | Cause::Paused => {}
            }
        }
        Ok(())
    }

    fn wake_timers(&mut self) -> Decided {
        let now = self.now();
        while let Some((at, timer)) = self.state.timers.first().copied() {
            if at > now {
                break;
            }
            match timer {
                Timer::Step(ix) => {
                    self.state.timers.pop_first();
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
        Ok(())
    }

    /// Looks at steps until nothing can go on. Loops come after all else, the inner ones first: an
    /// item whose inner block has not been looked at yet still holds its place.
    pub(super) fn settle_agenda(&mut self) -> Decided {
        let mut loops: BTreeSet<StepIx> = BTreeSet::new();
        loop {
            while let Some(ix) = self.state.fresh.pop_first() {
                if self.is_running_loop(ix) {
                    loops.insert(ix);
                } else if self.state.steps.contains_key(&ix) {
                    self.look_at(ix)?;
                }
            }
            if let Some(ix) = loops.pop_last() {
                if self.is_running_loop(ix) {
                    self.look_at(ix)?;
                }
                continue;
            }
            self.wake_timers()?;
            if !self.state.fresh.is_empty() || self.next_undo()? || self.finish()? {
                continue;
            }
            if self.state.fresh.is_empty() && !self.take_from_queues()? {
                return Ok(());
            }
        }
    }

    fn is_running_loop(&self, ix: StepIx) -> bool {
        let step = self.state.steps.get(&ix);
        step.is_some_and(|step| step.phase == Phase::Block && step.looping.is_some())
    }

    /// Steps that wait for a permit get theirs, oldest first, while there are places: a long queue
    /// costs one look while the connector is busy.
    fn take_from_queues(&mut self) -> Result<bool, Contradiction> {
        let queues: Vec<ConnectorName> = self
            .state
            .held_back
            .keys()
            .filter_map(|cause| match cause {
                Cause::Permit(connector) => Some(connector.clone()),
                Cause::Hold(_) | Cause::Paused => None,
            })
            .collect();
        let mut any = false;
        for connector in queues {
            let cause = Cause::Permit(connector);
            while let Some(ix) = self.first_in(&cause) {
                self.state.forget_held(ix);
                self.look_at(ix)?;
                if self.state.held_for.get(&ix) == Some(&cause) {
                    break;
                }
                any = true;
            }
        }
        Ok(any || !self.state.fresh.is_empty())
    }

    fn first_in(&self, cause: &Cause) -> Option<StepIx> {
        self.state.held_back.get(cause)?.first().copied()
    }

    fn look_at(&mut self, ix: StepIx) -> Decided {
        let step = self.step(ix)?;
        let now = self.now();
        match &step.phase {
            // The clock went back after this was due: it waits again.
            Phase::Backoff(at) | Phase::Settling(at) | Phase::Time(at) if *at > now => {
                let at = *at;
                self.state.timers.insert((at, Timer::Step(ix)));
                Ok(())
            }
            Phase::Ready => match step.home {
                Home::Seq(_) => self.enter(ix),
                Home::Undo(_) => self.undo_call(ix),
            },
            Phase::Backoff(_) => match step.home {
                Home::Seq(_) => self.start_call(ix),
                Home::Undo(_) => self.undo_call(ix),
            },
            Phase::Settling(_) => self.start_probe(ix),
            Phase::Time(_) => self.time_passed(ix),
            Phase::Block => self.block(ix),
            Phase::Handling if step.open_seqs == 0 => self.handled(ix),
            Phase::Concluding(..) if step.open_seqs == 0 => self.concluded(ix),
            Phase::Ended(_) => self.undo_steps_ended(ix),
            // Only what was taken up after a crash and had to wait comes here.
            Phase::Reading => self.read_again(ix),
            Phase::Running => self.resume(ix),
            Phase::Gated(_)
            | Phase::Probing
            | Phase::Asked(_)
            | Phase::Person(_)
            | Phase::Signal(..)
            | Phase::Child(_)
            | Phase::Handling
            | Phase::Concluding(..) => Ok(()),
        }
    }
}
