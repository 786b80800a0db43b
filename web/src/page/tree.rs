//! The steps of a run as they stand inside of each other, with the rounds of loops folded where they
//! are many.
//!
//! What went wrong in a round stands before the fold: nobody looks for it among sixty others.

use std::collections::BTreeMap;

use askama::Template;
use beistand_core::model::{Millis, Mode};
use beistand_core::run::StepStatus;
use serde_json::Value;

use super::frame::Frame;
use super::mine::text;
use super::need::said;
use super::row::{BLOCKS, step_href};
use super::ui::{At, Badge};

/// Rounds of a loop that stand there one by one.
const OPEN_MAX: usize = 8;

/// Rounds that went wrong and stand before the fold.
const BAD_MAX: usize = 20;

/// Rounds in one fold: the rest is on the page of the loop.
pub(super) const FOLDED_MAX: usize = 100;

/// Characters of an output in a list: all of it is on the page of its step.
const OUTPUT_CHARS: usize = 140;

/// A step as a line of a list.
#[derive(Debug, Clone)]
pub(super) struct Line {
    pub(super) path: String,
    pub(super) href: String,
    pub(super) title: String,
    pub(super) item: String,
    pub(super) status: Badge,
    /// It only holds others.
    pub(super) block: bool,
    /// Somebody has to look.
    pub(super) bad: bool,
    pub(super) from: Option<At>,
    /// Where it reads otherwise than the beginning.
    pub(super) to: Option<At>,
    pub(super) took: String,
    /// What else is to be known: how often it was tried, through what, that it was late.
    pub(super) marks: Vec<String>,
    pub(super) output: String,
    pub(super) error: String,
}

/// A step with what stands inside of it.
#[derive(Debug, Clone, Template)]
#[template(path = "part/node.html")]
pub(super) struct Node {
    pub(super) line: Line,
    pub(super) within: Vec<Self>,
    pub(super) rounds: Rounds,
}

/// The rounds of a loop.
#[derive(Debug, Clone, Default)]
pub(super) struct Rounds {
    /// Those that are seen at once.
    pub(super) open: Vec<Round>,
    /// Those behind a fold.
    pub(super) folded: Vec<Round>,
    /// What is behind it, in words.
    pub(super) summary: String,
    /// How many are left out, in words; empty where none are.
    pub(super) left_out: String,
}

/// A round: an item with its steps.
#[derive(Debug, Clone)]
pub(super) struct Round {
    pub(super) name: String,
    pub(super) nodes: Vec<Node>,
}

impl Line {
    /// A step of a run's JSON.
    pub(super) fn of(frame: &Frame, step: &Value, (run, mode): (&str, Mode)) -> Self {
        let (status, path, kind) = (text(step, "status"), text(step, "path"), text(step, "kind"));
        let (from, to) = (instant(step, "started_at"), instant(step, "ended_at"));
        let title = match text(step, "title") {
            "" => text(step, "id"),
            title => title,
        };
        let handled = step.get("handled").and_then(Value::as_bool).unwrap_or_default();
        let began = from.map(|at| frame.times.stamp(at).short);
        let took = from.map(|from| frame.times.span(to.unwrap_or(frame.times.now).since(from)));
        Self {
            path: path.to_owned(),
            href: step_href(mode, run, path),
            title: title.to_owned(),
            item: text(step, "item").to_owned(),
            status: Badge::of_step(frame, status),
            block: BLOCKS.contains(&kind),
            bad: is_bad(status_of(step)) && !handled,
            from: from.map(|at| At::short(frame, at)),
            to: to
                .map(|at| At::short(frame, at))
                .filter(|at| Some(&at.stamp.short) != began.as_ref()),
            took: took.unwrap_or_default(),
            marks: marks(frame, step),
            output: step.get("output").map(output).unwrap_or_default(),
            error: step
                .pointer("/error/message")
                .and_then(Value::as_str)
                .unwrap_or_default()
                .to_owned(),
        }
    }
}

/// How a step stands; nothing where that is a word which this program does not know.
pub(super) fn status_of(step: &Value) -> Option<StepStatus> {
    text(step, "status").parse().ok()
}

/// Whether somebody has to look at a step that stands so. What nobody knows is looked at.
pub(super) const fn is_bad(status: Option<StepStatus>) -> bool {
    let Some(status) = status else { return true };
    match status {
        StepStatus::Failed
        | StepStatus::Unknown
        | StepStatus::UndoFailed
        | StepStatus::NeedsDecision => true,
        StepStatus::Waiting
        | StepStatus::Ready
        | StepStatus::Running
        | StepStatus::Retrying
        | StepStatus::Probing
        | StepStatus::WaitingForApproval
        | StepStatus::WaitingForPerson
        | StepStatus::WaitingForSignal
        | StepStatus::WaitingForTime
        | StepStatus::WaitingForChild
        | StepStatus::Succeeded
        | StepStatus::Skipped
        | StepStatus::Cancelled
        | StepStatus::Undoing
        | StepStatus::Undone => false,
    }
}

fn instant(step: &Value, name: &str) -> Option<Millis> {
    Millis::parse(text(step, name)).ok()
}

fn marks(frame: &Frame, step: &Value) -> Vec<String> {
    let is = |name: &str| step.get(name).and_then(Value::as_bool).unwrap_or_default();
    let attempts = step.get("attempts").and_then(Value::as_u64).unwrap_or_default();
    let mut marks = Vec::new();
    if attempts > 1 {
        marks.push(frame.tn("attempts", usize::try_from(attempts).unwrap_or(usize::MAX)));
    }
    match text(step, "connector") {
        _ if is("by_hand") => marks.push(frame.t("draw-by-hand")),
        "" => {}
        connector => marks.push(frame.ta("step-through", connector)),
    }
    if is("late") {
        marks.push(frame.t("draw-late"));
    }
    if is("handled") {
        marks.push(frame.t("step-handled"));
    }
    if !text(step, "taken_over_from").is_empty() {
        marks.push(frame.t("step-taken-over"));
    }
    marks
}

/// An output in a list; nothing where there is none worth a look.
fn output(value: &Value) -> String {
    let fields = value.as_object().map(|fields| {
        let said = fields.iter().map(|(name, value)| format!("{name}: {}", said(value)));
        said.collect::<Vec<_>>().join(" · ")
    });
    let all = fields.unwrap_or_else(|| said(value));
    match all.char_indices().nth(OUTPUT_CHARS) {
        Some((end, _)) => format!("{}…", all.get(..end).unwrap_or_default()),
        None => all,
    }
}

/// The steps of a run, or of what stands below one of its paths, as a tree.
pub(super) fn tree(
    frame: &Frame,
    lines: Vec<Line>,
    (root, rounds_max): (Option<&str>, usize),
) -> Vec<Node> {
    let known: BTreeMap<String, usize> =
        lines.iter().enumerate().map(|(at, line)| (line.path.clone(), at)).collect();
    let mut children: BTreeMap<Option<usize>, Vec<(Option<u64>, usize)>> = BTreeMap::new();
    for (at, line) in lines.iter().enumerate() {
        let (parent, round) = parent(&line.path, &known);
        children.entry(parent).or_default().push((round, at));
    }
    let grower = Grower { frame, lines, children, rounds_max };
    match root {
        Some(path) => known.get(path).and_then(|at| grower.node(*at)).into_iter().collect(),
        None => grower.plain(None),
    }
}

/// The nearest step around a path, and in which of its rounds it stands.
fn parent(path: &str, known: &BTreeMap<String, usize>) -> (Option<usize>, Option<u64>) {
    let mut rest = path;
    while let Some((above, _)) = rest.rsplit_once('/') {
        if let Some(at) = known.get(above) {
            return (Some(*at), None);
        }
        if let Some((bare, round)) = above.strip_suffix(']').and_then(|head| head.rsplit_once('['))
            && let Some(at) = known.get(bare)
        {
            return (Some(*at), round.parse().ok());
        }
        rest = above;
    }
    (None, None)
}

struct Grower<'a> {
    frame: &'a Frame,
    lines: Vec<Line>,
    children: BTreeMap<Option<usize>, Vec<(Option<u64>, usize)>>,
    rounds_max: usize,
}

impl Grower<'_> {
    fn below(&self, at: Option<usize>) -> &[(Option<u64>, usize)] {
        self.children.get(&at).map_or(&[], Vec::as_slice)
    }

    fn plain(&self, at: Option<usize>) -> Vec<Node> {
        let plain = self.below(at).iter().filter(|(round, _)| round.is_none());
        plain.filter_map(|(_, at)| self.node(*at)).collect()
    }

    fn node(&self, at: usize) -> Option<Node> {
        let mut rounds: BTreeMap<u64, Vec<Node>> = BTreeMap::new();
        for (round, child) in self.below(Some(at)) {
            if let Some(round) = round {
                rounds.entry(*round).or_default().extend(self.node(*child));
            }
        }
        let line = self.lines.get(at)?.clone();
        Some(Node { line, within: self.plain(Some(at)), rounds: self.rounds(rounds) })
    }

    fn rounds(&self, all: BTreeMap<u64, Vec<Node>>) -> Rounds {
        let round = |(index, nodes): (u64, Vec<Node>)| {
            let item =
                nodes.iter().map(|node| node.line.item.as_str()).find(|item| !item.is_empty());
            let name = item.map_or_else(|| format!("{}", index + 1), str::to_owned);
            Round { name, nodes }
        };
        let all: Vec<Round> = all.into_iter().map(round).collect();
        if all.len() <= OPEN_MAX {
            return Rounds { open: all, ..Rounds::default() };
        }
        let summary = self.summary(&all);
        let (bad, well): (Vec<Round>, Vec<Round>) = all.into_iter().partition(Round::is_bad);
        let mut bad = bad.into_iter();
        let open: Vec<Round> = bad.by_ref().take(BAD_MAX).collect();
        let mut folded: Vec<Round> = bad.chain(well).collect();
        let left_out = folded.len().saturating_sub(self.rounds_max);
        folded.truncate(self.rounds_max);
        let left_out =
            if left_out > 0 { self.frame.tn("step-left-out", left_out) } else { String::new() };
        Rounds { open, folded, summary, left_out }
    }

    /// How many there are, and what has become of them.
    fn summary(&self, rounds: &[Round]) -> String {
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for round in rounds {
            if let Some(status) = round.status() {
                *counts.entry(status.said.as_str()).or_default() += 1;
            }
        }
        let mut counts: Vec<(&str, usize)> = counts.into_iter().collect();
        counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        let parts = counts.iter().map(|(said, count)| format!("{count} {said}"));
        let all = self.frame.tn("step-rounds", rounds.len());
        format!("{all}: {}", parts.collect::<Vec<_>>().join(" · "))
    }
}

impl Round {
    fn is_bad(&self) -> bool {
        self.nodes.iter().any(Node::is_bad)
    }

    /// How it stands: by what went wrong, otherwise by what came last.
    fn status(&self) -> Option<&Badge> {
        let bad = self.nodes.iter().find(|node| node.is_bad());
        bad.or_else(|| self.nodes.last()).map(|node| &node.line.status)
    }

    /// The one step of it, where it has no more: the item then stands beside it.
    fn only(&self) -> Option<&Node> {
        match self.nodes.as_slice() {
            [only] => Some(only),
            [] | [_, _, ..] => None,
        }
    }
}

impl Node {
    fn is_bad(&self) -> bool {
        let rounds = self.rounds.open.iter().chain(&self.rounds.folded);
        self.line.bad
            || self.within.iter().any(Self::is_bad)
            || rounds.into_iter().any(Round::is_bad)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(paths: &[&str]) -> BTreeMap<String, usize> {
        paths.iter().enumerate().map(|(at, path)| ((*path).to_owned(), at)).collect()
    }

    #[test]
    fn a_step_stands_in_the_nearest_one_around_it() {
        let known = known(&["attacked", "attacked/contain", "attacked/tell", "cut"]);
        for (path, wanted) in [
            ("attacked", (None, None)),
            ("attacked/contain", (Some(0), None)),
            ("attacked/contain[12]/cut", (Some(1), Some(12))),
            ("attacked/tell/mail/mail_staff", (Some(2), None)),
            ("cut/on_error/tell", (Some(3), None)),
            ("on_failure/call", (None, None)),
        ] {
            assert_eq!(parent(path, &known), wanted, "{path}");
        }
    }

    #[test]
    fn an_output_in_a_list_is_short() {
        assert_eq!(output(&serde_json::json!({"a": 1, "b": ["x", "y"]})), "a: 1 · b: x, y");
        assert_eq!(output(&Value::from("ü".repeat(500))).chars().count(), OUTPUT_CHARS + 1);
        assert_eq!(output(&Value::Null), "");
    }
}
