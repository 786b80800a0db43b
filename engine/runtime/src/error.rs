//! What can go wrong, by what the caller can do about it.

use beistand_core::model::RunId;
use beistand_core::run::{AnswerError, LaunchError};
use beistand_journal::{AppendError, OpenError, StoreError};
use thiserror::Error;

/// Why the engine did not do what was asked.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum EngineError {
    /// There is no such run, incident, need or playbook.
    #[error("{0}")]
    NotFound(String),
    /// It does not fit what is true now.
    #[error("{0}")]
    Conflict(String),
    /// It is not what the asker saw any more.
    #[error("incident {number} has moved on to entry {seq}; look again")]
    Moved {
        /// The incident's number for people.
        number: String,
        /// The number of its newest entry.
        seq: u64,
    },
    /// It may not be done: no guard, not this person.
    #[error("{0}")]
    NotAllowed(String),
    /// Nothing begins now: by whom everything was stopped, and why.
    #[error("{0}")]
    Stopped(String),
    /// It wants a proof of a moment ago of who asks.
    #[error("this wants a proof of a moment ago of who you are")]
    ProveAgain,
    /// The words of the call are off.
    #[error("{0}")]
    Usage(String),
    /// The playbook of a run can not be read any more.
    #[error("the playbook of run {run} can not be read: {why}")]
    Unreadable {
        /// The run.
        run: RunId,
        /// Why.
        why: String,
    },
    /// An entry is not what an entry of its stream can be.
    #[error("entry {seq} of `{stream}`: {why}")]
    Broken {
        /// `kind:public-id`.
        stream: String,
        /// Which entry.
        seq: u64,
        /// Why.
        why: String,
    },
    /// Nothing was opened.
    #[error(transparent)]
    Launch(#[from] LaunchError),
    /// A command to a run was refused.
    #[error(transparent)]
    Answer(#[from] AnswerError),
    /// The store could not be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The store could not be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The store could not be written.
    #[error(transparent)]
    Append(#[from] AppendError),
    /// Our fault.
    #[error("{0}")]
    Internal(String),
}

impl EngineError {
    /// Whether the store may answer when it is asked again; a row without its shape stays as it is.
    pub(crate) const fn is_passing(&self) -> bool {
        matches!(self, Self::Store(error) if !matches!(error, StoreError::Damaged { .. }))
    }
}
