//! Names and ids: one newtype each, parsed once at the border.

use std::fmt;

use serde::{Deserialize, Serialize};
use thiserror::Error;
use uuid::Uuid;

/// Why a text is no id or name.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{text}` is no {what}: {hint}")]
pub struct IdError {
    /// What was expected, for example `run id`.
    pub what: &'static str,
    /// The text as it was given, cut to 80 characters.
    pub text: String,
    /// The shape that would have been right.
    pub hint: &'static str,
}

impl IdError {
    pub(crate) fn new(what: &'static str, text: &str, hint: &'static str) -> Self {
        Self { what, text: text.chars().take(80).collect(), hint }
    }
}

macro_rules! uuid_ids {
    ($($(#[$doc:meta])* $name:ident = $what:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(Uuid);

        impl $name {
            /// A UUIDv7 (RFC 9562 section 5.7) from milliseconds since 1970 and ten random bytes.
            pub fn new(unix_millis: u64, random: &[u8; 10]) -> Self {
                Self(uuid::Builder::from_unix_timestamp_millis(unix_millis, random).into_uuid())
            }
            /// The same of an instant; one before 1970 counts as 1970.
            pub fn at(now: super::Millis, random: &[u8; 10]) -> Self {
                Self::new(u64::try_from(now.get()).unwrap_or(0), random)
            }
            /// The sixteen bytes.
            pub fn as_bytes(&self) -> &[u8; 16] {
                self.0.as_bytes()
            }
            /// Back from sixteen bytes that a store kept.
            pub fn from_bytes(bytes: [u8; 16]) -> Self {
                Self(Uuid::from_bytes(bytes))
            }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.hyphenated().fmt(f)
            }
        }
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.hyphenated().fmt(f)
            }
        }
        impl std::str::FromStr for $name {
            type Err = IdError;
            fn from_str(text: &str) -> Result<Self, IdError> {
                Uuid::try_parse(text)
                    .map(Self)
                    .map_err(|_| IdError::new($what, text, "a UUID like 01a2b3c4-…"))
            }
        }
        impl TryFrom<String> for $name {
            type Error = IdError;
            fn try_from(text: String) -> Result<Self, IdError> { text.parse() }
        }
        impl From<$name> for String {
            fn from(id: $name) -> String { id.to_string() }
        }
    )*};
}

uuid_ids! {
    /// A run of a playbook.
    RunId = "run id";
    /// An incident. People also use its number, `SIT-2026-0007`.
    IncidentId = "incident id";
    /// Something that waits for a person.
    NeedId = "need id";
    /// A letter between peers.
    LetterId = "letter id";
    /// An entry of the journal, as the outside names it.
    EntryId = "entry id";
    /// A store; made with it, survives backup and restore.
    StoreId = "store id";
}

macro_rules! names {
    ($($(#[$doc:meta])* $name:ident = $what:literal, $valid:ident $(of $folded:ident)?, $hint:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(std::sync::Arc<str>);

        impl $name {
            /// The name as text.
            pub fn as_str(&self) -> &str { &self.0 }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { f.write_str(&self.0) }
        }
        impl std::borrow::Borrow<str> for $name {
            fn borrow(&self) -> &str { &self.0 }
        }
        impl std::str::FromStr for $name {
            type Err = IdError;
            fn from_str(text: &str) -> Result<Self, IdError> {
                $(let folded = $folded(text);
                let text = folded.as_str();)?
                if $valid(text) { Ok(Self(text.into())) } else { Err(IdError::new($what, text, $hint)) }
            }
        }
        impl TryFrom<String> for $name {
            type Error = IdError;
            fn try_from(text: String) -> Result<Self, IdError> { text.parse() }
        }
        impl From<$name> for String {
            fn from(name: $name) -> String { name.0.as_ref().to_owned() }
        }
    )*};
}

names! {
    /// A step's id, also a branch name, an input, a form field, a slot or an `as` name.
    StepId = "step id", is_word, "small letters, digits and `_`, beginning with a letter, 63 at most";
    /// A playbook's name.
    PlaybookName = "playbook name", is_dashed, "small letters, digits and `-`, beginning with a letter, 63 at most";
    /// A configured connector's name.
    ConnectorName = "connector name", is_dashed, "small letters, digits and `-`, beginning with a letter, 63 at most";
    /// A capability and what it does, `network.isolate`.
    ActionName = "action name", is_action, "two words with a dot, like `network.isolate`";
    /// A person or an account that acts, in small letters: a vote of `Anna` is a vote of `anna`.
    Person = "person", is_account of small,
        "letters of Western and Central Europe, digits, spaces and ASCII signs, 200 at most";
    /// An account: what somebody, or something, logs in with.
    AccountName = "account", is_account of small,
        "letters of Western and Central Europe, digits, spaces and ASCII signs, 200 at most";
    /// An organisation: the provider itself or one of its customers.
    Organisation = "organisation", is_line, "one line of 1 to 200 characters";
}

impl ActionName {
    /// The part before the dot, `network` of `network.isolate`.
    pub fn capability(&self) -> &str {
        self.as_str().split_once('.').map_or(self.as_str(), |(capability, _)| capability)
    }
}

/// Longest name: what a 64-byte column and a DNS label both hold.
const NAME_LENGTH_MAX: usize = 63;

fn starts_small(text: &str) -> bool {
    text.len() <= NAME_LENGTH_MAX && text.starts_with(|c: char| c.is_ascii_lowercase())
}

fn is_word(text: &str) -> bool {
    starts_small(text)
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
}

fn is_dashed(text: &str) -> bool {
    starts_small(text)
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

fn is_action(text: &str) -> bool {
    text.split_once('.').is_some_and(|(capability, action)| is_word(capability) && is_word(action))
}

fn is_line(text: &str) -> bool {
    !text.trim().is_empty()
        && text.chars().count() <= 200
        && !text.chars().any(|c| c.is_control() || is_bidi(c))
}

/// One person, one text: without the blanks around it, in small letters.
fn small(text: &str) -> String {
    text.trim().to_lowercase()
}

/// Four eyes are compared by name, so no two of them may look the same: no other alphabets, no
/// invisible characters, no marks of their own that make an `é` of an `e`.
fn is_account(text: &str) -> bool {
    let known = |c: char| match c {
        ' '..='~' => true,
        // A sign among the letters, a ligature, and what looks like an `i` or an `f`.
        '÷' | 'ı' | 'ŉ' | 'ſ' => false,
        c => matches!(c, 'ß'..='ž'),
    };
    is_line(text) && text.chars().all(known) && !text.contains("  ")
}

/// Characters that reorder what a reader sees (Unicode bidirectional controls).
fn is_bidi(c: char) -> bool {
    matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' | '\u{200E}' | '\u{200F}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_made_from_time_and_chance_is_a_version_7_uuid() {
        let id = RunId::new(1_700_000_000_000, &[7; 10]);
        assert_eq!(id.to_string(), "018bcfe5-6800-7707-8707-070707070707");
        assert_eq!(id.to_string().parse(), Ok(id));
    }

    #[test]
    fn names_hold_their_shape() {
        assert!("cut_2".parse::<StepId>().is_ok());
        for wrong in ["", "2cut", "Cut", "cut-2", "a.b", "ä", &"x".repeat(64)] {
            assert!(wrong.parse::<StepId>().is_err(), "{wrong}");
        }
        assert!("core-router".parse::<ConnectorName>().is_ok());
        assert_eq!("network.isolate".parse::<ActionName>().unwrap().capability(), "network");
    }

    #[test]
    fn a_person_has_one_name_however_it_is_written() {
        let person = |text: &str| text.parse::<Person>();
        for text in ["anna", "Anna", "ANNA", " anna ", "anna\u{a0}", "anna\t"] {
            assert_eq!(person(text).unwrap().as_str(), "anna", "{text:?}");
        }
        let read: Person = serde_json::from_str("\"Jürgen Groß\"").unwrap();
        assert_eq!(read, person("JÜRGEN GROß").unwrap());
        for text in ["a.b-c_1@stadt.example", "STADT\\anna", "rené", "łukasz"] {
            assert!(person(text).is_ok(), "{text}");
        }
        for text in [
            "",
            " ",
            "аnna",
            "anna\u{202e}",
            "an\u{200b}na",
            "an\u{ad}na",
            "rene\u{301}",
            "anna  b",
            "anna\u{a0}b",
            "an\nna",
            "ａnna",
        ] {
            assert!(person(text).is_err(), "{text:?}");
        }
    }
}
