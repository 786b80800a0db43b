//! What an incident is about: hosts, accounts, lines, and how far each is cleared.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::model::{IdError, Organisation, TargetKind};

/// How an asset stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AssetState {
    /// It may be concerned.
    Suspected,
    /// It is.
    Affected,
    /// It is, and can do no more harm.
    Contained,
    /// It is clean.
    Cleared,
}

impl AssetState {
    /// Every state, from the first suspicion on.
    pub const ALL: &'static [Self] =
        &[Self::Suspected, Self::Affected, Self::Contained, Self::Cleared];

    /// The word in files, journal and JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Suspected => "suspected",
            Self::Affected => "affected",
            Self::Contained => "contained",
            Self::Cleared => "cleared",
        }
    }
}

impl fmt::Display for AssetState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for AssetState {
    type Err = IdError;
    fn from_str(text: &str) -> Result<Self, IdError> {
        Self::ALL.iter().copied().find(|state| state.as_str() == text).ok_or_else(|| IdError {
            what: "asset state",
            text: text.chars().take(80).collect(),
            hint: "one of: suspected affected contained cleared",
        })
    }
}

/// Something an incident is about, in its newest state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asset {
    /// What kind of thing.
    pub kind: TargetKind,
    /// Its name or address.
    pub value: String,
    /// Whose it is, where known.
    pub organisation: Option<Organisation>,
    /// How it stands.
    pub state: AssetState,
}
