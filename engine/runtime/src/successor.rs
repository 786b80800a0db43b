//! The run that takes over: opened once, when nothing of the one it supersedes is open any more.

use std::collections::BTreeMap;
use std::sync::Arc;

use beistand_core::entry::StreamKind;
use beistand_core::model::{PlaybookName, RunId};
use beistand_core::playbook::{Plan, SourceText};
use beistand_core::run::{
    Actor, Command, Earlier, Event, Input, Launch, Legacy, Outlook, RunState, Successor, decode,
    launch,
};
use beistand_core::timeline::Scope;
use beistand_journal::{Gate, Page, Reader, RunFilter};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::drive::{self, Opening};
use crate::engine::{Engine, Inner};
use crate::error::EngineError;
use crate::incidents::{refused, standing};
use crate::load::{PAGE, view};
use crate::plans::{Pinned, pinned, plan_for, read_pinned};

/// A corrected playbook that is to take over from a run.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct NewSuccessor {
    /// The run that gives way.
    pub run: RunId,
    /// The corrected playbook's sources, checked.
    pub sources: BTreeMap<PlaybookName, SourceText>,
    /// Which of them takes over.
    pub playbook: PlaybookName,
    /// Why.
    pub reason: String,
    /// Steps without a connector may fall to people.
    #[serde(default)]
    pub by_hand_ok: bool,
    /// Who wants it.
    pub by: Actor,
}

impl Engine {
    /// Lets a corrected playbook take over from a run that has not ended. The answer is `{run}`: the
    /// run that takes over, which is opened when nothing of the old one is open any more.
    ///
    /// # Errors
    /// [`EngineError::NotFound`], [`EngineError::Conflict`] where the run can not give way,
    /// [`EngineError::Launch`] where its inputs do not fit; then nothing happens.
    pub async fn supersede(&self, new: NewSuccessor) -> Result<Value, EngineError> {
        let inner = &self.0;
        let reader = inner.journal.reader();
        inner.may_begin().await?;
        let (_, state, _) = view(reader, new.run, &inner.scripts).await?;
        let opened = state.opened();
        let incident = inner.incidents.get(&inner.journal, opened.incident).await?;
        standing(&incident)?.admits(opened.mode).map_err(|no| refused(&no))?;
        let kept =
            plan_for(inner, &Pinned { playbook: new.playbook, sources: new.sources }).await?;
        let next = Successor {
            run: inner.chance()?.run_id(inner.clock.now()),
            playbook: kept.plan.name().clone(),
            digest: kept.plan.digest(),
            sources: kept.sources,
            by_hand_ok: new.by_hand_ok || opened.by_hand_ok,
            by: new.by,
        };
        // What would be refused then is refused now, before anything happens.
        let probe = launch_of(inner, &state, &next, (Value::Null, Legacy::default()));
        launch(&kept.plan, &inner.catalogue, &probe)?;
        let command = Command::Supersede { next, reason: new.reason };
        self.command(new.run, command, None).await?;
        let row = reader.run(new.run).await?.and_then(|row| row.superseded_by);
        let run = row.ok_or_else(|| {
            EngineError::Conflict(format!("run {} does not give way any more", new.run))
        })?;
        Ok(json!({"run": run}))
    }
}

impl Engine {
    /// What would become of the effects of a run if a corrected playbook took over now, through
    /// somebody's eyes.
    ///
    /// # Errors
    /// As [`crate::Views::outlook`].
    pub async fn outlook(
        &self,
        run: RunId,
        next: &Plan,
        scope: &Scope,
    ) -> Result<Outlook, EngineError> {
        self.views().outlook(run, next, &self.0.modes, scope).await
    }
}

fn launch_of(
    inner: &Inner,
    before: &RunState,
    next: &Successor,
    (incident_facts, legacy): (Value, Legacy),
) -> Launch {
    let opened = before.opened();
    let setup = inner.modes.of(opened.mode);
    let restored = before.restored().map(str::to_owned);
    Launch {
        run: next.run,
        incident: opened.incident,
        mode: opened.mode,
        incident_facts,
        by: next.by.clone(),
        inputs: opened.inputs.as_ref().clone(),
        bindings: setup.bindings.clone(),
        by_hand_ok: next.by_hand_ok,
        guarded: setup.setup.guarded,
        parent: None,
        more_of: None,
        supersedes: Some(Earlier { run: opened.run, tree: before.tree(), restored }),
        legacy,
        trace: opened.trace.clone(),
    }
}

/// Opens the run that takes over if it is not there yet, and tells the one that gives way.
pub(crate) fn open(inner: &Arc<Inner>, before: &RunState, plan: &Arc<Plan>, next: Successor) {
    let (inner, before, plan) = (Arc::clone(inner), before.clone(), Arc::clone(plan));
    tokio::spawn(async move {
        let (gives_way, run) = (before.opened().run, next.run);
        let refused = match open_run(&inner, &before, &plan, &next).await {
            Ok(()) => None,
            // The store could not be asked or written: the run that gives way stays due, and tries
            // again.
            Err(
                error @ (EngineError::Store(_) | EngineError::Append(_) | EngineError::Open(_)),
            ) => {
                tracing::warn!(%run, %error, "The run that takes over could not be opened yet.");
                return;
            }
            Err(error) => Some(error.to_string()),
        };
        inner.tell(gives_way, Input::Successor { run, refused }).await;
    });
}

async fn open_run(
    inner: &Arc<Inner>,
    before: &RunState,
    old: &Plan,
    next: &Successor,
) -> Result<(), EngineError> {
    let reader = inner.journal.reader();
    if reader.run(next.run).await?.is_some() {
        return Ok(());
    }
    let plan = plan_of(inner, next).await?;
    let incident = inner.incidents.get(&inner.journal, before.opened().incident).await?;
    let facts = standing(&incident)?.facts();
    let legacy = legacy_of(reader, before.opened().run, old).await?;
    let wanted = launch_of(inner, before, next, (facts, legacy));
    let event = launch(&plan, &inner.catalogue, &wanted)?;
    let opening = Opening {
        run: next.run,
        plan,
        event,
        at: inner.clock.now(),
        sources: next.sources,
        case: None,
        start_key: None,
        gate: Gate::Open,
    };
    drive::open(inner, opening).await?;
    Ok(())
}

async fn plan_of(inner: &Inner, next: &Successor) -> Result<Arc<Plan>, EngineError> {
    if let Some(plan) = inner.plans.get(next.digest) {
        return Ok(plan);
    }
    let unreadable = |why: String| EngineError::Unreadable { run: next.run, why };
    let pinned = pinned(inner.journal.reader(), next.sources).await?;
    let pinned = pinned.ok_or_else(|| unreadable("its sources are missing".to_owned()))?;
    // Takes long: other runs go on meanwhile.
    let plan =
        tokio::task::block_in_place(|| read_pinned(&pinned, &inner.catalogue, &inner.scripts));
    let plan = Arc::new(plan.map_err(unreadable)?);
    inner.plans.put(&plan);
    Ok(plan)
}

/// What a run and all it called did, and the gates of its playbook.
pub(crate) async fn legacy_of(
    reader: &Reader,
    run: RunId,
    plan: &Plan,
) -> Result<Legacy, EngineError> {
    let mut legacy = Legacy::default();
    legacy.learn_gates(plan);
    let mut runs = vec![run];
    while let Some(run) = runs.pop() {
        legacy.learn(&events_of(reader, run).await?);
        let children = RunFilter { parent: Some(run), ..RunFilter::default() };
        // Newest first: of a step that was called twice the last is learnt last.
        let children = reader.runs(&children, Page::first(PAGE)).await?;
        runs.extend(children.into_iter().map(|(_, child)| child.id));
    }
    Ok(legacy)
}

async fn events_of(reader: &Reader, run: RunId) -> Result<Vec<Event>, EngineError> {
    let broken = |why: String| EngineError::Unreadable { run, why };
    let stream = reader.stream(StreamKind::Run, &run.to_string()).await?;
    let Some(stream) = stream else { return Ok(Vec::new()) };
    let (mut all, mut after) = (Vec::new(), 0);
    loop {
        let page = reader.entries(&stream, after, PAGE).await?;
        for entry in &page {
            let decoded = decode(&entry.head, entry.body.as_deref());
            all.extend(decoded.map_err(|error| broken(error.to_string()))?.1);
            after = entry.seq;
        }
        if page.len() < PAGE as usize {
            return Ok(all);
        }
    }
}
