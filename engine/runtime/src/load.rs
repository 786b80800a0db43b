//! Loading a run: its pinned plan, its snapshot, the entries after it, folded.

use std::sync::Arc;

use beistand_core::entry::StreamKind;
use beistand_core::model::{Catalogue, Digest, RunId};
use beistand_core::playbook::Plan;
use beistand_core::run::{Event, RunState, decode};
use beistand_journal::{Reader, Stream};
use beistand_script::Scripts;
use serde_json::Value;

use crate::engine::Inner;
use crate::error::EngineError;
use crate::plans::{pinned, read_pinned};

/// Entries read at once: a page of memory, not a run's whole history.
pub(crate) const PAGE: u32 = 1_000;

/// A run in memory.
#[derive(Debug)]
pub(crate) struct Loaded {
    pub(crate) plan: Arc<Plan>,
    pub(crate) state: RunState,
    /// The status its row has.
    pub(crate) status: String,
    /// Entries since its snapshot.
    pub(crate) entries: u64,
    /// It was not ended when the store came back from a backup.
    pub(crate) restored: bool,
}

/// Loads a run that this engine owns.
pub(crate) async fn load(
    inner: &Inner,
    run: RunId,
    stream: &Stream,
) -> Result<Loaded, EngineError> {
    let reader = inner.journal.reader();
    let row = reader
        .run(run)
        .await?
        .ok_or_else(|| EngineError::NotFound(format!("there is no run {run}")))?;
    let plan = known_plan(inner, &row).await?;
    let (state, entries) = fold(reader, stream, &plan, run).await?;
    Ok(Loaded { plan, state, status: row.status, entries, restored: row.restored })
}

/// The plan that a run pinned, read once.
pub(crate) async fn known_plan(
    inner: &Inner,
    row: &beistand_journal::Run,
) -> Result<Arc<Plan>, EngineError> {
    if let Some(plan) = inner.plans.get(row.plan) {
        return Ok(plan);
    }
    let reader = inner.journal.reader();
    let plan = Arc::new(plan_of(reader, row, &inner.catalogue, &inner.scripts).await?);
    inner.plans.put(&plan);
    Ok(plan)
}

/// Where the sources are kept that a run pinned.
pub(crate) fn sources_of(row: &beistand_journal::Run) -> Option<Digest> {
    let body: Value = serde_json::from_str(&row.body).unwrap_or_default();
    body.get("sources").and_then(Value::as_str).and_then(|text| text.parse().ok())
}

/// The plan that a run pinned.
pub(crate) async fn plan_of(
    reader: &Reader,
    row: &beistand_journal::Run,
    catalogue: &Catalogue,
    scripts: &Scripts,
) -> Result<Plan, EngineError> {
    let unreadable = |why: String| EngineError::Unreadable { run: row.id, why };
    let digest =
        sources_of(row).ok_or_else(|| unreadable("its sources are not named".to_owned()))?;
    let pinned = pinned(reader, digest)
        .await?
        .ok_or_else(|| unreadable("its sources are missing".to_owned()))?;
    // Takes long: other runs go on meanwhile.
    let plan = tokio::task::block_in_place(|| read_pinned(&pinned, catalogue, scripts));
    let plan = plan.map_err(unreadable)?;
    if plan.digest() != row.plan {
        return Err(unreadable("its sources are not the ones that were launched".to_owned()));
    }
    Ok(plan)
}

/// Folds a run from its stream; the count is that of entries since its snapshot.
pub async fn fold(
    reader: &Reader,
    stream: &Stream,
    plan: &Plan,
    run: RunId,
) -> Result<(RunState, u64), EngineError> {
    let broken = |why: String| EngineError::Unreadable { run, why };
    let mut state: Option<RunState> = None;
    let mut after = 0;
    if let Some(snapshot) = reader.snapshot(stream).await?
        && let Ok(kept) = serde_json::from_slice::<RunState>(&snapshot.bytes)
    {
        after = snapshot.seq;
        state = Some(kept);
    }
    let mut entries = 0;
    loop {
        let page = reader.entries(stream, after, PAGE).await?;
        for entry in &page {
            let (_, events) = decode(&entry.head, entry.body.as_deref())
                .map_err(|contradiction| broken(contradiction.to_string()))?;
            for event in &events {
                apply(&mut state, plan, event, entry.at).map_err(broken)?;
            }
            after = entry.seq;
            entries += 1;
        }
        if page.len() < PAGE as usize {
            break;
        }
    }
    let mut state = state.ok_or_else(|| broken("it has no entry".to_owned()))?;
    state.refresh();
    Ok((state, entries))
}

/// The state after one more event, the first of which opens the run.
pub(crate) fn apply(
    state: &mut Option<RunState>,
    plan: &Plan,
    event: &Event,
    at: beistand_core::model::Millis,
) -> Result<(), String> {
    match state {
        None => {
            *state = Some(RunState::open(event, at).map_err(|error| error.to_string())?);
            Ok(())
        }
        Some(state) => state.apply(plan, event, at).map_err(|error| error.to_string()),
    }
}

/// A run as a reader sees it, without owning anything: for `show` and the timeline.
///
/// # Errors
/// [`EngineError::NotFound`], [`EngineError::Unreadable`], [`EngineError::Store`].
pub async fn view(
    reader: &Reader,
    run: RunId,
    scripts: &Scripts,
) -> Result<(Arc<Plan>, RunState, String), EngineError> {
    let row = reader
        .run(run)
        .await?
        .ok_or_else(|| EngineError::NotFound(format!("there is no run {run}")))?;
    let stream = reader
        .stream(StreamKind::Run, &run.to_string())
        .await?
        .ok_or_else(|| EngineError::NotFound(format!("run {run} has no entries")))?;
    let plan = plan_of(reader, &row, &Catalogue::first(), scripts).await?;
    let (state, _) = fold(reader, &stream, &plan, run).await?;
    Ok((Arc::new(plan), state, stream.name().to_owned()))
}
