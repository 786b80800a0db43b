//! A checklist for paper: work goes on by hand when everything else is off.
//!
//! A playbook gives an empty list; a run ticks what is
//! done and says where the outcome is not known. Expressions stand as they are written, because
//! nobody can evaluate them on paper but the reader.

use super::entry::Lang;
use super::escape::visible;
use super::sensitive::{BLOT, Sensitive};
use super::sentence::{self, Paper, role, tlp, words};
use super::sheet::{BLANK, Bit, Given, Row, RowKind, Sheet};
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

/// Names that one gate has room for.
const NAMES_MAX: u32 = 9;

/// Characters of a place for a name.
const NAME: usize = 12;

/// The checklist of a playbook, or of a run with what is done so far. Without a store or a network
/// at hand, it is what there is; so it says everything: who, what, by hand how, and what to note.
pub fn sheet(plan: &Plan, catalogue: &Catalogue, run: Option<&RunState>, lang: Lang) -> Sheet {
    let parts = plan.parts();
    let base = run.map_or_else(Path::root, RunState::base);
    let paper = &words(lang).paper;
    let mut sensitive = Sensitive::of(Some(plan), [].into(), [].into());
    if let Some(run) = run {
        sensitive.learn_inputs(&parts.inputs, &run.opened().inputs);
    }
    let mut pen = Pen { rows: Vec::new(), plan, catalogue, run, lang, paper, sensitive };
    let given = pen.given();
    let asked = pen.codes(None);
    pen.steps(&parts.steps, &base, 0);
    let mut all = vec![(None, std::mem::take(&mut pen.rows))];
    for (title, steps, name) in [
        (paper.on_failure, &parts.on_failure, "on_failure"),
        (paper.at_the_end, &parts.always, "always"),
    ] {
        if !steps.is_empty() {
            pen.steps(steps, &base.child(name), 0);
            all.push((Some(title), std::mem::take(&mut pen.rows)));
        }
    }
    Sheet {
        title: visible(&parts.title, TEXT_CHARS_MAX),
        playbook: plan.name().clone(),
        tlp: tlp(parts.tlp),
        digest: sentence::short(&plan.digest()),
        given,
        asked,
        parts: all,
        sources: parts.references.iter().map(|one| visible(one, TEXT_CHARS_MAX)).collect(),
        paper,
        tick: words(lang).tick,
    }
}

/// The same as Markdown.
pub fn checklist(plan: &Plan, catalogue: &Catalogue, run: Option<&RunState>, lang: Lang) -> String {
    sheet(plan, catalogue, run, lang).text()
}

struct Pen<'a> {
    rows: Vec<Row>,
    plan: &'a Plan,
    catalogue: &'a Catalogue,
    run: Option<&'a RunState>,
    lang: Lang,
    paper: &'static Paper,
    sensitive: Sensitive,
}

impl Pen<'_> {
    fn row(&mut self, depth: usize, kind: RowKind) {
        self.rows.push(Row { depth, kind });
    }

    /// A sentence about the step above it.
    fn line(&mut self, depth: usize, text: impl Into<String>) {
        self.row(depth + 1, RowKind::Line(vec![Bit::text(text)]));
    }

    /// What belongs to the step above it.
    fn more(&mut self, depth: usize, label: &'static str, text: Bit) {
        self.row(depth + 1, RowKind::More { label, text: vec![text] });
    }

    /// The inputs of a run, or places to fill in.
    fn given(&self) -> Vec<Given> {
        let inputs = &self.plan.parts().inputs;
        let shown = self.run.and_then(|run| self.sensitive.inputs(inputs, &run.opened().inputs));
        let names = inputs.properties.iter().flatten();
        let given = |(name, schema): (&String, &Schema)| Given {
            label: visible(schema.title.as_deref().unwrap_or(name), TEXT_CHARS_MAX),
            name: name.clone(),
            value: shown
                .as_ref()
                .and_then(|shown| shown.get(name))
                .map(|value| visible(&value.to_string(), TEXT_CHARS_MAX)),
        };
        names.map(given).collect()
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
        self.row(depth, RowKind::Step { mark: mark(status), title });
        for code in self.codes(Some(path)) {
            self.row(depth + 1, RowKind::Line(code));
        }
        if matches!(status, Some(StepStatus::Unknown | StepStatus::Probing)) {
            self.line(depth, self.paper.unknown);
        }
        if let Some(when) = &node.when {
            self.more(depth, self.paper.only_if, code(&when.text));
        }
        if let Some(within) = &node.within {
            self.more(depth, self.paper.within, length(within));
        }
        if let Some(gate) = &node.approval {
            self.gate(depth, gate);
        }
        self.kind(node, path, depth);
        if let OnError::Steps(steps) = &node.on_error {
            self.line(depth, format!("{}:", self.paper.if_it_fails));
            self.steps(steps, &path.child("on_error"), depth + 1);
        }
        if !node.always.is_empty() {
            self.line(depth, format!("{}:", self.paper.at_the_end));
            self.steps(&node.always, &path.child("always"), depth + 1);
        }
    }

    /// The codes of what waits for people at a step, or at the run itself.
    fn codes(&self, path: Option<&Path>) -> Vec<Vec<Bit>> {
        let Some(run) = self.run else { return Vec::new() };
        let of = |step| run.step(step).map(|step| &step.path);
        let open = run.needs().filter(|need| need.step.and_then(of) == path);
        open.map(|open| {
            let code = NeedCode::of(open.id, Some(open.digest));
            let kind = sentence::need(self.lang, open.kind);
            let word = words(self.lang).situation.code;
            let mut bits =
                vec![Bit::text(format!("{kind}: {word} ")), Bit::Strong(code.to_string())];
            match open.kind {
                NeedKind::Approval => {
                    bits.push(Bit::text(format!(" · {}", open.digest.spoken())));
                }
                NeedKind::Task | NeedKind::Decision | NeedKind::Unknown => {}
            }
            bits
        })
        .collect()
    }

    fn gate(&mut self, depth: usize, gate: &Gate) {
        let mut text = vec![Bit::text(role(self.lang, gate.role))];
        for _ in 0..gate.votes.min(NAMES_MAX) {
            text.extend([Bit::text(" "), Bit::Blank(NAME)]);
        }
        self.row(depth + 1, RowKind::More { label: self.paper.approval, text });
    }

    fn kind(&mut self, node: &Node, path: &Path, depth: usize) {
        let paper = self.paper;
        match &node.kind {
            Kind::Call(call) => self.call(call, depth),
            Kind::Script(script) => self.more(depth, paper.compute, code(&script.text)),
            Kind::Task { role: who, instructions, form } => {
                let text = format!("{}: {}", role(self.lang, *who), template(instructions));
                self.more(depth, paper.task, Bit::Text(text));
                self.form(depth, form);
            }
            Kind::Approve { gate, .. } => self.gate(depth, gate),
            Kind::Wait(Wait::For(span)) => self.more(depth, paper.wait, length(span)),
            Kind::Wait(Wait::Until(time)) => self.more(depth, paper.wait_until, code(&time.text)),
            Kind::Wait(Wait::Signal { name, form, .. }) => {
                self.more(depth, paper.signal, Bit::Text(template(name)));
                self.form(depth, form);
            }
            Kind::Group(steps) => self.steps(steps, path, depth + 1),
            Kind::Parallel { branches, join } => {
                let label = match join {
                    Join::All => paper.at_once,
                    Join::Any => paper.either,
                };
                self.line(depth, format!("{label}:"));
                for (name, steps) in branches {
                    self.steps(steps, &path.child(name.as_str()), depth + 1);
                }
            }
            Kind::ForEach(each) => self.for_each(each, path, depth),
            Kind::Switch(cases) => {
                for case in cases {
                    match &case.when {
                        Some(when) => self.more(depth, paper.only_if, code(&when.text)),
                        None => self.line(depth, format!("{}:", paper.otherwise)),
                    }
                    self.steps(&case.steps, path, depth + 1);
                }
            }
            Kind::Repeat(repeat) => {
                let most = Bit::text(format!(" (≤ {})", repeat.max));
                let text = vec![code(&repeat.until.text), most];
                self.row(depth + 1, RowKind::More { label: paper.repeat, text });
                let round = self.run.and_then(|run| run.step_at(path)).map_or(0, |step| step.round);
                self.steps(&repeat.steps, &path.at(round), depth + 1);
            }
            Kind::Playbook { name, .. } => {
                self.more(depth, paper.playbook, Bit::text(name.as_str()));
            }
            Kind::UndoSteps(steps) => {
                let ids: Vec<&str> =
                    steps.iter().map(|id| self.plan.node(*id).id.as_str()).collect();
                self.more(depth, paper.take_back, Bit::Text(ids.join(", ")));
            }
            Kind::Note(text) => self.more(depth, paper.note, Bit::Text(template(text))),
            Kind::Fail(text) => self.more(depth, paper.stop_failed, Bit::Text(template(text))),
            Kind::End(text) => self.more(depth, paper.stop_done, Bit::Text(template(text))),
        }
    }

    /// What a person does in place of a connector.
    fn call(&mut self, call: &CallNode, depth: usize) {
        let Some(spec) = self.catalogue.get(&call.action) else {
            return self.more(depth, self.paper.by_hand, Bit::text(call.action.as_str()));
        };
        let text = call.with.iter().fold(spec.by_hand.clone(), |text, (name, value)| {
            text.replace(&format!("{{{name}}}"), &template(value))
        });
        self.more(depth, self.paper.by_hand, Bit::Text(visible(&text, TEXT_CHARS_MAX)));
    }

    fn form(&mut self, depth: usize, form: &Schema) {
        for (name, field) in form.properties.iter().flatten() {
            let label = visible(field.title.as_deref().unwrap_or(name), TEXT_CHARS_MAX);
            let text = vec![Bit::Text(format!("{label} ")), Bit::Blank(BLANK)];
            self.row(depth + 1, RowKind::More { label: self.paper.fill_in, text });
        }
    }

    /// A run's items one by one; a playbook's steps once, for any item.
    fn for_each(&mut self, each: &crate::playbook::ForEach, path: &Path, depth: usize) {
        let list = match &each.list {
            ListSource::Expression(list) => code(&list.text),
            ListSource::Count(count) => Bit::text(count.to_string()),
        };
        self.more(depth, self.paper.each, list);
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
            self.row(depth + 1, RowKind::Item { number: index + 1, text: item });
            self.steps(&each.steps, &path.at(index), depth + 2);
        }
    }
}

/// A value as people say it: a text without quotes.
pub(super) fn plain(value: &serde_json::Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// The box before a step.
const fn mark(status: Option<StepStatus>) -> char {
    match status {
        Some(StepStatus::Succeeded) => 'x',
        Some(StepStatus::Skipped | StepStatus::Cancelled | StepStatus::Undone) => '-',
        Some(StepStatus::Failed | StepStatus::UndoFailed) => '!',
        Some(StepStatus::Unknown | StepStatus::Probing) => '?',
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
        ) => ' ',
    }
}

fn code(text: &str) -> Bit {
    Bit::Code(visible(text, TEXT_CHARS_MAX))
}

fn length(length: &Length) -> Bit {
    Bit::Text(match length {
        Length::Fixed(span) => span.to_string(),
        Length::Rendered(text) => template(text),
    })
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
