//! The part of JSON Schema (2020-12) that inputs, forms, arguments and outputs are written in.
//!
//! One shape serves the file format, the check of values and the static types of expressions.
//! Keywords outside this list are refused by the file format, not ignored.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Millis, Span};

/// The `type` keyword.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SchemaType {
    /// Text.
    String,
    /// A whole number.
    Integer,
    /// Any number.
    Number,
    /// Yes or no.
    Boolean,
    /// A list.
    Array,
    /// Named values.
    Object,
}

/// The `format` keyword: what a text stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Format {
    /// A host, by name or address.
    Host,
    /// An IP address or range.
    Address,
    /// An account's name.
    Account,
    /// An organisation.
    Organisation,
    /// A mail address.
    Email,
    /// RFC 3339 with an offset.
    DateTime,
    /// `90s`, `15m`, `4h`, `3d`.
    Duration,
    /// An absolute URI.
    Uri,
    /// A file's name in the evidence store.
    File,
}

/// A schema: what a value may be.
///
/// A property without `default` is required unless `optional` is true.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Schema {
    /// What kind of value; absent means any.
    #[serde(rename = "type", default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<SchemaType>,
    /// Shown to people above the field.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Shown to people below the field.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// What a text stands for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub format: Option<Format>,
    /// The only values allowed.
    #[serde(rename = "enum", default, skip_serializing_if = "Option::is_none")]
    pub choices: Option<Vec<Value>>,
    /// What stands there when nothing is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<Value>,
    /// Whether it may be left out without a default.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub optional: bool,
    /// Kept out of timelines and exports.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub sensitive: bool,
    /// What the elements of a list are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub items: Option<Box<Schema>>,
    /// Fewest elements.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_items: Option<u64>,
    /// Most elements.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_items: Option<u64>,
    /// Named parts; others are refused. Absent on an object: any names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub properties: Option<BTreeMap<String, Schema>>,
    /// Smallest number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub minimum: Option<f64>,
    /// Largest number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub maximum: Option<f64>,
    /// Shortest text, in characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_length: Option<u64>,
    /// Longest text, in characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_length: Option<u64>,
}

/// One thing that is wrong with a value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// Where in the value: `hosts[2]`, empty for the value itself.
    pub at: String,
    /// A sentence without a full stop.
    pub message: String,
}

impl Schema {
    /// A text.
    pub fn string() -> Self {
        Self { kind: Some(SchemaType::String), ..Self::default() }
    }
    /// A text with a meaning.
    pub fn format(format: Format) -> Self {
        Self { format: Some(format), ..Self::string() }
    }
    /// A value of one type.
    pub fn of(kind: SchemaType) -> Self {
        Self { kind: Some(kind), ..Self::default() }
    }
    /// A list.
    pub fn array(items: Self) -> Self {
        Self { items: Some(Box::new(items)), ..Self::of(SchemaType::Array) }
    }
    /// An object with these parts and no others.
    pub fn object<'a>(properties: impl IntoIterator<Item = (&'a str, Self)>) -> Self {
        let properties = properties.into_iter().map(|(name, schema)| (name.to_owned(), schema));
        Self { properties: Some(properties.collect()), ..Self::of(SchemaType::Object) }
    }
    /// One of these texts.
    pub fn one_of(choices: &[&str]) -> Self {
        Self {
            choices: Some(choices.iter().map(|choice| Value::from(*choice)).collect()),
            ..Self::string()
        }
    }
    /// The same, but it may be left out.
    #[must_use]
    pub fn optional(self) -> Self {
        Self { optional: true, ..self }
    }
    /// The same with a title.
    #[must_use]
    pub fn titled(self, title: &str) -> Self {
        Self { title: Some(title.to_owned()), ..self }
    }
    /// Whether a value must be given.
    pub fn is_required(&self) -> bool {
        !self.optional && self.default.is_none()
    }

    /// Fills in defaults of absent properties, one level deep and below.
    pub fn fill(&self, value: &mut Value) {
        match (value, &self.properties, &self.items) {
            (Value::Object(fields), Some(properties), _) => {
                for (name, schema) in properties {
                    match (fields.get_mut(name), &schema.default) {
                        (Some(field), _) => schema.fill(field),
                        (None, Some(default)) => {
                            fields.insert(name.clone(), default.clone());
                        }
                        (None, None) => {}
                    }
                }
            }
            (Value::Array(items), _, Some(schema)) => {
                for item in items {
                    schema.fill(item);
                }
            }
            _ => {}
        }
    }

    /// Everything that is wrong with `value`; empty when it fits.
    pub fn problems(&self, value: &Value) -> Vec<Problem> {
        let mut problems = Vec::new();
        self.look(value, "", &mut problems);
        problems
    }

    fn look(&self, value: &Value, at: &str, problems: &mut Vec<Problem>) {
        let mut wrong = |message: String| problems.push(Problem { at: at.to_owned(), message });
        if let Some(choices) = &self.choices
            && !choices.contains(value)
        {
            let list: Vec<String> = choices.iter().map(ToString::to_string).collect();
            wrong(format!("must be one of {}", list.join(", ")));
            return;
        }
        match (self.kind, value) {
            (None | Some(SchemaType::Boolean), Value::Bool(_)) | (None, Value::Null) => {}
            (None | Some(SchemaType::String), Value::String(text)) => {
                self.text(text).into_iter().for_each(wrong);
            }
            (None | Some(SchemaType::Number), Value::Number(number)) => {
                self.number(number.as_f64().unwrap_or(f64::NAN)).into_iter().for_each(wrong);
            }
            (Some(SchemaType::Integer), Value::Number(number))
                if number.is_i64() || number.is_u64() =>
            {
                self.number(number.as_f64().unwrap_or(f64::NAN)).into_iter().for_each(wrong);
            }
            (None | Some(SchemaType::Array), Value::Array(items)) => {
                self.list(items, at, problems);
            }
            (None | Some(SchemaType::Object), Value::Object(fields)) => {
                self.fields(fields, at, problems);
            }
            (Some(kind), _) => wrong(format!("must be {}, is {}", kind.word(), word_of(value))),
        }
    }

    fn text(&self, text: &str) -> Option<String> {
        let length = text.chars().count() as u64;
        if self.min_length.is_some_and(|min| length < min) {
            return Some(format!("must have at least {} characters", self.min_length.unwrap_or(0)));
        }
        if self.max_length.is_some_and(|max| length > max) {
            return Some(format!("must have at most {} characters", self.max_length.unwrap_or(0)));
        }
        self.format.and_then(|format| format.problem(text))
    }

    #[expect(clippy::cast_precision_loss, reason = "bounds of numbers are written by people")]
    fn number(&self, number: f64) -> Option<String> {
        if number.abs() > ((1_u64 << 53) - 1) as f64 {
            return Some("is too large to be exact; write it as a string".to_owned());
        }
        if let Some(minimum) = self.minimum.filter(|minimum| number < *minimum) {
            return Some(format!("must be at least {minimum}"));
        }
        self.maximum
            .filter(|maximum| number > *maximum)
            .map(|maximum| format!("must be at most {maximum}"))
    }

    fn list(&self, items: &[Value], at: &str, problems: &mut Vec<Problem>) {
        let count = items.len() as u64;
        if let Some(min) = self.min_items.filter(|min| count < *min) {
            problems.push(Problem { at: at.to_owned(), message: format!("needs at least {min}") });
        }
        if let Some(max) = self.max_items.filter(|max| count > *max) {
            problems
                .push(Problem { at: at.to_owned(), message: format!("may have at most {max}") });
        }
        if let Some(schema) = &self.items {
            for (index, item) in items.iter().enumerate() {
                schema.look(item, &format!("{at}[{index}]"), problems);
            }
        }
    }

    fn fields(
        &self,
        fields: &serde_json::Map<String, Value>,
        at: &str,
        problems: &mut Vec<Problem>,
    ) {
        let Some(properties) = &self.properties else { return };
        let below =
            |name: &str| if at.is_empty() { name.to_owned() } else { format!("{at}.{name}") };
        for (name, schema) in properties {
            match fields.get(name) {
                Some(Value::Null) if !schema.is_required() => {}
                Some(value) => schema.look(value, &below(name), problems),
                None if schema.is_required() => {
                    problems.push(Problem { at: below(name), message: "is missing".to_owned() });
                }
                None => {}
            }
        }
        for name in fields.keys().filter(|name| !properties.contains_key(*name)) {
            let known: Vec<&str> = properties.keys().map(String::as_str).collect();
            let message = format!("is not known here; there are: {}", known.join(", "));
            problems.push(Problem { at: below(name), message });
        }
    }
}

impl SchemaType {
    /// The type with its article, for sentences.
    pub const fn word(self) -> &'static str {
        match self {
            Self::String => "a text",
            Self::Integer => "a whole number",
            Self::Number => "a number",
            Self::Boolean => "true or false",
            Self::Array => "a list",
            Self::Object => "an object",
        }
    }
}

fn word_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

impl Format {
    /// What is wrong with `text`, as the end of a sentence that begins with its name.
    pub fn problem(self, text: &str) -> Option<String> {
        let fits = match self {
            Self::Host => is_host(text),
            Self::Address => {
                text.parse::<std::net::IpAddr>().is_ok() || text.parse::<ipnet::IpNet>().is_ok()
            }
            Self::Account | Self::Organisation => is_line(text),
            Self::Email => is_email(text),
            Self::DateTime => Millis::parse(text).is_ok(),
            Self::Duration => Span::parse(text).is_ok(),
            Self::Uri => is_uri(text),
            Self::File => is_line(text) && !text.contains(['/', '\\']) && text != "..",
        };
        if fits { None } else { Some(format!("must be {}, is `{}`", self.word(), cut(text))) }
    }

    /// What it is, with an example.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Host => "a host name or address like pc-17 or 192.0.2.7",
            Self::Address => "an address or range like 192.0.2.7 or 192.0.2.0/24",
            Self::Account => "an account name",
            Self::Organisation => "an organisation's name",
            Self::Email => "a mail address like anna@example.org",
            Self::DateTime => "a time with offset like 2026-11-21T03:00:00+01:00",
            Self::Duration => "a duration like 90s, 15m, 4h or 3d",
            Self::Uri => "a URI like https://example.org/",
            Self::File => "a file name without folders",
        }
    }
}

fn cut(text: &str) -> String {
    text.chars().take(60).collect()
}

fn is_line(text: &str) -> bool {
    !text.trim().is_empty() && text.len() <= 512 && !text.chars().any(char::is_control)
}

/// A name of RFC 1123 section 2.1 (underscores as Windows allows them), or an address.
fn is_host(text: &str) -> bool {
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    text.parse::<std::net::IpAddr>().is_ok()
        || (text.len() <= 253 && text.trim_end_matches('.').split('.').all(label))
}

fn is_email(text: &str) -> bool {
    text.split_once('@').is_some_and(|(local, domain)| {
        !local.is_empty()
            && local.len() <= 64
            && !local.chars().any(|c| c.is_whitespace() || c.is_control() || "<>,;\"".contains(c))
            && is_host(domain)
    })
}

fn is_uri(text: &str) -> bool {
    text.split_once(':').is_some_and(|(scheme, rest)| {
        scheme.starts_with(|c: char| c.is_ascii_alphabetic())
            && scheme.bytes().all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b))
            && !rest.is_empty()
            && !text.chars().any(|c| c.is_whitespace() || c.is_control())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn form() -> Schema {
        Schema::object([
            ("hosts", Schema { min_items: Some(1), ..Schema::array(Schema::format(Format::Host)) }),
            ("contact", Schema { default: Some(json!("a@b.de")), ..Schema::format(Format::Email) }),
            ("count", Schema { minimum: Some(1.0), ..Schema::of(SchemaType::Integer) }.optional()),
        ])
    }

    #[test]
    fn every_fault_of_a_value_is_named_with_its_place() {
        let found = form().problems(&json!({"hosts": ["pc 1"], "count": 0, "x": 1}));
        let places: Vec<&str> = found.iter().map(|problem| problem.at.as_str()).collect();
        assert_eq!(places, ["count", "hosts[0]", "x"]);
    }

    #[test]
    fn defaults_are_filled_in_and_optional_fields_stay_away() {
        let mut value = json!({"hosts": ["pc-1"]});
        form().fill(&mut value);
        assert_eq!(value, json!({"hosts": ["pc-1"], "contact": "a@b.de"}));
        assert_eq!(form().problems(&value), []);
    }

    #[test]
    fn formats_know_right_from_wrong() {
        for (format, right, wrong) in [
            (Format::Host, "pc-17.example", "pc 17"),
            (Format::Address, "192.0.2.0/24", "192.0.2"),
            (Format::Email, "anna@example.org", "anna<x>@example.org"),
            (Format::Uri, "https://example.org/", "example.org"),
            (Format::File, "note.txt", "../../etc/x"),
            (Format::Duration, "4h", "4"),
        ] {
            assert_eq!(format.problem(right), None);
            assert!(format.problem(wrong).is_some(), "{wrong}");
        }
    }
}
