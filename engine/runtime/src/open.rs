//! Opening runs: durable before anything of them happens.

use std::sync::Arc;

use beistand_core::entry::StreamKind;
use beistand_core::model::{IncidentId, Mode, PlaybookName, RunId, Severity};
use beistand_core::playbook::{Plan, SourceText};
use beistand_core::run::{Actor, Event, Launch, Legacy, decode, launch};
use beistand_journal::{AppendError, Gate, Incident, Reader, Run, StoreError};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::drive::{self, Opening};
use crate::engine::Engine;
use crate::error::EngineError;
use crate::incidents::{NewIncident, Origin, refused, standing};
use crate::plans::{Kept, Pinned, plan_for};
use crate::repeat::Launching;

/// A run to be launched.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct NewRun {
    /// The playbook's sources, checked.
    pub sources: std::collections::BTreeMap<PlaybookName, SourceText>,
    /// Which of them is launched.
    pub playbook: PlaybookName,
    /// Its inputs.
    pub inputs: Value,
    /// In which incident; a new one is opened where absent.
    pub incident: Option<IncidentId>,
    /// The new incident's title; the playbook's where absent.
    pub title: Option<String>,
    /// Wanted mode; must be the incident's.
    pub mode: Mode,
    /// The provider's short name, for a new incident's number.
    pub short: String,
    /// The same launch with the same key gives the same run.
    pub start_key: Option<String>,
    /// Steps without a connector may fall to people.
    pub by_hand_ok: bool,
    /// The case whose people act in a drill; it is written down with the run's opening.
    #[serde(default)]
    pub case: Option<SourceText>,
    /// Who launches it.
    pub by: Actor,
}

impl Engine {
    /// Launches a run; it is durable on return, and driven if the engine drives. The same launch with
    /// the same start key gives the same run.
    ///
    /// # Errors
    /// [`EngineError::Launch`] and others, [`EngineError::Conflict`] where the start key was used for
    /// something else; then no run was opened.
    pub async fn launch(&self, new: NewRun) -> Result<RunId, EngineError> {
        let inner = &self.0;
        if let Some(run) = self.launched_before(&new).await? {
            return Ok(run);
        }
        inner.may_begin().await?;
        let pinned = Pinned { playbook: new.playbook.clone(), sources: new.sources.clone() };
        let kept = plan_for(inner, &pinned).await?;
        let incident = self.incident_for(&new, &kept.plan).await?;
        let (own, opened) = self.open_run(&new, &kept, &incident).await?;
        // Somebody else was first with the key.
        let other = if own == opened { None } else { self.launched_before(&new).await? };
        Ok(other.unwrap_or(opened))
    }

    /// The run that the same launch opened, where there is one.
    async fn launched_before(&self, new: &NewRun) -> Result<Option<RunId>, EngineError> {
        let Some(key) = &new.start_key else { return Ok(None) };
        let Some(run) = self.0.journal.reader().run_by_start_key(key).await? else {
            return Ok(None);
        };
        self.is_same_launch((key, &run), &Launching::from(new)).await?;
        Ok(Some(run.id))
    }

    async fn incident_for(&self, new: &NewRun, plan: &Plan) -> Result<Incident, EngineError> {
        let Some(id) = new.incident else {
            // An incident is not opened for a run that can not be.
            let nobody = (IncidentId::new(0, &[0; 10]), new.mode, json!({}));
            let probe = self.launch_of(new, nobody, RunId::new(0, &[0; 10]));
            launch(plan, &self.0.catalogue, &probe)?;
            let title = new.title.clone().unwrap_or_else(|| plan.parts().title.clone());
            let incident = NewIncident {
                title,
                mode: new.mode,
                severity: Severity::default(),
                tlp: plan.parts().tlp,
                short: new.short.clone(),
                by: new.by.clone(),
            };
            return match &new.start_key {
                Some(key) => self.incident_of_key(key, &incident).await,
                None => self.open_incident(&incident).await,
            };
        };
        let incident = self.0.incidents.get(&self.0.journal, id).await?;
        standing(&incident)?.admits(new.mode).map_err(|no| refused(&no))?;
        Ok(incident)
    }

    /// The incident that a launch with this key opens. It is there already where the program was
    /// killed before it opened the run, and where another launch with the key is under way.
    async fn incident_of_key(&self, key: &str, new: &NewIncident) -> Result<Incident, EngineError> {
        let (id, reader) = (self.own_incident(key)?, self.0.journal.reader());
        let found = match reader.incident(id).await? {
            Some(found) => found,
            None => match self.open_incident_as(new, id, Origin::Nothing).await {
                Err(EngineError::Append(lost @ AppendError::LostOwnership { .. })) => {
                    reader.incident(id).await?.ok_or(lost)?
                }
                opened => return opened,
            },
        };
        standing(&found)?.admits(new.mode).map_err(|no| refused(&no))?;
        Ok(found)
    }

    fn launch_of(
        &self,
        new: &NewRun,
        (incident, mode, facts): (IncidentId, Mode, Value),
        run: RunId,
    ) -> Launch {
        let setup = self.0.modes.of(mode);
        Launch {
            run,
            incident,
            mode,
            incident_facts: facts,
            by: new.by.clone(),
            inputs: new.inputs.clone(),
            bindings: setup.bindings.clone(),
            by_hand_ok: new.by_hand_ok,
            guarded: setup.setup.guarded,
            parent: None,
            more_of: None,
            supersedes: None,
            legacy: Legacy::default(),
            trace: None,
        }
    }

    /// The run that was to be opened, and the one that has its start key.
    async fn open_run(
        &self,
        new: &NewRun,
        kept: &Kept,
        incident: &Incident,
    ) -> Result<(RunId, RunId), EngineError> {
        let facts = standing(incident)?.facts();
        let now = self.0.clock.now();
        let run = self.0.chance()?.run_id(now);
        let wanted = self.launch_of(new, (incident.id, incident.mode, facts), run);
        let opened = self.begin(wanted, kept, new.start_key.clone(), new.case.as_ref()).await?;
        Ok((run, opened))
    }

    /// Opens a run that nobody called, under a trace of its own.
    pub(crate) async fn begin(
        &self,
        mut wanted: Launch,
        kept: &Kept,
        start_key: Option<String>,
        case: Option<&SourceText>,
    ) -> Result<RunId, EngineError> {
        let inner = &self.0;
        let (run, playbook) = (wanted.run, kept.plan.name());
        let span = tracing::info_span!("run", "run.id" = %run, "run.playbook" = %playbook);
        let trace = crate::effects::traceparent_of(&span);
        wanted.trace = Some(match trace {
            Some(trace) => trace,
            None => own_trace(&mut inner.chance()?),
        });
        let event = launch(&kept.plan, &inner.catalogue, &wanted)?;
        let opening = Opening {
            run,
            plan: Arc::clone(&kept.plan),
            event: with_case(event, case),
            at: inner.clock.now(),
            sources: kept.sources,
            case: case.map(|case| case.name().to_owned()),
            start_key,
            gate: Gate::UnlessStopped,
        };
        drive::open(inner, opening).await
    }
}

/// A run's opening with the case of a drill beside its inputs. No state holds it: only whoever
/// plays its people asks for it.
fn with_case(mut event: Event, case: Option<&SourceText>) -> Event {
    if let Some(case) = case
        && let Some(Value::Object(fields)) = event.body.value.as_mut().map(Arc::make_mut)
    {
        fields.insert("case".to_owned(), json!(case));
    }
    event
}

/// The case that a drill was opened with.
///
/// # Errors
/// What the store says.
pub async fn case_of(reader: &Reader, run: &Run) -> Result<Option<SourceText>, StoreError> {
    let row: Value = serde_json::from_str(&run.body).unwrap_or_default();
    if row.get("case").is_none() {
        return Ok(None);
    }
    let opening = opening_of(reader, run.id).await?;
    let case = opening.and_then(|event| event.body.value?.get("case").cloned());
    Ok(case.and_then(|case| serde_json::from_value(case).ok()))
}

/// The event that opened a run.
pub(crate) async fn opening_of(reader: &Reader, run: RunId) -> Result<Option<Event>, StoreError> {
    let Some(stream) = reader.stream(StreamKind::Run, &run.to_string()).await? else {
        return Ok(None);
    };
    let first = reader.entries(&stream, 0, 1).await?.into_iter().next();
    let events = first.and_then(|entry| decode(&entry.head, entry.body.as_deref()).ok());
    Ok(events.and_then(|(_, events)| events.into_iter().next()))
}

/// A trace of its own, so that whatever receives our calls can join them even without an exporter
/// here (W3C Trace Context, section 3.2).
fn own_trace(chance: &mut beistand_core::run::Chance) -> String {
    let (a, b, c) = (chance.ten(), chance.ten(), chance.ten());
    let trace: Vec<u8> = a.iter().chain(b.iter()).take(16).copied().collect();
    let span: Vec<u8> = c.iter().take(8).copied().collect();
    format!("00-{}-{}-01", hex::encode(trace), hex::encode(span))
}
