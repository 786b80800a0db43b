//! A secret: it has no Debug that shows it, no Display and no Serialize; and where it comes from.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// A value that must appear nowhere but on the wire.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Arc<str>);

impl Secret {
    /// Takes over a value that was just read from its reference.
    pub fn new(value: impl Into<Arc<str>>) -> Self {
        Self(value.into())
    }
    /// The value, for the one place that puts it on the wire.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// Where a secret stands. The configuration holds references, never values.
///
/// **Shape**: `{ file: PATH }`, `{ env: NAME }` or `{ credential: NAME }` (systemd's
/// `LoadCredential=`), exactly one of them.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SecretReference {
    /// A file that holds the secret and nothing else.
    File(String),
    /// A variable of the environment.
    Env(String),
    /// A credential that the service manager hands over.
    Credential(String),
}

impl fmt::Display for SecretReference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "file {path}"),
            Self::Env(name) => write!(f, "environment variable {name}"),
            Self::Credential(name) => write!(f, "credential {name}"),
        }
    }
}

/// Why a reference gave no secret. It names the reference; there is no value to name.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("could not read the secret from {reference}: {reason}")]
pub struct SecretError {
    /// What was asked for.
    pub reference: SecretReference,
    /// What went wrong, with the way out.
    pub reason: String,
}

/// Reads secrets just before they go on the wire, so that a changed file counts at once.
pub trait Secrets: fmt::Debug + Send + Sync {
    /// The value behind a reference. May block on a small file.
    ///
    /// # Errors
    /// [`SecretError`] where there is nothing, or nothing usable.
    fn read(&self, reference: &SecretReference) -> Result<Secret, SecretError>;
}
