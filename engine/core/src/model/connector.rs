//! What a connector offers, what it is asked, and what it may answer.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use thiserror::Error;

use super::{ActionName, Direction, IdempotencyKey, Mode, Span, Target};

/// May an effect be sent again when its outcome is not known?
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EffectClass {
    /// It changes nothing: yes.
    Read,
    /// Twice is like once, with the same key: yes.
    Idempotent,
    /// Only after its probe answered "not done", and not before the settle time.
    Checkable,
    /// Never by the program.
    Once,
}

/// How far an effect is known to have come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Reached {
    /// The service took the order.
    Accepted,
    /// The service says that it is done.
    Effective,
    /// An independent look confirmed it.
    Verified,
}

/// What one connector kind offers for one action of the catalogue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Offer {
    /// The action.
    pub action: ActionName,
    /// May it be sent again?
    pub class: EffectClass,
    /// The furthest it can confirm.
    pub reach: Reached,
    /// How long after a lost answer a probe may be believed.
    pub settle: Span,
}

/// A connector kind: what it is called, what it needs, what it can do.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ConnectorSpec {
    /// The `kind` in the configuration.
    pub kind: String,
    /// One sentence.
    pub title: String,
    /// The vendor's page or the standard, by section.
    pub source: String,
    /// What it can do.
    pub offers: Vec<Offer>,
}

impl ConnectorSpec {
    /// The offer for an action.
    pub fn offer(&self, action: &ActionName) -> Option<&Offer> {
        self.offers.iter().find(|offer| offer.action == *action)
    }
}

/// One effect, ready to be sent. Its intent is durable.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Call {
    /// What to do.
    pub action: ActionName,
    /// Whether it is done or taken back.
    pub direction: Direction,
    /// The same effect has the same key, whoever sends it.
    pub key: IdempotencyKey,
    /// Live or drill; a live connector refuses a drill's call.
    pub mode: Mode,
    /// The rendered arguments.
    pub arguments: Value,
    /// The resolved targets.
    pub targets: Vec<Target>,
    /// For an undo: the state before the effect.
    pub previous: Option<Value>,
    /// How long to wait for the answer.
    pub timeout: Span,
    /// W3C trace context of the attempt.
    pub traceparent: Option<String>,
}

/// A good answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Answer {
    /// The action's output.
    pub output: Value,
    /// How far it is known to have come.
    pub reached: Reached,
}

/// What a probe found out about an effect whose answer was lost.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Probed {
    /// It was done; this is its output.
    Done(Answer),
    /// It was surely not done and will not be.
    NotDone,
    /// It can not be told.
    Unknown,
}

/// Why a call failed, in the words of what to do about it.
///
/// "No answer" is `Unknown`. Whoever says `Unavailable` must be sure that nothing was done.
#[derive(Debug, Clone, PartialEq, Eq, Error, Serialize, Deserialize)]
#[serde(tag = "error", rename_all = "lowercase")]
pub enum CallError {
    /// Surely nothing was done; the same call may work later.
    #[error("{message}")]
    Unavailable {
        /// A sentence without secrets.
        message: String,
        /// The service's own wish when to come back.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        retry_after: Option<Span>,
    },
    /// The service said no; asking again will not help.
    #[error("{message}")]
    Refused {
        /// A sentence without secrets.
        message: String,
    },
    /// The call went out and no clear answer came: it may have been done.
    #[error("{message}")]
    Unknown {
        /// A sentence without secrets.
        message: String,
    },
    /// The call can not be made as it is written; nothing was sent.
    #[error("{message}")]
    Invalid {
        /// A sentence without secrets.
        message: String,
    },
}

impl CallError {
    /// Surely nothing was done.
    pub fn unavailable(message: impl Into<String>) -> Self {
        Self::Unavailable { message: message.into(), retry_after: None }
    }
    /// The service said no.
    pub fn refused(message: impl Into<String>) -> Self {
        Self::Refused { message: message.into() }
    }
    /// It may have been done.
    pub fn unknown(message: impl Into<String>) -> Self {
        Self::Unknown { message: message.into() }
    }
    /// It can not be sent like this.
    pub fn invalid(message: impl Into<String>) -> Self {
        Self::Invalid { message: message.into() }
    }
}
