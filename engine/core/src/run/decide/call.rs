//! An effect's way to its intent: connector, targets, guard, gate, hold, limits, previous state,
//! permit. All of it is settled before the intent, and the intent before the effect.

use std::sync::Arc;

use serde_json::{Value, json};

use super::super::event::{Event, Head, Intent, NeedKind, StepEnd, UndoCall};
use super::super::scope::Scope;
use super::super::state::{Binding, Cause, Sent, StepIx};
use super::super::world::{Holder, SharedChange, World};
use super::enter::Ask;
use super::{Contradiction, Decided, Decider, Effect};
use crate::model::{
    ActionName, Call, ConnectorName, Digest, Direction, EffectClass, ErrorKind, IdempotencyKey,
    Mode, Offer, Path, Reached, Role, Span, Target, digest_of,
};
use crate::playbook::{CallNode, Kind, Node, Template, Undo};

/// A call, rendered and resolved, before anything is decided about it.
#[derive(Debug, Clone)]
pub(super) struct Prepared {
    pub(super) path: Path,
    pub(super) action: ActionName,
    pub(super) arguments: Arc<Value>,
    pub(super) targets: Vec<Target>,
    pub(super) connector: Option<ConnectorName>,
    pub(super) offer: Offer,
    pub(super) destructive: bool,
    pub(super) undo: Option<Arc<UndoCall>>,
    pub(super) effect: Digest,
}

/// Why a call can not be made as it is.
pub(super) type Unfit = (ErrorKind, String);

/// How a target stands towards a new effect.
enum Hold {
    Free,
    Busy,
    Held { by: Holder, output: Option<Arc<Value>> },
}

impl Decider<'_, '_> {
    /// A call is due: for the first time, or again.
    pub(super) fn start_call(&mut self, ix: StepIx) -> Decided {
        if self.is_stopping(ix)? {
            return self.stop_call(ix);
        }
        if self.is_paused() {
            self.hold_back(ix, Cause::Paused);
            return Ok(());
        }
        let node = self.node(ix)?;
        let Kind::Call(call) = &node.kind else {
            return Err(Contradiction::new("an attempt of what is no call"));
        };
        let prepared = match self.again(ix)? {
            Some(prepared) => Ok(prepared),
            None => {
                let path = self.path(ix)?;
                prepare(self.world, &self.scope(ix)?, node, call, path)
            }
        };
        let prepared = match prepared {
            Ok(prepared) => prepared,
            Err((kind, message)) => return self.fail(ix, kind, message),
        };
        if prepared.connector.is_none() && call.automatic {
            let message = format!("nothing is bound for `{}`, and a person must not do it", call.action);
            return self.fail(ix, ErrorKind::Refused, message);
        }
        if !self.is_cleared(ix, call, &prepared)? {
            return Ok(());
        }
        let timeout = self.scope(ix)?.length(&call.timeout);
        match timeout {
            Ok(timeout) => self.intend(ix, prepared, Direction::Do, timeout),
            Err(error) => self.fail_eval(ix, &error),
        }
    }

    /// A retry sends what was sent before, whatever the values are now.
    fn again(&self, ix: StepIx) -> Result<Option<Prepared>, Contradiction> {
        let step = self.step(ix)?;
        let Some(sent) = step.sent.as_deref().filter(|_| step.attempts > 0) else { return Ok(None) };
        let intent = &sent.intent;
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
            effect: intent.effect.unwrap_or(Digest::ZERO),
        }))
    }

    /// Guard, once, gate, hold and limits; says whether the effect may go on to its intent.
    fn is_cleared(&mut self, ix: StepIx, call: &CallNode, prepared: &Prepared) -> Result<bool, Contradiction> {
        if prepared.destructive
            && let Some(hit) = self.world.setup.guard.hit(&prepared.targets)
        {
            let message = format!("`{}` is guarded ({}): it is never touched", hit.target, hit.label);
            self.fail(ix, ErrorKind::Guarded, message)?;
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
        if prepared.destructive
            && let Some(message) = self.limit_reached(&prepared.targets)
        {
            self.fail(ix, ErrorKind::Limit, message)?;
            return Ok(false);
        }
        self.has_previous(ix, prepared)
    }

    /// `once_per_incident`: another run's step with this effect makes this one skipped.
    fn is_first(&mut self, ix: StepIx, prepared: &Prepared) -> Result<bool, Contradiction> {
        let key = self.once_key(prepared);
        let opened = &self.state.opened;
        match self.world.shared.once.get(&key) {
            Some((run, _)) if *run != opened.run => {
                let text = format!("done by run {run} of this incident");
                let path = self.path(ix)?;
                let event = super::enter::ended(path, StepEnd::Skipped, None, Some(text));
                self.emit(event)?;
                Ok(false)
            }
            Some(_) => Ok(true),
            None => {
                let (run, path) = (opened.run, prepared.path.clone());
                self.out.shared.push(SharedChange::Claimed { key, run, path });
                Ok(true)
            }
        }
    }

    fn once_key(&self, prepared: &Prepared) -> String {
        let opened = &self.state.opened;
        let targets: Vec<String> = prepared.targets.iter().map(Target::identity).collect();
        let parts = json!([
            opened.incident.to_string(),
            opened.playbook.as_str(),
            prepared.path.as_str(),
            prepared.action.as_str(),
            targets
        ]);
        digest_of("once", &parts).unwrap_or(Digest::ZERO).hex()
    }

    /// Holds: an effect on a held target adds a hold and is not sent; effects on one target run one
    /// after the other.
    fn is_free(&mut self, ix: StepIx, prepared: &Prepared) -> Result<bool, Contradiction> {
        let family = self.family(&prepared.action);
        let release = family != prepared.action;
        if !prepared.destructive && !release {
            return Ok(true);
        }
        let holds = prepared.undo.is_some() && !release;
        match self.hold_on(&prepared.targets, &family) {
            Hold::Busy => {
                self.hold_back(ix, Cause::Hold);
                Ok(false)
            }
            Hold::Held { by, output } if holds => {
                self.join_hold(ix, prepared, &by, output)?;
                Ok(false)
            }
            Hold::Free | Hold::Held { .. } => Ok(true),
        }
    }

    fn join_hold(
        &mut self,
        ix: StepIx,
        prepared: &Prepared,
        by: &Holder,
        output: Option<Arc<Value>>,
    ) -> Decided {
        let path = self.path(ix)?;
        let mut intent = self.intent(ix, prepared, Direction::Do, Span::ZERO)?;
        intent.attempt = 0;
        let mut event = Event::new(Head::AlreadyHeld { intent, run: by.run, by: by.path.clone() });
        event.body.value.clone_from(&output);
        event.body.targets.clone_from(&prepared.targets);
        event.body.undo.clone_from(&prepared.undo);
        self.emit(event)?;
        let by = Holder { run: self.state.opened.run, path, since: self.now() };
        self.out.shared.push(SharedChange::Held {
            targets: prepared.targets.iter().map(Target::identity).collect(),
            effect: prepared.action.clone(),
            by,
            previous: None,
            output,
        });
        Ok(())
    }

    /// The destructive action that an action takes back, or the action itself.
    pub(super) fn family(&self, action: &ActionName) -> ActionName {
        let undone = self.world.catalogue.iter().find(|spec| {
            spec.destructive && spec.undo.as_ref().is_some_and(|undo| undo.action == *action)
        });
        undone.map_or_else(|| action.clone(), |spec| spec.name.clone())
    }

    fn hold_on(&self, targets: &[Target], effect: &ActionName) -> Hold {
        let own = self.state.opened.run;
        let mut held = None;
        let mut free = targets.is_empty();
        for target in targets {
            let state = self.world.shared.holds.get(&target.identity(), effect);
            let Some(state) = state else {
                free = true;
                continue;
            };
            if state.busy.is_some() || self.is_busy_here(target, effect) {
                return Hold::Busy;
            }
            match state.holders.first() {
                Some(first) => held = Some((first.clone(), state.output.clone())),
                None => free = true,
            }
        }
        if targets.iter().any(|target| self.is_busy_here(target, effect)) {
            return Hold::Busy;
        }
        match held {
            Some((by, output)) if !free || by.run == own && targets.len() == 1 => Hold::Held { by, output },
            _ => Hold::Free,
        }
    }

    /// Whether this very decision already sends something to a target.
    fn is_busy_here(&self, target: &Target, effect: &ActionName) -> bool {
        self.out.shared.iter().any(|change| match change {
            SharedChange::Busy { targets, effect: busy, .. } => busy == effect && targets.contains(target),
            SharedChange::Freed { .. }
            | SharedChange::Held { .. }
            | SharedChange::Released { .. }
            | SharedChange::Cleared { .. }
            | SharedChange::Claimed { .. }
            | SharedChange::Unclaimed { .. } => false,
        })
    }

    fn limit_reached(&self, targets: &[Target]) -> Option<String> {
        let limits = &self.world.setup.limits;
        let mut of_run = self.state.targets.clone();
        of_run.extend(targets.iter().map(Target::identity));
        let own = u32::try_from(of_run.len()).unwrap_or(u32::MAX);
        if let Some(max) = limits.targets_per_run.filter(|max| own > *max) {
            return Some(format!("this run would touch {own} targets, the limit is {max} a run"));
        }
        let organisation = targets.first().and_then(|target| target.organisation.as_ref());
        let (hour, of_one) = self.world.shared.touched_with(targets, organisation, self.now());
        if let Some(max) = limits.targets_per_hour.filter(|max| hour > *max) {
            return Some(format!("{hour} targets would be touched within an hour, the limit is {max}"));
        }
        limits.targets_per_organisation.filter(|max| of_one > *max).map(|max| {
            format!("{of_one} targets of one organisation would be touched within an hour, the limit is {max}")
        })
    }

    /// The state before the effect is read where an undo needs it.
    fn has_previous(&mut self, ix: StepIx, prepared: &Prepared) -> Result<bool, Contradiction> {
        let spec = self.world.catalogue.get(&prepared.action);
        let Some(reading) = spec.and_then(|spec| spec.previous.clone()) else { return Ok(true) };
        let Some(connector) = prepared.connector.clone() else { return Ok(true) };
        let step = self.step(ix)?;
        if step.previous.is_some() || step.attempts > 0 {
            return Ok(true);
        }
        let argument = prepared.undo.as_ref().map(|undo| undo.arguments.clone()).unwrap_or_default();
        let known = self.world.connectors.offer(&connector, &reading, &argument);
        if known.is_none() {
            return Ok(true);
        }
        if !self.permits.take(&connector) {
            self.hold_back(ix, Cause::Permit(connector));
            return Ok(false);
        }
        let path = self.path(ix)?;
        self.emit(Head::ReadStarted { path: path.clone() })?;
        let call = self.previous_call(&path, reading, argument, prepared.targets.clone());
        self.out.effects.push(Effect::Previous { path, connector, call: Box::new(call) });
        Ok(false)
    }

    pub(super) fn previous_call(
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
            key: IdempotencyKey::new(store, self.state.root(), &path.child("previous"), Direction::Do, 0),
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
        prepared: Prepared,
        direction: Direction,
        timeout: Span,
    ) -> Decided {
        if let Some(connector) = &prepared.connector
            && !self.permits.take(connector)
        {
            self.hold_back(ix, Cause::Permit(connector.clone()));
            return Ok(());
        }
        let intent = self.intent(ix, &prepared, direction, timeout)?;
        let (path, attempt) = (intent.path.clone(), intent.attempt);
        let previous = self.step(ix)?.previous.clone();
        let mut event = Event::new(Head::AttemptStarted(intent));
        event.organisation = prepared.targets.first().and_then(|target| target.organisation.clone());
        event.body.value = Some(Arc::clone(&prepared.arguments));
        event.body.targets.clone_from(&prepared.targets);
        event.body.previous.clone_from(&previous);
        event.body.undo.clone_from(&prepared.undo);
        self.emit(event)?;
        self.make_busy(&prepared, &path);
        match prepared.connector.clone() {
            Some(connector) => {
                let call = Box::new(self.call_of(ix)?);
                self.out.effects.push(Effect::Call { path, attempt, connector, call });
                Ok(())
            }
            None => self.ask_by_hand(ix, &prepared),
        }
    }

    /// The intent of a step's next attempt.
    fn intent(
        &self,
        ix: StepIx,
        prepared: &Prepared,
        direction: Direction,
        timeout: Span,
    ) -> Result<Intent, Contradiction> {
        let step = self.step(ix)?;
        let (path, generation, attempt) = (step.path.clone(), step.generation, step.attempts_total + 1);
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
            effect: prepared.destructive.then_some(prepared.effect),
        })
    }

    fn make_busy(&mut self, prepared: &Prepared, path: &Path) {
        let family = self.family(&prepared.action);
        if prepared.destructive || family != prepared.action {
            let by = Holder { run: self.state.opened.run, path: path.clone(), since: self.now() };
            let targets = prepared.targets.clone();
            self.out.shared.push(SharedChange::Busy { targets, effect: family, by });
        }
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
            let value = match value {
                Value::String(plain) => plain.clone(),
                other => other.to_string(),
            };
            text = text.replace(&format!("{{{name}}}"), &value);
        }
    }
    text
}

/// Renders a call and resolves its targets and its connector.
pub(super) fn prepare(
    world: &World<'_>,
    scope: &Scope<'_>,
    node: &Node,
    call: &CallNode,
    path: Path,
) -> Result<Prepared, Unfit> {
    let eval = |error: crate::playbook::EvalError| (ErrorKind::Script, error.message);
    let Some(spec) = world.catalogue.get(&call.action) else {
        return Err((ErrorKind::Internal, format!("there is no action `{}`", call.action)));
    };
    let mut arguments = scope.render(&Template::Object(call.with.clone())).map_err(eval)?;
    spec.arguments.fill(&mut arguments);
    if let Some(problem) = spec.arguments.problems(&arguments).first() {
        return Err((ErrorKind::Invalid, format!("argument `{}` {}", problem.at, problem.message)));
    }
    crate::model::canonical(&arguments).map_err(|error| (ErrorKind::Invalid, error.to_string()))?;
    let mut targets = Vec::new();
    for (kind, name) in spec.target_names(&arguments) {
        let target = world.setup.inventory.resolve(kind, &name);
        targets.push(target.map_err(|error| (ErrorKind::Invalid, error.to_string()))?);
    }
    targets.sort();
    targets.dedup();
    let bindings = &scope.state().opened.bindings;
    let connector = choose(bindings, call, &targets);
    let offer = connector
        .as_ref()
        .and_then(|connector| world.connectors.offer(connector, &call.action, &arguments))
        .unwrap_or_else(|| by_hand_offer(&call.action));
    let destructive = spec.destructive
        || connector
            .as_ref()
            .is_some_and(|connector| world.connectors.destructive(connector, &call.action, &arguments));
    let undo = match &node.undo {
        Undo::None | Undo::Steps(_) => None,
        Undo::Call { action, with } => {
            let arguments = scope.render(&Template::Object(with.clone())).map_err(eval)?;
            Some(UndoCall { action: action.clone(), arguments })
        }
        Undo::Catalogue => spec
            .undo_arguments(&arguments)
            .map(|(action, arguments)| UndoCall { action, arguments }),
    };
    let line = json!({
        "path": path,
        "action": call.action,
        "connector": connector,
        "targets": targets,
        "arguments": arguments,
        "undo": undo,
    });
    let effect = line_digest(scope, &line);
    Ok(Prepared {
        path,
        action: call.action.clone(),
        arguments: Arc::new(arguments),
        targets,
        connector,
        offer,
        destructive,
        undo: undo.map(Arc::new),
        effect,
    })
}

/// Nothing bound: by a person, once.
fn by_hand_offer(action: &ActionName) -> Offer {
    Offer {
        action: action.clone(),
        class: EffectClass::Once,
        reach: Reached::Accepted,
        settle: Span::ZERO,
    }
}

/// The digest of one bound line: everything an approver was shown of it.
pub(super) fn line_digest(scope: &Scope<'_>, line: &Value) -> Digest {
    let opened = &scope.state().opened;
    let parts = json!([
        line,
        opened.mode.as_str(),
        opened.incident.to_string(),
        opened.run.to_string(),
        opened.digest.hex(),
        opened.by.person.as_str()
    ]);
    digest_of("effect-line", &parts).unwrap_or(Digest::ZERO)
}

/// The most specific binding: a slot's own, then by range, then by organisation, then any.
fn choose(bindings: &[Binding], call: &CallNode, targets: &[Target]) -> Option<ConnectorName> {
    let via = call.via.as_ref().map(crate::model::StepId::as_str);
    let fits = |binding: &&Binding| {
        let organisation = binding.organisation.as_ref();
        let within = |range: &str| {
            range.parse::<ipnet::IpNet>().is_ok_and(|range| {
                targets.iter().all(|target| {
                    !target.addresses.is_empty()
                        && target.addresses.iter().all(|address| range.contains(address))
                })
            })
        };
        binding.capability == call.action.capability()
            && binding.slot.as_deref() == via
            && organisation.is_none_or(|organisation| {
                targets.iter().all(|target| target.organisation.as_ref() == Some(organisation))
            })
            && binding.range.as_deref().is_none_or(within)
            && (!targets.is_empty() || (binding.range.is_none() && organisation.is_none()))
    };
    let weight = |binding: &Binding| (binding.range.is_some(), binding.organisation.is_some());
    bindings
        .iter()
        .rev()
        .filter(fits)
        .max_by_key(|binding| weight(binding))
        .map(|binding| binding.connector.clone())
}
