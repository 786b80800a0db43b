//! Undo: backwards through the structure. Lists and rounds in reverse, branches and items at once.
//! It never starts by itself: a person or an `undo:` step starts it.

use super::super::event::{Actor, Event, Head, RunEnd, StepEnd};
use super::super::state::{Flow, Home, Phase, SeqIx, Slot, StepIx, UndoMark};
use super::outcome::ended;
use super::{Command, Contradiction, Decided, Decider, Effect};
use crate::model::{ErrorKind, Path, RunId};
use crate::playbook::{Kind, NodeId, Undo};

impl Decider<'_, '_> {
    /// Everything at or below a path that can be taken back, in the order of the run.
    pub(super) fn undoable(&self, within: &Path) -> Vec<StepIx> {
        let possible = |mark: UndoMark| matches!(mark, UndoMark::Possible | UndoMark::Failed);
        self.state
            .steps
            .iter()
            .filter(|(_, step)| possible(step.undo) && step.path.is_within(within))
            .filter(|(_, step)| !self.is_replaced(step.home))
            .map(|(ix, _)| *ix)
            .collect()
    }

    /// Whether a block around a step says itself how all of it is taken back.
    fn is_replaced(&self, home: Home) -> bool {
        let mut at = home;
        while let Home::Seq(seq) = at {
            let owner = self.state.seqs.get(&seq).and_then(|seq| seq.owner);
            let Some(owner) = owner.and_then(|owner| self.state.steps.get(&owner)) else { break };
            if owner.undo != UndoMark::Nothing {
                return true;
            }
            at = owner.home;
        }
        false
    }

    /// Asks for an undo, with the gate that its effects had.
    pub(super) fn request_undo(
        &mut self,
        steps: &[StepIx],
        (by, step): (Option<Actor>, Option<Path>),
        reason: String,
    ) -> Decided {
        let mut paths = Vec::new();
        let mut calls = Vec::new();
        let mut own = None;
        for ix in steps {
            paths.push(self.path(*ix)?);
            let gate = self.written_gate_of(self.step(*ix)?.node);
            if gate.map(|gate| gate.votes) > own.map(|gate: &crate::playbook::Gate| gate.votes) {
                own = gate;
            }
            if let Some(receipt) = self.receipt(*ix)? {
                calls.push(self.prepare_undo(*ix, receipt)?);
            }
        }
        self.walk_undo = true;
        self.emit(Event::new(Head::UndoRequested { by, step, paths }).text(reason))?;
        if !calls.is_empty() {
            self.open_undo_gate(calls, own)?;
        }
        Ok(())
    }

    /// An `undo:` step.
    pub(super) fn undo_by_step(&mut self, ix: StepIx, ids: &[NodeId]) -> Decided {
        let path = self.path(ix)?;
        let named = |node: NodeId| ids.contains(&node);
        let within: Vec<Path> = self
            .state
            .steps()
            .filter(|step| named(step.node))
            .map(|step| step.path.clone())
            .collect();
        let mut wanted: Vec<StepIx> = within.iter().flat_map(|path| self.undoable(path)).collect();
        wanted.sort();
        wanted.dedup();
        if wanted.is_empty() {
            return self.end(ix, StepEnd::Succeeded);
        }
        self.request_undo(&wanted, (None, Some(path)), String::new())
    }

    /// Begins what is due to be taken back, or ends the undo; says whether anything changed.
    pub(super) fn next_undo(&mut self) -> Result<bool, Contradiction> {
        let active = self.state.undo_by.is_some()
            || !self.state.undo_steps.is_empty()
            || matches!(self.state.flow, Flow::Undoing { .. });
        if !active {
            return Ok(false);
        }
        if self.state.undo_open == 0 {
            return self.finish_undo();
        }
        if !std::mem::take(&mut self.walk_undo) {
            return Ok(false);
        }
        let before = self.out.events.len();
        let roots = self.state.roots.clone();
        for root in roots.into_iter().rev() {
            if self.undo_in_seq(root)? {
                break;
            }
        }
        Ok(self.out.events.len() > before)
    }

    fn finish_undo(&mut self) -> Result<bool, Contradiction> {
        let complete = !self.state.undo_failed;
        let steps: Vec<StepIx> = self.state.undo_steps.iter().copied().collect();
        self.emit(Head::UndoFinished { complete })?;
        for ix in steps {
            if complete {
                self.end(ix, StepEnd::Succeeded)?;
            } else {
                self.fail(ix, ErrorKind::Refused, "not everything could be taken back".to_owned())?;
            }
        }
        Ok(true)
    }

    /// In a list the last open undo goes first; says whether there is one.
    fn undo_in_seq(&mut self, seq: SeqIx) -> Result<bool, Contradiction> {
        let last = self.state.undo_lists.get(&seq).and_then(|steps| steps.last()).copied();
        match last {
            Some(ix) => self.undo_in_step(ix).map(|()| true),
            None => Ok(false),
        }
    }

    fn undo_in_step(&mut self, ix: StepIx) -> Decided {
        match self.step(ix)?.undo {
            UndoMark::Wanted => return self.start_undo(ix),
            UndoMark::Undoing => return Ok(()),
            UndoMark::Nothing | UndoMark::Possible | UndoMark::Undone | UndoMark::Failed => {}
        }
        // What ran last is taken back first: `always`, then handlers, then rounds from the end.
        for seq in self.step(ix)?.seqs.clone().into_iter().rev() {
            let at_once = matches!(self.state.seq_ref(seq)?.slot, Slot::Item(_) | Slot::Branch(_));
            if self.undo_in_seq(seq)? && !at_once {
                return Ok(());
            }
        }
        Ok(())
    }

    /// After one step was taken back: what comes before it, outwards until something is left.
    pub(super) fn undo_before(&mut self, of: StepIx) -> Decided {
        let mut at = of;
        loop {
            let Home::Seq(seq) = self.step(at)?.home else { return Ok(()) };
            if self.undo_in_seq(seq)? {
                return Ok(());
            }
            let seq = self.state.seq_ref(seq)?;
            let (owner, slot) = (seq.owner, seq.slot);
            let Some(owner) = owner else {
                // The part before: `on_failure` comes before `always`.
                self.walk_undo = true;
                return Ok(());
            };
            if self.step(owner)?.undo_open > 0 {
                // Other items and branches are on their way already.
                return match slot {
                    Slot::Item(_) | Slot::Branch(_) => Ok(()),
                    Slot::Section(_)
                    | Slot::Body
                    | Slot::Case(_)
                    | Slot::Round(_)
                    | Slot::OnError
                    | Slot::Always
                    | Slot::Undo
                    | Slot::Past => self.undo_in_step(owner),
                };
            }
            at = owner;
        }
    }

    /// Begins to take a step back, unless people have not said yes yet.
    fn start_undo(&mut self, ix: StepIx) -> Decided {
        if self.is_undo_asked() {
            return Ok(());
        }
        let path = self.path(ix)?;
        if let Undo::Steps(_) = self.node(ix)?.undo {
            return self.emit(Head::UndoStepsStarted { path });
        }
        self.emit(Head::UndoStarted { path })
    }

    /// Whether the gate of an undo is open.
    fn is_undo_asked(&self) -> bool {
        self.state.needs().any(|need| need.step.is_none() && need.votes_needed > 0)
    }

    /// A sub-playbook takes back what it did, as a run of its own.
    pub(super) fn start_child_undo(&mut self, ix: StepIx, run: RunId) -> Decided {
        let Kind::Playbook { name, .. } = &self.node(ix)?.kind else { return Ok(()) };
        let (path, playbook) = (self.path(ix)?, name.clone());
        self.emit(Head::ChildOpened { path, run, playbook })?;
        self.undo_child(ix, run)
    }

    pub(super) fn undo_child(&mut self, ix: StepIx, run: RunId) -> Decided {
        let by = self.state.undo_by.clone().unwrap_or_else(|| self.requester().clone());
        let reason = format!("{} is taken back", self.origin_path(ix)?);
        let command = Command::Undo { by, paths: Vec::new(), reason };
        self.out.effects.push(Effect::ToChild { run, command });
        Ok(())
    }

    /// A sub-playbook that was to take everything back has come to an end again.
    pub(super) fn child_undone(&mut self, path: &Path, run: RunId, end: RunEnd) -> Decided {
        let Some(ix) = self.state.by_path.get(&path.child("undo")).copied() else { return Ok(()) };
        let Home::Undo(of) = self.step(ix)?.home else { return Ok(()) };
        if self.step(ix)?.phase != Phase::Child(run) {
            return Ok(());
        }
        if end != RunEnd::Undone {
            let text = "the sub-playbook could not take everything back".to_owned();
            return self.undo_failed(ix, of, ErrorKind::Child, text);
        }
        self.end(ix, StepEnd::Succeeded)?;
        self.undo_step_ended(ix)
    }

    /// The path of what an undo step takes back; its own where it is none.
    pub(super) fn origin_path(&self, ix: StepIx) -> Result<Path, Contradiction> {
        match self.step(ix)?.home {
            Home::Undo(of) => self.path(of),
            Home::Seq(_) => self.path(ix),
        }
    }

    /// After a success: if it was an undo, what it took back is undone.
    pub(super) fn undo_step_ended(&mut self, ix: StepIx) -> Decided {
        let Home::Undo(of) = self.step(ix)?.home else { return Ok(()) };
        let path = self.path(of)?;
        let still_held_by = Vec::new();
        self.emit(Head::UndoEnded { path, undone: true, error: None, still_held_by })?;
        self.undo_before(of)
    }

    /// An undo that failed for good is shown as such; a new `undo` tries it again.
    pub(super) fn undo_failed(
        &mut self,
        ix: StepIx,
        of: StepIx,
        kind: ErrorKind,
        message: String,
    ) -> Decided {
        let (path, origin) = (self.path(ix)?, self.path(of)?);
        self.emit(ended(path, StepEnd::Failed, Some(kind), Some(message.clone())))?;
        self.not_undone(of, origin, (kind, message))
    }

    pub(super) fn not_undone(
        &mut self,
        of: StepIx,
        path: Path,
        (kind, message): (ErrorKind, String),
    ) -> Decided {
        let still_held_by = Vec::new();
        let head = Head::UndoEnded { path, undone: false, error: Some(kind), still_held_by };
        self.emit(Event::new(head).text(message))?;
        self.undo_before(of)
    }

    /// The undo steps of an ended step have ended.
    pub(super) fn undo_steps_ended(&mut self, ix: StepIx) -> Decided {
        let step = self.step(ix)?;
        if step.undo != UndoMark::Undoing || step.open_seqs > 0 {
            return Ok(());
        }
        let path = step.path.clone();
        let Some(end) = self.last_undo_end(ix)? else { return Ok(()) };
        if matches!(end, StepEnd::Succeeded | StepEnd::Skipped) {
            let still_held_by = Vec::new();
            self.emit(Head::UndoEnded { path, undone: true, error: None, still_held_by })?;
            return self.undo_before(ix);
        }
        let message = "its undo steps failed".to_owned();
        self.not_undone(ix, path, (ErrorKind::Refused, message))
    }

    fn last_undo_end(&self, ix: StepIx) -> Result<Option<StepEnd>, Contradiction> {
        for seq in self.step(ix)?.seqs.iter().rev() {
            let seq = self.state.seq_ref(*seq)?;
            if seq.slot == Slot::Undo {
                return Ok(seq.end);
            }
        }
        Ok(None)
    }
}
