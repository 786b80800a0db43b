//! A flow from a checked playbook, and from what has become of it in a run.
//!
//! Where a step stands in the run is found by its id, which is unique in a playbook. A step in a loop
//! is many in the run: they are counted, and the one that somebody has to look at is the one that is
//! shown and linked.

use std::collections::BTreeMap;

use beistand_core::playbook::{
    Block as Nodes, Gate, Join, Kind as Does, Length, ListSource, Node, NodeId, OnError, Piece,
    Plan, Template, Undo, Wait,
};
use beistand_core::run::StepStatus;
use serde_json::Value;

use super::{Aside, Block, Branch, Flow, Inside, Kind, Why, Words};
use crate::draw::filled;
use crate::draw::glyph::Look;
use crate::draw::seen::{Counts, Run, Step};

/// Different statuses that are counted at one node: the rest is on the page of the step.
const TALLIED_MAX: usize = 4;

/// A playbook as a flow; with the JSON of a run of it (`GET /runs/{id}`), as that stands. The JSON may
/// be one that was made for eyes that see only a part.
pub(crate) fn of_plan(plan: &Plan, run: Option<&Value>, words: &Words) -> Flow {
    let run = run.and_then(Run::read).unwrap_or_default();
    let reader = Reader { plan, steps: run.by_id(), run: &run, words };
    let parts = plan.parts();
    Flow {
        blocks: reader.blocks(&parts.steps),
        on_failure: reader.blocks(&parts.on_failure),
        always: reader.blocks(&parts.always),
    }
}

struct Reader<'a> {
    plan: &'a Plan,
    run: &'a Run,
    steps: BTreeMap<&'a str, Vec<&'a Step>>,
    words: &'a Words,
}

impl Reader<'_> {
    fn blocks(&self, nodes: &Nodes) -> Vec<Block> {
        nodes.iter().map(|id| self.block(*id)).collect()
    }

    fn block(&self, id: NodeId) -> Block {
        let node = self.plan.node(id);
        let steps = self.steps.get(node.id.as_str()).map_or(&[][..], Vec::as_slice);
        // Of equals the first: from the end, because the last of equals is what is found.
        let urgency = |step: &&&Step| Look::of(step.status).urgency();
        let shown = steps.iter().rev().max_by_key(urgency).copied();
        let mut lines = Vec::from_iter(self.what(node));
        lines.extend(self.conditions(node));
        lines.extend(self.progress(node, steps));
        lines.extend(self.marks(steps));
        Block {
            kind: kind_of(&node.kind),
            title: node.title.clone().unwrap_or_else(|| node.id.to_string()),
            status: shown.and_then(|step| step.status),
            href: shown.and_then(|step| self.run.href(step)),
            lines,
            inside: self.inside(&node.kind),
            asides: self.asides(node),
        }
    }

    fn inside(&self, kind: &Does) -> Inside {
        match kind {
            Does::Group(steps) => Inside::Sequence(self.blocks(steps)),
            Does::Parallel { branches, .. } => {
                let branch = |(name, steps): &(_, Nodes)| {
                    let name: &beistand_core::model::StepId = name;
                    self.branch(name.to_string(), steps)
                };
                Inside::Branches(branches.iter().map(branch).collect())
            }
            Does::Switch(cases) => {
                let case = |case: &beistand_core::playbook::SwitchCase| {
                    let label = case.when.as_ref().map_or_else(
                        || self.words.otherwise.to_owned(),
                        |when| filled(self.words.only_if, &[("condition", &when.text)]),
                    );
                    self.branch(label, &case.steps)
                };
                Inside::Branches(cases.iter().map(case).collect())
            }
            Does::ForEach(each) => Inside::Rounds(self.blocks(&each.steps)),
            Does::Repeat(repeat) => Inside::Rounds(self.blocks(&repeat.steps)),
            Does::Call(_)
            | Does::Script(_)
            | Does::Task { .. }
            | Does::Approve { .. }
            | Does::Wait(_)
            | Does::Playbook { .. }
            | Does::UndoSteps(_)
            | Does::Note(_)
            | Does::Fail(_)
            | Does::End(_) => Inside::Nothing,
        }
    }

    fn branch(&self, label: String, steps: &Nodes) -> Branch {
        let blocks = self.blocks(steps);
        Branch { label, taken: blocks.iter().any(was_begun), blocks }
    }

    fn asides(&self, node: &Node) -> Vec<Aside> {
        let mut asides = Vec::new();
        if let OnError::Steps(steps) = &node.on_error {
            asides.push(Aside { why: Why::OnError, blocks: self.blocks(steps) });
        }
        match &node.undo {
            Undo::Steps(steps) => {
                asides.push(Aside { why: Why::Undo, blocks: self.blocks(steps) });
            }
            Undo::Call { action, .. } => {
                let call = Block {
                    kind: Kind::Call,
                    title: action.to_string(),
                    status: None,
                    href: None,
                    lines: Vec::new(),
                    inside: Inside::Nothing,
                    asides: Vec::new(),
                };
                asides.push(Aside { why: Why::Undo, blocks: vec![call] });
            }
            Undo::Catalogue | Undo::None => {}
        }
        if !node.always.is_empty() {
            asides.push(Aside { why: Why::Always, blocks: self.blocks(&node.always) });
        }
        asides
    }

    /// What it does, beyond its title and kind.
    fn what(&self, node: &Node) -> Option<String> {
        let role = |role| (self.words.role)(role).to_owned();
        let ids = |steps: &[NodeId]| {
            let ids: Vec<&str> = steps.iter().map(|id| self.plan.node(*id).id.as_str()).collect();
            ids.join(", ")
        };
        match &node.kind {
            Does::Call(call) => Some(call.action.to_string()),
            Does::Task { role: who, .. } => Some(role(*who)),
            Does::Approve { gate, .. } => Some(self.gate(gate)),
            Does::Wait(Wait::For(length)) => Some(length_text(length)),
            Does::Wait(Wait::Until(time)) => Some(time.text.to_string()),
            Does::Wait(Wait::Signal { name, .. }) => Some(template_text(name)),
            Does::ForEach(each) => {
                let list = match &each.list {
                    ListSource::Expression(list) => list.text.to_string(),
                    ListSource::Count(count) => count.to_string(),
                };
                Some(filled(self.words.each, &[("list", &list)]))
            }
            Does::Repeat(repeat) => {
                let max = repeat.max.to_string();
                Some(filled(self.words.rounds, &[("max", &max), ("until", &repeat.until.text)]))
            }
            Does::Parallel { join: Join::Any, .. } => Some(self.words.first_counts.to_owned()),
            Does::Playbook { name, .. } => Some(name.to_string()),
            Does::UndoSteps(steps) => Some(ids(steps)),
            Does::Note(text) | Does::Fail(text) | Does::End(text) => Some(template_text(text)),
            Does::Script(_)
            | Does::Group(_)
            | Does::Switch(_)
            | Does::Parallel { join: Join::All, .. } => None,
        }
    }

    /// What has to be before it begins.
    fn conditions(&self, node: &Node) -> Vec<String> {
        let when = node.when.as_ref();
        let when = when.map(|when| filled(self.words.only_if, &[("condition", &when.text)]));
        when.into_iter().chain(node.approval.as_ref().map(|gate| self.gate(gate))).collect()
    }

    fn gate(&self, gate: &Gate) -> String {
        let (votes, role) = (gate.votes.to_string(), (self.words.role)(gate.role));
        filled(self.words.approval, &[("votes", &votes), ("role", role)])
    }

    /// How far many have come.
    fn progress(&self, node: &Node, steps: &[&Step]) -> Vec<String> {
        let mut lines = Vec::new();
        if let Does::ForEach(_) = node.kind
            && let Some(counts) = sum(steps)
        {
            let (done, total) = (counts.ended().to_string(), counts.total.to_string());
            let mut line = filled(self.words.items, &[("done", &done), ("total", &total)]);
            if counts.failed > 0 {
                let failed = filled(self.words.failed, &[("count", &counts.failed.to_string())]);
                line = format!("{line} · {failed}");
            }
            lines.push(line);
        }
        if steps.len() > 1 {
            lines.extend(self.tally(steps));
        }
        lines
    }

    /// What has become of many: the urgent first.
    fn tally(&self, steps: &[&Step]) -> Vec<String> {
        let mut counts: BTreeMap<StepStatus, u64> = BTreeMap::new();
        for status in steps.iter().filter_map(|step| step.status) {
            *counts.entry(status).or_default() += 1;
        }
        let mut counts: Vec<(StepStatus, u64)> = counts.into_iter().collect();
        counts.sort_by_key(|(status, _)| std::cmp::Reverse(Look::of(Some(*status)).urgency()));
        let said = |(status, count): &(StepStatus, u64)| {
            format!("{count} {}", (self.words.status)(*status))
        };
        counts.iter().take(TALLIED_MAX).map(said).collect()
    }

    /// What stays to be known of it when it has ended well.
    fn marks(&self, steps: &[&Step]) -> Option<String> {
        let words = self.words;
        let most = steps.iter().map(|step| step.attempts).max().unwrap_or_default();
        let attempts = (most > 1).then(|| filled(words.attempts, &[("count", &most.to_string())]));
        let late = steps.iter().any(|step| step.late).then(|| words.late.to_owned());
        let by_hand = steps.iter().any(|step| step.by_hand).then(|| words.by_hand.to_owned());
        let marks: Vec<String> = [attempts, late, by_hand].into_iter().flatten().collect();
        (!marks.is_empty()).then(|| marks.join(" · "))
    }
}

/// Whether anything of it was done.
fn was_begun(block: &Block) -> bool {
    match Look::of(block.status) {
        Look::Open | Look::Skipped | Look::Cancelled => false,
        Look::Waiting
        | Look::Running
        | Look::Retrying
        | Look::Unknown
        | Look::Asking
        | Look::Succeeded
        | Look::Failed
        | Look::Undone => true,
    }
}

/// The counts of a loop, of all its turns where it stands in another one.
fn sum(steps: &[&Step]) -> Option<Counts> {
    let counts = steps.iter().filter_map(|step| step.counts);
    counts.reduce(|a, b| Counts {
        total: a.total.saturating_add(b.total),
        succeeded: a.succeeded.saturating_add(b.succeeded),
        failed: a.failed.saturating_add(b.failed),
        skipped: a.skipped.saturating_add(b.skipped),
        cancelled: a.cancelled.saturating_add(b.cancelled),
    })
}

const fn kind_of(kind: &Does) -> Kind {
    match kind {
        Does::Call(_) => Kind::Call,
        Does::Script(_) => Kind::Script,
        Does::Task { .. } => Kind::Task,
        Does::Approve { .. } => Kind::Approve,
        Does::Wait(_) => Kind::Wait,
        Does::Group(_) => Kind::Group,
        Does::Parallel { .. } => Kind::Parallel,
        Does::ForEach(_) => Kind::ForEach,
        Does::Switch(_) => Kind::Switch,
        Does::Repeat(_) => Kind::Repeat,
        Does::Playbook { .. } => Kind::Playbook,
        Does::UndoSteps(_) => Kind::Undo,
        Does::Note(_) => Kind::Note,
        Does::Fail(_) => Kind::Fail,
        Does::End(_) => Kind::End,
    }
}

fn length_text(length: &Length) -> String {
    match length {
        Length::Fixed(span) => span.to_string(),
        Length::Rendered(text) => template_text(text),
    }
}

/// A template as it is written; what is filled in stands in angle quotes.
pub(crate) fn template_text(template: &Template) -> String {
    match template {
        Template::Literal(Value::String(text)) => text.clone(),
        Template::Literal(value) => value.to_string(),
        Template::Whole(expression) => format!("‹{}›", expression.text),
        Template::Text(pieces) => pieces
            .iter()
            .map(|piece| match piece {
                Piece::Text(text) => text.clone(),
                Piece::Value(expression) => format!("‹{}›", expression.text),
            })
            .collect(),
        Template::Array(_) | Template::Object(_) => "…".to_owned(),
    }
}
