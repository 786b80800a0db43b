//! A run's first event: inputs, facts and bindings are fixed, and what must hold before anything
//! is opened is checked.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use thiserror::Error;

use super::super::event::{Actor, Earlier, Event, Head, Parent};
use super::super::legacy::Legacy;
use super::super::state::Binding;
use crate::model::{ActionName, Catalogue, IncidentId, Mode, Problem, RunId};
use crate::playbook::{CallNode, Kind, Plan, Undo};

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
    /// A live run with destructive actions needs a guard list.
    #[error("`{0}` is destructive, and there is no `guard:` section in the configuration")]
    NoGuard(ActionName),
    /// Steps would fall to people, and nobody said yes to that.
    #[error("nothing is bound for {}: these steps would fall to people", list(.0))]
    ByHand(Vec<ActionName>),
    /// A step must not fall to a person, and nothing is bound.
    #[error("nothing is bound for `{0}`, and the playbook requires it to be automatic")]
    Automatic(ActionName),
}

fn list(actions: &[ActionName]) -> String {
    let quoted: Vec<String> = actions.iter().map(|action| format!("`{action}`")).collect();
    quoted.join(", ")
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
    if launch.mode == Mode::Live && !launch.guarded {
        let hurts = |action: &&ActionName| catalogue.get(action).is_some_and(|s| s.destructive);
        let done = all_calls(plan).into_iter().map(|call| &call.action);
        if let Some(action) = done.chain(all_undo_actions(plan)).find(hurts) {
            return Err(LaunchError::NoGuard(action.clone()));
        }
    }
    let bindings = match launch.mode {
        Mode::Live => launch.bindings.clone(),
        Mode::Drill => with_slots(plan, &launch.bindings),
    };
    let mut unbound = BTreeSet::new();
    for call in by_hand(plan, &bindings) {
        if call.automatic {
            return Err(LaunchError::Automatic(call.action.clone()));
        }
        unbound.insert(call.action.clone());
    }
    if !unbound.is_empty() && !launch.by_hand_ok {
        return Err(LaunchError::ByHand(unbound.into_iter().collect()));
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

/// The calls that no connector does: they fall to people. Those of sub-playbooks too.
pub fn by_hand<'p>(plan: &'p Plan, bindings: &[Binding]) -> Vec<&'p CallNode> {
    let mut calls = all_calls(plan);
    calls.retain(|call| !is_bound(bindings, call));
    calls
}

/// All calls of a playbook and of what it calls.
fn all_calls(plan: &Plan) -> Vec<&CallNode> {
    let own = plan.nodes().filter_map(|(_, node)| {
        let Kind::Call(call) = &node.kind else { return None };
        Some(call)
    });
    let inner = plan.parts().children.values().flat_map(|child| all_calls(child));
    own.chain(inner).collect()
}

/// What playbooks call to take steps back, where an author wrote it.
fn all_undo_actions(plan: &Plan) -> Vec<&ActionName> {
    let own = plan.nodes().filter_map(|(_, node)| {
        let Undo::Call { action, .. } = &node.undo else { return None };
        Some(action)
    });
    let inner = plan.parts().children.values().flat_map(|child| all_undo_actions(child));
    own.chain(inner).collect()
}

fn is_bound(bindings: &[Binding], call: &CallNode) -> bool {
    let via = call.via.as_ref().map(crate::model::StepId::as_str);
    bindings.iter().any(|binding| {
        binding.capability == call.action.capability() && binding.slot.as_deref() == via
    })
}
