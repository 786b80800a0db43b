//! What is wrong with a playbook: data with a code, a place and a hint, all of them at once.

use std::fmt::Write as _;

use serde::{Deserialize, Serialize};

use super::SourceText;
use super::hidden::is_hidden;

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

impl Finding {
    /// Whether it stands in the way of a plan.
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}

impl Severity {
    /// The word in texts and JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
        }
    }
}

/// Longest part of a source line that is shown.
const EXCERPT_MAX: usize = 120;

/// The finding as text without colour: place, code and sentence; the source line with a caret; the
/// hint. Ends with a line break.
///
/// The source line is left out where the finding is about another file.
pub fn finding_text(finding: &Finding, source: &SourceText) -> String {
    let Finding { file, line, column, severity, code, message, hint } = finding;
    let mut text = format!(
        "{file}:{line}:{column}: {severity}[{code}]: {message}\n",
        severity = severity.as_str()
    );
    let shown = (source.name() == file).then(|| source.line(*line)).flatten();
    let number = line.to_string();
    let margin = " ".repeat(number.len());
    if let Some(shown) = shown {
        // A long line is cut around the caret; tabs are shown as one blank so that it stays true.
        let at = usize::try_from(*column).unwrap_or(1).saturating_sub(1);
        let skipped = at.saturating_sub(EXCERPT_MAX / 2);
        let excerpt: String = shown
            .chars()
            .skip(skipped)
            .take(EXCERPT_MAX)
            .map(|c| match c {
                '\t' => ' ',
                c if is_hidden(c) => '\u{fffd}',
                c => c,
            })
            .collect();
        let caret = " ".repeat(at - skipped);
        let excerpt = excerpt.trim_end();
        // Writing into a String can not fail.
        _ = write!(text, "{margin} |\n{number} | {excerpt}\n{margin} | {caret}^\n");
    }
    if let Some(hint) = hint {
        _ = writeln!(text, "{margin} = hint: {hint}");
    }
    text
}
