//! The contract: what holds for every connector, run over every maker and its exchanges.

mod attacks;
mod double;
mod exchange;
mod laws;
mod mailing;
mod ssh_double;

use beistand_connector_api::{
    Call, Direction, Format, IdempotencyKey, Mode, Schema, SchemaType, Span, Value,
};
use serde_json::json;

/// A live call with a fixed key.
pub(crate) fn call(action: &str, arguments: Value) -> Call {
    Call {
        action: action.parse().unwrap(),
        direction: Direction::Do,
        key: key('a'),
        mode: Mode::Live,
        arguments,
        targets: Vec::new(),
        previous: None,
        timeout: Span::from_secs(5),
        traceparent: Some("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01".to_owned()),
    }
}

/// A key of one hexadecimal digit.
pub(crate) fn key(digit: char) -> IdempotencyKey {
    digit.to_string().repeat(32).try_into().unwrap()
}

/// A value that fits a schema, required parts only.
pub(crate) fn example(schema: &Schema) -> Value {
    if let Some(choice) = schema.choices.as_ref().and_then(|choices| choices.first()) {
        return choice.clone();
    }
    match (schema.kind, schema.format) {
        (Some(SchemaType::String), Some(Format::Email)) => json!("a@example.org"),
        (Some(SchemaType::String), Some(Format::Address)) => json!("192.0.2.7"),
        (Some(SchemaType::String), Some(Format::DateTime)) => json!("2026-11-21T03:00:00Z"),
        (Some(SchemaType::String), Some(Format::Duration)) => json!("4h"),
        (Some(SchemaType::String), _) => json!("pc-1"),
        (Some(SchemaType::Integer | SchemaType::Number), _) => json!(1),
        (Some(SchemaType::Boolean), _) => json!(true),
        (Some(SchemaType::Array), _) => {
            json!([schema.items.as_deref().map(example)])
        }
        (Some(SchemaType::Object), _) => {
            let parts = schema.properties.iter().flatten();
            let required = parts.filter(|(_, part)| part.is_required());
            required.map(|(name, part)| (name.clone(), example(part))).collect()
        }
        (None, _) => json!("x"),
    }
}
