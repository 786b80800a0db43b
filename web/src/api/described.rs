//! What is sent is what OpenAPI says of it: every answer that a test here gets is held against the
//! description of its route, field by field, and what is not described is not sent.
//!
//! It knows as much of JSON Schema as the description uses. What depends on patterns and formats is
//! tried from outside, by schemathesis.

use std::sync::OnceLock;

use serde_json::Value;

/// Holds an answer against the description of its route.
pub(super) fn hold(method: &str, path: &str, (status, body): (u16, &Value)) {
    let document = document();
    let path = path.split('?').next().unwrap();
    let Some(operation) = operation(document, method, path) else {
        assert!(matches!(status, 404 | 405), "{method} {path}: {status}");
        return;
    };
    let responses = &operation["responses"];
    let own = responses.get(status.to_string());
    assert!(status >= 400 || own.is_some(), "{method} {path}: {status} is not described");
    let response = own.or_else(|| responses.get("default")).unwrap();
    let content = response["content"].as_object().and_then(|kinds| {
        kinds.iter().find(|(kind, _)| kind.contains("json")).map(|(_, content)| content)
    });
    match content {
        Some(content) => {
            let schema = content.get("schema").unwrap_or(&Value::Bool(true));
            let faults = Faults::of(document, schema, body);
            assert!(faults.is_empty(), "{method} {path} {status}: {faults:?} in {body}");
        }
        None => assert!(body.is_null(), "{method} {path} {status} has no body: {body}"),
    }
}

fn document() -> &'static Value {
    static DOCUMENT: OnceLock<Value> = OnceLock::new();
    DOCUMENT.get_or_init(|| serde_json::to_value(super::table().openapi()).unwrap())
}

/// The description of a method of a path.
fn operation<'a>(document: &'a Value, method: &str, path: &str) -> Option<&'a Value> {
    let parts: Vec<&str> = path.split('/').collect();
    let fits = |template: &str| {
        let template: Vec<&str> = template.split('/').collect();
        let same = |(one, other): (&&str, &&str)| one == other || one.starts_with('{');
        template.len() == parts.len() && template.iter().zip(&parts).all(same)
    };
    let paths = document["paths"].as_object().unwrap();
    // A path that is written out goes before one with parameters.
    let found = paths.get(path).or_else(|| {
        paths.iter().find(|(template, _)| fits(template)).map(|(_, operations)| operations)
    });
    found?.get(method.to_lowercase())
}

/// Where a value is not as its schema says.
struct Faults<'a> {
    document: &'a Value,
    found: Vec<String>,
}

impl<'a> Faults<'a> {
    fn of(document: &'a Value, schema: &'a Value, value: &Value) -> Vec<String> {
        let mut faults = Self { document, found: Vec::new() };
        faults.look(schema, value, "");
        let mut known = Vec::new();
        let open = faults.fields(schema, &mut known);
        if let (false, Some(fields)) = (open, value.as_object()) {
            let unknown = fields.keys().filter(|name| !known.contains(&name.as_str()));
            faults.found.extend(unknown.map(|name| format!("`{name}` is not described")));
        }
        faults.found
    }

    fn resolved(&self, schema: &'a Value) -> &'a Value {
        let Some(place) = schema["$ref"].as_str() else { return schema };
        self.document.pointer(place.strip_prefix('#').unwrap()).unwrap()
    }

    /// The fields that a schema names; whether there may be others.
    fn fields(&self, schema: &'a Value, known: &mut Vec<&'a str>) -> bool {
        let schema = self.resolved(schema);
        let parts = schema["allOf"].as_array().into_iter().flatten();
        let named = schema["properties"].as_object();
        known.extend(named.into_iter().flatten().map(|(name, _)| name.as_str()));
        let mut parts = parts.map(|part| self.fields(part, known)).collect::<Vec<_>>();
        parts.extend(named.map(|_| false));
        let additional = &schema["additionalProperties"];
        parts.iter().all(|open| *open) || additional.is_object() || *additional == true
    }

    fn look(&mut self, schema: &'a Value, value: &Value, at: &str) {
        let schema = self.resolved(schema);
        for part in schema["allOf"].as_array().into_iter().flatten() {
            self.look(part, value, at);
        }
        if let Some(all) = schema["oneOf"].as_array() {
            let fit = all.iter().filter(|one| Self::of(self.document, one, value).is_empty());
            if fit.count() == 0 {
                self.found.push(format!("{at}: {value} is none of {}", schema["oneOf"]));
            }
        }
        let kind = match value {
            Value::Null => "null",
            Value::Bool(_) => "boolean",
            Value::Number(number) if number.is_f64() => "number",
            Value::Number(_) => "integer",
            Value::String(_) => "string",
            Value::Array(_) => "array",
            Value::Object(_) => "object",
        };
        let fits = |word: &str| word == kind || (word == "number" && kind == "integer");
        let typed = match (schema["type"].as_str(), schema["type"].as_array()) {
            (Some(word), _) => fits(word),
            (None, Some(words)) => words.iter().filter_map(Value::as_str).any(fits),
            (None, None) => true,
        };
        let worded = schema["enum"].as_array().is_none_or(|words| words.contains(value));
        if !typed || !worded {
            self.found.push(format!("{at}: {value} is not as in {schema}"));
        }
        if let Some(fields) = value.as_object() {
            self.look_into(schema, fields, at);
        }
        for item in value.as_array().into_iter().flatten() {
            let items = schema.get("items").unwrap_or(&Value::Bool(true));
            let found = Self::of(self.document, items, item);
            self.found.extend(found.into_iter().map(|fault| format!("{at}[] {fault}")));
        }
    }

    fn look_into(&mut self, schema: &'a Value, fields: &serde_json::Map<String, Value>, at: &str) {
        for name in schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
            if !fields.contains_key(name) {
                self.found.push(format!("{at}: `{name}` is missing"));
            }
        }
        for (name, field) in schema["properties"].as_object().into_iter().flatten() {
            let Some(value) = fields.get(name) else { continue };
            let found = Self::of(self.document, field, value);
            self.found.extend(found.into_iter().map(|fault| format!("{at}.{name} {fault}")));
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_sent_and_not_described_is_found_and_the_other_way_round() {
        let document = json!({"components": {"schemas": {
            "Row": {"type": "object", "required": ["id"], "properties": {
                "id": {"type": "string"}, "of": {"type": ["string", "null"]}}},
            "Whole": {"allOf": [
                {"$ref": "#/components/schemas/Row"},
                {"type": "object", "required": ["rows"], "properties": {"rows": {
                    "type": "array", "items": {"$ref": "#/components/schemas/Row"}}}}]}}}});
        let schema = json!({"$ref": "#/components/schemas/Whole"});
        let count = |value: Value| Faults::of(&document, &schema, &value).len();
        assert_eq!(count(json!({"id": "1", "of": null, "rows": [{"id": "2"}]})), 0);
        for wrong in [
            json!({"rows": []}),
            json!({"id": 1, "rows": []}),
            json!({"id": "1"}),
            json!({"id": "1", "rows": [], "more": 1}),
            json!({"id": "1", "rows": [{"id": "2", "more": 1}]}),
            json!({"id": "1", "rows": [{}]}),
            json!({"id": "1", "rows": [null]}),
        ] {
            assert_eq!(count(wrong.clone()), 1, "{wrong}");
        }
    }
}
