//! What a run was launched with, and its numbers.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::super::event::{Actor, Earlier, Parent};
use super::super::legacy::Legacy;
use crate::model::{ConnectorName, Digest, IncidentId, Millis, Mode, PlaybookName, RunId};

/// The number of a step in its run; rises in the order of becoming ready.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct StepIx(pub(crate) u32);

/// The number of a list of steps in its run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SeqIx(pub(crate) u32);

/// What a run was launched with.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Opened {
    /// The run.
    pub run: RunId,
    /// Of which playbook.
    pub playbook: PlaybookName,
    /// The plan digest.
    pub digest: Digest,
    /// Real or not.
    pub mode: Mode,
    /// In which incident.
    pub incident: IncidentId,
    /// Who launched it.
    pub by: Actor,
    /// Steps without a connector may fall to people.
    pub by_hand_ok: bool,
    /// The run that called this one.
    pub parent: Option<Parent>,
    /// The run of the same plan that this one is for more items of.
    #[serde(default)]
    pub more_of: Option<Earlier>,
    /// The run that this one supersedes.
    #[serde(default)]
    pub supersedes: Option<Earlier>,
    /// What it takes over.
    #[serde(default, skip_serializing_if = "Legacy::is_empty")]
    pub legacy: Legacy,
    /// W3C trace context.
    pub trace: Option<String>,
    /// When.
    pub at: Millis,
    /// Inputs, with defaults filled in.
    pub inputs: Arc<Value>,
    /// The incident's facts, frozen at launch.
    pub incident_facts: Arc<Value>,
    /// Which connector does what, pinned at launch.
    pub bindings: Vec<Binding>,
}

/// Which connector does what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Binding {
    /// The capability.
    pub capability: String,
    /// Only for this slot.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slot: Option<String>,
    /// Only for targets of this organisation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organisation: Option<crate::model::Organisation>,
    /// Only for targets with an address in this range.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub range: Option<String>,
    /// Who does it.
    pub connector: ConnectorName,
}

impl Binding {
    /// For every target and without a slot.
    pub fn any(capability: impl Into<String>, connector: ConnectorName) -> Self {
        let capability = capability.into();
        Self { capability, slot: None, organisation: None, range: None, connector }
    }
}
