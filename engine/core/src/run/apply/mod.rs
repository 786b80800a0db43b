//! The one place where a run's state changes.
//!
//! `apply` takes an event that was decided (or that the journal kept) and answers
//! [`Contradiction`] when it does not fit. What follows by structure alone, such as the next step
//! of a list, follows here and is no event of its own.

mod block;
mod needs;
mod phase;
mod step;
mod structure;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::Value;
use thiserror::Error;

use super::event::{Event, Head, RunEnd, Section};
use super::legacy::Legacy;
use super::state::{Flow, Opened, RunState, Slot, StepError};
use crate::model::{ErrorKind, Millis};
use crate::playbook::Plan;

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
        let opened = opened_by(event, at)?;
        let caller = opened.parent.as_ref().and_then(|parent| parent.restored.clone());
        let before = || opened.supersedes.as_ref().and_then(|earlier| earlier.restored.clone());
        let restored = caller.or_else(before);
        Ok(Self {
            restored: restored.map(|epoch| (epoch, at)),
            opened,
            flow: Flow::Section { section: Section::Steps, closing: None },
            paused: false,
            paused_with_caller: false,
            successor: None,
            gave_way: None,
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
            asked: BTreeMap::new(),
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
            Head::Restored { epoch } => {
                self.restored = Some((epoch.clone(), at));
                Ok(())
            }
            Head::Paused { with_caller, .. } => {
                self.paused = true;
                self.paused_with_caller = *with_caller;
                Ok(())
            }
            Head::Unpaused { .. } => {
                self.paused = false;
                self.release_held(&super::state::Cause::Paused);
                Ok(())
            }
            Head::Closing { end, error, .. } => self.close(*end, *error, event),
            Head::Superseding { next } => {
                self.successor = Some(next.as_ref().clone());
                self.close(RunEnd::Superseded, None, event)
            }
            Head::GaveWay => {
                self.gave_way = Some(at);
                Ok(())
            }
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
            | Head::TakenOver { .. }
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
        if end != RunEnd::Superseded {
            (self.successor, self.gave_way) = (None, None);
        }
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
        self.paused = false;
        self.outputs.clone_from(&event.body.value);
        self.ended_at = Some(at);
        Ok(())
    }
}

/// What a run was launched with.
fn opened_by(event: &Event, at: Millis) -> Result<Opened, Contradiction> {
    let Head::RunOpened {
        run,
        playbook,
        digest,
        mode,
        incident,
        by,
        by_hand_ok,
        parent,
        more_of,
        supersedes,
        trace,
        ..
    } = &event.head
    else {
        return Err(Contradiction::new("the first event opens no run"));
    };
    let body = event.body.value.as_deref().cloned().unwrap_or_default();
    let part = |name: &str| Arc::new(body.get(name).cloned().unwrap_or_default());
    let bindings = body.get("bindings").cloned().unwrap_or_else(|| Value::Array(Vec::new()));
    Ok(Opened {
        run: *run,
        playbook: playbook.clone(),
        digest: *digest,
        mode: *mode,
        incident: *incident,
        by: by.clone(),
        by_hand_ok: *by_hand_ok,
        parent: parent.clone(),
        more_of: more_of.as_deref().cloned(),
        supersedes: supersedes.as_deref().cloned(),
        legacy: Legacy::in_opening(event),
        trace: trace.clone(),
        at,
        inputs: part("inputs"),
        incident_facts: part("incident"),
        bindings: serde_json::from_value(bindings)
            .map_err(|error| Contradiction::new(error.to_string()))?,
    })
}
