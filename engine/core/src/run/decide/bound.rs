//! What a gate binds: every destructive call inside a block, rendered as it will be sent.

use std::borrow::Cow;

use serde_json::{Value, json};

use super::super::scope::{Frame, Scope, item_at};
use super::super::state::StepIx;
use super::super::world::World;
use super::call::never_sent;
use super::prepare::{Prepared, Unfit, prepare};
use super::takeover::offered;
use super::{Contradiction, Decider};
use crate::model::{ErrorKind, Path};
use crate::playbook::{Kind, ListSource, NodeId};

/// What a gate binds and what it only lists.
#[derive(Default)]
pub(super) struct Lines {
    pub(super) calls: Vec<Prepared>,
    pub(super) others: Vec<Value>,
    pub(super) unfit: Vec<Value>,
    /// How many a superseded run did: they are not sent again.
    pub(super) taken: usize,
    /// The block whose yes lapsed, where all that has not begun in it is asked about anew.
    pub(super) gate: Option<Path>,
}

impl Lines {
    /// Whether all that could be asked about was done by a superseded run.
    pub(super) fn is_taken_over(&self) -> bool {
        let Self { calls, others, unfit, taken, gate: _ } = self;
        *taken > 0 && calls.is_empty() && others.is_empty() && unfit.is_empty()
    }

    /// The bound effects by path: each line's digest binds it.
    pub(super) fn bound(&self) -> Vec<Value> {
        let mut calls: Vec<&Prepared> = self.calls.iter().collect();
        calls.sort_by(|a, b| a.path.cmp(&b.path));
        let line = |call: &Prepared| json!({"path": call.path, "digest": call.effect, "effect": call.line()});
        calls.into_iter().map(line).collect()
    }
}

impl Decider<'_, '_> {
    /// What the gate of a step binds in it and in all that is inside it.
    pub(super) fn lines_of(&self, ix: StepIx) -> Result<Lines, Contradiction> {
        let step = self.step(ix)?;
        let items = step.looping.as_deref().map(|looping| looping.items.as_ref());
        let mut walk = Walk { world: self.world, gate: step.node, items, lines: Lines::default() };
        walk.look(&self.scope(ix)?, step.node, &step.path);
        Ok(walk.lines)
    }
}

/// A walk through what stands behind a gate.
struct Walk<'a> {
    world: &'a World<'a>,
    /// The step whose gate it is.
    gate: NodeId,
    /// What that step runs over, where it is a loop: its list is fixed before people are asked.
    items: Option<&'a Value>,
    lines: Lines,
}

impl Walk<'_> {
    /// Renders a step, or goes into it.
    fn look(&mut self, scope: &Scope<'_>, id: NodeId, path: &Path) {
        let plan = self.world.plan;
        let node = plan.node(id);
        let lines = &mut self.lines;
        match &node.kind {
            Kind::Call(call) if plan.gate_of(id).is_some_and(|own| own.at == self.gate) => {
                match prepare(self.world, scope, node, call, path.clone()) {
                    Ok(prepared)
                        if offered(scope.state(), self.world.catalogue, &prepared).is_some() =>
                    {
                        lines.taken += 1;
                    }
                    Ok(prepared) if prepared.hurts() => match never(self.world, scope, &prepared) {
                        // Nobody is asked to say yes to what is refused whoever does.
                        Some((kind, message)) => lines.unfit.push(unfit(path, kind, &message)),
                        None => lines.calls.push(prepared),
                    },
                    Ok(_) => lines.others.push(json!({"path": path, "action": call.action})),
                    Err((kind, message)) => lines.unfit.push(unfit(path, kind, &message)),
                }
            }
            Kind::Call(call) => lines.others.push(json!({"path": path, "action": call.action})),
            Kind::Playbook { name, .. } => {
                lines.others.push(json!({"path": path, "playbook": name}));
            }
            Kind::Group(steps) => self.inside(scope, steps, path),
            Kind::Parallel { branches, .. } => {
                for (name, steps) in branches {
                    self.inside(scope, steps, &path.child(name.as_str()));
                }
            }
            Kind::Switch(cases) => {
                for case in cases {
                    self.inside(scope, &case.steps, path);
                }
            }
            Kind::ForEach(each) => {
                let items = if id == self.gate {
                    self.items.map(Cow::Borrowed)
                } else {
                    match &each.list {
                        ListSource::Count(count) => Some(Cow::Owned(json!(count))),
                        ListSource::Expression(list) => scope.evaluate(list).ok().map(Cow::Owned),
                    }
                };
                let items = items.as_deref();
                for index in 0..count_of(items) {
                    let item = items.and_then(|items| item_at(items, index));
                    let inner = scope.within(Frame { node: id, index, item });
                    self.inside(&inner, &each.steps, &path.at(index));
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

    fn inside(&mut self, scope: &Scope<'_>, steps: &[NodeId], prefix: &Path) {
        for step in steps {
            let path = prefix.child(self.world.plan.node(*step).id.as_str());
            self.look(scope, *step, &path);
        }
    }
}

/// Why a call behind a gate is never sent; what takes something back is no destruction.
fn never(world: &World<'_>, scope: &Scope<'_>, prepared: &Prepared) -> Option<Unfit> {
    let mode = scope.state().opened.mode;
    let targets = Some(&prepared.targets).filter(|_| prepared.destructive)?;
    never_sent(world.setup, mode, targets).map(|message| (ErrorKind::Guarded, message))
}

/// What can not be done as it is written, as a gate lists it.
fn unfit(path: &Path, kind: ErrorKind, message: &str) -> Value {
    json!({"path": path, "error": kind, "message": message})
}

fn count_of(items: Option<&Value>) -> u64 {
    match items {
        Some(Value::Array(items)) => items.len() as u64,
        Some(Value::Number(count)) => count.as_u64().unwrap_or(0),
        _ => 0,
    }
}
