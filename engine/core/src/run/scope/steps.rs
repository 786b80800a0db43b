//! What an expression sees of other steps: output, status, error, counts.

use std::borrow::Cow;

use serde_json::{Value, json};

use super::super::event::StepEnd;
use super::super::state::{Phase, SeqIx, Slot, Step};
use super::super::view::StepStatus;
use super::{Scope, item_at};
use crate::model::Path;
use crate::playbook::{Kind, Node, NodeId};

/// Loops over more output than this show only `counts` and `failed_items`.
const LOOP_OUTPUT_BYTES_MAX: usize = 1024 * 1024;

impl Scope<'_> {
    pub(super) fn step_value(&self, id: &str, field: &str) -> Cow<'_, Value> {
        let step = self
            .world
            .plan
            .by_id(id)
            .and_then(|node| self.path_of(node))
            .and_then(|path| self.state.step_at(&path));
        let Some(step) = step else {
            return Cow::Owned(if field == "status" { json!("skipped") } else { Value::Null });
        };
        match field {
            "output" => self.output(step),
            "status" => Cow::Owned(json!(status_word(step))),
            "error" => Cow::Owned(json!(step.error)),
            "reached" => Cow::Owned(json!(step.reached)),
            "counts" => Cow::Owned(counts(step)),
            "failed_items" => Cow::Owned(self.failed_items(step)),
            _ => Cow::Owned(Value::Null),
        }
    }

    /// The path of a node as this scope sees it: the rounds it shares with the reader.
    fn path_of(&self, id: NodeId) -> Option<Path> {
        let node: &Node = self.world.plan.node(id);
        let base = match node.parent {
            None => self.state.base(),
            Some(parent) => {
                let path = self.path_of(parent)?;
                let looping =
                    matches!(self.world.plan.node(parent).kind, Kind::ForEach(_) | Kind::Repeat(_));
                if looping && node.branch.is_none() {
                    let frame = self.frames.iter().find(|frame| frame.node == parent)?;
                    path.at(frame.index)
                } else {
                    path
                }
            }
        };
        let base = node.branch.as_ref().map_or_else(|| base.clone(), |branch| base.child(branch));
        Some(base.child(node.id.as_str()))
    }

    /// A step's output; null unless it succeeded. A loop's is made from its items.
    fn output<'b>(&self, step: &'b Step) -> Cow<'b, Value> {
        if step.phase != Phase::Ended(StepEnd::Succeeded) {
            return Cow::Owned(Value::Null);
        }
        if step.looping.is_some() {
            return Cow::Owned(self.loop_output(step));
        }
        step.output.as_deref().map_or(Cow::Owned(Value::Null), Cow::Borrowed)
    }

    fn loop_output(&self, step: &Step) -> Value {
        let mut items = Vec::new();
        let mut bytes = 0;
        for (seq, item, index) in self.items_of(step) {
            let last = self.last_step(seq);
            let output = last.and_then(|step| step.output.as_deref().cloned()).unwrap_or_default();
            bytes += output.to_string().len();
            if bytes > LOOP_OUTPUT_BYTES_MAX {
                return Value::Null;
            }
            let end = self.state.seqs.get(&seq).and_then(|seq| seq.end);
            let error = last.and_then(|step| step.error.as_ref());
            items.push(json!({
                "item": item, "index": index, "status": end, "output": output, "error": error,
            }));
        }
        Value::Array(items)
    }

    fn failed_items(&self, step: &Step) -> Value {
        let Some(looping) = &step.looping else { return Value::Null };
        let failed =
            self.items_of(step).filter(|(_, _, index)| looping.failed_items.contains(index));
        failed
            .map(|(seq, item, index)| {
                let error = self.last_step(seq).and_then(|step| step.error.as_ref());
                json!({"item": item, "index": index, "error": error})
            })
            .collect()
    }

    fn items_of<'b>(&'b self, step: &'b Step) -> impl Iterator<Item = (SeqIx, Value, u64)> + 'b {
        step.seqs.iter().filter_map(|ix| match self.state.seqs.get(ix).map(|seq| seq.slot) {
            Some(Slot::Item(index)) => {
                let items = step.looping.as_ref().map(|looping| &looping.items);
                let item = items.and_then(|items| item_at(items, index)).unwrap_or_default();
                Some((*ix, item.into_owned(), index))
            }
            _ => None,
        })
    }

    fn last_step(&self, seq: SeqIx) -> Option<&Step> {
        let seq = self.state.seqs.get(&seq)?;
        seq.steps.last().and_then(|ix| self.state.steps.get(ix))
    }
}

fn counts(step: &Step) -> Value {
    step.looping.as_ref().map_or(Value::Null, |looping| {
        json!({
            "total": looping.total,
            "succeeded": looping.succeeded,
            "failed": looping.failed,
            "skipped": looping.skipped,
            "cancelled": looping.cancelled,
        })
    })
}

fn status_word(step: &Step) -> &'static str {
    StepStatus::of(step).as_str()
}
