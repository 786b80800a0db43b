//! A checklist for paper: work goes on by hand when everything else is off.
//!
//! Markdown that reads well as plain text. A playbook gives an empty list; a run ticks what is
//! done and says where the outcome is not known. Expressions stand as they are written, because
//! nobody can evaluate them on paper but the reader.

use super::entry::Lang;
use super::escape::visible;
use super::sensitive::{BLOT, Sensitive};
use super::sentence::{self, Paper, role, tlp, words};
use crate::model::{Catalogue, NeedCode, Path, Schema};
use crate::playbook::{
    CallNode, Gate, Join, Kind, Length, ListSource, Node, NodeId, OnError, Piece, Plan, Template,
    Wait,
};
use crate::run::{NeedKind, RunState, StepStatus};

/// Longest text on paper: half a page.
const TEXT_CHARS_MAX: usize = 2000;

/// Items of a loop that are listed one by one; the others are worked through with the same list.
const ITEMS_MAX: u64 = 100;

/// The checklist of a playbook, or of a run with what is done so far. Without a store or a network
/// at hand, it is what there is; so it says everything: who, what, by hand how, and what to note.
pub fn checklist(plan: &Plan, catalogue: &Catalogue, run: Option<&RunState>, lang: Lang) -> String {
    let parts = plan.parts();
    let base = run.map_or_else(Path::root, RunState::base);
    let paper = &words(lang).paper;
    let mut sensitive = Sensitive::of(Some(plan), [].into(), [].into());
    if let Some(run) = run {
        sensitive.learn_inputs(&parts.inputs, &run.opened().inputs);
    }
    let mut pen = Pen { out: String::new(), plan, catalogue, run, lang, paper, sensitive };
    let title = visible(&parts.title, TEXT_CHARS_MAX);
    pen.line(0, &format!("# {}: {title}", paper.checklist));
    pen.line(0, "");
    let digest = plan.digest().hex();
    let short = digest.get(..12).unwrap_or_default();
    pen.line(0, &format!("{} `{}` · {} · `{short}`", paper.playbook, plan.name(), tlp(parts.tlp)));
    pen.given();
    pen.asked(None, 0);
    pen.line(0, "");
    pen.steps(&parts.steps, &base, 0);
    pen.section(paper.on_failure, &parts.on_failure, &base.child("on_failure"));
    pen.section(paper.at_the_end, &parts.always, &base.child("always"));
    if !parts.references.is_empty() {
        let sources: Vec<String> =
            parts.references.iter().map(|source| visible(source, TEXT_CHARS_MAX)).collect();
        pen.line(0, "");
        pen.line(0, &format!("{}: {}", paper.sources, sources.join("; ")));
    }
    pen.line(0, "");
    pen.line(0, &format!("{}:", paper.notes));
    pen.out
}

struct Pen<'a> {
    out: String,
    plan: &'a Plan,
    catalogue: &'a Catalogue,
    run: Option<&'a RunState>,
    lang: Lang,
    paper: &'static Paper,
    sensitive: Sensitive,
}

impl Pen<'_> {
    fn line(&mut self, depth: usize, text: &str) {
        if !text.is_empty() {
            self.out.push_str(&"    ".repeat(depth));
            self.out.push_str(text);
        }
        self.out.push('\n');
    }

    /// A line of what belongs to the step above it.
    fn more(&mut self, depth: usize, label: &str, text: &str) {
        self.line(depth + 1, &format!("{label}: {text}"));
    }

    /// The inputs of a run, or places to fill in.
    fn given(&mut self) {
        let inputs = &self.plan.parts().inputs;
        let shown = self.run.and_then(|run| self.sensitive.inputs(inputs, &run.opened().inputs));
        let names = inputs.properties.iter().flatten();
        for (name, schema) in names {
            let value = match shown.as_ref().and_then(|shown| shown.get(name)) {
                Some(value) => visible(&value.to_string(), TEXT_CHARS_MAX),
                None => "________________".to_owned(),
            };
            let label = schema.title.as_deref().unwrap_or(name);
            let label = visible(label, TEXT_CHARS_MAX);
            self.line(0, &format!("- {} {label} (`{name}`): {value}", self.paper.inputs));
        }
    }

    fn section(&mut self, title: &str, steps: &[NodeId], base: &Path) {
        if steps.is_empty() {
            return;
        }
        self.line(0, "");
        self.line(0, &format!("## {title}"));
        self.line(0, "");
        self.steps(steps, base, 0);
    }

    fn steps(&mut self, steps: &[NodeId], base: &Path, depth: usize) {
        for id in steps {
            let plan = self.plan;
            let node = plan.node(*id);
            self.step(node, &base.child(node.id.as_str()), depth);
        }
    }

    fn step(&mut self, node: &Node, path: &Path, depth: usize) {
        let title = visible(node.title.as_deref().unwrap_or(node.id.as_str()), TEXT_CHARS_MAX);
        let status = self.run.and_then(|run| run.step_at(path)).map(StepStatus::of);
        let tick = words(self.lang).tick;
        self.line(depth, &format!("- {} **{title}** · {tick}", mark(status)));
        self.asked(Some(path), depth + 1);
        if matches!(status, Some(StepStatus::Unknown | StepStatus::Probing)) {
            self.line(depth + 1, self.paper.unknown);
        }
        if let Some(when) = &node.when {
            self.more(depth, self.paper.only_if, &code(&when.text));
        }
        if let Some(within) = &node.within {
            self.more(depth, self.paper.within, &length(within));
        }
        if let Some(gate) = &node.approval {
            self.gate(depth, gate);
        }
        self.kind(node, path, depth);
        if let OnError::Steps(steps) = &node.on_error {
            self.line(depth + 1, &format!("{}:", self.paper.if_it_fails));
            self.steps(steps, &path.child("on_error"), depth + 1);
        }
        if !node.always.is_empty() {
            self.line(depth + 1, &format!("{}:", self.paper.at_the_end));
            self.steps(&node.always, &path.child("always"), depth + 1);
        }
    }

    /// The codes of what waits for people at a step, or at the run itself.
    fn asked(&mut self, path: Option<&Path>, depth: usize) {
        let Some(run) = self.run else { return };
        let of = |step| run.step(step).map(|step| &step.path);
        let open = run.needs().filter(|need| need.step.and_then(of) == path);
        let codes: Vec<String> = open
            .map(|open| {
                let code = NeedCode::of(open.id, Some(open.digest));
                let kind = sentence::need(self.lang, open.kind);
                let spoken = match open.kind {
                    NeedKind::Approval => format!(" · {}", open.digest.spoken()),
                    NeedKind::Task | NeedKind::Decision | NeedKind::Unknown => String::new(),
                };
                format!("{}: {} **{code}**{spoken}", kind, words(self.lang).situation.code)
            })
            .collect();
        for line in codes {
            self.line(depth, &line);
        }
    }

    fn gate(&mut self, depth: usize, gate: &Gate) {
        let names = vec!["____________"; usize::try_from(gate.votes).unwrap_or(1).min(9)];
        let text = format!("{} {}", role(self.lang, gate.role), names.join(" "));
        self.more(depth, self.paper.approval, &text);
    }

    fn kind(&mut self, node: &Node, path: &Path, depth: usize) {
        let paper = self.paper;
        match &node.kind {
            Kind::Call(call) => self.call(call, depth),
            Kind::Script(script) => self.more(depth, paper.compute, &code(&script.text)),
            Kind::Task { role: who, instructions, form } => {
                let text = format!("{}: {}", role(self.lang, *who), template(instructions));
                self.more(depth, paper.task, &text);
                self.form(depth, form);
            }
            Kind::Approve { gate, .. } => self.gate(depth, gate),
            Kind::Wait(Wait::For(span)) => self.more(depth, paper.wait, &length(span)),
            Kind::Wait(Wait::Until(time)) => self.more(depth, paper.wait_until, &code(&time.text)),
            Kind::Wait(Wait::Signal { name, form, .. }) => {
                self.more(depth, paper.signal, &template(name));
                self.form(depth, form);
            }
            Kind::Group(steps) => self.steps(steps, path, depth + 1),
            Kind::Parallel { branches, join } => {
                let label = match join {
                    Join::All => paper.at_once,
                    Join::Any => paper.either,
                };
                self.line(depth + 1, &format!("{label}:"));
                for (name, steps) in branches {
                    self.steps(steps, &path.child(name.as_str()), depth + 1);
                }
            }
            Kind::ForEach(each) => self.for_each(each, path, depth),
            Kind::Switch(cases) => {
                for case in cases {
                    match &case.when {
                        Some(when) => self.more(depth, paper.only_if, &code(&when.text)),
                        None => self.line(depth + 1, &format!("{}:", paper.otherwise)),
                    }
                    self.steps(&case.steps, path, depth + 1);
                }
            }
            Kind::Repeat(repeat) => {
                let until = format!("{} (≤ {})", code(&repeat.until.text), repeat.max);
                self.more(depth, paper.repeat, &until);
                let round = self.run.and_then(|run| run.step_at(path)).map_or(0, |step| step.round);
                self.steps(&repeat.steps, &path.at(round), depth + 1);
            }
            Kind::Playbook { name, .. } => self.more(depth, paper.playbook, name.as_str()),
            Kind::UndoSteps(steps) => {
                let ids: Vec<&str> =
                    steps.iter().map(|id| self.plan.node(*id).id.as_str()).collect();
                self.more(depth, paper.take_back, &ids.join(", "));
            }
            Kind::Note(text) => self.more(depth, paper.note, &template(text)),
            Kind::Fail(text) => self.more(depth, paper.stop_failed, &template(text)),
            Kind::End(text) => self.more(depth, paper.stop_done, &template(text)),
        }
    }

    /// What a person does in place of a connector.
    fn call(&mut self, call: &CallNode, depth: usize) {
        let Some(spec) = self.catalogue.get(&call.action) else {
            return self.more(depth, self.paper.by_hand, call.action.as_str());
        };
        let text = call.with.iter().fold(spec.by_hand.clone(), |text, (name, value)| {
            text.replace(&format!("{{{name}}}"), &template(value))
        });
        self.more(depth, self.paper.by_hand, &visible(&text, TEXT_CHARS_MAX));
    }

    fn form(&mut self, depth: usize, form: &Schema) {
        for (name, field) in form.properties.iter().flatten() {
            let label = visible(field.title.as_deref().unwrap_or(name), TEXT_CHARS_MAX);
            self.more(depth, self.paper.fill_in, &format!("{label} ________________"));
        }
    }

    /// A run's items one by one; a playbook's steps once, for any item.
    fn for_each(&mut self, each: &crate::playbook::ForEach, path: &Path, depth: usize) {
        let list = match &each.list {
            ListSource::Expression(list) => code(&list.text),
            ListSource::Count(count) => count.to_string(),
        };
        self.more(depth, self.paper.each, &list);
        let looping = self.run.and_then(|run| run.step_at(path)?.looping.as_deref());
        let Some(looping) = looping else {
            return self.steps(&each.steps, &path.at(0), depth + 1);
        };
        let hidden = self.sensitive.hides(super::place::node_of(self.plan, path).map(|(id, _)| id));
        for index in 0..looping.total.min(ITEMS_MAX) {
            let at = usize::try_from(index).unwrap_or(usize::MAX);
            let item = looping.items.get(at).map_or_else(|| index.to_string(), plain);
            let item = if hidden { BLOT.to_owned() } else { self.sensitive.scrub(&item) };
            let item = visible(&item, TEXT_CHARS_MAX);
            self.line(depth + 1, &format!("{}. {item}", index + 1));
            self.steps(&each.steps, &path.at(index), depth + 2);
        }
    }
}

/// A value as people say it: a text without quotes.
pub(super) fn plain(value: &serde_json::Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// The box before a step.
const fn mark(status: Option<StepStatus>) -> &'static str {
    match status {
        Some(StepStatus::Succeeded) => "[x]",
        Some(StepStatus::Skipped | StepStatus::Cancelled | StepStatus::Undone) => "[-]",
        Some(StepStatus::Failed | StepStatus::UndoFailed) => "[!]",
        Some(StepStatus::Unknown | StepStatus::Probing) => "[?]",
        None
        | Some(
            StepStatus::Waiting
            | StepStatus::Ready
            | StepStatus::Running
            | StepStatus::Retrying
            | StepStatus::NeedsDecision
            | StepStatus::WaitingForApproval
            | StepStatus::WaitingForPerson
            | StepStatus::WaitingForSignal
            | StepStatus::WaitingForTime
            | StepStatus::WaitingForChild
            | StepStatus::Undoing,
        ) => "[ ]",
    }
}

fn code(text: &str) -> String {
    format!("`{}`", visible(text, TEXT_CHARS_MAX))
}

fn length(length: &Length) -> String {
    match length {
        Length::Fixed(span) => span.to_string(),
        Length::Rendered(text) => template(text),
    }
}

/// A template as it is written; what is filled in stands in angle quotes.
fn template(template: &Template) -> String {
    let text = match template {
        Template::Literal(value) => plain(value),
        Template::Whole(expression) => format!("‹{}›", expression.text),
        Template::Text(pieces) => pieces
            .iter()
            .map(|piece| match piece {
                Piece::Text(text) => text.clone(),
                Piece::Value(expression) => format!("‹{}›", expression.text),
            })
            .collect(),
        Template::Array(items) => items.iter().map(self::template).collect::<Vec<_>>().join(", "),
        Template::Object(fields) => {
            let fields =
                fields.iter().map(|(name, value)| format!("{name}: {}", self::template(value)));
            fields.collect::<Vec<_>>().join(", ")
        }
    };
    visible(&text, TEXT_CHARS_MAX)
}
