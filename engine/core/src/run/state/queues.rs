//! What a run waits for: timers, and steps that were looked at and may not start yet.
//!
//! All of it follows from the phases of steps, so none of it is kept: [`RunState::refresh`] makes it
//! anew after a snapshot.

use std::collections::BTreeSet;

use super::{Cause, Home, Phase, RunState, SeqIx, Slot, Step, StepIx, Timer};
use crate::model::Millis;

impl RunState {
    /// The next instant at which it must be looked at. What is due but held back is left out:
    /// it is looked at when its cause is gone.
    pub fn next_due(&self) -> Option<Millis> {
        self.timers.first().map(|(at, _)| *at)
    }

    /// The next instant at which a step goes on by itself; deadlines do not count.
    pub(crate) fn next_step_due(&self) -> Option<Millis> {
        let of_step = |timer: &Timer| matches!(timer, Timer::Step(_));
        self.timers.iter().find(|(_, timer)| of_step(timer)).map(|(at, _)| *at)
    }

    /// What keeps ready steps from starting.
    pub fn waits_for(&self) -> impl Iterator<Item = (&Cause, &Step)> {
        self.held_back.iter().flat_map(move |(cause, steps)| {
            steps.iter().filter_map(move |ix| self.steps.get(ix).map(|step| (cause, step)))
        })
    }

    /// Whether a ready step waits for something that others give back.
    pub fn is_held_back(&self) -> bool {
        self.held_back.keys().any(|cause| *cause != Cause::Paused || !self.paused)
    }

    /// After loading: timers are set, and everything on the agenda is looked at anew.
    pub fn refresh(&mut self) {
        self.held_back.clear();
        self.held_for.clear();
        self.timers.clear();
        self.fresh = self.agenda.clone();
        for (ix, step) in &self.steps {
            if let Phase::Backoff(at) | Phase::Settling(at) | Phase::Time(at) = step.phase {
                self.timers.insert((at, Timer::Step(*ix)));
            }
            if let (Some((at, _)), None) = (step.deadline, step.ended_at) {
                self.timers.insert((at, Timer::Deadline(*ix)));
            }
        }
        for need in self.needs.values() {
            if let Some(until) = need.until {
                self.timers.insert((until, Timer::Need(need.id)));
            }
        }
    }

    /// A step may not start now: it is looked at again when its cause is gone.
    pub(crate) fn hold_back(&mut self, ix: StepIx, cause: Cause) {
        self.held_for.insert(ix, cause.clone());
        self.held_back.entry(cause).or_default().insert(ix);
    }

    /// The steps of one cause are looked at again.
    pub fn release_held(&mut self, cause: &Cause) {
        if let Some(steps) = self.held_back.remove(cause) {
            for ix in &steps {
                self.held_for.remove(ix);
            }
            self.fresh.extend(steps);
        }
    }

    /// A step waits for nothing that others give back.
    pub(crate) fn forget_held(&mut self, ix: StepIx) {
        let Some(cause) = self.held_for.remove(&ix) else { return };
        if let Some(steps) = self.held_back.get_mut(&cause) {
            steps.remove(&ix);
            if steps.is_empty() {
                self.held_back.remove(&cause);
            }
        }
    }

    /// Steps that wait for people or a signal, in the order of becoming ready.
    pub(crate) fn steps_that_wait(&self) -> impl Iterator<Item = &Step> {
        let asked = self.needs.values().filter_map(|need| need.step);
        let signalled = self.awaiting.values().flatten().copied();
        let all: BTreeSet<StepIx> = asked.chain(signalled).collect();
        all.into_iter().filter_map(|ix| self.steps.get(&ix))
    }

    /// Whether a step waits for a signal of this name.
    pub fn awaits(&self, name: &str) -> bool {
        self.awaiting.contains_key(name)
    }

    /// A step's path with the items of loops by name: `contain[pc-2]/cut`.
    pub(crate) fn path_by_items(&self, step: &Step) -> String {
        let mut text = step.path.as_str().to_owned();
        let mut home = step.home;
        loop {
            let seq = match home {
                Home::Seq(seq) => self.seqs.get(&seq),
                Home::Undo(of) => match self.steps.get(&of) {
                    Some(of) => {
                        home = of.home;
                        continue;
                    }
                    None => return text,
                },
            };
            let Some(seq) = seq else { return text };
            let Some(owner) = seq.owner.and_then(|owner| self.steps.get(&owner)) else {
                return text;
            };
            if let (Slot::Item(index), Some(looping)) = (seq.slot, &owner.looping)
                && let Some(item) = super::super::scope::item_at(&looping.items, index)
            {
                let item = super::super::view::item_text(&item);
                let from = owner.path.as_str().len();
                let to = from + format!("[{index}]").len();
                if text.is_char_boundary(from) && text.is_char_boundary(to) && to <= text.len() {
                    text.replace_range(from..to, &format!("[{item}]"));
                }
            }
            home = owner.home;
        }
    }

    /// The steps of a list, in the order they began.
    pub(crate) fn steps_in(&self, seq: SeqIx) -> impl DoubleEndedIterator<Item = &Step> {
        let steps = self.seqs.get(&seq).map(|seq| seq.steps.as_slice()).unwrap_or_default();
        steps.iter().filter_map(|ix| self.steps.get(ix))
    }
}
