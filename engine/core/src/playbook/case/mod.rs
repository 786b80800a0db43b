//! Cases: a playbook's unit tests, as they stand in `cases/<case>.yaml`.
//!
//! A case says what goes in, what the pretended connectors answer, what people decide, and what
//! must come out. It is read here; it is played elsewhere.

mod read;

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::{Finding, Plan, SourceText};
use crate::model::{ActionName, Catalogue, Person, Span};

/// A case.
#[derive(Debug, Clone, PartialEq)]
pub struct Case {
    /// What it is about, in a few words.
    pub title: String,
    /// What the run gets; defaults are not filled in.
    pub inputs: Map<String, Value>,
    /// What connectors answer; the first that matches a call wins.
    pub answers: Vec<CaseAnswer>,
    /// What people decide, in order per step.
    pub people: Vec<CaseDecision>,
    /// What comes from outside.
    pub signals: Vec<CaseSignal>,
    /// What must come out.
    pub expect: CaseExpectation,
}

/// An answer of a pretended connector.
#[derive(Debug, Clone, PartialEq)]
pub struct CaseAnswer {
    /// The action it answers.
    pub call: ActionName,
    /// Arguments that must be equal; others do not matter.
    pub arguments: Map<String, Value>,
    /// How many calls it answers; absent: all.
    pub times: Option<u32>,
    /// What it says.
    pub gives: CaseGives,
}

/// What a pretended connector says.
#[derive(Debug, Clone, PartialEq)]
pub enum CaseGives {
    /// It was done.
    Output(Value),
    /// It was not done, or nobody knows.
    Error {
        /// In which way.
        kind: CaseError,
        /// What a probe finds out afterwards, where the outcome is unknown.
        probe: Option<CaseProbe>,
    },
    /// The engine dies after the intent and is started again.
    CrashAfterIntent,
}

/// How a pretended call fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CaseError {
    /// Surely nothing was done.
    Unavailable,
    /// The service said no.
    Refused,
    /// It may have been done.
    Unknown,
    /// It could not be sent as it is.
    Invalid,
}

/// What a pretended probe finds out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CaseProbe {
    /// It was done.
    Done,
    /// It was not done.
    NotDone,
    /// It can not be told.
    Unknown,
}

/// What a person decides.
#[derive(Debug, Clone, PartialEq)]
pub struct CaseDecision {
    /// The step, by id, or by path where it stands in a loop.
    pub step: String,
    /// The answer.
    pub answer: CaseChoice,
    /// Who; absent: anybody.
    pub by: Option<Person>,
    /// When, after the start; absent: at once.
    pub at: Option<Span>,
}

/// An answer of a person.
#[derive(Debug, Clone, PartialEq)]
pub enum CaseChoice {
    /// A task is done.
    Form(Map<String, Value>),
    /// These persons say yes.
    Approve(Vec<Person>),
    /// No, because.
    Deny(String),
    /// Once more, because.
    Retry(String),
    /// Go on without it, because.
    Skip(String),
    /// End the run, because.
    Abort(String),
    /// Done by hand, with the action's output.
    ByHand(Map<String, Value>),
    /// An unknown outcome is settled.
    Resolve(CaseResolution),
    /// A signal, given by hand.
    Signal(Map<String, Value>),
}

/// How a person settles an unknown outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CaseResolution {
    /// It was done.
    Done,
    /// It was not done.
    NotDone,
    /// Send it again as a new effect.
    SendAgain,
}

/// A signal from outside.
#[derive(Debug, Clone, PartialEq)]
pub struct CaseSignal {
    /// Its name.
    pub name: String,
    /// What it carries.
    pub form: Map<String, Value>,
    /// When, after the start; absent: at once.
    pub at: Option<Span>,
}

/// What must come out. What is absent is not looked at.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct CaseExpectation {
    /// The run's status, as `show` says it.
    pub status: Option<String>,
    /// Its outputs, all of them.
    pub outputs: Option<Map<String, Value>>,
    /// How many attempts of which action; actions that are not named are not counted.
    pub calls: BTreeMap<ActionName, u32>,
}

impl Case {
    /// Reads a case of this plan. There is a case exactly when no finding is an error.
    pub fn read(
        source: &SourceText,
        plan: &Plan,
        catalogue: &Catalogue,
    ) -> (Option<Self>, Vec<Finding>) {
        read::read(source, plan, catalogue)
    }
}

#[cfg(test)]
mod tests {
    use super::super::double::Paths;
    use super::super::{CheckRequest, NoLibrary, check};
    use super::*;

    fn plan() -> Plan {
        let source = SourceText::new(
            "x.yaml",
            "playbook: x\nlanguage: 1\ninputs:\n  hosts: { type: array, items: { type: string, format: host } }\nsteps:\n  - { id: triage, task: { role: responder, instructions: Look. } }\n  - { id: contain, for_each: inputs.hosts, steps: [{ id: cut, call: network.isolate, with: { host: \"${item}\" } }] }\noutputs:\n  isolated: steps.contain.counts.succeeded\n",
        );
        let catalogue = Catalogue::first();
        let request = CheckRequest {
            source: &source,
            catalogue: &catalogue,
            library: &NoLibrary,
            expressions: &Paths,
        };
        check(request).0.unwrap()
    }

    fn read(text: &str) -> (Option<Case>, Vec<String>) {
        let source = SourceText::new("case.yaml", text);
        let (case, findings) = Case::read(&source, &plan(), &Catalogue::first());
        let found = findings.iter().map(|f| format!("{}:{} {}", f.line, f.column, f.code));
        (case, found.collect())
    }

    const GOOD: &str = "case: one host does not answer
inputs: { hosts: [pc-1, pc-2] }
answers:
  - { call: network.isolate, where: { host: pc-2 }, times: 5, error: unavailable }
  - { call: network.isolate, where: { host: pc-3 }, error: unknown, probe: not-done }
  - { call: network.isolate, crash: after_intent, times: 1 }
  - { call: network.isolate, output: { state: isolated } }
people:
  - { step: triage, form: { attack: true } }
  - { step: contain, approve: [anna, ben] }
  - { step: 'contain[1]/cut', skip: \"pc-2 unplugged by hand\", by: anna, at: 10m }
signals:
  - { name: backup, form: { clean: true }, at: 4h }
expect:
  status: succeeded
  outputs: { isolated: 1 }
  calls: { network.isolate: 6, mail.send: 1 }
";

    #[test]
    fn a_case_is_read_as_it_stands() {
        let (case, findings) = read(GOOD);
        assert_eq!(findings, [""; 0]);
        let case = case.unwrap();
        assert_eq!((case.answers.len(), case.people.len(), case.signals.len()), (4, 3, 1));
        assert_eq!(
            case.answers[1].gives,
            CaseGives::Error { kind: CaseError::Unknown, probe: Some(CaseProbe::NotDone) }
        );
        assert_eq!(case.people[2].at, Some(Span::from_secs(600)));
        assert_eq!(case.expect.calls.values().sum::<u32>(), 7);
    }

    #[test]
    fn every_fault_of_a_case_is_placed() {
        let (case, findings) = read(
            "case: x
inputs: { hosts: [pc 1], more: 1 }
answers:
  - { call: network.isolat, output: {} }
  - { call: network.isolate, error: refused, output: {} }
  - { call: network.isolate, error: refused, probe: done }
people:
  - { step: triag, form: {} }
  - { step: triage, deny: no, skip: yes }
expect: { status: done, outputs: { isolatd: 1 } }
",
        );
        assert_eq!(case, None);
        assert_eq!(
            findings,
            [
                "2:1 argument-type",
                "2:1 argument-type",
                "4:13 unknown-action",
                "5:5 missing-key",
                "6:46 modifier-not-here",
                "8:13 unknown-step",
                "9:5 missing-key",
                "10:19 unknown-value",
                "10:25 unknown-name",
            ]
        );
    }
}
