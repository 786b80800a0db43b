//! What is wrong with a playbook: data with a code, a place and a hint, all of them at once.

use serde::{Deserialize, Serialize};

/// Whether a finding stands in the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// There will be no plan.
    Error,
    /// The plan stands; a person should look.
    Warning,
}

/// One fault of a playbook. The JSON form is a contract.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Finding {
    /// The file's name.
    pub file: String,
    /// From 1.
    pub line: u32,
    /// From 1, in characters.
    pub column: u32,
    /// Whether it stands in the way.
    pub severity: Severity,
    /// Stable short name: `unknown-key`.
    pub code: String,
    /// A sentence without a full stop.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
}
