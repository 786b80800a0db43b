//! Timelines of made-up nights: what people read, what they must never read, and in which order.

mod call_out;
mod command;
mod exports;
mod eyes;
mod filter;
mod formats;
mod marks;
mod order;
mod review;
mod scope;
mod secrets;
mod sentences;
mod story;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::*;
use crate::incident;
use crate::model::{
    Catalogue, Digest, EntryId, IdempotencyKey, IncidentId, Millis, Mode, Path, RunId, StoreId,
    Target, TargetKind,
};
use crate::playbook::{
    CheckRequest, Checked, EvalError, Expressions, Fault, Names, NoLibrary, Plan, ReadPath,
    ScriptKind, SourceText, Type, check,
};
use crate::run::{Actor, Event, Head, Intent};

/// 2026-11-21, 02:11:04 UTC.
const START: Millis = Millis::new(1_795_227_064_000);

/// Stands in for the script language: finds the paths that a text reads, and runs nothing.
struct Paths;

impl Expressions for Paths {
    fn check(&self, text: &str, _: ScriptKind, _: &Names) -> Result<Checked, Vec<Fault>> {
        let words = text.split(|c: char| !(c.is_ascii_alphanumeric() || "._?".contains(c)));
        let reads = words
            .filter(|word| word.starts_with(|c: char| c.is_ascii_lowercase()))
            .map(|word| ReadPath(word.split('.').map(|part| part.replace('?', "")).collect()))
            .collect();
        Ok(Checked { reads, ty: Type::Any, bare: false })
    }
    fn evaluate(&self, _: &str, _: ScriptKind, _: &Map<String, Value>) -> Result<Value, EvalError> {
        Err(EvalError { message: "nothing runs in here".to_owned(), at: None })
    }
}

fn plan(text: &str) -> Arc<Plan> {
    let source = SourceText::new("x.yaml", text);
    let catalogue = Catalogue::first();
    let request = CheckRequest {
        source: &source,
        catalogue: &catalogue,
        library: &NoLibrary,
        expressions: &Paths,
    };
    let (plan, findings) = check(request);
    Arc::new(plan.unwrap_or_else(|| panic!("{findings:?}")))
}

fn plans(plans: &[&Arc<Plan>]) -> BTreeMap<Digest, Arc<Plan>> {
    plans.iter().map(|plan| (plan.digest(), Arc::clone(plan))).collect()
}

fn actor(name: &str) -> Actor {
    Actor::program(name.parse().unwrap())
}

fn path(text: &str) -> Path {
    text.parse().unwrap()
}

fn run_id(number: u8) -> RunId {
    RunId::new(1_795_227_064_000, &[number; 10])
}

fn incident_id() -> IncidentId {
    IncidentId::new(1_795_227_000_000, &[1; 10])
}

fn host(name: &str, organisation: Option<&str>) -> Target {
    Target {
        kind: TargetKind::Host,
        name: name.to_owned(),
        addresses: [].into(),
        macs: [].into(),
        organisation: organisation.map(|name| name.parse().unwrap()),
    }
}

fn intent(at: &str, action: &str, attempt: u32) -> Intent {
    let path = path(at);
    let direction = crate::model::Direction::Do;
    Intent {
        key: IdempotencyKey::new(StoreId::new(1, &[1; 10]), run_id(1), &path, direction, 0),
        path,
        direction,
        generation: 0,
        attempt,
        connector: Some("core-router".parse().unwrap()),
        action: action.parse().unwrap(),
        class: crate::model::EffectClass::Once,
        settle: crate::model::Span::ZERO,
        timeout: crate::model::Span::from_secs(30),
        destructive: true,
        effect: None,
    }
}

/// An intent for a host, as the journal has it.
fn attempt(at: &str, target: &Target, number: u32) -> Event {
    let mut event = Event::new(Head::AttemptStarted(intent(at, "network.isolate", number)));
    event.organisation.clone_from(&target.organisation);
    event.body.targets = vec![target.clone()];
    event
}

fn opened(plan: &Plan, run: u8, inputs: &Value) -> Event {
    let head = Head::RunOpened {
        run: run_id(run),
        playbook: plan.name().clone(),
        digest: plan.digest(),
        language: 1,
        mode: Mode::Live,
        incident: incident_id(),
        by: actor("anna"),
        by_hand_ok: true,
        parent: None,
        more_of: None,
        supersedes: None,
        trace: None,
    };
    Event::new(head).value(json!({"inputs": inputs, "incident": {}, "bindings": []}))
}

/// Entries of a run, each some milliseconds after the start.
fn recorded(run: u8, entries: Vec<(i64, Vec<Event>)>) -> Vec<Recorded> {
    let entries = entries.into_iter().zip(1..);
    entries
        .map(|((after, events), seq)| Recorded {
            stream: format!("run:{}", run_id(run)),
            seq,
            at: Millis::new(START.get() + after),
            id: Some(EntryId::new(1_795_227_064_000, &[run; 10])),
            events: Events::Run(events),
        })
        .collect()
}

/// Entries of the incident.
fn of_incident(entries: Vec<(i64, incident::Event)>) -> Vec<Recorded> {
    let entries = entries.into_iter().zip(1..);
    entries
        .map(|((after, event), seq)| Recorded {
            stream: format!("incident:{}", incident_id()),
            seq,
            at: Millis::new(START.get() + after),
            id: Some(EntryId::new(1_795_227_000_000, &[9; 10])),
            events: Events::Incident(vec![event]),
        })
        .collect()
}

fn incident_opened() -> incident::Event {
    let head = incident::Head::IncidentOpened {
        incident: incident_id(),
        number: "SIT-2026-0007".parse().unwrap(),
        mode: Mode::Live,
        severity: crate::model::Severity::default(),
        tlp: crate::model::Tlp::Amber,
        drill: None,
    };
    incident::Event::new(head, actor("anna")).text("Nothing opens any more")
}

/// Everything anybody could see of these lines.
fn everything(lines: &[TimelineEntry], chain: Option<&Chain>) -> String {
    let mut all = String::new();
    for lang in [Lang::De, Lang::En] {
        let document = Document {
            title: "SIT-2026-0007",
            mode: Mode::Live,
            tlp: crate::model::Tlp::Amber,
            lang,
            zone: Zone::Berlin,
            as_of: START,
            chain,
            filter: None,
            persons: Persons::Named,
            head: None,
        };
        all += &table(lines, &document, 100);
        all += &jsonl(lines, &document);
        all += &html(lines, &document);
        all += &csv(lines, &document);
    }
    all + &golden(lines) + &format!("{lines:?}")
}
