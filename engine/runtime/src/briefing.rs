//! An incident with all that its runs have open, read as one state of the store.

use std::collections::BTreeMap;

use beistand_core::incident::{
    Around, Briefing, Head, Holding, IncidentState, OpenHold, OpenNeed, OpenRun,
};
use beistand_core::model::{Digest, IncidentId, LineId};
use beistand_core::run::RunStatus;
use beistand_journal::{HoldState, Need, NeedFilter, Page, Reader, Run, RunFilter};
use serde_json::Value;

use crate::entries::each_after;
use crate::error::EngineError;

/// Runs of one incident: more than a provider starts in months.
const RUNS_MAX: u32 = 100_000;

/// An incident as it stands.
#[derive(Debug, Clone)]
pub struct Briefed {
    /// What its entries say of it.
    pub state: IncidentState,
    /// The number of its newest entry.
    pub seq: u64,
    /// What the next commander must know.
    pub briefing: Briefing,
    /// Its digest.
    pub digest: Digest,
}

/// Reads an incident and all that its runs have open, whoever writes meanwhile.
///
/// # Errors
/// [`EngineError::NotFound`]; [`EngineError::Store`]; [`EngineError::Internal`] where its entries
/// contradict each other.
pub async fn brief(reader: &Reader, incident: IncidentId) -> Result<Briefed, EngineError> {
    let reader = reader.steady().await?;
    let (state, seq) = fold_incident(&reader, incident).await?;
    let filter = RunFilter { incident: Some(incident), ..RunFilter::default() };
    let rows = reader.runs(&filter, Page::first(RUNS_MAX)).await?;
    let runs: Vec<Run> = rows.into_iter().map(|(_, run)| run).collect();
    let filter = NeedFilter { incident: Some(incident), ..NeedFilter::default() };
    let needs = reader.needs(&filter).await?;
    let ours = |run| runs.iter().any(|row| row.id == run);
    let holds = reader.holds(None).await?.into_iter().filter(|hold| ours(hold.key.run));
    let holds = holds.map(|hold| OpenHold {
        target: hold.key.target,
        effect: hold.key.effect,
        connector: hold.key.connector,
        run: hold.key.run,
        since: hold.since,
        state: match hold.state {
            HoldState::Taking => Holding::Taking,
            HoldState::Held => Holding::Held,
            HoldState::Releasing => Holding::Releasing,
        },
    });
    let mut around = Around {
        needs: needs.into_iter().map(open_need).collect(),
        holds: holds.collect(),
        ..Around::default()
    };
    for run in runs.into_iter().filter(|run| run.parent.is_none()) {
        around.started.push((run.playbook.clone(), run.started_at));
        match run.ended_at {
            Some(_) => *around.ended.entry(run.status).or_default() += 1,
            None => around.runs.push(open_run(run)),
        }
    }
    let briefing = Briefing::of(&state, around);
    let digest = briefing.digest().map_err(|error| EngineError::Internal(error.to_string()))?;
    Ok(Briefed { state, seq, briefing, digest })
}

/// An incident from its first entry on, and the number of the newest.
async fn fold_incident(
    reader: &Reader,
    incident: IncidentId,
) -> Result<(IncidentState, u64), EngineError> {
    let missing = || EngineError::NotFound(format!("there is no incident {incident}"));
    let (mut events, mut newest) = (Vec::new(), 0);
    let mut noted: Vec<LineId> = Vec::new();
    let mut corrected: BTreeMap<LineId, String> = BTreeMap::new();
    let is_there = each_after(reader, incident, 0, |entry| {
        for (event, number) in entry.events.into_iter().zip(1..) {
            if let Head::NoteAdded { .. } = &event.head {
                noted.push(LineId::new(entry.id, number));
            }
            if let Head::LineCorrected { line, .. } = &event.head {
                corrected.insert(*line, event.body.text.clone().unwrap_or_default());
            }
            events.push((event, entry.at));
        }
        newest = entry.seq;
    });
    if !is_there.await? {
        return Err(missing());
    }
    let state = IncidentState::fold(events.iter().map(|(event, at)| (event, *at)));
    let mut state = state.map_err(|error| EngineError::Internal(error.to_string()))?;
    // Only the newest notes are kept: from the end on, each is that of its line.
    for (note, line) in state.notes.iter_mut().rev().zip(noted.iter().rev()) {
        note.corrected = corrected.get(line).cloned();
    }
    Ok((state, newest))
}

fn open_need(need: Need) -> OpenNeed {
    let body: BTreeMap<String, Value> = serde_json::from_str(&need.body).unwrap_or_default();
    let count = |name: &str| body.get(name).and_then(Value::as_u64).unwrap_or_default();
    let title = body.get("title").and_then(Value::as_str).unwrap_or_default().to_owned();
    OpenNeed {
        since: need.since,
        id: need.id,
        kind: need.kind,
        title,
        role: need.role,
        run: need.run,
        step: need.step,
        until: need.until,
        votes: count("votes"),
        votes_needed: count("votes_needed"),
        digest: need.digest,
    }
}

fn open_run(run: Run) -> OpenRun {
    // A run that works waits every other moment; what it waits for people stands in its needs.
    let waits = run.status == RunStatus::Waiting.as_str();
    let status = if waits { RunStatus::Running.as_str().to_owned() } else { run.status };
    OpenRun {
        started_at: run.started_at,
        id: run.id,
        playbook: run.playbook,
        status,
        requested_by: run.requested_by,
    }
}
