//! Where a path stands: its step in the plan, and its turn among what happens at one instant.

use crate::model::Path;
use crate::playbook::{Node, NodeId, Plan};

/// The turn of a line among those of the same instant; compared as a list.
///
/// Branches and items run at once, so their events come in an order that depends on chance. In plan
/// order the same run always reads the same.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(super) struct Order(Vec<u64>);

/// Parts of a run, in the order in which they read.
#[derive(Debug, Clone, Copy)]
pub(super) enum Turn {
    /// Before all steps.
    Opening = 0,
    /// Steps.
    Steps = 1,
    /// The run turns to its end.
    Closing = 2,
    /// Its steps for failure.
    OnFailure = 3,
    /// Its closing steps.
    Always = 4,
    /// After all steps.
    Ended = 5,
    /// A person takes something back.
    Undo = 6,
}

/// Later than everything inside a step.
const AFTER: u64 = u64::MAX;

impl Order {
    /// This one's line of descent, with one more number.
    pub(super) fn then(&self, number: u64) -> Self {
        let mut numbers = self.0.clone();
        numbers.push(number);
        Self(numbers)
    }
    /// A part of a run.
    pub(super) fn turn(&self, turn: Turn) -> Self {
        self.then(turn as u64)
    }
    /// After everything that begins like this one.
    pub(super) fn after(&self) -> Self {
        self.then(AFTER)
    }
    /// The turn of a path, which begins below `base`, in plan order.
    pub(super) fn of_path(&self, plan: Option<&Plan>, base: &Path, path: &Path) -> Self {
        let below = path.as_str().strip_prefix(base.as_str()).unwrap_or(path.as_str());
        let below = below.trim_start_matches('/');
        let turn = match below.split('/').next() {
            Some("on_failure") => Turn::OnFailure,
            Some("always") => Turn::Always,
            Some(_) | None => Turn::Steps,
        };
        let mut order = self.turn(turn);
        for segment in below.split('/') {
            let (id, index) = split(segment);
            if let Some(NodeId(number)) = plan.and_then(|plan| plan.by_id(id)) {
                order.0.push(u64::from(number) + 1);
            }
            if let Some(index) = index {
                order.0.push(index + 1);
            }
        }
        order
    }
}

/// A segment's id and index.
fn split(segment: &str) -> (&str, Option<u64>) {
    match segment.split_once('[') {
        Some((id, index)) => (id, index.strip_suffix(']').and_then(|index| index.parse().ok())),
        None => (segment, None),
    }
}

/// The step of a path in its plan. An undo's own path, `cut/undo`, is that of its step.
pub(super) fn node_of<'p>(plan: &'p Plan, path: &Path) -> Option<(NodeId, &'p Node)> {
    let of = path.taken_back().unwrap_or(path.as_str());
    let (id, _) = split(of.rsplit('/').next().unwrap_or_default());
    plan.by_id(id).map(|id| (id, plan.node(id)))
}

/// The prefixes of a path that are one item or round of a loop, outermost first, each with its
/// loop's path and its index.
pub(super) fn rounds(path: &Path) -> Vec<(&str, &str, u64)> {
    let text = path.as_str();
    let ends = text.match_indices(']').map(|(at, _)| at + 1);
    ends.filter_map(|end| {
        let item = text.get(..end)?;
        let (looping, index) = item.rsplit_once('[')?;
        Some((item, looping, index.trim_end_matches(']').parse().ok()?))
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_round_around_a_step_is_found() {
        let path: Path = "attacked/contain[12]/ask[0]/cut".parse().unwrap();
        assert_eq!(
            rounds(&path),
            [
                ("attacked/contain[12]", "attacked/contain", 12),
                ("attacked/contain[12]/ask[0]", "attacked/contain[12]/ask", 0),
            ]
        );
        assert_eq!(rounds(&Path::root()), []);
    }

    #[test]
    fn a_step_comes_before_its_insides_and_its_end_after_them() {
        let root = Path::root();
        let of = |path: &str| Order::default().of_path(None, &root, &path.parse().unwrap());
        assert!(of("contain") < of("contain[0]/cut"));
        assert!(of("contain[2]/cut") < of("contain[10]/cut"));
        assert!(of("contain[10]/cut") < of("contain").after());
        assert!(of("contain").after() < of("on_failure/call"));
        assert!(Order::default().turn(Turn::Opening) < of("contain"));
        assert!(of("always/x").after() < Order::default().turn(Turn::Ended));
    }
}
