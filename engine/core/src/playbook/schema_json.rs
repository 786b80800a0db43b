//! The JSON Schema (2020-12) of a playbook, for editors.
//!
//! An editor finds misspelt keys and offers the right ones with it; what needs understanding
//! (names, types, reachability) only `check` finds. A test holds it against the same examples.

use serde_json::{Map, Value, json};

use super::codes::Code;
use crate::model::{Catalogue, Role, Tlp};

/// The schema, with the actions of a catalogue.
pub fn playbook_schema(catalogue: &Catalogue) -> Value {
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Beistand playbook, language version 1",
        "type": "object",
        "required": ["playbook", "language", "steps"],
        "additionalProperties": false,
        "properties": {
            "playbook": name("The playbook's name"),
            "language": { "const": 1 },
            "title": text("For people"),
            "tlp": { "enum": Tlp::ALL.iter().map(|tlp| tlp.as_str()).collect::<Vec<_>>() },
            "references": { "type": "array", "items": { "type": "string" } },
            "inputs": reference("fields"),
            "slots": {
                "type": "object",
                "propertyNames": reference("id"),
                "additionalProperties": {
                    "type": "object",
                    "required": ["capability"],
                    "additionalProperties": false,
                    "properties": {
                        "capability": { "enum": crate::model::capabilities(catalogue) },
                        "optional": { "type": "boolean" },
                    },
                },
            },
            "steps": reference("steps"),
            "on_failure": reference("steps"),
            "always": reference("steps"),
            "outputs": {
                "type": "object",
                "propertyNames": reference("id"),
                "additionalProperties": reference("expression"),
            },
        },
        "$defs": definitions(catalogue),
    })
}

fn reference(name: &str) -> Value {
    json!({ "$ref": format!("#/$defs/{name}") })
}

fn text(description: &str) -> Value {
    json!({ "type": "string", "description": description })
}

fn name(description: &str) -> Value {
    json!({ "type": "string", "pattern": "^[a-z][a-z0-9-]{0,62}$", "description": description })
}

/// An object with these keys and no others.
fn object(required: &[&str], properties: &Value) -> Value {
    json!({
        "type": "object",
        "required": required,
        "additionalProperties": false,
        "properties": properties,
    })
}

fn definitions(catalogue: &Catalogue) -> Value {
    let roles: Vec<&str> = Role::ALL.iter().map(|role| role.as_str()).collect();
    let actions: Vec<&str> = catalogue.iter().map(|spec| spec.name.as_str()).collect();
    let gate = json!({
        "role": reference("role"),
        "votes": { "type": "integer", "minimum": 1, "maximum": 16 },
        "within": reference("duration"),
    });
    json!({
        "id": {
            "type": "string",
            "pattern": "^[a-z][a-z0-9_]{0,62}$",
            "description": Code::BadId.sentence(),
        },
        "expression": {
            "type": ["string", "number", "boolean"],
            "description": "Rhai, without ${ }",
        },
        "duration": {
            "type": "string",
            "description": Code::BadDuration.sentence(),
            "examples": ["90s", "15m", "4h", "3d"],
        },
        "role": { "enum": roles },
        "action": { "enum": actions },
        "arguments": { "type": "object" },
        "gate": object(&["role"], &gate),
        "fields": {
            "type": "object",
            "propertyNames": reference("id"),
            "additionalProperties": reference("field"),
        },
        "field": object(&[], &field()),
        "retry": object(&[], &json!({
            "attempts": { "type": "integer", "minimum": 1, "maximum": 100, "default": 5 },
            "initial": reference("duration"),
            "factor": { "type": "number", "minimum": 1, "maximum": 10, "default": 2 },
            "max": reference("duration"),
        })),
        "steps": { "type": "array", "minItems": 1, "items": reference("step") },
        "step": step(),
    })
}

fn field() -> Value {
    json!({
        "type": { "enum": ["string", "integer", "number", "boolean", "array", "object"] },
        "title": text("Shown above the field"),
        "description": text("Shown below the field"),
        "format": {
            "enum": ["host", "address", "account", "organisation", "email", "date-time",
                     "duration", "uri", "file"],
        },
        "enum": { "type": "array", "minItems": 1 },
        "default": {},
        "optional": { "type": "boolean", "description": "May be left out without a default" },
        "sensitive": { "type": "boolean", "description": "Kept out of timelines and exports" },
        "items": reference("field"),
        "minItems": { "type": "integer", "minimum": 0 },
        "maxItems": { "type": "integer", "minimum": 0 },
        "properties": { "type": "object", "additionalProperties": reference("field") },
        "minimum": { "type": "number" },
        "maximum": { "type": "number" },
        "minLength": { "type": "integer", "minimum": 0 },
        "maxLength": { "type": "integer", "minimum": 0 },
    })
}

/// A step: its modifiers, and exactly one of the kinds.
fn step() -> Value {
    let kinds = kinds();
    let one: Vec<Value> = kinds.keys().map(|kind| json!({ "required": [kind] })).collect();
    let undo_alone = json!({
        "required": ["undo"],
        "properties": { "undo": { "type": "array", "items": { "type": "string" } } },
        "not": { "anyOf": one },
    });
    let mut exactly_one = one.clone();
    exactly_one.push(undo_alone);
    let mut properties = modifiers();
    properties.extend(kinds);
    json!({
        "type": "object",
        "required": ["id"],
        "additionalProperties": false,
        "properties": properties,
        "oneOf": exactly_one,
    })
}

/// Kinds that are no blocks.
fn plain_kinds() -> Vec<(&'static str, Value)> {
    vec![
        ("call", reference("action")),
        ("script", text("Rhai, pure, as a literal block: |")),
        (
            "task",
            object(
                &["role", "instructions"],
                &json!({
                    "role": reference("role"),
                    "instructions": text("What to do"),
                    "form": reference("fields"),
                }),
            ),
        ),
        (
            "approve",
            object(
                &["role"],
                &json!({
                    "role": reference("role"),
                    "votes": { "type": "integer", "minimum": 1, "maximum": 16 },
                    "within": reference("duration"),
                    "shows": { "anyOf": [{ "type": "string" }, { "type": "array", "items": reference("id") }] },
                }),
            ),
        ),
        (
            "wait",
            json!({ "anyOf": [
            reference("duration"),
            object(&["time"], &json!({ "time": reference("expression") })),
            object(&["signal"], &json!({
                "signal": text("The signal's name"),
                "role": reference("role"),
                "form": reference("fields"),
                "within": reference("duration"),
            })),
        ] }),
        ),
        ("playbook", name("A sub-playbook")),
        ("note", text("A line in the timeline")),
        ("fail", text("Ends the run as failed")),
        ("end", text("Ends the run as succeeded")),
    ]
}

/// Kinds that hold steps.
fn block_kinds() -> Vec<(&'static str, Value)> {
    vec![
        ("group", reference("steps")),
        (
            "parallel",
            json!({
                "type": "object",
                "minProperties": 1,
                "propertyNames": reference("id"),
                "additionalProperties": reference("steps"),
            }),
        ),
        ("for_each", reference("expression")),
        (
            "switch",
            json!({ "type": "array", "minItems": 1, "items": { "oneOf": [
            object(&["when", "steps"], &json!({
                "when": reference("expression"),
                "steps": reference("steps"),
            })),
            object(&["otherwise"], &json!({ "otherwise": reference("steps") })),
        ] } }),
        ),
        (
            "repeat",
            object(
                &["until", "max"],
                &json!({
                    "until": reference("expression"),
                    "max": { "type": "integer", "minimum": 1 },
                    "every": reference("duration"),
                }),
            ),
        ),
    ]
}

fn kinds() -> Map<String, Value> {
    let all = plain_kinds().into_iter().chain(block_kinds());
    all.map(|(kind, schema)| (kind.to_owned(), schema)).collect()
}

fn modifiers() -> Map<String, Value> {
    let list = [
        ("id", reference("id")),
        ("title", text("For people")),
        ("when", reference("expression")),
        ("approval", reference("gate")),
        ("within", reference("duration")),
        (
            "on_error",
            json!({ "anyOf": [
            { "enum": ["ask", "fail", "continue"] },
            reference("steps"),
        ] }),
        ),
        (
            "undo",
            json!({ "anyOf": [
            { "const": "none" },
            object(&["call"], &json!({ "call": reference("action"), "with": reference("arguments") })),
            reference("steps"),
            { "type": "array", "items": reference("id") },
        ] }),
        ),
        ("always", reference("steps")),
        ("with", reference("arguments")),
        ("timeout", reference("duration")),
        ("retry", reference("retry")),
        ("on_unknown", json!({ "enum": ["ask", "repeat"] })),
        ("reach", json!({ "enum": ["accepted", "effective", "verified"] })),
        ("via", reference("id")),
        ("requires", json!({ "const": "automatic" })),
        ("once_per_incident", json!({ "type": "boolean" })),
        ("as", reference("id")),
        ("max_parallel", json!({ "type": "integer", "minimum": 1, "maximum": 100_000 })),
        (
            "tolerate",
            json!({ "anyOf": [
            { "type": "integer", "minimum": 0 },
            { "type": "string", "pattern": "^[0-9]{1,3}%$" },
        ] }),
        ),
        ("steps", reference("steps")),
        ("join", json!({ "enum": ["all", "any"] })),
    ];
    list.into_iter().map(|(modifier, schema)| (modifier.to_owned(), schema)).collect()
}

#[cfg(test)]
mod tests {
    use super::super::report::Report;
    use super::super::{SourceText, yaml};
    use super::*;

    /// A reader of the part of JSON Schema that the schema above uses; patterns are left to `check`.
    fn fits(value: &Value, schema: &Value, root: &Value) -> bool {
        let all = |keyword: &str| schema[keyword].as_array().cloned().unwrap_or_default();
        let one = |schema: &Value| fits(value, schema, root);
        if let Some(name) = schema["$ref"].as_str() {
            return fits(value, &root["$defs"][name.trim_start_matches("#/$defs/")], root);
        }
        let types = match schema["type"].as_array() {
            Some(types) => Some(types.clone()),
            None => schema.get("type").map(|one| vec![one.clone()]),
        };
        let right_type = types.is_none_or(|types| types.iter().any(|ty| is_of(value, ty)));
        let fields = value.as_object().cloned().unwrap_or_default();
        let properties = schema["properties"].as_object().cloned().unwrap_or_default();
        let fields_fit = fields.iter().all(|(name, field)| {
            match (properties.get(name), &schema["additionalProperties"]) {
                (Some(property), _) => fits(field, property, root),
                (None, Value::Bool(allowed)) => *allowed,
                (None, Value::Null) => true,
                (None, other) => fits(field, other, root),
            }
        });
        let items = value.as_array().cloned().unwrap_or_default();
        right_type
            && fields_fit
            && (schema["const"].is_null() || schema["const"] == *value)
            && (schema["enum"].is_null() || all("enum").contains(value))
            && all("required").iter().all(|name| fields.contains_key(name.as_str().unwrap()))
            && (schema["items"].is_null()
                || items.iter().all(|item| fits(item, &schema["items"], root)))
            && schema["minItems"]
                .as_u64()
                .is_none_or(|min| items.len() as u64 >= min || !value.is_array())
            && (schema["anyOf"].is_null() || all("anyOf").iter().any(one))
            && (schema["oneOf"].is_null()
                || all("oneOf").iter().filter(|schema| one(schema)).count() == 1)
            && (schema["not"].is_null() || !fits(value, &schema["not"], root))
    }

    fn is_of(value: &Value, ty: &Value) -> bool {
        match ty.as_str().unwrap() {
            "object" => value.is_object(),
            "array" => value.is_array(),
            "string" => value.is_string(),
            "boolean" => value.is_boolean(),
            "integer" => value.is_i64() || value.is_u64(),
            "number" => value.is_number(),
            other => panic!("the schema has an unknown type {other}"),
        }
    }

    fn judged(text: &str) -> bool {
        let schema = playbook_schema(&Catalogue::first());
        let mut report = Report::new("x.yaml");
        let tree = yaml::read(&SourceText::new("x.yaml", text), &mut report).unwrap();
        fits(&tree.json(), &schema, &schema)
    }

    #[test]
    fn the_schema_takes_every_kind_and_refuses_misspelt_keys_and_two_kinds() {
        let whole = include_str!("../../../../tests/suites/broken/whole.yaml");
        assert!(judged(whole));
        let head = "playbook: x\nlanguage: 1\nsteps:\n";
        assert!(judged(&format!("{head}  - {{ id: back, undo: [back] }}\n")));
        for wrong in [
            "  - { id: tell, note: Hello, titel: Greeting }",
            "  - { id: tell, note: Hello, fail: Good bye }",
            "  - { id: tell, title: Greeting }",
            "  - { id: cut, call: network.isolat }",
            "  - { id: look, task: { role: comander, instructions: Look. } }",
            "  - { id: all, group: [] }",
        ] {
            assert!(!judged(&format!("{head}{wrong}\n")), "{wrong}");
        }
    }
}
