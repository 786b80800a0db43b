//! A step's turn: `when`, the list, the gate, then its body by kind.

use serde_json::{Value, json};

use super::super::event::{Event, Head, NeedKind, StepEnd};
use super::super::state::{Cause, Phase, StepError, StepIx};
use super::{Decided, Decider, Effect};
use crate::model::{ErrorKind, Millis, Path, PlaybookName, Role, Span};
use crate::playbook::{
    EvalError, Expression, ForEach, Kind, ListSource, Node, OnError, Plan, Shows, SwitchCase,
    Template, Wait,
};

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
            return self.end(ix, StepEnd::Cancelled);
        }
        if self.is_paused() {
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
            Ok(Value::Array(items)) if items.len() <= ITEMS_MAX => (items.len() as u64, Value::Array(items)),
            Ok(Value::Number(number)) if number.as_u64().is_some_and(|n| n <= ITEMS_MAX as u64) => {
                (number.as_u64().unwrap_or(0), Value::Number(number))
            }
            Ok(Value::Array(items)) => {
                let message = format!("the list has {} items, at most {ITEMS_MAX} are possible", items.len());
                self.fail(ix, ErrorKind::Invalid, message)?;
                return Ok(false);
            }
            Ok(other) => {
                self.fail(ix, ErrorKind::Script, format!("`for_each` must give a list, it gives {other}"))?;
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
                let text = self.scope(ix)?.render_text(instructions);
                match text {
                    Err(error) => self.fail_eval(ix, &error),
                    Ok(text) => {
                        let shows = json!({"instructions": text});
                        let ask = Ask { kind: NeedKind::Task, role: *role, votes: 0, until: None };
                        self.ask(Some(ix), &ask, shows, Some(json!(form)))
                    }
                }
            }
            Kind::Approve { shows, .. } => self.approved_step(ix, shows),
            Kind::Wait(wait) => self.start_wait(ix, wait),
            Kind::Group(_) | Kind::Parallel { .. } => self.emit(Head::BlockStarted { path }),
            Kind::ForEach(each) => self.start_items(ix, each),
            Kind::Switch(cases) => self.choose(ix, cases),
            Kind::Repeat(_) => self.emit(Head::RoundStarted { path, index: 0 }),
            Kind::Playbook { name, with } => self.start_child(ix, name, with),
            Kind::UndoSteps(ids) => self.undo_by_step(ix, ids),
            Kind::Note(text) => {
                let text = self.scope(ix)?.render_text(text);
                match text {
                    Ok(text) => self.emit(Event::new(Head::Noted { path }).text(text)),
                    Err(error) => self.fail_eval(ix, &error),
                }
            }
            Kind::Fail(text) | Kind::End(text) => self.end_early(ix, text),
        }
    }

    pub(super) fn start_script(&mut self, ix: StepIx, script: &Expression) -> Decided {
        let path = self.path(ix)?;
        let values = self.scope(ix)?.values(script);
        self.emit(Head::ReadStarted { path: path.clone() })?;
        self.out.effects.push(Effect::Script { path, script: script.clone(), values });
        Ok(())
    }

    /// An `approve:` step whose gate was passed.
    fn approved_step(&mut self, ix: StepIx, _shows: &Shows) -> Decided {
        let path = self.path(ix)?;
        let approved = self.step(ix)?.approved.clone();
        let output = approved.map_or(Value::Null, |approved| {
            json!({
                "who": approved.by.iter().map(|by| by.person.as_str()).collect::<Vec<_>>(),
                "when": approved.at.to_string(),
            })
        });
        self.emit(ended(path, StepEnd::Succeeded, None, None).value(output))
    }

    fn start_wait(&mut self, ix: StepIx, wait: &Wait) -> Decided {
        let path = self.path(ix)?;
        match wait {
            Wait::For(length) => {
                let length = self.scope(ix)?.length(length);
                match length {
                    Ok(span) => self.emit(Head::TimerSet { path, at: self.now().plus(span) }),
                    Err(error) => self.fail_eval(ix, &error),
                }
            }
            Wait::Until(expression) => {
                let value = self.scope(ix)?.evaluate(expression);
                match value.map(|value| value.as_str().map(Millis::parse)) {
                    Ok(Some(Ok(at))) => self.emit(Head::TimerSet { path, at }),
                    Ok(_) => self.fail(ix, ErrorKind::Script, "`time` must give a time like 2026-11-21T03:00:00+01:00".to_owned()),
                    Err(error) => self.fail_eval(ix, &error),
                }
            }
            Wait::Signal { name, role, form, within } => {
                let rendered = self.scope(ix)?.render_text(name);
                let until = match within {
                    None => Ok(None),
                    Some(within) => self.scope(ix)?.length(within).map(|span| Some(self.now().plus(span))),
                };
                match (rendered, until) {
                    (Ok(name), Ok(until)) => {
                        self.emit(Head::SignalAwaited { path, name: name.clone() })?;
                        if self.consume_signal(ix, &name)? {
                            return Ok(());
                        }
                        let Some(role) = role else { return Ok(()) };
                        let ask = Ask { kind: NeedKind::Task, role: *role, votes: 0, until };
                        self.ask(Some(ix), &ask, json!({"signal": name}), Some(json!(form)))
                    }
                    (Err(error), _) | (_, Err(error)) => self.fail_eval(ix, &error),
                }
            }
        }
    }

    /// A signal that came before anybody waited for it is kept and taken once.
    pub(super) fn consume_signal(&mut self, ix: StepIx, name: &str) -> Result<bool, super::Contradiction> {
        let Some(waiting) = self.state.signals.get_mut(name) else { return Ok(false) };
        if waiting.is_empty() {
            return Ok(false);
        }
        let form = waiting.first().and_then(|(_, form)| form.clone());
        let path = self.path(ix)?;
        let output = form.as_deref().cloned().unwrap_or_else(|| json!({}));
        self.emit(Event::new(Head::SignalTaken { path: path.clone(), name: name.to_owned() }))?;
        self.emit(ended(path, StepEnd::Succeeded, None, None).value(output))?;
        Ok(true)
    }

    fn choose(&mut self, ix: StepIx, cases: &[SwitchCase]) -> Decided {
        let path = self.path(ix)?;
        for (case, number) in cases.iter().zip(0..) {
            let holds = match &case.when {
                None => Ok(true),
                Some(when) => self.scope(ix)?.holds(when),
            };
            match holds {
                Ok(true) => return self.emit(Head::CaseChosen { path, case: Some(number) }),
                Ok(false) => {}
                Err(error) => return self.fail_eval(ix, &error),
            }
        }
        self.emit(Head::CaseChosen { path, case: None })
    }

    fn start_child(
        &mut self,
        ix: StepIx,
        name: &PlaybookName,
        with: &std::collections::BTreeMap<String, Template>,
    ) -> Decided {
        let rendered = self.scope(ix)?.render(&Template::Object(with.clone()));
        let mut inputs = match rendered {
            Ok(inputs) => inputs,
            Err(error) => return self.fail_eval(ix, &error),
        };
        let Some(child) = self.world.plan.parts().children.get(name) else {
            return self.fail(ix, ErrorKind::Internal, format!("playbook `{name}` is not pinned"));
        };
        child.parts().inputs.fill(&mut inputs);
        if let Some(problem) = child.parts().inputs.problems(&inputs).first() {
            return self.fail(ix, ErrorKind::Invalid, format!("input `{}` {}", problem.at, problem.message));
        }
        let path = self.path(ix)?;
        let run = self.chance.run_id(self.world.now);
        let event = Event::new(Head::ChildOpened { path: path.clone(), run, playbook: name.clone() });
        self.emit(event.value(inputs.clone()))?;
        self.out.effects.push(Effect::OpenChild { path, run, playbook: name.clone(), inputs });
        Ok(())
    }

    /// Opens a need at a step, or at the run.
    pub(super) fn ask(
        &mut self,
        ix: Option<StepIx>,
        ask: &Ask,
        shows: Value,
        form: Option<Value>,
    ) -> Decided {
        let id = self.need_id();
        let (path, title, group) = match ix {
            None => (None, self.world.plan.parts().title.clone(), "run".to_owned()),
            Some(ix) => {
                let node = self.node(ix)?;
                let title = node.title.clone().unwrap_or_else(|| node.id.to_string());
                let path = self.path(ix)?;
                let error = self.step(ix)?.error.as_ref().map_or("", |error| error.kind.as_str());
                (Some(path), title, format!("{}:{}:{error}", self.state.opened.run, node.id))
            }
        };
        let digest = self.need_digest(&json!([
            self.state.opened.run.to_string(),
            path.as_ref().map(Path::as_str),
            ask.kind,
            shows,
            form,
        ]));
        let head = Head::NeedOpened {
            id,
            kind: ask.kind,
            path,
            role: ask.role,
            votes: ask.votes,
            digest: ask_digest(&shows).unwrap_or(digest),
            group,
            until: ask.until,
        };
        let mut event = Event::new(head).value(shows).text(title);
        event.body.form = form.map(std::sync::Arc::new);
        self.emit(event)
    }

    /// A leaf or block ends without output or error.
    pub(super) fn end(&mut self, ix: StepIx, end: StepEnd) -> Decided {
        let path = self.path(ix)?;
        self.emit(ended(path, end, None, None))
    }

    /// An expression could not be evaluated.
    pub(super) fn fail_eval(&mut self, ix: StepIx, error: &EvalError) -> Decided {
        self.fail(ix, ErrorKind::Script, error.message.clone())
    }

    /// A step failed: what happens is what its `on_error` says.
    pub(super) fn fail(&mut self, ix: StepIx, kind: ErrorKind, message: String) -> Decided {
        let node = self.node(ix)?;
        let error = StepError { kind, message };
        if kind == ErrorKind::Denied || self.is_stopping(ix)? {
            return self.conclude(ix, StepEnd::Failed, Some(error), false);
        }
        match &node.on_error {
            OnError::Fail | OnError::Continue => self.conclude(ix, StepEnd::Failed, Some(error), false),
            OnError::Steps(_) => {
                let path = self.path(ix)?;
                let event = Event::new(Head::HandlerStarted { path, error: error.kind });
                self.emit(event.text(error.message))
            }
            OnError::Ask => self.ask_for_decision(ix, &error),
        }
    }

    /// A need opens: retry, skip, by hand, abort.
    pub(super) fn ask_for_decision(&mut self, ix: StepIx, error: &StepError) -> Decided {
        let path = self.path(ix)?;
        let form = self.output_form(ix)?;
        let step = self.step(ix)?;
        let mut shows = json!({"error": error, "attempts": step.attempts_total});
        if let (Some(looping), Value::Object(shows)) = (&step.looping, &mut shows) {
            shows.insert("failed_items".to_owned(), json!(looping.failed_items));
        }
        let event = Event::new(Head::StepFailed { path, error: error.kind }).text(error.message.clone());
        self.emit(event)?;
        let ask = Ask { kind: NeedKind::Decision, role: Role::Commander, votes: 0, until: None };
        self.ask(Some(ix), &ask, shows, form)
    }

    /// The form of *by hand* and *done*: the action's output.
    pub(super) fn output_form(&self, ix: StepIx) -> Result<Option<Value>, super::Contradiction> {
        Ok(match &self.node(ix)?.kind {
            Kind::Call(call) => self.world.catalogue.get(&call.action).map(|spec| json!(spec.output)),
            _ => None,
        })
    }

    /// A step ends; a block's `always` steps run before that.
    pub(super) fn conclude(
        &mut self,
        ix: StepIx,
        end: StepEnd,
        error: Option<StepError>,
        handled: bool,
    ) -> Decided {
        let node = self.node(ix)?;
        let path = self.path(ix)?;
        let concluding = matches!(self.step(ix)?.phase, Phase::Concluding(..));
        let began = !self.step(ix)?.seqs.is_empty();
        let (kind, message) = match error {
            Some(error) => (Some(error.kind), Some(error.message)),
            None => (None, None),
        };
        if !node.always.is_empty() && began && !concluding {
            let mut event = Event::new(Head::AlwaysStarted { path, end, error: kind, handled });
            event.body.text = message;
            return self.emit(event);
        }
        let mut event = ended(path, end, kind, message);
        if let Head::StepEnded { handled: mark, .. } = &mut event.head {
            *mark = handled;
        }
        self.emit(event)
    }

    /// `fail:` and `end:` end the run; the rest is cancelled.
    fn end_early(&mut self, ix: StepIx, text: &Template) -> Decided {
        let node = self.node(ix)?;
        let text = self.scope(ix)?.render_text(text);
        let text = match text {
            Ok(text) => text,
            Err(error) => return self.fail_eval(ix, &error),
        };
        let failed = matches!(node.kind, Kind::Fail(_));
        let path = self.path(ix)?;
        let (end, error) =
            if failed { (super::RunEnd::Failed, Some(ErrorKind::Fail)) } else { (super::RunEnd::Succeeded, None) };
        if self.state.closing().is_none() {
            self.emit(Event::new(Head::Closing { end, by: None, error }).text(text.clone()))?;
        }
        let step_end = if failed { StepEnd::Failed } else { StepEnd::Succeeded };
        let kind = failed.then_some(ErrorKind::Fail);
        self.emit(ended(path, step_end, kind, Some(text)))?;
        self.cancel_all()
    }
}

/// What a need asks for.
pub(super) struct Ask {
    pub(super) kind: NeedKind,
    pub(super) role: Role,
    pub(super) votes: u32,
    pub(super) until: Option<Millis>,
}

/// A gate's digest is that of the effects it shows.
fn ask_digest(shows: &Value) -> Option<crate::model::Digest> {
    shows.get("digest")?.as_str()?.parse().ok()
}

/// The end of a step.
pub(super) fn ended(
    path: Path,
    end: StepEnd,
    error: Option<ErrorKind>,
    message: Option<String>,
) -> Event {
    let mut event =
        Event::new(Head::StepEnded { path, end, error, by_hand: false, handled: false });
    event.body.text = message;
    event
}
