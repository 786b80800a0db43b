//! Canonical bytes and digests: what can not be changed later.
//!
//! Values are digested over their RFC 8785 form with a purpose tag in front, so a digest made for
//! one purpose is worthless for another.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use thiserror::Error;

use super::IdError;

/// A SHA-256 digest. As text it is `sha256:` and 64 hex digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Digest([u8; 32]);

/// A value that has no one canonical form.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("the number {0} is too large to be exact; write it as a string")]
pub struct NotCanonical(pub String);

/// Largest integer that RFC 8785 keeps exact: 2^53 − 1 (RFC 7493 section 2.2).
const INTEGER_MAX: u64 = (1 << 53) - 1;

impl Digest {
    /// What stands before the first entry of a chain.
    pub const ZERO: Self = Self([0; 32]);

    /// From 32 bytes.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }
    /// The 32 bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
    /// 64 hex digits, without a prefix.
    pub fn hex(&self) -> String {
        let mut digits = String::with_capacity(64);
        for byte in self.0 {
            for half in [byte >> 4, byte & 15] {
                digits.push(char::from(if half < 10 { b'0' + half } else { b'a' - 10 + half }));
            }
        }
        digits
    }
    /// Back from 64 hex digits.
    pub fn from_hex(text: &str) -> Result<Self, IdError> {
        let mut bytes = [0; 32];
        hex::decode_to_slice(text, &mut bytes).map_err(|_| IdError {
            what: "digest",
            text: text.chars().take(80).collect(),
            hint: "64 hex digits",
        })?;
        Ok(Self(bytes))
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "sha256:{}", self.hex())
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::str::FromStr for Digest {
    type Err = IdError;
    fn from_str(text: &str) -> Result<Self, IdError> {
        Self::from_hex(text.strip_prefix("sha256:").unwrap_or(text))
    }
}

impl TryFrom<String> for Digest {
    type Error = IdError;
    fn try_from(text: String) -> Result<Self, IdError> {
        text.parse()
    }
}

impl From<Digest> for String {
    fn from(digest: Digest) -> String {
        digest.to_string()
    }
}

/// The RFC 8785 bytes of a value.
///
/// # Errors
/// [`NotCanonical`] for integers outside ±(2^53−1): RFC 8785 would round 9007199254740993 to …992,
/// and two different effects would get one digest.
pub fn canonical(value: &Value) -> Result<Vec<u8>, NotCanonical> {
    exact(value)?;
    serde_json_canonicalizer::to_vec(value).map_err(|error| NotCanonical(error.to_string()))
}

/// Whether every number in a value has one canonical form.
///
/// # Errors
/// [`NotCanonical`] names the first that has none.
pub fn exact(value: &Value) -> Result<(), NotCanonical> {
    match value {
        Value::Null | Value::Bool(_) | Value::String(_) => Ok(()),
        Value::Number(number) => {
            let within = match (number.as_i64(), number.as_u64()) {
                (Some(integer), _) => integer.unsigned_abs() <= INTEGER_MAX,
                (None, Some(integer)) => integer <= INTEGER_MAX,
                (None, None) => number.as_f64().is_some_and(f64::is_finite),
            };
            if within { Ok(()) } else { Err(NotCanonical(number.to_string())) }
        }
        Value::Array(items) => items.iter().try_for_each(exact),
        Value::Object(fields) => fields.values().try_for_each(exact),
    }
}

/// SHA-256 over `beistand/<purpose>/1\n` and the canonical bytes of `value`.
///
/// Digests of several parts take one JSON array of the parts: texts and ids as strings, numbers as
/// numbers, digests as 64 hex digits.
pub fn digest_of(purpose: &str, value: &Value) -> Result<Digest, NotCanonical> {
    Ok(digest_of_canonical(purpose, &canonical(value)?))
}

/// The same over bytes that are the canonical form already.
pub(crate) fn digest_of_canonical(purpose: &str, bytes: &[u8]) -> Digest {
    let mut hash = Sha256::new();
    hash.update(b"beistand/");
    hash.update(purpose.as_bytes());
    hash.update(b"/1\n");
    hash.update(bytes);
    Digest(hash.finalize().into())
}

/// An integer in its canonical form.
///
/// # Errors
/// [`NotCanonical`] outside ±(2^53−1).
pub(crate) fn canonical_integer(integer: i64) -> Result<i64, NotCanonical> {
    let exact = integer.unsigned_abs() <= INTEGER_MAX;
    if exact { Ok(integer) } else { Err(NotCanonical(integer.to_string())) }
}

/// SHA-256 over bytes as they are: sources, blobs, journal heads.
pub fn digest_of_bytes(bytes: &[u8]) -> Digest {
    Digest(Sha256::digest(bytes).into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn canonical_bytes_follow_rfc_8785() {
        let value = json!({"b": 1.0, "a": [true, null, "é\n"], "\u{20ac}": 1e21});
        let bytes = canonical(&value).unwrap();
        assert_eq!(
            String::from_utf8(bytes).unwrap(),
            "{\"a\":[true,null,\"é\\n\"],\"b\":1,\"€\":1e+21}"
        );
    }

    #[test]
    fn integers_that_would_be_rounded_are_refused() {
        assert!(canonical(&json!(9_007_199_254_740_991_i64)).is_ok());
        assert!(canonical(&json!(9_007_199_254_740_993_i64)).is_err());
        assert!(canonical(&json!({"deep": [-9_007_199_254_740_992_i64]})).is_err());
        assert!(canonical(&json!(u64::MAX)).is_err());
    }

    #[test]
    fn a_digest_made_for_one_purpose_is_not_that_of_another() {
        let value = json!(["x"]);
        assert_ne!(digest_of("plan", &value), digest_of("effect", &value));
        assert_eq!(
            digest_of("plan", &value).unwrap().to_string().parse(),
            digest_of("plan", &value).map_err(|_| unreachable!())
        );
    }
}
