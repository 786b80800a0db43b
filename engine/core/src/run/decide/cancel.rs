//! Ending early: what is open is settled, what only waits is cancelled, nothing is undone.

use super::super::event::{Head, StepEnd};
use super::super::state::{Phase, SeqIx, StepIx};
use super::{Command, Decided, Decider, Effect};

impl Decider<'_, '_> {
    /// Everything in the run's steps is ended.
    pub(super) fn cancel_all(&mut self) -> Decided {
        let roots = self.state.roots.clone();
        for root in roots {
            if !self.state.seq_ref(root)?.slot.is_shielded() {
                self.cancel_seq(root)?;
            }
        }
        Ok(())
    }

    /// Everything inside a block is ended.
    pub(super) fn cancel_inside(&mut self, ix: StepIx) -> Decided {
        let seqs = self.step(ix)?.seqs.clone();
        for seq in seqs {
            if !self.state.seq_ref(seq)?.slot.is_shielded() {
                self.cancel_seq(seq)?;
            }
        }
        Ok(())
    }

    /// Only the last step of an open list can be open.
    fn cancel_seq(&mut self, seq: SeqIx) -> Decided {
        let seq = self.state.seq_ref(seq)?;
        if seq.end.is_some() {
            return Ok(());
        }
        match seq.steps.last().copied() {
            Some(last) => self.cancel_step(last),
            None => Ok(()),
        }
    }

    fn cancel_step(&mut self, ix: StepIx) -> Decided {
        let step = self.step(ix)?;
        match &step.phase {
            Phase::Ready | Phase::Gated(_) | Phase::Backoff(_) => self.stop_call(ix),
            Phase::Signal(..) | Phase::Reading => self.end(ix, StepEnd::Cancelled),
            Phase::Time(_) => self.conclude(ix, StepEnd::Cancelled, None, false),
            Phase::Person(need) => {
                // What a person may be doing right now is an open effect: it is settled first.
                let by_hand = step.sent.is_some();
                if by_hand {
                    return Ok(());
                }
                let need = *need;
                self.emit(Head::NeedVoid { need })?;
                self.end(ix, StepEnd::Cancelled)
            }
            Phase::Asked(_) if step.unknown => Ok(()),
            Phase::Asked(need) => {
                let need = *need;
                let error = step.error.clone();
                self.emit(Head::NeedVoid { need })?;
                self.conclude(ix, StepEnd::Failed, error, false)
            }
            Phase::Child(run) => {
                let run = *run;
                let reason = "the calling run is being ended".to_owned();
                let by = self.requester().clone();
                let command = Command::Cancel { by, reason };
                self.out.effects.push(Effect::ToChild { run, command });
                Ok(())
            }
            Phase::Block | Phase::Handling => {
                self.cancel_inside(ix)?;
                self.state.fresh.insert(ix);
                Ok(())
            }
            Phase::Running
            | Phase::Settling(_)
            | Phase::Probing
            | Phase::Concluding(..)
            | Phase::Ended(_) => Ok(()),
        }
    }

    /// A call that is being ended and has nothing out: it stays unknown until it is settled, or ends.
    pub(super) fn stop_call(&mut self, ix: StepIx) -> Decided {
        let step = self.step(ix)?;
        if step.unknown {
            return self.ask_unknown(ix);
        }
        match step.error.clone() {
            Some(error) if step.attempts_total > 0 => {
                self.conclude(ix, StepEnd::Failed, Some(error), false)
            }
            Some(_) | None => self.end(ix, StepEnd::Cancelled),
        }
    }
}
