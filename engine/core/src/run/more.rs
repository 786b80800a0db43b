//! More of the same: what a further run of a plan is given when items were found later.
//!
//! Its lists hold only what no run before it was given, so that nothing is asked for, or done, a
//! second time. Everything else is as it was.

use std::collections::BTreeSet;

use serde_json::{Map, Value};
use thiserror::Error;

use super::item_text;
use crate::model::{RunId, Schema, SchemaType, canonical};

/// What a further run is given.
#[derive(Debug, Clone, PartialEq)]
pub struct More {
    /// All its inputs.
    pub inputs: Value,
    /// What was given and is with an earlier run already.
    pub left_out: Vec<LeftOut>,
}

/// An item that an earlier run was given.
#[derive(Debug, Clone, PartialEq)]
pub struct LeftOut {
    /// In which input.
    pub input: String,
    /// The item.
    pub item: Value,
    /// The run that has it.
    pub run: RunId,
}

impl std::fmt::Display for LeftOut {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} of `{}` is with run {}", item_text(&self.item), self.input, self.run)
    }
}

/// Why there is nothing to be launched.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum MoreError {
    /// The playbook has no such input.
    #[error("the playbook has no input `{0}`")]
    NoSuchInput(String),
    /// Only lists have more items.
    #[error("`{0}` is no list: more items are given for lists, what else differs is another run")]
    NoList(String),
    /// No item was given.
    #[error("no item was given")]
    NoItem,
    /// All of it is with earlier runs.
    #[error("nothing of it is new: {}", list(.0))]
    NothingNew(Vec<String>),
}

fn list(left_out: &[String]) -> String {
    left_out.join(", ")
}

/// The inputs of a further run: those of the first one, in which the lists that were given stand
/// for those they name, without the items that an earlier run was given. `earlier` are all runs
/// before it with their inputs, the first one first.
///
/// # Errors
/// [`MoreError`] where nothing new is left, or what was given is no list of this playbook.
pub fn more(
    schema: &Schema,
    earlier: &[(RunId, &Value)],
    given: &Map<String, Value>,
) -> Result<More, MoreError> {
    let first = earlier.first().and_then(|(_, inputs)| inputs.as_object());
    let mut inputs = first.cloned().unwrap_or_default();
    let mut left_out = Vec::new();
    let mut is_new = false;
    for (name, value) in given {
        let own = schema.properties.as_ref().and_then(|all| all.get(name));
        let own = own.ok_or_else(|| MoreError::NoSuchInput(name.clone()))?;
        let Value::Array(items) = value else { return Err(MoreError::NoList(name.clone())) };
        if own.kind != Some(SchemaType::Array) {
            return Err(MoreError::NoList(name.clone()));
        }
        let mut seen = BTreeSet::new();
        let mut new = Vec::new();
        for item in items.iter().filter(|item| seen.insert(same(item))) {
            match with_whom(earlier, name, item) {
                Some(run) => {
                    left_out.push(LeftOut { input: name.clone(), item: item.clone(), run });
                }
                None => new.push(item.clone()),
            }
        }
        is_new |= !new.is_empty();
        inputs.insert(name.clone(), Value::Array(new));
    }
    match (is_new, left_out.is_empty()) {
        (true, _) => Ok(More { inputs: Value::Object(inputs), left_out }),
        (false, true) => Err(MoreError::NoItem),
        (false, false) => {
            Err(MoreError::NothingNew(left_out.iter().map(ToString::to_string).collect()))
        }
    }
}

/// The run that was given an item before.
fn with_whom(earlier: &[(RunId, &Value)], name: &str, item: &Value) -> Option<RunId> {
    let wanted = same(item);
    let has = |inputs: &Value| {
        let items = inputs.get(name).and_then(Value::as_array);
        items.is_some_and(|items| items.iter().any(|item| same(item) == wanted))
    };
    earlier.iter().find(|(_, inputs)| has(inputs)).map(|(run, _)| *run)
}

/// What makes an item the same as another: how it is written does not.
fn same(item: &Value) -> Vec<u8> {
    canonical(item).unwrap_or_else(|_| item.to_string().into_bytes())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::model::Format;

    fn schema() -> Schema {
        Schema::object([
            ("hosts", Schema::array(Schema::format(Format::Host))),
            ("accounts", Schema::array(Schema::string())),
            ("note", Schema::string()),
        ])
    }

    fn run(number: u8) -> RunId {
        RunId::new(1, &[number; 10])
    }

    fn asked(given: &Value) -> Result<More, MoreError> {
        let first = json!({"hosts": ["pc-1"], "accounts": ["eve"], "note": "n"});
        let second = json!({"hosts": ["pc-2"], "accounts": [], "note": "n"});
        let earlier = [(run(1), &first), (run(2), &second)];
        more(&schema(), &earlier, given.as_object().unwrap())
    }

    #[test]
    fn only_what_no_run_before_was_given_is_given_to_the_next() {
        let more = asked(&json!({"hosts": ["pc-2", "pc-7", "pc-1", "pc-7"]})).unwrap();
        let wanted = json!({"hosts": ["pc-7"], "accounts": ["eve"], "note": "n"});
        assert_eq!(more.inputs, wanted, "what was not named stays as it was");
        let left_out: Vec<String> = more.left_out.iter().map(ToString::to_string).collect();
        let said = |host, of| format!("{host} of `hosts` is with run {}", run(of));
        assert_eq!(left_out, [said("pc-2", 2), said("pc-1", 1)]);
    }

    #[test]
    fn a_list_may_be_left_empty_while_another_has_items() {
        let more = asked(&json!({"hosts": ["pc-7"], "accounts": []})).unwrap();
        assert_eq!(more.inputs, json!({"hosts": ["pc-7"], "accounts": [], "note": "n"}));
    }

    #[test]
    fn what_is_no_new_item_of_a_list_is_refused() {
        let cases = [
            (json!({"host": ["pc-7"]}), "no input `host`"),
            (json!({"note": ["pc-7"]}), "`note` is no list"),
            (json!({"hosts": "pc-7"}), "`hosts` is no list"),
            (json!({"hosts": []}), "no item was given"),
            (json!({}), "no item was given"),
            (json!({"hosts": ["pc-1", "pc-2"]}), "nothing of it is new: pc-1 of `hosts`"),
        ];
        for (given, words) in cases {
            let error = asked(&given).unwrap_err().to_string();
            assert!(error.contains(words), "{given}: {error}");
        }
    }
}
