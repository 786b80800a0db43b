//! Gates: which destructive calls a block's approval can bind, and which need their own.
//!
//! At the gate of a block every destructive call inside is shown with its targets and arguments.
//! What depends on things that only happen behind the gate can not be shown there.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::super::report::Report;
use super::super::{
    CallNode, Code, Expression, Join, Kind, ListSource, Node, NodeId, Plan, Template, Undo,
};
use super::never::inner_blocks;
use crate::model::{Catalogue, PlaybookName};

/// Looks at every destructive call and every sub-playbook.
pub(super) fn look(
    nodes: &[Node],
    children: &BTreeMap<PlaybookName, Arc<Plan>>,
    catalogue: &Catalogue,
    report: &mut Report,
) {
    let gates = Gates { nodes, catalogue };
    for (node, index) in nodes.iter().zip(0..) {
        let id = NodeId(index);
        match &node.kind {
            Kind::Call(call) if gates.is_destructive(call) => gates.call(id, node, call, report),
            Kind::Playbook { name, .. } => {
                if let Some(plan) = children.get(name) {
                    gates.playbook(id, node, plan, report);
                }
            }
            Kind::Parallel { join: Join::Any, .. } => gates.any(node, children, report),
            Kind::Call(_)
            | Kind::Script(_)
            | Kind::Task { .. }
            | Kind::Approve { .. }
            | Kind::Wait(_)
            | Kind::Group(_)
            | Kind::Parallel { join: Join::All, .. }
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

struct Gates<'n> {
    nodes: &'n [Node],
    catalogue: &'n Catalogue,
}

/// A gate around a step, and the steps on the way to it, from the inside out.
struct Around<'n> {
    gate: NodeId,
    gate_node: &'n Node,
    between: Vec<&'n Node>,
}

impl<'n> Gates<'n> {
    fn node(&self, id: NodeId) -> Option<&'n Node> {
        self.nodes.get(id.0 as usize)
    }

    fn is_destructive(&self, call: &CallNode) -> bool {
        self.catalogue.get(&call.action).is_some_and(|spec| spec.destructive)
    }

    /// The block that a step stands in. A handler stands behind its step, not in it; an undo needs
    /// the gate that its effect had.
    fn block_of(&self, node: &Node) -> Option<NodeId> {
        let parent = node.parent?;
        match node.branch.as_deref() {
            Some("on_error" | "always") => self.block_of(self.node(parent)?),
            Some(_) | None => Some(parent),
        }
    }

    fn is_undo(&self, node: &Node) -> bool {
        node.branch.as_deref() == Some("undo")
            || node
                .parent
                .and_then(|parent| self.node(parent))
                .is_some_and(|node| self.is_undo(node))
    }

    /// The nearest gate around a step; the step's own is not looked at.
    fn around(&self, node: &'n Node) -> Option<Around<'n>> {
        let mut between = Vec::new();
        let mut next = self.block_of(node)?;
        loop {
            let block = self.node(next)?;
            if block.approval.is_some() {
                return Some(Around { gate: next, gate_node: block, between });
            }
            between.push(block);
            next = self.block_of(block)?;
        }
    }

    /// Whether the step with this id stands inside of a block.
    fn is_inside(&self, id: &str, block: NodeId) -> bool {
        let Some(mut node) = self.nodes.iter().find(|node| node.id.as_str() == id) else {
            return false;
        };
        while let Some(parent) = node.parent {
            if parent == block {
                return true;
            }
            let Some(next) = self.node(parent) else { return false };
            node = next;
        }
        false
    }

    /// A step inside of the block that an expression reads.
    fn reads_inside<'e>(
        &self,
        expressions: impl IntoIterator<Item = &'e Expression>,
        block: NodeId,
    ) -> Option<String> {
        expressions.into_iter().flat_map(|expression| &expression.reads).find_map(|path| {
            match path.0.as_slice() {
                [root, id, ..] if root == "steps" && self.is_inside(id, block) => Some(id.clone()),
                // All of `steps` at once: nobody can say what of it.
                [root] if root == "steps" => Some("steps".to_owned()),
                _ => None,
            }
        })
    }

    fn call(&self, id: NodeId, node: &'n Node, call: &CallNode, report: &mut Report) {
        if node.approval.is_some() || self.is_undo(node) {
            return;
        }
        let Some(around) = self.around(node) else {
            let has_undo = match node.undo {
                Undo::Catalogue => {
                    self.catalogue.get(&call.action).is_some_and(|spec| spec.undo.is_some())
                }
                Undo::None => false,
                Undo::Call { .. } | Undo::Steps(_) => true,
            };
            if !has_undo {
                let message =
                    format!("`{}` hurts, nobody is asked, and nothing takes it back", call.action);
                let hint = "give it `approval: { role: commander }`";
                report.hint(Code::Ungated, node.place, message, hint);
            }
            return;
        };
        debug_assert!(id != around.gate, "a step's own gate is not around it");
        if let Some(why) = self.why_unbound(call, &around) {
            let message =
                format!("the gate of `{}` can not show `{}`: {why}", around.gate_node.id, node.id);
            let hint = format!("give `{}` an `approval` of its own", node.id);
            report.hint(Code::OwnApproval, node.place, message, hint);
        }
    }

    fn why_unbound(&self, call: &CallNode, around: &Around<'_>) -> Option<String> {
        if let Some(step) =
            self.reads_inside(call.with.values().flat_map(Template::expressions), around.gate)
        {
            return Some(format!("it reads `{step}`, which runs behind the gate"));
        }
        let rounds = |node: &Node| matches!(node.kind, Kind::Repeat(_));
        let repeat =
            around.between.iter().copied().chain([around.gate_node]).find(|node| rounds(node));
        if let Some(repeat) = repeat {
            return Some(format!("it stands in the rounds of `{}`", repeat.id));
        }
        around.between.iter().find_map(|node| match &node.kind {
            Kind::ForEach(each) => match &each.list {
                ListSource::Expression(list) => {
                    self.reads_inside([list], around.gate).map(|step| {
                        format!(
                            "the list of `{}` reads `{step}`, which runs behind the gate",
                            node.id
                        )
                    })
                }
                ListSource::Count(_) => None,
            },
            Kind::Call(_)
            | Kind::Script(_)
            | Kind::Task { .. }
            | Kind::Approve { .. }
            | Kind::Wait(_)
            | Kind::Group(_)
            | Kind::Parallel { .. }
            | Kind::Switch(_)
            | Kind::Repeat(_)
            | Kind::Playbook { .. }
            | Kind::UndoSteps(_)
            | Kind::Note(_)
            | Kind::Fail(_)
            | Kind::End(_) => None,
        })
    }

    /// A gate around a sub-playbook does not see into it.
    fn playbook(&self, id: NodeId, node: &'n Node, plan: &Plan, report: &mut Report) {
        let gate = match &node.approval {
            Some(_) => self.node(id),
            None => self.around(node).map(|around| around.gate_node),
        };
        let (Some(gate), Some(open)) = (gate, self.open_call(plan)) else { return };
        let message = format!("the gate of `{}` can not show {open}", gate.id);
        let hint = "give that call an `approval` of its own, in the sub-playbook";
        report.hint(Code::OwnApproval, node.place, message, hint);
    }

    /// A destructive call of a plan that has no gate there.
    fn open_call(&self, plan: &Plan) -> Option<String> {
        let inside = Gates { nodes: &plan.parts().nodes, catalogue: self.catalogue };
        inside.nodes.iter().find_map(|node| match &node.kind {
            Kind::Call(call) if self.is_destructive(call) => {
                let gated = node.approval.is_some()
                    || inside.is_undo(node)
                    || inside.around(node).is_some();
                (!gated).then(|| format!("`{}` of the playbook `{}`", node.id, plan.name()))
            }
            Kind::Playbook { name, .. } => {
                plan.parts().children.get(name).and_then(|child| self.open_call(child))
            }
            Kind::Call(_)
            | Kind::Script(_)
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
            | Kind::End(_) => None,
        })
    }

    /// Branches that race do nothing destructive: of the losers nobody would know what they did.
    fn any(
        &self,
        node: &'n Node,
        children: &BTreeMap<PlaybookName, Arc<Plan>>,
        report: &mut Report,
    ) {
        let mut open: Vec<NodeId> =
            inner_blocks(&node.kind).into_iter().flatten().copied().collect();
        while let Some(id) = open.pop() {
            let Some(inner) = self.node(id) else { continue };
            let hurts = match &inner.kind {
                Kind::Call(call) => self.is_destructive(call),
                Kind::Playbook { name, .. } => {
                    children.get(name).is_some_and(|plan| self.hurts(plan))
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
                | Kind::End(_) => false,
            };
            if hurts {
                let message = format!(
                    "`{}` is destructive and stands in a branch of `{}`, where only the first success counts",
                    inner.id, node.id
                );
                let hint = format!("put it after `{}`, or use `join: all`", node.id);
                report.hint(Code::AnyDestructive, inner.place, message, hint);
            }
            open.extend(inner_blocks(&inner.kind).into_iter().flatten());
        }
    }

    fn hurts(&self, plan: &Plan) -> bool {
        plan.parts()
            .nodes
            .iter()
            .any(|node| matches!(&node.kind, Kind::Call(call) if self.is_destructive(call)))
            || plan.parts().children.values().any(|child| self.hurts(child))
    }
}
