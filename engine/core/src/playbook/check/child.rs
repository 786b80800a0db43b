//! Sub-playbooks: found, checked once, never in a circle.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::super::draft::{Arguments, Spanned};
use super::super::report::did_you_mean;
use super::super::{Code, Expressions, Finding, Kind, Plan, SourceText, Template, Type};
use super::step::Gives;
use super::{CheckRequest, Checker, Library, check_one};
use crate::model::PlaybookName;

/// Deepest chain of sub-playbooks: people do not follow ten, and recursion stays shallow.
const CHAIN_MAX: usize = 16;

/// Everything that is known about the playbooks of one check.
#[derive(Debug, Default)]
pub(super) struct Family {
    known: BTreeMap<PlaybookName, Child>,
    /// The playbooks that are being checked, the outermost first.
    chain: Vec<PlaybookName>,
    /// Errors of sub-playbooks.
    pub(super) findings: Vec<Finding>,
}

#[derive(Debug, Clone)]
struct Child {
    source: SourceText,
    plan: Option<Arc<Plan>>,
    outputs: Type,
}

impl Family {
    /// A playbook is being checked.
    pub(super) fn enter(&mut self, name: PlaybookName) {
        self.chain.push(name);
    }
    /// It was checked.
    pub(super) fn leave(&mut self) {
        self.chain.pop();
    }
}

impl<E: Expressions, L: Library> Checker<'_, '_, E, L> {
    pub(super) fn playbook(
        &mut self,
        name: Option<&Spanned<PlaybookName>>,
        with: &Arguments<'_>,
    ) -> (Kind, Gives) {
        self.secrets(with);
        let child = name.and_then(|name| self.child(name));
        let plan = child.as_ref().and_then(|child| child.plan.clone());
        let schema = plan.as_ref().map(|plan| &plan.parts().inputs);
        let what = name.map(|name| format!("the playbook `{}`", name.value)).unwrap_or_default();
        let with = self.arguments(with, schema, &what);
        let outputs = child.map_or(Type::Any, |child| child.outputs);
        let Some(name) = name else {
            return (Kind::Note(Template::Literal("".into())), Gives::output(Type::Any));
        };
        if let Some(plan) = plan {
            self.children.insert(name.value.clone(), plan);
        }
        (Kind::Playbook { name: name.value.clone(), with }, Gives::output(outputs))
    }

    fn child(&mut self, name: &Spanned<PlaybookName>) -> Option<Child> {
        if self.family.chain.contains(&name.value) {
            let mut chain: Vec<&str> = self
                .family
                .chain
                .iter()
                .skip_while(|known| **known != name.value)
                .map(PlaybookName::as_str)
                .collect();
            chain.push(name.value.as_str());
            let message = format!("the playbook calls itself: {}", chain.join(" → "));
            self.report.add(Code::PlaybookRecursion, name.place, message);
            return None;
        }
        if self.family.chain.len() >= CHAIN_MAX {
            let message = format!("more than {CHAIN_MAX} playbooks call each other");
            self.report.add(Code::PlaybookRecursion, name.place, message);
            return None;
        }
        let Some(source) = self.request.library.find(self.request.source, &name.value) else {
            let message = format!("there is no playbook `{}`", name.value);
            let known =
                self.family.known.keys().chain(&self.family.chain).map(PlaybookName::as_str);
            let hint = did_you_mean(name.value.as_str(), known);
            self.report.add_with(Code::PlaybookNotFound, name.place, message, hint);
            return None;
        };
        let child = match self.family.known.get(&name.value) {
            Some(child) if child.source == source => child.clone(),
            Some(other) => {
                let message = format!(
                    "`{}` is `{}` here and `{}` elsewhere",
                    name.value,
                    source.name(),
                    other.source.name()
                );
                let hint = "give one of them another name";
                self.report.hint(Code::PlaybookAmbiguous, name.place, message, hint);
                return None;
            }
            None => self.look_at(name, source),
        };
        if child.plan.is_none() {
            let message = format!("the playbook `{}` has faults of its own", name.value);
            self.report.add(Code::PlaybookFaulty, name.place, message);
        }
        Some(child)
    }

    /// Checks a sub-playbook for the first time.
    fn look_at(&mut self, name: &Spanned<PlaybookName>, source: SourceText) -> Child {
        let request = CheckRequest { source: &source, ..self.request };
        let outcome = check_one(request, self.family);
        self.family.findings.extend(outcome.findings.into_iter().filter(Finding::is_error));
        let mut plan = outcome.plan;
        if let Some(other) = plan.as_ref().filter(|plan| *plan.name() != name.value) {
            let message = format!("the file calls itself `{}`, not `{}`", other.name(), name.value);
            self.report.add(Code::PlaybookFaulty, name.place, message);
            plan = None;
        }
        let child = Child { source, plan: plan.map(Arc::new), outputs: outcome.outputs };
        self.family.known.insert(name.value.clone(), child.clone());
        child
    }
}
