//! Whose data an event of a run is, also where the event does not say so itself.
//!
//! A failed attempt on a host of one town names that host; so do the item of the loop and the
//! person who decides about it. What a step is known to act on owns all that is said of it.

use std::collections::{BTreeMap, BTreeSet};

use super::entry::Scope;
use super::place::rounds;
use crate::model::{NeedId, Organisation, Path};
use crate::run::{Event, Head, RunState};

/// How much of an event may be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sight {
    /// Nothing: it is somebody else's.
    Hidden,
    /// That it happened, without values: it may be everybody's.
    Outline,
    /// All of it.
    Whole,
}

impl Scope {
    /// Whether it may be known that something is there which is this organisation's, or nobody's.
    pub fn may_know(&self, whose: Option<&Organisation>) -> bool {
        self.sight(&whose.into_iter().cloned().collect()) != Sight::Hidden
    }

    /// How much of something may be read that belongs to these organisations.
    pub(super) fn sight(&self, owners: &BTreeSet<Organisation>) -> Sight {
        match &self.organisations {
            None => Sight::Whole,
            Some(_) if owners.is_empty() => Sight::Outline,
            Some(mine) if owners.is_subset(mine) => Sight::Whole,
            Some(_) => Sight::Hidden,
        }
    }
}

/// Who owns what in a run.
#[derive(Debug, Default)]
pub(super) struct Owners {
    by_place: BTreeMap<String, BTreeSet<Organisation>>,
    needs: BTreeMap<NeedId, Path>,
}

impl Owners {
    /// Takes in what an event says of owners; all events of a run come here before any is told.
    pub(super) fn learn(&mut self, event: &Event) {
        if let Head::NeedOpened { id, path: Some(path), .. } = &event.head {
            self.needs.insert(*id, path.clone());
        }
        if let Some(path) = self.path(&event.head) {
            self.own(&path, &named(event));
        }
    }

    /// Who owns what in a run as it stands: what its steps last sent, and to whose targets.
    pub(super) fn of_state(state: &RunState) -> Self {
        let mut owners = Self::default();
        for step in state.steps() {
            let targets = step.sent.iter().flat_map(|sent| &sent.targets);
            let named = targets.filter_map(|target| target.organisation.clone()).collect();
            owners.own(&step.path, &named);
        }
        for need in state.needs() {
            if let Some(step) = need.step.and_then(|ix| state.step(ix)) {
                owners.needs.insert(need.id, step.path.clone());
            }
        }
        owners
    }

    fn own(&mut self, path: &Path, named: &BTreeSet<Organisation>) {
        if named.is_empty() {
            return;
        }
        let places = rounds(path).into_iter().map(|(item, ..)| item.to_owned());
        for place in places.chain([path.as_str().to_owned()]) {
            self.by_place.entry(place).or_default().extend(named.iter().cloned());
        }
    }

    /// Who owns an event: who is named in it, or else its step, or else the loop item around it.
    pub(super) fn of(&self, event: &Event) -> BTreeSet<Organisation> {
        let mut owners = named(event);
        if let Some(path) = self.path(&event.head) {
            owners.extend(self.of_path(&path));
        }
        owners
    }

    /// Who owns a step: whom it acts on, or else the loop item around it.
    pub(super) fn of_path(&self, path: &Path) -> BTreeSet<Organisation> {
        let rounds = rounds(path);
        let mut places = rounds.iter().rev().map(|(item, ..)| *item);
        let found = self
            .by_place
            .get(path.as_str())
            .or_else(|| places.find_map(|item| self.by_place.get(item)));
        found.into_iter().flatten().cloned().collect()
    }

    /// On whose targets the step itself acts.
    pub(super) fn acted_on(&self, path: &Path) -> BTreeSet<Organisation> {
        self.by_place.get(path.as_str()).into_iter().flatten().cloned().collect()
    }

    /// The step an event is about, also where it names only a need.
    pub(super) fn path(&self, head: &Head) -> Option<Path> {
        match need_of(head) {
            Some(need) => self.needs.get(&need).cloned(),
            None => path_of(head).cloned(),
        }
    }
}

/// The need that an event is about, where it does not open it.
pub(super) fn need_of(head: &Head) -> Option<NeedId> {
    if let Head::Voted { need, .. }
    | Head::NeedAnswered { need, .. }
    | Head::NeedVoid { need }
    | Head::NeedEscalated { need, .. } = head
    {
        Some(*need)
    } else {
        None
    }
}

/// Who is named in an event itself.
fn named(event: &Event) -> BTreeSet<Organisation> {
    let targets = event.body.targets.iter().filter_map(|target| target.organisation.clone());
    event.organisation.iter().cloned().chain(targets).collect()
}

/// The step that an event names.
fn path_of(head: &Head) -> Option<&Path> {
    match head {
        Head::AttemptStarted(intent)
        | Head::AlreadyHeld { intent, .. }
        | Head::TakenOver { intent, .. } => Some(&intent.path),
        Head::NeedOpened { path, .. } => path.as_ref(),
        Head::UndoRequested { step, .. } => step.as_ref(),
        Head::DeadlineSet { path, .. }
        | Head::DeadlinePassed { path, .. }
        | Head::BlockStarted { path }
        | Head::CaseChosen { path, .. }
        | Head::ListFixed { path, .. }
        | Head::ItemsStarted { path, .. }
        | Head::RoundStarted { path, .. }
        | Head::ReadStarted { path }
        | Head::PreviousRead { path }
        | Head::AttemptResumed { path }
        | Head::AttemptEnded { path, .. }
        | Head::RetryScheduled { path, .. }
        | Head::ProbeScheduled { path, .. }
        | Head::ProbeStarted { path }
        | Head::ProbeEnded { path, .. }
        | Head::DoneByHand { path }
        | Head::TimerSet { path, .. }
        | Head::SignalAwaited { path, .. }
        | Head::SignalTaken { path, .. }
        | Head::StepFailed { path, .. }
        | Head::ApprovalVoid { path }
        | Head::ChildOpened { path, .. }
        | Head::Noted { path }
        | Head::HandlerStarted { path, .. }
        | Head::AlwaysStarted { path, .. }
        | Head::StepEnded { path, .. }
        | Head::StepReopened { path, .. }
        | Head::BlockStopped { path }
        | Head::UndoStarted { path }
        | Head::UndoStepsStarted { path }
        | Head::UndoEnded { path, .. } => Some(path),
        Head::RunOpened { .. }
        | Head::SectionStarted { .. }
        | Head::SignalReceived { .. }
        | Head::Voted { .. }
        | Head::NeedAnswered { .. }
        | Head::NeedVoid { .. }
        | Head::NeedEscalated { .. }
        | Head::Restored { .. }
        | Head::Paused { .. }
        | Head::Unpaused { .. }
        | Head::Closing { .. }
        | Head::Superseding { .. }
        | Head::GaveWay
        | Head::UndoFinished { .. }
        | Head::RunEnded { .. } => None,
    }
}
