//! Bodies in JSON, read exactly: what two readers could understand in two ways is refused.
//!
//! A field that nobody knows, a field that stands there twice, a number that another reader rounds:
//! each of them is a way to have one thing checked and another one done.

use std::fmt;

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use serde::de::{self, DeserializeOwned, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Number, Value};

use crate::report::Problem;

/// Largest integer that every reader of JSON keeps exact: 2^53 − 1 (RFC 7493, section 2.2).
const INTEGER_MAX: u64 = (1 << 53) - 1;

/// The body of a request, as a type of ours.
#[derive(Debug)]
pub struct Exact<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Exact<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        if !says_json(request.headers()) {
            return Err(Problem::wrong_media_type("application/json"));
        }
        let bytes = Bytes::from_request(request, state).await;
        let bytes =
            bytes.map_err(|error| Problem::malformed("the body broke off").because(&error))?;
        read(&bytes).map(Self)
    }
}

/// An answer in JSON.
#[derive(Debug)]
pub(crate) struct Sent<T>(pub(crate) T);

impl<T: Serialize> IntoResponse for Sent<T> {
    fn into_response(self) -> Response {
        match serde_json::to_vec(&self.0) {
            Ok(bytes) => ([(header::CONTENT_TYPE, "application/json")], bytes).into_response(),
            Err(error) => Problem::internal(&error).into_response(),
        }
    }
}

/// Whether a body says that it is JSON in UTF-8, and nothing that must be unpacked first.
pub(crate) fn says_json(headers: &HeaderMap) -> bool {
    let mut types = headers.get_all(header::CONTENT_TYPE).iter();
    let (Some(kind), None) = (types.next().and_then(|kind| kind.to_str().ok()), types.next())
    else {
        return false;
    };
    let mut parts = kind.split(';').map(str::trim);
    let json = parts.next().is_some_and(|kind| kind.eq_ignore_ascii_case("application/json"));
    let utf8 = |part: &str| {
        let part = part.to_ascii_lowercase();
        matches!(part.as_str(), "charset=utf-8" | "charset=\"utf-8\"")
    };
    json && parts.all(utf8) && !headers.contains_key(header::CONTENT_ENCODING)
}

/// A body as a type of ours.
///
/// # Errors
/// 400 with what is wrong and where.
pub(crate) fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    let off = |path: &serde_path_to_error::Path, error: &serde_json::Error| {
        let text = error.to_string();
        Problem::malformed(format!("the body can not be read: {text}")).place(path.to_string())
    };
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let tree: Tree = serde_path_to_error::deserialize(&mut reader)
        .map_err(|error| off(error.path(), error.inner()))?;
    reader.end().map_err(|error| Problem::malformed(format!("the body goes on: {error}")))?;
    serde_path_to_error::deserialize(tree.0).map_err(|error| off(error.path(), error.inner()))
}

/// Any JSON that has one meaning.
struct Tree(Value);

impl<'de> Deserialize<'de> for Tree {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Reader).map(Self)
    }
}

struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }
    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }
    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }
    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(text.into())
    }
    fn visit_i64<E: de::Error>(self, number: i64) -> Result<Value, E> {
        if number.unsigned_abs() > INTEGER_MAX { Err(inexact(number)) } else { Ok(number.into()) }
    }
    fn visit_u64<E: de::Error>(self, number: u64) -> Result<Value, E> {
        if number > INTEGER_MAX { Err(inexact(number)) } else { Ok(number.into()) }
    }
    fn visit_f64<E: de::Error>(self, number: f64) -> Result<Value, E> {
        // Beyond this a fraction is an integer, and perhaps another one than was written.
        #[expect(clippy::cast_precision_loss, reason = "2^53 - 1 is exact")]
        let exact = number.abs() <= INTEGER_MAX as f64;
        if !exact {
            return Err(inexact(number));
        }
        // `2.0` is the integer 2 (JSON Schema, core, section 4.2.3; RFC 8785, section 3.2.2.3).
        #[expect(clippy::cast_possible_truncation, reason = "it has no fraction and is in range")]
        let number = if number.fract() == 0.0 {
            Some((number as i64).into())
        } else {
            Number::from_f64(number)
        };
        number.map(Value::Number).ok_or_else(|| de::Error::custom("no number at all"))
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(Tree(item)) = items.next_element()? {
            list.push(item);
        }
        Ok(Value::Array(list))
    }
    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Value, A::Error> {
        let mut map = Map::new();
        while let Some(name) = fields.next_key::<String>()? {
            if map.contains_key(&name) {
                return Err(de::Error::custom(format_args!(
                    "the field `{name}` stands there twice"
                )));
            }
            let Tree(value) = fields.next_value()?;
            map.insert(name, value);
        }
        Ok(Value::Object(map))
    }
}

fn inexact<E: de::Error>(number: impl fmt::Display) -> E {
    let text = format!("the number {number} is too large to be exact; write it as a string");
    de::Error::custom(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    #[derive(Debug, Deserialize, PartialEq)]
    #[serde(deny_unknown_fields)]
    struct Form {
        name: String,
        #[serde(default)]
        rest: Value,
    }

    async fn refused(body: &str) -> Value {
        let problem = read::<Form>(body.as_bytes()).unwrap_err();
        assert_eq!(problem.status().as_u16(), 400, "{body}");
        let body = axum::body::to_bytes(problem.into_response().into_body(), 10_000).await.unwrap();
        serde_json::from_slice(&body).unwrap()
    }

    #[test]
    fn what_has_one_meaning_is_read() {
        let form: Form =
            read(b"{\"name\": \"x\", \"rest\": [9007199254740991, -1.5, null, {\"a\": true}]}")
                .unwrap();
        assert_eq!(
            form.rest,
            serde_json::json!([9_007_199_254_740_991_u64, -1.5, null, {"a": true}])
        );
    }

    #[test]
    fn a_number_without_a_fraction_is_an_integer_however_it_is_written() {
        let form: Form = read(br#"{"name": "x", "rest": [2.0, 1e3, -0.0, 0.5]}"#).unwrap();
        assert_eq!(form.rest.to_string(), "[2,1000,0,0.5]");
        assert_eq!(read::<u8>(b"4.0").unwrap(), 4);
    }

    #[tokio::test]
    async fn what_has_two_meanings_is_refused_with_its_place() {
        for (body, said, place) in [
            (r#"{"name": "x", "name": "y"}"#, "`name` stands there twice", ""),
            (r#"{"name": "x", "rest": {"a": [1, {"b": 1, "b": 2}]}}"#, "`b` stands", "rest.a[1]"),
            (r#"{"name": "x", "rest": {"n": 9007199254740993}}"#, "9007199254740993", "rest.n"),
            (r#"{"name": "x", "rest": [-9007199254740993]}"#, "too large", "rest[0]"),
            (r#"{"name": "x", "rest": [18446744073709551617]}"#, "too large", "rest[0]"),
            (r#"{"name": "x", "rest": 1e400}"#, "out of range", "rest"),
            (r#"{"name": "x", "role": "commander"}"#, "unknown field `role`", "role"),
            (r#"{"name": 1}"#, "invalid type", "name"),
            (r#"{"name": "x"} {}"#, "goes on", ""),
            (r#"{"name": "\ud800"}"#, "hex escape", "name"),
            ("", "EOF", ""),
            ("[]", "invalid", ""),
        ] {
            let told = refused(body).await;
            assert!(told["detail"].as_str().unwrap().contains(said), "{body}: {told}");
            assert_eq!(told["place"].as_str().unwrap_or_default(), place, "{body}: {told}");
        }
        let deep = format!("{{\"name\": \"x\", \"rest\": {}{}}}", "[".repeat(500), "]".repeat(500));
        assert!(refused(&deep).await["detail"].as_str().unwrap().contains("recursion"));
    }

    #[test]
    fn a_body_says_that_it_is_json_in_utf_8() {
        let said = |kinds: &[&str]| {
            let lines = kinds.iter().map(|kind| (header::CONTENT_TYPE, kind.parse().unwrap()));
            says_json(&lines.collect())
        };
        assert!(said(&["application/json"]));
        assert!(said(&["Application/JSON; charset=UTF-8"]));
        for wrong in [
            &[][..],
            &["text/plain"],
            &["application/json", "text/plain"],
            &["application/json; charset=iso-8859-1"],
            &["application/json; charset=utf-16"],
            &["application/x-www-form-urlencoded"],
            &["multipart/form-data; boundary=x"],
            &["application/jsonp"],
        ] {
            assert!(!said(wrong), "{wrong:?}");
        }
        let packed =
            [(header::CONTENT_TYPE, "application/json"), (header::CONTENT_ENCODING, "gzip")];
        assert!(!says_json(
            &packed.map(|(name, value)| (name, value.parse().unwrap())).into_iter().collect()
        ));
    }
}
