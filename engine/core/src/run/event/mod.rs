//! What happened in a run: the journal's vocabulary. It only grows.
//!
//! An event has a head (kinds, paths, keys, digests, actor) and a body (values). Both are kept in
//! one entry of the run's stream, apart from each other, so that a body can be erased.

mod actor;
mod head;
mod words;

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::model::{Organisation, Target};

pub use actor::{Actor, Proof};
pub use head::Head;
pub use words::{
    AnswerKind, AttemptEnd, Earlier, Intent, NeedKind, Parent, ProbeEnd, RunEnd, Section, StepEnd,
    Successor, UndoCall,
};

/// One event of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// What happened, without values.
    #[serde(flatten)]
    pub head: Head,
    /// Whose data the body holds, where it is one organisation's.
    #[serde(rename = "org", default, skip_serializing_if = "Option::is_none")]
    pub organisation: Option<Organisation>,
    /// The values.
    #[serde(skip)]
    pub body: Body,
}

/// The values of an event; which ones are there follows from the head.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Body {
    /// Inputs, outputs, items, forms, lines of a gate.
    #[serde(
        rename = "v",
        default,
        deserialize_with = "present",
        skip_serializing_if = "Option::is_none"
    )]
    pub value: Option<Arc<Value>>,
    /// A sentence: error, reason, note, title.
    #[serde(rename = "t", default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Resolved targets.
    #[serde(rename = "g", default, skip_serializing_if = "Vec::is_empty")]
    pub targets: Vec<Target>,
    /// The state before the effect.
    #[serde(
        rename = "p",
        default,
        deserialize_with = "present",
        skip_serializing_if = "Option::is_none"
    )]
    pub previous: Option<Arc<Value>>,
    /// What takes the effect back.
    #[serde(rename = "u", default, skip_serializing_if = "Option::is_none")]
    pub undo: Option<Arc<UndoCall>>,
    /// What a person fills in.
    #[serde(
        rename = "f",
        default,
        deserialize_with = "present",
        skip_serializing_if = "Option::is_none"
    )]
    pub form: Option<Arc<Value>>,
}

/// A null that was given is a value; serde alone would read it as none.
pub(crate) fn present<'de, D: serde::Deserializer<'de>>(
    from: D,
) -> Result<Option<Arc<Value>>, D::Error> {
    Value::deserialize(from).map(|value| Some(Arc::new(value)))
}

impl Event {
    /// An event without values.
    pub fn new(head: Head) -> Self {
        Self { head, organisation: None, body: Body::default() }
    }
    /// The same with a value.
    #[must_use]
    pub fn value(mut self, value: Value) -> Self {
        self.body.value = Some(Arc::new(value));
        self
    }
    /// The same with a sentence.
    #[must_use]
    pub fn text(mut self, text: impl Into<String>) -> Self {
        self.body.text = Some(text.into());
        self
    }
}

impl From<Head> for Event {
    fn from(head: Head) -> Self {
        Self::new(head)
    }
}
