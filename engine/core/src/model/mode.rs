//! Small closed vocabularies: mode, roles, severity, TLP, kinds of error.

use serde::{Deserialize, Serialize};

use super::words;

words! {
    /// Whether an incident is real. Fixed when it is opened; every run inherits it.
    Mode = "mode" {
        /// The real thing (Ernstfall).
        Live = "live",
        /// A drill (Übung): nothing leaves but the drill's mail.
        Drill = "drill",
    }
    /// What a person does in an incident.
    Role = "role" {
        /// Leads the incident.
        Commander = "commander",
        /// Stands in for the commander.
        Deputy = "deputy",
        /// Votes on effects.
        Approver = "approver",
        /// Works through tasks.
        Responder = "responder",
        /// Keeps the log.
        Scribe = "scribe",
        /// Reads afterwards.
        Reviewer = "reviewer",
        /// Data protection officer.
        Dpo = "dpo",
        /// Connects products.
        Admin = "admin",
    }
    /// Traffic Light Protocol 2.0 (FIRST).
    Tlp = "TLP marking" {
        /// May be published.
        Clear = "CLEAR",
        /// The community.
        Green = "GREEN",
        /// The organisation and its clients.
        Amber = "AMBER",
        /// The organisation only.
        AmberStrict = "AMBER+STRICT",
        /// Named persons only.
        Red = "RED",
    }
    /// What kind of error ended a step, as `error.kind` says it.
    ErrorKind = "kind of error" {
        /// Surely nothing was done; it may work later.
        Unavailable = "unavailable",
        /// The service said no.
        Refused = "refused",
        /// It may have been done.
        Unknown = "unknown",
        /// The call could not be made as written.
        Invalid = "invalid",
        /// The target is on the guard list.
        Guarded = "guarded",
        /// A limit of targets was reached.
        Limit = "limit",
        /// An approver said no.
        Denied = "denied",
        /// Rounds were used up.
        Exhausted = "exhausted",
        /// More items failed than were tolerated.
        Tolerance = "tolerance",
        /// A script failed.
        Script = "script",
        /// A sub-playbook failed.
        Child = "child",
        /// A `fail` step.
        Fail = "fail",
        /// Our fault.
        Internal = "internal",
    }
}

/// How bad an incident is: 1 disruption to 4 crisis. Default 3.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "u8", into = "u8")]
pub struct Severity(u8);

impl Severity {
    /// The number, 1 to 4.
    pub const fn get(self) -> u8 {
        self.0
    }
}

impl Default for Severity {
    fn default() -> Self {
        Self(3)
    }
}

impl TryFrom<u8> for Severity {
    type Error = super::IdError;
    fn try_from(number: u8) -> Result<Self, super::IdError> {
        if (1..=4).contains(&number) {
            Ok(Self(number))
        } else {
            Err(super::IdError {
                what: "severity",
                text: number.to_string(),
                hint: "1 (disruption) to 4 (crisis)",
            })
        }
    }
}

impl From<Severity> for u8 {
    fn from(severity: Severity) -> u8 {
        severity.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_word_is_told_in_words_of_people() {
        let told = |error: crate::model::IdError| error.to_string();
        let boss = told("boss".parse::<Role>().unwrap_err());
        assert!(boss.starts_with("`boss` is no role: one of: commander deputy "), "{boss}");
        assert!(told("real".parse::<Mode>().unwrap_err()).contains("is no mode: "));
        assert!(told("PINK".parse::<Tlp>().unwrap_err()).contains("is no TLP marking: "));
    }
}
