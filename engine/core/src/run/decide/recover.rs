//! After a crash: what was out is taken up. A loop over durable state, not a list read at start.

use super::super::event::{AttemptEnd, Event, Head};
use super::super::state::{Cause, Phase, StepIx};
use super::{Command, Contradiction, Decided, Decider, Effect};
use crate::model::{Call, ConnectorName, EffectClass, ErrorKind, RunId};
use crate::playbook::Kind;

impl Decider<'_, '_> {
    /// The owner died. Reads and idempotent calls go again at once with the same key, without using
    /// up an attempt; the others become unknown.
    pub(super) fn recover(&mut self) -> Decided {
        self.walk_undo = true;
        let out: Vec<StepIx> = self.state.out.iter().copied().collect();
        for ix in out {
            let step = self.step(ix)?;
            match step.phase {
                Phase::Running => self.recover_attempt(ix)?,
                Phase::Probing => {
                    let (path, at) = (step.path.clone(), self.now());
                    self.emit(Head::ProbeScheduled { path, at })?;
                }
                Phase::Reading => self.read_again(ix)?,
                Phase::Child(run) => self.reopen_child(ix, run)?,
                Phase::Ready
                | Phase::Gated(_)
                | Phase::Backoff(_)
                | Phase::Settling(_)
                | Phase::Asked(_)
                | Phase::Person(_)
                | Phase::Signal(..)
                | Phase::Time(_)
                | Phase::Block
                | Phase::Handling
                | Phase::Concluding(..)
                | Phase::Ended(_) => {}
            }
        }
        Ok(())
    }

    fn recover_attempt(&mut self, ix: StepIx) -> Decided {
        let Some(sent) = self.step(ix)?.sent.as_deref() else { return Ok(()) };
        let class = sent.intent.class;
        if matches!(class, EffectClass::Read | EffectClass::Idempotent) || self.repeats(ix)? {
            return self.resume(ix);
        }
        let message = "the program ended before the answer came".to_owned();
        let head = Head::AttemptEnded {
            path: self.path(ix)?,
            end: AttemptEnd::Unknown,
            error: Some(ErrorKind::Unknown),
            reached: None,
        };
        self.emit(Event::new(head).text(message))?;
        self.settle_unknown(ix, class)
    }

    /// The same attempt goes out again, as soon as there is a place.
    pub(super) fn resume(&mut self, ix: StepIx) -> Decided {
        if self.world.shared.stopped {
            self.hold_back(ix, Cause::Paused);
            return Ok(());
        }
        let step = self.step(ix)?;
        let (path, attempt) = (step.path.clone(), step.attempts_total);
        let connector = step.sent.as_deref().and_then(|sent| sent.intent.connector.clone());
        let Some(connector) = connector.filter(|_| step.phase == Phase::Running) else {
            return Ok(());
        };
        if !self.permits.take(&connector) {
            self.hold_back(ix, Cause::Permit(connector));
            return Ok(());
        }
        self.emit(Head::AttemptResumed { path: path.clone() })?;
        let call = Box::new(self.call_of(ix)?);
        self.out.effects.push(Effect::Call { path, attempt, connector, call });
        Ok(())
    }

    /// A script or a look at the previous state is simply done again.
    pub(super) fn read_again(&mut self, ix: StepIx) -> Decided {
        if self.world.shared.stopped {
            self.hold_back(ix, Cause::Paused);
            return Ok(());
        }
        match &self.node(ix)?.kind {
            Kind::Script(script) => {
                let path = self.path(ix)?;
                let values = self.scope(ix)?.values(script);
                self.out.effects.push(Effect::Script { path, script: script.clone(), values });
                Ok(())
            }
            Kind::Call(_) => match self.look_of(ix)? {
                Ok(look) => self.look_again(ix, look),
                Err((kind, message)) => self.fail(ix, kind, message),
            },
            Kind::Task { .. }
            | Kind::Approve { .. }
            | Kind::Wait(_)
            | Kind::Group(_)
            | Kind::Parallel { .. }
            | Kind::ForEach(_)
            | Kind::Switch(_)
            | Kind::Repeat(_)
            | Kind::Playbook { .. }
            | Kind::UndoSteps(_)
            | Kind::Note(_)
            | Kind::Fail(_)
            | Kind::End(_) => Err(Contradiction::new(format!("{} reads nothing", self.path(ix)?))),
        }
    }

    fn look_again(&mut self, ix: StepIx, look: (ConnectorName, Call)) -> Decided {
        let (connector, call) = look;
        if !self.permits.take(&connector) {
            self.hold_back(ix, Cause::Permit(connector));
            return Ok(());
        }
        let path = self.path(ix)?;
        self.out.effects.push(Effect::Previous { path, connector, call: Box::new(call) });
        Ok(())
    }

    /// A sub-playbook is opened if that was missed, and told what it may have missed.
    fn reopen_child(&mut self, ix: StepIx, run: RunId) -> Decided {
        if !self.step(ix)?.home.is_do() {
            return self.undo_child(ix, run);
        }
        let Kind::Playbook { name, .. } = &self.node(ix)?.kind else { return Ok(()) };
        let step = self.step(ix)?;
        let path = step.path.clone();
        let inputs = step.child_inputs.as_deref().cloned().unwrap_or_default();
        self.out.effects.push(Effect::OpenChild { path, run, playbook: name.clone(), inputs });
        let by = self.requester().clone();
        if self.is_stopping(ix)? {
            let reason = "the calling run is being ended".to_owned();
            self.out.effects.push(Effect::ToChild { run, command: Command::Cancel { by, reason } });
            return Ok(());
        }
        let command = if self.state.paused {
            let reason = "the calling run is paused".to_owned();
            Command::Pause { by, reason, with_caller: true }
        } else {
            Command::Unpause { by, with_caller: true }
        };
        self.out.effects.push(Effect::ToChild { run, command });
        Ok(())
    }
}
