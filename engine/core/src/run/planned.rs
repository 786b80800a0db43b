//! What a plan would do, step by step, before it does anything: for the command line and for pages.
//!
//! What is known before a run begins is told, and what only a run will know stands as it is written.
//! Nothing is evaluated: a bare path of the inputs or of a loop's item is looked up, and no script
//! runs. It decides nothing: which connector does what, and who is asked, the run settles itself.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::state::Binding;
use crate::model::{
    ActionName, ActionSpec, Catalogue, ConnectorName, PolicyRule, StepId, TargetKind, TargetRule,
    Votes,
};
use crate::playbook::{
    CallNode, Expression, Kind, ListSource, Node, NodeId, Piece, Plan, Template, Undo,
};

/// So many rounds of loops are looked through for what they act on: more than a run may touch.
const ROUNDS_MAX: usize = 1_000;

/// A step as it would be done.
#[derive(Debug)]
pub struct PlannedStep<'p> {
    /// What the playbook says of it.
    pub node: &'p Node,
    /// Its place, with `[…]` for the rounds of loops.
    pub path: String,
    /// How many blocks and branches it stands in.
    pub depth: usize,
    /// What it does, where it is a call.
    pub effect: Option<PlannedEffect<'p>>,
    /// The playbook that it calls, and what is known of its inputs.
    pub calls: Option<(&'p Plan, Value)>,
}

/// An effect as it would be done.
#[derive(Debug)]
pub struct PlannedEffect<'p> {
    /// The call.
    pub call: &'p CallNode,
    /// Whether it can hurt.
    pub destructive: bool,
    /// Who may do it, by what it acts on, in the order of the configuration; a person where there is
    /// none.
    pub connectors: Vec<ConnectorName>,
    /// What takes it back.
    pub undo: PlannedUndo,
    /// What it acts on.
    pub targets: PlannedTargets,
    /// How many of whom must say yes at least: by the playbook, and by the policy for what is known.
    pub asks: Option<Votes>,
}

/// What takes an effect back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PlannedUndo {
    /// Nothing does.
    Nothing,
    /// This action.
    Call(ActionName),
    /// Steps of the playbook.
    Steps,
}

/// What an effect acts on.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PlannedTargets {
    /// What is known before the run begins, each once.
    pub known: Vec<(TargetKind, String)>,
    /// The run may find out more.
    pub more: bool,
}

/// Who does effects, and whom the house asks beside the playbook.
#[derive(Debug, Clone, Copy)]
pub struct PlannedBy<'a> {
    /// What actions there are.
    pub catalogue: &'a Catalogue,
    /// Who does what.
    pub bindings: &'a [Binding],
    /// The gates beside those of the playbooks; none in a drill.
    pub policy: Option<&'a [PolicyRule]>,
}

/// The steps of a plan in the order of the file, with what is known of its inputs. Those of
/// playbooks that it calls are planned by their own plans.
pub fn planned<'p>(plan: &'p Plan, by: PlannedBy<'_>, inputs: &Value) -> Vec<PlannedStep<'p>> {
    let known = Known { plan, inputs };
    plan.nodes()
        .map(|(id, node)| {
            let effect = match &node.kind {
                Kind::Call(call) => Some(known.effect((id, node), call, by)),
                Kind::Script(_)
                | Kind::Task { .. }
                | Kind::Approve { .. }
                | Kind::Wait(_)
                | Kind::Group(_)
                | Kind::Parallel { .. }
                | Kind::ForEach(_)
                | Kind::Switch(_)
                | Kind::Repeat(_)
                | Kind::Playbook { .. }
                | Kind::UndoSteps(_)
                | Kind::Note(_)
                | Kind::Fail(_)
                | Kind::End(_) => None,
            };
            let (path, depth) = place(plan, id);
            PlannedStep { node, path, depth, effect, calls: known.child(node) }
        })
        .collect()
}

/// The path of a node with `[…]` for loop rounds, and in how many blocks it stands.
fn place(plan: &Plan, id: NodeId) -> (String, usize) {
    let node = plan.node(id);
    let (mut text, mut depth) = match node.parent {
        None => (String::new(), 0),
        Some(parent) => {
            let looping = matches!(plan.node(parent).kind, Kind::ForEach(_) | Kind::Repeat(_));
            let rounds = if looping && node.branch.is_none() { "[…]" } else { "" };
            let (path, depth) = place(plan, parent);
            (format!("{path}{rounds}/"), depth + 1)
        }
    };
    if let Some(branch) = &node.branch {
        text.push_str(branch);
        text.push('/');
        depth += usize::from(node.parent.is_some());
    }
    text.push_str(node.id.as_str());
    (text, depth)
}

/// The items of the loops that a call stands in, by their names.
type Round<'a> = BTreeMap<&'a str, &'a Value>;

/// What is known before a run begins.
struct Known<'p, 'i> {
    plan: &'p Plan,
    inputs: &'i Value,
}

impl<'p> Known<'p, '_> {
    fn effect(
        &self,
        (id, node): (NodeId, &'p Node),
        call: &'p CallNode,
        by: PlannedBy<'_>,
    ) -> PlannedEffect<'p> {
        let spec = by.catalogue.get(&call.action);
        let via = call.via.as_ref().map(StepId::as_str);
        let mut connectors = Vec::new();
        for binding in by.bindings {
            let does_it = binding.capability == call.action.capability()
                && binding.slot.as_deref() == via
                && !connectors.contains(&binding.connector);
            if does_it {
                connectors.push(binding.connector.clone());
            }
        }
        let undo = match &node.undo {
            Undo::None => PlannedUndo::Nothing,
            Undo::Call { action, .. } => PlannedUndo::Call(action.clone()),
            Undo::Steps(_) => PlannedUndo::Steps,
            Undo::Catalogue => spec
                .and_then(|spec| spec.undo.as_ref())
                .map_or(PlannedUndo::Nothing, |undo| PlannedUndo::Call(undo.action.clone())),
        };
        let destructive = spec.is_some_and(|spec| spec.destructive);
        let targets = spec.map(|spec| self.targets(node, call, spec)).unwrap_or_default();
        let count = u32::try_from(targets.known.len()).unwrap_or(u32::MAX);
        let own = self.plan.gate_of(id).filter(|gate| gate.written);
        let own = own.and_then(|gate| self.plan.node(gate.at).approval.as_ref());
        let own = own.map(|gate| Votes { votes: gate.votes, role: gate.role });
        let house =
            by.policy.and_then(|rules| PolicyRule::votes(rules, &call.action, destructive, count));
        let asks = own.into_iter().chain(house).reduce(Votes::with);
        PlannedEffect { call, destructive, connectors, undo, targets, asks }
    }

    fn child(&self, node: &'p Node) -> Option<(&'p Plan, Value)> {
        let Kind::Playbook { name, with } = &node.kind else { return None };
        let child = self.plan.parts().children.get(name)?;
        Some((child.as_ref(), Value::Object(self.arguments(with, &Round::new()))))
    }

    /// What a call acts on, in every round of the loops that it stands in.
    fn targets(&self, node: &Node, call: &CallNode, spec: &ActionSpec) -> PlannedTargets {
        let mut found = PlannedTargets::default();
        let (rounds, all) = self.rounds(node);
        found.more = !all;
        let named = |rule: &TargetRule| match rule {
            TargetRule::Argument { argument, .. } | TargetRule::Listed { argument } => {
                call.with.contains_key(argument).then(|| argument.clone())
            }
            TargetRule::GoesTo { .. } => None,
        };
        let named: Vec<String> = spec.targets.iter().filter_map(named).collect();
        for round in &rounds {
            let arguments = self.arguments(&call.with, round);
            found.more |= named.iter().any(|name| !arguments.contains_key(name));
            for target in spec.target_names(&Value::Object(arguments)) {
                if !found.known.contains(&target) {
                    found.known.push(target);
                }
            }
        }
        found
    }

    /// The rounds of the loops around a step, the outermost first, and whether these are all. Of a
    /// loop over what is not known yet there is one round without an item.
    fn rounds(&self, node: &Node) -> (Vec<Round<'_>>, bool) {
        let mut loops = Vec::new();
        let mut at = node.parent;
        while let Some(id) = at {
            let around = self.plan.node(id);
            if let Kind::ForEach(each) = &around.kind {
                loops.push(each);
            }
            at = around.parent;
        }
        let (mut rounds, mut all) = (vec![Round::new()], true);
        for each in loops.into_iter().rev() {
            let ListSource::Expression(list) = &each.list else { continue };
            let mut inner = Vec::new();
            for round in &rounds {
                let Some(Value::Array(items)) = self.look(list, round) else {
                    all = false;
                    inner.push(round.clone());
                    continue;
                };
                for item in items.iter().take(ROUNDS_MAX.saturating_sub(inner.len())) {
                    let mut round = round.clone();
                    round.insert(each.item.as_str(), item);
                    inner.push(round);
                }
                all &= inner.len() < ROUNDS_MAX;
            }
            rounds = inner;
        }
        (rounds, all)
    }

    /// The arguments that are known.
    fn arguments(
        &self,
        with: &BTreeMap<String, Template>,
        round: &Round<'_>,
    ) -> Map<String, Value> {
        let known = |(name, template): (&String, &Template)| {
            Some((name.clone(), self.rendered(template, round)?))
        };
        with.iter().filter_map(known).collect()
    }

    fn rendered(&self, template: &Template, round: &Round<'_>) -> Option<Value> {
        match template {
            Template::Literal(value) => Some(value.clone()),
            Template::Whole(expression) => self.look(expression, round).cloned(),
            Template::Text(pieces) => pieces
                .iter()
                .map(|piece| match piece {
                    Piece::Text(text) => Some(text.as_str()),
                    Piece::Value(expression) => self.look(expression, round)?.as_str(),
                })
                .collect::<Option<String>>()
                .map(Value::String),
            Template::Array(items) => items.iter().map(|item| self.rendered(item, round)).collect(),
            Template::Object(fields) => {
                let field = |(name, field): (&String, &Template)| {
                    Some((name.clone(), self.rendered(field, round)?))
                };
                fields.iter().map(field).collect::<Option<Map<_, _>>>().map(Value::Object)
            }
        }
    }

    /// A bare path below the inputs or a loop's item.
    fn look<'v>(&'v self, expression: &Expression, round: &Round<'v>) -> Option<&'v Value> {
        let path = expression.reads.first().filter(|_| expression.bare)?;
        let (first, rest) = path.0.split_first()?;
        let root = match round.get(first.as_str()) {
            Some(item) => *item,
            None => (first == "inputs").then_some(self.inputs)?,
        };
        rest.iter().try_fold(root, |value, name| value.get(name))
    }
}

#[cfg(test)]
mod tests;
