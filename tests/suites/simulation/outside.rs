//! The world outside of the engine: it does what it is told, fails as it likes, and remembers what
//! was done under which key.

use std::collections::{BTreeMap, BTreeSet};

use beistand_core::model::{
    Answer, Call, CallError, Direction, EffectClass, IdempotencyKey, Path, Probed, Reached, RunId,
};
use beistand_core::run::{AttemptEnd, Event, Head, Intent, ProbeEnd};
use serde_json::{Value, json};

use super::chance::Dice;

/// What was sent under one key, and what of it was done.
#[derive(Debug)]
struct Record {
    intent: Intent,
    applied: u32,
    /// Attempts that may have been done and are not settled in the journal.
    unsettled: BTreeSet<u32>,
}

/// Services, hosts, and the ledger over them.
#[derive(Debug, Default)]
pub(super) struct Outside {
    records: BTreeMap<IdempotencyKey, Record>,
    /// Keys that were applied, by effect.
    applied: BTreeMap<(RunId, Path, Direction), BTreeSet<IdempotencyKey>>,
    isolated: BTreeMap<String, bool>,
    /// Hosts whose state no hold tells: cut off without a way back.
    tainted: BTreeSet<String>,
    /// Intents that are durable, by run, path and attempt.
    intents: BTreeMap<(RunId, Path, u32), Intent>,
    pub(super) effects: u64,
    pub(super) faults: Vec<String>,
}

/// What becomes of a call.
#[derive(Clone, Copy, PartialEq)]
enum Fate {
    Done,
    Unavailable,
    Refused,
    Lost { applied: bool },
}

impl Outside {
    /// A commit is durable: intents are known, outcomes are settled.
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "the rest makes no intent known and settles no outcome"
    )]
    pub(super) fn committed(&mut self, run: RunId, events: &[Event]) {
        for event in events {
            match &event.head {
                Head::AttemptStarted(intent) => {
                    let place = (run, intent.path.clone(), intent.attempt);
                    self.intents.insert(place, intent.clone());
                }
                Head::AttemptEnded { path, end, .. } => {
                    let last =
                        |(_, record): &(&IdempotencyKey, &mut Record)| record.intent.path == *path;
                    for (_, record) in self.records.iter_mut().filter(last) {
                        match end {
                            AttemptEnd::Unknown => {}
                            AttemptEnd::Succeeded => record.unsettled.clear(),
                            AttemptEnd::Failed | AttemptEnd::Withdrawn => {
                                let newest = record.unsettled.last().copied();
                                newest.map(|newest| record.unsettled.remove(&newest));
                            }
                        }
                    }
                }
                Head::ProbeEnded { path, end: ProbeEnd::NotDone | ProbeEnd::Done, .. } => {
                    for record in self.records.values_mut().filter(|r| r.intent.path == *path) {
                        record.unsettled.clear();
                    }
                }
                _ => {}
            }
        }
    }

    /// A call arrives. `repeats`: the author said that it may come twice.
    pub(super) fn call(
        &mut self,
        (run, path, attempt): (RunId, &Path, u32),
        call: &Call,
        repeats: bool,
        dice: &mut Dice,
    ) -> Result<Answer, CallError> {
        self.effects += 1;
        let Some(intent) = self.intents.get(&(run, path.clone(), attempt)).cloned() else {
            self.faults.push(format!("{path} attempt {attempt} was sent without a durable intent"));
            return Ok(answer(call));
        };
        if intent.key != call.key {
            self.faults
                .push(format!("{path} attempt {attempt} was sent with another key than intended"));
        }
        let record = self.records.entry(call.key).or_insert_with(|| Record {
            intent: intent.clone(),
            applied: 0,
            unsettled: BTreeSet::new(),
        });
        let careful =
            matches!(intent.class, EffectClass::Once | EffectClass::Checkable) && !repeats;
        if careful && !record.unsettled.is_empty() {
            let text = format!("{path} may have been done and was sent again ({:?})", intent.class);
            self.faults.push(text);
        }
        record.unsettled.insert(attempt);
        let fate = fate(dice);
        if matches!(fate, Fate::Done | Fate::Lost { applied: true }) {
            record.applied += 1;
            if careful && record.applied > 1 {
                self.faults.push(format!("{path} was done twice under one key"));
            }
            if intent.class != EffectClass::Read {
                self.apply((run, path), call);
            }
        }
        match fate {
            Fate::Done => Ok(answer(call)),
            Fate::Unavailable => Err(CallError::unavailable("not now")),
            Fate::Refused => Err(CallError::refused("no")),
            Fate::Lost { .. } => Err(CallError::unknown("no answer")),
        }
    }

    fn apply(&mut self, (run, path): (RunId, &Path), call: &Call) {
        let keys = self.applied.entry((run, path.clone(), call.direction)).or_default();
        keys.insert(call.key);
        if keys.len() > 1 {
            self.faults.push(format!("{path} was done under two keys"));
        }
        if let Some(host) = call.arguments.get("host").and_then(Value::as_str) {
            match call.action.as_str() {
                "network.isolate" => {
                    self.isolated.insert(host.to_owned(), true);
                }
                "network.release" => {
                    self.isolated.insert(host.to_owned(), false);
                }
                _ => {}
            }
        }
    }

    /// A host was cut off without a hold.
    pub(super) fn taint(&mut self, host: &str) {
        self.tainted.insert(host.to_owned());
    }

    /// Whether the effect of a key was done.
    pub(super) fn was_done(&self, key: &IdempotencyKey) -> bool {
        self.records.get(key).is_some_and(|record| record.applied > 0)
    }

    pub(super) fn probe(&self, call: &Call, dice: &mut Dice) -> Probed {
        if dice.once_in(6) {
            Probed::Unknown
        } else if self.was_done(&call.key) {
            Probed::Done(answer(call))
        } else {
            Probed::NotDone
        }
    }

    pub(super) fn look(&self, call: &Call, dice: &mut Dice) -> Result<Answer, CallError> {
        if dice.once_in(10) {
            return Err(CallError::unavailable("not now"));
        }
        let host = call.arguments.get("host").and_then(Value::as_str).unwrap_or_default();
        let cut = self.isolated.get(host).copied().unwrap_or(false);
        let output = json!({"state": if cut { "isolated" } else { "open" }});
        Ok(Answer { output, reached: Reached::Verified })
    }

    /// Hosts whose state their holds must tell, and that state.
    pub(super) fn hosts(&self) -> impl Iterator<Item = (&String, bool)> {
        self.isolated
            .iter()
            .filter(|(host, _)| !self.tainted.contains(*host))
            .map(|(h, cut)| (h, *cut))
    }

    /// Effects that were done, by run, path and direction.
    pub(super) fn done(&self) -> impl Iterator<Item = &(RunId, Path, Direction)> {
        self.applied.keys()
    }
}

fn fate(dice: &mut Dice) -> Fate {
    match dice.below(100) {
        0..=64 => Fate::Done,
        65..=78 => Fate::Unavailable,
        79..=83 => Fate::Refused,
        84..=91 => Fate::Lost { applied: true },
        _ => Fate::Lost { applied: false },
    }
}

fn answer(call: &Call) -> Answer {
    let output = match call.action.as_str() {
        "network.isolate" => json!({"state": "isolated"}),
        "network.release" | "network.state" => json!({"state": "open"}),
        "mail.send" => json!({"message_id": "simulated"}),
        _ => json!({"id": "simulated"}),
    };
    Answer { output, reached: Reached::Verified }
}
