//! Inputs and forms: the language's part of JSON Schema, with every fault placed.

use std::collections::BTreeMap;

use serde_json::Value;

use super::super::Code;
use super::super::ids::IdOf;
use super::super::report::{Report, did_you_mean};
use super::super::tree::{Entry, Meaning, Yaml};
use super::Spanned;
use super::fields::short;
use super::value::{boolean, id, place_of};
use crate::model::{Format, Schema, SchemaType, StepId};

/// The keywords there are.
pub(in crate::playbook) const KEYWORDS: &[&str] = &[
    "type",
    "title",
    "description",
    "format",
    "enum",
    "default",
    "optional",
    "sensitive",
    "items",
    "minItems",
    "maxItems",
    "properties",
    "minimum",
    "maximum",
    "minLength",
    "maxLength",
];

const TYPES: &[(&str, SchemaType)] = &[
    ("string", SchemaType::String),
    ("integer", SchemaType::Integer),
    ("number", SchemaType::Number),
    ("boolean", SchemaType::Boolean),
    ("array", SchemaType::Array),
    ("object", SchemaType::Object),
];

const FORMATS: &[(&str, Format)] = &[
    ("host", Format::Host),
    ("address", Format::Address),
    ("account", Format::Account),
    ("organisation", Format::Organisation),
    ("email", Format::Email),
    ("date-time", Format::DateTime),
    ("duration", Format::Duration),
    ("uri", Format::Uri),
    ("file", Format::File),
];

/// Named fields: the inputs of a playbook or the fields of a form.
pub(super) fn named(entry: &Entry, report: &mut Report) -> Vec<(Spanned<StepId>, Schema)> {
    let Some(entries) = entry.value.map() else {
        let message = format!("`{}` must be a mapping, is {}", entry.name(), entry.value.word());
        report.add(Code::WrongType, place_of(entry), message);
        return Vec::new();
    };
    let mut fields = Vec::new();
    for field in entries {
        let schema = schema(&field.value, report);
        if let Some(name) = id(field.name(), field.place, IdOf::Name, report) {
            fields.push((name, schema));
        }
    }
    fields
}

/// A form: an object schema with these fields and no others.
pub(in crate::playbook) fn form(fields: &[(Spanned<StepId>, Schema)]) -> Schema {
    Schema::object(fields.iter().map(|(name, schema)| (name.value.as_str(), schema.clone())))
}

fn schema(yaml: &Yaml, report: &mut Report) -> Schema {
    let mut schema = Schema::default();
    let Some(entries) = yaml.map() else {
        let message = format!(
            "a field is described by a mapping like `{{ type: string }}`, this is {}",
            yaml.word()
        );
        report.add(Code::BadSchema, yaml.place, message);
        return schema;
    };
    for entry in entries {
        keyword(&mut schema, entry, report);
    }
    if let (Some(_), Some(kind)) = (schema.format, schema.kind)
        && kind != SchemaType::String
    {
        report.add(Code::BadSchema, yaml.place, "`format` is for texts (`type: string`)");
    }
    if let Some(default) = yaml.get("default") {
        let judged = Schema { default: None, ..schema.clone() };
        for problem in judged.problems(&default.json()) {
            let at =
                if problem.at.is_empty() { String::new() } else { format!(" `{}`", problem.at) };
            let message = format!("the default{at} {}", problem.message);
            report.add(Code::BadDefault, default.place, message);
        }
    }
    schema
}

fn keyword(schema: &mut Schema, entry: &Entry, report: &mut Report) {
    match entry.name() {
        "type" => schema.kind = choice(entry, TYPES, report),
        "format" => schema.format = choice(entry, FORMATS, report),
        "title" => schema.title = label(entry, report),
        "description" => schema.description = label(entry, report),
        "enum" => schema.choices = choices(entry, report),
        "default" => schema.default = Some(entry.value.json()),
        "optional" => schema.optional = boolean(entry, report).unwrap_or_default(),
        "sensitive" => schema.sensitive = boolean(entry, report).unwrap_or_default(),
        "items" => schema.items = Some(Box::new(self::schema(&entry.value, report))),
        "properties" => schema.properties = properties(entry, report),
        "minItems" => schema.min_items = count(entry, report),
        "maxItems" => schema.max_items = count(entry, report),
        "minLength" => schema.min_length = count(entry, report),
        "maxLength" => schema.max_length = count(entry, report),
        "minimum" => schema.minimum = number(entry, report),
        "maximum" => schema.maximum = number(entry, report),
        other => {
            let hint = did_you_mean(other, KEYWORDS.iter().copied()).or_else(|| {
                (other == "required").then(|| {
                    "a field without `default` is required unless it has `optional: true`"
                        .to_owned()
                })
            });
            let message = format!("`{}` is no keyword for inputs and forms", short(other));
            report.add_with(Code::BadSchema, entry.place, message, hint);
        }
    }
}

fn wrong(entry: &Entry, expected: &str, report: &mut Report) {
    let message = format!("`{}` must be {expected}, is {}", entry.name(), entry.value.word());
    report.add(Code::BadSchema, place_of(entry), message);
}

fn choice<T: Copy>(entry: &Entry, words: &[(&str, T)], report: &mut Report) -> Option<T> {
    let Some(written) = entry.value.text().map(super::super::tree::Text::as_str) else {
        wrong(entry, "a word", report);
        return None;
    };
    let found = words.iter().find(|(word, _)| *word == written).map(|(_, value)| *value);
    if found.is_none() {
        let all: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
        let hint = did_you_mean(written, all.iter().copied())
            .unwrap_or_else(|| format!("one of: {}", all.join(", ")));
        let message = format!("`{}` can not be `{}`", entry.name(), short(written));
        report.hint(Code::BadSchema, entry.value.place, message, hint);
    }
    found
}

fn label(entry: &Entry, report: &mut Report) -> Option<String> {
    let found = entry.value.text().map(|text| text.as_str().to_owned());
    if found.is_none() {
        wrong(entry, "a text", report);
    }
    found
}

fn choices(entry: &Entry, report: &mut Report) -> Option<Vec<Value>> {
    let found = entry.value.list().filter(|items| !items.is_empty());
    if found.is_none() {
        wrong(entry, "a list with at least one value", report);
    }
    Some(found?.iter().map(Yaml::json).collect())
}

fn properties(entry: &Entry, report: &mut Report) -> Option<BTreeMap<String, Schema>> {
    let Some(entries) = entry.value.map() else {
        wrong(entry, "a mapping", report);
        return None;
    };
    Some(
        entries
            .iter()
            .map(|entry| (entry.name().to_owned(), schema(&entry.value, report)))
            .collect(),
    )
}

fn count(entry: &Entry, report: &mut Report) -> Option<u64> {
    let found = number(entry, report)?;
    let whole = entry.value.json().as_u64();
    if whole.is_none() {
        let message = format!("`{}` must be a whole number, is {found}", entry.name());
        report.add(Code::BadSchema, entry.value.place, message);
    }
    whole
}

fn number(entry: &Entry, report: &mut Report) -> Option<f64> {
    match entry.value.scalar().map(|scalar| &scalar.meaning) {
        Some(Meaning::Number(number)) => number.as_f64(),
        Some(Meaning::Null | Meaning::Boolean(_) | Meaning::Text) | None => {
            wrong(entry, "a number", report);
            None
        }
    }
}
