//! A launch that is asked for again: the same start key gives the same run, and only for the same
//! launch.
//!
//! Whoever does not know whether a launch arrived sends it once more, word for word, and is led to the
//! run. Whoever sends something else under a key that was used would take a run for theirs that does
//! something else. What differs is said in kind; the earlier launch's values are not told.
//!
//! A launch that opens an incident does so in a commit of its own. That incident's id is made of the
//! start key: a program that was killed between the two finds it again.

use std::ops::Range;

use beistand_core::model::{Digest, IncidentId, Mode, PlaybookName, canonical, digest_of};
use beistand_core::playbook::SourceText;
use beistand_core::run::{Event, Head};
use beistand_journal::Run;
use serde_json::{Value, json};

use crate::engine::Engine;
use crate::entries::first;
use crate::error::EngineError;
use crate::load::known_plan;
use crate::open::{NewRun, opening_of};

/// What is asked of a launch, as far as another one under the same start key must ask it too.
#[derive(Debug, Clone, Copy)]
pub struct Launching<'a> {
    /// Which playbook; it may stand otherwise on the shelf by now.
    pub playbook: &'a PlaybookName,
    /// Its inputs, as they were given.
    pub inputs: &'a Value,
    /// In which incident; a new one where absent.
    pub incident: Option<IncidentId>,
    /// The new incident's title; the playbook's where absent.
    pub title: Option<&'a str>,
    /// For real or not.
    pub mode: Mode,
    /// Steps without a connector may fall to people.
    pub by_hand_ok: bool,
    /// The case whose people act in a drill.
    pub case: Option<&'a SourceText>,
}

/// In what something that is asked for differs from what was asked for under its start key before.
#[derive(Debug, Default)]
pub(crate) struct Other(Vec<&'static str>);

impl<'a> From<&'a NewRun> for Launching<'a> {
    fn from(new: &'a NewRun) -> Self {
        Self {
            playbook: &new.playbook,
            inputs: &new.inputs,
            incident: new.incident,
            title: new.title.as_deref(),
            mode: new.mode,
            by_hand_ok: new.by_hand_ok,
            case: new.case.as_ref(),
        }
    }
}

impl Engine {
    /// Whether the run that was launched with a start key is what is asked for now.
    ///
    /// # Errors
    /// [`EngineError::Conflict`] that names what is asked for otherwise.
    pub async fn is_same_launch(
        &self,
        (key, run): (&str, &Run),
        asked: &Launching<'_>,
    ) -> Result<(), EngineError> {
        let opening = opening_of(self.0.journal.reader(), run.id).await?;
        let Some(opening) = opening else {
            return Err(EngineError::Internal(format!("run {} has no opening", run.id)));
        };
        let Head::RunOpened { by_hand_ok, more_of, .. } = &opening.head else {
            return Err(EngineError::Internal(format!("the first entry of {} opens none", run.id)));
        };
        if more_of.is_some() {
            let text = "this start key was used for more items of a run, and not for a launch";
            return Err(EngineError::Conflict(text.to_owned()));
        }
        let own = self.own_incident(key)?;
        let mut other = Other::default();
        other.note(run.playbook != asked.playbook.as_str(), "playbook");
        other.note(run.mode != asked.mode, "mode");
        other.note(run.incident != asked.incident.unwrap_or(own), "incident");
        other.note(*by_hand_ok != asked.by_hand_ok, "by_hand_ok");
        // What was erased can not be compared any more.
        let kept = opening.body.value.is_some();
        other.note(kept && given(&opening, "case") != json!(asked.case), "case");
        // Of another playbook, neither inputs nor title say anything.
        if run.playbook == asked.playbook.as_str() {
            let plan = known_plan(&self.0, run).await?;
            let mut inputs = if asked.inputs.is_null() { json!({}) } else { asked.inputs.clone() };
            plan.parts().inputs.fill(&mut inputs);
            other.note(kept && !is_same(&given(&opening, "inputs"), &inputs), "inputs");
            let title = asked.title.unwrap_or(&plan.parts().title);
            let opened_as = if run.incident == own && asked.incident.is_none() {
                self.opened_as(own).await?
            } else {
                None
            };
            other.note(opened_as.is_some_and(|before| before != title), "title");
        }
        other.refused("a launch of")
    }

    /// The incident that a launch with this key opens, where it names none.
    pub(crate) fn own_incident(&self, key: &str) -> Result<IncidentId, EngineError> {
        self.incident_of("start-key", key)
    }

    /// The incident that is opened for one thing and no other, so that nobody's key takes the place of
    /// what is no key. A repeat comes at another time, so the id's own is that of the store; no other
    /// store makes the same.
    pub(crate) fn incident_of(&self, why: &str, key: &str) -> Result<IncidentId, EngineError> {
        let store = self.0.journal.meta().store;
        let digest = digest_of(why, &json!([store, key]));
        let digest = digest.map_err(|error| EngineError::Internal(error.to_string()))?;
        let made = store.as_bytes().iter().take(6);
        let made = made.fold(0, |time: u64, byte| (time << 8) | u64::from(*byte));
        Ok(IncidentId::new(made, &ten_of(&digest, 0..10)))
    }

    /// The title that an incident was opened under; nothing where that was erased.
    async fn opened_as(&self, id: IncidentId) -> Result<Option<String>, EngineError> {
        let first = first(self.0.journal.reader(), id).await?;
        let event = first.and_then(|first| first.events.into_iter().next());
        Ok(event.and_then(|event| event.body.text))
    }
}

impl Other {
    /// Something of this kind was asked for too; it may be another.
    pub(crate) fn note(&mut self, differs: bool, kind: &'static str) {
        if differs {
            self.0.push(kind);
        }
    }

    /// Refuses what differs: the key was used for this, of or with something else.
    pub(crate) fn refused(&self, used_for: &str) -> Result<(), EngineError> {
        if self.0.is_empty() {
            return Ok(());
        }
        let kinds: Vec<String> = self.0.iter().map(|kind| format!("`{kind}`")).collect();
        let kinds = kinds.join(", ");
        Err(EngineError::Conflict(format!("this start key was used for {used_for} other {kinds}")))
    }
}

/// What a run was opened with under this name.
pub(crate) fn given(opening: &Event, name: &str) -> Value {
    let body = opening.body.value.as_deref();
    body.and_then(|body| body.get(name)).cloned().unwrap_or_default()
}

/// Ten bytes of a digest, for an id that is the same whenever it is made; nought where it has none.
pub(crate) fn ten_of(digest: &Digest, bytes: Range<usize>) -> [u8; 10] {
    let mut ten = [0; 10];
    let from = digest.as_bytes().get(bytes).unwrap_or_default();
    for (to, from) in ten.iter_mut().zip(from) {
        *to = *from;
    }
    ten
}

/// The same value, however its numbers are written.
pub(crate) fn is_same(one: &Value, other: &Value) -> bool {
    match (canonical(one), canonical(other)) {
        (Ok(one), Ok(other)) => one == other,
        (Ok(_) | Err(_), _) => false,
    }
}
