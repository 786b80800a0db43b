//! The mailbox: verbs of other processes while someone owns the store.

use std::time::Duration;

use beistand_core::model::{Millis, Person};
use thiserror::Error;

use crate::error::{OpenError, StoreError};

/// What another process asks of the owner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Command {
    /// A UUID, made by the asker.
    pub id: String,
    /// When it was asked.
    pub at: Millis,
    /// Who asks.
    pub who: Person,
    /// What it is about: a run, an incident, a need, or empty for the store.
    pub target: String,
    /// The command, JSON.
    pub body: String,
}

/// Why no answer came.
#[derive(Debug, Error)]
pub enum PostError {
    /// Nobody answered in time; the command stays and will be answered.
    #[error("the owner of the store did not answer within {0:?}")]
    NoAnswer(Duration),
    /// The store could not be read or written.
    #[error("could not reach the store")]
    Store(#[from] StoreError),
}

/// Posts commands to whoever owns the store.
#[derive(Debug)]
pub struct Mailbox {}

impl Mailbox {
    /// Opens the store for posting; takes no lock.
    pub async fn open(_url: &str) -> Result<Self, OpenError> {
        Err(OpenError::Store(StoreError::Dead))
    }
    /// Posts a command; durable on return. The same id twice is one command.
    pub async fn post(&mut self, _command: &Command) -> Result<(), StoreError> {
        Err(StoreError::Dead)
    }
    /// Waits for the answer, looking every 20 ms.
    pub async fn answer(&mut self, _id: &str, wait: Duration) -> Result<String, PostError> {
        Err(PostError::NoAnswer(wait))
    }
}
