//! A step's turn: `when`, the list, the gate, then its body by kind.

use serde_json::{Value, json};

use super::super::event::{Event, Head, StepEnd};
use super::super::state::{Cause, StepIx};
use super::{Decided, Decider};
use crate::model::{ErrorKind, Span};
use crate::playbook::{ForEach, Kind, ListSource, Node, Plan};

/// Most items of a loop: beyond that a list is a database.
const ITEMS_MAX: usize = 100_000;

impl<'w> Decider<'_, 'w> {
    pub(super) fn node(&self, ix: StepIx) -> Result<&'w Node, super::Contradiction> {
        let plan: &'w Plan = self.world.plan;
        Ok(plan.node(self.step(ix)?.node))
    }

    /// A ready step is looked at.
    pub(super) fn enter(&mut self, ix: StepIx) -> Decided {
        if self.is_stopping(ix)? {
            return self.stop_call(ix);
        }
        if self.is_paused(ix)? {
            self.hold_back(ix, Cause::Paused);
            return Ok(());
        }
        let node = self.node(ix)?;
        if !self.step(ix)?.entered {
            if !self.set_deadline(ix, node)? {
                return Ok(());
            }
            if let Some(when) = &node.when {
                let holds = self.scope(ix)?.holds(when);
                match holds {
                    Ok(true) => {}
                    Ok(false) => return self.end(ix, StepEnd::Skipped),
                    Err(error) => return self.fail_eval(ix, &error),
                }
            }
        }
        if let Kind::ForEach(each) = &node.kind
            && self.step(ix)?.looping.is_none()
            && !self.fix_list(ix, each)?
        {
            return Ok(());
        }
        if self.step(ix)?.approved.is_none() && self.open_gate(ix)? {
            return Ok(());
        }
        self.body(ix, node)
    }

    /// Sets the deadline of `within`; says whether the step can go on.
    fn set_deadline(&mut self, ix: StepIx, node: &Node) -> Result<bool, super::Contradiction> {
        let Some(within) = &node.within else { return Ok(true) };
        if self.step(ix)?.deadline.is_some() {
            return Ok(true);
        }
        let length = self.scope(ix)?.length(within);
        match length {
            Ok(every) => {
                let path = self.path(ix)?;
                let at = self.step(ix)?.ready_at.plus(every);
                // A deadline of nothing would pass for ever in one instant.
                let every = every.max(Span::from_secs(1));
                self.emit(Head::DeadlineSet { path, at, every })?;
                Ok(true)
            }
            Err(error) => {
                self.fail_eval(ix, &error)?;
                Ok(false)
            }
        }
    }

    /// Evaluates a loop's list, once; says whether the step can go on.
    fn fix_list(&mut self, ix: StepIx, each: &ForEach) -> Result<bool, super::Contradiction> {
        let list = match &each.list {
            ListSource::Count(count) => Ok(json!(count)),
            ListSource::Expression(expression) => self.scope(ix)?.evaluate(expression),
        };
        let (count, value) = match list {
            Err(error) => {
                self.fail_eval(ix, &error)?;
                return Ok(false);
            }
            Ok(Value::Array(items)) if items.len() <= ITEMS_MAX => {
                (items.len() as u64, Value::Array(items))
            }
            Ok(Value::Number(number)) if number.as_u64().is_some_and(|n| n <= ITEMS_MAX as u64) => {
                (number.as_u64().unwrap_or(0), Value::Number(number))
            }
            Ok(Value::Array(items)) => {
                let message =
                    format!("the list has {} items, at most {ITEMS_MAX} are possible", items.len());
                self.fail(ix, ErrorKind::Invalid, message)?;
                return Ok(false);
            }
            Ok(other) => {
                self.fail(
                    ix,
                    ErrorKind::Script,
                    format!("`for_each` must give a list, it gives {other}"),
                )?;
                return Ok(false);
            }
        };
        let path = self.path(ix)?;
        self.emit(Event::new(Head::ListFixed { path, count }).value(value))?;
        Ok(true)
    }

    fn body(&mut self, ix: StepIx, node: &'w Node) -> Decided {
        let path = self.path(ix)?;
        match &node.kind {
            Kind::Call(_) => self.start_call(ix),
            Kind::Script(script) => self.start_script(ix, script),
            Kind::Task { role, instructions, form } => {
                self.start_task(ix, *role, instructions, form)
            }
            Kind::Approve { .. } => self.approved_step(ix),
            Kind::Wait(wait) => self.start_wait(ix, wait),
            Kind::Group(_) | Kind::Parallel { .. } => self.emit(Head::BlockStarted { path }),
            Kind::ForEach(each) => self.loop_goes_on(ix, each),
            Kind::Switch(cases) => self.choose(ix, cases),
            Kind::Repeat(_) => {
                let step = self.step(ix)?;
                let index =
                    if step.seqs.is_empty() && step.round == 0 { 0 } else { step.round + 1 };
                self.emit(Head::RoundStarted { path, index })
            }
            Kind::Playbook { name, with } => self.start_child(ix, name, with),
            Kind::UndoSteps(ids) => self.undo_by_step(ix, ids),
            Kind::Note(text) => self.note(ix, text),
            Kind::Fail(text) | Kind::End(text) => self.end_early(ix, text),
        }
    }
}
