//! What a plain scalar of YAML means: text, number, boolean or nothing.

use serde_json::Number;

use super::tree::Meaning;

/// Largest magnitude that JSON keeps exact (RFC 7493 section 2.2).
const NUMBER_MAX: f64 = 9_007_199_254_740_991.0;

/// What a plain scalar means in the core schema of YAML 1.2 (section 10.3.2), as `serde_yaml` reads
/// it; nothing for a number that JSON does not keep exact.
pub(super) fn meaning(text: &str) -> Option<Meaning> {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let boolean = |value| Some(Meaning::Boolean(value));
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Some(Meaning::Null),
        "true" | "True" | "TRUE" => return boolean(true),
        "false" | "False" | "FALSE" => return boolean(false),
        _ => {}
    }
    if matches!(unsigned, ".inf" | ".Inf" | ".INF") || matches!(text, ".nan" | ".NaN" | ".NAN") {
        return None;
    }
    // `012` is a text: it would be ten to some readers and twelve to others.
    let leading_zero = unsigned.len() > 1 && unsigned.starts_with('0');
    if unsigned.starts_with(['+', '-'])
        || (leading_zero && unsigned.bytes().all(|byte| byte.is_ascii_digit()))
    {
        return Some(Meaning::Text);
    }
    let radix = [("0x", 16), ("0o", 8), ("0b", 2)].into_iter().find_map(|(prefix, radix)| {
        let digits = unsigned.strip_prefix(prefix)?;
        let valid = !digits.is_empty() && digits.chars().all(|c| c.is_digit(radix));
        valid.then(|| i128::from_str_radix(digits, radix).ok())
    });
    let whole = match radix {
        Some(number) => Some(number),
        None if !unsigned.is_empty() && unsigned.bytes().all(|byte| byte.is_ascii_digit()) => {
            Some(unsigned.parse::<i128>().ok())
        }
        None => None,
    };
    if let Some(number) = whole {
        let signed = if text.starts_with('-') { number.map(|number| -number) } else { number };
        let exact = signed.and_then(|number| i64::try_from(number).ok());
        return exact
            .filter(|number| number.unsigned_abs() < 1 << 53)
            .map(|number| Meaning::Number(number.into()));
    }
    match unsigned.parse::<f64>() {
        Ok(_) if unsigned.starts_with(|c: char| c.is_ascii_alphabetic()) => Some(Meaning::Text),
        Ok(number) => {
            let signed = if text.starts_with('-') { -number } else { number };
            let exact = Number::from_f64(signed).filter(|_| number <= NUMBER_MAX);
            exact.map(Meaning::Number)
        }
        Err(_) => Some(Meaning::Text),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn scalars_are_read_by_yaml_1_2_and_not_by_guessing() {
        for text in
            ["on", "yes", "no", "off", "y", "012", "1_000", "1:30", "0x", "-", "+-1", "inf", "nan"]
        {
            assert_eq!(meaning(text), Some(Meaning::Text), "{text}");
        }
        for (text, number) in [
            ("12", json!(12)),
            ("-7", json!(-7)),
            ("+5", json!(5)),
            ("0x1F", json!(31)),
            ("0o17", json!(15)),
            ("1.5", json!(1.5)),
            ("-2e3", json!(-2000.0)),
            ("9007199254740991", json!(9_007_199_254_740_991_u64)),
        ] {
            let serde_json::Value::Number(number) = number else { unreachable!() };
            assert_eq!(meaning(text), Some(Meaning::Number(number)), "{text}");
        }
        for text in ["9007199254740992", "-9007199254740993", "1e300", ".inf", "-.inf", ".nan"] {
            assert_eq!(meaning(text), None, "{text}");
        }
        assert_eq!(meaning("~"), Some(Meaning::Null));
        assert_eq!(meaning("True"), Some(Meaning::Boolean(true)));
    }
}
