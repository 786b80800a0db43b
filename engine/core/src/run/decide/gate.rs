//! Gates: who must say yes to exactly what.
//!
//! At the gate of a block every destructive call inside that can be rendered there is rendered and
//! bound; each intent must equal its line. What can not be rendered at an outer gate has its own.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::super::event::{Head, NeedKind};
use super::super::scope::{Frame, Scope, item_at};
use super::super::state::{Approved, Home, StepIx};
use super::call::{Prepared, prepare};
use super::enter::Ask;
use super::{Contradiction, Decider};
use crate::model::{ActionName, Digest, Mode, Path, PolicyRule, Span, Target, Votes, digest_of};
use crate::playbook::{Expression, Gate, Kind, ListSource, Node, NodeId, Plan, Shows, Undo};

/// Effects may start so long after the last vote; then lines not yet started are asked about anew.
const APPROVAL_LASTS: Span = Span::from_secs(4 * 3600);

/// What a gate binds and what it only lists.
#[derive(Default)]
struct Lines {
    bound: Vec<Value>,
    calls: Vec<Prepared>,
    others: Vec<Value>,
    unfit: Vec<Value>,
}

impl<'w> Decider<'_, 'w> {
    /// Opens the gate of a step, if it has one; says whether the step waits for it.
    pub(super) fn open_gate(&mut self, ix: StepIx) -> Result<bool, Contradiction> {
        let node = self.node(ix)?;
        let id = self.step(ix)?.node;
        let own = match &node.kind {
            // A call is rendered once, on its way to the intent, and asked about there.
            Kind::Call(_) => return Ok(false),
            Kind::Approve { gate, .. } => Some(gate),
            _ => node.approval.as_ref(),
        };
        let plan = self.world.plan;
        let binds = plan_binds(plan, id);
        if own.is_none() && !binds {
            return Ok(false);
        }
        if self.step(ix)?.looping.as_ref().is_some_and(|looping| looping.total == 0) {
            return Ok(false);
        }
        let path = self.path(ix)?;
        let mut lines = Lines::default();
        if binds {
            let scope = self.scope(ix)?;
            self.collect(&scope, id, &path, (id, ix), &mut lines);
        }
        let shown = match &node.kind {
            Kind::Approve { shows, .. } => match self.shown(ix, shows)? {
                Ok(shown) => Some(shown),
                Err(error) => {
                    self.fail_eval(ix, &error)?;
                    return Ok(true);
                }
            },
            _ => None,
        };
        let policy = self.policy_of(&lines.calls);
        let Some(votes) = stricter(own, policy) else { return Ok(false) };
        self.ask_for_votes(Some(ix), votes, own, (lines, shown))?;
        Ok(true)
    }

    /// What an `approve:` step signs.
    fn shown(
        &self,
        ix: StepIx,
        shows: &Shows,
    ) -> Result<Result<Value, crate::playbook::EvalError>, Contradiction> {
        let scope = self.scope(ix)?;
        Ok(match shows {
            Shows::Title => Ok(json!(self.node(ix)?.title)),
            Shows::Text(text) => scope.render_text(text).map(Value::String),
            Shows::Steps(steps) => Ok(steps
                .iter()
                .map(|id| {
                    let step = self.world.plan.node(*id);
                    json!({"step": step.id, "output": scope.output_of(step.id.as_str())})
                })
                .collect()),
        })
    }

    fn ask_for_votes(
        &mut self,
        ix: Option<StepIx>,
        votes: Votes,
        own: Option<&Gate>,
        (lines, shown): (Lines, Option<Value>),
    ) -> super::Decided {
        let until = match (own.and_then(|gate| gate.within.as_ref()), ix) {
            (Some(within), Some(ix)) => match self.scope(ix)?.length(within) {
                Ok(span) => Some(self.now().plus(span)),
                Err(error) => return self.fail_eval(ix, &error),
            },
            _ => None,
        };
        let digest = self.gate_digest(ix, &lines, shown.as_ref(), votes);
        let shows = json!({
            "digest": digest,
            "lines": lines.bound,
            "others": lines.others,
            "unresolved": lines.unfit,
            "shown": shown,
            "rule": {"role": votes.role, "votes": votes.votes},
            "requester": self.asking(ix).person,
        });
        let ask = Ask { kind: NeedKind::Approval, role: votes.role, votes: votes.votes.max(1), until };
        self.ask(ix, &ask, shows, None)
    }

    /// Who asks for a gate: whoever launched the run, or wants the undo.
    fn asking(&self, ix: Option<StepIx>) -> &super::Actor {
        match (ix, &self.state.undo_by) {
            (None, Some(by)) => by,
            _ => self.requester(),
        }
    }

    /// What an approver signs: the fully rendered effects with their surroundings.
    fn gate_digest(&self, ix: Option<StepIx>, lines: &Lines, shown: Option<&Value>, votes: Votes) -> Digest {
        let opened = &self.state.opened;
        let effects: Vec<Value> = lines.bound.iter().map(|line| line.get("effect").cloned().unwrap_or_default()).collect();
        let parts = json!([
            effects,
            shown,
            opened.mode.as_str(),
            opened.incident.to_string(),
            opened.run.to_string(),
            opened.digest.hex(),
            {"role": votes.role, "votes": votes.votes},
            self.asking(ix).person.as_str()
        ]);
        digest_of("effect", &parts).unwrap_or(Digest::ZERO)
    }

    /// The votes the policy wants for these calls together. Only live effects have a policy.
    fn policy_of(&self, calls: &[Prepared]) -> Option<Votes> {
        let rules = self.world.setup.policy.as_deref()?;
        if self.state.opened.mode != Mode::Live {
            return None;
        }
        let mut most = None;
        let actions: BTreeSet<&ActionName> = calls.iter().map(|call| &call.action).collect();
        for action in actions {
            let of_action = calls.iter().filter(|call| call.action == *action);
            let destructive = of_action.clone().any(|call| call.destructive);
            let targets: BTreeSet<&Target> = of_action.flat_map(|call| &call.targets).collect();
            let count = u32::try_from(targets.len()).unwrap_or(u32::MAX);
            // A release is gated as its effect was.
            let family = self.family(action);
            let hurts = destructive || family != *action;
            most = most.max(PolicyRule::votes(rules, &family, hurts, count));
        }
        most
    }

    /// Whether an effect may go on: its line was approved, or nobody need say yes. Otherwise its
    /// own gate opens.
    pub(super) fn is_approved(&mut self, ix: StepIx, prepared: &Prepared) -> Result<bool, Contradiction> {
        let node = self.step(ix)?.node;
        let hurts = prepared.destructive || self.family(&prepared.action) != prepared.action;
        if !hurts && self.node(ix)?.approval.is_none() {
            return Ok(true);
        }
        let (explicit, gate) = gate_of(self.world.plan, node);
        let own = if explicit { self.gate_at(gate) } else { None };
        let policy = self.policy_of(std::slice::from_ref(prepared));
        let Some(votes) = stricter(own, policy) else { return Ok(true) };
        match self.line_of(ix, &prepared.path) {
            Some((line, at)) if line == prepared.effect && self.now().since(at) <= APPROVAL_LASTS => {
                return Ok(true);
            }
            Some(_) => {
                let path = prepared.path.clone();
                self.emit(Head::ApprovalVoid { path })?;
            }
            None => {}
        }
        let mut lines = Lines::default();
        lines.bind(prepared.clone());
        self.ask_for_votes(Some(ix), votes, own, (lines, None))?;
        Ok(false)
    }

    fn gate_at(&self, id: NodeId) -> Option<&'w Gate> {
        let plan: &'w Plan = self.world.plan;
        plan.node(id).approval.as_ref()
    }

    /// The digest that was approved for a path, and when: at the step or at a block around it.
    fn line_of(&self, ix: StepIx, path: &Path) -> Option<(Digest, crate::model::Millis)> {
        let of = |approved: &Approved| approved.lines.get(path).map(|line| (*line, approved.at));
        let mut at = Some(ix);
        while let Some(ix) = at {
            let step = self.state.steps.get(&ix)?;
            if let Some(found) = step.approved.as_deref().and_then(of) {
                return Some(found);
            }
            at = match step.home {
                Home::Seq(seq) => self.state.seqs.get(&seq)?.owner,
                Home::Undo(_) => None,
            };
        }
        None
    }

    /// Walks a step and what is inside it, rendering what this gate binds.
    fn collect(&self, scope: &Scope<'_>, id: NodeId, path: &Path, gate: (NodeId, StepIx), lines: &mut Lines) {
        let plan = self.world.plan;
        let node = plan.node(id);
        let inside = |lines: &mut Lines, steps: &[NodeId], prefix: &Path, scope: &Scope<'_>| {
            for step in steps {
                let path = prefix.child(plan.node(*step).id.as_str());
                self.collect(scope, *step, &path, gate, lines);
            }
        };
        match &node.kind {
            Kind::Call(call) if gate_of(plan, id).1 == gate.0 => {
                match prepare(self.world, scope, node, call, path.clone()) {
                    Ok(prepared) if prepared.destructive || self.family(&call.action) != call.action || id == gate.0 => {
                        lines.bind(prepared);
                    }
                    Ok(_) => lines.others.push(json!({"path": path, "action": call.action})),
                    Err((kind, message)) => {
                        lines.unfit.push(json!({"path": path, "error": kind, "message": message}));
                    }
                }
            }
            Kind::Call(call) => lines.others.push(json!({"path": path, "action": call.action})),
            Kind::Playbook { name, .. } => lines.others.push(json!({"path": path, "playbook": name})),
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

    /// The gate of an undo: what its effects needed.
    pub(super) fn open_undo_gate(&mut self, calls: Vec<Prepared>, own: Option<&Gate>) -> Result<bool, Contradiction> {
        let Some(votes) = stricter(own, self.policy_of(&calls)) else { return Ok(false) };
        let mut lines = Lines::default();
        for call in calls {
            lines.bind(call);
        }
        self.ask_for_votes(None, votes, own, (lines, Some(json!("undo"))))?;
        Ok(true)
    }

    /// The explicit gate that bound an effect, for its undo.
    pub(super) fn explicit_gate_of(&self, node: NodeId) -> Option<&'w Gate> {
        let (explicit, gate) = gate_of(self.world.plan, node);
        if explicit { self.gate_at(gate) } else { None }
    }
}

impl Lines {
    fn bind(&mut self, prepared: Prepared) {
        let effect = json!({
            "path": prepared.path,
            "action": prepared.action,
            "connector": prepared.connector,
            "targets": prepared.targets,
            "arguments": prepared.arguments,
            "undo": prepared.undo,
        });
        self.bound.push(json!({"path": prepared.path, "digest": prepared.effect, "effect": effect}));
        self.bound.sort_by(|a, b| a.get("path").and_then(Value::as_str).cmp(&b.get("path").and_then(Value::as_str)));
        self.calls.push(prepared);
    }
}

fn count_of(items: Option<&Value>) -> u64 {
    match items {
        Some(Value::Array(items)) => items.len() as u64,
        Some(Value::Number(count)) => count.as_u64().unwrap_or(0),
        _ => 0,
    }
}

/// The stricter of a playbook's gate and the policy's.
fn stricter(own: Option<&Gate>, policy: Option<Votes>) -> Option<Votes> {
    match (own, policy) {
        (None, policy) => policy,
        (Some(gate), None) => Some(Votes { votes: gate.votes, role: gate.role }),
        (Some(gate), Some(policy)) => {
            Some(Votes { votes: gate.votes.max(policy.votes), role: gate.role })
        }
    }
}

/// Where a call is asked about: the innermost approval that can bind it; without one, the outermost
/// loop whose items and arguments are known when it begins; otherwise the call itself.
fn gate_of(plan: &Plan, call: NodeId) -> (bool, NodeId) {
    if plan.node(call).approval.is_some() {
        return (true, call);
    }
    let mut reads = own_reads(plan.node(call));
    let mut gate = (false, call);
    let mut at = call;
    while let Some(parent) = parent_within(plan, at) {
        let node = plan.node(parent);
        let made_inside = |expression: &&Expression| reads_inside(plan, expression, parent);
        if matches!(node.kind, Kind::Repeat(_)) || reads.iter().any(made_inside) {
            return gate;
        }
        if node.approval.is_some() {
            return (true, parent);
        }
        if let Kind::ForEach(each) = &node.kind {
            gate = (false, parent);
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
    let handler = matches!(node.branch.as_deref(), Some("on_error" | "always" | "undo" | "on_failure"));
    if handler { None } else { node.parent }
}

fn own_reads(node: &Node) -> Vec<&Expression> {
    let mut reads: Vec<&Expression> = Vec::new();
    if let Kind::Call(call) = &node.kind {
        reads.extend(call.with.values().flat_map(crate::playbook::Template::expressions));
    }
    if let Undo::Call { with, .. } = &node.undo {
        reads.extend(with.values().flat_map(crate::playbook::Template::expressions));
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

/// Whether a block is the gate of any call inside it.
fn plan_binds(plan: &Plan, id: NodeId) -> bool {
    match &plan.node(id).kind {
        Kind::Group(_) | Kind::Parallel { .. } | Kind::ForEach(_) | Kind::Switch(_) => {
            plan.calls_inside(id).iter().any(|call| gate_of(plan, *call).1 == id)
        }
        Kind::Call(_)
        | Kind::Script(_)
        | Kind::Task { .. }
        | Kind::Approve { .. }
        | Kind::Wait(_)
        | Kind::Repeat(_)
        | Kind::Playbook { .. }
        | Kind::UndoSteps(_)
        | Kind::Note(_)
        | Kind::Fail(_)
        | Kind::End(_) => false,
    }
}
