//! An effect's way to its intent: connector, targets, guard, gate, hold, limits, previous state,
//! permit. All of it is settled before the intent, and the intent before the effect.

use std::sync::Arc;

use serde_json::{Value, json};

use super::super::claims::family_of;
use super::super::event::{AttemptEnd, Event, Head, Intent, NeedKind};
use super::super::state::{Cause, Sent, StepIx};
use super::super::world::{Setup, SharedChange};
use super::outcome::Ask;
use super::prepare::{Prepared, Unfit, prepare};
use super::shared::hold_key;
use super::{Contradiction, Decided, Decider, Effect};
use crate::model::{
    ActionName, Call, ConnectorName, Direction, EffectClass, ErrorKind, IdempotencyKey, Mode,
    Offer, Path, Reached, Role, Span, Target,
};
use crate::playbook::{CallNode, Kind};

/// Why a destructive call is never sent, whoever says yes to it, from all it touches: also asked
/// before anything is opened for it.
pub fn never_sent(setup: &Setup, mode: Mode, touched: &[Target]) -> Option<String> {
    // A connector's configuration may call a plain request destructive: no launch knows that.
    if mode == Mode::Live && !setup.guarded {
        return Some("there is no `guard:` section: nothing destructive is done live".to_owned());
    }
    let hit = setup.guard.hit(touched)?;
    Some(format!("`{}` is guarded ({}): it is never touched", hit.target, hit.label))
}

impl Decider<'_, '_> {
    /// A call is due: for the first time, or again.
    pub(super) fn start_call(&mut self, ix: StepIx) -> Decided {
        if self.is_stopping(ix)? {
            return self.stop_call(ix);
        }
        if self.is_paused(ix)? {
            self.hold_back(ix, Cause::Paused);
            return Ok(());
        }
        let node = self.node(ix)?;
        let Kind::Call(call) = &node.kind else {
            return Err(Contradiction::new("an attempt of what is no call"));
        };
        let prepared = if let Some(prepared) = self.again(ix)? {
            Ok(prepared)
        } else {
            let path = self.path(ix)?;
            prepare(self.world, &self.scope(ix)?, node, call, path)
        };
        let prepared = match prepared {
            Ok(prepared) => prepared,
            Err((kind, message)) => return self.fail(ix, kind, message),
        };
        if self.take_over(ix, &prepared)? {
            return Ok(());
        }
        if prepared.connector.is_none() && call.automatic {
            let message =
                format!("nothing is bound for `{}`, and a person must not do it", call.action);
            return self.fail(ix, ErrorKind::Refused, message);
        }
        if !self.is_cleared(ix, call, &prepared)? {
            return Ok(());
        }
        let timeout = self.scope(ix)?.length(&call.timeout);
        match timeout {
            Ok(timeout) => {
                let previous = self.step(ix)?.previous.clone();
                self.intend(ix, (prepared, previous), Direction::Do, timeout)
            }
            Err(error) => self.fail_eval(ix, &error),
        }
    }

    /// What one key stands for never changes: a retry of a generation sends what it sent before,
    /// whatever the values are now.
    fn again(&self, ix: StepIx) -> Result<Option<Prepared>, Contradiction> {
        let step = self.step(ix)?;
        let Some(sent) = step.sent.as_deref() else { return Ok(None) };
        let intent = &sent.intent;
        if intent.generation != step.generation {
            return Ok(None);
        }
        let offer = Offer {
            action: intent.action.clone(),
            class: intent.class,
            reach: Reached::Accepted,
            settle: intent.settle,
        };
        Ok(Some(Prepared {
            path: step.path.clone(),
            action: intent.action.clone(),
            arguments: Arc::clone(&sent.arguments),
            targets: sent.targets.clone(),
            connector: intent.connector.clone(),
            offer,
            destructive: intent.destructive,
            undo: sent.undo.clone(),
            family: family_of(self.world.catalogue, &intent.action, intent.destructive),
            effect: intent.effect,
        }))
    }

    /// Guard, once, gate, hold and limits; says whether the effect may go on to its intent.
    fn is_cleared(
        &mut self,
        ix: StepIx,
        call: &CallNode,
        prepared: &Prepared,
    ) -> Result<bool, Contradiction> {
        if let Some((kind, message)) = self.guarded(prepared) {
            self.fail(ix, kind, message)?;
            return Ok(false);
        }
        if call.once_per_incident && !self.is_first(ix, prepared)? {
            return Ok(false);
        }
        if !self.is_approved(ix, prepared)? {
            return Ok(false);
        }
        if !self.is_free(ix, prepared)? {
            return Ok(false);
        }
        if let Some((kind, message)) = self.over_limit(prepared) {
            self.fail(ix, kind, message)?;
            return Ok(false);
        }
        self.has_previous(ix, prepared)
    }

    /// Why a destructive effect is never sent, whoever says yes.
    fn guarded(&self, prepared: &Prepared) -> Option<Unfit> {
        if !prepared.destructive {
            return None;
        }
        let message = never_sent(self.world.setup, self.state.opened.mode, &prepared.targets)?;
        Some((ErrorKind::Guarded, message))
    }

    fn over_limit(&self, prepared: &Prepared) -> Option<Unfit> {
        let targets = Some(&prepared.targets).filter(|_| prepared.destructive)?;
        self.limit_reached(targets).map(|message| (ErrorKind::Limit, message))
    }

    /// Why an effect that takes something back must not go out: only where it destroys itself.
    pub(super) fn forbidden(&self, prepared: &Prepared) -> Option<Unfit> {
        self.guarded(prepared).or_else(|| self.over_limit(prepared))
    }

    /// The state before the effect is read where an undo needs it; again, where somebody else's
    /// effect on the target began meanwhile: what was seen may have been of its making.
    fn has_previous(&mut self, ix: StepIx, prepared: &Prepared) -> Result<bool, Contradiction> {
        let step = self.step(ix)?;
        let sent = step.sent.as_ref();
        let sent_already = sent.is_some_and(|sent| sent.intent.generation == step.generation);
        let by = (self.state.opened.run, step.path.clone());
        let means = prepared.means();
        let is_fresh = |target| {
            means.as_ref().is_none_or(|means| self.shared.is_fresh(&hold_key(target, means), &by))
        };
        if sent_already || (step.previous.is_some() && prepared.targets.iter().all(is_fresh)) {
            return Ok(true);
        }
        let (run, path) = by;
        let Some((connector, call)) = self.look(&path, prepared) else { return Ok(true) };
        if !self.permits.take(&connector) {
            self.hold_back(ix, Cause::Permit(connector));
            return Ok(false);
        }
        self.emit(Head::ReadStarted { path: path.clone() })?;
        if let Some(effect) = means {
            let targets = prepared.targets.iter().map(Target::identity).collect();
            self.share(SharedChange::Looked { targets, effect, run, path: path.clone() });
        }
        self.out.effects.push(Effect::Previous { path, connector, call: Box::new(call) });
        Ok(false)
    }

    /// The call that reads the state before an effect, where an undo needs it and the connector can.
    fn look(&self, path: &Path, prepared: &Prepared) -> Option<(ConnectorName, Call)> {
        let reading = self.world.catalogue.get(&prepared.action)?.previous.clone()?;
        let connector = prepared.connector.clone()?;
        let argument = prepared.undo.as_ref()?.arguments.clone();
        self.world.connectors.offer(&connector, &reading, &argument)?;
        let call = self.previous_call(path, reading, argument, prepared.targets.clone());
        Some((connector, call))
    }

    /// The look that a step was at when the program ended.
    pub(super) fn look_of(
        &self,
        ix: StepIx,
    ) -> Result<Result<(ConnectorName, Call), Unfit>, Contradiction> {
        let (node, path) = (self.node(ix)?, self.path(ix)?);
        let Kind::Call(call) = &node.kind else {
            return Err(Contradiction::new(format!("{path} is no call")));
        };
        let prepared = match prepare(self.world, &self.scope(ix)?, node, call, path.clone()) {
            Ok(prepared) => prepared,
            Err(unfit) => return Ok(Err(unfit)),
        };
        let gone = || {
            (
                ErrorKind::Unavailable,
                format!("`{}` has no connector any more", prepared.action.as_str()),
            )
        };
        Ok(self.look(&path, &prepared).ok_or_else(gone))
    }

    fn previous_call(
        &self,
        path: &Path,
        action: ActionName,
        arguments: Value,
        targets: Vec<Target>,
    ) -> Call {
        let store = self.world.setup.store;
        Call {
            action,
            direction: Direction::Do,
            key: IdempotencyKey::new(
                store,
                self.state.root(),
                &path.child("previous"),
                Direction::Do,
                0,
            ),
            mode: self.state.opened.mode,
            arguments,
            targets,
            previous: None,
            timeout: READ_TIMEOUT,
            traceparent: self.state.opened.trace.clone(),
        }
    }

    /// The permit, then the intent, then the effect; or a person's task.
    pub(super) fn intend(
        &mut self,
        ix: StepIx,
        (prepared, previous): (Prepared, Option<Arc<Value>>),
        direction: Direction,
        timeout: Span,
    ) -> Decided {
        let doubtful = self.is_doubtful(ix, &prepared)?;
        if let Some(connector) = &prepared.connector
            && !doubtful
            && !self.permits.take(connector)
        {
            self.hold_back(ix, Cause::Permit(connector.clone()));
            return Ok(());
        }
        self.claim(ix, &prepared)?;
        let mut intent = self.intent(ix, &prepared, direction, timeout)?;
        if doubtful {
            // It is not sent, so it is no attempt of the step's budget.
            intent.attempt = 0;
        }
        let (path, attempt) = (intent.path.clone(), intent.attempt);
        let mut event = Event::new(Head::AttemptStarted(intent));
        event.organisation = prepared.targets.iter().find_map(|target| target.organisation.clone());
        event.body.value = Some(Arc::clone(&prepared.arguments));
        event.body.targets.clone_from(&prepared.targets);
        event.body.previous = previous;
        event.body.undo.clone_from(&prepared.undo);
        self.emit(event)?;
        let yes = self.yes_for(ix, &prepared);
        self.make_busy(&prepared, &path, yes);
        if doubtful {
            let (end, error) = (AttemptEnd::Unknown, Some(ErrorKind::Unknown));
            let head = Head::AttemptEnded { path, end, error, reached: None };
            let message = "the store came back from a backup: it may have been done since";
            self.emit(Event::new(head).text(message))?;
            return self.settle_unknown(ix, prepared.offer.class);
        }
        match prepared.connector.clone() {
            Some(connector) => {
                let call = Box::new(self.call_of(ix)?);
                self.out.effects.push(Effect::Call { path, attempt, connector, call });
                Ok(())
            }
            None => self.ask_by_hand(ix, &prepared),
        }
    }

    /// After a restore, whether the store's lost future may have sent this. What may be sent twice
    /// is sent with its key; the rest is a question for a probe or a person.
    fn is_doubtful(&self, ix: StepIx, prepared: &Prepared) -> Result<bool, Contradiction> {
        let Some((_, restored)) = &self.state.restored else { return Ok(false) };
        let known = self.step(ix)?.sent.as_ref().is_some_and(|sent| sent.at >= *restored);
        let may = match prepared.offer.class {
            EffectClass::Read | EffectClass::Idempotent => true,
            EffectClass::Checkable | EffectClass::Once => self.repeats(ix)?,
        };
        Ok(!known && !may && prepared.connector.is_some())
    }

    /// The intent of a step's next attempt.
    pub(super) fn intent(
        &self,
        ix: StepIx,
        prepared: &Prepared,
        direction: Direction,
        timeout: Span,
    ) -> Result<Intent, Contradiction> {
        let step = self.step(ix)?;
        let (path, generation, attempt) =
            (step.path.clone(), step.generation, step.attempts_total + 1);
        let key_path = match direction {
            Direction::Do => path.clone(),
            Direction::Undo => self.origin_path(ix)?,
        };
        let key = IdempotencyKey::new(
            self.world.setup.store,
            self.state.root(),
            &key_path,
            direction,
            generation,
        );
        Ok(Intent {
            path,
            direction,
            key,
            generation,
            attempt,
            connector: prepared.connector.clone(),
            action: prepared.action.clone(),
            class: prepared.offer.class,
            settle: prepared.offer.settle,
            timeout,
            destructive: prepared.destructive,
            effect: prepared.effect,
        })
    }

    /// The call of a step's open intent, as it goes on the wire; the same after a crash.
    pub(super) fn call_of(&self, ix: StepIx) -> Result<Call, Contradiction> {
        let step = self.step(ix)?;
        let Some(sent) = step.sent.as_deref() else {
            return Err(Contradiction::new(format!("{} has no intent", step.path)));
        };
        Ok(call_from(sent, self.state.opened.mode, self.state.opened.trace.clone()))
    }

    /// Nothing is bound: a person is told exactly what to do.
    fn ask_by_hand(&mut self, ix: StepIx, prepared: &Prepared) -> Decided {
        let Some(spec) = self.world.catalogue.get(&prepared.action) else {
            return Err(Contradiction::new(format!("there is no action {}", prepared.action)));
        };
        let shows = json!({
            "by_hand": prepared.action,
            "instructions": fill(&spec.by_hand, &prepared.arguments),
            "arguments": prepared.arguments,
            "targets": prepared.targets,
        });
        let form = json!(spec.output);
        let ask = Ask { kind: NeedKind::Task, role: Role::Responder, votes: 0, until: None };
        self.ask(Some(ix), &ask, shows, Some(form))
    }
}

/// How long a look at the previous state may take.
const READ_TIMEOUT: Span = Span::from_secs(30);

/// A sent intent as a call.
fn call_from(sent: &Sent, mode: Mode, traceparent: Option<String>) -> Call {
    Call {
        action: sent.intent.action.clone(),
        direction: sent.intent.direction,
        key: sent.intent.key,
        mode,
        arguments: sent.arguments.as_ref().clone(),
        targets: sent.targets.clone(),
        previous: sent.previous.as_deref().cloned(),
        timeout: sent.intent.timeout,
        traceparent,
    }
}

/// Puts arguments into the sentence of what to do by hand.
fn fill(sentence: &str, arguments: &Value) -> String {
    let mut text = sentence.to_owned();
    if let Value::Object(fields) = arguments {
        for (name, value) in fields {
            let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            text = text.replace(&format!("{{{name}}}"), &value);
        }
    }
    text
}
