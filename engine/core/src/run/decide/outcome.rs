//! How a step fails, asks or ends.

use serde_json::{Value, json};

use super::super::event::{Event, Head, NeedKind, RunEnd, StepEnd};
use super::super::state::{Home, Phase, SeqIx, Slot, StepError, StepIx};
use super::{Decided, Decider, need_digest};
use crate::model::{ErrorKind, Millis, Path, Role};
use crate::playbook::{EvalError, Kind, OnError};

impl Decider<'_, '_> {
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
        let digest = need_digest(&json!([
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

    /// A step failed: what happens is what its `on_error` says. What may have been done has not
    /// failed: that is settled first.
    pub(super) fn fail(&mut self, ix: StepIx, kind: ErrorKind, message: String) -> Decided {
        if self.step(ix)?.unknown {
            return self.ask_unknown(ix);
        }
        if let Home::Undo(of) = self.step(ix)?.home {
            return self.undo_failed(ix, of, kind, message);
        }
        let node = self.node(ix)?;
        let error = StepError { kind, message };
        if kind == ErrorKind::Denied || self.is_stopping(ix)? {
            return self.conclude(ix, StepEnd::Failed, Some(error), false);
        }
        match &node.on_error {
            OnError::Fail | OnError::Continue => {
                self.conclude(ix, StepEnd::Failed, Some(error), false)
            }
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
        let event =
            Event::new(Head::StepFailed { path, error: error.kind }).text(error.message.clone());
        self.emit(event)?;
        let ask = Ask { kind: NeedKind::Decision, role: Role::Commander, votes: 0, until: None };
        self.ask(Some(ix), &ask, shows, form)
    }

    /// The form of *by hand* and *done*: the action's output.
    pub(super) fn output_form(&self, ix: StepIx) -> Result<Option<Value>, super::Contradiction> {
        let action = match (self.step(ix)?.sent.as_deref(), &self.node(ix)?.kind) {
            (Some(sent), _) => &sent.intent.action,
            (None, Kind::Call(call)) => &call.action,
            (None, _) => return Ok(None),
        };
        Ok(self.world.catalogue.get(action).map(|spec| json!(spec.output)))
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
        let began = self.has_begun(ix)?;
        let (kind, message) = match error {
            Some(error) => (Some(error.kind), Some(error.message)),
            None => (None, None),
        };
        // What takes over ends the block, and has closing steps of its own.
        let gives_way = self.state.closing() == Some(RunEnd::Superseded);
        if !node.always.is_empty() && began && !concluding && !gives_way {
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

    /// Whether a block came to its insides; a loop over nothing has been through all of them.
    fn has_begun(&self, ix: StepIx) -> Result<bool, super::Contradiction> {
        let step = self.step(ix)?;
        let over_nothing = step.looping.as_ref().is_some_and(|looping| looping.total == 0);
        let past = |seq: &SeqIx| self.state.seqs.get(seq).is_none_or(|seq| seq.slot == Slot::Past);
        Ok(over_nothing || !step.seqs.iter().all(past))
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
