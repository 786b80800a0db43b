//! The parts of a playbook one after the other, and the run's end.

use serde_json::{Map, Value};

use super::super::event::{Event, Head, RunEnd, Section, StepEnd};
use super::super::state::{Flow, StepError};
use super::{Contradiction, Decider};
use crate::model::{ErrorKind, NeedId};

impl Decider<'_, '_> {
    /// Begins the next part or ends the run, if the part that runs has ended; says whether it did.
    pub(super) fn finish(&mut self) -> Result<bool, Contradiction> {
        let Flow::Section { section, closing } = self.state.flow else { return Ok(false) };
        let Some(root) = self.state.roots.last().copied() else { return Ok(false) };
        let Some(end) = self.state.seq_ref(root)?.end else { return Ok(false) };
        if self.state.has_work_out() || self.state.undo_open > 0 {
            return Ok(false);
        }
        let parts = self.world.plan.parts();
        if section == Section::Steps && end == StepEnd::Failed && closing.is_none() {
            let error = self.error_of_root()?;
            let head = Head::Closing { end: RunEnd::Failed, by: None, error: Some(error.kind) };
            self.emit(Event::new(head).text(error.message))?;
            return Ok(true);
        }
        let how = closing.unwrap_or(RunEnd::Succeeded);
        if how == RunEnd::Superseded {
            return self.give_way();
        }
        let next = match section {
            Section::Steps if how == RunEnd::Failed && !parts.on_failure.is_empty() => {
                Some(Section::OnFailure)
            }
            Section::Steps | Section::OnFailure if !parts.always.is_empty() => {
                Some(Section::Always)
            }
            Section::Steps | Section::OnFailure | Section::Always => None,
        };
        if let Some(section) = next {
            self.emit(Head::SectionStarted { section })?;
            return Ok(true);
        }
        self.end_run(how)?;
        Ok(true)
    }

    fn error_of_root(&self) -> Result<StepError, Contradiction> {
        for root in &self.state.roots {
            let seq = self.state.seq_ref(*root)?;
            if let Some(last) = seq.steps.last()
                && let Some(error) = &self.step(*last)?.error
            {
                return Ok(error.clone());
            }
        }
        Ok(StepError { kind: ErrorKind::Internal, message: "a step failed".to_owned() })
    }

    pub(super) fn end_run(&mut self, how: RunEnd) -> Result<(), Contradiction> {
        let asked: Vec<NeedId> = self.state.needs().map(|need| need.id).collect();
        for need in asked {
            self.emit(Head::NeedVoid { need })?;
        }
        if how != RunEnd::Succeeded {
            return self.emit(Head::RunEnded { end: how });
        }
        let scope = super::Scope::of_seq(self.world, self.state, None);
        let mut outputs = Map::new();
        let mut failed = None;
        for (name, expression) in &self.world.plan.parts().outputs {
            match scope.evaluate(expression) {
                Ok(value) => {
                    outputs.insert(name.to_string(), value);
                }
                Err(error) => failed = Some(format!("output `{name}`: {}", error.message)),
            }
        }
        match failed {
            None => {
                self.emit(Event::new(Head::RunEnded { end: how }).value(Value::Object(outputs)))
            }
            Some(message) => {
                let error = Some(ErrorKind::Script);
                let head = Head::Closing { end: RunEnd::Failed, by: None, error };
                self.emit(Event::new(head).text(message))?;
                self.emit(Head::RunEnded { end: RunEnd::Failed })
            }
        }
    }
}
