//! What must not be read: inputs and form fields marked `sensitive`, and what is made from them.
//!
//! Two nets: what the plan shows to be made from a sensitive value is not told at all, and known
//! sensitive values are blotted out wherever their text turns up. Without a plan nothing is known,
//! so nothing is told.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use crate::model::Schema;
use crate::playbook::{
    Expression, Kind, Length, ListSource, Node, NodeId, Plan, ReadPath, Shows, Template, Undo, Wait,
};

/// What stands where something was blotted out.
pub(super) const BLOT: &str = "•••";

/// Shorter texts are words like `no`: blotting them out would make sentences unreadable. The first
/// net still holds for them.
const BLOT_CHARS_MIN: usize = 3;

/// What is sensitive in a run.
#[derive(Debug, Clone, Default)]
pub(super) struct Sensitive {
    known: bool,
    inputs: BTreeSet<String>,
    variables: BTreeSet<String>,
    nodes: BTreeSet<NodeId>,
    values: BTreeSet<String>,
}

impl Sensitive {
    /// What a plan shows. `inputs` are those that a calling playbook filled from sensitive values,
    /// `values` those that it knew.
    pub(super) fn of(
        plan: Option<&Plan>,
        inputs: BTreeSet<String>,
        values: BTreeSet<String>,
    ) -> Self {
        let mut sensitive = Self { known: plan.is_some(), inputs, values, ..Self::default() };
        let Some(plan) = plan else { return sensitive };
        let properties = plan.parts().inputs.properties.iter().flatten();
        let marked = properties.filter(|(_, schema)| holds(schema)).map(|(name, _)| name.clone());
        sensitive.inputs.extend(marked);
        // What is made from what is made from a sensitive value: until nothing more is found.
        while plan.nodes().fold(false, |more, (id, node)| sensitive.spread(plan, id, node) || more)
        {
        }
        sensitive
    }

    /// Whether what a step says may be made from a sensitive value.
    pub(super) fn hides(&self, id: Option<NodeId>) -> bool {
        !self.known || id.is_some_and(|id| self.nodes.contains(&id))
    }

    /// Whether anything in a step or inside of it may be made from a sensitive value: a block's
    /// error is that of a step inside.
    pub(super) fn hides_inside(&self, plan: &Plan, id: NodeId) -> bool {
        let around = |inner: NodeId| {
            std::iter::successors(Some(inner), |at| plan.node(*at).parent).any(|at| at == id)
        };
        !self.known || self.nodes.iter().any(|inner| around(*inner))
    }

    /// Whether anything in the run may be.
    pub(super) fn hides_any(&self) -> bool {
        !self.known || !self.nodes.is_empty()
    }

    /// The values known so far.
    pub(super) fn values(&self) -> &BTreeSet<String> {
        &self.values
    }

    /// The inputs that a `playbook:` step fills from sensitive values.
    pub(super) fn handed_on(&self, plan: &Plan, node: &Node) -> BTreeSet<String> {
        let Kind::Playbook { with, .. } = &node.kind else { return BTreeSet::new() };
        let touched = with.iter().filter(|(_, value)| self.touches(plan, value));
        touched.map(|(name, _)| name.clone()).collect()
    }

    /// Keeps the sensitive parts of a run's inputs in mind.
    pub(super) fn learn_inputs(&mut self, schema: &Schema, inputs: &Value) {
        self.learn(schema, inputs);
        for name in self.inputs.clone() {
            inputs.get(&name).into_iter().for_each(|value| self.keep(value));
        }
    }

    /// Keeps the sensitive parts of a value in mind.
    pub(super) fn learn(&mut self, schema: &Schema, value: &Value) {
        if schema.sensitive {
            self.keep(value);
        }
        match value {
            Value::Object(fields) => {
                for (name, schema) in schema.properties.iter().flatten() {
                    fields.get(name).into_iter().for_each(|field| self.learn(schema, field));
                }
            }
            Value::Array(items) => {
                for (schema, item) in
                    schema.items.iter().flat_map(|s| items.iter().map(move |i| (s, i)))
                {
                    self.learn(schema, item);
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }

    fn keep(&mut self, value: &Value) {
        match value {
            Value::Null | Value::Bool(_) => {}
            Value::Number(number) => self.keep_text(&number.to_string()),
            Value::String(text) => self.keep_text(text),
            Value::Array(items) => items.iter().for_each(|item| self.keep(item)),
            Value::Object(fields) => fields.values().for_each(|field| self.keep(field)),
        }
    }

    fn keep_text(&mut self, text: &str) {
        let text = text.trim();
        if text.chars().count() >= BLOT_CHARS_MIN {
            self.values.insert(text.to_owned());
        }
    }

    /// The run's inputs, without what is sensitive.
    pub(super) fn inputs(&self, schema: &Schema, inputs: &Value) -> Option<Value> {
        let mut shown = self.redact(schema, inputs)?;
        if let Value::Object(fields) = &mut shown {
            for name in &self.inputs {
                fields.entry(name).and_modify(|value| *value = Value::from(BLOT));
            }
        }
        Some(shown)
    }

    /// A value without its sensitive parts; nothing where the plan is not known.
    pub(super) fn redact(&self, schema: &Schema, value: &Value) -> Option<Value> {
        self.known.then(|| self.redacted(Some(schema), value))
    }

    fn redacted(&self, schema: Option<&Schema>, value: &Value) -> Value {
        if schema.is_some_and(|schema| schema.sensitive) {
            return Value::from(BLOT);
        }
        match value {
            Value::String(text) => Value::from(self.scrub(text)),
            // A number stays a number, unless its text is known to be sensitive.
            Value::Number(number) if self.values.contains(&number.to_string()) => Value::from(BLOT),
            Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
            Value::Array(items) => {
                let schema = schema.and_then(|schema| schema.items.as_deref());
                items.iter().map(|item| self.redacted(schema, item)).collect()
            }
            Value::Object(fields) => {
                let below = |name: &str| schema?.properties.as_ref()?.get(name);
                let shown = fields
                    .iter()
                    .map(|(name, field)| (self.scrub(name), self.redacted(below(name), field)));
                Value::Object(shown.collect::<Map<_, _>>())
            }
        }
    }

    /// A text in which no known sensitive value stands.
    pub(super) fn scrub(&self, text: &str) -> String {
        // Longer ones first: one may hold another.
        let mut values: Vec<&String> =
            self.values.iter().filter(|value| text.contains(value.as_str())).collect();
        values.sort_by_key(|value| std::cmp::Reverse(value.len()));
        values.into_iter().fold(text.to_owned(), |text, value| text.replace(value.as_str(), BLOT))
    }

    /// Marks a node if something it makes is made from something sensitive; says if that was new.
    fn spread(&mut self, plan: &Plan, id: NodeId, node: &Node) -> bool {
        let mut more = false;
        if let Kind::ForEach(each) = &node.kind
            && let ListSource::Expression(list) = &each.list
            && self.reads(plan, list)
        {
            more |= self.variables.insert(each.item.to_string());
        }
        let below = |kind: &Kind| matches!(kind, Kind::ForEach(_) | Kind::Repeat(_));
        if self.is_made_from(plan, node) || (below(&node.kind) && self.holds_marked(plan, id)) {
            more |= self.nodes.insert(id);
        }
        more
    }

    /// Whether a step inside this loop is marked: its output is part of the loop's.
    fn holds_marked(&self, plan: &Plan, id: NodeId) -> bool {
        self.nodes.iter().any(|inner| plan.node(*inner).parent == Some(id))
    }

    fn is_made_from(&self, plan: &Plan, node: &Node) -> bool {
        let fields =
            |form: &Schema| form.properties.iter().flatten().any(|(_, field)| holds(field));
        let own = match &node.kind {
            Kind::Call(call) => call.with.values().any(|value| self.touches(plan, value)),
            Kind::Script(script) => self.reads(plan, script),
            Kind::Task { instructions, form, .. } => {
                fields(form) || self.touches(plan, instructions)
            }
            Kind::Approve { shows: Shows::Text(text), .. }
            | Kind::Note(text)
            | Kind::Fail(text)
            | Kind::End(text) => self.touches(plan, text),
            Kind::Approve { shows: Shows::Steps(steps), .. } => {
                steps.iter().any(|step| self.nodes.contains(step))
            }
            Kind::Wait(Wait::Signal { name, form, .. }) => fields(form) || self.touches(plan, name),
            Kind::Wait(Wait::Until(time)) => self.reads(plan, time),
            Kind::Wait(Wait::For(Length::Rendered(length))) => self.touches(plan, length),
            Kind::ForEach(each) => match &each.list {
                ListSource::Expression(list) => self.reads(plan, list),
                ListSource::Count(_) => false,
            },
            Kind::Playbook { with, .. } => with.values().any(|value| self.touches(plan, value)),
            Kind::Approve { shows: Shows::Title, .. }
            | Kind::Wait(Wait::For(Length::Fixed(_)))
            | Kind::Group(_)
            | Kind::Parallel { .. }
            | Kind::Switch(_)
            | Kind::Repeat(_)
            | Kind::UndoSteps(_) => false,
        };
        let undone = match &node.undo {
            Undo::Call { with, .. } => with.values().any(|value| self.touches(plan, value)),
            Undo::Catalogue | Undo::None | Undo::Steps(_) => false,
        };
        own || undone
    }

    fn touches(&self, plan: &Plan, template: &Template) -> bool {
        template.expressions().into_iter().any(|expression| self.reads(plan, expression))
    }

    fn reads(&self, plan: &Plan, expression: &Expression) -> bool {
        expression.reads.iter().any(|path| self.reads_path(plan, path))
    }

    fn reads_path(&self, plan: &Plan, ReadPath(names): &ReadPath) -> bool {
        let mut names = names.iter().map(String::as_str);
        match (names.next(), names.next(), names.next(), names.next()) {
            (Some("inputs"), Some(name), ..) => self.inputs.contains(name),
            (Some("inputs"), None, ..) => !self.inputs.is_empty(),
            (Some("steps"), Some(_), Some("status" | "counts" | "reached"), _) | (None, ..) => {
                false
            }
            (Some("steps"), Some(id), part, field) => plan.by_id(id).is_some_and(|id| {
                self.nodes.contains(&id)
                    && !(part == Some("output") && is_open_field(plan.node(id), field))
            }),
            (Some("steps"), None, ..) | (Some("error"), ..) => !self.nodes.is_empty(),
            (Some(name), ..) => self.variables.contains(name),
        }
    }
}

/// Whether this is a field of a form that is not sensitive itself.
fn is_open_field(node: &Node, field: Option<&str>) -> bool {
    let (Kind::Task { form, .. } | Kind::Wait(Wait::Signal { form, .. })) = &node.kind else {
        return false;
    };
    let schema = field.and_then(|field| form.properties.as_ref()?.get(field));
    schema.is_some_and(|schema| !holds(schema))
}

/// Whether a schema marks anything in it as sensitive.
fn holds(schema: &Schema) -> bool {
    schema.sensitive
        || schema.items.as_deref().is_some_and(holds)
        || schema.properties.iter().flatten().any(|(_, schema)| holds(schema))
}
