//! The interface describes itself, from the same table that it is served from.

use std::sync::OnceLock;

use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;

use crate::report::Problem;

/// The description of this interface, OpenAPI 3.1.
#[utoipa::path(
    get, path = "/api/v1/openapi.json", tag = "about",
    responses((status = 200, description = "OpenAPI 3.1", content_type = "application/json"))
)]
pub(super) async fn openapi() -> Result<impl IntoResponse, Problem> {
    // It is the same for the life of the program.
    static TEXT: OnceLock<Result<String, serde_json::Error>> = OnceLock::new();
    let text = TEXT.get_or_init(|| super::table().openapi().to_json());
    let text = text.as_deref().map_err(|error| Problem::internal(error))?;
    Ok(([(CONTENT_TYPE, "application/json")], text))
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    /// Every reference below a value.
    fn references<'a>(value: &'a Value, found: &mut Vec<&'a str>) {
        match value {
            Value::Object(fields) => {
                found.extend(fields.get("$ref").and_then(Value::as_str));
                for field in fields.values() {
                    references(field, found);
                }
            }
            Value::Array(items) => {
                for item in items {
                    references(item, found);
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }

    #[test]
    fn the_description_refers_to_nothing_that_is_not_in_it() {
        let text = crate::api::table().openapi().to_json().unwrap();
        let document: Value = serde_json::from_str(&text).unwrap();
        let mut found = Vec::new();
        references(&document, &mut found);
        assert!(found.len() > 40, "{found:?}");
        for reference in found {
            let place = reference.strip_prefix('#').unwrap();
            assert!(document.pointer(place).is_some(), "there is no {reference}");
        }
    }

    #[test]
    fn what_is_answered_as_json_is_not_described_as_a_text() {
        let text = crate::api::table().openapi().to_json().unwrap();
        let document: Value = serde_json::from_str(&text).unwrap();
        let paths = document.get("paths").and_then(Value::as_object).unwrap();
        let methods = paths.values().filter_map(Value::as_object).flat_map(|path| path.values());
        let answers = methods.filter_map(|method| method.get("responses")?.as_object());
        let kinds = answers.flat_map(|answers| answers.values());
        let kinds = kinds.filter_map(|answer| answer.get("content")?.as_object()).flatten();
        let json = kinds.filter(|(kind, _)| {
            let kind = kind.split(';').next().unwrap_or_default();
            kind.ends_with("/json") || kind.ends_with("+json")
        });
        let described: Vec<_> = json.map(|(kind, content)| (kind, &content["schema"])).collect();
        assert!(described.iter().any(|(kind, _)| kind.starts_with("application/stix+json")));
        for (kind, schema) in described {
            assert_ne!(schema.get("type"), Some(&Value::from("string")), "{kind}");
        }
    }
}
