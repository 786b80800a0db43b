//! What a leaf does when its turn came: scripts, waits, choices, sub-playbooks, notes, ends.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::super::event::{Event, Head, NeedKind, RunEnd, StepEnd};
use super::super::state::StepIx;
use super::outcome::{Ask, ended};
use super::{Decided, Decider, Effect};
use crate::model::{ErrorKind, Millis, PlaybookName, Role, Schema, Span};
use crate::playbook::{Expression, Kind, Length, SwitchCase, Template, Wait};

impl Decider<'_, '_> {
    pub(super) fn start_script(&mut self, ix: StepIx, script: &Expression) -> Decided {
        let path = self.path(ix)?;
        let values = self.scope(ix)?.values(script);
        self.emit(Head::ReadStarted { path: path.clone() })?;
        self.out.effects.push(Effect::Script { path, script: script.clone(), values });
        Ok(())
    }

    /// An `approve:` step whose gate was passed.
    pub(super) fn approved_step(&mut self, ix: StepIx) -> Decided {
        let path = self.path(ix)?;
        let output = self.step(ix)?.approved.as_deref().map_or(Value::Null, |approved| {
            json!({
                "who": approved.by.iter().map(|by| by.person.as_str()).collect::<Vec<_>>(),
                "when": approved.at.to_string(),
                "why": approved.why.join("; "),
            })
        });
        self.emit(ended(path, StepEnd::Succeeded, None, None).value(output))
    }

    pub(super) fn start_task(
        &mut self,
        ix: StepIx,
        role: Role,
        text: &Template,
        form: &Schema,
    ) -> Decided {
        let text = self.scope(ix)?.render_text(text);
        match text {
            Err(error) => self.fail_eval(ix, &error),
            Ok(text) => {
                let ask = Ask { kind: NeedKind::Task, role, votes: 0, until: None };
                self.ask(Some(ix), &ask, json!({"instructions": text}), Some(json!(form)))
            }
        }
    }

    pub(super) fn note(&mut self, ix: StepIx, text: &Template) -> Decided {
        let text = self.scope(ix)?.render_text(text);
        match text {
            Ok(text) => {
                let path = self.path(ix)?;
                self.emit(Event::new(Head::Noted { path }).text(text))
            }
            Err(error) => self.fail_eval(ix, &error),
        }
    }

    pub(super) fn start_wait(&mut self, ix: StepIx, wait: &Wait) -> Decided {
        match wait {
            Wait::For(length) => {
                let length = self.scope(ix)?.length(length);
                match length {
                    Ok(span) => self.wait_until(ix, self.now().plus(span)),
                    Err(error) => self.fail_eval(ix, &error),
                }
            }
            Wait::Until(expression) => {
                let value = self.scope(ix)?.evaluate(expression);
                match value.map(|value| value.as_str().map(Millis::parse)) {
                    Ok(Some(Ok(at))) => self.wait_until(ix, at),
                    Ok(Some(Err(_)) | None) => {
                        let text = "`time` must give a time like 2026-11-21T03:00:00+01:00";
                        self.fail(ix, ErrorKind::Script, text.to_owned())
                    }
                    Err(error) => self.fail_eval(ix, &error),
                }
            }
            Wait::Signal { name, role, form, within } => {
                self.start_signal(ix, name, (*role, form), within.as_ref())
            }
        }
    }

    fn wait_until(&mut self, ix: StepIx, at: Millis) -> Decided {
        let path = self.path(ix)?;
        self.emit(Head::TimerSet { path, at })
    }

    fn start_signal(
        &mut self,
        ix: StepIx,
        name: &Template,
        (role, form): (Option<Role>, &Schema),
        within: Option<&Length>,
    ) -> Decided {
        let rendered = self.scope(ix)?.render_text(name);
        let within =
            within.map(|within| Ok(self.scope(ix)?.length(within))).transpose()?.transpose();
        let (name, within) = match (rendered, within) {
            (Ok(name), Ok(within)) => (name, within),
            (Err(error), _) | (_, Err(error)) => return self.fail_eval(ix, &error),
        };
        let path = self.path(ix)?;
        self.emit(Head::SignalAwaited { path: path.clone(), name: name.clone() })?;
        if self.consume_signal(ix, &name)? {
            return Ok(());
        }
        let until = within.map(|span| self.now().plus(span));
        match (role, until, within) {
            (Some(role), until, _) => {
                let ask = Ask { kind: NeedKind::Task, role, votes: 0, until };
                self.ask(Some(ix), &ask, json!({"signal": name}), Some(json!(form)))
            }
            // Nobody is asked, but somebody is told.
            (None, Some(at), Some(every)) if self.step(ix)?.deadline.is_none() => {
                let every = every.max(Span::from_secs(1));
                self.emit(Head::DeadlineSet { path, at, every })
            }
            (None, _, _) => Ok(()),
        }
    }

    /// A signal that came before anybody waited for it is kept and taken once.
    pub(super) fn consume_signal(
        &mut self,
        ix: StepIx,
        name: &str,
    ) -> Result<bool, super::Contradiction> {
        let first = self.state.signals.get(name).and_then(|waiting| waiting.first());
        let Some((_, form)) = first else { return Ok(false) };
        let mut output = form.as_deref().cloned().unwrap_or_else(|| json!({}));
        let schema = self.signal_form(ix)?;
        schema.fill(&mut output);
        let problem = schema.problems(&output).into_iter().next();
        let path = self.path(ix)?;
        self.emit(Event::new(Head::SignalTaken { path: path.clone(), name: name.to_owned() }))?;
        match problem {
            None => self.emit(ended(path, StepEnd::Succeeded, None, None).value(output))?,
            Some(problem) => {
                let text = format!("the signal does not fit: `{}` {}", problem.at, problem.message);
                self.fail(ix, ErrorKind::Invalid, text)?;
            }
        }
        Ok(true)
    }

    /// What a step's signal carries.
    pub(super) fn signal_form(&self, ix: StepIx) -> Result<Schema, super::Contradiction> {
        let Kind::Wait(Wait::Signal { form, .. }) = &self.node(ix)?.kind else {
            return Ok(Schema::default());
        };
        Ok(form.clone())
    }

    pub(super) fn choose(&mut self, ix: StepIx, cases: &[SwitchCase]) -> Decided {
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

    pub(super) fn start_child(
        &mut self,
        ix: StepIx,
        name: &PlaybookName,
        with: &BTreeMap<String, Template>,
    ) -> Decided {
        let rendered = self.scope(ix)?.render_all(with);
        let mut inputs = match rendered {
            Ok(inputs) => inputs,
            Err(error) => return self.fail_eval(ix, &error),
        };
        let Some(child) = self.world.plan.parts().children.get(name) else {
            return self.fail(ix, ErrorKind::Internal, format!("playbook `{name}` is not pinned"));
        };
        child.parts().inputs.fill(&mut inputs);
        if let Some(problem) = child.parts().inputs.problems(&inputs).first() {
            return self.fail(
                ix,
                ErrorKind::Invalid,
                format!("input `{}` {}", problem.at, problem.message),
            );
        }
        let path = self.path(ix)?;
        let run = self.chance.run_id(self.world.now);
        let event =
            Event::new(Head::ChildOpened { path: path.clone(), run, playbook: name.clone() });
        self.emit(event.value(inputs.clone()))?;
        self.out.effects.push(Effect::OpenChild { path, run, playbook: name.clone(), inputs });
        Ok(())
    }

    /// `fail:` and `end:` end the run; the rest is cancelled.
    pub(super) fn end_early(&mut self, ix: StepIx, text: &Template) -> Decided {
        let node = self.node(ix)?;
        let text = self.scope(ix)?.render_text(text);
        let text = match text {
            Ok(text) => text,
            Err(error) => return self.fail_eval(ix, &error),
        };
        let failed = matches!(node.kind, Kind::Fail(_));
        let path = self.path(ix)?;
        let (end, error) = if failed {
            (RunEnd::Failed, Some(ErrorKind::Fail))
        } else {
            (RunEnd::Succeeded, None)
        };
        if self.state.closing().is_none() {
            self.emit(Event::new(Head::Closing { end, by: None, error }).text(text.clone()))?;
        }
        let step_end = if failed { StepEnd::Failed } else { StepEnd::Succeeded };
        let kind = failed.then_some(ErrorKind::Fail);
        self.emit(ended(path, step_end, kind, Some(text)))?;
        self.cancel_all()
    }
}
