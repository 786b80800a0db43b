//! A run as its JSON tells it: only what drawings need, and nothing that has to be there.
//!
//! Who may not see everything is given an outline, with nothing where a value was.

use std::collections::BTreeMap;

use beistand_core::model::{Millis, Mode};
use beistand_core::run::StepStatus;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use crate::page::step_href;

/// A run.
#[derive(Debug, Clone, Default, Deserialize)]
pub(super) struct Run {
    #[serde(default, deserialize_with = "or_nothing")]
    pub(super) id: String,
    #[serde(default)]
    mode: Option<Mode>,
    #[serde(default, deserialize_with = "instant")]
    pub(super) ended_at: Option<Millis>,
    #[serde(default, deserialize_with = "or_nothing")]
    pub(super) steps: Vec<Step>,
    #[serde(default, deserialize_with = "or_nothing")]
    pub(super) needs: Vec<Need>,
    #[serde(default, deserialize_with = "or_nothing")]
    pub(super) waits: Vec<Wait>,
}

/// A step.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Step {
    pub(super) path: String,
    #[serde(default)]
    pub(super) title: Option<String>,
    #[serde(default)]
    pub(super) item: Option<String>,
    #[serde(default, deserialize_with = "or_nothing")]
    pub(super) kind: String,
    #[serde(default, deserialize_with = "status")]
    pub(super) status: Option<StepStatus>,
    #[serde(default, deserialize_with = "or_nothing")]
    pub(super) attempts: u64,
    #[serde(default, deserialize_with = "or_nothing")]
    pub(super) late: bool,
    #[serde(default, deserialize_with = "or_nothing")]
    pub(super) by_hand: bool,
    #[serde(default)]
    pub(super) counts: Option<Counts>,
    #[serde(default, deserialize_with = "instant")]
    pub(super) started_at: Option<Millis>,
    #[serde(default, deserialize_with = "instant")]
    pub(super) ended_at: Option<Millis>,
}

/// How far a loop has come.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub(super) struct Counts {
    pub(super) total: u64,
    pub(super) succeeded: u64,
    pub(super) failed: u64,
    pub(super) skipped: u64,
    pub(super) cancelled: u64,
}

/// Something that waits for people.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Need {
    #[serde(default)]
    pub(super) step: Option<String>,
    #[serde(default, deserialize_with = "or_nothing")]
    pub(super) run: String,
    #[serde(default, deserialize_with = "instant")]
    pub(super) until: Option<Millis>,
}

/// Something that waits for something else.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Wait {
    #[serde(default, deserialize_with = "or_nothing")]
    pub(super) step: String,
    #[serde(default, deserialize_with = "instant")]
    pub(super) until: Option<Millis>,
}

impl Run {
    /// Reads the JSON of `GET /runs/{id}`; nothing where it is none.
    pub(super) fn read(json: &Value) -> Option<Self> {
        Self::deserialize(json).ok()
    }

    /// Where a step's page is; nowhere where nobody says whether it is real.
    pub(super) fn href(&self, step: &Step) -> Option<String> {
        self.mode.map(|mode| step_href(mode, &self.id, &step.path))
    }

    /// Its steps by their id: those of all items of a loop under one.
    pub(super) fn by_id(&self) -> BTreeMap<&str, Vec<&Step>> {
        let mut steps: BTreeMap<&str, Vec<&Step>> = BTreeMap::new();
        for step in &self.steps {
            steps.entry(step.id()).or_default().push(step);
        }
        steps
    }
}

impl Step {
    /// The id in its plan: the last part of its path, without the number of a round.
    pub(super) fn id(&self) -> &str {
        let last = self.path.rsplit('/').next().unwrap_or_default();
        last.split_once('[').map_or(last, |(id, _)| id)
    }
}

impl Counts {
    /// How many items ended, however they did.
    pub(super) const fn ended(self) -> u64 {
        self.succeeded.saturating_add(self.failed).saturating_add(self.skipped + self.cancelled)
    }
}

/// Where there is nothing, what stands for it.
fn or_nothing<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Default + Deserialize<'de>,
{
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

/// A status of a later version has no shape here yet.
fn status<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<StepStatus>, D::Error> {
    let word: Option<String> = Option::deserialize(deserializer)?;
    Ok(word.and_then(|word| word.parse().ok()))
}

fn instant<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Millis>, D::Error> {
    let text: Option<String> = Option::deserialize(deserializer)?;
    Ok(text.and_then(|text| Millis::parse(&text).ok()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_outline_is_read_as_well_as_the_whole() {
        let outline = json!({"id": "r", "title": null, "started_at": "2026-11-21T02:11:04.120Z",
            "steps": [{"path": "a[1]/b[20]/c", "id": "c", "kind": "call", "status": "later-word",
                       "title": null, "attempts": null, "late": null, "by_hand": null,
                       "counts": null, "item": null, "ended_at": null}],
            "needs": [{"id": "n", "step": null, "run": null, "since": null}], "waits": null});
        let run = Run::read(&outline).unwrap();
        assert_eq!(run.steps[0].attempts, 0);
        assert_eq!(run.steps[0].status, None);
        assert_eq!(run.by_id().into_keys().collect::<Vec<_>>(), ["c"]);
        assert!(Run::read(&json!("x")).is_none());
    }
}
