//! Answers: what an attempt's end means for its step. Outcomes are joined over attempts: once one
//! was unknown, only an answer, a probe or a person ends it.

use serde_json::{Value, json};

use super::super::event::{AttemptEnd, Event, Head, NeedKind, ProbeEnd, RunEnd, StepEnd};
use super::super::state::{Cause, Home, Phase, StepError, StepIx};
use super::outcome::{Ask, ended};
use super::{Answered, Contradiction, Decided, Decider, Effect};
use crate::model::{
    Answer, CallError, EffectClass, ErrorKind, Path, Probed, Reached, Role, RunId, Span,
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
                    if !self.step(ix)?.unknown {
                        self.free(ix)?;
                    }
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
            Err(error) => self.previous_failed(ix, &error),
        }
    }

    /// Nothing was changed: the state before could not be read, so nothing is begun. A look may
    /// always be tried again.
    fn previous_failed(&mut self, ix: StepIx, error: &CallError) -> Decided {
        let message = format!("the state before could not be read: {error}");
        let (wish, may) = match error {
            CallError::Unavailable { retry_after, .. } => (*retry_after, true),
            CallError::Unknown { .. } => (None, true),
            CallError::Refused { .. } | CallError::Invalid { .. } => (None, false),
        };
        if may
            && !self.is_stopping(ix)?
            && let Again::After(pause) = self.again_after(ix, 1, wish)?
        {
            let path = self.path(ix)?;
            return self.emit(Head::RetryScheduled { path, at: self.now().plus(pause) });
        }
        self.fail(ix, ErrorKind::Unavailable, message)
    }

    fn call_answered(&mut self, ix: StepIx, result: Result<Answer, CallError>) -> Decided {
        match result {
            Ok(answer) => self.succeeded(ix, answer),
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
                    CallError::Refused { .. }
                    | CallError::Unknown { .. }
                    | CallError::Invalid { .. } => None,
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
    pub(super) fn succeeded(&mut self, ix: StepIx, answer: Answer) -> Decided {
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

    fn organisation_of(
        &self,
        ix: StepIx,
    ) -> Result<Option<crate::model::Organisation>, Contradiction> {
        let sent = self.step(ix)?.sent.as_deref();
        Ok(sent
            .and_then(|sent| sent.targets.first())
            .and_then(|target| target.organisation.clone()))
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
        let repeats =
            matches!(class, EffectClass::Read | EffectClass::Idempotent) || self.repeats(ix)?;
        let may = match kind {
            ErrorKind::Unavailable => !unknown || repeats,
            ErrorKind::Unknown => repeats,
            ErrorKind::Refused
            | ErrorKind::Invalid
            | ErrorKind::Guarded
            | ErrorKind::Limit
            | ErrorKind::Denied
            | ErrorKind::Exhausted
            | ErrorKind::Tolerance
            | ErrorKind::Script
            | ErrorKind::Child
            | ErrorKind::Fail
            | ErrorKind::Internal => false,
        };
        if self.is_stopping(ix)? {
            return if unknown { self.settle_unknown(ix, class) } else { self.stop_call(ix) };
        }
        if may && let Again::After(pause) = self.again_after(ix, 0, wish)? {
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

    pub(super) fn repeats(&self, ix: StepIx) -> Result<bool, Contradiction> {
        let Kind::Call(call) = &self.node(ix)?.kind else { return Ok(false) };
        Ok(call.on_unknown == OnUnknown::Repeat && self.step(ix)?.home.is_do())
    }

    /// The pause before the next attempt, with jitter; the service's own wish counts where it is
    /// longer. A look that failed is not counted yet.
    fn again_after(
        &mut self,
        ix: StepIx,
        uncounted: u32,
        wish: Option<Span>,
    ) -> Result<Again, Contradiction> {
        let retry =
            if let Kind::Call(call) = &self.node(ix)?.kind { call.retry } else { Retry::default() };
        let attempts = self.step(ix)?.attempts + uncounted;
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
    pub(super) fn settle_unknown(&mut self, ix: StepIx, class: EffectClass) -> Decided {
        match self.step(ix)?.sent.as_deref() {
            Some(sent) if class == EffectClass::Checkable && sent.intent.connector.is_some() => {
                let at = sent.at.plus(sent.intent.timeout).plus(sent.intent.settle).max(self.now());
                let path = self.path(ix)?;
                self.emit(Head::ProbeScheduled { path, at })
            }
            Some(_) | None => self.ask_unknown(ix),
        }
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
        let Some(connector) = step.sent.as_ref().and_then(|sent| sent.intent.connector.clone())
        else {
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
        match self.again_after(ix, 0, None)? {
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

    pub(super) fn child_ended(
        &mut self,
        path: &Path,
        (run, end): (RunId, RunEnd),
        outputs: Value,
        error: Option<StepError>,
    ) -> Decided {
        let Some(ix) = self.state.by_path.get(path).copied() else { return Ok(()) };
        if self.step(ix)?.phase != Phase::Child(run) {
            return self.child_undone(path, run, end);
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
                let message = error
                    .map_or_else(|| "the sub-playbook failed".to_owned(), |error| error.message);
                self.fail(ix, ErrorKind::Child, message)
            }
        }
    }

    /// A person did it: with or without an attempt before.
    pub(super) fn done_by_hand(&mut self, ix: StepIx, output: Value) -> Decided {
        let answer = Answer { output, reached: Reached::Accepted };
        self.succeeded(ix, answer)
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
