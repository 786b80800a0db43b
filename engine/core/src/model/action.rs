//! What an action is, independent of products: arguments, output, targets, undo.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{ActionName, Schema, TargetKind};

/// An action of the catalogue. A playbook names it; a connector does it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ActionSpec {
    /// `network.isolate`.
    pub name: ActionName,
    /// What it does, in a few words for people.
    pub title: String,
    /// What a person does by hand where nothing is bound, with `{argument}` in it.
    pub by_hand: String,
    /// The arguments: an object schema with all properties named.
    pub arguments: Schema,
    /// The output: an object schema.
    pub output: Schema,
    /// Whether it can hurt: gates, guard, limits and holds apply.
    pub destructive: bool,
    /// Where its targets stand in the arguments.
    pub targets: Vec<TargetRule>,
    /// Whether a person is not harmed by getting it twice (mail, chat, SMS).
    pub duplicate_harmless: bool,
    /// What takes it back.
    pub undo: Option<UndoRule>,
    /// The reading action whose output is the previous state that undo needs.
    pub previous: Option<ActionName>,
}

/// An argument that names a target, or a list of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum TargetRule {
    /// The argument is the name (or a list of names) of a thing of this kind.
    Argument {
        /// The argument's name.
        argument: String,
        /// What it names.
        kind: TargetKind,
    },
    /// The argument is a list of `{kind, value}`.
    Listed {
        /// The argument's name.
        argument: String,
    },
    /// The argument names the host that a generic call goes to. It is touched too, whatever the
    /// author calls the targets; one that the inventory does not know goes by its name.
    GoesTo {
        /// The argument's name.
        argument: String,
    },
}

/// How an action is taken back: another action with some of the same arguments.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UndoRule {
    /// The action that takes it back.
    pub action: ActionName,
    /// Which arguments it takes over.
    pub arguments: Vec<String>,
}

/// A literal argument a playbook wrote, for checks that look at constants.
pub type Argument = (String, Value);

impl ActionSpec {
    /// The arguments of the undo call, taken from those of the effect.
    pub fn undo_arguments(&self, arguments: &Value) -> Option<(ActionName, Value)> {
        let undo = self.undo.as_ref()?;
        let taken = undo
            .arguments
            .iter()
            .filter_map(|name| arguments.get(name).map(|value| (name.clone(), value.clone())))
            .collect();
        Some((undo.action.clone(), Value::Object(taken)))
    }

    /// The argument that names the host a call goes to, where the action is a generic one.
    pub fn goes_to(&self) -> Option<&str> {
        self.targets.iter().find_map(|rule| match rule {
            TargetRule::GoesTo { argument } => Some(argument.as_str()),
            TargetRule::Argument { .. } | TargetRule::Listed { .. } => None,
        })
    }

    /// Puts what only says what a call touches in one order, each thing once: however it was written
    /// or computed, it is the same call and has the same digest. What is sent is left as it is.
    pub fn order_targets(&self, arguments: &mut Value) {
        for rule in &self.targets {
            let TargetRule::Listed { argument } = rule else { continue };
            if let Some(Value::Array(listed)) = arguments.get_mut(argument) {
                listed.sort_by_cached_key(ToString::to_string);
                listed.dedup();
            }
        }
    }

    /// The names of targets in rendered arguments, with their kinds, in the order of the rules: what
    /// an author says is hit.
    pub fn target_names(&self, arguments: &Value) -> Vec<(TargetKind, String)> {
        let mut found = Vec::new();
        for rule in &self.targets {
            match rule {
                TargetRule::Argument { argument, kind } => match arguments.get(argument) {
                    Some(Value::String(name)) => found.push((*kind, name.clone())),
                    Some(Value::Array(names)) => found.extend(
                        names.iter().filter_map(Value::as_str).map(|name| (*kind, name.to_owned())),
                    ),
                    _ => {}
                },
                TargetRule::Listed { argument } => {
                    let listed = arguments.get(argument).and_then(Value::as_array);
                    found.extend(listed.into_iter().flatten().filter_map(|item| {
                        let kind = serde_json::from_value(item.get("kind")?.clone()).ok()?;
                        Some((kind, item.get("value")?.as_str()?.to_owned()))
                    }));
                }
                TargetRule::GoesTo { .. } => {}
            }
        }
        found
    }
}
