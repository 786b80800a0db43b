//! What earlier events of a run say about later ones: items, attempts, needs, and whose turn it is.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::Value;

use super::owners::need_of;
use super::place::{Order, Turn, rounds};
use crate::model::{NeedId, Path, Schema, Target};
use crate::playbook::Plan;
use crate::run::{Event, Head, Intent, NeedKind, Section};

/// What a called run takes over from its caller.
#[derive(Debug, Clone, Default)]
pub(super) struct Called {
    /// The items of the loops around the call.
    pub(super) items: BTreeMap<String, Arc<Value>>,
    /// Its inputs that were filled from sensitive values.
    pub(super) inputs: BTreeSet<String>,
    /// The sensitive values that the caller knew.
    pub(super) values: BTreeSet<String>,
    /// The turn of the step that called.
    pub(super) order: Order,
}

/// What a step last sent.
#[derive(Debug, Clone)]
pub(super) struct Tried {
    /// The intent.
    pub(super) intent: Intent,
    /// On what.
    pub(super) targets: Vec<Target>,
    /// A person did it in the end.
    pub(super) by_hand: bool,
    /// There is a call that takes it back.
    pub(super) undoable: bool,
}

/// A need that was opened.
#[derive(Debug, Clone)]
pub(super) struct OpenedNeed {
    /// What kind.
    pub(super) kind: NeedKind,
    /// What a person fills in.
    pub(super) form: Option<Schema>,
    /// How many must say yes; 0 where one answer is enough.
    votes: u32,
    /// How many have.
    voted: u32,
}

impl OpenedNeed {
    /// Whether as many said yes as are needed.
    pub(super) fn is_let_through(&self) -> bool {
        self.votes > 0 && self.voted >= self.votes
    }
}

/// What a run has told so far.
#[derive(Debug)]
pub(super) struct Seen {
    base: Path,
    items: BTreeMap<String, Arc<Value>>,
    tried: BTreeMap<Path, Tried>,
    needs: BTreeMap<NeedId, OpenedNeed>,
    /// The newest need of each step.
    asked_at: BTreeMap<Path, NeedId>,
    order: Order,
    epoch: u64,
    /// The step that wants something taken back; a person where absent.
    undo: Option<Path>,
    probed: BTreeSet<Path>,
}

impl Seen {
    /// Of a run whose paths begin below `base`.
    pub(super) fn new(base: Path, called: Called) -> Self {
        Self {
            base,
            items: called.items,
            tried: BTreeMap::new(),
            needs: BTreeMap::new(),
            asked_at: BTreeMap::new(),
            order: called.order,
            epoch: 0,
            undo: None,
            probed: BTreeSet::new(),
        }
    }

    /// Takes in one more event, before it is told itself.
    pub(super) fn learn(&mut self, event: &Event) {
        if is_from_outside(&event.head) {
            self.epoch += 1;
        }
        let head = &event.head;
        if let Head::ListFixed { path, .. } = head {
            let items = event.body.value.clone().unwrap_or_default();
            self.items.insert(path.as_str().to_owned(), items);
        }
        if let Head::AttemptStarted(intent)
        | Head::AlreadyHeld { intent, .. }
        | Head::TakenOver { intent, .. } = head
        {
            let targets = event.body.targets.clone();
            let undoable = event.body.undo.is_some();
            let tried = Tried { intent: intent.clone(), targets, by_hand: false, undoable };
            self.tried.insert(intent.path.clone(), tried);
        }
        if let Head::DoneByHand { path } = head {
            self.tried.entry(path.clone()).and_modify(|tried| tried.by_hand = true);
        }
        if let Head::ProbeStarted { path } = head {
            self.probed.insert(path.clone());
        }
        if let Head::NeedAnswered { .. } = head {
            self.probed.clear();
        }
        if let Head::UndoRequested { step, .. } = head {
            self.undo.clone_from(step);
        }
        if let Head::Voted { need, .. } = head
            && let Some(need) = self.needs.get_mut(need)
        {
            need.voted = need.voted.saturating_add(1);
        }
        if let Head::NeedOpened { id, path: Some(path), .. } = head {
            self.asked_at.insert(path.clone(), *id);
        }
        if let Head::NeedOpened { id, kind, votes, .. } = head {
            let form = event.body.form.as_deref();
            let form = form.and_then(|form| serde_json::from_value(form.clone()).ok());
            self.needs.insert(*id, OpenedNeed { kind: *kind, form, votes: *votes, voted: 0 });
        }
    }

    /// What a step last sent.
    pub(super) fn tried(&self, path: &Path) -> Option<&Tried> {
        self.tried.get(path)
    }

    /// The need an event answers or is about.
    pub(super) fn asked(&self, head: &Head) -> Option<&OpenedNeed> {
        self.needs.get(&need_of(head)?)
    }

    /// What was asked last at a step.
    pub(super) fn asked_at(&self, path: &Path) -> Option<NeedId> {
        self.asked_at.get(path).copied()
    }

    /// Everything that was asked.
    pub(super) fn all_asked(&self) -> impl Iterator<Item = NeedId> {
        self.needs.keys().copied()
    }

    /// The items of the loops around a path, outermost first; rounds by their number from 1.
    pub(super) fn items(&self, path: &Path) -> Vec<Result<Value, u64>> {
        let one = |(_, looping, index): (&str, &str, u64)| {
            let at = usize::try_from(index).unwrap_or(usize::MAX);
            match self.items.get(looping).map(AsRef::as_ref) {
                Some(Value::Array(items)) => items.get(at).cloned().ok_or(index + 1),
                // `for_each: 5` counts from 0.
                Some(Value::Number(_)) => Ok(Value::from(index)),
                // A round, or an erased list, has nothing but its number.
                Some(Value::Null | Value::Bool(_) | Value::String(_) | Value::Object(_)) | None => {
                    Err(index + 1)
                }
            }
        };
        rounds(path).into_iter().map(one).collect()
    }

    /// What a run that is called at a step takes over.
    pub(super) fn called(&self, plan: Option<&Plan>, path: &Path) -> Called {
        let order = self.now().of_path(plan, &self.base, path);
        Called { items: self.items.clone(), order, ..Called::default() }
    }

    fn now(&self) -> Order {
        self.order.then(self.epoch)
    }

    /// The turn of an event at a step, among those of the same instant.
    ///
    /// What comes from outside begins an epoch: nobody answers before being asked. Within an epoch
    /// everything stands where the plan has it.
    pub(super) fn order(&self, plan: Option<&Plan>, head: &Head, path: Option<&Path>) -> Order {
        let now = self.now();
        // Taking back belongs to the step that wants it; what a person wants comes after all.
        let undo = match &self.undo {
            Some(step) => now.of_path(plan, &self.base, step),
            None => now.turn(Turn::Undo),
        };
        // Who wants it is not what is taken back.
        let path = path.filter(|_| !matches!(head, Head::UndoRequested { .. }));
        let order = match path {
            _ if is_from_outside(head) => now.turn(turn_of(head)),
            Some(path) if is_undo(head) || path.is_within_undo() => {
                undo.of_path(plan, &self.base, path)
            }
            Some(path) => now.of_path(plan, &self.base, path),
            None if is_undo(head) => undo,
            None => now.turn(turn_of(head)),
        };
        if is_after_insides(head) { order.after() } else { order }
    }

    /// Whether a probe's end was found by the program; otherwise a person just said so.
    pub(super) fn is_probed(&self, path: &Path) -> bool {
        self.probed.contains(path)
    }
}

/// The turn of what is about the whole run.
fn turn_of(head: &Head) -> Turn {
    if let Head::SectionStarted { section } = head {
        match section {
            Section::Steps => Turn::Steps,
            Section::OnFailure => Turn::OnFailure,
            Section::Always => Turn::Always,
        }
    } else if matches!(head, Head::RunEnded { .. }) {
        Turn::Ended
    } else if matches!(head, Head::Closing { by: None, .. }) {
        Turn::Closing
    } else {
        Turn::Opening
    }
}

/// A person or something else outside of the run said something.
fn is_from_outside(head: &Head) -> bool {
    matches!(
        head,
        Head::Voted { .. }
            | Head::NeedAnswered { .. }
            | Head::SignalReceived { .. }
            | Head::Paused { .. }
            | Head::Unpaused { .. }
            | Head::Closing { by: Some(_), .. }
            | Head::Superseding { .. }
            | Head::UndoRequested { by: Some(_), .. }
    )
}

/// It is about taking back; so is a gate that is no step's.
fn is_undo(head: &Head) -> bool {
    matches!(
        head,
        Head::UndoRequested { .. }
            | Head::UndoStarted { .. }
            | Head::UndoStepsStarted { .. }
            | Head::UndoEnded { .. }
            | Head::UndoFinished { .. }
            | Head::NeedOpened { path: None, kind: NeedKind::Approval, .. }
    )
}

/// It follows from what happened inside of the step.
fn is_after_insides(head: &Head) -> bool {
    matches!(
        head,
        Head::StepEnded { .. }
            | Head::StepFailed { .. }
            | Head::UndoEnded { .. }
            | Head::UndoFinished { .. }
            | Head::BlockStopped { .. }
            | Head::NeedOpened { kind: NeedKind::Decision, .. }
    )
}
