//! What would become of a run's effects if a corrected playbook took over: told before anything
//! happens, from what the run has done so far.
//!
//! Calls of the new playbook are rendered with what the old run knows. What only the new one can
//! know is counted as new.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::decide::would_do;
use super::legacy::{Legacy, Offer, place_in, place_of};
use super::state::RunState;
use super::world::World;
use crate::model::{ActionName, Path, Target};
use crate::playbook::{Kind, NodeId, Plan, same_named};

/// What would become of effects.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Outlook {
    /// Done, and the same in the new playbook: not sent again.
    pub taken_over: Vec<OutlookLine>,
    /// Only in the new one, or said otherwise there and not yet done.
    pub new: Vec<OutlookLine>,
    /// Done, and not in the new one: it stays as it is, nothing is undone by itself.
    pub dropped: Vec<OutlookLine>,
}

/// One effect.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct OutlookLine {
    /// The step; of one that is still to come, without the numbers of loops.
    pub step: String,
    /// What is done.
    pub action: ActionName,
    /// On what: identities.
    pub targets: Vec<String>,
    /// What would take it back.
    pub undo: Option<ActionName>,
}

/// The calls of a playbook and of all it calls, by place.
type Calls<'p> = BTreeMap<String, (&'p Plan, NodeId, &'p ActionName)>;

/// What would become of the effects of a run and those it called. `runs` are all of them, each with
/// the world of its own plan, the one at the top first.
pub fn outlook(runs: &[(&World<'_>, &RunState)], legacy: &Legacy, next: &Plan) -> Outlook {
    let mut found = Outlook::default();
    let mut calls = Calls::new();
    calls_of(next, &Path::root(), &mut calls);
    let mut old = Calls::new();
    if let Some((world, _)) = runs.first() {
        calls_of(world.plan, &Path::root(), &mut old);
    }
    let (mut changed, mut taken) = (BTreeSet::new(), BTreeSet::new());
    for (path, offer) in &legacy.offers {
        let place = place_of(path);
        let call = calls.get(&place);
        let line = line_of(path, offer);
        if call.is_some_and(|(plan, node, _)| is_kept(runs, offer, (plan, *node))) {
            found.taken_over.push(line);
            taken.insert(place);
        } else {
            found.dropped.push(line);
            changed.insert(place);
        }
    }
    for (place, (plan, node, action)) in calls {
        let says_same = |(old, before, _): &(&Plan, NodeId, _)| {
            same_call(&old.node(*before).kind, &plan.node(node).kind)
        };
        let known = taken.contains(&place) || old.get(&place).is_some_and(says_same);
        if !known || changed.contains(&place) {
            let (targets, undo) = (Vec::new(), None);
            found.new.push(OutlookLine { step: place, action: action.clone(), targets, undo });
        }
    }
    found
}

fn calls_of<'p>(plan: &'p Plan, base: &Path, calls: &mut Calls<'p>) {
    for (id, node) in plan.nodes() {
        let place = place_in(plan, base, id);
        if let Kind::Call(call) = &node.kind {
            calls.insert(place.to_string(), (plan, id, &call.action));
        } else if let Kind::Playbook { name, .. } = &node.kind
            && let Some(child) = plan.parts().children.get(name)
        {
            calls_of(child, &place, calls);
        }
    }
}

/// Whether a call of the new playbook says what one of the old did: what is done, with what, through
/// which slot.
fn same_call(old: &Kind, new: &Kind) -> bool {
    let (Kind::Call(old), Kind::Call(new)) = (old, new) else { return false };
    old.action == new.action && old.via == new.via && same_named(&old.with, &new.with)
}

fn is_kept(runs: &[(&World<'_>, &RunState)], offer: &Offer, (plan, node): (&Plan, NodeId)) -> bool {
    let path = &offer.intent.path;
    let did = runs.iter().find(|(_, state)| state.step_at(path).is_some());
    let Some((world, state)) = did.or_else(|| runs.first()) else { return false };
    would_do(world, state, offer, plan.node(node))
}

fn line_of(path: &Path, offer: &Offer) -> OutlookLine {
    OutlookLine {
        step: path.to_string(),
        action: offer.intent.action.clone(),
        targets: offer.targets.iter().map(Target::identity).collect(),
        undo: offer.undo.as_ref().map(|undo| undo.action.clone()),
    }
}
