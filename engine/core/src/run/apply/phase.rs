//! Phases and what hangs on them: timers, the agenda, counters of what moves.

use super::super::state::{Home, Phase, RunState, SeqIx, Slot, Step, StepIx, Timer};
use super::Contradiction;
use crate::model::{Millis, Path, Span};

/// Whether a run with a step in this phase is `running`.
fn moves(phase: &Phase) -> bool {
    match phase {
        Phase::Ready
        | Phase::Reading
        | Phase::Running
        | Phase::Backoff(_)
        | Phase::Settling(_)
        | Phase::Probing => true,
        Phase::Gated(_)
        | Phase::Asked(_)
        | Phase::Person(_)
        | Phase::Signal(..)
        | Phase::Time(_)
        | Phase::Child(_)
        | Phase::Block
        | Phase::Handling
        | Phase::Concluding(..)
        | Phase::Ended(_) => false,
    }
}

/// Whether a leaf in this phase keeps its item's place of `max_parallel`. Waiting for a person
/// does not.
fn holds_place(phase: &Phase) -> bool {
    match phase {
        Phase::Signal(_, need) => need.is_none(),
        Phase::Time(_) | Phase::Child(_) => true,
        Phase::Ready
        | Phase::Gated(_)
        | Phase::Reading
        | Phase::Running
        | Phase::Backoff(_)
        | Phase::Settling(_)
        | Phase::Probing
        | Phase::Asked(_)
        | Phase::Person(_)
        | Phase::Block
        | Phase::Handling
        | Phase::Concluding(..)
        | Phase::Ended(_) => moves(phase),
    }
}

fn timer_of(phase: &Phase) -> Option<Millis> {
    match phase {
        Phase::Backoff(at) | Phase::Settling(at) | Phase::Time(at) => Some(*at),
        Phase::Ready
        | Phase::Gated(_)
        | Phase::Reading
        | Phase::Running
        | Phase::Probing
        | Phase::Asked(_)
        | Phase::Person(_)
        | Phase::Signal(..)
        | Phase::Child(_)
        | Phase::Block
        | Phase::Handling
        | Phase::Concluding(..)
        | Phase::Ended(_) => None,
    }
}

fn is_out(phase: &Phase) -> bool {
    match phase {
        Phase::Reading | Phase::Running | Phase::Probing | Phase::Child(_) => true,
        Phase::Ready
        | Phase::Gated(_)
        | Phase::Backoff(_)
        | Phase::Settling(_)
        | Phase::Asked(_)
        | Phase::Person(_)
        | Phase::Signal(..)
        | Phase::Time(_)
        | Phase::Block
        | Phase::Handling
        | Phase::Concluding(..)
        | Phase::Ended(_) => false,
    }
}

impl RunState {
    pub(crate) fn ix(&self, path: &Path) -> Result<StepIx, Contradiction> {
        let found = self.by_path.get(path).copied();
        found.ok_or_else(|| Contradiction::new(format!("there is no step {path}")))
    }

    pub(crate) fn step_ref(&self, ix: StepIx) -> Result<&Step, Contradiction> {
        self.steps.get(&ix).ok_or_else(|| Contradiction::new(format!("there is no step {}", ix.0)))
    }

    pub(crate) fn step_mut(&mut self, ix: StepIx) -> Result<&mut Step, Contradiction> {
        let missing = || Contradiction::new(format!("there is no step {}", ix.0));
        self.steps.get_mut(&ix).ok_or_else(missing)
    }

    /// Moves a step to a phase; timers, agenda and counters follow.
    pub(crate) fn set_phase(&mut self, ix: StepIx, phase: Phase) -> Result<(), Contradiction> {
        let step = self.step_mut(ix)?;
        let home = step.home;
        let new = phase.clone();
        let old = std::mem::replace(&mut step.phase, phase);
        self.count(home, &old, &new)?;
        if let Some(at) = timer_of(&old) {
            self.timers.remove(&(at, Timer::Step(ix)));
        }
        if let Some(at) = timer_of(&new) {
            self.timers.insert((at, Timer::Step(ix)));
        }
        if is_out(&new) && !self.is_with_a_person(ix) {
            self.out.insert(ix);
        } else {
            self.out.remove(&ix);
        }
        self.await_signal(ix, &old, &new);
        self.drop_from_queues(ix);
        if new == Phase::Ready {
            self.attend(ix);
        }
        Ok(())
    }

    fn await_signal(&mut self, ix: StepIx, old: &Phase, new: &Phase) {
        if let Phase::Signal(name, _) = old
            && let Some(steps) = self.awaiting.get_mut(name)
        {
            steps.remove(&ix);
            if steps.is_empty() {
                self.awaiting.remove(name);
            }
        }
        if let Phase::Signal(name, _) = new {
            self.awaiting.entry(name.clone()).or_default().insert(ix);
        }
    }

    fn is_with_a_person(&self, ix: StepIx) -> bool {
        self.steps.get(&ix).is_some_and(|step| {
            step.phase == Phase::Running
                && step.sent.as_ref().is_some_and(|sent| sent.intent.connector.is_none())
        })
    }

    /// `decide` must look at a step.
    pub(super) fn attend(&mut self, ix: StepIx) {
        self.agenda.insert(ix);
        self.fresh.insert(ix);
    }

    pub(crate) fn drop_from_queues(&mut self, ix: StepIx) {
        self.agenda.remove(&ix);
        self.fresh.remove(&ix);
        self.forget_held(ix);
    }

    /// A new step's first phase is counted like a change from an ended one.
    pub(super) fn count(
        &mut self,
        home: Home,
        old: &Phase,
        new: &Phase,
    ) -> Result<(), Contradiction> {
        match (moves(old), moves(new)) {
            (false, true) => self.moving += 1,
            (true, false) => self.moving = self.moving.saturating_sub(1),
            (true, true) | (false, false) => {}
        }
        let change: i8 = match (holds_place(old), holds_place(new)) {
            (false, true) => 1,
            (true, false) => -1,
            (true, true) | (false, false) => return Ok(()),
        };
        let mut at = match home {
            Home::Seq(seq) => Some(seq),
            Home::Undo(_) => None,
        };
        while let Some(seq) = at {
            at = self.count_in(seq, change)?;
        }
        Ok(())
    }

    /// Counts a moving leaf in one list and gives the list around it.
    fn count_in(&mut self, ix: SeqIx, change: i8) -> Result<Option<SeqIx>, Contradiction> {
        let seq = self.seq_mut(ix)?;
        let before = seq.moving;
        seq.moving = if change > 0 { before + 1 } else { before.saturating_sub(1) };
        let (after, slot, owner) = (seq.moving, seq.slot, seq.owner);
        let Some(owner) = owner else { return Ok(None) };
        if let Slot::Item(_) = slot {
            let looping = self.loop_mut(owner)?;
            match (before, after) {
                (0, 1) => looping.places += 1,
                (1, 0) => {
                    looping.places = looping.places.saturating_sub(1);
                    self.attend(owner);
                }
                _ => {}
            }
        }
        Ok(match self.step_ref(owner)?.home {
            Home::Seq(seq) => Some(seq),
            Home::Undo(_) => None,
        })
    }

    pub(super) fn set_deadline(
        &mut self,
        ix: StepIx,
        at: Millis,
        every: Span,
    ) -> Result<(), Contradiction> {
        let step = self.step_mut(ix)?;
        let old = step.deadline.replace((at, every));
        if let Some((old, _)) = old {
            self.timers.remove(&(old, Timer::Deadline(ix)));
        }
        self.timers.insert((at, Timer::Deadline(ix)));
        Ok(())
    }

    /// It is late, and that is said again: after an outage once, not for every turn that was missed.
    pub(super) fn pass_deadline(&mut self, ix: StepIx, now: Millis) -> Result<(), Contradiction> {
        let step = self.step_mut(ix)?;
        step.late = true;
        let Some((at, every)) = step.deadline else {
            return Err(Contradiction::new("a step is late without a deadline"));
        };
        self.set_deadline(ix, next_turn(at, every, now), every)
    }

    pub(super) fn drop_deadline(&mut self, ix: StepIx) -> Result<(), Contradiction> {
        if let Some((at, _)) = self.step_mut(ix)?.deadline {
            self.timers.remove(&(at, Timer::Deadline(ix)));
        }
        Ok(())
    }
}

/// The first turn after `now` of what comes again and again.
pub(super) fn next_turn(at: Millis, every: Span, now: Millis) -> Millis {
    let missed = now.since(at).millis().checked_div(every.millis()).unwrap_or(0);
    at.plus(Span::from_millis(every.millis().saturating_mul(missed + 1)))
}
