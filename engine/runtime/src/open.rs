//! Opening incidents and runs: durable before anything of them happens.

use std::sync::Arc;

use beistand_core::entry::StreamKind;
use beistand_core::incident::{self, IncidentNumber};
use beistand_core::model::{
    EntryId, IncidentId, Mode, Organisation, PlaybookName, RunId, Severity, Tlp,
};
use beistand_core::playbook::Plan;
use beistand_core::run::{Actor, Launch, RunState, encode, launch};
use beistand_journal::{Append, AppendError, Change, Guard, Incident, Next, Refusal, To};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::drive::Start;
use crate::engine::{Drive, Engine};
use crate::error::EngineError;
use crate::load::Loaded;
use crate::plans::{Kept, Pinned, plan_for};
use crate::rows::run_row;

/// An incident to be opened.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct NewIncident {
    /// One line.
    pub title: String,
    /// Real or not.
    pub mode: Mode,
    /// 1 disruption to 4 crisis.
    pub severity: Severity,
    /// Who may read it.
    pub tlp: Tlp,
    /// The provider's short name, for the number.
    pub short: String,
    /// Who opens it.
    pub by: Actor,
}

/// A run to be launched.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct NewRun {
    /// The playbook's sources, checked.
    pub sources: std::collections::BTreeMap<PlaybookName, beistand_core::playbook::SourceText>,
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
    /// The same key gives the same run.
    pub start_key: Option<String>,
    /// Steps without a connector may fall to people.
    pub by_hand_ok: bool,
    /// Who launches it.
    pub by: Actor,
}

/// So often a number is tried when another process opens incidents too.
const NUMBERS_TRIED: u32 = 20;

impl Engine {
    /// Opens an incident; it is durable on return.
    ///
    /// # Errors
    /// [`EngineError::Append`] when the store does not take it.
    pub async fn open_incident(&self, new: &NewIncident) -> Result<Incident, EngineError> {
        let inner = &self.0;
        let now = inner.clock.now();
        let mut chance = inner.chance()?;
        let id = IncidentId::new(u64::try_from(now.get()).unwrap_or(0), &chance.ten());
        let year = now.to_string().get(..4).and_then(|year| year.parse().ok()).unwrap_or(1970);
        let number_of = |counter| {
            IncidentNumber::new(&new.short, year, counter, new.mode)
                .map_err(|error| EngineError::Usage(error.to_string()))
        };
        let first = number_of(1)?.to_string();
        let prefix = first.trim_end_matches(|c: char| c.is_ascii_digit()).to_owned();
        for _ in 0..NUMBERS_TRIED {
            let last = inner.journal.reader().incident_number(&prefix).await?;
            let next = last
                .and_then(|number| number.parse::<IncidentNumber>().ok())
                .map_or(1, |n| n.counter() + 1);
            let number = number_of(next)?;
            let opened = incident::Head::IncidentOpened {
                incident: id,
                number: number.clone(),
                mode: new.mode,
                severity: new.severity,
                tlp: new.tlp,
            };
            let event = incident::Event::new(opened, new.by.clone()).text(new.title.clone());
            let entry = EntryId::new(u64::try_from(now.get()).unwrap_or(0), &chance.ten());
            let (head, body) = incident::encode(entry, &[event]);
            let row = Incident {
                id,
                number: number.to_string(),
                mode: new.mode,
                title: new.title.clone(),
                severity: new.severity,
                tlp: new.tlp,
                organisation: None::<Organisation>,
                opened_at: now,
                closed_at: None,
                body: "{}".to_owned(),
            };
            let mut append =
                Append::new(To::New { kind: StreamKind::Incident, id: id.to_string() }, now, head)
                    .next(Next::Release { due: None })
                    .guard(Guard::NumberFree { number: number.to_string() })
                    .change(Change::PutIncident(Box::new(row.clone())));
            append.body = body;
            match inner.journal.append(append).await {
                Ok(_) => return Ok(row),
                Err(AppendError::Refused(Refusal::NumberTaken)) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(EngineError::Conflict("no incident number was free; try again".to_owned()))
    }

    /// Launches a run; it is durable on return, and driven if the engine drives. The same start key
    /// gives the same run.
    ///
    /// # Errors
    /// [`EngineError::Launch`] and others; then nothing was opened.
    pub async fn launch(&self, new: NewRun) -> Result<RunId, EngineError> {
        let inner = &self.0;
        let reader = inner.journal.reader();
        if let Some(key) = &new.start_key
            && let Some(run) = reader.run_by_start_key(key).await?
        {
            return Ok(run.id);
        }
        // What memory does not know yet is found in the transaction that opens the run.
        if inner.is_stopped() {
            return Err(EngineError::NotAllowed(
                "the stop switch is on: no new run begins".to_owned(),
            ));
        }
        let pinned = Pinned { playbook: new.playbook.clone(), sources: new.sources.clone() };
        let kept = plan_for(inner, &pinned).await?;
        let incident = self.incident_for(&new, &kept.plan).await?;
        self.open_run(&new, &kept, &incident).await
    }

    async fn incident_for(&self, new: &NewRun, plan: &Plan) -> Result<Incident, EngineError> {
        let now = self.now();
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
            return self.open_incident(&incident).await;
        };
        let found = self.0.journal.reader().incident(id).await?;
        let incident =
            found.ok_or_else(|| EngineError::NotFound(format!("there is no incident {id}")))?;
        if incident.mode != new.mode {
            return Err(EngineError::Conflict(format!(
                "incident {} is {}, the run would be {}",
                incident.number, incident.mode, new.mode
            )));
        }
        if incident.closed_at.is_some_and(|at| at <= now) {
            return Err(EngineError::Conflict(format!("incident {} is closed", incident.number)));
        }
        Ok(incident)
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
            trace: None,
        }
    }

    async fn open_run(
        &self,
        new: &NewRun,
        kept: &Kept,
        incident: &Incident,
    ) -> Result<RunId, EngineError> {
        let (inner, plan, sources) = (&self.0, &kept.plan, kept.sources);
        let now = inner.clock.now();
        let mut chance = inner.chance()?;
        let run = chance.run_id(now);
        let facts = json!({
            "id": incident.id,
            "number": incident.number,
            "title": incident.title,
            "severity": incident.severity,
            "tlp": incident.tlp,
            "mode": incident.mode,
            "opened_at": incident.opened_at.to_string(),
        });
        let mut wanted = self.launch_of(new, (incident.id, incident.mode, facts), run);
        let span = tracing::info_span!("run", "run.id" = %run, "run.playbook" = %new.playbook);
        wanted.trace =
            Some(crate::effects::traceparent_of(&span).unwrap_or_else(|| own_trace(&mut chance)));
        let event = launch(plan, &inner.catalogue, &wanted)?;
        let state = RunState::open(&event, now)
            .map_err(|error| EngineError::Internal(error.to_string()))?;
        let id = EntryId::new(u64::try_from(now.get()).unwrap_or(0), &chance.ten());
        let (head, body) = encode(id, &[event]);
        let drives = inner.drive == Drive::Yes && !inner.is_leaving();
        let next = if drives { Next::Keep } else { Next::Release { due: Some(now) } };
        let mut append =
            Append::new(To::New { kind: StreamKind::Run, id: run.to_string() }, now, head)
                .next(next)
                .unless_stopped()
                .change(Change::PutRun(Box::new(run_row(&state, sources, new.start_key.clone()))));
        append.body = body;
        if let Some(key) = &new.start_key {
            append = append.guard(Guard::StartKeyFree { key: key.clone() });
        }
        let appended = match inner.journal.append(append).await {
            Ok(appended) => appended,
            Err(AppendError::Refused(Refusal::Started { run })) => return Ok(run),
            Err(error) => return Err(error.into()),
        };
        inner.plans.put(plan);
        if drives {
            let status = state.status().as_str().to_owned();
            let loaded =
                Loaded { plan: Arc::clone(plan), state, status, entries: 1, restored: false };
            inner.spawn_with(run, Start::Opened(Box::new(loaded), appended.lease), Vec::new());
        }
        Ok(run)
    }
}

/// A trace of its own, so that whatever receives our calls can join them even without an exporter
/// here (W3C Trace Context, section 3.2).
fn own_trace(chance: &mut beistand_core::run::Chance) -> String {
    let (a, b, c) = (chance.ten(), chance.ten(), chance.ten());
    let trace: Vec<u8> = a.iter().chain(b.iter()).take(16).copied().collect();
    let span: Vec<u8> = c.iter().take(8).copied().collect();
    format!("00-{}-{}-01", hex::encode(trace), hex::encode(span))
}
