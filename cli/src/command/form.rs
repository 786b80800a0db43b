//! Forms: what a need asks to be filled in, how that is typed, and what may stand in it.

use beistand_core::model::{Format, Schema, SchemaType};
use beistand_core::run::NeedKind;
use beistand_core::timeline::is_plain_word;
use beistand_journal::Need;
use serde_json::{Value, json};

use super::body::NeedBody;
use crate::exit::{Failure, Outcome};
use crate::out::cell;
use crate::values;

/// A form typed by the need's own schema; nothing given is null.
pub(super) fn typed(pairs: &[String], need: &Need) -> Outcome<Value> {
    if pairs.is_empty() {
        return Ok(Value::Null);
    }
    values::read(pairs, &NeedBody::of(need).form.unwrap_or_default())
}

/// The same of something that is done by a person: one that asks for a form is not answered without
/// it, and whoever forgot it reads how it is typed.
pub(super) fn of_done(pairs: &[String], need: &Need) -> Outcome<Value> {
    let form = typed(pairs, need)?;
    let asks = NeedBody::of(need).form;
    let asks = asks.filter(|_| form.is_null() && need.kind == NeedKind::Task);
    let Some(asks) = asks else { return Ok(form) };
    let mut empty = json!({});
    asks.fill(&mut empty);
    if asks.problems(&empty).is_empty() {
        return Ok(form);
    }
    let text = format!("this task asks for a form: {}", fields(&asks).join(", "));
    let call = format!("beistand done {} {}", need.id, example(&asks));
    Err(Failure::usage(cell(&text)).hint(cell(&format!("for example: {call}"))))
}

/// The fields of a need's form, with what may stand in them.
pub(super) fn fields_of(need: &NeedBody) -> Vec<String> {
    need.form.as_ref().map(fields).unwrap_or_default()
}

fn fields(form: &Schema) -> Vec<String> {
    let field = |(name, schema): (&String, &Schema)| {
        let word = schema.kind.map(SchemaType::word).unwrap_or_default();
        let kind = match (&schema.choices, schema.format) {
            (Some(words), _) => words.iter().map(plain).collect::<Vec<_>>().join(" or "),
            (None, Some(_)) => format!("{word} like {}", one(schema)),
            (None, None) => word.to_owned(),
        };
        let may = if may_be_left_out(schema) { ", may be left out" } else { "" };
        format!("{name} ({kind}{may})")
    };
    form.properties.iter().flatten().map(field).collect()
}

fn may_be_left_out(schema: &Schema) -> bool {
    schema.optional || schema.default.is_some()
}

/// Every field that may not be left out, as it is typed: values of the right kind, which are still
/// to be made true.
fn example(form: &Schema) -> String {
    let asked = form.properties.iter().flatten().filter(|(_, schema)| !may_be_left_out(schema));
    let typed = asked.map(|(name, schema)| {
        let pair = match schema.kind {
            Some(SchemaType::Array) => {
                let item = schema.items.as_deref();
                format!("{name}={}", item.map_or_else(|| "TEXT".to_owned(), one))
            }
            Some(SchemaType::Object) => format!("{name}:={{}}"),
            Some(
                SchemaType::String | SchemaType::Boolean | SchemaType::Integer | SchemaType::Number,
            )
            | None => format!("{name}={}", one(schema)),
        };
        format!("--form {}", quoted(&pair))
    });
    typed.collect::<Vec<_>>().join(" ")
}

/// A value that fits, as people type it.
fn one(schema: &Schema) -> String {
    if let Some(first) = schema.choices.as_ref().and_then(|choices| choices.first()) {
        return plain(first);
    }
    match (schema.kind, schema.format) {
        (Some(SchemaType::Boolean), _) => "true",
        (Some(SchemaType::Integer | SchemaType::Number), _) => {
            return schema.minimum.map_or_else(|| "1".to_owned(), |least| least.to_string());
        }
        (Some(SchemaType::Array), _) => "[]",
        (Some(SchemaType::Object), _) => "{}",
        (Some(SchemaType::String) | None, Some(format)) => match format {
            Format::Host => "pc-1",
            Format::Address => "192.0.2.1",
            Format::Account | Format::Organisation | Format::File => "NAME",
            Format::Email => "name@example.org",
            Format::DateTime => "2026-11-23T03:00:00+01:00",
            Format::Duration => "15m",
            Format::Uri => "https://example.org/",
        },
        (Some(SchemaType::String) | None, None) => "TEXT",
    }
    .to_owned()
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// `name=value` as one word of a shell.
fn quoted(pair: &str) -> String {
    let is_plain = |(name, value)| is_plain_word(name) && is_plain_word(value);
    if pair.split_once('=').is_some_and(is_plain) {
        return pair.to_owned();
    }
    format!("'{}'", pair.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form() -> Schema {
        serde_json::from_value(json!({"type": "object", "properties": {
            "attack": {"type": "boolean"},
            "hosts": {"type": "array", "items": {"type": "string", "format": "host"}},
            "note": {"type": "string", "optional": true},
            "seen": {"type": "string", "format": "date-time", "optional": true},
            "state": {"enum": ["it's isolated", "open"]},
            "times": {"type": "integer", "minimum": 2.0, "default": 3},
        }}))
        .unwrap()
    }

    #[test]
    fn the_fields_of_a_form_are_said_in_words() {
        assert_eq!(
            fields(&form()),
            [
                "attack (true or false)",
                "hosts (a list)",
                "note (a text, may be left out)",
                "seen (a text like 2026-11-23T03:00:00+01:00, may be left out)",
                "state (it's isolated or open)",
                "times (a whole number, may be left out)",
            ]
        );
    }

    #[test]
    fn the_example_of_a_form_fits_it() {
        let call = example(&form());
        assert_eq!(call, r"--form attack=true --form hosts=pc-1 --form 'state=it'\''s isolated'");
        let pairs = ["attack=true", "hosts=pc-1", "state=it's isolated"].map(str::to_owned);
        let mut value = values::read(&pairs, &form()).unwrap();
        form().fill(&mut value);
        assert_eq!(form().problems(&value), []);
    }
}
