//! The ids of all steps, before anything else: doubles, and how many there are.

use std::collections::BTreeMap;

use super::super::draft::{Draft, Kind, OnError, Step, Undo};
use super::super::report::Report;
use super::super::{Code, Place};
use crate::model::StepId;

/// Most steps of a playbook: nobody reviews more, and the check's time grows with them.
const STEPS_MAX: usize = 1_000;

/// The ids in the file. Nothing where there are too many steps to look at.
pub(super) fn collect(draft: &Draft<'_>, report: &mut Report) -> Option<Vec<StepId>> {
    let mut all = Vec::new();
    for block in [&draft.steps, &draft.on_failure, &draft.always] {
        walk(block, &mut all);
    }
    if let Some(step) = all.get(STEPS_MAX) {
        let message =
            format!("the playbook has {} steps, at most {STEPS_MAX} are possible", all.len());
        let hint = "make sub-playbooks of it";
        report.hint(Code::TooManySteps, step.place, message, hint);
        return None;
    }
    let mut first: BTreeMap<&StepId, Place> = BTreeMap::new();
    for step in &all {
        let Some(id) = &step.id else { continue };
        match first.get(id) {
            Some(place) => {
                let message = format!("the id `{id}` is taken");
                let hint = format!("the other step is in line {}", place.line);
                report.hint(Code::DuplicateId, step.place, message, hint);
            }
            None => {
                first.insert(id, step.place);
            }
        }
    }
    Some(first.into_keys().cloned().collect())
}

fn walk<'d, 'y>(steps: &'d [Step<'y>], all: &mut Vec<&'d Step<'y>>) {
    for step in steps {
        all.push(step);
        for block in blocks(step) {
            walk(block, all);
        }
    }
}

/// Every list of steps directly in a step.
fn blocks<'d, 'y>(step: &'d Step<'y>) -> Vec<&'d [Step<'y>]> {
    let mut blocks: Vec<&[Step<'y>]> = match &step.kind {
        Kind::Group(steps) => vec![steps],
        Kind::Parallel { branches, .. } => {
            branches.iter().map(|(_, steps)| steps.as_slice()).collect()
        }
        Kind::ForEach(each) => vec![&each.steps],
        Kind::Switch(cases) => cases.iter().map(|case| case.steps.as_slice()).collect(),
        Kind::Repeat(repeat) => vec![&repeat.steps],
        Kind::Call(_)
        | Kind::Script(_)
        | Kind::Task { .. }
        | Kind::Approve { .. }
        | Kind::Wait(_)
        | Kind::Playbook { .. }
        | Kind::UndoSteps(_)
        | Kind::Note(_)
        | Kind::Fail(_)
        | Kind::End(_)
        | Kind::Duty
        | Kind::Aid
        | Kind::Broken => Vec::new(),
    };
    if let Some(OnError::Steps(steps)) = &step.on_error {
        blocks.push(steps);
    }
    if let Some(Undo::Steps(steps)) = &step.undo {
        blocks.push(steps);
    }
    blocks.push(&step.always);
    blocks
}
