//! A run's first event: inputs, facts and bindings are fixed, and what must hold before anything
//! is opened is checked.

use serde_json::{Value, json};
use thiserror::Error;

use super::super::event::{Actor, Earlier, Event, Head, Parent};
use super::super::legacy::Legacy;
use super::super::missing::{Missing, by_hand, destructive, is_bound, unbound};
use super::super::state::Binding;
use crate::model::{Catalogue, IncidentId, Mode, Problem, RunId};
use crate::playbook::Plan;

/// What a run is launched with.
#[derive(Debug, Clone)]
pub struct Launch {
    /// The run's id.
    pub run: RunId,
    /// In which incident.
    pub incident: IncidentId,
    /// The incident's mode.
    pub mode: Mode,
    /// `{id, number, title, severity, tlp, mode, opened_at}`.
    pub incident_facts: Value,
    /// Who launches it.
    pub by: Actor,
    /// Its inputs, as they were given.
    pub inputs: Value,
    /// Which connector does what.
    pub bindings: Vec<Binding>,
    /// Steps without a connector may fall to people.
    pub by_hand_ok: bool,
    /// Whether the configuration has a `guard:` section.
    pub guarded: bool,
    /// The run that calls this one.
    pub parent: Option<Parent>,
    /// The run of the same plan that this one is for more items of.
    pub more_of: Option<Earlier>,
    /// The run that this one supersedes.
    pub supersedes: Option<Earlier>,
    /// What is taken over from it.
    pub legacy: Legacy,
    /// W3C trace context.
    pub trace: Option<String>,
}

/// Why a run was not opened. Nothing was written.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum LaunchError {
    /// The inputs do not fit.
    #[error("the inputs do not fit")]
    Inputs(Vec<Problem>),
    /// The configuration lacks what it takes: all of it, at least one.
    #[error("{}", sentence(.0))]
    Missing(Vec<Missing>),
}

/// All that is missing as one sentence.
fn sentence(missing: &[Missing]) -> String {
    let said: Vec<String> = missing.iter().map(ToString::to_string).collect();
    said.join("; ")
}

/// The first event of a run.
///
/// # Errors
/// [`LaunchError`]; then nothing is opened.
pub fn launch(plan: &Plan, catalogue: &Catalogue, launch: &Launch) -> Result<Event, LaunchError> {
    let parts = plan.parts();
    let mut inputs = if launch.inputs.is_null() { json!({}) } else { launch.inputs.clone() };
    parts.inputs.fill(&mut inputs);
    let mut problems = parts.inputs.problems(&inputs);
    if let Err(error) = crate::model::canonical(&inputs) {
        problems.push(Problem { at: String::new(), message: error.to_string() });
    }
    if !problems.is_empty() {
        return Err(LaunchError::Inputs(problems));
    }
    let bindings = match launch.mode {
        Mode::Live => launch.bindings.clone(),
        Mode::Drill => with_slots(plan, &launch.bindings),
    };
    let missing = refusing(plan, catalogue, launch, &bindings);
    if !missing.is_empty() {
        return Err(LaunchError::Missing(missing));
    }
    let head = Head::RunOpened {
        run: launch.run,
        playbook: plan.name().clone(),
        digest: plan.digest(),
        language: parts.language,
        mode: launch.mode,
        incident: launch.incident,
        by: launch.by.clone(),
        by_hand_ok: launch.by_hand_ok,
        parent: launch.parent.clone(),
        more_of: launch.more_of.clone().map(Box::new),
        supersedes: launch.supersedes.clone().map(Box::new),
        trace: launch.trace.clone(),
    };
    let mut body = json!({
        "inputs": inputs,
        "incident": launch.incident_facts,
        "bindings": bindings,
    });
    if let (Value::Object(body), false) = (&mut body, launch.legacy.is_empty()) {
        body.insert("legacy".to_owned(), json!(launch.legacy));
    }
    Ok(Event::new(head).value(body))
}

/// What is missing and keeps the run from being opened.
fn refusing(
    plan: &Plan,
    catalogue: &Catalogue,
    launch: &Launch,
    bindings: &[Binding],
) -> Vec<Missing> {
    let mut missing = unbound(plan, bindings);
    missing.retain(|one| !(launch.by_hand_ok && one.is_for_people()));
    if launch.mode == Mode::Live && !launch.guarded {
        let action = destructive(plan, catalogue).cloned();
        missing.extend(action.map(|action| Missing::Guard { action }));
    }
    missing
}

/// A drill pretends in slots too: what no configuration binds there is pretended as without one.
fn with_slots(plan: &Plan, bindings: &[Binding]) -> Vec<Binding> {
    let mut all = bindings.to_vec();
    for call in by_hand(plan, bindings) {
        let without_slot = |binding: &&Binding| {
            binding.slot.is_none() && binding.capability == call.action.capability()
        };
        let slot = call.via.as_ref().map(ToString::to_string);
        if let Some(binding) = bindings.iter().find(without_slot).filter(|_| !is_bound(&all, call))
        {
            all.push(Binding { slot, ..binding.clone() });
        }
    }
    all
}
