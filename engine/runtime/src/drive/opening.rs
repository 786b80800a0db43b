//! Opening a run: its opening and what its first turn decides are one entry.

use std::collections::btree_map::Entry;
use std::sync::Arc;

use beistand_core::entry::StreamKind;
use beistand_core::model::{Digest, Millis, RunId};
use beistand_core::playbook::Plan;
use beistand_core::run::{Decision, Event, Input, RunState};
use beistand_journal::{Append, AppendError, Change, Gate, Guard, Refusal, Run, To};
use serde_json::json;
use tokio::sync::{mpsc, oneshot};

use super::{Driver, Job, Ownership, forget};
use crate::engine::{INBOX_MAX, Inner, lock};
use crate::error::EngineError;
use crate::load::Loaded;
use crate::permits::Taken;

/// A run that is to be opened.
#[derive(Debug)]
pub(crate) struct Opening {
    pub(crate) run: RunId,
    pub(crate) plan: Arc<Plan>,
    /// The event that opens it.
    pub(crate) event: Event,
    /// When it is opened, and its first turn decided.
    pub(crate) at: Millis,
    /// Where the playbook's sources are kept.
    pub(crate) sources: Digest,
    /// The name of a drill's case.
    pub(crate) case: Option<String>,
    /// The same key gives the same run.
    pub(crate) start_key: Option<String>,
    /// Whether the stop switch refuses it as a whole. It never refuses the run of a sub-playbook,
    /// whose caller goes on already: only what that would do.
    pub(crate) gate: Gate,
}

/// A run whose opening is durable, and what follows from it.
struct Opened {
    driver: Driver,
    decision: Decision,
    taken: Taken,
    leaves: bool,
}

/// Opens a run; it is durable on return, and driven if the engine drives. The answer is the run that
/// was opened with the same start key, where there is one.
///
/// The run's own task does all of it: who stops waiting leaves no run behind that nobody drives, and
/// if it breaks, the program ends and begins again from what is durable.
///
/// # Errors
/// [`EngineError::Append`] when the store does not take it; then nothing was opened.
pub(crate) async fn open(inner: &Arc<Inner>, opening: Opening) -> Result<RunId, EngineError> {
    let (told, answer) = oneshot::channel();
    let run = opening.run;
    inner.watch(run, opened(Arc::clone(inner), Arc::new(opening), told));
    let answer = answer.await;
    if let Ok(Err(EngineError::Append(AppendError::Refused(Refusal::Started { run })))) = answer {
        return Ok(run);
    }
    answer.unwrap_or_else(|_| Err(EngineError::Internal(format!("run {run} broke down"))))
}

async fn opened(
    inner: Arc<Inner>,
    opening: Arc<Opening>,
    told: oneshot::Sender<Result<RunId, EngineError>>,
) {
    let (own, mut inbox) = mpsc::channel(INBOX_MAX);
    let run = opening.run;
    // Before anything of it is written: who leaves waits for what is in memory, and who answers its
    // first effect finds it. A sub-playbook may be asked for twice; one task opens it.
    let free = match lock(&inner.runs).entry(run) {
        Entry::Vacant(place) => {
            place.insert(own.clone());
            true
        }
        Entry::Occupied(_) => false,
    };
    if !free {
        drop(told.send(Ok(run)));
        return;
    }
    let Opened { mut driver, decision, taken, leaves } = match written(&inner, &opening, &own).await
    {
        Ok(opened) => opened,
        Err(error) => {
            forget(&inner, run, &own);
            // Whoever asked may have gone.
            drop(told.send(Err(error)));
            return;
        }
    };
    inner.plans.put(&opening.plan);
    driver.done(decision, taken, opening.at);
    drop(told.send(Ok(run)));
    if leaves {
        driver.leave(&mut inbox).await;
    } else {
        driver.go_on(inbox).await;
    }
}

/// Writes the opening, with the first turn where the engine drives.
///
/// A first turn that can not be written must not keep the run from being opened: what runs share may
/// have changed, the stop switch may be on, the decision may have broken or be too large. Then the
/// opening goes alone, and the turn is decided anew.
async fn written(
    inner: &Arc<Inner>,
    opening: &Arc<Opening>,
    own: &mpsc::Sender<Job>,
) -> Result<Opened, EngineError> {
    let mut driver = opening.driver(inner, own)?;
    if driver.starts_effects() {
        if let Some((decision, taken)) = driver.first_turn(opening).await {
            let leaves = driver.leaves(&decision, opening.at);
            match driver.append(&decision, opening.at, leaves).await {
                Ok(()) => return Ok(Opened { driver, decision, taken, leaves }),
                Err(AppendError::Stopped) if opening.gate == Gate::Open => {}
                Err(error @ AppendError::Refused(Refusal::Started { .. })) => {
                    return Err(error.into());
                }
                Err(AppendError::Refused(_) | AppendError::Invalid(_)) => {}
                Err(error) => return Err(error.into()),
            }
        }
        if let Err(error) = inner.load_shared().await {
            tracing::warn!(%error, "What runs share could not be read.");
        }
        driver = opening.driver(inner, own)?;
    }
    let decision = Decision { events: vec![opening.event.clone()], ..Decision::default() };
    let leaves = !driver.starts_effects();
    driver.append(&decision, opening.at, leaves).await?;
    driver.inputs.push(Input::Tick);
    // An opening alone has no effects.
    let taken = Taken::new(&inner.places, false);
    Ok(Opened { driver, decision, taken, leaves })
}

impl Opening {
    fn driver(
        self: &Arc<Self>,
        inner: &Arc<Inner>,
        own: &mpsc::Sender<Job>,
    ) -> Result<Driver, EngineError> {
        let state = RunState::open(&self.event, self.at)
            .map_err(|error| EngineError::Internal(error.to_string()))?;
        let status = state.status().as_str().to_owned();
        let plan = Arc::clone(&self.plan);
        let loaded = Loaded { plan, state, status, entries: 0, restored: false };
        let ownership = Ownership::Opening(Arc::clone(self));
        Ok(Driver::new(Arc::clone(inner), (self.run, ownership, own.clone()), loaded))
    }

    /// The first entry of the run's stream, and its row as it is after what the entry says.
    pub(super) fn append(&self, state: &RunState, head: Vec<u8>) -> Append {
        let to = To::New { kind: StreamKind::Run, id: self.run.to_string() };
        let mut append = Append::new(to, self.at, head);
        append.changes.push(Change::PutRun(Box::new(self.row(state))));
        append.gate = self.gate;
        if let Some(key) = self.start_key.clone() {
            append.guards.push(Guard::StartKeyFree { key });
        }
        append
    }

    fn row(&self, state: &RunState) -> Run {
        let body = match &self.case {
            Some(case) => json!({"sources": self.sources, "case": case}),
            None => json!({"sources": self.sources}),
        };
        let opened = state.opened();
        Run {
            id: opened.run,
            incident: opened.incident,
            playbook: opened.playbook.to_string(),
            plan: opened.digest,
            mode: opened.mode,
            status: state.status().as_str().to_owned(),
            root: state.tree(),
            parent: opened.parent.as_ref().map(|parent| (parent.run, parent.path.clone())),
            start_key: self.start_key.clone(),
            requested_by: opened.by.person.clone(),
            organisation: None,
            superseded_by: None,
            started_at: opened.at,
            ended_at: state.ended_at(),
            restored: false,
            body: body.to_string(),
        }
    }
}

impl Driver {
    /// What is decided first, with the opening before it. `None` where it can not be decided: the
    /// turn that follows an opening alone meets the same, and says so.
    async fn first_turn(&mut self, opening: &Opening) -> Option<(Decision, Taken)> {
        let assets = self.assets().await.ok()?;
        let mut taken = Taken::new(&self.inner.places, true);
        let decided = self.decide(vec![Input::Tick], &assets, opening.at, &mut taken);
        let mut decision = decided.ok()?;
        decision.events.insert(0, opening.event.clone());
        // The row is written as it is after the turn.
        self.state.status().as_str().clone_into(&mut self.written.status);
        Some((decision, taken))
    }
}
