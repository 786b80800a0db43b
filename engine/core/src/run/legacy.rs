//! What a corrected playbook takes over from the run it supersedes: the effects that were done, and
//! the gates they stood behind.
//!
//! It is read from that run's entries and those of the runs it called, and travels in the opening of
//! the new one. Nothing here decides whether an effect is the same: that is seen when the new run
//! comes to it.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::event::{AttemptEnd, Event, Head, Intent, ProbeEnd, UndoCall, present};
use crate::model::{ActionName, Direction, Path, Reached, Role, RunId, Target, Votes};
use crate::playbook::{Kind, NodeId, Plan};

/// An effect that was done.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Offer {
    /// The run that did it, and holds what it did.
    pub run: RunId,
    /// What was intended.
    pub intent: Intent,
    /// The arguments.
    pub arguments: Arc<Value>,
    /// The resolved targets.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub targets: Vec<Target>,
    /// The state before.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub previous: Option<Arc<Value>>,
    /// What takes it back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undo: Option<Arc<UndoCall>>,
    /// What it gave.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub output: Option<Arc<Value>>,
    /// How far it came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reached: Option<Reached>,
    /// A person did it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub by_hand: bool,
}

/// A gate that an earlier playbook put before an effect.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OldGate {
    /// Where the effect stands, without the numbers of loops.
    pub place: String,
    /// The effect.
    pub action: ActionName,
    /// Who had to say yes.
    pub role: Role,
    /// How many of them.
    pub votes: u32,
    /// It was the effect's own; otherwise that of a block around it, which asks for what hurts.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub own: bool,
}

/// What a run takes over.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Legacy {
    /// Effects that were done, by path.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub offers: BTreeMap<Path, Offer>,
    /// Gates that effects stood behind.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub gates: Vec<OldGate>,
}

/// A path without the numbers of loops and rounds: where it stands in the playbook.
pub(crate) fn place_of(path: &Path) -> String {
    let segments = path.as_str().split('/');
    let ids = segments.map(|segment| segment.split_once('[').map_or(segment, |(id, _)| id));
    ids.collect::<Vec<_>>().join("/")
}

impl Legacy {
    /// Whether there is nothing to take over.
    pub fn is_empty(&self) -> bool {
        self.offers.is_empty() && self.gates.is_empty()
    }

    /// Takes in what a run did, from its events, the first one first.
    pub fn learn<'e>(&mut self, events: impl IntoIterator<Item = &'e Event>) {
        let mut run = None;
        let mut sent = BTreeMap::new();
        for event in events {
            if let Head::RunOpened { run: opened, .. } = &event.head {
                run = Some(*opened);
                let before = Self::in_opening(event);
                self.offers.extend(before.offers);
                let known = &mut self.gates;
                for gate in before.gates {
                    if !known.contains(&gate) {
                        known.push(gate);
                    }
                }
            } else if let Some(run) = run {
                self.learn_one(run, &mut sent, event);
            }
        }
    }

    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "the rest sends nothing, settles nothing and takes nothing back"
    )]
    fn learn_one(&mut self, run: RunId, sent: &mut BTreeMap<Path, Offer>, event: &Event) {
        match &event.head {
            Head::AttemptStarted(intent) if is_own(intent) => {
                // What is sent anew is not done until that is.
                self.offers.remove(&intent.path);
                let arguments = event.body.value.clone();
                sent.insert(intent.path.clone(), offer((run, intent), event, arguments));
            }
            Head::AlreadyHeld { intent, .. } if is_own(intent) => {
                let (output, arguments) = (event.body.value.clone(), None);
                let offer = Offer { output, ..offer((run, intent), event, arguments) };
                self.offers.insert(intent.path.clone(), offer);
            }
            Head::TakenOver { intent, reached, by_hand, .. } => {
                let (output, arguments) = (event.body.value.clone(), event.body.form.clone());
                let (reached, by_hand) = (*reached, *by_hand);
                let offer = offer((run, intent), event, arguments);
                let offer = Offer { output, reached, by_hand, ..offer };
                self.offers.insert(intent.path.clone(), offer);
            }
            Head::DoneByHand { path } => {
                if let Some(offer) = sent.get_mut(path) {
                    offer.by_hand = true;
                }
            }
            Head::AttemptEnded { path, end: AttemptEnd::Succeeded, reached, .. }
            | Head::ProbeEnded { path, end: ProbeEnd::Done, reached } => {
                if let Some(offer) = sent.remove(path) {
                    let (output, reached) = (event.body.value.clone(), *reached);
                    self.offers.insert(path.clone(), Offer { output, reached, ..offer });
                }
            }
            Head::UndoEnded { path, undone: true, .. } => {
                self.offers.remove(path);
            }
            _ => {}
        }
    }

    /// Takes in the gates that a playbook and all it calls wrote.
    pub fn learn_gates(&mut self, plan: &Plan) {
        self.gates_below(plan, &Path::root());
    }

    fn gates_below(&mut self, plan: &Plan, base: &Path) {
        for (id, node) in plan.nodes() {
            match &node.kind {
                Kind::Call(call) => {
                    let written = plan.gate_of(id).filter(|gate| gate.written);
                    let Some(written) = written else { continue };
                    let Some(gate) = &plan.node(written.at).approval else { continue };
                    self.gates.push(OldGate {
                        place: place_in(plan, base, id).to_string(),
                        action: call.action.clone(),
                        role: gate.role,
                        votes: gate.votes,
                        own: written.at == id,
                    });
                }
                Kind::Playbook { name, .. } => {
                    if let Some(child) = plan.parts().children.get(name) {
                        self.gates_below(child, &place_in(plan, base, id));
                    }
                }
                Kind::Script(_)
                | Kind::Task { .. }
                | Kind::Approve { .. }
                | Kind::Wait(_)
                | Kind::Group(_)
                | Kind::Parallel { .. }
                | Kind::ForEach(_)
                | Kind::Switch(_)
                | Kind::Repeat(_)
                | Kind::UndoSteps(_)
                | Kind::Note(_)
                | Kind::Fail(_)
                | Kind::End(_) => {}
            }
        }
    }

    /// What stands in the opening of a run.
    pub(crate) fn in_opening(event: &Event) -> Self {
        let body = event.body.value.as_deref();
        let legacy = body.and_then(|body| body.get("legacy")).cloned();
        legacy.and_then(|legacy| serde_json::from_value(legacy).ok()).unwrap_or_default()
    }

    /// What of it concerns a sub-playbook that a step calls.
    pub(crate) fn within(&self, path: &Path) -> Self {
        let place = place_of(path);
        let inside = |gate: &&OldGate| {
            gate.place.strip_prefix(place.as_str()).is_some_and(|rest| rest.starts_with('/'))
        };
        let offers = self.offers.iter().filter(|(at, _)| at.is_within(path));
        Self {
            offers: offers.map(|(at, offer)| (at.clone(), offer.clone())).collect(),
            gates: self.gates.iter().filter(inside).cloned().collect(),
        }
    }

    /// The strictest gate that an effect, or the one that it takes back, stood behind.
    pub(crate) fn gate_of(&self, path: &Path, action: &ActionName, hurts: bool) -> Option<Votes> {
        if self.gates.is_empty() {
            return None;
        }
        let place = place_of(path);
        let place = place.strip_suffix("/undo").unwrap_or(&place);
        let here = self.gates.iter().filter(|gate| gate.place == place && gate.action == *action);
        let here = here.filter(|gate| hurts || gate.own);
        here.map(|gate| Votes { votes: gate.votes, role: gate.role }).reduce(Votes::with)
    }
}

/// Whether an intent does what its step is for, and does not take something back.
fn is_own(intent: &Intent) -> bool {
    intent.direction == Direction::Do && !intent.path.as_str().split('/').any(|id| id == "undo")
}

fn offer((run, intent): (RunId, &Intent), event: &Event, arguments: Option<Arc<Value>>) -> Offer {
    Offer {
        run,
        intent: intent.clone(),
        arguments: arguments.unwrap_or_default(),
        targets: event.body.targets.clone(),
        previous: event.body.previous.clone(),
        undo: event.body.undo.clone(),
        output: None,
        reached: None,
        by_hand: intent.connector.is_none(),
    }
}

/// Where a step stands in a plan, all of whose steps stand below `base`.
pub(crate) fn place_in(plan: &Plan, base: &Path, id: NodeId) -> Path {
    let node = plan.node(id);
    let above = node.parent.map_or_else(|| base.clone(), |parent| place_in(plan, base, parent));
    let above = node.branch.as_deref().map_or_else(|| above.clone(), |branch| above.child(branch));
    above.child(node.id.as_str())
}
