//! A run's status, needs and timers: what is seen from outside.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::super::event::{Actor, NeedKind, RunEnd};
use super::super::world::HoldKey;
use super::StepIx;
use crate::model::{ConnectorName, Digest, IdError, Millis, NeedId, Role, Span};

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

/// A run's status, as pages and commands say it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RunStatus {
    /// Something is in flight, ready or in backoff, or it was only just opened.
    Running,
    /// All open steps wait for people, time, signals, children.
    Waiting,
    /// A person paused it.
    Paused,
    /// It is being ended.
    Cancelling,
    /// It is being taken back.
    Undoing,
    /// All went as written.
    Succeeded,
    /// It did not.
    Failed,
    /// A person ended it.
    Cancelled,
    /// It was taken back.
    Undone,
    /// A corrected playbook took over.
    Superseded,
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

impl std::str::FromStr for RunStatus {
    type Err = IdError;
    /// A word that a newer program wrote may not be known here.
    fn from_str(text: &str) -> Result<Self, IdError> {
        let status = Self::ALL.iter().find(|status| status.as_str() == text).copied();
        status.ok_or_else(|| IdError::new("run status", text, "a status as `runs` shows it"))
    }
}

impl RunStatus {
    /// Every status, in the order of the documentation.
    pub const ALL: &'static [Self] = &[
        Self::Running,
        Self::Waiting,
        Self::Paused,
        Self::Cancelling,
        Self::Undoing,
        Self::Succeeded,
        Self::Failed,
        Self::Cancelled,
        Self::Undone,
        Self::Superseded,
    ];

    /// The word in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Waiting => "waiting",
            Self::Paused => "paused",
            Self::Cancelling => "cancelling",
            Self::Undoing => "undoing",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::Undone => "undone",
            Self::Superseded => "superseded",
        }
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_of_status_or_kind_is_that_of_its_json_and_is_read_back() {
        for status in RunStatus::ALL {
            assert_eq!(status.as_str().parse(), Ok(*status));
            assert_eq!(serde_json::json!(status), status.as_str());
        }
        for kind in NeedKind::ALL {
            assert_eq!(kind.as_str().parse(), Ok(*kind));
            assert_eq!(serde_json::json!(kind), kind.as_str());
        }
        assert!("sleeping".parse::<RunStatus>().is_err() && "wish".parse::<NeedKind>().is_err());
    }
}
