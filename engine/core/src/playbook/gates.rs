//! Where each call of a plan is asked about: worked out once, when the plan is sealed.

use std::collections::BTreeSet;

use super::{Expression, Kind, ListSource, Node, NodeId, Plan, Template, Undo};

/// Where a call is asked about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CallGate {
    /// The step at which it is asked about: a block around it, or the call itself.
    pub at: NodeId,
    /// The playbook says so; otherwise only a policy asks here.
    pub written: bool,
}

/// The gates of a plan.
#[derive(Debug, Clone, Default)]
pub(crate) struct Gates {
    of: Vec<Option<CallGate>>,
    blocks: BTreeSet<NodeId>,
}

impl Gates {
    pub(crate) fn new(plan: &Plan) -> Self {
        let mut gates = Self::default();
        for (id, node) in plan.nodes() {
            let gate = matches!(node.kind, Kind::Call(_)).then(|| gate_of(plan, id));
            if let Some(gate) = gate.filter(|gate| gate.at != id) {
                gates.blocks.insert(gate.at);
            }
            gates.of.push(gate);
        }
        gates
    }

    /// Where a call is asked about.
    pub(crate) fn of(&self, call: NodeId) -> Option<CallGate> {
        self.of.get(call.0 as usize).copied().flatten()
    }

    /// Whether a block is the gate of any call inside it.
    pub(crate) fn binds(&self, block: NodeId) -> bool {
        self.blocks.contains(&block)
    }
}

/// Where a call is asked about: the innermost approval that can bind it; without one, the outermost
/// loop whose items and arguments are known when it begins; otherwise the call itself.
fn gate_of(plan: &Plan, call: NodeId) -> CallGate {
    if plan.node(call).approval.is_some() {
        return CallGate { at: call, written: true };
    }
    let mut reads = own_reads(plan.node(call));
    let mut gate = CallGate { at: call, written: false };
    let mut at = call;
    while let Some(parent) = parent_within(plan, at) {
        let node = plan.node(parent);
        let made_inside = |expression: &&Expression| reads_inside(plan, expression, parent);
        if matches!(node.kind, Kind::Repeat(_)) || reads.iter().any(made_inside) {
            return gate;
        }
        if node.approval.is_some() {
            return CallGate { at: parent, written: true };
        }
        if let Kind::ForEach(each) = &node.kind {
            gate = CallGate { at: parent, written: false };
            if let ListSource::Expression(list) = &each.list {
                reads.push(list);
            }
        }
        at = parent;
    }
    gate
}

/// The block around a node, unless the node stands in a handler: handlers have gates of their own.
fn parent_within(plan: &Plan, id: NodeId) -> Option<NodeId> {
    let node = plan.node(id);
    let handler =
        matches!(node.branch.as_deref(), Some("on_error" | "always" | "undo" | "on_failure"));
    if handler { None } else { node.parent }
}

fn own_reads(node: &Node) -> Vec<&Expression> {
    let mut reads: Vec<&Expression> = Vec::new();
    if let Kind::Call(call) = &node.kind {
        reads.extend(call.with.values().flat_map(Template::expressions));
    }
    if let Undo::Call { with, .. } = &node.undo {
        reads.extend(with.values().flat_map(Template::expressions));
    }
    reads
}

/// Whether an expression reads what a step inside a block gives.
fn reads_inside(plan: &Plan, expression: &Expression, block: NodeId) -> bool {
    expression.reads.iter().any(|path| match path.0.as_slice() {
        [steps, id, ..] if steps == "steps" => {
            let mut at = plan.by_id(id);
            while let Some(node) = at {
                if node == block {
                    return true;
                }
                at = plan.node(node).parent;
            }
            false
        }
        _ => false,
    })
}
