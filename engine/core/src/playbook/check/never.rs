//! Steps that can never run, because what stands before them always ends the run.

use super::super::report::Report;
use super::super::{Block, Code, Join, Kind, ListSource, Node, NodeId, OnError, Undo};

/// Looks through every list of steps.
pub(super) fn look(nodes: &[Node], lists: &[&Block], report: &mut Report) {
    let walk = Walk { nodes };
    for block in lists {
        walk.block(block, report);
    }
    for node in nodes {
        if node.when.as_ref().is_some_and(|when| when.text.trim() == "false") {
            let message = format!("`{}` never runs: its `when` is `false`", node.id);
            report.add(Code::NeverRuns, node.place, message);
        }
        for block in blocks(node) {
            walk.block(block, report);
        }
    }
}

struct Walk<'n> {
    nodes: &'n [Node],
}

impl<'n> Walk<'n> {
    fn node(&self, id: NodeId) -> Option<&'n Node> {
        self.nodes.get(id.0 as usize)
    }

    fn block(&self, block: &Block, report: &mut Report) {
        let steps: Vec<&Node> = block.iter().filter_map(|id| self.node(*id)).collect();
        let Some(end) = steps.iter().position(|node| self.ends(node)) else { return };
        if let (Some(last), Some(next)) = (steps.get(end), steps.get(end + 1)) {
            let message =
                format!("`{}` never runs: `{}` always ends the run before it", next.id, last.id);
            report.add(Code::NeverRuns, next.place, message);
        }
    }

    /// Whether nothing comes after this step, whatever happens.
    fn ends(&self, node: &Node) -> bool {
        if node.when.is_some() {
            return false;
        }
        match &node.kind {
            Kind::Fail(_) | Kind::End(_) => true,
            Kind::Group(block) => self.block_ends(block),
            Kind::Repeat(repeat) => self.block_ends(&repeat.steps),
            Kind::Switch(cases) => {
                cases.last().is_some_and(|case| case.when.is_none())
                    && cases.iter().all(|case| self.block_ends(&case.steps))
            }
            Kind::Parallel { branches, join: Join::All } => {
                branches.iter().any(|(_, block)| self.block_ends(block))
            }
            Kind::Parallel { branches, join: Join::Any } => {
                branches.iter().all(|(_, block)| self.block_ends(block))
            }
            Kind::ForEach(each) => {
                matches!(each.list, ListSource::Count(1..)) && self.block_ends(&each.steps)
            }
            Kind::Call(_)
            | Kind::Script(_)
            | Kind::Task { .. }
            | Kind::Approve { .. }
            | Kind::Wait(_)
            | Kind::Playbook { .. }
            | Kind::UndoSteps(_)
            | Kind::Note(_) => false,
        }
    }

    fn block_ends(&self, block: &Block) -> bool {
        block.iter().filter_map(|id| self.node(*id)).any(|node| self.ends(node))
    }
}

/// Every list of steps directly in a step.
fn blocks(node: &Node) -> Vec<&Block> {
    let mut blocks: Vec<&Block> = inner_blocks(&node.kind);
    if let OnError::Steps(block) = &node.on_error {
        blocks.push(block);
    }
    if let Undo::Steps(block) = &node.undo {
        blocks.push(block);
    }
    blocks.push(&node.always);
    blocks
}

/// The lists of steps that a kind runs.
pub(super) fn inner_blocks(kind: &Kind) -> Vec<&Block> {
    match kind {
        Kind::Group(block) => vec![block],
        Kind::Parallel { branches, .. } => branches.iter().map(|(_, block)| block).collect(),
        Kind::ForEach(each) => vec![&each.steps],
        Kind::Switch(cases) => cases.iter().map(|case| &case.steps).collect(),
        Kind::Repeat(repeat) => vec![&repeat.steps],
        Kind::Call(_)
        | Kind::Script(_)
        | Kind::Task { .. }
        | Kind::Approve { .. }
        | Kind::Wait(_)
        | Kind::Playbook { .. }
        | Kind::UndoSteps(_)
        | Kind::Note(_)
        | Kind::Fail(_)
        | Kind::End(_) => Vec::new(),
    }
}
