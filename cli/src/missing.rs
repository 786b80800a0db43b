//! What a live run would still miss: said by the plan and by a drill, before the night it counts.
//!
//! Only what can be told before anything runs: hosts that a script computes are not in it.

use std::collections::BTreeSet;

use beistand_core::model::{Catalogue, Format, Schema, TargetKind};
use beistand_core::playbook::{CallNode, Kind, Plan};
use beistand_core::run::by_hand;
use beistand_runtime::ModeSetup;
use serde_json::Value;

use crate::out::{cell, many};

/// Hosts that are named; the others are counted.
const NAMED_MAX: usize = 5;

/// What keeps the plan from being carried out live with these inputs, a sentence each.
pub(crate) fn missing(plan: &Plan, inputs: &Value, live: &ModeSetup) -> Vec<String> {
    let catalogue = Catalogue::first();
    let mut found = Vec::new();
    let unbound = by_hand(plan, &live.bindings);
    let unbound: BTreeSet<_> = unbound.iter().map(|call| (&call.action, call.automatic)).collect();
    found.extend(unbound.into_iter().map(|(action, automatic)| {
        let then = if automatic {
            "and the playbook lets no person do it: it is refused"
        } else {
            "a person would do it, with --by-hand-ok"
        };
        format!("no connector is configured for `{action}`: {then}")
    }));
    let calls = calls(plan);
    let hurts =
        |call: &&&CallNode| catalogue.get(&call.action).is_some_and(|spec| spec.destructive);
    if let Some(call) = calls.iter().find(hurts).filter(|_| !live.setup.guarded) {
        found
            .push(format!("there is no `guard:` section: a run with `{}` is refused", call.action));
    }
    let mut hosts = BTreeSet::new();
    named(&plan.parts().inputs, inputs, &mut hosts);
    for call in calls {
        let literal = |(name, with): (&String, &beistand_core::playbook::Template)| {
            Some((name.clone(), with.literal()?))
        };
        let arguments = Value::Object(call.with.iter().filter_map(literal).collect());
        let targets = catalogue.get(&call.action).map(|spec| spec.target_names(&arguments));
        let targets = targets.into_iter().flatten();
        hosts.extend(targets.filter(|(kind, _)| *kind == TargetKind::Host).map(|(_, name)| name));
    }
    hosts.retain(|name| live.setup.inventory.resolve(TargetKind::Host, name).is_err());
    found.extend(hosts.iter().take(NAMED_MAX).map(|name| {
        format!("`{}` is not in the inventory: a step that acts on it fails", cell(name))
    }));
    if let Some(more @ 1..) = hosts.len().checked_sub(NAMED_MAX) {
        found.push(format!("{} more are not in the inventory either", many(more, "host")));
    }
    found
}

/// All calls of a playbook and of what it calls.
fn calls(plan: &Plan) -> Vec<&CallNode> {
    let own = plan.nodes().filter_map(|(_, node)| {
        let Kind::Call(call) = &node.kind else { return None };
        Some(call)
    });
    own.chain(plan.parts().children.values().flat_map(|child| calls(child))).collect()
}

/// The hosts that inputs name, wherever they stand in them.
fn named(schema: &Schema, value: &Value, hosts: &mut BTreeSet<String>) {
    match value {
        Value::String(name) if schema.format == Some(Format::Host) => {
            hosts.insert(name.clone());
        }
        Value::Array(values) => {
            for value in values {
                schema.items.iter().for_each(|items| named(items, value, hosts));
            }
        }
        Value::Object(fields) => {
            for (name, part) in schema.properties.iter().flatten() {
                fields.get(name).into_iter().for_each(|value| named(part, value, hosts));
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
