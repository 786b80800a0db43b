//! Sub-playbooks: runs of their own, opened once, reported to the run that called them.

use std::sync::Arc;

use beistand_core::entry::StreamKind;
use beistand_core::model::{Path, PlaybookName, RunId};
use beistand_core::playbook::Plan;
use beistand_core::run::{Input, Launch, RunEnd, RunState, StepError, launch};
use beistand_journal::Gate;
use serde_json::Value;

use crate::drive::{self, Opening};
use crate::engine::Inner;
use crate::error::EngineError;
use crate::load::load;
use crate::plans::pin;

/// Opens a sub-playbook's run if it is not there yet; reports its end if it has ended.
pub(crate) fn open(
    inner: &Arc<Inner>,
    parent: &RunState,
    plan: &Plan,
    (path, run, playbook, inputs): (Path, RunId, PlaybookName, Value),
) {
    let inner = Arc::clone(inner);
    let opened = parent.opened();
    let wanted = Launch {
        run,
        incident: opened.incident,
        mode: opened.mode,
        incident_facts: opened.incident_facts.as_ref().clone(),
        by: opened.by.clone(),
        inputs,
        bindings: opened.bindings.clone(),
        by_hand_ok: opened.by_hand_ok,
        guarded: inner.modes.of(opened.mode).setup.guarded,
        parent: Some(parent.parent_at(&path)),
        more_of: None,
        supersedes: None,
        legacy: parent.legacy_of(&path),
        trace: opened.trace.clone(),
    };
    let child = plan.parts().children.get(&playbook).cloned();
    let caller = opened.run;
    tokio::spawn(async move {
        let opened = match child {
            Some(child) => open_run(&inner, &child, wanted).await,
            None => Err(EngineError::Internal(format!("playbook `{playbook}` is not pinned"))),
        };
        if let Err(error) = opened {
            let error = StepError {
                kind: beistand_core::model::ErrorKind::Child,
                message: format!("the sub-playbook could not be launched: {error}"),
            };
            let (end, outputs) = (RunEnd::Failed, Value::Null);
            inner
                .tell(caller, Input::ChildEnded { path, run, end, outputs, error: Some(error) })
                .await;
        }
    });
}

async fn open_run(inner: &Arc<Inner>, plan: &Arc<Plan>, wanted: Launch) -> Result<(), EngineError> {
    let run = wanted.run;
    if let Some(row) = inner.journal.reader().run(run).await? {
        if row.ended_at.is_some()
            && let Some(stream) =
                inner.journal.reader().stream(StreamKind::Run, &run.to_string()).await?
        {
            let loaded = load(inner, run, &stream).await?;
            tell_parent(inner, &loaded.state);
        }
        return Ok(());
    }
    let event = launch(plan, &inner.catalogue, &wanted)?;
    let opening = Opening {
        run,
        plan: Arc::clone(plan),
        event,
        at: inner.clock.now(),
        sources: pin(&inner.journal, plan).await?,
        case: None,
        start_key: None,
        gate: Gate::Open,
    };
    drive::open(inner, opening).await?;
    Ok(())
}

/// A run ended: the run that called it is told. Its row wakes the caller too, should this be lost.
pub(crate) fn tell_parent(inner: &Arc<Inner>, state: &RunState) {
    let opened = state.opened();
    let Some(parent) = opened.parent.clone() else { return };
    let Some(end) = state.status().end() else { return };
    let outputs = state.outputs().map(|outputs| outputs.as_ref().clone()).unwrap_or_default();
    let input = Input::ChildEnded {
        path: parent.path,
        run: opened.run,
        end,
        outputs,
        error: state.error().cloned(),
    };
    let inner = Arc::clone(inner);
    tokio::spawn(async move { inner.tell(parent.run, input).await });
}
