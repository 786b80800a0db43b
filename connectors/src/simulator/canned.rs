//! Answers that a case gives: which call they are for, how often, and what they say.

use std::collections::BTreeMap;

use beistand_connector_api::{ActionName, Call, CallError, Value};
use serde::Deserialize;

/// One answer of a case.
///
/// **Shape**: `{call, where?, times?, output | error (probe?) | crash: after_intent}`, as cases
/// write it under `answers`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(try_from = "Written")]
pub struct Canned {
    /// The action it is for.
    pub call: ActionName,
    /// Arguments that the call must have, each equal.
    pub wanted: BTreeMap<String, Value>,
    /// How often it may be used; without it, for ever, but a crash once.
    pub times: Option<u32>,
    /// What it says.
    pub reply: Reply,
    /// What a probe says after it.
    pub probe: Option<Found>,
}

/// What is answered.
#[derive(Debug, Clone, PartialEq)]
pub enum Reply {
    /// The call succeeds with this.
    Output(Value),
    /// The call fails like this.
    Error(CannedError),
    /// The engine dies after the intent.
    Crash,
}

/// How a call fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CannedError {
    /// Surely nothing was done.
    Unavailable,
    /// The service says no.
    Refused,
    /// No answer.
    Unknown,
    /// The call is wrong.
    Invalid,
}

impl CannedError {
    /// The error, in words.
    pub fn made(self, action: &ActionName) -> CallError {
        match self {
            Self::Unavailable => CallError::unavailable(format!("{action}: not reachable")),
            Self::Refused => CallError::refused(format!("{action}: the service said no")),
            Self::Unknown => CallError::unknown(format!("{action}: no answer")),
            Self::Invalid => CallError::invalid(format!("{action}: not as the service wants it")),
        }
    }
}

/// What a probe finds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Found {
    /// It was done.
    Done,
    /// It was not done.
    NotDone,
    /// It can not be told.
    Unknown,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum CrashPoint {
    AfterIntent,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    call: ActionName,
    #[serde(default, rename = "where")]
    wanted: BTreeMap<String, Value>,
    times: Option<u32>,
    output: Option<Value>,
    error: Option<CannedError>,
    crash: Option<CrashPoint>,
    probe: Option<Found>,
}

impl TryFrom<Written> for Canned {
    type Error = &'static str;
    fn try_from(written: Written) -> Result<Self, Self::Error> {
        let reply = match (written.output, written.error, written.crash) {
            (Some(output), None, None) => Reply::Output(output),
            (None, Some(error), None) => Reply::Error(error),
            (None, None, Some(CrashPoint::AfterIntent)) => Reply::Crash,
            _ => return Err("an answer has exactly one of `output`, `error`, `crash`"),
        };
        if written.probe.is_some() && reply != Reply::Error(CannedError::Unknown) {
            return Err("`probe` stands beside `error: unknown` only");
        }
        Ok(Self {
            call: written.call,
            wanted: written.wanted,
            // An engine that always dies comes to no end.
            times: written.times.or_else(|| written.crash.is_some().then_some(1)),
            reply,
            probe: written.probe,
        })
    }
}

impl Canned {
    fn fits(&self, call: &Call) -> bool {
        self.call == call.action
            && self.times != Some(0)
            && self.wanted.iter().all(|(name, value)| call.arguments.get(name) == Some(value))
    }
}

/// The answers that are left.
#[derive(Debug)]
pub(super) struct Desk(Vec<Canned>);

impl Desk {
    pub(super) fn new(canned: Vec<Canned>) -> Self {
        Self(canned)
    }

    /// Whether an answer to this action says what a probe finds.
    pub(super) fn probes(&self, action: &ActionName) -> bool {
        self.0.iter().any(|canned| canned.call == *action && canned.probe.is_some())
    }

    /// The answer to a call, counted as used.
    pub(super) fn take(&mut self, call: &Call) -> Option<Reply> {
        let canned = self.0.iter_mut().find(|canned| canned.fits(call))?;
        canned.times = canned.times.map(|times| times.saturating_sub(1));
        Some(canned.reply.clone())
    }

    /// Whether the answer to a call is a crash; only then it is counted as used.
    pub(super) fn take_crash(&mut self, call: &Call) -> bool {
        let next = self.0.iter_mut().find(|canned| canned.fits(call));
        let Some(canned) = next.filter(|canned| canned.reply == Reply::Crash) else { return false };
        canned.times = canned.times.map(|times| times.saturating_sub(1));
        true
    }

    /// What a probe finds: the answer that made the outcome unknown says it, even when used up.
    pub(super) fn probe(&self, call: &Call) -> Option<Found> {
        let about = |canned: &&Canned| Canned { times: None, ..(*canned).clone() }.fits(call);
        self.0.iter().filter(|canned| canned.probe.is_some()).find(about)?.probe
    }
}
