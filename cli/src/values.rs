//! `k=v`, `k:=JSON`, `k=@file`: values as people type them, read by the schema of `k`.

use beistand_core::model::{Schema, SchemaType};
use serde_json::{Map, Value};

use crate::exit::{Failure, Outcome};

/// Reads pairs into an object; a key that stands twice makes a list.
pub(crate) fn read(pairs: &[String], schema: &Schema) -> Outcome<Value> {
    let mut object = Map::new();
    for pair in pairs {
        let (key, value) = one(pair, schema)?;
        match object.get_mut(&key) {
            Some(Value::Array(items)) => {
                if let Value::Array(more) = value {
                    items.extend(more);
                } else {
                    items.push(value);
                }
            }
            Some(_) => {
                return Err(Failure::usage(format!("`{key}` is given twice and is no list")));
            }
            None => {
                object.insert(key, value);
            }
        }
    }
    Ok(Value::Object(object))
}

/// The items of a file: a line each, empty ones left out.
pub(crate) fn lines(file: &str) -> Outcome<Vec<String>> {
    let text = std::fs::read_to_string(file)
        .map_err(|error| Failure::usage(format!("could not read `{file}`: {error}")))?;
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    Ok(lines.map(str::to_owned).collect())
}

fn one(pair: &str, schema: &Schema) -> Outcome<(String, Value)> {
    let wrong =
        || Failure::usage(format!("`{pair}` is no value: write key=value, key:=JSON or key=@file"));
    let (left, right) = pair.split_once('=').ok_or_else(wrong)?;
    let (key, json) = match left.strip_suffix(':') {
        Some(key) => (key, true),
        None => (left, false),
    };
    if key.is_empty() {
        return Err(wrong());
    }
    let own = schema.properties.as_ref().and_then(|properties| properties.get(key));
    if json {
        let value = serde_json::from_str(right)
            .map_err(|error| Failure::usage(format!("`{key}` is no JSON: {error}")))?;
        return Ok((key.to_owned(), value));
    }
    if let Some(file) = right.strip_prefix('@') {
        let lines = lines(file)?;
        let items = own.and_then(|own| own.items.as_deref());
        let values: Result<Vec<Value>, Failure> =
            lines.iter().map(|line| typed(key, line, items)).collect();
        return Ok((key.to_owned(), Value::Array(values?)));
    }
    let value = match own.map(|own| own.kind) {
        Some(Some(SchemaType::Array)) => {
            Value::Array(vec![typed(key, right, own.and_then(|own| own.items.as_deref()))?])
        }
        _ => typed(key, right, own)?,
    };
    Ok((key.to_owned(), value))
}

fn typed(key: &str, text: &str, schema: Option<&Schema>) -> Outcome<Value> {
    let wrong = |what: &str| Failure::usage(format!("`{key}` must be {what}, is `{text}`"));
    match schema.and_then(|schema| schema.kind) {
        None | Some(SchemaType::String) => Ok(Value::from(text)),
        Some(SchemaType::Boolean) => match text {
            "true" | "yes" | "ja" => Ok(Value::Bool(true)),
            "false" | "no" | "nein" => Ok(Value::Bool(false)),
            _ => Err(wrong("true or false")),
        },
        Some(SchemaType::Integer) => {
            text.parse::<i64>().map(Value::from).map_err(|_| wrong("a whole number"))
        }
        Some(SchemaType::Number) => {
            text.parse::<f64>().map(Value::from).map_err(|_| wrong("a number"))
        }
        Some(kind @ (SchemaType::Array | SchemaType::Object)) => serde_json::from_str(text)
            .map_err(|_| wrong(&format!("{} as JSON ({key}:=…)", kind.word()))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use beistand_core::model::Format;
    use serde_json::json;

    fn schema() -> Schema {
        Schema::object([
            ("hosts", Schema::array(Schema::format(Format::Host))),
            ("attack", Schema::of(SchemaType::Boolean)),
            ("count", Schema::of(SchemaType::Integer)),
            ("note", Schema::string()),
        ])
    }

    #[test]
    fn values_are_read_by_the_schema_of_their_key() {
        let pairs =
            ["hosts=pc-1", "hosts=pc-2", "attack=true", "count=3", "note=a=b", "extra:=[1]"];
        let read = read(&pairs.map(str::to_owned), &schema()).unwrap();
        let wanted = json!({"hosts": ["pc-1", "pc-2"], "attack": true, "count": 3, "note": "a=b", "extra": [1]});
        assert_eq!(read, wanted);
    }

    #[test]
    fn what_does_not_fit_is_said_with_the_key() {
        for (pair, part) in [("attack=maybe", "attack"), ("count=x", "count"), ("x", "key=value")] {
            let failure = read(&[pair.to_owned()], &schema()).unwrap_err();
            assert!(failure.message.contains(part), "{}", failure.message);
        }
    }
}
