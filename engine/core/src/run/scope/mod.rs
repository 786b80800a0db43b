//! What an expression sees: values of names, resolved from the run's state.
//!
//! Only the paths that an expression reads are looked up and converted. A gate renders steps whose
//! items have not begun; for these the loop's variables come from a [`Frame`].

mod steps;

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::state::{Home, RunState, SeqIx, Slot, Step, StepError};
use super::world::World;
use crate::playbook::{
    EvalError, Expression, Kind, Length, NodeId, Piece, ReadPath, ScriptKind, Template,
};

/// One round of a loop that an expression stands in.
#[derive(Debug, Clone)]
pub(crate) struct Frame<'a> {
    /// The loop.
    pub(crate) node: NodeId,
    /// The round.
    pub(crate) index: u64,
    /// The item, in a `for_each`.
    pub(crate) item: Option<Cow<'a, Value>>,
}

/// The place of an expression: which loop rounds enclose it, innermost first, and whose error it
/// handles.
#[derive(Debug, Clone)]
pub(crate) struct Scope<'a> {
    world: &'a World<'a>,
    state: &'a RunState,
    frames: Vec<Frame<'a>>,
    error: Option<StepError>,
}

impl<'a> Scope<'a> {
    /// The scope of steps in a list.
    pub(crate) fn of_seq(world: &'a World<'a>, state: &'a RunState, seq: Option<SeqIx>) -> Self {
        let mut scope = Self { world, state, frames: Vec::new(), error: state.error.clone() };
        let mut handled = None;
        let mut at = seq;
        while let Some(ix) = at {
            let Some(seq) = state.seqs.get(&ix) else { break };
            let Some(owner) = seq.owner.and_then(|owner| state.steps.get(&owner)) else { break };
            match seq.slot {
                Slot::Item(index) => {
                    let items = owner.looping.as_deref().map(|looping| looping.items.as_ref());
                    let item = items.and_then(|items| item_at(items, index));
                    scope.frames.push(Frame { node: owner.node, index, item });
                }
                Slot::Round(index) => {
                    scope.frames.push(Frame { node: owner.node, index, item: None });
                }
                Slot::OnError | Slot::Always if handled.is_none() => {
                    handled.clone_from(&owner.error);
                }
                Slot::OnError
                | Slot::Always
                | Slot::Section(_)
                | Slot::Body
                | Slot::Branch(_)
                | Slot::Case(_)
                | Slot::Undo
                | Slot::Past => {}
            }
            at = home_seq(owner);
        }
        if handled.is_some() {
            scope.error = handled;
        }
        scope
    }

    /// The scope of a step's own expressions.
    pub(crate) fn of_step(world: &'a World<'a>, state: &'a RunState, step: &Step) -> Self {
        let seq = match step.home {
            Home::Seq(seq) => Some(seq),
            Home::Undo(of) => state.steps.get(&of).and_then(home_seq),
        };
        Self::of_seq(world, state, seq)
    }

    /// The run it looks at.
    pub(crate) fn state(&self) -> &'a RunState {
        self.state
    }

    /// A step's output, by id.
    pub(crate) fn output_of(&self, id: &str) -> Value {
        self.step_value(id, "output").into_owned()
    }

    /// The same scope inside one more round.
    pub(crate) fn within(&self, frame: Frame<'a>) -> Self {
        let mut inner = self.clone();
        inner.frames.insert(0, frame);
        inner
    }

    /// Evaluates an expression.
    pub(crate) fn evaluate(&self, expression: &Expression) -> Result<Value, EvalError> {
        match expression.reads.first() {
            Some(path) if expression.bare => self.lookup(path),
            _ => self.world.scripts.evaluate(
                &expression.text,
                ScriptKind::Expression,
                &self.values(expression),
            ),
        }
    }

    /// A `when` or `until`: anything but a boolean fails, it never skips.
    pub(crate) fn holds(&self, expression: &Expression) -> Result<bool, EvalError> {
        let value = self.evaluate(expression)?;
        value.as_bool().ok_or_else(|| EvalError {
            message: format!("`{}` must give true or false, it gives {value}", expression.text),
            at: None,
        })
    }

    /// Renders a template.
    pub(crate) fn render(&self, template: &Template) -> Result<Value, EvalError> {
        match template {
            Template::Literal(value) => Ok(value.clone()),
            Template::Whole(expression) => self.evaluate(expression),
            Template::Text(pieces) => {
                let mut text = String::new();
                for piece in pieces {
                    match piece {
                        Piece::Text(plain) => text.push_str(plain),
                        Piece::Value(expression) => text.push_str(&self.text(expression)?),
                    }
                }
                Ok(Value::String(text))
            }
            Template::Array(items) => items.iter().map(|item| self.render(item)).collect(),
            Template::Object(fields) => self.render_all(fields),
        }
    }

    /// Renders named templates to an object.
    pub(crate) fn render_all(
        &self,
        fields: &BTreeMap<String, Template>,
    ) -> Result<Value, EvalError> {
        let render = |(name, field): (&String, &Template)| Ok((name.clone(), self.render(field)?));
        fields.iter().map(render).collect::<Result<Map<_, _>, _>>().map(Value::Object)
    }

    /// Renders a template to a text.
    pub(crate) fn render_text(&self, template: &Template) -> Result<String, EvalError> {
        match self.render(template)? {
            Value::String(text) => Ok(text),
            value @ (Value::Bool(_) | Value::Number(_)) => Ok(value.to_string()),
            value @ (Value::Null | Value::Array(_) | Value::Object(_)) => {
                Err(EvalError { message: format!("must be a text, is {value}"), at: None })
            }
        }
    }

    /// A duration.
    pub(crate) fn length(&self, length: &Length) -> Result<crate::model::Span, EvalError> {
        match length {
            Length::Fixed(span) => Ok(*span),
            Length::Rendered(template) => {
                let text = self.render_text(template)?;
                crate::model::Span::parse(&text)
                    .map_err(|error| EvalError { message: error.to_string(), at: None })
            }
        }
    }

    fn text(&self, expression: &Expression) -> Result<String, EvalError> {
        let wrong = |what: &str| EvalError {
            message: format!("`${{{}}}` is {what}", expression.text),
            at: None,
        };
        match self.evaluate(expression)? {
            Value::String(text) => Ok(text),
            Value::Null => Err(wrong("null: nothing can be put into the text")),
            value @ (Value::Bool(_) | Value::Number(_)) => Ok(value.to_string()),
            Value::Array(_) => Err(wrong("a list: use join() or json()")),
            Value::Object(_) => Err(wrong("an object: use json()")),
        }
    }

    /// The values an expression reads, as a tree pruned to its paths.
    pub(crate) fn values(&self, expression: &Expression) -> Map<String, Value> {
        let mut tree = Map::new();
        for path in &expression.reads {
            let (depth, value) = self.find(path);
            put(&mut tree, path.0.get(..depth).unwrap_or(&path.0), value);
        }
        tree
    }

    /// The value of a bare path.
    fn lookup(&self, path: &ReadPath) -> Result<Value, EvalError> {
        let (depth, value) = self.find(path);
        if depth < path.0.len() {
            let null = path.0.get(..depth).unwrap_or_default().join(".");
            let message = format!("`{}` can not be read: `{null}` is null", path.0.join("."));
            return Err(EvalError { message, at: None });
        }
        Ok(value)
    }

    /// The value of a path, and how much of the path leads to it: less than all of it where the
    /// value on the way is null, so that only `?.` gets past.
    fn find(&self, path: &ReadPath) -> (usize, Value) {
        let names: Vec<&str> = path.0.iter().map(String::as_str).collect();
        let (known, root) = self.root(&names);
        let mut at = root.as_ref();
        for (name, depth) in names.iter().zip(0..).skip(known) {
            match at {
                Value::Object(fields) => match fields.get(*name) {
                    Some(inner) => at = inner,
                    // An optional field that was left out.
                    None if depth + 1 == names.len() => return (names.len(), Value::Null),
                    None => return (depth + 1, Value::Null),
                },
                Value::Null
                | Value::Bool(_)
                | Value::Number(_)
                | Value::String(_)
                | Value::Array(_) => {
                    return (depth, Value::Null);
                }
            }
        }
        (names.len(), at.clone())
    }

    /// The first part of a path that is one value, and its length.
    fn root(&self, names: &[&str]) -> (usize, Cow<'_, Value>) {
        let opened = &self.state.opened;
        match names {
            ["inputs", ..] => (1, Cow::Borrowed(&opened.inputs)),
            ["steps", id, field, ..] => (3, self.step_value(id, field)),
            ["steps", ..] => (names.len(), Cow::Owned(Value::Null)),
            ["incident", "assets", ..] => (2, Cow::Borrowed(self.world.assets)),
            ["incident", ..] => (1, Cow::Borrowed(&opened.incident_facts)),
            ["run", ..] => {
                let run = json!({
                    "id": opened.run.to_string(),
                    "playbook": opened.playbook.as_str(),
                    "mode": opened.mode.as_str(),
                    "started_at": opened.at.to_string(),
                });
                (1, Cow::Owned(run))
            }
            ["slots", name, "bound"] => {
                let bound = opened.bindings.iter().any(|b| b.slot.as_deref() == Some(*name));
                (3, Cow::Owned(Value::Bool(bound)))
            }
            ["now"] => (1, Cow::Owned(Value::String(self.world.now.to_string()))),
            ["error", ..] => {
                let error = self.error.as_ref();
                let value =
                    error.map_or(Value::Null, |e| json!({"kind": e.kind, "message": e.message}));
                (1, Cow::Owned(value))
            }
            [name, ..] => (1, self.loop_value(name)),
            [] => (0, Cow::Owned(Value::Null)),
        }
    }

    fn loop_value(&self, name: &str) -> Cow<'_, Value> {
        for frame in &self.frames {
            if let Kind::ForEach(each) = &self.world.plan.node(frame.node).kind {
                let item = each.item.as_str();
                if name == item {
                    return frame
                        .item
                        .as_ref()
                        .map_or(Cow::Owned(Value::Null), |item| Cow::Borrowed(item.as_ref()));
                }
                if name.strip_suffix("_index") == Some(item) {
                    return Cow::Owned(json!(frame.index));
                }
            }
        }
        Cow::Owned(Value::Null)
    }
}

fn home_seq(step: &Step) -> Option<SeqIx> {
    match step.home {
        Home::Seq(seq) => Some(seq),
        Home::Undo(_) => None,
    }
}

/// An item of a loop's list; the list is an array or, for `for_each: n`, a number.
pub(crate) fn item_at(items: &Value, index: u64) -> Option<Cow<'_, Value>> {
    match items {
        Value::Array(items) => {
            usize::try_from(index).ok().and_then(|index| items.get(index)).map(Cow::Borrowed)
        }
        Value::Number(_) => Some(Cow::Owned(json!(index))),
        Value::Null | Value::Bool(_) | Value::String(_) | Value::Object(_) => None,
    }
}

/// Puts a value into a tree at a path.
fn put(tree: &mut Map<String, Value>, path: &[String], value: Value) {
    match path {
        [] => {}
        [name] => {
            tree.insert(name.clone(), value);
        }
        [name, rest @ ..] => {
            let inner = tree.entry(name.clone()).or_insert_with(|| Value::Object(Map::new()));
            if let Value::Object(inner) = inner {
                put(inner, rest, value);
            }
        }
    }
}
