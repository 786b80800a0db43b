//! Gates: who must say yes to exactly what.
//!
//! At the gate of a block every destructive call inside that can be rendered there is rendered and
//! bound; each intent must equal its line. What can not be rendered at an outer gate has its own.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::super::claims::family_of;
use super::super::event::{Head, NeedKind};
use super::super::state::{Approved, Home, Need, StepIx};
use super::super::struck::Yes;
use super::bound::Lines;
use super::outcome::Ask;
use super::prepare::Prepared;
use super::{Contradiction, Decider};
use crate::model::{ActionName, Digest, Mode, Path, PolicyRule, Span, Target, Votes, digest_of};
use crate::playbook::{EvalError, Gate, Kind, NodeId, Plan, Shows};

/// Effects may start so long after the last vote; then lines not yet started are asked about anew.
pub(super) const APPROVAL_LASTS: Span = Span::from_secs(4 * 3600);

impl<'w> Decider<'_, 'w> {
    /// Opens the gate of a step, if it has one; says whether the step waits for it.
    pub(super) fn open_gate(&mut self, ix: StepIx) -> Result<bool, Contradiction> {
        let node = self.node(ix)?;
        let id = self.step(ix)?.node;
        let own = match &node.kind {
            // A call is rendered once, on its way to the intent, and asked about there.
            Kind::Call(_) => return Ok(false),
            Kind::Approve { gate, .. } => Some(gate),
            Kind::Script(_)
            | Kind::Task { .. }
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
            | Kind::End(_) => node.approval.as_ref(),
        };
        let asked_before = !self.state.opened.legacy.gates.is_empty();
        let asks = own.is_some() || self.has_policy() || asked_before;
        let binds = self.world.plan.binds(id) && asks;
        if own.is_none() && !binds {
            return Ok(false);
        }
        if self.step(ix)?.looping.as_ref().is_some_and(|looping| looping.total == 0) {
            return Ok(false);
        }
        let lines = if binds { self.lines_of(ix)? } else { Lines::default() };
        let shown = if let Kind::Approve { shows, .. } = &node.kind {
            match self.shown(ix, shows)? {
                Ok(shown) => Some(shown),
                Err(error) => {
                    self.fail_eval(ix, &error)?;
                    return Ok(true);
                }
            }
        } else {
            None
        };
        let policy = self.rule_of(&lines.calls);
        if lines.is_taken_over() && shown.is_none() {
            return Ok(false);
        }
        let Some(votes) = stricter(own, policy) else { return Ok(false) };
        self.ask_for_votes(Some(ix), votes, own, (lines, shown))?;
        Ok(true)
    }

    /// What an `approve:` step signs.
    fn shown(&self, ix: StepIx, shows: &Shows) -> Result<Result<Value, EvalError>, Contradiction> {
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
        let bound = lines.bound();
        let digest = self.gate_digest(ix, &bound, shown.as_ref(), votes);
        let sheet = json!({
            "digest": digest,
            "lines": bound,
            "others": lines.others,
            "unresolved": lines.unfit,
            "shown": shown,
            "rule": {"role": votes.role, "votes": votes.votes},
            "requester": self.asking(ix).person,
            "gate": lines.gate,
        });
        let ask =
            Ask { kind: NeedKind::Approval, role: votes.role, votes: votes.votes.max(1), until };
        self.ask(ix, &ask, sheet, None)
    }

    /// Who asks for a gate: whoever launched the run, or wants the undo.
    fn asking(&self, ix: Option<StepIx>) -> &super::Actor {
        let undoes = ix.is_none_or(|ix| self.step(ix).is_ok_and(|step| !step.home.is_do()));
        self.state.undo_by.as_ref().filter(|_| undoes).unwrap_or_else(|| self.requester())
    }

    /// What an approver signs: the fully rendered effects with their surroundings.
    fn gate_digest(
        &self,
        ix: Option<StepIx>,
        bound: &[Value],
        shown: Option<&Value>,
        votes: Votes,
    ) -> Digest {
        let opened = &self.state.opened;
        let effects: Vec<&Value> = bound.iter().filter_map(|line| line.get("effect")).collect();
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

    /// Only live effects have a policy.
    fn has_policy(&self) -> bool {
        self.world.setup.policy.is_some() && self.state.opened.mode == Mode::Live
    }

    /// The votes the policy wants for these calls together.
    fn policy_of(&self, calls: &[Prepared]) -> Option<Votes> {
        let rules = self.world.setup.policy.as_deref().filter(|_| self.has_policy())?;
        let mut most = None;
        let actions: BTreeSet<&ActionName> = calls.iter().map(|call| &call.action).collect();
        for action in actions {
            let of_action = calls.iter().filter(|call| call.action == *action);
            let destructive = of_action.clone().any(|call| call.destructive);
            let targets = of_action.flat_map(|call| &call.targets).map(Target::identity);
            // A release is gated as its effect was.
            let family = family_of(self.world.catalogue, action, destructive);
            let named = family.as_ref().unwrap_or(action);
            let count = self.together((named, action), targets.collect());
            most = most.max(PolicyRule::votes(rules, named, family.is_some(), count));
        }
        most
    }

    /// The votes that the policy and the gates of a superseded run want for these calls together: a
    /// corrected playbook makes no gate weaker.
    fn rule_of(&self, calls: &[Prepared]) -> Option<Votes> {
        let before = calls.iter().filter_map(|call| self.asked_before(call));
        self.policy_of(calls).into_iter().chain(before).reduce(Votes::with)
    }

    /// The gate that an effect, or the one that it takes back, stood behind in a superseded run.
    fn asked_before(&self, call: &Prepared) -> Option<Votes> {
        let legacy = &self.state.opened.legacy;
        let named = call.family.as_ref().unwrap_or(&call.action);
        legacy.gate_of(&call.path, named, call.hurts())
    }

    /// How many distinct targets an action comes to with these: with all that this run was asked
    /// about, and all that was destroyed by it and by the runs it belongs with. A cut that is made
    /// in parts is as large as the whole.
    fn together(
        &self,
        (named, action): (&ActionName, &ActionName),
        these: BTreeSet<String>,
    ) -> u32 {
        let none = BTreeSet::new();
        let asked = self.state.asked.get(named).unwrap_or(&none);
        let mut more = these;
        if action != named {
            more.extend(self.state.asked.get(action).into_iter().flatten().cloned());
        }
        let key = (self.state.tree(), named.clone());
        let beside = self.shared.struck_beside(&key, self.state.opened.run);
        more.extend(beside.map(str::to_owned));
        more.retain(|target| !asked.contains(target));
        u32::try_from(asked.len() + more.len()).unwrap_or(u32::MAX)
    }

    /// The yes that so many people give to an effect, where a policy counts what is destroyed.
    fn yes_of(&self, prepared: &Prepared, votes: usize) -> Option<Yes> {
        let rules = self.world.setup.policy.as_deref().filter(|_| self.has_policy())?;
        let family = prepared.family.as_ref().filter(|_| prepared.destructive)?;
        let votes = u32::try_from(votes).unwrap_or(u32::MAX);
        let carries = PolicyRule::carried(rules, family, votes);
        Some(Yes { root: self.state.tree(), votes, carries })
    }

    /// The yes under which an effect goes out.
    pub(super) fn yes_for(&self, ix: StepIx, prepared: &Prepared) -> Option<Yes> {
        let given = self.approved_for(ix, &prepared.path);
        self.yes_of(prepared, given.map_or(0, |(_, approved)| approved.by.len()))
    }

    /// Whether so many people may let this through, after all that so few let through before.
    fn carries(&self, prepared: &Prepared, votes: usize) -> bool {
        let (Some(yes), Some(family)) = (self.yes_of(prepared, votes), &prepared.family) else {
            return true;
        };
        let key = (yes.root, family.clone());
        let struck = || self.shared.struck_with(&key, yes.votes, &prepared.targets);
        yes.carries.is_none_or(|most| struck() <= most)
    }

    /// Whether an effect may go on: its line was approved, or nobody need say yes. Otherwise its
    /// own gate opens.
    pub(super) fn is_approved(
        &mut self,
        ix: StepIx,
        prepared: &Prepared,
    ) -> Result<bool, Contradiction> {
        let node = self.step(ix)?.node;
        let asks = self.node(ix)?.approval.is_some() || self.asked_before(prepared).is_some();
        if !prepared.hurts() && !asks {
            return Ok(true);
        }
        let own = self.written_gate_of(node);
        let policy = self.rule_of(std::slice::from_ref(prepared));
        let Some(votes) = stricter(own, policy) else { return Ok(true) };
        self.has_votes(ix, prepared, (votes, own))
    }

    /// Whether this very line was approved, the yes still holds, and so many may say it; otherwise
    /// it is asked about.
    pub(super) fn has_votes(
        &mut self,
        ix: StepIx,
        prepared: &Prepared,
        (mut votes, own): (Votes, Option<&Gate>),
    ) -> Result<bool, Contradiction> {
        let path = prepared.path.clone();
        let mut lines = Lines { calls: vec![prepared.clone()], ..Lines::default() };
        let mut gate = None;
        if let Some((at, approved)) = self.approved_for(ix, &path) {
            // Accounts may have come since: then names alone are no yes any more.
            let holds = self.now().since(approved.at) <= APPROVAL_LASTS
                && !approved.by.iter().any(|by| self.is_void(by))
                && self.carries(prepared, approved.by.len());
            if holds && approved.lines.get(&path).copied() == prepared.effect {
                return Ok(true);
            }
            // What so many had to say yes to is not let through by fewer when it is asked alone.
            let before = u32::try_from(approved.by.len()).unwrap_or(u32::MAX);
            if let Some(block) =
                at.filter(|block| !holds && *block != ix && !self.is_asked_anew(*block))
            {
                lines = self.not_begun(block, prepared)?;
                let together = stricter(own, self.rule_of(&lines.calls));
                votes.votes = together.map_or(votes.votes, |more| more.votes.max(votes.votes));
                gate = Some(self.path(block)?);
            }
            votes.votes = votes.votes.max(before);
            self.emit(Head::ApprovalVoid { path })?;
        }
        lines.gate = gate;
        self.ask_for_votes(Some(ix), votes, own, (lines, None))?;
        Ok(false)
    }

    /// The lines of a block's gate that have not begun: when its yes lapsed, they are asked about
    /// together, at the first step that comes to it.
    fn not_begun(&self, block: StepIx, first: &Prepared) -> Result<Lines, Contradiction> {
        let mut lines = self.lines_of(block)?;
        lines.calls.retain(|call| {
            let begun = self.state.step_at(&call.path).is_some_and(|step| step.sent.is_some());
            call.path != first.path && !begun
        });
        lines.calls.push(first.clone());
        Ok(lines)
    }

    /// Whether all that has not begun in a block is asked about already.
    fn is_asked_anew(&self, block: StepIx) -> bool {
        let path = self.state.steps.get(&block).map(|step| step.path.as_str());
        let gate = |need: &Need| need.shows.as_deref()?.get("gate")?.as_str().map(str::to_owned);
        self.state.needs().any(|need| gate(need).as_deref() == path)
    }

    /// The yes that covers a path, and where it was given: at the step, at a block around it, or for
    /// an undo.
    fn approved_for(&self, ix: StepIx, path: &Path) -> Option<(Option<StepIx>, &Approved)> {
        let covers = |approved: &&Approved| approved.lines.contains_key(path);
        let mut at = Some(ix);
        while let Some(ix) = at {
            let step = self.state.steps.get(&ix)?;
            if let Some(found) = step.approved.as_deref().filter(covers) {
                return Some((Some(ix), found));
            }
            at = match step.home {
                Home::Seq(seq) => self.state.seqs.get(&seq)?.owner,
                Home::Undo(_) => {
                    let found = self.state.undo_approved.iter().rev().find(covers);
                    return found.map(|found| (None, found));
                }
            };
        }
        None
    }

    /// The gate of an undo: what its effects needed.
    pub(super) fn open_undo_gate(
        &mut self,
        calls: Vec<Prepared>,
        own: Option<&Gate>,
    ) -> Result<bool, Contradiction> {
        let Some(votes) = stricter(own, self.rule_of(&calls)) else { return Ok(false) };
        let lines = Lines { calls, ..Lines::default() };
        self.ask_for_votes(None, votes, own, (lines, Some(json!("undo"))))?;
        Ok(true)
    }

    /// The votes that taking one step back needs.
    pub(super) fn votes_for_undo(
        &self,
        node: NodeId,
        prepared: &Prepared,
    ) -> Option<(Votes, Option<&'w Gate>)> {
        let own = self.written_gate_of(node);
        Some((stricter(own, self.rule_of(std::slice::from_ref(prepared)))?, own))
    }

    /// The gate of the playbook that bound an effect.
    pub(super) fn written_gate_of(&self, node: NodeId) -> Option<&'w Gate> {
        let plan: &'w Plan = self.world.plan;
        let gate = plan.gate_of(node).filter(|gate| gate.written)?;
        plan.node(gate.at).approval.as_ref()
    }
}

/// The stricter of a playbook's gate and the policy's: the more votes, of the role that stands
/// higher. A playbook never makes a house's rule weaker.
fn stricter(own: Option<&Gate>, policy: Option<Votes>) -> Option<Votes> {
    match (own, policy) {
        (None, policy) => policy,
        (Some(gate), None) => Some(Votes { votes: gate.votes, role: gate.role }),
        (Some(gate), Some(policy)) => {
            Some(policy.with(Votes { votes: gate.votes, role: gate.role }))
        }
    }
}
