//! Grants: who holds which role, where, until when.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::model::{IdError, IncidentId, Millis, Organisation, Person, Role};

/// How far a grant reaches. In texts `instance`, `organisation:stadt-a`, `incident:01a2b3c4-…`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Reach {
    /// Everywhere.
    Instance,
    /// What is this organisation's. An incident that concerns others too is read in part and not
    /// acted in.
    Organisation(Organisation),
    /// One incident.
    Incident(IncidentId),
}

impl fmt::Display for Reach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Instance => f.write_str("instance"),
            Self::Organisation(organisation) => write!(f, "organisation:{organisation}"),
            Self::Incident(incident) => write!(f, "incident:{incident}"),
        }
    }
}

impl FromStr for Reach {
    type Err = IdError;
    fn from_str(text: &str) -> Result<Self, IdError> {
        match text.split_once(':') {
            None if text == "instance" => Ok(Self::Instance),
            Some(("organisation", name)) => name.parse().map(Self::Organisation),
            Some(("incident", id)) => id.parse().map(Self::Incident),
            Some(_) | None => Err(IdError {
                what: "reach of a grant",
                text: text.chars().take(80).collect(),
                hint: "`instance`, `organisation:NAME` or `incident:ID`",
            }),
        }
    }
}

impl TryFrom<String> for Reach {
    type Error = IdError;
    fn try_from(text: String) -> Result<Self, IdError> {
        text.parse()
    }
}

impl From<Reach> for String {
    fn from(reach: Reach) -> String {
        reach.to_string()
    }
}

/// A role that somebody holds.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Grant {
    /// Who: a person, whatever the account, or a service account.
    pub person: Person,
    /// Which role.
    pub role: Role,
    /// How far.
    pub reach: Reach,
    /// Until when; for good where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Millis>,
}

impl Grant {
    /// Whether it holds at an instant: no longer from `until` on.
    pub fn holds(&self, now: Millis) -> bool {
        self.until.is_none_or(|until| now < until)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reach_is_read_as_it_is_written() {
        for text in
            ["instance", "organisation:stadt-a", "incident:018bcfe5-6800-7707-8707-070707070707"]
        {
            assert_eq!(text.parse::<Reach>().unwrap().to_string(), text);
        }
        for wrong in ["", "Instance", "organisation:", "incident:SIT-1", "town:a", "instance:"] {
            assert!(wrong.parse::<Reach>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_grant_ends_at_its_instant() {
        let until = Some(Millis::new(10));
        let person = "anna".parse().unwrap();
        let grant = Grant { person, role: Role::Deputy, reach: Reach::Instance, until };
        assert!(grant.holds(Millis::new(9)));
        assert!(!grant.holds(Millis::new(10)));
    }
}
