//! Answers: what an attempt's end means for its step. Outcomes are joined over attempts: once one
//! was unknown, only an answer, a probe or a person ends it.

use serde_json::{Value, json};

use super::super::event::{AttemptEnd, Event, Head, NeedKind, ProbeEnd, RunEnd, StepEnd};
use super::super::state::{Cause, Home, Phase, StepError, StepIx};
use super::super::world::{Holder, SharedChange};
use super::enter::{Ask, ended};
use super::{Answered, Contradiction, Decided, Decider, Effect};
use crate::model::{
    Answer, CallError, EffectClass, ErrorKind, Path, Probed, Reached, Role, RunId, Span, Target,
};
use crate::playbook::{Kind, OnUnknown, Retry};

/// Jitter of a backoff, in percent of it: enough to spread a thousand retries, too little to notice.
const JITTER_PERCENT: u64 = 20;

/// Whether an attempt may follow by itself.
enum Again {
    /// After this pause.
    After(Span),
    /// No: attempts are used up, or it is not allowed.
    No,
}

impl Decider<'_, '_> {
    pub(super) fn answered(&mut self, answered: Answered) -> Decided {
        match answered {
            Answered::Call { path, attempt, result } => match self.open_attempt(&path, attempt) {
                Some(ix) => self.call_answered(ix, result),
                None => Ok(()),
            },
            Answered::Withdrawn { path, attempt } => match self.open_attempt(&path, attempt) {
                Some(ix) => {
                    self.free(ix)?;
                    let end = AttemptEnd::Withdrawn;
                    self.emit(Head::AttemptEnded { path, end, error: None, reached: None })
                }
                None => Ok(()),
            },
            Answered::Probe { path, attempt, result } => self.probed(&path, attempt, result),
            Answered::Previous { path, result } => self.previous_read(&path, result),
            Answered::Script { path, result } => {
                let Some(ix) = self.reading(&path) else { return Ok(()) };
                match result {
                    Ok(value) => {
                        self.emit(ended(path, StepEnd::Succeeded, None, None).value(value))
                    }
                    Err(error) => self.fail_eval(ix, &error),
                }
            }
        }
    }

    /// The step of a running attempt; none for an answer that came twice or too late.
    fn open_attempt(&self, path: &Path, attempt: u32) -> Option<StepIx> {
        let ix = self.state.by_path.get(path).copied()?;
        let step = self.state.steps.get(&ix)?;
        (step.phase == Phase::Running && step.attempts_total == attempt).then_some(ix)
    }

    fn reading(&self, path: &Path) -> Option<StepIx> {
        let ix = self.state.by_path.get(path).copied()?;
        (self.state.steps.get(&ix)?.phase == Phase::Reading).then_some(ix)
    }

    fn previous_read(&mut self, path: &Path, result: Result<Answer, CallError>) -> Decided {
        let Some(ix) = self.reading(path) else { return Ok(()) };
        match result {
            Ok(answer) => {
                let mut event = Event::new(Head::PreviousRead { path: path.clone() });
                event.body.previous = Some(std::sync::Arc::new(answer.output));
                self.emit(event)
            }
            Err(error) => {
                // Nothing was changed: the state before could not be read, so nothing is begun.
                let message = format!("the state before could not be read: {error}");
                self.fail(ix, ErrorKind::Unavailable, message)
            }
        }
    }

    fn call_answered(&mut self, ix: StepIx, result: Result<Answer, CallError>) -> Decided {
        match result {
            Ok(answer) => self.succeeded(ix, answer, AttemptEnd::Succeeded),
            Err(error) => {
                let path = self.path(ix)?;
                let (end, kind) = match &error {
                    CallError::Unavailable { .. } => (AttemptEnd::Failed, ErrorKind::Unavailable),
                    CallError::Refused { .. } => (AttemptEnd::Failed, ErrorKind::Refused),
                    CallError::Invalid { .. } => (AttemptEnd::Failed, ErrorKind::Invalid),
                    CallError::Unknown { .. } => (AttemptEnd::Unknown, ErrorKind::Unknown),
                };
                let wish = match &error {
                    CallError::Unavailable { retry_after, .. } => *retry_after,
                    CallError::Refused { .. } | CallError::Unknown { .. } | CallError::Invalid { .. } => None,
                };
                if end == AttemptEnd::Failed && !self.step(ix)?.unknown {
                    self.free(ix)?;
                }
                let head = Head::AttemptEnded { path, end, error: Some(kind), reached: None };
                self.emit(Event::new(head).text(error.to_string()))?;
                self.attempt_failed(ix, kind, error.to_string(), wish)
            }
        }
    }

    /// An answer, a probe or a person says that it was done.
    pub(super) fn succeeded(&mut self, ix: StepIx, answer: Answer, _end: AttemptEnd) -> Decided {
        let path = self.path(ix)?;
        let output = std::sync::Arc::new(answer.output);
        self.hold(ix, Some(std::sync::Arc::clone(&output)))?;
        let head = Head::AttemptEnded {
            path,
            end: AttemptEnd::Succeeded,
            error: None,
            reached: Some(answer.reached),
        };
        let mut event = Event::new(head);
        event.organisation = self.organisation_of(ix)?;
        event.body.value = Some(output);
        self.emit(event)?;
        self.undo_step_ended(ix)
    }

    fn organisation_of(&self, ix: StepIx) -> Result<Option<crate::model::Organisation>, Contradiction> {
        let sent = self.step(ix)?.sent.as_deref();
        Ok(sent.and_then(|sent| sent.targets.first()).and_then(|target| target.organisation.clone()))
    }

    /// An attempt ended without success: again, a probe, a person, or the step fails.
    fn attempt_failed(
        &mut self,
        ix: StepIx,
        kind: ErrorKind,
        message: String,
        wish: Option<Span>,
    ) -> Decided {
        let step = self.step(ix)?;
        let unknown = step.unknown;
        let class = step.sent.as_ref().map_or(EffectClass::Once, |sent| sent.intent.class);
        let repeats = matches!(class, EffectClass::Read | EffectClass::Idempotent) || self.repeats(ix)?;
        let may = match kind {
            ErrorKind::Unavailable => !unknown || repeats,
            ErrorKind::Unknown => repeats,
            _ => false,
        };
        if self.is_stopping(ix)? {
            return if unknown { self.settle_unknown(ix, class) } else { self.stop_call(ix) };
        }
        if may && let Again::After(pause) = self.again_after(ix, wish)? {
            let path = self.path(ix)?;
            return self.emit(Head::RetryScheduled { path, at: self.now().plus(pause) });
        }
        if unknown {
            return self.settle_unknown(ix, class);
        }
        self.call_failed(ix, kind, message)
    }

    /// A call failed for good.
    fn call_failed(&mut self, ix: StepIx, kind: ErrorKind, message: String) -> Decided {
        if let Home::Undo(of) = self.step(ix)?.home {
            return self.undo_failed(ix, of, kind, message);
        }
        self.fail(ix, kind, message)
    }

    fn repeats(&self, ix: StepIx) -> Result<bool, Contradiction> {
        Ok(match &self.node(ix)?.kind {
            Kind::Call(call) => call.on_unknown == OnUnknown::Repeat && self.step(ix)?.home.is_do(),
            _ => false,
        })
    }

    /// The pause before the next attempt, with jitter; the service's own wish counts where it is
    /// longer.
    fn again_after(&mut self, ix: StepIx, wish: Option<Span>) -> Result<Again, Contradiction> {
        let retry = match &self.node(ix)?.kind {
            Kind::Call(call) => call.retry,
            _ => Retry::default(),
        };
        let attempts = self.step(ix)?.attempts;
        if attempts >= retry.attempts {
            return Ok(Again::No);
        }
        let pause = backoff(&retry, attempts);
        let spread = pause.millis() * JITTER_PERCENT / 100;
        let jitter = Span::from_millis(self.chance.below(spread + 1));
        let pause = Span::from_millis(pause.millis() - spread / 2 + jitter.millis());
        Ok(Again::After(pause.max(wish.unwrap_or_default())))
    }

    /// The outcome is not known and no attempt settles it: a probe where there is one, or a person.
    fn settle_unknown(&mut self, ix: StepIx, class: EffectClass) -> Decided {
        if class == EffectClass::Checkable && self.step(ix)?.sent.as_ref().is_some_and(|sent| sent.intent.connector.is_some()) {
            let path = self.path(ix)?;
            let Some(sent) = self.step(ix)?.sent.as_deref() else { return Ok(()) };
            let at = sent.at.plus(sent.intent.timeout).plus(sent.intent.settle).max(self.now());
            return self.emit(Head::ProbeScheduled { path, at });
        }
        self.ask_unknown(ix)
    }

    pub(super) fn ask_unknown(&mut self, ix: StepIx) -> Decided {
        let form = self.output_form(ix)?;
        let step = self.step(ix)?;
        let sent = step.sent.as_deref();
        let shows = json!({
            "error": step.error,
            "attempts": step.attempts_total,
            "action": sent.map(|sent| &sent.intent.action),
            "connector": sent.and_then(|sent| sent.intent.connector.as_ref()),
            "key": sent.map(|sent| sent.intent.key),
            "arguments": sent.map(|sent| &sent.arguments),
            "targets": sent.map(|sent| &sent.targets),
        });
        let ask = Ask { kind: NeedKind::Unknown, role: Role::Commander, votes: 0, until: None };
        self.ask(Some(ix), &ask, shows, form)
    }

    pub(super) fn start_probe(&mut self, ix: StepIx) -> Decided {
        if self.world.shared.stopped {
            self.hold_back(ix, Cause::Paused);
            return Ok(());
        }
        let step = self.step(ix)?;
        let (path, attempt) = (step.path.clone(), step.attempts_total);
        let Some(connector) = step.sent.as_ref().and_then(|sent| sent.intent.connector.clone()) else {
            return self.ask_unknown(ix);
        };
        if !self.permits.take(&connector) {
            self.hold_back(ix, Cause::Permit(connector));
            return Ok(());
        }
        self.emit(Head::ProbeStarted { path: path.clone() })?;
        let call = Box::new(self.call_of(ix)?);
        self.out.effects.push(Effect::Probe { path, attempt, connector, call });
        Ok(())
    }

    fn probed(&mut self, path: &Path, attempt: u32, result: Probed) -> Decided {
        let Some(ix) = self.state.by_path.get(path).copied() else { return Ok(()) };
        let step = self.step(ix)?;
        if step.phase != Phase::Probing || step.attempts_total != attempt {
            return Ok(());
        }
        let path = path.clone();
        match result {
            Probed::Done(answer) => {
                let output = std::sync::Arc::new(answer.output);
                self.hold(ix, Some(std::sync::Arc::clone(&output)))?;
                let reached = Some(answer.reached);
                let mut event = Event::new(Head::ProbeEnded { path, end: ProbeEnd::Done, reached });
                event.body.value = Some(output);
                self.emit(event)?;
                self.undo_step_ended(ix)
            }
            Probed::NotDone => {
                self.free(ix)?;
                self.emit(Head::ProbeEnded { path, end: ProbeEnd::NotDone, reached: None })?;
                self.was_not_done(ix)
            }
            Probed::Unknown => {
                self.emit(Head::ProbeEnded { path, end: ProbeEnd::Unknown, reached: None })?;
                self.ask_unknown(ix)
            }
        }
    }

    /// Proved not done: it may be tried again with the same key.
    fn was_not_done(&mut self, ix: StepIx) -> Decided {
        if self.is_stopping(ix)? {
            return self.stop_call(ix);
        }
        match self.again_after(ix, None)? {
            Again::After(pause) => {
                let path = self.path(ix)?;
                self.emit(Head::RetryScheduled { path, at: self.now().plus(pause) })
            }
            Again::No => {
                let message = "it was proved not done, and its attempts are used up".to_owned();
                self.call_failed(ix, ErrorKind::Unavailable, message)
            }
        }
    }

    /// The effect left nothing: its targets are free for others.
    pub(super) fn free(&mut self, ix: StepIx) -> Decided {
        let Some((effect, targets, _)) = self.exclusive(ix)? else { return Ok(()) };
        self.out.shared.push(SharedChange::Freed { targets, effect });
        Ok(())
    }

    /// Effect family and targets of what a step sent, where effects on a target exclude each other.
    fn exclusive(
        &self,
        ix: StepIx,
    ) -> Result<Option<(crate::model::ActionName, Vec<String>, bool)>, Contradiction> {
        let Some(sent) = self.step(ix)?.sent.as_deref() else { return Ok(None) };
        let family = self.family(&sent.intent.action);
        let release = family != sent.intent.action;
        if !sent.intent.destructive && !release {
            return Ok(None);
        }
        let targets = sent.targets.iter().map(Target::identity).collect();
        Ok(Some((family, targets, release)))
    }

    /// The effect succeeded: its run holds the targets, or a release gave them up.
    fn hold(&mut self, ix: StepIx, output: Option<std::sync::Arc<Value>>) -> Decided {
        let Some((effect, targets, release)) = self.exclusive(ix)? else { return Ok(()) };
        let step = self.step(ix)?;
        let run = self.state.opened.run;
        let change = match step.home {
            Home::Undo(of) => {
                let path = self.path(of)?;
                SharedChange::Released { targets, effect, run, path }
            }
            Home::Seq(_) if release => SharedChange::Cleared { targets, effect },
            Home::Seq(_) => {
                let undo = step.sent.as_ref().is_some_and(|sent| sent.undo.is_some());
                let previous = step.sent.as_ref().and_then(|sent| sent.previous.clone());
                if undo {
                    let by = Holder { run, path: step.path.clone(), since: self.now() };
                    SharedChange::Held { targets, effect, by, previous, output }
                } else {
                    SharedChange::Freed { targets, effect }
                }
            }
        };
        self.out.shared.push(change);
        Ok(())
    }

    pub(super) fn child_ended(
        &mut self,
        path: &Path,
        run: RunId,
        end: RunEnd,
        outputs: Value,
        error: Option<StepError>,
    ) -> Decided {
        let Some(ix) = self.state.by_path.get(path).copied() else { return Ok(()) };
        if self.step(ix)?.phase != Phase::Child(run) {
            return Ok(());
        }
        let path = path.clone();
        match end {
            RunEnd::Succeeded | RunEnd::Undone | RunEnd::Superseded => {
                self.emit(ended(path, StepEnd::Succeeded, None, None).value(outputs))
            }
            RunEnd::Cancelled if self.is_stopping(ix)? => self.end(ix, StepEnd::Cancelled),
            RunEnd::Cancelled => {
                self.fail(ix, ErrorKind::Child, "the sub-playbook was cancelled".to_owned())
            }
            RunEnd::Failed => {
                let message = error.map_or_else(|| "the sub-playbook failed".to_owned(), |error| error.message);
                self.fail(ix, ErrorKind::Child, message)
            }
        }
    }

    /// The owner died. Reads and idempotent calls go again at once with the same key, without using
    /// up an attempt; the others become unknown.
    pub(super) fn recover(&mut self) -> Decided {
        let out: Vec<StepIx> = self.state.out.iter().copied().collect();
        for ix in out {
            let step = self.step(ix)?;
            let path = step.path.clone();
            match &step.phase {
                Phase::Running => self.recover_attempt(ix, path)?,
                Phase::Probing => {
                    let at = self.now();
                    self.emit(Head::ProbeScheduled { path, at })?;
                }
                Phase::Reading => self.read_again(ix)?,
                Phase::Child(run) => {
                    let run = *run;
                    self.reopen_child(ix, run)?;
                }
                Phase::Ready | Phase::Gated(_) | Phase::Backoff(_) | Phase::Settling(_) | Phase::Asked(_)
                | Phase::Person(_) | Phase::Signal(..) | Phase::Time(_) | Phase::Block | Phase::Handling
                | Phase::Concluding(..) | Phase::Ended(_) => {}
            }
        }
        Ok(())
    }

    fn recover_attempt(&mut self, ix: StepIx, path: Path) -> Decided {
        let Some(sent) = self.step(ix)?.sent.as_deref() else { return Ok(()) };
        let (class, attempt) = (sent.intent.class, self.step(ix)?.attempts_total);
        let connector = sent.intent.connector.clone();
        let repeats = matches!(class, EffectClass::Read | EffectClass::Idempotent) || self.repeats(ix)?;
        if let Some(connector) = connector.filter(|_| repeats && !self.world.shared.stopped) {
            if self.permits.take(&connector) {
                self.emit(Head::AttemptResumed { path: path.clone() })?;
                let call = Box::new(self.call_of(ix)?);
                self.out.effects.push(Effect::Call { path, attempt, connector, call });
                return Ok(());
            }
            // No place now: it goes again as soon as there is one, still the same attempt.
            let end = AttemptEnd::Withdrawn;
            return self.emit(Head::AttemptEnded { path, end, error: None, reached: None });
        }
        let message = "the program ended before the answer came".to_owned();
        let head = Head::AttemptEnded {
            path,
            end: AttemptEnd::Unknown,
            error: Some(ErrorKind::Unknown),
            reached: None,
        };
        self.emit(Event::new(head).text(message))?;
        self.settle_unknown(ix, class)
    }

    /// A script or a look at the previous state is simply done again.
    fn read_again(&mut self, ix: StepIx) -> Decided {
        let node = self.node(ix)?;
        match &node.kind {
            Kind::Script(script) => {
                let path = self.path(ix)?;
                let values = self.scope(ix)?.values(script);
                self.out.effects.push(Effect::Script { path, script: script.clone(), values });
                Ok(())
            }
            _ => self.state.set_phase(ix, Phase::Ready),
        }
    }

    fn reopen_child(&mut self, ix: StepIx, run: RunId) -> Decided {
        let Kind::Playbook { name, with } = &self.node(ix)?.kind else { return Ok(()) };
        let path = self.path(ix)?;
        // Inputs were checked when the child was decided on; a child that is there keeps its own.
        let rendered = self.scope(ix)?.render(&crate::playbook::Template::Object(with.clone()));
        let mut inputs = rendered.unwrap_or_else(|_| json!({}));
        if let Some(child) = self.world.plan.parts().children.get(name) {
            child.parts().inputs.fill(&mut inputs);
        }
        self.out.effects.push(Effect::OpenChild { path, run, playbook: name.clone(), inputs });
        Ok(())
    }

    /// A person did it: with or without an attempt before.
    pub(super) fn done_by_hand(&mut self, ix: StepIx, output: Value) -> Decided {
        let answer = Answer { output, reached: Reached::Accepted };
        self.succeeded(ix, answer, AttemptEnd::Succeeded)
    }
}

/// The pause after so many attempts: initial · factor^(n−1), at most max.
fn backoff(retry: &Retry, attempts: u32) -> Span {
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "pauses are milliseconds below 2^40, and the float is bounded by max"
    )]
    let pause = {
        let power = i32::try_from(attempts.saturating_sub(1)).unwrap_or(i32::MAX);
        let grown = retry.initial.millis() as f64 * retry.factor.powi(power);
        grown.min(retry.max.millis() as f64) as u64
    };
    Span::from_millis(pause)
}
