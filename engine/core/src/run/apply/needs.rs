//! Needs, votes, signals and undo: how what people do changes a run.

use std::collections::BTreeMap;

use serde::Deserialize as _;
use serde_json::Value;

use super::super::event::{Event, Head, NeedKind, RunEnd};
use super::super::state::{
    Approved, Flow, Home, Need, Phase, RunState, Slot, StepIx, Timer, UndoMark,
};
use super::Contradiction;
use super::phase::next_turn;
use crate::model::{ActionName, Digest, Millis, NeedId, Path, Span, Target};
use crate::playbook::Plan;

impl RunState {
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "`apply` names every head and passes on these; another one contradicts"
    )]
    pub(super) fn apply_to_needs(
        &mut self,
        event: &Event,
        at: Millis,
    ) -> Result<(), Contradiction> {
        match &event.head {
            Head::NeedOpened { .. } => self.open_need(event, at),
            Head::Voted { need, by } => {
                let need = self.need_mut(*need)?;
                need.votes.push(by.clone());
                need.reasons.extend(event.body.text.clone().filter(|reason| !reason.is_empty()));
                if need.votes.len() < need.votes_needed as usize {
                    return Ok(());
                }
                let id = need.id;
                self.pass_gate(id, at)
            }
            Head::NeedAnswered { need, .. } | Head::NeedVoid { need } => {
                self.close_need(*need);
                Ok(())
            }
            Head::NeedEscalated { need, .. } => {
                let need = self.need_mut(*need)?;
                need.escalated_at = Some(at);
                let (id, Some(until)) = (need.id, need.until) else { return Ok(()) };
                let again = next_turn(until, need.every, at);
                need.until = Some(again);
                self.timers.remove(&(until, Timer::Need(id)));
                self.timers.insert((again, Timer::Need(id)));
                Ok(())
            }
            Head::SignalTaken { name, .. } => {
                let waiting = self.signals.get_mut(name).filter(|waiting| !waiting.is_empty());
                let Some(waiting) = waiting else {
                    return Err(Contradiction::new(format!("there is no signal {name}")));
                };
                waiting.remove(0);
                if waiting.is_empty() {
                    self.signals.remove(name);
                }
                Ok(())
            }
            Head::ApprovalVoid { path } => {
                self.void_line(path);
                Ok(())
            }
            Head::SignalReceived { name, key, .. } => {
                if self.signal_keys.insert(key.clone()) {
                    let entry = (key.clone(), event.body.value.clone());
                    self.signals.entry(name.clone()).or_default().push(entry);
                }
                Ok(())
            }
            other => Err(Contradiction::new(format!("{other:?} is no event of a need"))),
        }
    }

    fn need_mut(&mut self, id: NeedId) -> Result<&mut Need, Contradiction> {
        self.needs.get_mut(&id).ok_or_else(|| Contradiction::new(format!("there is no need {id}")))
    }

    fn open_need(&mut self, event: &Event, at: Millis) -> Result<(), Contradiction> {
        let Head::NeedOpened { id, kind, path, role, votes, digest, group, until } = &event.head
        else {
            return Err(Contradiction::new("no need"));
        };
        let step = match path {
            Some(path) => Some(self.ix(path)?),
            None => None,
        };
        if let Some(ix) = step {
            let step = self.step_mut(ix)?;
            step.started_at.get_or_insert(at);
            // After a failure of `when` itself it is asked again.
            step.entered |= matches!(kind, NeedKind::Approval | NeedKind::Task);
            let phase = match (kind, &step.phase) {
                (NeedKind::Approval, _) => Phase::Gated(*id),
                (NeedKind::Task, Phase::Signal(name, _)) => Phase::Signal(name.clone(), Some(*id)),
                (NeedKind::Task, _) => Phase::Person(*id),
                (NeedKind::Decision | NeedKind::Unknown, _) => Phase::Asked(*id),
            };
            self.set_phase(ix, phase)?;
        }
        if let Some(until) = until {
            self.timers.insert((*until, Timer::Need(*id)));
        }
        let need = Need {
            id: *id,
            kind: *kind,
            step,
            role: *role,
            votes_needed: *votes,
            votes: Vec::new(),
            reasons: Vec::new(),
            digest: *digest,
            group: group.clone(),
            since: at,
            until: *until,
            // Due at once for ever would never end.
            every: until.map_or(Span::ZERO, |until| until.since(at)).max(Span::from_secs(1)),
            escalated_at: None,
            title: event.body.text.clone().unwrap_or_default(),
            shows: event.body.value.clone(),
            form: event.body.form.clone(),
        };
        if let (NeedKind::Approval, Some(sheet)) = (kind, &event.body.value) {
            self.count_asked(sheet);
        }
        self.needs.insert(*id, need);
        Ok(())
    }

    /// The targets on a gate's sheet, by action.
    fn count_asked(&mut self, sheet: &Value) {
        let lines = sheet.get("lines").and_then(Value::as_array).into_iter().flatten();
        for effect in lines.filter_map(|line| line.get("effect")) {
            let action = effect.get("action").and_then(Value::as_str);
            let Some(Ok(action)) = action.map(str::parse::<ActionName>) else { continue };
            let targets = effect.get("targets").and_then(Value::as_array).into_iter().flatten();
            let identities = targets.filter_map(|target| Target::deserialize(target).ok());
            let asked = self.asked.entry(action).or_default();
            asked.extend(identities.map(|target| target.identity()));
        }
    }

    /// Enough people said yes: the step goes on, with its lines bound.
    fn pass_gate(&mut self, id: NeedId, at: Millis) -> Result<(), Contradiction> {
        let Some(need) = self.close_need(id) else { return Ok(()) };
        let lines = need.shows.as_deref().map(bound_lines).unwrap_or_default();
        let approved = Approved { at, by: need.votes, why: need.reasons, lines };
        let Some(ix) = need.step else {
            self.undo_approved.push(approved);
            return Ok(());
        };
        self.set_phase(ix, Phase::Ready)?;
        let gate = need.shows.as_deref().and_then(|shows| shows.get("gate")?.as_str());
        let gate: Option<Path> = gate.and_then(|gate| gate.parse().ok());
        let block = gate.and_then(|gate| self.by_path.get(&gate).copied());
        if block.is_some() {
            self.let_through(&approved.lines)?;
        }
        self.step_mut(block.unwrap_or(ix))?.approved = Some(Box::new(approved));
        Ok(())
    }

    /// Steps that asked alone for what was now approved together ask no more.
    fn let_through(&mut self, lines: &BTreeMap<Path, Digest>) -> Result<(), Contradiction> {
        let alone: Vec<(NeedId, StepIx)> = self
            .needs
            .values()
            .filter(|need| need.kind == NeedKind::Approval)
            .filter_map(|need| Some((need.id, need.step?)))
            .filter(|(_, ix)| self.steps.get(ix).is_some_and(|step| lines.contains_key(&step.path)))
            .collect();
        for (need, ix) in alone {
            self.close_need(need);
            self.set_phase(ix, Phase::Ready)?;
        }
        Ok(())
    }

    pub(super) fn close_need(&mut self, id: NeedId) -> Option<Need> {
        let need = self.needs.remove(&id)?;
        if let Some(until) = need.until {
            self.timers.remove(&(until, Timer::Need(id)));
        }
        Some(need)
    }

    pub(super) fn void_needs_of(&mut self, ix: StepIx) {
        let id = match self.steps.get(&ix).map(|step| &step.phase) {
            Some(
                Phase::Gated(id)
                | Phase::Asked(id)
                | Phase::Person(id)
                | Phase::Signal(_, Some(id)),
            ) => *id,
            _ => return,
        };
        self.close_need(id);
    }

    /// A line that is void must be asked about again: it is taken out of the yes that bound it.
    fn void_line(&mut self, path: &Path) {
        let mut at = self.by_path.get(path).copied();
        while let Some(ix) = at {
            let Some(step) = self.steps.get_mut(&ix) else { return };
            if let Some(approved) = &mut step.approved
                && approved.lines.remove(path).is_some()
            {
                return;
            }
            at = match step.home {
                Home::Seq(seq) => self.seqs.get(&seq).and_then(|seq| seq.owner),
                Home::Undo(of) => Some(of),
            };
        }
        for approved in &mut self.undo_approved {
            approved.lines.remove(path);
        }
    }

    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "`apply` names every head and passes on these; another one contradicts"
    )]
    pub(super) fn apply_to_undo(
        &mut self,
        plan: &Plan,
        event: &Event,
        at: Millis,
    ) -> Result<(), Contradiction> {
        match &event.head {
            Head::UndoRequested { by, step, paths } => {
                if let Flow::Ended(before) = self.flow {
                    self.flow = Flow::Undoing { before };
                }
                if by.is_some() {
                    self.undo_by.clone_from(by);
                }
                if let Some(step) = step {
                    let ix = self.ix(step)?;
                    self.step_mut(ix)?.started_at.get_or_insert(at);
                    self.set_phase(ix, Phase::Block)?;
                    self.undo_steps.insert(ix);
                }
                for path in paths {
                    let ix = self.ix(path)?;
                    self.want_undo(ix)?;
                }
                Ok(())
            }
            Head::UndoStarted { path } => {
                let ix = self.ix(path)?;
                self.begin_undo_step(ix, at).map(|_| ())
            }
            Head::UndoStepsStarted { path } => {
                let ix = self.ix(path)?;
                self.step_mut(ix)?.undo = UndoMark::Undoing;
                self.open_seq(plan, Some(ix), Slot::Undo, at).map(|_| ())
            }
            Head::UndoEnded { path, undone, still_held_by, .. } => {
                let ix = self.ix(path)?;
                let step = self.step_mut(ix)?;
                step.undo = if *undone { UndoMark::Undone } else { UndoMark::Failed };
                step.still_held_by.clone_from(still_held_by);
                self.undo_failed |= !*undone;
                self.count_undo(ix, false)
            }
            Head::UndoFinished { complete } => {
                if let Flow::Undoing { before } = self.flow {
                    let left = self
                        .steps
                        .values()
                        .any(|step| matches!(step.undo, UndoMark::Possible | UndoMark::Failed));
                    let undone = *complete && !left;
                    self.flow = Flow::Ended(if undone { RunEnd::Undone } else { before });
                }
                self.undo_failed = false;
                self.undo_approved.clear();
                self.undo_by = None;
                self.undo_steps.clear();
                Ok(())
            }
            other => Err(Contradiction::new(format!("{other:?} is no event of an undo"))),
        }
    }

    fn want_undo(&mut self, ix: StepIx) -> Result<(), Contradiction> {
        let step = self.step_mut(ix)?;
        match step.undo {
            UndoMark::Possible | UndoMark::Failed => step.undo = UndoMark::Wanted,
            UndoMark::Nothing | UndoMark::Wanted | UndoMark::Undoing | UndoMark::Undone => {
                return Err(Contradiction::new(format!("{} can not be taken back", step.path)));
            }
        }
        self.count_undo(ix, true)
    }

    /// Counts an open undo at a step and in every block around it, and keeps the lists that have one.
    fn count_undo(&mut self, ix: StepIx, more: bool) -> Result<(), Contradiction> {
        let change = |count: u32| if more { count + 1 } else { count.saturating_sub(1) };
        self.undo_open = change(self.undo_open);
        let mut at = Some(ix);
        while let Some(ix) = at {
            let step = self.step_mut(ix)?;
            step.undo_open = change(step.undo_open);
            let (open, home) = (step.undo_open > 0, step.home);
            at = match home {
                Home::Undo(of) => Some(of),
                Home::Seq(seq) => {
                    let steps = self.undo_lists.entry(seq).or_default();
                    if open {
                        steps.insert(ix);
                    } else {
                        steps.remove(&ix);
                    }
                    if steps.is_empty() {
                        self.undo_lists.remove(&seq);
                    }
                    self.seq_ref(seq)?.owner
                }
            };
        }
        Ok(())
    }

    /// Begins the step that takes another one back, or begins it again.
    fn begin_undo_step(&mut self, of: StepIx, at: Millis) -> Result<StepIx, Contradiction> {
        let origin = self.step_mut(of)?;
        origin.undo = UndoMark::Undoing;
        let (node, path) = (origin.node, origin.path.child("undo"));
        match self.by_path.get(&path).copied() {
            Some(ix) => {
                let step = self.step_mut(ix)?;
                step.generation += u32::from(matches!(step.phase, Phase::Ended(_)));
                step.attempts = 0;
                step.approved = None;
                step.error = None;
                step.ended_at = None;
                self.set_phase(ix, Phase::Ready)?;
                Ok(ix)
            }
            None => self.new_step(node, path, Home::Undo(of), at),
        }
    }
}

/// The bound lines of what a gate showed: `{lines: [{path, digest, …}]}`.
fn bound_lines(shows: &Value) -> BTreeMap<Path, Digest> {
    let lines = shows.get("lines").and_then(Value::as_array);
    lines
        .into_iter()
        .flatten()
        .filter_map(|line| {
            let path = serde_json::from_value(line.get("path")?.clone()).ok()?;
            let digest = line.get("digest")?.as_str()?.parse().ok()?;
            Some((path, digest))
        })
        .collect()
}
