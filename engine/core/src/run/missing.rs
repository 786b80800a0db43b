//! What a live run would miss: told before anything runs, and what keeps one from being opened.
//!
//! Only what can be told from the playbook, the inputs and the configuration: hosts that a script
//! computes are not in it. The sentence of a launch that is refused stands here, once for all; what is
//! said before one, and the way out of each [`Remedy`], is for who tells it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::state::Binding;
use super::world::Setup;
use crate::model::{ActionName, Catalogue, Format, Schema, StepId, TargetKind};
use crate::playbook::{CallNode, Kind, Plan, Template, Undo};

/// One thing that is missing.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "kebab-case")]
pub enum Missing {
    /// Nothing is bound for an action.
    Connector {
        /// What nothing does.
        action: ActionName,
        /// Whether a person may do it instead.
        by_hand: bool,
    },
    /// Something destructive is done, and nobody wrote down what must never be touched.
    Guard {
        /// What is destructive; the first of its kind.
        action: ActionName,
    },
    /// A host that is acted on is not in the inventory.
    Host {
        /// As the playbook or the inputs name it.
        name: String,
    },
}

impl Missing {
    /// Whether a person's yes to doing it by hand is all that it takes.
    pub const fn is_for_people(&self) -> bool {
        matches!(self, Self::Connector { by_hand: true, .. })
    }
}

/// What a launch that was refused for what is missing takes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Remedy {
    /// What must never be touched is written down; no yes of anybody does instead.
    Guard,
    /// A person's yes to doing it by hand, or a connector for each action.
    ByHand,
    /// A connector: what lacks one must be automatic.
    Bind,
}

/// What it takes where a launch was refused for this; nothing where nothing is missing.
pub fn remedy(missing: &[Missing]) -> Option<Remedy> {
    if missing.is_empty() {
        None
    } else if missing.iter().any(|one| matches!(one, Missing::Guard { .. })) {
        Some(Remedy::Guard)
    } else if missing.iter().all(Missing::is_for_people) {
        Some(Remedy::ByHand)
    } else {
        Some(Remedy::Bind)
    }
}

/// As the sentence of a refusal says it.
impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Connector { action, by_hand: true } => {
                write!(f, "nothing is bound for `{action}`: it would fall to people")
            }
            Self::Connector { action, by_hand: false } => write!(
                f,
                "nothing is bound for `{action}`, and the playbook requires it to be automatic"
            ),
            Self::Guard { action } => write!(
                f,
                "`{action}` is destructive, and there is no `guard:` section in the configuration"
            ),
            Self::Host { name } => write!(f, "`{name}` is not in the inventory"),
        }
    }
}

/// What keeps a playbook from being carried out live by connectors alone with these inputs:
/// connectors by action, then the guard list, then hosts by name.
pub fn missing(
    plan: &Plan,
    catalogue: &Catalogue,
    inputs: &Value,
    (setup, bindings): (&Setup, &[Binding]),
) -> Vec<Missing> {
    let mut found = unbound(plan, bindings);
    if let Some(action) = destructive(plan, catalogue).filter(|_| !setup.guarded) {
        found.push(Missing::Guard { action: action.clone() });
    }
    let mut hosts = BTreeSet::new();
    hosts_in(&plan.parts().inputs, inputs, &mut hosts);
    for call in all_calls(plan) {
        let literal = |(name, with): (&String, &Template)| Some((name.clone(), with.literal()?));
        let arguments = Value::Object(call.with.iter().filter_map(literal).collect());
        let targets = catalogue.get(&call.action).map(|spec| spec.target_names(&arguments));
        let targets = targets.into_iter().flatten();
        hosts.extend(targets.filter(|(kind, _)| *kind == TargetKind::Host).map(|(_, name)| name));
    }
    hosts.retain(|name| setup.inventory.resolve(TargetKind::Host, name).is_err());
    found.extend(hosts.into_iter().map(|name| Missing::Host { name }));
    found
}

/// The actions of a playbook and of what it calls that nothing is bound for, each once. A person may
/// do one only where no step of it must be automatic.
pub(super) fn unbound(plan: &Plan, bindings: &[Binding]) -> Vec<Missing> {
    let mut actions: BTreeMap<&ActionName, bool> = BTreeMap::new();
    for call in by_hand(plan, bindings) {
        *actions.entry(&call.action).or_insert(true) &= !call.automatic;
    }
    let missing = |(action, by_hand): (&ActionName, bool)| Missing::Connector {
        action: action.clone(),
        by_hand,
    };
    actions.into_iter().map(missing).collect()
}

/// The first destructive action that a playbook, or what it calls, does or takes a step back with.
pub(super) fn destructive<'p>(plan: &'p Plan, catalogue: &Catalogue) -> Option<&'p ActionName> {
    let hurts = |action: &&ActionName| catalogue.get(action).is_some_and(|spec| spec.destructive);
    let done = all_calls(plan).into_iter().map(|call| &call.action);
    done.chain(all_undo_actions(plan)).find(hurts)
}

/// The calls that no connector does: they fall to people. Those of sub-playbooks too.
pub fn by_hand<'p>(plan: &'p Plan, bindings: &[Binding]) -> Vec<&'p CallNode> {
    let mut calls = all_calls(plan);
    calls.retain(|call| !is_bound(bindings, call));
    calls
}

/// All calls of a playbook and of what it calls.
fn all_calls(plan: &Plan) -> Vec<&CallNode> {
    let own = plan.nodes().filter_map(|(_, node)| {
        let Kind::Call(call) = &node.kind else { return None };
        Some(call)
    });
    let inner = plan.parts().children.values().flat_map(|child| all_calls(child));
    own.chain(inner).collect()
}

/// What playbooks call to take steps back, where an author wrote it.
fn all_undo_actions(plan: &Plan) -> Vec<&ActionName> {
    let own = plan.nodes().filter_map(|(_, node)| {
        let Undo::Call { action, .. } = &node.undo else { return None };
        Some(action)
    });
    let inner = plan.parts().children.values().flat_map(|child| all_undo_actions(child));
    own.chain(inner).collect()
}

pub(super) fn is_bound(bindings: &[Binding], call: &CallNode) -> bool {
    let via = call.via.as_ref().map(StepId::as_str);
    bindings.iter().any(|binding| {
        binding.capability == call.action.capability() && binding.slot.as_deref() == via
    })
}

/// The hosts that inputs name, wherever they stand in them.
fn hosts_in(schema: &Schema, value: &Value, hosts: &mut BTreeSet<String>) {
    match value {
        Value::String(name) if schema.format == Some(Format::Host) => {
            hosts.insert(name.clone());
        }
        Value::Array(values) => {
            for value in values {
                schema.items.iter().for_each(|items| hosts_in(items, value, hosts));
            }
        }
        Value::Object(fields) => {
            for (name, part) in schema.properties.iter().flatten() {
                fields.get(name).into_iter().for_each(|value| hosts_in(part, value, hosts));
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
