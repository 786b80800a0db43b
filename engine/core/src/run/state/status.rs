//! A run's status, needs and timers: what is seen from outside.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::super::event::{Actor, NeedKind, RunEnd};
use super::super::world::HoldKey;
use super::StepIx;
use crate::model::{ConnectorName, Digest, Millis, NeedId, Role, Span, words};

/// Something that waits for a person.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Need {
    /// Its id.
    pub id: NeedId,
    /// What kind.
    pub kind: NeedKind,
    /// The step.
    pub step: Option<StepIx>,
    /// Who may answer.
    pub role: Role,
    /// Votes needed.
    pub votes_needed: u32,
    /// Who said yes so far; one vote a person.
    pub votes: Vec<Actor>,
    /// Why, where they said so.
    #[serde(default)]
    pub reasons: Vec<String>,
    /// What exactly is shown.
    pub digest: Digest,
    /// Equal needs have equal groups.
    pub group: String,
    /// Since when.
    pub since: Millis,
    /// When it is escalated.
    pub until: Option<Millis>,
    /// How often that is said again.
    #[serde(default)]
    pub every: Span,
    /// When it was.
    pub escalated_at: Option<Millis>,
    /// Its title.
    pub title: String,
    /// What is shown: lines of a gate, instructions, the error.
    pub shows: Option<Arc<Value>>,
    /// What is filled in: an object schema.
    pub form: Option<Arc<Value>>,
}

/// What wakes a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Timer {
    /// The end of a backoff, a settle time or a wait.
    Step(StepIx),
    /// A step's deadline.
    Deadline(StepIx),
    /// A need's deadline.
    Need(NeedId),
}

/// What keeps a ready step from starting.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cause {
    /// The connector has no free place.
    Permit(ConnectorName),
    /// Another effect on this target is out.
    Hold(HoldKey),
    /// The run is paused, or the stop switch is on.
    Paused,
}

words! {
    /// A run's status, as pages and commands say it.
    RunStatus = "run status" {
        /// Something is in flight, ready or in backoff, or it was only just opened.
        Running = "running",
        /// All open steps wait for people, time, signals, children.
        Waiting = "waiting",
        /// A person paused it.
        Paused = "paused",
        /// It is being ended.
        Cancelling = "cancelling",
        /// It is being taken back.
        Undoing = "undoing",
        /// All went as written.
        Succeeded = "succeeded",
        /// It did not.
        Failed = "failed",
        /// A person ended it.
        Cancelled = "cancelled",
        /// It was taken back.
        Undone = "undone",
        /// A corrected playbook took over.
        Superseded = "superseded",
    }
}

impl From<RunEnd> for RunStatus {
    fn from(end: RunEnd) -> Self {
        match end {
            RunEnd::Succeeded => Self::Succeeded,
            RunEnd::Failed => Self::Failed,
            RunEnd::Cancelled => Self::Cancelled,
            RunEnd::Undone => Self::Undone,
            RunEnd::Superseded => Self::Superseded,
        }
    }
}

impl RunStatus {
    /// Whether it ended for good (it may still be undone).
    pub const fn is_ended(self) -> bool {
        self.end().is_some()
    }
    /// How it ended, once it did.
    pub const fn end(self) -> Option<RunEnd> {
        match self {
            Self::Succeeded => Some(RunEnd::Succeeded),
            Self::Failed => Some(RunEnd::Failed),
            Self::Cancelled => Some(RunEnd::Cancelled),
            Self::Undone => Some(RunEnd::Undone),
            Self::Superseded => Some(RunEnd::Superseded),
            Self::Running | Self::Waiting | Self::Paused | Self::Cancelling | Self::Undoing => None,
        }
    }
}
