//! Lists and blocks: what follows by structure when a step ends.

use super::super::event::{Section, StepEnd};
use super::super::state::{
    Home, LoopState, Phase, RunState, Seq, SeqIx, Slot, Step, StepIx, UndoMark,
};
use super::Contradiction;
use crate::model::{ErrorKind, Millis, Path};
use crate::playbook::{Kind, NodeId, OnError, Plan, Undo};

/// The nodes of a list.
pub(crate) fn block_of(plan: &Plan, owner: Option<NodeId>, slot: Slot) -> &[NodeId] {
    let parts = plan.parts();
    let node = owner.map(|owner| plan.node(owner));
    match (slot, node.map(|node| &node.kind)) {
        (Slot::Section(Section::Steps), _) => &parts.steps,
        (Slot::Section(Section::OnFailure), _) => &parts.on_failure,
        (Slot::Section(Section::Always), _) => &parts.always,
        (Slot::Body, Some(Kind::Group(steps))) => steps,
        (Slot::Branch(number), Some(Kind::Parallel { branches, .. })) => {
            branches.get(number as usize).map_or(&[], |(_, steps)| steps)
        }
        (Slot::Item(_), Some(Kind::ForEach(each))) => &each.steps,
        (Slot::Case(number), Some(Kind::Switch(cases))) => {
            cases.get(number as usize).map_or(&[], |case| &case.steps)
        }
        (Slot::Round(_), Some(Kind::Repeat(repeat))) => &repeat.steps,
        (Slot::OnError, _) => match node.map(|node| &node.on_error) {
            Some(OnError::Steps(steps)) => steps,
            _ => &[],
        },
        (Slot::Always, _) => node.map_or(&[], |node| &node.always),
        (Slot::Undo, _) => match node.map(|node| &node.undo) {
            Some(Undo::Steps(steps)) => steps,
            _ => &[],
        },
        _ => &[],
    }
}

impl RunState {
    pub(crate) fn seq_ref(&self, ix: SeqIx) -> Result<&Seq, Contradiction> {
        self.seqs.get(&ix).ok_or_else(|| Contradiction::new(format!("there is no list {}", ix.0)))
    }

    pub(super) fn seq_mut(&mut self, ix: SeqIx) -> Result<&mut Seq, Contradiction> {
        let missing = || Contradiction::new(format!("there is no list {}", ix.0));
        self.seqs.get_mut(&ix).ok_or_else(missing)
    }

    pub(super) fn loop_mut(&mut self, ix: StepIx) -> Result<&mut LoopState, Contradiction> {
        let step = self.step_mut(ix)?;
        let path = step.path.clone();
        step.looping.as_deref_mut().ok_or_else(|| Contradiction::new(format!("{path} has no list")))
    }

    /// Where the paths of this run begin: below the step that called it.
    pub(crate) fn base(&self) -> Path {
        self.opened.parent.as_ref().map_or_else(Path::root, |parent| parent.path.clone())
    }

    fn prefix(
        &self,
        plan: &Plan,
        owner: Option<StepIx>,
        slot: Slot,
    ) -> Result<Path, Contradiction> {
        let base = match owner {
            Some(owner) => self.step_ref(owner)?.path.clone(),
            None => self.base(),
        };
        Ok(match slot {
            Slot::Section(Section::Steps) | Slot::Body | Slot::Case(_) => base,
            Slot::Section(Section::OnFailure) => base.child("on_failure"),
            Slot::Section(Section::Always) | Slot::Always => base.child("always"),
            Slot::Item(index) | Slot::Round(index) => base.at(index),
            Slot::OnError => base.child("on_error"),
            Slot::Past => return Err(Contradiction::new("a list begins in the past")),
            Slot::Undo => base.child("undo"),
            Slot::Branch(number) => {
                let node = owner.and_then(|owner| self.steps.get(&owner)).map(|step| step.node);
                match node.map(|node| &plan.node(node).kind) {
                    Some(Kind::Parallel { branches, .. }) => branches
                        .get(number as usize)
                        .map_or_else(|| base.clone(), |(name, _)| base.child(name.as_str())),
                    _ => return Err(Contradiction::new("a branch of what has none")),
                }
            }
        })
    }

    /// Opens a list; its first step is ready at once. An empty list ends at once.
    pub(super) fn open_seq(
        &mut self,
        plan: &Plan,
        owner: Option<StepIx>,
        slot: Slot,
        at: Millis,
    ) -> Result<SeqIx, Contradiction> {
        let prefix = self.prefix(plan, owner, slot)?;
        let ix = SeqIx(self.next_seq);
        self.next_seq += 1;
        let seq = Seq { owner, slot, prefix, begun: 0, steps: Vec::new(), end: None, moving: 0 };
        self.seqs.insert(ix, seq);
        if let Some(owner) = owner {
            let step = self.step_mut(owner)?;
            step.seqs.push(ix);
            step.open_seqs += 1;
        }
        self.advance(plan, ix, at)?;
        Ok(ix)
    }

    /// The next node of a list becomes ready, or the list ends.
    fn advance(&mut self, plan: &Plan, ix: SeqIx, at: Millis) -> Result<(), Contradiction> {
        let seq = self.seq_ref(ix)?;
        let owner_node = match seq.owner {
            Some(owner) => Some(self.step_ref(owner)?.node),
            None => None,
        };
        let next = block_of(plan, owner_node, seq.slot).get(seq.begun as usize).copied();
        match next {
            Some(_) if self.is_stopping(ix)? => self.end_seq(ix, StepEnd::Cancelled),
            Some(node) => {
                let path = seq.prefix.child(plan.node(node).id.as_str());
                let step = self.new_step(node, path, Home::Seq(ix), at)?;
                let seq = self.seq_mut(ix)?;
                seq.begun += 1;
                seq.steps.push(step);
                Ok(())
            }
            None => {
                let end = self.end_of_all(ix);
                self.end_seq(ix, end)
            }
        }
    }

    /// A list whose steps were all skipped was skipped.
    fn end_of_all(&self, ix: SeqIx) -> StepEnd {
        let mut steps = self.steps_in(ix).peekable();
        let all_skipped = steps.peek().is_some()
            && steps.all(|step| step.phase == Phase::Ended(StepEnd::Skipped));
        if all_skipped { StepEnd::Skipped } else { StepEnd::Succeeded }
    }

    /// A step's turn comes: for the first time, or again because its handler, its `always` or its
    /// undo is done once more.
    pub(super) fn new_step(
        &mut self,
        node: NodeId,
        path: Path,
        home: Home,
        at: Millis,
    ) -> Result<StepIx, Contradiction> {
        if let Some(ix) = self.by_path.get(&path).copied() {
            return self.begin_anew(ix, home, at).map(|()| ix);
        }
        let ix = StepIx(self.next_step);
        self.next_step += 1;
        self.by_path.insert(path.clone(), ix);
        let generation = self.first_generation();
        self.steps.insert(ix, Step { generation, ..Step::new(node, path, home, at) });
        self.count(home, &Phase::Ended(StepEnd::Skipped), &Phase::Ready)?;
        self.attend(ix);
        Ok(ix)
    }

    /// An ended step is begun anew, under new keys; what it did before can still be taken back.
    fn begin_anew(&mut self, ix: StepIx, home: Home, at: Millis) -> Result<(), Contradiction> {
        let step = self.step_ref(ix)?;
        if !matches!(step.phase, Phase::Ended(_)) || step.undo_open > 0 {
            return Err(Contradiction::new(format!("{} begins twice", step.path)));
        }
        let (old_home, lists) = (step.home, step.seqs.clone());
        if let Home::Seq(seq) = old_home {
            self.seq_mut(seq)?.steps.retain(|step| *step != ix);
        }
        for seq in lists {
            self.seq_mut(seq)?.slot = Slot::Past;
        }
        let step = self.step_mut(ix)?;
        let fresh = Step::new(step.node, step.path.clone(), home, at);
        let old = std::mem::replace(step, fresh);
        step.phase = old.phase;
        step.attempts_total = old.attempts_total;
        step.generation = old.generation + 1;
        step.sent = old.sent;
        step.undo = old.undo;
        step.seqs = old.seqs;
        step.child = old.child;
        step.round = old.round;
        step.round_base = old.round + 1;
        self.set_phase(ix, Phase::Ready)
    }

    /// Whether a list starts nothing more, because what encloses it is being ended.
    pub(crate) fn is_stopping(&self, ix: SeqIx) -> Result<bool, Contradiction> {
        let mut at = ix;
        loop {
            let seq = self.seq_ref(at)?;
            if seq.slot.is_shielded() {
                return Ok(false);
            }
            let Some(owner) = seq.owner else {
                return Ok(self.closing().is_some());
            };
            let owner = self.step_ref(owner)?;
            if owner.stopped {
                return Ok(true);
            }
            match owner.home {
                Home::Seq(seq) => at = seq,
                Home::Undo(_) => return Ok(false),
            }
        }
    }

    /// How the run is being ended, if it is.
    pub(crate) fn closing(&self) -> Option<super::super::event::RunEnd> {
        match self.flow {
            super::super::state::Flow::Section { closing, .. } => closing,
            super::super::state::Flow::Ended(_) | super::super::state::Flow::Undoing { .. } => None,
        }
    }

    /// A step ended: its list goes on or ends.
    pub(super) fn end_step(
        &mut self,
        plan: &Plan,
        ix: StepIx,
        end: StepEnd,
        at: Millis,
    ) -> Result<(), Contradiction> {
        let step = self.step_mut(ix)?;
        if let Phase::Ended(_) = step.phase {
            return Err(Contradiction::new(format!("{} ends twice", step.path)));
        }
        step.ended_at = Some(at);
        step.unknown = false;
        step.child_inputs = None;
        let (node, home, handled) = (step.node, step.home, step.handled);
        let denied = step.error.as_ref().is_some_and(|error| error.kind == ErrorKind::Denied);
        self.void_needs_of(ix);
        self.drop_deadline(ix)?;
        self.set_phase(ix, Phase::Ended(end))?;
        // A sub-playbook that failed may have done something before.
        if end == StepEnd::Succeeded || self.step_ref(ix)?.child.is_some() {
            self.mark_undo(plan, ix, end)?;
        }
        let Home::Seq(seq) = home else { return Ok(()) };
        match end {
            StepEnd::Succeeded | StepEnd::Skipped => self.advance(plan, seq, at),
            // A denial goes outwards, whatever the playbook says.
            StepEnd::Failed
                if handled || (!denied && plan.node(node).on_error == OnError::Continue) =>
            {
                self.advance(plan, seq, at)
            }
            StepEnd::Failed => self.end_seq(seq, StepEnd::Failed),
            StepEnd::Cancelled => self.end_seq(seq, StepEnd::Cancelled),
        }
    }

    /// A list ended: its block is looked at.
    fn end_seq(&mut self, ix: SeqIx, end: StepEnd) -> Result<(), Contradiction> {
        let seq = self.seq_mut(ix)?;
        seq.end = Some(end);
        let (owner, slot) = (seq.owner, seq.slot);
        let Some(owner) = owner else { return Ok(()) };
        let step = self.step_mut(owner)?;
        step.open_seqs = step.open_seqs.saturating_sub(1);
        if let (Slot::Item(index), Some(looping)) = (slot, step.looping.as_deref_mut()) {
            looping.open = looping.open.saturating_sub(1);
            match end {
                StepEnd::Succeeded => looping.succeeded += 1,
                StepEnd::Skipped => looping.skipped += 1,
                StepEnd::Cancelled => looping.cancelled += 1,
                StepEnd::Failed => {
                    looping.failed += 1;
                    looping.failed_items.insert(index);
                }
            }
        }
        self.attend(owner);
        Ok(())
    }

    /// A block begins: it leaves the agenda until one of its lists ends.
    pub(super) fn enter_block(&mut self, path: &Path, at: Millis) -> Result<StepIx, Contradiction> {
        let ix = self.ix(path)?;
        let step = self.step_mut(ix)?;
        step.started_at.get_or_insert(at);
        step.entered = true;
        if step.phase == Phase::Block {
            self.drop_from_queues(ix);
        } else {
            self.set_phase(ix, Phase::Block)?;
        }
        Ok(ix)
    }

    /// A failed step is tried again: a leaf anew, a block where it failed.
    pub(super) fn reopen(&mut self, ix: StepIx, renew: bool) -> Result<(), Contradiction> {
        self.void_needs_of(ix);
        let step = self.step_mut(ix)?;
        step.error = None;
        step.ended_at = None;
        step.stopped = false;
        step.handled = false;
        if let Some((at, every)) = step.deadline {
            self.set_deadline(ix, at, every)?;
        }
        let failed = self.failed_lists(ix)?;
        if failed.is_empty() {
            return self.reopen_leaf(ix, renew);
        }
        self.set_phase(ix, Phase::Block)?;
        for seq in failed {
            let seq = self.seq_mut(seq)?;
            seq.end = None;
            let (slot, last) = (seq.slot, seq.steps.last().copied());
            let step = self.step_mut(ix)?;
            step.open_seqs += 1;
            if let (Slot::Item(index), Some(looping)) = (slot, step.looping.as_deref_mut()) {
                looping.open += 1;
                looping.failed = looping.failed.saturating_sub(1);
                looping.failed_items.remove(&index);
            }
            if let Some(last) = last {
                self.reopen(last, renew)?;
            }
        }
        Ok(())
    }

    /// The lists of a block that failed; those of its handlers do not count.
    fn failed_lists(&self, ix: StepIx) -> Result<Vec<SeqIx>, Contradiction> {
        let mut failed = Vec::new();
        for ix in &self.step_ref(ix)?.seqs {
            let seq = self.seq_ref(*ix)?;
            let inside =
                !matches!(seq.slot, Slot::OnError | Slot::Always | Slot::Undo | Slot::Past);
            if inside && seq.end == Some(StepEnd::Failed) {
                failed.push(*ix);
            }
        }
        Ok(failed)
    }

    fn reopen_leaf(&mut self, ix: StepIx, renew: bool) -> Result<(), Contradiction> {
        let step = self.step_mut(ix)?;
        step.attempts = 0;
        if step.round > 0 || !step.seqs.is_empty() {
            step.round_base = step.round + 1;
        }
        if renew {
            step.generation += 1;
            step.unknown = false;
            step.previous = None;
        }
        self.set_phase(ix, Phase::Ready)
    }

    /// The round before the next one is forgotten, but for what can be taken back.
    pub(super) fn drop_round(&mut self, ix: StepIx) -> Result<(), Contradiction> {
        let Some(last) = self.step_ref(ix)?.seqs.last().copied() else { return Ok(()) };
        if matches!(self.seq_ref(last)?.slot, Slot::Round(_)) && self.drop_seq(last)? {
            self.step_mut(ix)?.seqs.pop();
        }
        Ok(())
    }

    /// Forgets a list with all in it; says `false` where something in it can be taken back.
    fn drop_seq(&mut self, ix: SeqIx) -> Result<bool, Contradiction> {
        let seq = self.seq_ref(ix)?;
        if seq.end.is_none() {
            return Ok(false);
        }
        let mut kept = Vec::new();
        for step in seq.steps.clone() {
            let mut open = self.step_ref(step)?.undo != UndoMark::Nothing;
            for inner in self.step_ref(step)?.seqs.clone() {
                open |= !self.drop_seq(inner)?;
            }
            if open {
                kept.push(step);
            } else if let Some(gone) = self.steps.remove(&step) {
                self.by_path.remove(&gone.path);
                self.drop_from_queues(step);
            }
        }
        if kept.is_empty() {
            self.seqs.remove(&ix);
            return Ok(true);
        }
        self.seq_mut(ix)?.steps = kept;
        Ok(false)
    }
}
