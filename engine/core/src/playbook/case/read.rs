//! Reading a case, with every fault placed.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::super::draft::{Fields, value};
use super::super::report::{Report, did_you_mean};
use super::super::tree::{Entry, Yaml};
use super::super::{Code, Finding, Place, Plan, SourceText, yaml};
use super::{
    Case, CaseAnswer, CaseChoice, CaseDecision, CaseError, CaseExpectation, CaseGives, CaseProbe,
    CaseResolution, CaseSignal,
};
use crate::model::{ActionName, Catalogue, Person, StepId};

/// The statuses of a run that a case may wait for.
const STATUSES: &[&str] =
    &["succeeded", "failed", "cancelled", "undone", "superseded", "waiting", "paused"];

/// Reads a case of this plan.
pub(super) fn read(
    source: &SourceText,
    plan: &Plan,
    catalogue: &Catalogue,
) -> (Option<Case>, Vec<Finding>) {
    let mut report = Report::new(source.name());
    let tree = yaml::read(source, &mut report);
    let case = tree.and_then(|tree| Reader { plan, catalogue, report: &mut report }.case(&tree));
    let case = case.filter(|_| !report.has_errors());
    (case, report.into_findings())
}

struct Reader<'a> {
    plan: &'a Plan,
    catalogue: &'a Catalogue,
    report: &'a mut Report,
}

impl Reader<'_> {
    fn case(&mut self, tree: &Yaml) -> Option<Case> {
        let mut fields = Fields::of(tree, "a case", self.report)?;
        let title = fields.need("case", self.report);
        let title = title.and_then(|entry| value::plain_text(entry, self.report));
        let inputs = fields.take("inputs");
        let inputs = inputs.map(|entry| self.inputs(entry)).unwrap_or_default();
        let mut answers = Vec::new();
        for item in self.items(&mut fields, "answers") {
            answers.extend(self.answer(item));
        }
        let mut people = Vec::new();
        for item in self.items(&mut fields, "people") {
            people.extend(self.decision(item));
        }
        let mut signals = Vec::new();
        for item in self.items(&mut fields, "signals") {
            signals.extend(self.signal(item));
        }
        let expect = fields.need("expect", self.report);
        let expect = expect.and_then(|entry| self.expectation(entry)).unwrap_or_default();
        fields.finish(self.report);
        Some(Case { title: title?, inputs, answers, people, signals, expect })
    }

    fn items<'y>(&mut self, fields: &mut Fields<'y>, name: &'static str) -> &'y [Yaml] {
        fields.take(name).map(|entry| value::list(entry, "a list", self.report)).unwrap_or_default()
    }

    fn inputs(&mut self, entry: &Entry) -> Map<String, Value> {
        let given = self.object(entry);
        let mut filled = Value::Object(given.clone());
        let schema = &self.plan.parts().inputs;
        schema.fill(&mut filled);
        for problem in schema.problems(&filled) {
            let message = format!("the input `{}` {}", problem.at, problem.message);
            self.report.add(Code::ArgumentType, entry.place, message);
        }
        given
    }

    fn object(&mut self, entry: &Entry) -> Map<String, Value> {
        match entry.value.json() {
            Value::Object(fields) => fields,
            Value::Null
            | Value::Bool(_)
            | Value::Number(_)
            | Value::String(_)
            | Value::Array(_) => {
                let message =
                    format!("`{}` must be a mapping, is {}", entry.name(), entry.value.word());
                self.report.add(Code::WrongType, value::place_of(entry), message);
                Map::new()
            }
        }
    }

    fn action(&mut self, name: &str, place: Place) -> Option<ActionName> {
        let action = name.parse().ok().filter(|name| self.catalogue.get(name).is_some());
        if action.is_none() {
            let message = format!("there is no action `{name}`");
            self.report.add(Code::UnknownAction, place, message);
        }
        action
    }

    fn answer(&mut self, item: &Yaml) -> Option<CaseAnswer> {
        let errors = [
            ("unavailable", CaseError::Unavailable),
            ("refused", CaseError::Refused),
            ("unknown", CaseError::Unknown),
            ("invalid", CaseError::Invalid),
        ];
        let probes = [
            ("done", CaseProbe::Done),
            ("not-done", CaseProbe::NotDone),
            ("unknown", CaseProbe::Unknown),
        ];
        let mut fields = Fields::of(item, "an answer", self.report)?;
        let call = fields.need("call", self.report);
        let call = call.and_then(|entry| Some((entry, value::text(entry, self.report)?)));
        let call = call.and_then(|(entry, name)| self.action(name.as_str(), entry.value.place));
        let arguments = fields.take("where").map(|entry| self.object(entry)).unwrap_or_default();
        let times = fields.take("times");
        let times = times.and_then(|entry| value::small(entry, 1..=1_000_000, self.report));
        let output = fields.take("output").map(|entry| CaseGives::Output(entry.value.json()));
        let probe = fields.take("probe");
        let error = fields.take("error").and_then(|entry| {
            let kind = value::word(entry, &errors, self.report)?;
            let probe = probe.and_then(|entry| value::word(entry, &probes, self.report));
            Some(CaseGives::Error { kind, probe })
        });
        let crash = fields.take("crash").and_then(|entry| {
            value::word(entry, &[("after_intent", CaseGives::CrashAfterIntent)], self.report)
        });
        fields.finish(self.report);
        let unknown = matches!(error, Some(CaseGives::Error { kind: CaseError::Unknown, .. }));
        if let Some(probe) = probe.filter(|_| !unknown) {
            let message = "`probe` stands beside `error: unknown`";
            self.report.add(Code::ModifierNotHere, probe.place, message);
        }
        let gives = self.one([output, error, crash], item.place, "`output`, `error` or `crash`");
        Some(CaseAnswer { call: call?, arguments, times, gives: gives? })
    }

    /// Exactly one of several.
    fn one<T, const N: usize>(
        &mut self,
        found: [Option<T>; N],
        place: Place,
        names: &str,
    ) -> Option<T> {
        let mut found: Vec<T> = found.into_iter().flatten().collect();
        if found.len() != 1 {
            let message = format!("this needs exactly one of {names}");
            self.report.add(Code::MissingKey, place, message);
        }
        found.pop()
    }

    fn decision(&mut self, item: &Yaml) -> Option<CaseDecision> {
        let resolutions = [
            ("done", CaseResolution::Done),
            ("not-done", CaseResolution::NotDone),
            ("send-again", CaseResolution::SendAgain),
        ];
        let mut fields = Fields::of(item, "a decision", self.report)?;
        let step = fields.need("step", self.report).and_then(|entry| self.step(entry));
        let mut reason = |name: &'static str, make: fn(String) -> CaseChoice| {
            let entry = fields.take(name)?;
            value::plain_text(entry, self.report).map(make)
        };
        let deny = reason("deny", CaseChoice::Deny);
        let retry = reason("retry", CaseChoice::Retry);
        let skip = reason("skip", CaseChoice::Skip);
        let abort = reason("abort", CaseChoice::Abort);
        let form = fields.take("form").map(|entry| CaseChoice::Form(self.object(entry)));
        let by_hand = fields.take("by_hand").map(|entry| CaseChoice::ByHand(self.object(entry)));
        let signal = fields.take("signal").map(|entry| CaseChoice::Signal(self.object(entry)));
        let resolve = fields.take("resolve").and_then(|entry| {
            value::word(entry, &resolutions, self.report).map(CaseChoice::Resolve)
        });
        let approve = fields.take("approve").map(|entry| CaseChoice::Approve(self.persons(entry)));
        let by = fields.take("by").and_then(|entry| {
            let name = value::text(entry, self.report)?;
            self.person(name.as_str(), entry.value.place)
        });
        let at = fields.take("at").and_then(|entry| value::span(entry, self.report));
        fields.finish(self.report);
        let choices = [form, approve, deny, retry, skip, abort, by_hand, resolve, signal];
        let names =
            "`form`, `approve`, `deny`, `retry`, `skip`, `abort`, `by_hand`, `resolve`, `signal`";
        let answer = self.one(choices, item.place, names);
        Some(CaseDecision { step: step?, answer: answer?, by, at })
    }

    fn persons(&mut self, entry: &Entry) -> Vec<Person> {
        let names = value::texts(entry, self.report);
        names.iter().filter_map(|name| self.person(name.value, name.place)).collect()
    }

    fn person(&mut self, name: &str, place: Place) -> Option<Person> {
        let person = name.parse().ok();
        if person.is_none() {
            self.report.add(Code::BadName, place, format!("`{name}` is no name of a person"));
        }
        person
    }

    /// A step of the plan or of a sub-playbook.
    fn step(&mut self, entry: &Entry) -> Option<String> {
        let written = value::text(entry, self.report)?.as_str();
        let last = written.rsplit('/').next().unwrap_or_default();
        let id = last.split('[').next().unwrap_or_default();
        if has_step(self.plan, id) {
            return Some(written.to_owned());
        }
        let message = format!("there is no step `{written}`");
        let known = self.plan.parts().nodes.iter().map(|node| node.id.as_str());
        let hint = did_you_mean(id, known);
        self.report.add_with(Code::UnknownStep, entry.value.place, message, hint);
        None
    }

    fn signal(&mut self, item: &Yaml) -> Option<CaseSignal> {
        let mut fields = Fields::of(item, "a signal", self.report)?;
        let name = fields.need("name", self.report);
        let name = name.and_then(|entry| value::plain_text(entry, self.report));
        let form = fields.take("form").map(|entry| self.object(entry)).unwrap_or_default();
        let at = fields.take("at").and_then(|entry| value::span(entry, self.report));
        fields.finish(self.report);
        Some(CaseSignal { name: name?, form, at })
    }

    fn expectation(&mut self, entry: &Entry) -> Option<CaseExpectation> {
        let statuses: Vec<(&str, &str)> = STATUSES.iter().map(|word| (*word, *word)).collect();
        let mut fields = Fields::of(&entry.value, "`expect`", self.report)?;
        let status = fields.take("status");
        let status = status.and_then(|entry| value::word(entry, &statuses, self.report));
        let outputs = fields.take("outputs").map(|entry| self.object(entry));
        if let (Some(outputs), Some(entry)) = (&outputs, fields.take("outputs")) {
            let known: Vec<&str> =
                self.plan.parts().outputs.iter().map(|(name, _)| StepId::as_str(name)).collect();
            for name in outputs.keys().filter(|name| !known.contains(&name.as_str())) {
                let message = format!("the playbook has no output `{name}`");
                self.report.add(Code::UnknownName, entry.place, message);
            }
        }
        let mut calls = BTreeMap::new();
        let counted = fields.take("calls").and_then(|entry| entry.value.map()).unwrap_or_default();
        for entry in counted {
            let count = value::small(entry, 0..=1_000_000, self.report);
            let action = self.action(entry.name(), entry.place);
            calls.extend(action.zip(count));
        }
        fields.finish(self.report);
        Some(CaseExpectation { status: status.map(str::to_owned), outputs, calls })
    }
}

fn has_step(plan: &Plan, id: &str) -> bool {
    plan.by_id(id).is_some() || plan.parts().children.values().any(|child| has_step(child, id))
}
