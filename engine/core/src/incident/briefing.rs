//! What the next commander must know: an incident as it stands, as one value with one digest.
//!
//! A pure function of the incident's own state and of what its runs have open. Nothing in it changes
//! by itself: the same state gives the same digest, and another digest means that something happened.
//! How it is told to people stands in `timeline`.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Asset, IncidentNumber, IncidentState};
use crate::model::{
    ConnectorName, Digest, IncidentId, Millis, Mode, NeedId, NotCanonical, Organisation, Path,
    Person, PlaybookName, Role, RunId, Severity, Tlp, digest_of, words,
};
use crate::run::NeedKind;

/// An incident as it stands. Lists are in a fixed order; instants are texts in UTC.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Briefing {
    /// Which.
    pub incident: IncidentId,
    /// Its number for people.
    pub number: IncidentNumber,
    /// Real or not.
    pub mode: Mode,
    /// One line; empty where it was erased.
    pub title: String,
    /// How bad.
    pub severity: Severity,
    /// Who may read it.
    pub tlp: Tlp,
    /// When it was opened.
    #[serde(with = "instant")]
    pub opened_at: Millis,
    /// Whether it is over.
    pub closed: bool,
    /// Who has which role.
    pub roles: BTreeMap<Role, Person>,
    /// Who is concerned.
    pub organisations: BTreeSet<Organisation>,
    /// What it is about, by kind and name.
    pub assets: Vec<Asset>,
    /// What waits for people, oldest first.
    pub needs: Vec<OpenNeed>,
    /// What goes on, oldest first.
    pub runs: Vec<OpenRun>,
    /// How many runs ended in which way.
    pub ended: BTreeMap<String, u64>,
    /// What is cut off or locked, by target; what is on its way there or back too.
    pub holds: Vec<OpenHold>,
    /// The newest notes, oldest first.
    pub notes: Vec<Note>,
    /// Playbooks that were proposed, oldest first, and of which no run was started since.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub proposals: Vec<Proposed>,
}

/// A need that waits.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct OpenNeed {
    /// Since when.
    #[serde(with = "instant")]
    pub since: Millis,
    /// Which.
    pub id: NeedId,
    /// What is asked for.
    pub kind: NeedKind,
    /// Its title.
    pub title: String,
    /// Who is asked; anybody where absent.
    pub role: Option<Role>,
    /// Which run waits.
    pub run: Option<RunId>,
    /// At which step; the run itself where absent.
    pub step: Option<Path>,
    /// Until when.
    #[serde(with = "instant::maybe")]
    pub until: Option<Millis>,
    /// How many said yes.
    pub votes: u64,
    /// How many must.
    pub votes_needed: u64,
    /// What an answer is bound to.
    pub digest: Option<Digest>,
}

/// A run that has not ended.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct OpenRun {
    /// Since when.
    #[serde(with = "instant")]
    pub started_at: Millis,
    /// Which.
    pub id: RunId,
    /// Of which playbook.
    pub playbook: String,
    /// Its status; `running` also while it waits, for what it waits for stands elsewhere.
    pub status: String,
    /// Who asked for it.
    pub requested_by: Person,
}

words! {
    /// How far a hold is.
    Holding = "state of a hold" {
        /// The effect was asked for, of a connector or of a person. Nobody knows yet that it is done.
        Taking = "taking",
        /// The effect holds.
        Held = "held",
        /// The effect is being taken back. Nobody knows yet that it is.
        Releasing = "releasing",
    }
}

/// What a run holds.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct OpenHold {
    /// On what: `host:pc-17`.
    pub target: String,
    /// What is held: `network.isolate`.
    pub effect: String,
    /// Through what.
    pub connector: ConnectorName,
    /// By which run.
    pub run: RunId,
    /// Since when.
    #[serde(with = "instant")]
    pub since: Millis,
    /// How far it is; absent where the effect holds.
    #[serde(default = "held", skip_serializing_if = "is_held")]
    pub state: Holding,
}

const fn held() -> Holding {
    Holding::Held
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
fn is_held(state: &Holding) -> bool {
    *state == Holding::Held
}

/// A playbook that somebody, or something outside, proposes to start.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Proposed {
    /// When; of several equal ones the newest.
    #[serde(with = "instant")]
    pub at: Millis,
    /// Which.
    pub playbook: PlaybookName,
    /// Who proposes it.
    pub by: Person,
    /// Why, or the inputs that it would have, as JSON; empty where it was erased.
    pub text: String,
}

/// A note of a person.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Note {
    /// When it was written down.
    #[serde(with = "instant")]
    pub at: Millis,
    /// When it happened, where that is not then.
    #[serde(with = "instant::maybe")]
    pub happened_at: Option<Millis>,
    /// By whom.
    pub by: Person,
    /// The text; empty where it was erased.
    pub text: String,
    /// How it was in truth, where somebody corrected it since.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub corrected: Option<String>,
}

/// What the runs of an incident have open.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Around {
    /// What waits for people.
    pub needs: Vec<OpenNeed>,
    /// What goes on.
    pub runs: Vec<OpenRun>,
    /// How many ended in which way.
    pub ended: BTreeMap<String, u64>,
    /// What is held.
    pub holds: Vec<OpenHold>,
    /// Which playbooks were started when.
    pub started: Vec<(String, Millis)>,
}

impl Briefing {
    /// The briefing of an incident, in whatever order its surroundings were found.
    pub fn of(state: &IncidentState, mut around: Around) -> Self {
        around.needs.sort();
        around.runs.sort();
        around.holds.sort();
        let is_open = |proposed: &&Proposed| {
            let answers = |(playbook, at): &(String, Millis)| {
                *playbook == proposed.playbook.to_string() && *at >= proposed.at
            };
            state.closed.is_none() && !around.started.iter().any(answers)
        };
        let proposals = state.proposed.iter().filter(is_open).cloned().collect();
        Self {
            incident: state.id,
            number: state.number.clone(),
            mode: state.mode,
            title: state.title.clone(),
            severity: state.severity,
            tlp: state.tlp,
            opened_at: state.opened_at,
            closed: state.closed.is_some(),
            roles: state.roles.clone(),
            organisations: state.organisations.clone(),
            assets: state.assets().cloned().collect(),
            needs: around.needs,
            runs: around.runs,
            ended: around.ended,
            holds: around.holds,
            notes: state.notes.clone(),
            proposals,
        }
    }

    /// The value that the digest is of, and that the journal keeps.
    pub fn value(&self) -> Value {
        json!(self)
    }

    /// What an offer and its acceptance are bound to.
    ///
    /// # Errors
    /// [`NotCanonical`] for a count beyond 2^53.
    pub fn digest(&self) -> Result<Digest, NotCanonical> {
        digest_of("briefing", &self.value())
    }
}

/// What is another one between two briefings, as `needs (1 new, 2 gone), title`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Differences(Vec<String>);

impl Differences {
    /// What happened from the one to the other, as the journal keeps briefings. A line that is
    /// another one is gone, and new.
    pub fn between(earlier: &Value, later: &Value) -> Self {
        let names = |value: &Value| -> BTreeSet<String> {
            value.as_object().into_iter().flat_map(|parts| parts.keys().cloned()).collect()
        };
        let (before, after) = (names(earlier), names(later));
        let different = |name: &String| {
            let (old, new) = (lines(earlier.get(name)), lines(later.get(name)));
            let (came, went) = (new.difference(&old).count(), old.difference(&new).count());
            match (came, went) {
                (0, 0) => None,
                _ if is_list(later.get(name)) => Some(format!("{name} ({came} new, {went} gone)")),
                _ => Some(name.clone()),
            }
        };
        Self(before.union(&after).filter_map(different).collect())
    }
}

impl fmt::Display for Differences {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join(", "))
    }
}

fn is_list(value: Option<&Value>) -> bool {
    value.is_some_and(|value| value.is_array() || value.is_object())
}

/// The lines of a part of a briefing.
fn lines(part: Option<&Value>) -> BTreeSet<String> {
    match part {
        None => BTreeSet::new(),
        Some(Value::Array(items)) => items.iter().map(ToString::to_string).collect(),
        Some(Value::Object(fields)) => {
            fields.iter().map(|(name, value)| format!("{name}: {value}")).collect()
        }
        Some(single @ (Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_))) => {
            [single.to_string()].into()
        }
    }
}

/// Instants as RFC 3339 in UTC, which people and other programs can read.
mod instant {
    use serde::{Deserialize as _, Deserializer, Serializer, de::Error as _};

    use crate::model::Millis;

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
    pub(super) fn serialize<S: Serializer>(at: &Millis, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(at)
    }

    pub(super) fn deserialize<'d, D: Deserializer<'d>>(from: D) -> Result<Millis, D::Error> {
        Millis::parse(&String::deserialize(from)?).map_err(D::Error::custom)
    }

    pub(super) mod maybe {
        use serde::{Deserialize as _, Deserializer, Serializer, de::Error as _};

        use crate::model::Millis;

        #[expect(clippy::ref_option, reason = "serde's signature")]
        pub(in super::super) fn serialize<S: Serializer>(
            at: &Option<Millis>,
            to: S,
        ) -> Result<S::Ok, S::Error> {
            match at {
                Some(at) => to.collect_str(at),
                None => to.serialize_none(),
            }
        }

        pub(in super::super) fn deserialize<'d, D: Deserializer<'d>>(
            from: D,
        ) -> Result<Option<Millis>, D::Error> {
            let text = Option::<String>::deserialize(from)?;
            text.map(|text| Millis::parse(&text).map_err(D::Error::custom)).transpose()
        }
    }
}

#[cfg(test)]
pub(crate) mod tests;
