//! What earlier events of a run say about later ones: items, attempts, needs, and whose turn it is.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::Value;

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
}

/// A need that was opened.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    /// What kind.
    pub(super) kind: NeedKind,
    /// What a person fills in.
    pub(super) form: Option<Schema>,
}

/// What a run has told so far.
#[derive(Debug)]
pub(super) struct Seen {
    base: Path,
    items: BTreeMap<String, Arc<Value>>,
    tried: BTreeMap<Path, Tried>,
    needs: BTreeMap<NeedId, Asked>,
    order: Order,
    epoch: u64,
    undo: Option<Order>,
}

impl Seen {
    /// Of a run whose paths begin below `base`.
    pub(super) fn new(base: Path, called: Called) -> Self {
        Self {
            base,
            items: called.items,
            tried: BTreeMap::new(),
            needs: BTreeMap::new(),
            order: called.order,
            epoch: 0,
            undo: None,
        }
    }

    /// Takes in one more event, before it is told itself.
    pub(super) fn learn(&mut self, event: &Event) {
        if is_from_outside(&event.head) {
            self.epoch += 1;
        }
        match &event.head {
            Head::ListFixed { path, .. } => {
                let items = event.body.value.clone().unwrap_or_default();
                self.items.insert(path.as_str().to_owned(), items);
            }
            Head::AttemptStarted(intent) | Head::AlreadyHeld { intent, .. } => {
                let targets = event.body.targets.clone();
                let tried = Tried { intent: intent.clone(), targets, by_hand: false };
                self.tried.insert(intent.path.clone(), tried);
            }
            Head::DoneByHand { path } => {
                self.tried.entry(path.clone()).and_modify(|tried| tried.by_hand = true);
            }
            Head::NeedOpened { id, kind, .. } => {
                let form = event.body.form.as_deref();
                let form = form.and_then(|form| serde_json::from_value(form.clone()).ok());
                self.needs.insert(*id, Asked { kind: *kind, form });
            }
            _ => {}
        }
    }

    /// What a step last sent.
    pub(super) fn tried(&self, path: &Path) -> Option<&Tried> {
        self.tried.get(path)
    }

    /// The need an event answers or is about.
    pub(super) fn asked(&self, head: &Head) -> Option<&Asked> {
        match head {
            Head::Voted { need, .. }
            | Head::NeedAnswered { need, .. }
            | Head::NeedVoid { need }
            | Head::NeedEscalated { need, .. } => self.needs.get(need),
            _ => None,
        }
    }

    /// The items of the loops around a path, outermost first; rounds by their number from 1.
    pub(super) fn items(&self, path: &Path) -> Vec<Result<Value, u64>> {
        let one = |(_, looping, index): (&str, &str, u64)| match self.items.get(looping) {
            None => Err(index + 1),
            // `for_each: 5` counts from 0; an erased list leaves the number.
            Some(items) => match items.as_ref() {
                Value::Array(items) => usize::try_from(index)
                    .ok()
                    .and_then(|at| items.get(at).cloned())
                    .ok_or(index + 1),
                Value::Number(_) => Ok(Value::from(index)),
                _ => Err(index + 1),
            },
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
    pub(super) fn order(&mut self, plan: Option<&Plan>, head: &Head, path: Option<&Path>) -> Order {
        let now = self.now();
        let at = |path: &Path| now.of_path(plan, &self.base, path);
        match head {
            Head::UndoRequested { step, .. } => {
                let order = step.as_ref().map_or_else(|| now.turn(Turn::Undo), at);
                self.undo = Some(order.clone());
                order
            }
            Head::UndoFinished { .. } => {
                self.undo.take().unwrap_or_else(|| now.turn(Turn::Undo)).after()
            }
            head if is_from_outside(head) => now.turn(Turn::Opening),
            Head::RunOpened { .. } => now.turn(Turn::Opening),
            Head::SectionStarted { section } => now.turn(match section {
                Section::Steps => Turn::Steps,
                Section::OnFailure => Turn::OnFailure,
                Section::Always => Turn::Always,
            }),
            Head::Closing { .. } => now.turn(Turn::Closing),
            Head::RunEnded { .. } => now.turn(Turn::Ended),
            head => {
                let Some(path) = path else { return now.turn(Turn::Closing) };
                let undoing = is_undo(head) || path.as_str().split('/').any(|part| part == "undo");
                let order = match &self.undo {
                    Some(undo) if undoing => undo.of_path(plan, &self.base, path),
                    Some(_) | None => at(path),
                };
                if is_after_insides(head) { order.after() } else { order }
            }
        }
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
            | Head::UndoRequested { by: Some(_), .. }
    )
}

fn is_undo(head: &Head) -> bool {
    matches!(
        head,
        Head::UndoStarted { .. } | Head::UndoStepsStarted { .. } | Head::UndoEnded { .. }
    )
}

/// It follows from what happened inside of the step.
fn is_after_insides(head: &Head) -> bool {
    matches!(
        head,
        Head::StepEnded { .. }
            | Head::StepFailed { .. }
            | Head::UndoEnded { .. }
            | Head::BlockStopped { .. }
            | Head::NeedOpened { kind: NeedKind::Decision, .. }
    )
}
