//! Opening a run: its opening and what its first turn decides are one entry.

use std::sync::Arc;

use beistand_core::model::{Digest, Millis, RunId};
use beistand_core::playbook::Plan;
use beistand_core::run::{Decision, Event, Input, RunState};
use beistand_journal::{Append, AppendError, Change, Guard, Refusal};
use tokio::sync::mpsc;

use super::{Driver, Job};
use crate::engine::{INBOX_MAX, Inner, lock};
use crate::error::EngineError;
use crate::load::Loaded;
use crate::permits::Taken;
use crate::rows::run_row;

/// A run that is to be opened.
#[derive(Debug)]
pub(crate) struct Opening {
    pub(crate) run: RunId,
    pub(crate) plan: Arc<Plan>,
    /// That it was opened.
    pub(crate) event: Event,
    /// When.
    pub(crate) at: Millis,
    /// Where the playbook's sources are kept.
    pub(crate) sources: Digest,
    /// The name of a drill's case.
    pub(crate) case: Option<String>,
    /// The same key gives the same run.
    pub(crate) start_key: Option<String>,
    /// Whether the stop switch refuses it as a whole. It never refuses the run of a sub-playbook,
    /// whose caller goes on already: only what that would do.
    pub(crate) launched: bool,
}

/// An opening that is durable, and what follows from it.
struct Begun {
    decision: Decision,
    taken: Taken,
    leaves: bool,
}

/// Opens a run; it is durable on return, and driven if the engine drives. The answer is the run that
/// was opened with the same start key, where there is one.
///
/// A first turn that is refused, because what runs share has changed in the meantime, must not keep
/// the run from being opened: then the opening goes alone, and the turn is decided anew.
///
/// # Errors
/// [`EngineError::Append`] when the store does not take it; then nothing was opened.
pub(crate) async fn open(inner: &Arc<Inner>, opening: Opening) -> Result<RunId, EngineError> {
    let (own, inbox) = mpsc::channel(INBOX_MAX);
    let (run, now) = (opening.run, opening.at);
    let mut driver = opening.driver(inner, &own)?;
    let mut begun = if driver.starts_effects() {
        driver.open_with_turn(&opening).await
    } else {
        driver.open_alone(&opening).await
    };
    if let Err(AppendError::Invalid(_) | AppendError::Stopped | AppendError::Refused(_)) = &begun {
        inner.load_shared().await?;
        driver = opening.driver(inner, &own)?;
        begun = driver.open_alone(&opening).await;
    }
    let Begun { decision, taken, leaves } = match begun {
        Ok(begun) => begun,
        Err(AppendError::Refused(Refusal::Started { run })) => return Ok(run),
        Err(error) => return Err(error.into()),
    };
    inner.plans.put(&opening.plan);
    if !leaves {
        // Before its first effect begins, so that whoever answers finds it.
        lock(&inner.runs).insert(run, own);
    }
    driver.done(decision, taken, now);
    if !leaves {
        inner.watch(run, driver.go_on(inbox));
    }
    Ok(run)
}

impl Opening {
    fn driver(&self, inner: &Arc<Inner>, own: &mpsc::Sender<Job>) -> Result<Driver, EngineError> {
        let state = RunState::open(&self.event, self.at)
            .map_err(|error| EngineError::Internal(error.to_string()))?;
        let status = state.status().as_str().to_owned();
        let plan = Arc::clone(&self.plan);
        let loaded = Loaded { plan, state, status, entries: 0, restored: false };
        Ok(Driver::new(Arc::clone(inner), (self.run, None, own.clone()), loaded))
    }

    /// What the first entry of a stream needs beside what is decided in it.
    pub(super) fn begins(&self, append: Append, state: &RunState) -> Append {
        let origin = (self.start_key.clone(), self.case.as_deref());
        let row = run_row(state, self.sources, origin);
        let append = append.change(Change::PutRun(Box::new(row)));
        let append = if self.launched { append.unless_stopped() } else { append };
        match self.start_key.clone() {
            Some(key) => append.guard(Guard::StartKeyFree { key }),
            None => append,
        }
    }
}

impl Driver {
    /// Writes the opening with all that the first turn decides.
    async fn open_with_turn(&mut self, opening: &Opening) -> Result<Begun, AppendError> {
        let Ok(assets) = self.assets().await else { return self.open_alone(opening).await };
        let mut taken = Taken::new(&self.inner.places, true);
        let decided = self.decide(vec![Input::Tick], &assets, opening.at, &mut taken);
        let mut decision = decided.map_err(AppendError::Invalid)?;
        let leaves = self.leaves(&decision, opening.at);
        decision.events.insert(0, opening.event.clone());
        // The row is written as it is after the turn.
        self.state.status().as_str().clone_into(&mut self.written.status);
        self.append(&decision, opening.at, leaves, Some(opening)).await?;
        Ok(Begun { decision, taken, leaves })
    }

    /// Writes the opening; the first turn follows where the engine drives.
    async fn open_alone(&mut self, opening: &Opening) -> Result<Begun, AppendError> {
        let decision = Decision { events: vec![opening.event.clone()], ..Decision::default() };
        let leaves = !self.starts_effects();
        self.append(&decision, opening.at, leaves, Some(opening)).await?;
        self.inputs.push(Input::Tick);
        let taken = Taken::new(&self.inner.places, false);
        Ok(Begun { decision, taken, leaves })
    }
}
