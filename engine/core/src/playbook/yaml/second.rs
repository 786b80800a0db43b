//! The second opinion: another parser reads the same text, and where it sees another tree the file
//! is refused.

use super::Fault;
use crate::playbook::tree::{Meaning, Node, Scalar, Yaml};
use crate::playbook::{Code, Place};

/// Whether the second parser sees the same tree.
pub(super) fn agrees(text: &str, tree: &Yaml) -> Result<(), Fault> {
    let other: serde_yaml::Value = serde_yaml::from_str(text).map_err(|error| {
        let place = error.location().map_or(Place::START, |at| Place {
            line: u32::try_from(at.line()).unwrap_or(1).max(1),
            column: u32::try_from(at.column()).unwrap_or(1).max(1),
        });
        Fault::new(Code::YamlSyntax, place, error.to_string())
    })?;
    match difference(tree, &other) {
        None => Ok(()),
        Some(place) => {
            let message = "two readers of YAML see different things here";
            Err(Fault::new(Code::YamlSyntax, place, message)
                .with_hint("write it plainly: put the text in quotes, on one line"))
        }
    }
}

/// The first place where the two trees differ.
fn difference(tree: &Yaml, other: &serde_yaml::Value) -> Option<Place> {
    use serde_yaml::Value;
    match (&tree.node, other) {
        (Node::List(items), Value::Sequence(others)) if items.len() == others.len() => {
            items.iter().zip(others).find_map(|(item, other)| difference(item, other))
        }
        (Node::Map(entries), Value::Mapping(others)) if entries.len() == others.len() => {
            entries.iter().zip(others).find_map(|(entry, (key, value))| {
                if same(&entry.key, key) {
                    difference(&entry.value, value)
                } else {
                    Some(entry.place)
                }
            })
        }
        (Node::Scalar(scalar), other) if same(scalar, other) => None,
        (Node::Scalar(_) | Node::List(_) | Node::Map(_), _) => Some(tree.place),
    }
}

fn same(scalar: &Scalar, other: &serde_yaml::Value) -> bool {
    use serde_yaml::Value;
    match (&scalar.meaning, other) {
        (Meaning::Null, Value::Null) => true,
        (Meaning::Boolean(value), Value::Bool(other)) => value == other,
        (Meaning::Number(number), Value::Number(other)) => {
            number.as_i64() == other.as_i64() && number.as_f64() == other.as_f64()
        }
        (Meaning::Text, Value::String(other)) => scalar.text.as_str() == other,
        (Meaning::Null | Meaning::Boolean(_) | Meaning::Number(_) | Meaning::Text, _) => false,
    }
}
