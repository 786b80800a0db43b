//! The check: a playbook's text in, a plan and every finding out.
//!
//! The only maker of plans. Every fault of a file comes at once, sorted by place; a plan comes only
//! without errors. Nothing is evaluated and nothing outside is asked.

mod argument;
mod block;
mod call;
mod child;
mod expression;
mod gate;
mod ids;
mod never;
mod scope;
mod step;
mod types;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::draft::{self, Draft};
use super::report::Report;
use super::{
    Code, Expression, Expressions, Finding, Node, NodeId, Place, Plan, PlanParts, Slot, SourceText,
    Type, yaml,
};
use crate::model::{Catalogue, PlaybookName, StepId};
use child::Family;
use scope::{Hidden, Mark, Scope};

/// Where sub-playbooks are found.
pub trait Library {
    /// The text of a playbook that `caller` names; it is looked up beside its caller first.
    fn find(&self, caller: &SourceText, name: &PlaybookName) -> Option<SourceText>;
}

/// A library without books.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoLibrary;

impl Library for NoLibrary {
    fn find(&self, _caller: &SourceText, _name: &PlaybookName) -> Option<SourceText> {
        None
    }
}

/// Sources by name, as a run pins them and as [`Plan::sources`] gives them.
impl Library for BTreeMap<PlaybookName, SourceText> {
    fn find(&self, _caller: &SourceText, name: &PlaybookName) -> Option<SourceText> {
        self.get(name).cloned()
    }
}

/// What a check needs to know.
#[derive(Debug)]
pub struct CheckRequest<'a, E, L> {
    /// The playbook.
    pub source: &'a SourceText,
    /// The actions there are.
    pub catalogue: &'a Catalogue,
    /// Where sub-playbooks are found.
    pub library: &'a L,
    /// The script language.
    pub expressions: &'a E,
}

impl<E, L> Clone for CheckRequest<'_, E, L> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<E, L> Copy for CheckRequest<'_, E, L> {}

/// Checks a playbook and everything it calls.
///
/// The findings are sorted by place, those of the file itself first, then the errors of its
/// sub-playbooks. There is a plan exactly when none of them is an error.
pub fn check<E: Expressions, L: Library>(
    request: CheckRequest<'_, E, L>,
) -> (Option<Plan>, Vec<Finding>) {
    let mut family = Family::default();
    let outcome = check_one(request, &mut family);
    let mut findings = outcome.findings;
    let mut of_children = family.findings;
    of_children.sort();
    of_children.dedup();
    findings.extend(of_children);
    (outcome.plan, findings)
}

/// What became of one file.
#[derive(Debug)]
struct Outcome {
    plan: Option<Plan>,
    outputs: Type,
    findings: Vec<Finding>,
}

fn check_one<E: Expressions, L: Library>(
    request: CheckRequest<'_, E, L>,
    family: &mut Family,
) -> Outcome {
    let mut report = Report::new(request.source.name());
    let tree = yaml::read(request.source, &mut report);
    let draft = tree.as_ref().and_then(|tree| draft::read(tree, &mut report));
    let nothing = |report: Report| Outcome {
        plan: None,
        outputs: Type::Any,
        findings: report.into_findings(),
    };
    let Some(draft) = draft else { return nothing(report) };
    let Some(ids) = ids::collect(&draft, &mut report) else { return nothing(report) };
    if let Some(name) = &draft.name {
        family.enter(name.clone());
    }
    let scope = Scope::new(
        types::type_of(&draft::form(&draft.inputs)),
        draft.slots.iter().map(|(name, _)| &name.value),
        ids.iter(),
    );
    let checker = Checker {
        request,
        family,
        report,
        scope,
        slots: draft.slots.iter().map(|(name, slot)| (name.value.clone(), slot.clone())).collect(),
        nodes: Vec::new(),
        by_id: BTreeMap::new(),
        children: BTreeMap::new(),
        inputs: InputsRead::default(),
        handlers: Hidden::none(),
        looks: LOOKS_MAX,
    };
    checker.run(&draft)
}

/// What checks against all names may look at together, in one file: a hundred faulty expressions
/// among a thousand steps. Without a bound a hostile file of 256 KiB keeps a check busy for minutes.
const LOOKS_MAX: usize = 100_000;

/// Which inputs somebody reads.
#[derive(Debug, Default)]
struct InputsRead {
    names: BTreeSet<String>,
    all: bool,
    /// Expressions that could not be read: what they name counts as read.
    unread: String,
}

impl InputsRead {
    fn reads(&mut self, expression: &Expression) {
        for path in &expression.reads {
            match path.0.as_slice() {
                [root, name, ..] if root == "inputs" => {
                    self.names.insert(name.clone());
                }
                [root] if root == "inputs" => self.all = true,
                _ => {}
            }
        }
    }
    fn has(&self, name: &str) -> bool {
        self.all || self.names.contains(name) || self.unread.contains(name)
    }
}

/// The walk through one file.
struct Checker<'a, 'f, E, L> {
    request: CheckRequest<'a, E, L>,
    family: &'f mut Family,
    report: Report,
    scope: Scope,
    slots: BTreeMap<StepId, Slot>,
    /// In the order of the file; empty places are being worked on.
    nodes: Vec<Option<Node>>,
    by_id: BTreeMap<StepId, NodeId>,
    children: BTreeMap<PlaybookName, Arc<Plan>>,
    inputs: InputsRead,
    /// Steps of handlers, which only `on_failure` and `always` see.
    handlers: Hidden,
    /// How many more names may be looked at by checks against all of them.
    looks: usize,
}

impl<E: Expressions, L: Library> Checker<'_, '_, E, L> {
    fn run(mut self, draft: &Draft<'_>) -> Outcome {
        self.slots_exist(draft);
        let around = step::Around::top();
        let steps = self.block(&draft.steps, around, None);
        let (outputs, outputs_type) = self.outputs(draft);
        // Both see every step outside of loops; that it ran is not sure.
        let beginning = Mark::BEGINNING;
        let handlers = std::mem::replace(&mut self.handlers, Hidden::none());
        self.scope.restore(handlers);
        self.scope.skip_since(beginning);
        let error = self.scope.set("error", super::Field::present(scope::error()));
        let on_failure = self.block(&draft.on_failure, around, Some("on_failure"));
        self.scope.unset(error);
        self.scope.skip_since(beginning);
        let error = self.scope.set("error", super::Field::nullable(scope::error()));
        let always = self.block(&draft.always, around, Some("always"));
        self.scope.unset(error);
        self.unused_inputs(draft);
        let nodes: Option<Vec<Node>> = std::mem::take(&mut self.nodes).into_iter().collect();
        if let Some(nodes) = &nodes {
            never::look(nodes, &[&steps, &on_failure, &always], &mut self.report);
            gate::look(nodes, &self.children, self.request.catalogue, &mut self.report);
        }
        let parts = nodes.zip(draft.name.clone()).map(|(nodes, name)| PlanParts {
            name,
            title: draft.title.clone(),
            language: draft.language,
            tlp: draft.tlp,
            references: draft.references.clone(),
            inputs: draft::form(&draft.inputs),
            slots: std::mem::take(&mut self.slots),
            nodes,
            steps,
            on_failure,
            always,
            outputs,
            children: std::mem::take(&mut self.children),
            source: self.request.source.clone(),
        });
        if draft.name.is_some() {
            self.family.leave();
        }
        self.seal(parts, outputs_type)
    }

    fn seal(mut self, parts: Option<PlanParts>, outputs: Type) -> Outcome {
        let plan = match parts {
            Some(parts) if !self.report.has_errors() => match Plan::new(parts) {
                Ok(plan) => Some(plan),
                Err(error) => {
                    self.report.add(Code::NumberRange, Place::START, error.to_string());
                    None
                }
            },
            Some(_) | None => None,
        };
        Outcome { plan, outputs, findings: self.report.into_findings() }
    }

    fn slots_exist(&mut self, draft: &Draft<'_>) {
        let known = crate::model::capabilities(self.request.catalogue);
        for (name, slot) in &draft.slots {
            if !known.contains(&slot.capability) {
                let message = format!("there is no capability `{}`", slot.capability);
                let hint =
                    super::report::did_you_mean(&slot.capability, known.iter().map(String::as_str));
                self.report.add_with(Code::UnknownCapability, name.place, message, hint);
            }
        }
    }

    fn outputs(&mut self, draft: &Draft<'_>) -> (Vec<(StepId, Expression)>, Type) {
        let mut outputs = Vec::new();
        let mut fields = BTreeMap::new();
        for (name, text) in &draft.outputs {
            let (expression, ty) = self.bare(text);
            fields.insert(name.value.as_str().to_owned(), super::Field::present(ty));
            outputs.push((name.value.clone(), expression));
        }
        (outputs, Type::Object(fields))
    }

    fn unused_inputs(&mut self, draft: &Draft<'_>) {
        for (name, _) in &draft.inputs {
            if !self.inputs.has(name.value.as_str()) {
                let message = format!("nothing reads the input `{}`", name.value);
                self.report.add(Code::UnusedInput, name.place, message);
            }
        }
    }
}
