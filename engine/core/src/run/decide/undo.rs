//! Undo: backwards through the structure. Lists and rounds in reverse, branches and items at once.
//! It never starts by itself: a person or an `undo:` step starts it.

use std::sync::Arc;

use serde_json::Value;

use super::super::event::{Actor, Event, Head, StepEnd, UndoCall};
use super::super::state::{Cause, Flow, SeqIx, Slot, StepIx, UndoMark};
use super::super::world::SharedChange;
use super::call::{Prepared, line_digest};
use super::enter::ended;
use super::{Contradiction, Decided, Decider};
use crate::model::{
    Digest, Direction, EffectClass, ErrorKind, Offer, Path, Reached, RunId, Span, Target,
};
use crate::playbook::{Kind, NodeId, Undo};

impl Decider<'_, '_> {
    /// Everything at or below a path that can be taken back, in the order of the run.
    pub(super) fn undoable(&self, within: &Path) -> Vec<StepIx> {
        let possible = |mark: UndoMark| matches!(mark, UndoMark::Possible | UndoMark::Failed);
        self.state
            .steps
            .iter()
            .filter(|(_, step)| possible(step.undo) && step.path.is_within(within))
            .map(|(ix, _)| *ix)
            .collect()
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
            let node = self.step(*ix)?.node;
            let gate = self.explicit_gate_of(node);
            if gate.map(|gate| gate.votes) > own.map(|gate: &crate::playbook::Gate| gate.votes) {
                own = gate;
            }
            calls.extend(self.undo_line(*ix)?);
        }
        self.emit(Event::new(Head::UndoRequested { by, step, paths }).text(reason))?;
        if !calls.is_empty() {
            self.open_undo_gate(calls, own)?;
        }
        Ok(())
    }

    /// An `undo:` step.
    pub(super) fn undo_by_step(&mut self, ix: StepIx, ids: &[NodeId]) -> Decided {
        let path = self.path(ix)?;
        let mut wanted = Vec::new();
        for id in ids {
            let steps: Vec<(Path, NodeId)> =
                self.state.steps.values().map(|step| (step.path.clone(), step.node)).collect();
            for (path, _) in steps.into_iter().filter(|(_, node)| node == id) {
                wanted.extend(self.undoable(&path));
            }
        }
        wanted.sort();
        wanted.dedup();
        if wanted.is_empty() {
            return self.end(ix, StepEnd::Succeeded);
        }
        self.request_undo(&wanted, (None, Some(path)), String::new())
    }

    /// The call that takes a step back, as its gate shows it.
    fn undo_line(&self, of: StepIx) -> Result<Option<Prepared>, Contradiction> {
        let step = self.step(of)?;
        let Some(sent) = step.sent.as_deref() else { return Ok(None) };
        let Some(undo) = sent.undo.as_deref() else { return Ok(None) };
        if matches!(self.world.plan.node(step.node).undo, Undo::Steps(_)) {
            return Ok(None);
        }
        Ok(Some(self.prepare_undo(of, undo, sent.intent.connector.clone(), sent.targets.clone())?))
    }

    fn prepare_undo(
        &self,
        of: StepIx,
        undo: &UndoCall,
        connector: Option<crate::model::ConnectorName>,
        targets: Vec<Target>,
    ) -> Result<Prepared, Contradiction> {
        let path = self.step(of)?.path.child("undo");
        let offer = connector
            .as_ref()
            .and_then(|connector| self.world.connectors.offer(connector, &undo.action, &undo.arguments))
            .unwrap_or_else(|| Offer {
                action: undo.action.clone(),
                class: EffectClass::Once,
                reach: Reached::Accepted,
                settle: Span::ZERO,
            });
        let line = serde_json::json!({
            "path": path,
            "action": undo.action,
            "connector": connector,
            "targets": targets,
            "arguments": undo.arguments,
        });
        let effect: Digest = line_digest(&self.scope(of)?, &line);
        Ok(Prepared {
            path,
            action: undo.action.clone(),
            arguments: Arc::new(undo.arguments.clone()),
            targets,
            connector,
            offer,
            destructive: false,
            undo: None,
            effect,
        })
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
        let steps = self.state.seq_ref(seq)?.steps.clone();
        for ix in steps.into_iter().rev() {
            if self.step(ix)?.undo_open > 0 {
                self.undo_in_step(ix)?;
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn undo_in_step(&mut self, ix: StepIx) -> Decided {
        match self.step(ix)?.undo {
            UndoMark::Wanted => return self.start_undo(ix),
            UndoMark::Undoing => return Ok(()),
            UndoMark::Nothing | UndoMark::Possible | UndoMark::Undone | UndoMark::Failed => {}
        }
        let at_once = matches!(self.node(ix)?.kind, Kind::Parallel { .. } | Kind::ForEach(_));
        let mut seqs: Vec<(Slot, SeqIx)> = Vec::new();
        for seq in &self.step(ix)?.seqs {
            seqs.push((self.state.seq_ref(*seq)?.slot, *seq));
        }
        // What ran last is taken back first: `always`, then handlers, then rounds from the end.
        for (slot, seq) in seqs.into_iter().rev() {
            let inside = matches!(slot, Slot::Item(_) | Slot::Branch(_));
            if self.undo_in_seq(seq)? && !(at_once && inside) {
                return Ok(());
            }
        }
        Ok(())
    }

    fn start_undo(&mut self, ix: StepIx) -> Decided {
        let path = self.path(ix)?;
        if let Undo::Steps(_) = self.node(ix)?.undo {
            return self.emit(Head::UndoStepsStarted { path });
        }
        self.emit(Head::UndoStarted { path })
    }

    /// The step that takes another one back is due.
    pub(super) fn undo_call(&mut self, ix: StepIx) -> Decided {
        let super::Home::Undo(of) = self.step(ix)?.home else { return Ok(()) };
        if self.world.shared.stopped {
            self.hold_back(ix, Cause::Paused);
            return Ok(());
        }
        let origin = self.step(of)?;
        let Some((undo, connector, targets)) = self.receipt(of)? else {
            return self.undo_failed(ix, of, ErrorKind::Internal, "there is nothing to take back".to_owned());
        };
        let effect = origin.sent.as_ref().map(|sent| sent.intent.action.clone());
        let effect = effect.unwrap_or_else(|| self.family(&undo.action));
        let others = self.others_holding(of, &targets, &effect)?;
        let first = self.first_previous(&targets, &effect);
        let unchanged = first.is_some() && first == self.held_output(of, &targets, &effect)?;
        if !others.is_empty() || unchanged {
            return self.give_up_hold(ix, of, (targets, effect), others);
        }
        let prepared = self.prepare_undo(of, &undo, connector, targets)?;
        if !self.undo_is_approved(&prepared) {
            self.hold_back(ix, Cause::Hold);
            return Ok(());
        }
        if self.is_target_busy(&prepared) {
            self.hold_back(ix, Cause::Hold);
            return Ok(());
        }
        if let Some(previous) = first {
            self.state.step_mut(ix)?.previous = Some(previous);
        }
        self.intend(ix, prepared, Direction::Undo, UNDO_TIMEOUT)
    }

    /// What is needed to take a step back: of its own effect, or of the one that held the target.
    #[expect(clippy::type_complexity, reason = "a receipt has these three parts, used right here")]
    fn receipt(
        &self,
        of: StepIx,
    ) -> Result<Option<(UndoCall, Option<crate::model::ConnectorName>, Vec<Target>)>, Contradiction> {
        let sent = self.step(of)?.sent.as_deref();
        Ok(sent.and_then(|sent| {
            let undo = sent.undo.as_deref()?.clone();
            Some((undo, sent.intent.connector.clone(), sent.targets.clone()))
        }))
    }

    /// Other holders of the targets: runs and steps beside this one.
    fn others_holding(
        &self,
        of: StepIx,
        targets: &[Target],
        effect: &crate::model::ActionName,
    ) -> Result<Vec<RunId>, Contradiction> {
        let (run, path) = (self.state.opened.run, self.path(of)?);
        let mut others = Vec::new();
        for target in targets {
            if let Some(state) = self.world.shared.holds.get(&target.identity(), effect) {
                let other = |holder: &&super::super::world::Holder| holder.run != run || holder.path != path;
                others.extend(state.holders.iter().filter(other).map(|holder| holder.run));
            }
        }
        Ok(others)
    }

    /// The state before the first of all holders, which the last release restores.
    fn first_previous(&self, targets: &[Target], effect: &crate::model::ActionName) -> Option<Arc<Value>> {
        let target = targets.first()?;
        self.world.shared.holds.get(&target.identity(), effect)?.previous.clone()
    }

    fn held_output(
        &self,
        of: StepIx,
        targets: &[Target],
        effect: &crate::model::ActionName,
    ) -> Result<Option<Arc<Value>>, Contradiction> {
        let held = targets.first().and_then(|target| self.world.shared.holds.get(&target.identity(), effect));
        Ok(match held.and_then(|state| state.output.clone()) {
            Some(output) => Some(output),
            None => self.step(of)?.output.clone(),
        })
    }

    /// Nothing is sent: others still hold the target, or it was like that before.
    fn give_up_hold(
        &mut self,
        ix: StepIx,
        of: StepIx,
        (targets, effect): (Vec<Target>, crate::model::ActionName),
        others: Vec<RunId>,
    ) -> Decided {
        let (path, origin) = (self.path(ix)?, self.path(of)?);
        self.out.shared.push(SharedChange::Released {
            targets: targets.iter().map(Target::identity).collect(),
            effect,
            run: self.state.opened.run,
            path: origin.clone(),
        });
        self.emit(ended(path, StepEnd::Skipped, None, None))?;
        self.emit(Head::UndoEnded { path: origin, undone: true, error: None, still_held_by: others })
    }

    fn undo_is_approved(&self, prepared: &Prepared) -> bool {
        let asked = self.state.needs.values().any(|need| need.step.is_none() && need.votes_needed > 0);
        match &self.state.undo_approved {
            Some(approved) => approved.lines.get(&prepared.path).is_none_or(|line| *line == prepared.effect),
            None => !asked,
        }
    }

    fn is_target_busy(&self, prepared: &Prepared) -> bool {
        let family = self.family(&prepared.action);
        prepared.targets.iter().any(|target| {
            let state = self.world.shared.holds.get(&target.identity(), &family);
            state.is_some_and(|state| state.busy.is_some())
        })
    }

    /// The path of what an undo step takes back; its own where it is none.
    pub(super) fn origin_path(&self, ix: StepIx) -> Result<Path, Contradiction> {
        match self.step(ix)?.home {
            super::Home::Undo(of) => self.path(of),
            super::Home::Seq(_) => self.path(ix),
        }
    }

    /// After a success: if it was an undo, what it took back is undone.
    pub(super) fn undo_step_ended(&mut self, ix: StepIx) -> Decided {
        let super::Home::Undo(of) = self.step(ix)?.home else { return Ok(()) };
        let path = self.path(of)?;
        self.emit(Head::UndoEnded { path, undone: true, error: None, still_held_by: Vec::new() })
    }

    /// An undo that failed for good is shown as such; a new `undo` tries it again.
    pub(super) fn undo_failed(&mut self, ix: StepIx, of: StepIx, kind: ErrorKind, message: String) -> Decided {
        let (path, origin) = (self.path(ix)?, self.path(of)?);
        self.emit(ended(path, StepEnd::Failed, Some(kind), Some(message.clone())))?;
        let head = Head::UndoEnded { path: origin, undone: false, error: Some(kind), still_held_by: Vec::new() };
        self.emit(Event::new(head).text(message))
    }

    /// The undo steps of an ended step have ended.
    pub(super) fn undo_steps_ended(&mut self, ix: StepIx) -> Decided {
        self.state.drop_from_queues(ix);
        let step = self.step(ix)?;
        if step.undo != UndoMark::Undoing || step.open_seqs > 0 {
            return Ok(());
        }
        let undone = match self.last_undo_seq(ix)? {
            Some(seq) => {
                matches!(self.state.seq_ref(seq)?.end, Some(StepEnd::Succeeded | StepEnd::Skipped))
            }
            None => return Ok(()),
        };
        let path = self.path(ix)?;
        let error = (!undone).then_some(ErrorKind::Refused);
        self.emit(Head::UndoEnded { path, undone, error, still_held_by: Vec::new() })
    }

    fn last_undo_seq(&self, ix: StepIx) -> Result<Option<SeqIx>, Contradiction> {
        for seq in self.step(ix)?.seqs.iter().rev() {
            if self.state.seq_ref(*seq)?.slot == Slot::Undo {
                return Ok(Some(*seq));
            }
        }
        Ok(None)
    }
}

/// How long one attempt of an undo may take.
const UNDO_TIMEOUT: Span = Span::from_secs(30);
