//! The one place where a run's state changes.
//!
//! `apply` takes an event that was decided (or that the journal kept) and answers
//! [`Contradiction`] when it does not fit. What follows by structure alone, such as the next step
//! of a list, follows here and is no event of its own.

mod needs;
mod phase;
mod structure;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::Value;
use thiserror::Error;

use super::event::{AttemptEnd, Event, Head, Intent, ProbeEnd, RunEnd, Section, StepEnd};
use super::state::{
    Flow, LoopState, Opened, Phase, RunState, Sent, Slot, StepError, StepIx, UndoMark,
};
use crate::model::{EffectClass, ErrorKind, Millis, Path};
use crate::playbook::{Kind, Plan, Undo};

/// The journal does not fit: it was not written by this machine, or it is damaged.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("the journal does not fit: {0}")]
pub struct Contradiction(pub String);

impl Contradiction {
    pub(crate) fn new(what: impl Into<String>) -> Self {
        Self(what.into())
    }
}

impl RunState {
    /// The state after a run's first event.
    ///
    /// # Errors
    /// [`Contradiction`] when the event opens no run.
    pub fn open(event: &Event, at: Millis) -> Result<Self, Contradiction> {
        let Head::RunOpened {
            run,
            playbook,
            digest,
            mode,
            incident,
            by,
            by_hand_ok,
            parent,
            trace,
            ..
        } = &event.head
        else {
            return Err(Contradiction::new("the first event opens no run"));
        };
        let body = event.body.value.as_deref().cloned().unwrap_or_default();
        let part = |name: &str| Arc::new(body.get(name).cloned().unwrap_or_default());
        let bindings = body.get("bindings").cloned().unwrap_or_else(|| Value::Array(Vec::new()));
        let opened = Opened {
            run: *run,
            playbook: playbook.clone(),
            digest: *digest,
            mode: *mode,
            incident: *incident,
            by: by.clone(),
            by_hand_ok: *by_hand_ok,
            parent: parent.clone(),
            trace: trace.clone(),
            at,
            inputs: part("inputs"),
            incident_facts: part("incident"),
            bindings: serde_json::from_value(bindings)
                .map_err(|error| Contradiction::new(error.to_string()))?,
        };
        Ok(Self {
            opened,
            flow: Flow::Section { section: Section::Steps, closing: None },
            paused: false,
            error: None,
            outputs: None,
            ended_at: None,
            steps: BTreeMap::new(),
            seqs: BTreeMap::new(),
            roots: Vec::new(),
            by_path: BTreeMap::new(),
            next_step: 0,
            next_seq: 0,
            needs: BTreeMap::new(),
            agenda: BTreeSet::new(),
            out: BTreeSet::new(),
            moving: 0,
            signals: BTreeMap::new(),
            signal_keys: BTreeSet::new(),
            targets: BTreeSet::new(),
            undo_open: 0,
            undo_by: None,
            undo_failed: false,
            undo_approved: Vec::new(),
            undo_steps: BTreeSet::new(),
            undo_lists: BTreeMap::new(),
            awaiting: BTreeMap::new(),
            timers: BTreeSet::new(),
            fresh: BTreeSet::new(),
            held_back: BTreeMap::new(),
            held_for: BTreeMap::new(),
        })
    }

    /// The state that a run's entries give, from the first one on.
    ///
    /// # Errors
    /// [`Contradiction`] when they do not fit each other or the plan.
    pub fn fold<'e>(
        plan: &Plan,
        entries: impl IntoIterator<Item = (Millis, &'e [Event])>,
    ) -> Result<Self, Contradiction> {
        let mut state: Option<Self> = None;
        for (at, events) in entries {
            for event in events {
                match &mut state {
                    None => state = Some(Self::open(event, at)?),
                    Some(state) => state.apply(plan, event, at)?,
                }
            }
        }
        let mut state = state.ok_or_else(|| Contradiction::new("a run has no entry"))?;
        state.refresh();
        Ok(state)
    }

    /// The state after one more event.
    ///
    /// # Errors
    /// [`Contradiction`] when it does not fit the state; the state must then be thrown away.
    pub fn apply(&mut self, plan: &Plan, event: &Event, at: Millis) -> Result<(), Contradiction> {
        match &event.head {
            Head::RunOpened { .. } => Err(Contradiction::new("a run is opened twice")),
            Head::SectionStarted { section } => self.start_section(plan, *section, at),
            Head::Paused { .. } => {
                self.paused = true;
                Ok(())
            }
            Head::Unpaused { .. } => {
                self.paused = false;
                self.release_held(&super::state::Cause::Paused);
                Ok(())
            }
            Head::Closing { end, error, .. } => self.close(*end, *error, event),
            Head::RunEnded { end } => self.end_run(*end, event, at),
            Head::NeedOpened { .. }
            | Head::Voted { .. }
            | Head::NeedAnswered { .. }
            | Head::NeedVoid { .. }
            | Head::NeedEscalated { .. }
            | Head::ApprovalVoid { .. }
            | Head::SignalReceived { .. }
            | Head::SignalTaken { .. } => self.apply_to_needs(event, at),
            Head::UndoRequested { .. }
            | Head::UndoStarted { .. }
            | Head::UndoStepsStarted { .. }
            | Head::UndoEnded { .. }
            | Head::UndoFinished { .. } => self.apply_to_undo(plan, event, at),
            Head::BlockStarted { .. }
            | Head::CaseChosen { .. }
            | Head::ListFixed { .. }
            | Head::ItemsStarted { .. }
            | Head::RoundStarted { .. }
            | Head::HandlerStarted { .. }
            | Head::AlwaysStarted { .. }
            | Head::BlockStopped { .. }
            | Head::StepReopened { .. } => self.apply_to_block(plan, event, at),
            Head::DeadlineSet { .. }
            | Head::DeadlinePassed { .. }
            | Head::ReadStarted { .. }
            | Head::PreviousRead { .. }
            | Head::AttemptStarted(_)
            | Head::AttemptResumed { .. }
            | Head::AttemptEnded { .. }
            | Head::RetryScheduled { .. }
            | Head::ProbeScheduled { .. }
            | Head::ProbeStarted { .. }
            | Head::ProbeEnded { .. }
            | Head::DoneByHand { .. }
            | Head::AlreadyHeld { .. }
            | Head::TimerSet { .. }
            | Head::SignalAwaited { .. }
            | Head::ChildOpened { .. }
            | Head::StepFailed { .. }
            | Head::Noted { .. }
            | Head::StepEnded { .. } => self.apply_to_step(plan, event, at),
        }
    }

    fn start_section(
        &mut self,
        plan: &Plan,
        section: Section,
        at: Millis,
    ) -> Result<(), Contradiction> {
        let closing = match &self.flow {
            Flow::Section { closing, .. } => *closing,
            Flow::Ended(_) | Flow::Undoing { .. } => {
                return Err(Contradiction::new("a part begins after the end"));
            }
        };
        self.flow = Flow::Section { section, closing };
        let seq = self.open_seq(plan, None, Slot::Section(section), at)?;
        self.roots.push(seq);
        Ok(())
    }

    fn close(
        &mut self,
        end: RunEnd,
        error: Option<ErrorKind>,
        event: &Event,
    ) -> Result<(), Contradiction> {
        let Flow::Section { section, .. } = self.flow else {
            return Err(Contradiction::new("a run closes after its end"));
        };
        self.flow = Flow::Section { section, closing: Some(end) };
        if let Some(kind) = error {
            let message = event.body.text.clone().unwrap_or_default();
            self.error = Some(StepError { kind, message });
        }
        Ok(())
    }

    fn end_run(&mut self, end: RunEnd, event: &Event, at: Millis) -> Result<(), Contradiction> {
        if !self.out.is_empty() || !self.needs.is_empty() {
            return Err(Contradiction::new("a run ends while something of it is open"));
        }
        self.flow = Flow::Ended(end);
        self.outputs.clone_from(&event.body.value);
        self.ended_at = Some(at);
        Ok(())
    }

    #[expect(clippy::too_many_lines, reason = "an arm an event, each a line or two")]
    fn apply_to_step(
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
            Head::ReadStarted { path } => self.begin(path, Phase::Reading, at),
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
                self.end_attempt(plan, ix, (*end, *error), event, at)
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
                self.end_probe(plan, ix, (*end, *reached), event, at)
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
        step.attempts += 1;
        step.attempts_total += 1;
        if body.previous.is_some() {
            step.previous.clone_from(&body.previous);
        }
        step.sent = Some(Box::new(sent_from(intent, event, at)));
        if intent.destructive {
            let touched = body.targets.iter().map(crate::model::Target::identity);
            self.targets.extend(touched);
        }
        self.set_phase(ix, Phase::Running)
    }

    fn end_attempt(
        &mut self,
        plan: &Plan,
        ix: StepIx,
        (end, error): (AttemptEnd, Option<ErrorKind>),
        event: &Event,
        at: Millis,
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
                self.end_step(plan, ix, StepEnd::Succeeded, at)
            }
            AttemptEnd::Failed => {
                self.take_result(ix, error, event)?;
                self.set_phase(ix, Phase::Ready)
            }
            AttemptEnd::Unknown => {
                self.take_result(ix, error, event)?;
                self.step_mut(ix)?.unknown = true;
                self.set_phase(ix, Phase::Ready)
            }
            AttemptEnd::Withdrawn => {
                let step = self.step_mut(ix)?;
                step.attempts = step.attempts.saturating_sub(1);
                step.attempts_total = step.attempts_total.saturating_sub(1);
                self.set_phase(ix, Phase::Ready)
            }
        }
    }

    fn end_probe(
        &mut self,
        plan: &Plan,
        ix: StepIx,
        (end, reached): (ProbeEnd, Option<crate::model::Reached>),
        event: &Event,
        at: Millis,
    ) -> Result<(), Contradiction> {
        match end {
            ProbeEnd::Done => {
                self.step_mut(ix)?.reached = reached;
                self.end_attempt(plan, ix, (AttemptEnd::Succeeded, None), event, at)
            }
            ProbeEnd::NotDone => {
                self.step_mut(ix)?.unknown = false;
                self.set_phase(ix, Phase::Ready)
            }
            ProbeEnd::Unknown => self.set_phase(ix, Phase::Ready),
        }
    }

    /// Output or error of an event goes to its step.
    fn take_result(
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
    fn takes_back(&self, ix: StepIx) -> Result<bool, Contradiction> {
        let mut at = Some(ix);
        while let Some(ix) = at {
            at = match self.step_ref(ix)?.home {
                super::state::Home::Undo(_) => return Ok(true),
                super::state::Home::Seq(seq) => match self.seq_ref(seq)? {
                    seq if seq.slot == Slot::Undo => return Ok(true),
                    seq => seq.owner,
                },
            };
        }
        Ok(false)
    }

    fn apply_to_block(
        &mut self,
        plan: &Plan,
        event: &Event,
        at: Millis,
    ) -> Result<(), Contradiction> {
        match &event.head {
            Head::BlockStarted { path } => self.start_block(plan, path, at),
            Head::CaseChosen { path, case } => {
                let ix = self.enter_block(path, at)?;
                self.step_mut(ix)?.case = *case;
                match case {
                    Some(case) => self.open_seq(plan, Some(ix), Slot::Case(*case), at).map(|_| ()),
                    None => {
                        self.attend(ix);
                        Ok(())
                    }
                }
            }
            Head::ListFixed { path, count } => {
                let ix = self.ix(path)?;
                self.step_mut(ix)?.looping = Some(Box::new(LoopState {
                    items: event.body.value.clone().unwrap_or_default(),
                    total: *count,
                    ..LoopState::default()
                }));
                Ok(())
            }
            Head::ItemsStarted { path, from, to } => self.start_items(plan, path, (*from, *to), at),
            Head::RoundStarted { path, index } => {
                let ix = self.enter_block(path, at)?;
                self.drop_round(ix)?;
                self.step_mut(ix)?.round = *index;
                self.open_seq(plan, Some(ix), Slot::Round(*index), at).map(|_| ())
            }
            Head::HandlerStarted { path, error } => {
                let ix = self.ix(path)?;
                self.take_result(ix, Some(*error), event)?;
                self.set_phase(ix, Phase::Handling)?;
                self.open_seq(plan, Some(ix), Slot::OnError, at).map(|_| ())
            }
            Head::AlwaysStarted { path, end, error, handled } => {
                let ix = self.ix(path)?;
                self.take_result(ix, *error, event)?;
                self.set_phase(ix, Phase::Concluding(*end, *handled))?;
                self.open_seq(plan, Some(ix), Slot::Always, at).map(|_| ())
            }
            Head::BlockStopped { path } => {
                let ix = self.ix(path)?;
                self.step_mut(ix)?.stopped = true;
                Ok(())
            }
            Head::StepReopened { path, renew } => {
                let ix = self.ix(path)?;
                self.reopen(ix, *renew)
            }
            other => Err(Contradiction::new(format!("{other:?} is no event of a block"))),
        }
    }

    fn start_block(&mut self, plan: &Plan, path: &Path, at: Millis) -> Result<(), Contradiction> {
        let ix = self.enter_block(path, at)?;
        let node = self.step_ref(ix)?.node;
        match &plan.node(node).kind {
            Kind::Parallel { branches, .. } => {
                for (_, number) in branches.iter().zip(0..) {
                    self.open_seq(plan, Some(ix), Slot::Branch(number), at)?;
                }
                Ok(())
            }
            _ => self.open_seq(plan, Some(ix), Slot::Body, at).map(|_| ()),
        }
    }

    fn start_items(
        &mut self,
        plan: &Plan,
        path: &Path,
        (from, to): (u64, u64),
        at: Millis,
    ) -> Result<(), Contradiction> {
        let ix = self.enter_block(path, at)?;
        let looping = self.loop_mut(ix)?;
        if looping.next != from || to > looping.total {
            return Err(Contradiction::new(format!("items {from} to {to} of {path}")));
        }
        looping.next = to;
        looping.open += to - from;
        for index in from..to {
            self.open_seq(plan, Some(ix), Slot::Item(index), at)?;
        }
        Ok(())
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
