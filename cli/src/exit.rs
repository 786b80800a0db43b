//! How a verb ends: the exit codes are a contract, and each failure is a sentence with a way out.

use std::fmt;
use std::io::ErrorKind;

use beistand_core::model::causes;
use beistand_core::playbook::{Finding, SourceText};
use beistand_core::run::{LaunchError, Missing, remedy};
use beistand_journal::{AppendError, OpenError, PostError, StoreError};
use beistand_runtime::EngineError;
use serde_json::Value;

use crate::missing::way_out;

/// The exit codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// All went well.
    Ok = 0,
    /// The run ended failed, cancelled, undone or superseded, or a case differs.
    Ended = 1,
    /// The call's words are off.
    Usage = 2,
    /// A playbook or the configuration has findings.
    Check = 3,
    /// There is no such thing.
    NotFound = 4,
    /// It may not be done.
    NotAllowed = 5,
    /// It waits for a person, or is paused.
    Waits = 6,
    /// It does not fit what is true now.
    Conflict = 7,
    /// `--timeout` passed.
    Timeout = 8,
    /// Only a part was done.
    Partly = 9,
    /// The chain is broken.
    Broken = 10,
    /// The store can not be reached, or the disk is full.
    Unreachable = 69,
    /// Our fault.
    Internal = 70,
    /// Ctrl-C.
    Interrupted = 130,
}

/// Why a verb did not do what was asked.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) exit: Exit,
    pub(crate) message: String,
    pub(crate) hint: Option<String>,
    pub(crate) causes: Vec<String>,
    /// Where it is in a file that people write, and that file.
    pub(crate) finding: Option<Box<(Finding, SourceText)>>,
}

/// The way out when the store could not be made durable.
pub(crate) const DEAD_HINT: &str =
    "nothing was begun after that; look at the disk's health, then `beistand resume`";

/// The way out while the stop switch is on; after a restore it says what it wants.
const STOPPED_HINT: &str =
    "another person lets things go on: `beistand go-on --as OTHER`; `beistand needs` says more";

/// What every verb answers.
pub(crate) type Outcome<T = Exit> = Result<T, Failure>;

impl Failure {
    pub(crate) fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self { exit, message: message.into(), hint: None, causes: Vec::new(), finding: None }
    }
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::new(Exit::Usage, message)
    }
    pub(crate) fn not_found(message: impl Into<String>) -> Self {
        Self::new(Exit::NotFound, message)
    }
    #[must_use]
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
    /// The way out, where none is known yet and it ended so.
    #[must_use]
    pub(crate) fn or_hint(mut self, exit: Exit, hint: impl FnOnce() -> String) -> Self {
        if self.exit == exit {
            self.hint.get_or_insert_with(hint);
        }
        self
    }
    /// With the place in a file, which people are shown instead.
    #[must_use]
    pub(crate) fn at(mut self, finding: Finding, source: SourceText) -> Self {
        self.finding = Some(Box::new((finding, source)));
        self
    }
    /// With the chain of causes behind an error, its own sentence left out.
    #[must_use]
    pub(crate) fn because(mut self, error: &(dyn std::error::Error + 'static)) -> Self {
        self.causes.extend(causes(error).skip(1).map(ToString::to_string));
        self
    }

    /// An answer of the store's owner that says no.
    pub(crate) fn from_answer(error: &Value) -> Self {
        let word = |name: &str| error.get(name).and_then(Value::as_str).unwrap_or_default();
        let exit = match word("kind") {
            "not-found" => Exit::NotFound,
            "conflict" => Exit::Conflict,
            "not-allowed" => Exit::NotAllowed,
            "usage" => Exit::Usage,
            "unreachable" => Exit::Unreachable,
            "broken" => Exit::Broken,
            _ => Exit::Internal,
        };
        let mut message = word("message").to_owned();
        for problem in error.get("problems").and_then(Value::as_array).into_iter().flatten() {
            let part = |name: &str| problem.get(name).and_then(Value::as_str).unwrap_or_default();
            let said = format!("`{}` {}", part("at"), part("message"));
            if !message.contains(&said) {
                message.push_str("\n  ");
                message.push_str(&said);
            }
        }
        let missing = error.get("missing").cloned().unwrap_or_default();
        let missing: Vec<Missing> = serde_json::from_value(missing).unwrap_or_default();
        let failure = Self::new(exit, message);
        if error.get("stopped").and_then(Value::as_bool).unwrap_or(false) {
            return failure.hint(STOPPED_HINT);
        }
        match remedy(&missing).map(way_out) {
            Some(hint) => failure.hint(hint),
            None => failure,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl From<EngineError> for Failure {
    #[expect(clippy::wildcard_enum_match_arm, reason = "few errors have a hint of their own")]
    fn from(error: EngineError) -> Self {
        let failure = Self::from_answer(&beistand_runtime::error_json(&error)).because(&error);
        match &error {
            EngineError::Append(AppendError::Dead(_)) => failure.hint(DEAD_HINT),
            EngineError::Broken { .. } => {
                failure.hint("`beistand verify` looks at all of the store")
            }
            _ => failure,
        }
    }
}

impl From<LaunchError> for Failure {
    fn from(error: LaunchError) -> Self {
        Self::from(EngineError::Launch(error))
    }
}

impl From<OpenError> for Failure {
    fn from(error: OpenError) -> Self {
        let exit = match &error {
            OpenError::Url(_) => Exit::Usage,
            OpenError::Missing(_) => Exit::NotFound,
            OpenError::Owned(_)
            | OpenError::Newer { .. }
            | OpenError::Outdated { .. }
            | OpenError::Older { .. }
            | OpenError::Linked { .. } => Exit::Conflict,
            OpenError::Broken(_) => Exit::Broken,
            OpenError::Unsafe(_) | OpenError::Foreign(_) => Exit::NotAllowed,
            OpenError::Store(_) | OpenError::File { .. } | OpenError::Witness { .. } | _ => {
                Exit::Unreachable
            }
        };
        let failure = Self::new(exit, error.to_string()).because(&error);
        if matches!(error, OpenError::Witness { .. }) {
            return failure.hint("name a place for it by `witness: FILE` in beistand.yaml");
        }
        failure
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        let exit = match &error {
            StoreError::Dead | StoreError::Damaged { .. } => Exit::Internal,
            StoreError::File { source, .. } if source.kind() == ErrorKind::AlreadyExists => {
                Exit::Conflict
            }
            StoreError::Database { .. } | StoreError::Full | StoreError::File { .. } | _ => {
                Exit::Unreachable
            }
        };
        Self::new(exit, error.to_string()).because(&error)
    }
}

impl From<AppendError> for Failure {
    fn from(error: AppendError) -> Self {
        Self::from(EngineError::from(error))
    }
}

impl From<PostError> for Failure {
    fn from(error: PostError) -> Self {
        let failure = Self::new(Exit::Unreachable, error.to_string()).because(&error);
        failure.hint("the command stays in the store and is answered when its owner comes back")
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self::new(Exit::Unreachable, error.to_string())
    }
}
