//! Blocks: what happens when lists inside them end.

use serde_json::{Map, Value, json};

use super::super::event::{Event, Head, StepEnd};
use super::super::state::{Phase, Slot, StepError, StepIx};
use super::outcome::ended;
use super::{Contradiction, Decided, Decider};
use crate::model::ErrorKind;
use crate::playbook::{ForEach, Join, Kind, Repeat};

impl Decider<'_, '_> {
    /// A block is looked at: one of its lists ended, or a place became free.
    pub(super) fn block(&mut self, ix: StepIx) -> Decided {
        let node = self.node(ix)?;
        match &node.kind {
            Kind::ForEach(each) => self.loop_goes_on(ix, each),
            Kind::Parallel { join: Join::Any, .. } => self.first_success(ix),
            Kind::Repeat(repeat) => self.round_ended(ix, repeat),
            Kind::UndoSteps(_) => Ok(()),
            Kind::Group(_)
            | Kind::Parallel { join: Join::All, .. }
            | Kind::Switch(_)
            | Kind::Call(_)
            | Kind::Script(_)
            | Kind::Task { .. }
            | Kind::Approve { .. }
            | Kind::Wait(_)
            | Kind::Playbook { .. }
            | Kind::Note(_)
            | Kind::Fail(_)
            | Kind::End(_) => self.all_ended(ix),
        }
    }

    /// How the lists inside ended, the worst first: failed, cancelled, succeeded, skipped.
    fn worst(&self, ix: StepIx) -> Result<Option<StepEnd>, Contradiction> {
        let mut worst = None;
        let round = self.step(ix)?.round;
        for seq in &self.step(ix)?.seqs {
            let seq = self.state.seq_ref(*seq)?;
            let earlier = matches!(seq.slot, Slot::Round(other) if other != round);
            if earlier || matches!(seq.slot, Slot::OnError | Slot::Always | Slot::Undo | Slot::Past)
            {
                continue;
            }
            worst = match (worst, seq.end) {
                (_, Some(StepEnd::Failed)) => return Ok(Some(StepEnd::Failed)),
                (_, Some(StepEnd::Cancelled)) => Some(StepEnd::Cancelled),
                (worst, _) => worst,
            };
        }
        Ok(worst)
    }

    /// The error of the first failed list inside.
    fn inner_error(&self, ix: StepIx) -> Result<StepError, Contradiction> {
        for seq in &self.step(ix)?.seqs {
            let seq = self.state.seq_ref(*seq)?;
            if seq.end == Some(StepEnd::Failed)
                && seq.slot != Slot::Past
                && let Some(last) = seq.steps.last()
                && let Some(error) = &self.step(*last)?.error
            {
                return Ok(error.clone());
            }
        }
        Ok(StepError { kind: ErrorKind::Internal, message: "a step inside failed".to_owned() })
    }

    fn all_ended(&mut self, ix: StepIx) -> Decided {
        if self.step(ix)?.open_seqs > 0 {
            return Ok(());
        }
        self.block_ended(ix)
    }

    fn block_ended(&mut self, ix: StepIx) -> Decided {
        match self.worst(ix)? {
            Some(StepEnd::Failed) => {
                let error = self.inner_error(ix)?;
                self.fail(ix, error.kind, error.message)
            }
            Some(StepEnd::Cancelled) => self.conclude(ix, StepEnd::Cancelled, None, false),
            Some(StepEnd::Succeeded | StepEnd::Skipped) | None => {
                self.conclude(ix, StepEnd::Succeeded, None, false)
            }
        }
    }

    /// `join: any`: at the first success the others start nothing new; their open effects are
    /// settled before the block ends.
    fn first_success(&mut self, ix: StepIx) -> Decided {
        let mut won = false;
        for seq in &self.step(ix)?.seqs {
            let seq = self.state.seq_ref(*seq)?;
            won |= matches!(seq.slot, Slot::Branch(_)) && seq.end == Some(StepEnd::Succeeded);
        }
        if won && !self.step(ix)?.stopped {
            let path = self.path(ix)?;
            self.emit(Head::BlockStopped { path })?;
            self.cancel_inside(ix)?;
        }
        if self.step(ix)?.open_seqs > 0 {
            return Ok(());
        }
        if won { self.conclude(ix, StepEnd::Succeeded, None, false) } else { self.block_ended(ix) }
    }

    /// Items begin while there are places, unless too many failed or the loop is being ended.
    pub(super) fn loop_goes_on(&mut self, ix: StepIx, each: &ForEach) -> Decided {
        let path = self.path(ix)?;
        let stopping = self.is_stopping(ix)? || self.step(ix)?.stopped;
        let paused = self.is_paused(ix)?;
        let Some(looping) = self.step(ix)?.looping.as_deref() else {
            return Err(Contradiction::new(format!("{path} has no list")));
        };
        let tolerated = each.tolerate.map_or(0, |tolerate| tolerate.of(looping.total));
        let broken = looping.failed > tolerated;
        let room = u64::from(each.max_parallel).saturating_sub(looping.places);
        let (from, left) = (looping.next, looping.total - looping.next);
        let open = looping.open;
        if !stopping && !broken && left > 0 && room > 0 {
            if paused {
                self.hold_back(ix, super::Cause::Paused);
                return Ok(());
            }
            let to = from + left.min(room);
            return self.emit(Head::ItemsStarted { path, from, to });
        }
        if open > 0 || (left > 0 && !stopping && !broken) {
            return Ok(());
        }
        if broken {
            let failed = looping.failed;
            let message =
                format!("{failed} of {} items failed, {tolerated} are tolerated", looping.total);
            return self.fail(ix, ErrorKind::Tolerance, message);
        }
        let cancelled = looping.cancelled > 0 || left > 0;
        let end = if cancelled { StepEnd::Cancelled } else { StepEnd::Succeeded };
        self.conclude(ix, end, None, false)
    }

    fn round_ended(&mut self, ix: StepIx, repeat: &Repeat) -> Decided {
        if self.step(ix)?.open_seqs > 0 {
            return Ok(());
        }
        if self.is_stopping(ix)? || self.worst(ix)?.is_some() {
            return self.block_ended(ix);
        }
        let (round, base) = (self.step(ix)?.round, self.step(ix)?.round_base);
        let last = self.last_round(ix)?;
        let until = match last {
            Some(seq) => {
                super::Scope::of_seq(self.world, self.state, Some(seq)).holds(&repeat.until)
            }
            None => Ok(false),
        };
        let path = self.path(ix)?;
        match until {
            Err(error) => self.fail_eval(ix, &error),
            Ok(true) => {
                let output = self.round_output(ix)?;
                self.emit(ended(path, StepEnd::Succeeded, None, None).value(output))
            }
            Ok(false) if round + 1 >= repeat.max.saturating_add(base) => {
                let message = format!("{} rounds passed and `until` does not hold", repeat.max);
                self.fail(ix, ErrorKind::Exhausted, message)
            }
            Ok(false) => match &repeat.every {
                None => self.next_round(ix),
                Some(every) => {
                    let every = self.scope(ix)?.length(every);
                    match every {
                        Ok(span) => self.emit(Head::TimerSet { path, at: self.now().plus(span) }),
                        Err(error) => self.fail_eval(ix, &error),
                    }
                }
            },
        }
    }

    fn last_round(&self, ix: StepIx) -> Result<Option<super::super::state::SeqIx>, Contradiction> {
        let step = self.step(ix)?;
        for seq in step.seqs.iter().rev() {
            if self.state.seq_ref(*seq)?.slot == Slot::Round(step.round) {
                return Ok(Some(*seq));
            }
        }
        Ok(None)
    }

    /// The last round: the output of each of its steps by id.
    fn round_output(&self, ix: StepIx) -> Result<Value, Contradiction> {
        let mut output = Map::new();
        if let Some(seq) = self.last_round(ix)? {
            for step in &self.state.seq_ref(seq)?.steps {
                let step = self.step(*step)?;
                let value = step.output.as_deref().cloned().unwrap_or_default();
                output.insert(step.path.id().to_owned(), value);
            }
        }
        Ok(Value::Object(output))
    }

    fn next_round(&mut self, ix: StepIx) -> Decided {
        if self.is_paused(ix)? {
            self.hold_back(ix, super::Cause::Paused);
            return Ok(());
        }
        let path = self.path(ix)?;
        let index = self.step(ix)?.round + 1;
        self.emit(Head::RoundStarted { path, index })
    }

    /// A wait is over, or the pause between two rounds.
    pub(super) fn time_passed(&mut self, ix: StepIx) -> Decided {
        let Kind::Repeat(_) = self.node(ix)?.kind else {
            let path = self.path(ix)?;
            return self.emit(ended(path, StepEnd::Succeeded, None, None).value(json!(null)));
        };
        if self.is_stopping(ix)? {
            return self.conclude(ix, StepEnd::Cancelled, None, false);
        }
        self.next_round(ix)
    }

    /// The `on_error` steps ended.
    pub(super) fn handled(&mut self, ix: StepIx) -> Decided {
        let last = self.step(ix)?.seqs.last().copied();
        let end = match last {
            Some(seq) => self.state.seq_ref(seq)?.end,
            None => None,
        };
        let handled = matches!(end, Some(StepEnd::Succeeded | StepEnd::Skipped));
        let error = self.step(ix)?.error.clone();
        self.conclude(ix, StepEnd::Failed, error, handled)
    }

    /// The `always` steps ended.
    pub(super) fn concluded(&mut self, ix: StepIx) -> Decided {
        let step = self.step(ix)?;
        let Phase::Concluding(end, handled) = step.phase else { return Ok(()) };
        let error = step.error.clone().filter(|_| end == StepEnd::Failed);
        let path = step.path.clone();
        let (kind, message) =
            error.map_or((None, None), |error| (Some(error.kind), Some(error.message)));
        let mut event: Event = ended(path, end, kind, message);
        if let Head::StepEnded { handled: mark, .. } = &mut event.head {
            *mark = handled;
        }
        self.emit(event)
    }
}
