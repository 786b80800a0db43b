//! What a gate binds: every destructive call inside a block, rendered as it will be sent.

use serde_json::{Value, json};

use super::super::scope::{Frame, Scope, item_at};
use super::super::state::StepIx;
use super::Decider;
use super::prepare::{Prepared, prepare};
use crate::model::Path;
use crate::playbook::{Kind, ListSource, NodeId};

/// What a gate binds and what it only lists.
#[derive(Default)]
pub(super) struct Lines {
    pub(super) calls: Vec<Prepared>,
    pub(super) others: Vec<Value>,
    pub(super) unfit: Vec<Value>,
    /// The block whose yes lapsed, where all that has not begun in it is asked about anew.
    pub(super) gate: Option<Path>,
}

impl Lines {
    /// The bound effects by path: each line's digest binds it.
    pub(super) fn bound(&self) -> Vec<Value> {
        let mut calls: Vec<&Prepared> = self.calls.iter().collect();
        calls.sort_by(|a, b| a.path.cmp(&b.path));
        let line = |call: &Prepared| json!({"path": call.path, "digest": call.effect, "effect": call.line()});
        calls.into_iter().map(line).collect()
    }
}

impl Decider<'_, '_> {
    /// Walks a step and what is inside it, rendering what this gate binds.
    pub(super) fn collect(
        &self,
        scope: &Scope<'_>,
        id: NodeId,
        path: &Path,
        gate: (NodeId, StepIx),
        lines: &mut Lines,
    ) {
        let plan = self.world.plan;
        let node = plan.node(id);
        let inside = |lines: &mut Lines, steps: &[NodeId], prefix: &Path, scope: &Scope<'_>| {
            for step in steps {
                let path = prefix.child(plan.node(*step).id.as_str());
                self.collect(scope, *step, &path, gate, lines);
            }
        };
        match &node.kind {
            Kind::Call(call) if plan.gate_of(id).is_some_and(|own| own.at == gate.0) => {
                match prepare(self.world, scope, node, call, path.clone()) {
                    Ok(prepared) if prepared.hurts() => {
                        lines.calls.push(prepared);
                    }
                    Ok(_) => lines.others.push(json!({"path": path, "action": call.action})),
                    Err((kind, message)) => {
                        lines.unfit.push(json!({"path": path, "error": kind, "message": message}));
                    }
                }
            }
            Kind::Call(call) => lines.others.push(json!({"path": path, "action": call.action})),
            Kind::Playbook { name, .. } => {
                lines.others.push(json!({"path": path, "playbook": name}));
            }
            Kind::Group(steps) => inside(lines, steps, path, scope),
            Kind::Parallel { branches, .. } => {
                for (name, steps) in branches {
                    inside(lines, steps, &path.child(name.as_str()), scope);
                }
            }
            Kind::Switch(cases) => {
                for case in cases {
                    inside(lines, &case.steps, path, scope);
                }
            }
            Kind::ForEach(each) => {
                let items = if id == gate.0 {
                    self.items_of(gate.1)
                } else {
                    match &each.list {
                        ListSource::Count(count) => Some(json!(count)),
                        ListSource::Expression(list) => scope.evaluate(list).ok(),
                    }
                };
                for index in 0..count_of(items.as_ref()) {
                    let item = items.as_ref().and_then(|items| item_at(items, index));
                    let inner = scope.within(Frame { node: id, index, item });
                    inside(lines, &each.steps, &path.at(index), &inner);
                }
            }
            Kind::Repeat(repeat) => {
                for step in &repeat.steps {
                    lines.others.push(json!({"path": path, "step": plan.node(*step).id}));
                }
            }
            Kind::Script(_)
            | Kind::Task { .. }
            | Kind::Approve { .. }
            | Kind::Wait(_)
            | Kind::UndoSteps(_)
            | Kind::Note(_)
            | Kind::Fail(_)
            | Kind::End(_) => {}
        }
    }

    fn items_of(&self, ix: StepIx) -> Option<Value> {
        let looping = self.state.steps.get(&ix)?.looping.as_deref()?;
        Some(looping.items.as_ref().clone())
    }
}

fn count_of(items: Option<&Value>) -> u64 {
    match items {
        Some(Value::Array(items)) => items.len() as u64,
        Some(Value::Number(count)) => count.as_u64().unwrap_or(0),
        _ => 0,
    }
}
