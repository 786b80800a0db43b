//! What a case expects against what came out.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::model::ActionName;
use crate::playbook::{CaseChoice, CaseDecision, CaseExpectation};
use crate::run::RunState;

/// The differences, one sentence each; none where all is as expected.
pub(super) fn differences(
    expect: &CaseExpectation,
    run: &RunState,
    calls: &BTreeMap<ActionName, u32>,
) -> Vec<String> {
    let mut found = Vec::new();
    let is = run.status().as_str();
    if let Some(wanted) = expect.status.as_deref().filter(|wanted| *wanted != is) {
        let why = run.error().map_or_else(String::new, |e| format!(": {} ({})", e.message, e.kind));
        found.push(format!("status: expected {wanted}, is {is}{why}"));
    }
    if let Some(wanted) = &expect.outputs {
        let wanted = Value::Object(wanted.clone());
        let given = run.outputs().map(|outputs| outputs.as_ref().clone()).unwrap_or_default();
        if wanted != given {
            found.push(format!("outputs: expected {wanted}, are {given}"));
        }
    }
    for (action, wanted) in &expect.calls {
        let made = calls.get(action).copied().unwrap_or(0);
        if made != *wanted {
            found
                .push(format!("calls: expected {wanted} of {}, there are {made}", action.as_str()));
        }
    }
    found
}

/// That a decision was never asked for.
pub(super) fn never_asked(number: usize, decision: &CaseDecision) -> String {
    let word = match &decision.answer {
        CaseChoice::Form(_) => "form",
        CaseChoice::Approve(_) => "approve",
        CaseChoice::Deny(_) => "deny",
        CaseChoice::Retry(_) => "retry",
        CaseChoice::Skip(_) => "skip",
        CaseChoice::Abort(_) => "abort",
        CaseChoice::ByHand(_) => "by_hand",
        CaseChoice::Resolve(_) => "resolve",
        CaseChoice::Signal(_) => "signal",
    };
    format!("people {number}: nobody asked for `{word}` at `{}`", decision.step)
}
