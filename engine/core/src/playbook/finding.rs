//! What is wrong with a playbook: data with a code, a place and a hint, all of them at once.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::model::words;

words! {
    /// Whether a finding stands in the way.
    Severity = "severity of a finding" {
        /// There will be no plan.
        Error = "error",
        /// The plan stands; a person should look.
        Warning = "warning",
    }
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

/// One line for logs and for texts that carry another's words: place, code, sentence, hint. How a
/// person at a terminal sees it, with the source line, is the command line's business.
impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, line, column, severity, code, message, hint } = self;
        write!(f, "{file}:{line}:{column}: {}[{code}]: {message}", severity.as_str())?;
        hint.as_ref().map_or(Ok(()), |hint| write!(f, " ({hint})"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_finding_is_one_line_where_there_is_no_room_for_its_source() {
        let finding = Finding {
            file: "a.yaml".to_owned(),
            line: 3,
            column: 1,
            severity: Severity::Error,
            code: "unknown-key".to_owned(),
            message: "a playbook has no key `titel`".to_owned(),
            hint: Some("did you mean `title`?".to_owned()),
        };
        let said =
            "a.yaml:3:1: error[unknown-key]: a playbook has no key `titel` (did you mean `title`?)";
        assert_eq!(finding.to_string(), said);
    }
}
