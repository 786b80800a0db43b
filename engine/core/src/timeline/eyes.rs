//! A run's JSON as somebody may read it, by the rule of the timeline.
//!
//! What is another organisation's is left out. What is no one organisation's stands in outline: that
//! it is there, and when, without values. What a step was given and what it gave is shown only where
//! that step itself acts on targets of the reader's organisations, and on nobody else's.
//!
//! It takes away from the whole and names what stays, not what goes: a field that is added to the
//! whole is not told here until somebody says that it may be.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::entry::Scope;
use super::owners::{Owners, Sight};
use crate::model::{Organisation, Path};
use crate::run::{Event, RunState};

/// What everybody may know of a run that they may know of.
const OF_RUN: &[&str] = &[
    "id",
    "playbook",
    "digest",
    "mode",
    "status",
    "incident",
    "incident_number",
    "parent",
    "children",
    "started_at",
    "ended_at",
    "head",
];

/// What everybody may know of a step.
const OF_STEP: &[&str] = &["path", "id", "kind", "status", "started_at", "ended_at"];

/// What everybody may know of something that waits for people.
const OF_NEED: &[&str] = &["id", "kind", "step", "role", "run", "incident", "since"];

/// What everybody may know of a wait.
const OF_WAIT: &[&str] = &["step", "for", "since", "until"];

/// Somebody's eyes on one run, as it stands.
#[derive(Debug)]
pub struct Eyes<'a> {
    scope: &'a Scope,
    owners: Owners,
}

impl<'a> Eyes<'a> {
    /// On this run.
    pub fn on(state: &RunState, scope: &'a Scope) -> Self {
        let owners = match scope.organisations {
            Some(_) => Owners::of_state(state),
            None => Owners::default(),
        };
        Self { scope, owners }
    }

    /// What they see of [`RunState::to_json`].
    pub fn run(&self, mut json: Value) -> Value {
        if self.scope.organisations.is_none() {
            return json;
        }
        let mut part = |name: &str| match json.get_mut(name).map(Value::take) {
            Some(Value::Array(items)) => items,
            Some(
                Value::Null
                | Value::Bool(_)
                | Value::Number(_)
                | Value::String(_)
                | Value::Object(_),
            )
            | None => Vec::new(),
        };
        let (steps, needs, waits) = (part("steps"), part("needs"), part("waits"));
        let mut seen = outline(json, OF_RUN);
        if let Value::Object(fields) = &mut seen {
            let steps = steps.into_iter().filter_map(|step| self.step(step));
            let needs = needs.into_iter().filter_map(|need| self.need(need));
            let waits = waits.into_iter().filter_map(|wait| self.wait(wait));
            fields.insert("steps".to_owned(), steps.collect());
            fields.insert("needs".to_owned(), needs.collect());
            fields.insert("waits".to_owned(), waits.collect());
        }
        seen
    }

    /// What they see of a need of this run, as [`RunState::need_json`] has it; nothing where it is
    /// somebody else's.
    pub fn need(&self, json: Value) -> Option<Value> {
        if self.scope.organisations.is_none() {
            return Some(json);
        }
        let path = path_in(&json, "step");
        let mut owners = BTreeSet::new();
        named_in(&json, &mut owners);
        let acted_on = path.as_ref().map(|path| self.owners.acted_on(path)).unwrap_or_default();
        owners.extend(path.as_ref().map(|path| self.owners.of_path(path)).unwrap_or_default());
        match self.scope.sight(&owners) {
            Sight::Hidden => None,
            Sight::Whole if !acted_on.is_empty() => Some(json),
            Sight::Whole | Sight::Outline => Some(outline(json, OF_NEED)),
        }
    }

    /// Whether they may know that this happened in the run.
    pub fn may_know(&self, event: &Event) -> bool {
        self.scope.sight(&self.owners.of(event)) != Sight::Hidden
    }

    fn step(&self, json: Value) -> Option<Value> {
        let path = path_in(&json, "path")?;
        match self.scope.sight(&self.owners.of_path(&path)) {
            Sight::Hidden => None,
            Sight::Whole if !self.owners.acted_on(&path).is_empty() => Some(json),
            // The item is theirs, and what else goes on in it may be made from anything.
            Sight::Whole => {
                let item = json.get("item").cloned();
                let mut seen = outline(json, OF_STEP);
                if let (Value::Object(fields), Some(item)) = (&mut seen, item) {
                    fields.insert("item".to_owned(), item);
                }
                Some(seen)
            }
            Sight::Outline => Some(outline(json, OF_STEP)),
        }
    }

    fn wait(&self, json: Value) -> Option<Value> {
        let path = path_in(&json, "step")?;
        match self.scope.sight(&self.owners.of_path(&path)) {
            Sight::Hidden => None,
            Sight::Outline | Sight::Whole => Some(outline(json, OF_WAIT)),
        }
    }
}

/// The same object, of which only these fields have their values.
fn outline(json: Value, stays: &[&str]) -> Value {
    let Value::Object(fields) = json else { return Value::Null };
    let fields = fields.into_iter().map(|(name, value)| {
        let value = if stays.contains(&name.as_str()) { value } else { Value::Null };
        (name, value)
    });
    Value::Object(fields.collect::<Map<_, _>>())
}

fn path_in(json: &Value, name: &str) -> Option<Path> {
    json.get(name).and_then(Value::as_str).and_then(|text| text.parse().ok())
}

/// The organisations that are named anywhere in what is shown: a gate shows the targets of every
/// step that it lets through.
fn named_in(json: &Value, found: &mut BTreeSet<Organisation>) {
    match json {
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        Value::Array(items) => items.iter().for_each(|item| named_in(item, found)),
        Value::Object(fields) => {
            let named = fields.get("organisation").and_then(Value::as_str);
            found.extend(named.and_then(|name| name.parse().ok()));
            fields.values().for_each(|field| named_in(field, found));
        }
    }
}
