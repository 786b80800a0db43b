//! What happens to single steps: attempts, probes, timers, ends.

use super::super::event::{AttemptEnd, Event, Head, Intent, ProbeEnd, StepEnd};
use super::super::state::{Home, Phase, RunState, Sent, Slot, StepError, StepIx, UndoMark};
use super::Contradiction;
use crate::model::{EffectClass, ErrorKind, Millis, Path, Reached};
use crate::playbook::{Plan, Undo};

impl RunState {
    #[expect(clippy::too_many_lines, reason = "an arm an event, each a line or two")]
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "`apply` names every head and passes on these; another one contradicts"
    )]
    pub(super) fn apply_to_step(
        &mut self,
        plan: &Plan,
        event: &Event,
        at: Millis,
    ) -> Result<(), Contradiction> {
        match &event.head {
            Head::DeadlineSet { path, at: late, every } => {
                let ix = self.ix(path)?;
                self.set_deadline(ix, *late, *every)
            }
            Head::DeadlinePassed { path, .. } => {
                let ix = self.ix(path)?;
                self.pass_deadline(ix, at)
            }
            Head::ReadStarted { path } => {
                // What was read before is not what is asked for now, whatever becomes of this one.
                let ix = self.ix(path)?;
                self.step_mut(ix)?.previous = None;
                self.begin(path, Phase::Reading, at)
            }
            Head::PreviousRead { path } => {
                let ix = self.ix(path)?;
                self.step_mut(ix)?.previous.clone_from(&event.body.previous);
                self.set_phase(ix, Phase::Ready)
            }
            Head::AttemptStarted(intent) => self.start_attempt(intent, event, at),
            Head::AttemptResumed { path } => {
                let ix = self.ix(path)?;
                let step = self.step_mut(ix)?;
                // What went out before the crash may have been done, whatever the second sending
                // of the same attempt is answered.
                let reads = |sent: &Sent| sent.intent.class == EffectClass::Read;
                step.unknown |= !step.sent.as_deref().is_some_and(reads);
                self.set_phase(ix, Phase::Running)
            }
            Head::AttemptEnded { path, end, error, reached } => {
                let ix = self.ix(path)?;
                self.step_mut(ix)?.reached = *reached;
                self.take_attempt(ix, *end, *error, event)?;
                self.end_or_get_ready(plan, ix, *end == AttemptEnd::Succeeded, at)
            }
            Head::RetryScheduled { path, at: due } => {
                let ix = self.ix(path)?;
                let step = self.step_mut(ix)?;
                // A look that failed uses up an attempt like a call that failed.
                step.attempts += u32::from(step.phase == Phase::Reading);
                self.set_phase(ix, Phase::Backoff(*due))
            }
            Head::ProbeScheduled { path, at: due } => {
                let ix = self.ix(path)?;
                self.set_phase(ix, Phase::Settling(*due))
            }
            Head::ProbeStarted { path } => {
                let ix = self.ix(path)?;
                self.set_phase(ix, Phase::Probing)
            }
            Head::ProbeEnded { path, end, reached } => {
                let ix = self.ix(path)?;
                self.take_probe(ix, *end, *reached, event)?;
                self.end_or_get_ready(plan, ix, *end == ProbeEnd::Done, at)
            }
            Head::DoneByHand { path } => {
                let ix = self.ix(path)?;
                self.step_mut(ix)?.by_hand = true;
                Ok(())
            }
            Head::AlreadyHeld { intent, run, .. } => {
                let ix = self.ix(&intent.path)?;
                let step = self.step_mut(ix)?;
                step.started_at.get_or_insert(at);
                step.already_held_by = vec![*run];
                step.output.clone_from(&event.body.value);
                step.sent = Some(Box::new(sent_from(intent, event, at)));
                self.end_step(plan, ix, StepEnd::Succeeded, at)
            }
            Head::TakenOver { intent, run, reached, by_hand } => {
                let ix = self.ix(&intent.path)?;
                let step = self.step_mut(ix)?;
                step.started_at.get_or_insert(at);
                step.taken_from = Some(*run);
                (step.reached, step.by_hand) = (*reached, *by_hand);
                step.output.clone_from(&event.body.value);
                let arguments = event.body.form.clone().unwrap_or_default();
                step.sent = Some(Box::new(Sent { arguments, ..sent_from(intent, event, at) }));
                self.end_step(plan, ix, StepEnd::Succeeded, at)
            }
            Head::TimerSet { path, at: due } => self.begin(path, Phase::Time(*due), at),
            Head::SignalAwaited { path, name } => {
                self.begin(path, Phase::Signal(name.clone(), None), at)
            }
            Head::ChildOpened { path, run, .. } => {
                let ix = self.ix(path)?;
                let step = self.step_mut(ix)?;
                step.child = Some(*run);
                step.child_inputs.clone_from(&event.body.value);
                self.begin(path, Phase::Child(*run), at)
            }
            Head::StepFailed { path, error } => {
                let ix = self.ix(path)?;
                self.step_mut(ix)?.started_at.get_or_insert(at);
                self.take_result(ix, Some(*error), event)
            }
            Head::Noted { path } => {
                let ix = self.ix(path)?;
                self.step_mut(ix)?.started_at.get_or_insert(at);
                self.end_step(plan, ix, StepEnd::Succeeded, at)
            }
            Head::StepEnded { path, end, error, by_hand, handled } => {
                let ix = self.ix(path)?;
                let step = self.step_mut(ix)?;
                step.by_hand |= *by_hand;
                step.handled = *handled;
                self.take_result(ix, *error, event)?;
                self.end_step(plan, ix, *end, at)
            }
            other => Err(Contradiction::new(format!("{other:?} is no event of a step"))),
        }
    }

    /// A leaf begins to do something.
    fn begin(&mut self, path: &Path, phase: Phase, at: Millis) -> Result<(), Contradiction> {
        let ix = self.ix(path)?;
        let step = self.step_mut(ix)?;
        step.started_at.get_or_insert(at);
        step.entered = true;
        self.set_phase(ix, phase)
    }

    fn start_attempt(
        &mut self,
        intent: &Intent,
        event: &Event,
        at: Millis,
    ) -> Result<(), Contradiction> {
        let ix = self.ix(&intent.path)?;
        let body = &event.body;
        let step = self.step_mut(ix)?;
        if matches!(step.phase, Phase::Running | Phase::Probing | Phase::Ended(_)) {
            return Err(Contradiction::new(format!("{} is attempted twice", intent.path)));
        }
        step.started_at.get_or_insert(at);
        step.entered = true;
        let counts = u32::from(intent.attempt > 0);
        step.attempts += counts;
        step.attempts_total += counts;
        if body.previous.is_some() {
            step.previous.clone_from(&body.previous);
        }
        step.sent = Some(Box::new(sent_from(intent, event, at)));
        if intent.destructive {
            let touched = || body.targets.iter().map(crate::model::Target::identity);
            self.targets.extend(touched());
            self.asked.entry(intent.action.clone()).or_default().extend(touched());
        }
        self.set_phase(ix, Phase::Running)
    }

    /// How an attempt ended goes to its step.
    fn take_attempt(
        &mut self,
        ix: StepIx,
        end: AttemptEnd,
        error: Option<ErrorKind>,
        event: &Event,
    ) -> Result<(), Contradiction> {
        let step = self.step_ref(ix)?;
        if end != AttemptEnd::Succeeded && step.phase != Phase::Running {
            return Err(Contradiction::new(format!("{} has no attempt that ends", step.path)));
        }
        match end {
            AttemptEnd::Succeeded => {
                let step = self.step_mut(ix)?;
                step.unknown = false;
                step.error = None;
                step.by_hand |= by_a_person(step.sent.as_deref());
                step.output.clone_from(&event.body.value);
            }
            AttemptEnd::Failed => self.take_result(ix, error, event)?,
            AttemptEnd::Unknown => {
                self.take_result(ix, error, event)?;
                self.step_mut(ix)?.unknown = true;
            }
            AttemptEnd::Withdrawn => {
                let step = self.step_mut(ix)?;
                step.attempts = step.attempts.saturating_sub(1);
                step.attempts_total = step.attempts_total.saturating_sub(1);
            }
        }
        Ok(())
    }

    /// What a probe found goes to its step.
    fn take_probe(
        &mut self,
        ix: StepIx,
        end: ProbeEnd,
        reached: Option<Reached>,
        event: &Event,
    ) -> Result<(), Contradiction> {
        match end {
            ProbeEnd::Done => {
                self.step_mut(ix)?.reached = reached;
                self.take_attempt(ix, AttemptEnd::Succeeded, None, event)?;
            }
            ProbeEnd::NotDone => self.step_mut(ix)?.unknown = false,
            ProbeEnd::Unknown => {}
        }
        Ok(())
    }

    /// After an attempt or a probe: what is done has ended, the rest is looked at again.
    fn end_or_get_ready(
        &mut self,
        plan: &Plan,
        ix: StepIx,
        done: bool,
        at: Millis,
    ) -> Result<(), Contradiction> {
        if done {
            return self.end_step(plan, ix, StepEnd::Succeeded, at);
        }
        self.set_phase(ix, Phase::Ready)
    }

    /// Output or error of an event goes to its step.
    pub(super) fn take_result(
        &mut self,
        ix: StepIx,
        error: Option<ErrorKind>,
        event: &Event,
    ) -> Result<(), Contradiction> {
        let step = self.step_mut(ix)?;
        if event.body.value.is_some() {
            step.output.clone_from(&event.body.value);
        }
        if let Some(kind) = error {
            let message = event.body.text.clone().unwrap_or_default();
            step.error = Some(StepError { kind, message });
        }
        Ok(())
    }

    /// What has succeeded can be taken back where its call or the playbook says how. What takes
    /// something back is not taken back itself.
    pub(super) fn mark_undo(
        &mut self,
        plan: &Plan,
        ix: StepIx,
        end: StepEnd,
    ) -> Result<(), Contradiction> {
        let step = self.step_ref(ix)?;
        let node = plan.node(step.node);
        let possible = match &node.undo {
            Undo::Steps(_) => end == StepEnd::Succeeded,
            Undo::None => false,
            Undo::Catalogue | Undo::Call { .. } => {
                step.child.is_some() || step.sent.as_ref().is_some_and(|sent| sent.undo.is_some())
            }
        };
        if possible && !self.takes_back(ix)? {
            self.step_mut(ix)?.undo = UndoMark::Possible;
        }
        Ok(())
    }

    /// Whether a step takes something back, or stands among steps that do.
    pub(crate) fn takes_back(&self, ix: StepIx) -> Result<bool, Contradiction> {
        let mut at = Some(ix);
        while let Some(ix) = at {
            at = match self.step_ref(ix)?.home {
                Home::Undo(_) => return Ok(true),
                Home::Seq(seq) => match self.seq_ref(seq)? {
                    seq if seq.slot == Slot::Undo => return Ok(true),
                    seq => seq.owner,
                },
            };
        }
        Ok(false)
    }
}

/// An attempt without a connector is a person's.
fn by_a_person(sent: Option<&Sent>) -> bool {
    sent.is_some_and(|sent| sent.intent.connector.is_none())
}

fn sent_from(intent: &Intent, event: &Event, at: Millis) -> Sent {
    let body = &event.body;
    Sent {
        intent: intent.clone(),
        arguments: body.value.clone().unwrap_or_default(),
        targets: body.targets.clone(),
        previous: body.previous.clone(),
        undo: body.undo.clone(),
        at,
    }
}
