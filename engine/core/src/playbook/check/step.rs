//! The walk over steps: what each sees, what it becomes in the plan, what others see of it.

use super::super::draft::{self, Step, literal_id};
use super::super::report::did_you_mean;
use super::super::{
    Block, Code, Expressions, Field, Gate, Kind, Node, NodeId, OnError, Shows, Template, Type,
    Undo, Wait,
};
use super::scope::{self, Mark, step_field};
use super::{Checker, Library, types};
use crate::model::{Schema, StepId};

/// What stands around a step.
#[derive(Debug, Clone, Copy)]
pub(super) struct Around {
    /// The enclosing block step.
    pub(super) parent: Option<NodeId>,
    /// Inside a loop that tolerates failures: there the default of `on_error` is `fail`.
    pub(super) tolerant: bool,
    /// Inside a loop or `repeat`.
    pub(super) looped: bool,
    /// Under a condition.
    pub(super) conditional: bool,
}

impl Around {
    /// Nothing.
    pub(super) const fn top() -> Self {
        Self { parent: None, tolerant: false, looped: false, conditional: false }
    }
}

/// What a kind gives to those that read the step.
pub(super) struct Gives {
    /// The type of its output.
    pub(super) output: Type,
    /// For loops: the type of an item.
    pub(super) items: Option<Type>,
}

impl Gives {
    /// Nothing to read.
    pub(super) const NOTHING: Self = Self { output: Type::Null, items: None };

    /// An output.
    pub(super) fn output(output: Type) -> Self {
        Self { output, items: None }
    }
}

impl<E: Expressions, L: Library> Checker<'_, '_, E, L> {
    /// Steps one after the other; each sees those before it.
    pub(super) fn block(
        &mut self,
        steps: &[Step<'_>],
        around: Around,
        branch: Option<&str>,
    ) -> Block {
        steps.iter().map(|step| self.step(step, around, branch)).collect()
    }

    fn step(&mut self, step: &Step<'_>, around: Around, branch: Option<&str>) -> NodeId {
        let node = self.reserve(step);
        let id = step.id.clone().unwrap_or_else(|| literal_id("unnamed"));
        let before = self.scope.mark();
        let when = step.when.map(|text| self.condition(text));
        let conditional = around.conditional || when.is_some();
        let approval = step.approval.as_ref().map(|gate| self.gate(gate));
        let within = step.within.as_ref().map(|length| self.length(length));
        let inner = Around { parent: Some(node), conditional, ..around };
        let (kind, gives) = self.kind(step, node, inner);
        let undo = self.undo(step, inner, &id, &gives);
        self.scope.add(&id, step_field(gives.output, gives.items.as_ref()));
        let on_error = self.on_error(step, inner, before);
        let always = self.always(step, inner, before);
        if when.is_some() {
            self.scope.skip_since(before);
        }
        self.fill(
            node,
            Node {
                id,
                title: step.title.clone(),
                place: step.place,
                parent: around.parent,
                branch: branch.map(str::to_owned),
                kind,
                when,
                approval,
                within,
                on_error,
                undo,
                always,
                possibly_skipped: conditional,
            },
        );
        node
    }

    fn reserve(&mut self, step: &Step<'_>) -> NodeId {
        // A thousand steps at most: `ids` has counted.
        let node = NodeId(u32::try_from(self.nodes.len()).unwrap_or(u32::MAX));
        self.nodes.push(None);
        if let Some(id) = &step.id {
            self.by_id.entry(id.clone()).or_insert(node);
        }
        node
    }

    fn fill(&mut self, id: NodeId, node: Node) {
        if let Some(slot) = self.nodes.get_mut(id.0 as usize) {
            *slot = Some(node);
        }
    }

    fn kind(&mut self, step: &Step<'_>, node: NodeId, inner: Around) -> (Kind, Gives) {
        match &step.kind {
            draft::Kind::Call(call) => self.call(call),
            draft::Kind::Script(text) => {
                let (expression, ty) = self.script(text);
                (Kind::Script(expression), Gives::output(ty))
            }
            draft::Kind::Task { role, instructions, form } => {
                let instructions =
                    instructions.map_or(Template::Literal("".into()), |text| self.sentence(text));
                let kind = Kind::Task { role: *role, instructions, form: form.clone() };
                (kind, Gives::output(types::type_of(form)))
            }
            draft::Kind::Approve { gate, shows } => {
                let kind = Kind::Approve { gate: self.gate(gate), shows: self.shows(shows) };
                (kind, Gives::output(Type::Any))
            }
            draft::Kind::Wait(wait) => self.wait(wait),
            draft::Kind::Group(steps) => {
                (Kind::Group(self.block(steps, inner, None)), Gives::NOTHING)
            }
            draft::Kind::Parallel { branches, join } => self.parallel(branches, *join, inner),
            draft::Kind::ForEach(each) => self.for_each(step, each, inner),
            draft::Kind::Switch(cases) => self.switch(cases, inner),
            draft::Kind::Repeat(repeat) => self.repeat(step, repeat, inner),
            draft::Kind::Playbook { name, with } => self.playbook(name.as_ref(), with),
            draft::Kind::UndoSteps(ids) => {
                (Kind::UndoSteps(self.earlier(ids, node)), Gives::NOTHING)
            }
            draft::Kind::Note(text) => (Kind::Note(self.sentence(text)), Gives::NOTHING),
            draft::Kind::Fail(text) => (Kind::Fail(self.sentence(text)), Gives::NOTHING),
            draft::Kind::End(text) => (Kind::End(self.sentence(text)), Gives::NOTHING),
            // A finding has been made; the plan will not be sealed.
            draft::Kind::Duty | draft::Kind::Aid | draft::Kind::Broken => {
                (Kind::Note(Template::Literal("".into())), Gives::output(Type::Any))
            }
        }
    }

    fn gate(&mut self, gate: &draft::Gate<'_>) -> Gate {
        let within = gate.within.as_ref().map(|length| self.length(length));
        Gate { role: gate.role, votes: gate.votes, within }
    }

    fn shows(&mut self, shows: &draft::Shows<'_>) -> Shows {
        match shows {
            draft::Shows::Steps(ids) => Shows::Steps(self.earlier(ids, NodeId(u32::MAX))),
            draft::Shows::Text(text) => Shows::Text(self.sentence(text)),
            draft::Shows::Title => Shows::Title,
        }
    }

    fn wait(&mut self, wait: &draft::Wait<'_>) -> (Kind, Gives) {
        match wait {
            draft::Wait::For(length) => {
                (Kind::Wait(Wait::For(self.length(length))), Gives::NOTHING)
            }
            draft::Wait::Until(text) => {
                let (expression, ty) = self.bare(text);
                if !matches!(ty, Type::String | Type::Any) {
                    let message = format!("a time is a text, this gives {}", types::word(&ty));
                    let hint = "like `plus(now, \"4h\")` or `\"2026-11-21T03:00:00+01:00\"`";
                    self.report.hint(Code::NotATime, text.place(0), message, hint);
                }
                (Kind::Wait(Wait::Until(expression)), Gives::NOTHING)
            }
            draft::Wait::Signal { name, role, form, within } => {
                let name = name.map_or(Template::Literal("".into()), |text| self.sentence(text));
                let within = within.as_ref().map(|length| self.length(length));
                let output = types::type_of(form);
                let wait = Wait::Signal { name, role: *role, form: Schema::clone(form), within };
                (Kind::Wait(wait), Gives::output(output))
            }
        }
    }

    /// Steps that are named by id and must have come before.
    fn earlier(&mut self, ids: &[draft::Spanned<&str>], own: NodeId) -> Vec<NodeId> {
        let mut found = Vec::new();
        for id in ids {
            let node = self.by_id.iter().find(|(known, _)| known.as_str() == id.value);
            match node.map(|(_, node)| *node).filter(|node| *node != own) {
                Some(node) if self.scope.sees(id.value) => found.push(node),
                Some(_) | None => {
                    let why = self
                        .scope
                        .why_absent(id.value)
                        .map_or_else(|| format!("there is no step `{}`", id.value), str::to_owned);
                    let hint = did_you_mean(id.value, self.by_id.keys().map(StepId::as_str))
                        .filter(|_| self.scope.why_absent(id.value).is_none());
                    self.report.add_with(Code::UnknownStep, id.place, why, hint);
                }
            }
        }
        found
    }

    fn on_error(&mut self, step: &Step<'_>, inner: Around, before: Mark) -> OnError {
        match &step.on_error {
            None if inner.tolerant => OnError::Fail,
            None | Some(draft::OnError::Ask) => OnError::Ask,
            Some(draft::OnError::Fail) => OnError::Fail,
            Some(draft::OnError::Continue) => OnError::Continue,
            Some(draft::OnError::Steps(steps)) => {
                let error = Field::present(scope::error());
                OnError::Steps(self.handler((steps, "on_error"), inner, before, error))
            }
        }
    }

    fn always(&mut self, step: &Step<'_>, inner: Around, before: Mark) -> Block {
        let error = Field::nullable(scope::error());
        self.handler((&step.always, "always"), inner, before, error)
    }

    /// Steps that run when others ended in whatever way: those inside of the step may not have run.
    fn handler(
        &mut self,
        (steps, branch): (&[Step<'_>], &str),
        inner: Around,
        before: Mark,
        error: Field,
    ) -> Block {
        if steps.is_empty() {
            return Vec::new();
        }
        let sure = self.scope.clone_since(before);
        self.scope.skip_since(before);
        let error = self.scope.set("error", error);
        let mark = self.scope.mark();
        let around = Around { conditional: true, ..inner };
        let block = self.block(steps, around, Some(branch));
        self.scope.unset(error);
        let hidden = self.scope.hide_since(mark, "stands in a handler, which may never run");
        if !inner.looped {
            self.handlers.extend(hidden);
        }
        self.scope.put_back(sure);
        block
    }

    fn undo(&mut self, step: &Step<'_>, inner: Around, id: &StepId, gives: &Gives) -> Undo {
        match &step.undo {
            None => Undo::Catalogue,
            Some(draft::Undo::None) => Undo::None,
            Some(draft::Undo::Call { action, with }) => {
                let spec = action.as_ref().and_then(|action| self.action(action));
                let what = spec.map(|spec| format!("`{}`", spec.name)).unwrap_or_default();
                let with = self.arguments(with, spec.map(|spec| &spec.arguments), &what);
                match action {
                    Some(action) => Undo::Call { action: action.value.clone(), with },
                    None => Undo::None,
                }
            }
            Some(draft::Undo::Steps(steps)) => {
                // They run only where the step did, so its own output is there.
                let mark = self.scope.mark();
                self.scope.add(id, step_field(gives.output.clone(), gives.items.as_ref()));
                let block = self.block(steps, inner, Some("undo"));
                let hidden = self.scope.hide_since(mark, "stands in an undo, which may never run");
                if !inner.looped {
                    self.handlers.extend(hidden);
                }
                Undo::Steps(block)
            }
        }
    }
}
