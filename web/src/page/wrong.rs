//! A step that went wrong, on one card: what was tried, on what, what the other side answered, which
//! attempt it was, when the next one comes, and who can do something about it.

use beistand_core::model::Millis;
use beistand_core::playbook::Kind;
use beistand_core::run::StepStatus;
use serde_json::Value;

use super::frame::Frame;
use super::mine::text;
use super::row::{BLOCKS, NeedRow, list};
use super::run::Seen;
use super::tree::{Line, is_bad, status_of};
use super::ui::Deadline;

/// The card.
pub(super) struct Wrong {
    pub(super) line: Line,
    /// What it does, by the catalogue.
    pub(super) action: String,
    /// What was tried last, a sentence.
    pub(super) tried: String,
    /// How many so far.
    pub(super) attempts: String,
    pub(super) next: Option<Deadline>,
    pub(super) need: Option<NeedRow>,
    rank: usize,
}

impl Wrong {
    /// All of a run, the most urgent first.
    pub(super) fn all(frame: &Frame, seen: &Seen, (id, needs): (&str, &[NeedRow])) -> Vec<Self> {
        let shown = seen.steps().iter().filter(|step| is_wrong(step));
        let mut all: Vec<Self> =
            shown.map(|step| Self::of(frame, (seen, step), (id, needs))).collect();
        all.sort_by_key(|one| one.rank);
        all
    }

    /// One step's.
    pub(super) fn of(
        frame: &Frame,
        (seen, step): (&Seen, &Value),
        (id, needs): (&str, &[NeedRow]),
    ) -> Self {
        let path = text(step, "path");
        let line = Line::of(frame, step, (id, seen.mode));
        let node =
            seen.plan.as_ref().and_then(|plan| Some(plan.node(plan.by_id(text(step, "id"))?)));
        let action = node.and_then(|node| {
            let Kind::Call(call) = &node.kind else { return None };
            Some(call.action.to_string())
        });
        let began = seen.told.iter().rev().find(|line| {
            line.kind == "attempt-started"
                && line.path.as_ref().is_some_and(|own| own.as_str() == path)
        });
        let mut waits = list(&seen.whole, "waits").iter();
        let next = waits.find(|wait| text(wait, "step") == path);
        let next = next.and_then(|wait| Millis::parse(text(wait, "until")).ok());
        let attempts = step.get("attempts").and_then(Value::as_u64).unwrap_or_default();
        let rank = [
            StepStatus::Unknown,
            StepStatus::NeedsDecision,
            StepStatus::UndoFailed,
            StepStatus::Failed,
        ];
        let rank = rank.iter().position(|one| Some(*one) == status_of(step)).unwrap_or(rank.len());
        Self {
            action: action.unwrap_or_default(),
            tried: began.map(|told| without(&told.text, &line.title)).unwrap_or_default(),
            attempts: match usize::try_from(attempts).unwrap_or(usize::MAX) {
                0 => String::new(),
                attempts => attempts.to_string(),
            },
            next: next.map(|at| Deadline::of(frame, at)),
            need: needs.iter().find(|need| need.step == path).cloned(),
            line,
            rank,
        }
    }
}

/// A sentence of a step without its name, which stands beside it.
pub(super) fn without(text: &str, title: &str) -> String {
    let rest = text.split_once(": ").filter(|(name, _)| name.contains(title));
    rest.map_or(text, |(_, rest)| rest).to_owned()
}

/// Whether a step is told on a card: it acts itself, and went wrong or is about to be tried again. What
/// was dealt with is none.
fn is_wrong(step: &Value) -> bool {
    let status = status_of(step);
    let handled = step.get("handled").and_then(Value::as_bool).unwrap_or_default();
    let acts = !BLOCKS.contains(&text(step, "kind")) || status == Some(StepStatus::NeedsDecision);
    let again = matches!(status, Some(StepStatus::Retrying | StepStatus::Probing));
    acts && !handled && (again || is_bad(status))
}
