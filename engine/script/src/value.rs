//! JSON into Rhai's values and back. Nothing is lost in silence: what has no exact form on the
//! other side is refused in words.

use rhai::{Dynamic, FLOAT, INT, ImmutableString, Map};
use serde_json::{Number, Value};

use crate::limits::{self, TEXT_BYTES_MAX, VALUE_DEPTH_MAX};

/// The largest whole number that every JSON reader takes as it is: 2^53 − 1.
pub(crate) const INTEGER_MAX: INT = (1 << 53) - 1;

/// Why a value has no form on the other side: a sentence without a full stop.
pub(crate) type Refusal = String;

/// A JSON value for a script. `null` is `()`.
pub(crate) fn to_dynamic(value: &Value) -> Result<Dynamic, Refusal> {
    into(value, 0)
}

fn into(value: &Value, depth: usize) -> Result<Dynamic, Refusal> {
    Ok(match value {
        Value::Null => Dynamic::UNIT,
        Value::Bool(flag) => (*flag).into(),
        Value::Number(number) => number_into(number)?,
        Value::String(text) if text.len() > TEXT_BYTES_MAX => {
            return Err(format!(
                "a text has {} bytes, at most {TEXT_BYTES_MAX} are allowed",
                text.len()
            ));
        }
        Value::String(text) => ImmutableString::from(text.as_str()).into(),
        Value::Array(items) => {
            enter(depth)?;
            let mut list = rhai::Array::with_capacity(items.len());
            for item in items {
                list.push(into(item, depth + 1)?);
            }
            Dynamic::from_array(list)
        }
        Value::Object(fields) => {
            enter(depth)?;
            let mut map = Map::new();
            for (name, field) in fields {
                map.insert(name.as_str().into(), into(field, depth + 1)?);
            }
            Dynamic::from_map(map)
        }
    })
}

/// Before each list or object: values nest and weigh only so much.
fn enter(depth: usize) -> Result<(), Refusal> {
    if depth >= VALUE_DEPTH_MAX {
        return Err(format!("the value nests deeper than {VALUE_DEPTH_MAX} levels"));
    }
    if limits::memory_is_short() {
        return Err("the values that it reads are too large for a script".to_owned());
    }
    Ok(())
}

fn number_into(number: &Number) -> Result<Dynamic, Refusal> {
    if let Some(integer) = number.as_i64() {
        return exact(integer).map(Into::into);
    }
    if number.is_u64() {
        return Err(inexact(number));
    }
    match number.as_f64() {
        Some(float) if float.is_finite() => Ok(float.into()),
        Some(_) | None => Err(inexact(number)),
    }
}

fn exact(integer: INT) -> Result<INT, Refusal> {
    if (-INTEGER_MAX..=INTEGER_MAX).contains(&integer) {
        Ok(integer)
    } else {
        Err(inexact(&integer))
    }
}

fn inexact(number: &impl std::fmt::Display) -> Refusal {
    format!(
        "the number {number} has no exact form in JSON; whole numbers go to {INTEGER_MAX}, \
         longer ones are texts"
    )
}

/// A script's value as JSON. `()` is `null`.
pub(crate) fn from_dynamic(value: Dynamic) -> Result<Value, Refusal> {
    from(value, 0)
}

fn from(value: Dynamic, depth: usize) -> Result<Value, Refusal> {
    // Captured variables are shared; what they hold is the value.
    let value = value.flatten();
    if value.is_unit() {
        return Ok(Value::Null);
    }
    if let Ok(flag) = value.as_bool() {
        return Ok(Value::Bool(flag));
    }
    if let Ok(integer) = value.as_int() {
        return Ok(Value::Number(exact(integer)?.into()));
    }
    if let Ok(float) = value.as_float() {
        return float_from(float);
    }
    if value.is_string() {
        return Ok(Value::String(value.into_string().unwrap_or_default()));
    }
    if value.is_array() {
        enter(depth)?;
        let items = value.into_array().unwrap_or_default();
        return items.into_iter().map(|item| from(item, depth + 1)).collect();
    }
    if value.is_map() {
        enter(depth)?;
        let fields = value.try_cast::<Map>().unwrap_or_default();
        return fields
            .into_iter()
            .map(|(name, field)| Ok((String::from(name.as_str()), from(field, depth + 1)?)))
            .collect::<Result<serde_json::Map<String, Value>, Refusal>>()
            .map(Value::Object);
    }
    Err(foreign(&value))
}

fn float_from(float: FLOAT) -> Result<Value, Refusal> {
    Number::from_f64(float)
        .map(Value::Number)
        .ok_or_else(|| format!("{float} is no number that JSON can hold"))
}

fn foreign(value: &Dynamic) -> Refusal {
    let (what, way_out) = if value.is_char() {
        ("a single character", "make it a text with `to_string()`")
    } else if value.is_fnptr() {
        ("a function", "call it and give its result")
    } else if value.is_blob() {
        ("raw bytes", "give a text")
    } else {
        (value.type_name(), "give texts, numbers, booleans, lists or objects")
    };
    format!("{what} is no value that a step can give; {way_out}")
}

/// What kind of thing a value is, in words: `a text`.
pub(crate) fn describe(value: &Dynamic) -> &'static str {
    if value.is_unit() {
        "null"
    } else if value.is_bool() {
        "a boolean"
    } else if value.is_int() {
        "a whole number"
    } else if value.is_float() {
        "a number"
    } else if value.is_string() {
        "a text"
    } else if value.is_char() {
        "a character"
    } else if value.is_array() {
        "a list"
    } else if value.is_map() {
        "an object"
    } else if value.is_fnptr() {
        "a function"
    } else {
        value.type_name()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            (-INTEGER_MAX..=INTEGER_MAX).prop_map(Value::from),
            any::<f64>().prop_filter("finite", |float| float.is_finite()).prop_map(Value::from),
            ".{0,40}".prop_map(Value::from),
        ];
        leaf.prop_recursive(6, 64, 8, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..8).prop_map(Value::from),
                prop::collection::btree_map(".{0,30}", inner, 0..8)
                    .prop_map(|fields| Value::Object(fields.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn json_survives_the_way_through_a_script(value in any_json()) {
            let there = to_dynamic(&value).unwrap();
            prop_assert_eq!(from_dynamic(there).unwrap(), value);
        }
    }

    #[test]
    fn what_would_be_lost_is_refused() {
        for number in [json!(INTEGER_MAX + 1), json!(-INTEGER_MAX - 1), json!(u64::MAX)] {
            assert!(to_dynamic(&number).unwrap_err().contains("no exact form"), "{number}");
        }
        assert!(from_dynamic((INTEGER_MAX + 1).into()).unwrap_err().contains("no exact form"));
        for float in [f64::NAN, f64::INFINITY] {
            assert!(from_dynamic(float.into()).unwrap_err().contains("no number"), "{float}");
        }
        assert!(from_dynamic('x'.into()).unwrap_err().contains("single character"));
        assert!(from_dynamic(Dynamic::from_blob(vec![1])).unwrap_err().contains("raw bytes"));
        let function = rhai::FnPtr::new("f").unwrap();
        assert!(from_dynamic(function.into()).unwrap_err().contains("a function"));
    }

    #[test]
    fn values_nest_only_so_deep() {
        let nested = |levels| (0..levels).fold(json!(1), |inner, _| json!([inner]));
        assert!(to_dynamic(&nested(VALUE_DEPTH_MAX)).is_ok());
        assert!(to_dynamic(&nested(VALUE_DEPTH_MAX + 1)).unwrap_err().contains("deeper"));
    }
}
