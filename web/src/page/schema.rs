//! Fields of a form made from a schema, and what was typed into them read by it.
//!
//! What people enter arrives as text. By the schema it becomes a number, a yes, a list with an item a
//! line; what does not fit is refused with the field.

use std::collections::BTreeMap;

use askama::Template;
use beistand_core::model::{Format, Schema, SchemaType};
use serde_json::{Map, Value};

use super::frame::Frame;
use crate::report::Problem;
use crate::words::Zoned;

/// How a field is entered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Entry {
    /// One line.
    Line { kind: &'static str, chars_max: u64 },
    /// Some lines.
    Lines,
    /// An item a line.
    Items,
    /// One of these.
    Choice(Vec<String>),
    /// Yes or no.
    YesNo,
    /// JSON.
    Json,
}

/// A field of a form.
#[derive(Debug, Clone, Template)]
#[template(path = "part/field.html")]
pub(crate) struct Field {
    /// Its name in the form.
    pub(crate) name: String,
    pub(crate) id: String,
    pub(crate) label: String,
    pub(crate) hint: String,
    pub(crate) required: bool,
    pub(crate) entry: Entry,
    pub(crate) value: String,
    pub(crate) words: YesNoWords,
}

/// What a yes and a no are called, and what need not be filled in.
#[derive(Debug, Clone)]
pub(crate) struct YesNoWords {
    pub(crate) yes: String,
    pub(crate) no: String,
    pub(crate) optional: String,
    pub(crate) items: String,
}

/// The longest text of a line where nothing else is said, in characters.
const CHARS_MAX: u64 = 8_000;

/// Fields for what a schema names, each called after `prefix` and filled with what is known already.
pub(crate) fn fields(
    frame: &Frame,
    schema: &Schema,
    (prefix, known): (&str, &Value),
) -> Vec<Field> {
    let words = YesNoWords {
        yes: frame.t("yes"),
        no: frame.t("no"),
        optional: frame.t("optional"),
        items: frame.t("items-hint"),
    };
    let all = schema.properties.iter().flatten();
    all.map(|(name, own)| {
        let given = known.get(name).filter(|value| !value.is_null()).or(own.default.as_ref());
        Field {
            name: format!("{prefix}{name}"),
            id: format!("{}{name}", prefix.replace('.', "-")),
            label: own.title.clone().unwrap_or_else(|| name.replace('_', " ")),
            hint: own.description.clone().unwrap_or_default(),
            required: own.is_required(),
            entry: Entry::of(own),
            value: given.map(shown).unwrap_or_default(),
            words: words.clone(),
        }
    })
    .collect()
}

impl Entry {
    fn of(schema: &Schema) -> Self {
        if let Some(choices) = &schema.choices {
            return Self::Choice(choices.iter().map(shown).collect());
        }
        match schema.kind {
            Some(SchemaType::Boolean) => Self::YesNo,
            Some(SchemaType::Integer | SchemaType::Number) => {
                Self::Line { kind: "number", chars_max: 30 }
            }
            Some(SchemaType::Array) => {
                let plain = schema.items.as_ref().is_none_or(|items| {
                    !matches!(items.kind, Some(SchemaType::Array | SchemaType::Object))
                });
                if plain { Self::Items } else { Self::Json }
            }
            Some(SchemaType::Object) => Self::Json,
            None | Some(SchemaType::String) => {
                let chars_max = schema.max_length.unwrap_or(CHARS_MAX);
                // Where a time stands there already, it has its offset.
                if schema.format == Some(Format::DateTime) && schema.default.is_none() {
                    Self::Line { kind: "datetime-local", chars_max }
                } else if schema.format.is_some() || chars_max <= 200 {
                    Self::Line { kind: "text", chars_max }
                } else {
                    Self::Lines
                }
            }
        }
    }
}

/// A value as it stands in a field.
fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) if items.iter().all(|item| !item.is_object() && !item.is_array()) => {
            items.iter().map(shown).collect::<Vec<_>>().join("\n")
        }
        Value::Null => String::new(),
        Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => value.to_string(),
    }
}

/// What was typed into the fields of a schema, times by the clock that who typed them looks at. A field
/// that was left empty is not there.
///
/// # Errors
/// 400 with the field that does not fit, or that the schema does not have.
pub(crate) fn read(
    pairs: Vec<(String, String)>,
    schema: &Schema,
    clock: Zoned,
) -> Result<Map<String, Value>, Problem> {
    let empty = BTreeMap::new();
    let own = schema.properties.as_ref().unwrap_or(&empty);
    let mut all = Map::new();
    for (name, text) in pairs {
        let text = text.replace("\r\n", "\n");
        if text.trim().is_empty() {
            continue;
        }
        let unknown = || Problem::malformed(format!("nobody asks for `{name}`")).place(&name);
        let schema = own.get(&name).ok_or_else(unknown)?;
        let value = typed(&name, text.trim(), (schema, clock))?;
        if all.insert(name.clone(), value).is_some() {
            let text = format!("the field `{name}` stands there twice");
            return Err(Problem::malformed(text).place(name));
        }
    }
    Ok(all)
}

fn typed(name: &str, text: &str, (schema, clock): (&Schema, Zoned)) -> Result<Value, Problem> {
    let wrong = |what: &str| Problem::malformed(format!("`{name}` must be {what}")).place(name);
    match schema.kind {
        None | Some(SchemaType::String) if schema.format == Some(Format::DateTime) => {
            let at = clock.read(text).ok_or_else(|| wrong("`14:41`, or a date with a time"))?;
            Ok(Value::from(at.to_string()))
        }
        None | Some(SchemaType::String) => Ok(Value::from(text)),
        Some(SchemaType::Boolean) => match text {
            "true" => Ok(Value::Bool(true)),
            "false" => Ok(Value::Bool(false)),
            _ => Err(wrong("yes or no")),
        },
        Some(SchemaType::Integer) => {
            text.parse::<i64>().map(Value::from).map_err(|_| wrong("a whole number"))
        }
        Some(SchemaType::Number) => {
            let number = text.replace(',', ".").parse::<f64>().map(Value::from);
            number.map_err(|_| wrong("a number"))
        }
        Some(SchemaType::Array) if Entry::of(schema) == Entry::Items => {
            let any = Schema::default();
            let items = schema.items.as_deref().unwrap_or(&any);
            let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
            lines
                .map(|line| typed(name, line, (items, clock)))
                .collect::<Result<_, _>>()
                .map(Value::Array)
        }
        Some(SchemaType::Array | SchemaType::Object) => {
            crate::json::read(text.as_bytes()).map_err(|_| wrong("JSON"))
        }
    }
}

#[cfg(test)]
mod tests {
    use beistand_core::model::Millis;
    use beistand_core::timeline::{Lang, Zone};
    use serde_json::json;

    use super::*;
    use crate::words::Words;

    fn schema() -> Schema {
        Schema::object([
            ("hosts", Schema::array(Schema::format(Format::Host))),
            ("attack", Schema::of(SchemaType::Boolean)),
            ("count", Schema::of(SchemaType::Integer)),
            ("since", Schema::format(Format::DateTime)),
            ("more", Schema::of(SchemaType::Object)),
        ])
    }

    fn berlin() -> Zoned {
        let now = Millis::parse("2026-11-23T08:00:00Z").unwrap();
        Zoned { zone: Zone::Berlin, words: Words(Lang::En), now }
    }

    fn pairs(all: &[(&str, &str)]) -> Vec<(String, String)> {
        all.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn what_was_typed_is_read_by_the_schema() {
        let typed = pairs(&[
            ("hosts", "pc-1\r\n\r\n pc-2 "),
            ("attack", "true"),
            ("count", ""),
            ("since", "2026-11-23T04:12"),
            ("more", r#"{"a": 1}"#),
        ]);
        let wanted = json!({"hosts": ["pc-1", "pc-2"], "attack": true, "since": "2026-11-23T03:12:00.000Z", "more": {"a": 1}});
        assert_eq!(Value::Object(read(typed, &schema(), berlin()).unwrap()), wanted);
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        for (name, value) in [
            ("attack", "maybe"),
            ("since", "noon"),
            ("count", "1.5"),
            ("other", "x"),
            ("more", r#"{"a":1,"a":2}"#),
        ] {
            assert!(read(pairs(&[(name, value)]), &schema(), berlin()).is_err(), "{name}");
        }
    }
}
