//! The judge: what the witness saw against what the program says. It shares no code with either.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::round::Observed;

/// A law that does not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Fault {
    /// An effect took place, and no intent with its key was durable before it.
    NoIntent(String),
    /// An effect was sent under two keys without a person's word.
    OtherKey(String),
    /// What may happen once happened again.
    Repeated(String),
    /// The playbook asks for an effect that was never tried.
    Lost(String),
    /// The run says that it was done, and the world does not know of it; or the other way round.
    Untrue(String),
    /// What was acknowledged is gone.
    Forgotten(String),
    /// The run neither ended nor waits for anybody.
    Stuck(String),
    /// The timeline says nothing of it.
    Untold(String),
    /// The chain is broken.
    Chain(i32),
    /// A program ended as it must not.
    Program(String),
}

/// All laws that do not hold.
pub(super) fn judge(seen: &Observed) -> Vec<Fault> {
    let mut faults: Vec<Fault> = seen.faults.iter().cloned().map(Fault::Program).collect();
    effects(seen, &mut faults);
    steps(seen, &mut faults);
    acknowledged(seen, &mut faults);
    if seen.run["status"] != "succeeded" {
        faults.push(Fault::Stuck(format!("status {}", seen.run["status"])));
    }
    if seen.verified != 0 {
        faults.push(Fault::Chain(seen.verified));
    }
    faults
}

fn effects(seen: &Observed, faults: &mut Vec<Fault>) {
    let intents = intents(seen);
    let mut keys: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
    let mut done: BTreeMap<String, u64> = BTreeMap::new();
    for record in &seen.records {
        let name = format!("{} {}", record.method, record.path);
        let key = record.key.as_deref().unwrap_or_default();
        if intents.get(key).is_none_or(|at| *at > record.at) {
            faults.push(Fault::NoIntent(name.clone()));
        }
        keys.entry(name.clone()).or_default().insert(key);
        *done.entry(name).or_default() += u64::from(record.fate.is_done());
    }
    for (name, keys) in &keys {
        if keys.len() > 1 {
            faults.push(Fault::OtherKey(name.clone()));
        }
    }
    for (name, times) in &done {
        if name.starts_with("POST") && *times > 1 {
            faults.push(Fault::Repeated(name.clone()));
        }
    }
    for name in seen.wanted.iter().filter(|name| !keys.contains_key(*name)) {
        faults.push(Fault::Lost(name.clone()));
    }
}

/// When the first intent with each key was decided, in milliseconds.
fn intents(seen: &Observed) -> BTreeMap<String, u64> {
    let mut intents = BTreeMap::new();
    for (at, event) in events(seen) {
        if event["k"] == "attempt-started"
            && let Some(key) = event["key"].as_str()
        {
            intents.entry(key.to_owned()).or_insert(at);
        }
    }
    intents
}

fn events(seen: &Observed) -> Vec<(u64, Value)> {
    let mut events = Vec::new();
    for entry in &seen.chain {
        let at = entry["at"].as_u64().unwrap_or(u64::MAX);
        let head: Value =
            serde_json::from_str(entry["head"].as_str().unwrap_or_default()).unwrap_or_default();
        let inside = head["events"].as_array().cloned().unwrap_or_default();
        events.extend(inside.into_iter().map(|event| (at, event)));
    }
    events
}

fn steps(seen: &Observed, faults: &mut Vec<Fault>) {
    let steps = seen.run["steps"].as_array().cloned().unwrap_or_default();
    let calls: Vec<&Value> = steps.iter().filter(|step| step["kind"] == "call").collect();
    if calls.len() != seen.wanted.len() {
        faults.push(Fault::Lost(format!("{} of {} steps", calls.len(), seen.wanted.len())));
    }
    for step in calls {
        let path = step["path"].as_str().unwrap_or_default();
        let key = step["key"].as_str();
        let done = |record: &&beistand_tests::ledger::Record| record.fate.is_done();
        let mut records = seen.records.iter().filter(|record| record.key.as_deref() == key);
        let says = step["status"] == "succeeded";
        if says != records.any(|record| done(&record)) {
            faults.push(Fault::Untrue(format!("{path} is {}", step["status"])));
        }
        if !seen.lines.iter().any(|line| line["path"] == path) {
            faults.push(Fault::Untold(path.to_owned()));
        }
    }
}

fn acknowledged(seen: &Observed, faults: &mut Vec<Fault>) {
    for run in &seen.announced {
        if seen.run["id"] != run.as_str() {
            faults.push(Fault::Forgotten(format!("run {run}")));
        }
    }
    let answers = events(seen).iter().filter(|(_, event)| event["k"] == "need-answered").count();
    if u64::try_from(answers).unwrap_or(0) < seen.settled {
        faults.push(Fault::Forgotten(format!("{answers} of {} answers", seen.settled)));
    }
}
