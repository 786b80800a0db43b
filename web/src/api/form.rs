//! What bodies and queries are made of: texts with a length, words of our vocabularies, names, times.
//!
//! Each is read once, at the border, and says in OpenAPI exactly what it takes. It decides nothing.

use std::borrow::Cow;
use std::fmt;

use beistand_core::incident::AssetState;
use beistand_core::model::{
    ActionName, Digest, IdError, Millis, Mode, Organisation, Person, Role, Severity, TargetKind,
    TimeError, Tlp,
};
use beistand_core::run::Proof;
use beistand_core::timeline::Lane;
use serde::{Deserialize, Serialize};
use thiserror::Error;
use utoipa::openapi::schema::{KnownFormat, ObjectBuilder, Schema, SchemaFormat, Type};
use utoipa::openapi::{Object, RefOr};
use utoipa::{PartialSchema, ToSchema};

/// A text that may have several lines: everything but NUL, which no database takes.
const PROSE: &str = r"^[^\x00]+$";

/// A text of one line with something in it.
const LINE: &str = r"^[^\x00-\x1f\x7f-\x9f]*[^\x00-\x20\x7f-\xa0][^\x00-\x1f\x7f-\x9f]*$";

fn text(pattern: &str, chars_max: usize) -> Object {
    ObjectBuilder::new()
        .schema_type(Type::String)
        .min_length(Some(1))
        .max_length(Some(chars_max))
        .pattern(Some(pattern))
        .build()
}

fn formatted(format: SchemaFormat) -> Object {
    ObjectBuilder::new().schema_type(Type::String).format(Some(format)).build()
}

/// Why a text is not taken.
#[derive(Debug, Error)]
pub(crate) enum Unfit {
    #[error("it is empty")]
    Empty,
    #[error("it has more than {0} characters")]
    Long(usize),
    #[error("it is one line without control characters")]
    Lines,
    #[error("it has a NUL in it")]
    Nul,
}

fn prose(text: String, chars_max: usize) -> Result<String, Unfit> {
    match &text {
        text if text.is_empty() => Err(Unfit::Empty),
        text if text.chars().count() > chars_max => Err(Unfit::Long(chars_max)),
        text if text.contains('\0') => Err(Unfit::Nul),
        _ => Ok(text),
    }
}

fn line(text: String, chars_max: usize) -> Result<String, Unfit> {
    let text = prose(text, chars_max)?;
    match text.trim() {
        "" => Err(Unfit::Empty),
        _ if text.chars().any(char::is_control) => Err(Unfit::Lines),
        trimmed => Ok(trimmed.to_owned()),
    }
}

/// Newtypes with a schema of their own.
macro_rules! named {
    ($name:ident, $schema:expr) => {
        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                RefOr::T(Schema::Object($schema))
            }
        }
        impl ToSchema for $name {
            fn name() -> Cow<'static, str> {
                Cow::Borrowed(stringify!($name))
            }
        }
    };
}

macro_rules! texts {
    ($($(#[$doc:meta])* $name:ident: $read:ident, $pattern:ident, $chars_max:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Deserialize, Serialize)]
        #[serde(try_from = "String", into = "String")]
        pub(super) struct $name(pub(super) String);

        impl TryFrom<String> for $name {
            type Error = Unfit;
            fn try_from(text: String) -> Result<Self, Unfit> {
                $read(text, $chars_max).map(Self)
            }
        }
        impl From<$name> for String {
            fn from(text: $name) -> Self {
                text.0
            }
        }
        named!($name, text($pattern, $chars_max));
    )*};
}

texts! {
    /// What an incident is called.
    Title: line, LINE, 300;
    /// What somebody writes down.
    NoteText: prose, PROSE, 20_000;
    /// Why.
    Why: prose, PROSE, 4_000;
    /// What a file is called, wherever it came from: it names nothing here.
    FileName: prose, PROSE, 1_000;
    /// The name or address of something that an incident is about.
    AssetName: line, LINE, 300;
    /// What is looked for.
    Sought: prose, PROSE, 200;
}

macro_rules! vocabularies {
    ($($(#[$doc:meta])* $name:ident of $inner:ty;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, Deserialize, Serialize)]
        #[serde(transparent)]
        pub(super) struct $name(pub(super) $inner);
        named!($name, {
            let words = <$inner>::ALL.iter().map(|one| one.as_str());
            ObjectBuilder::new().schema_type(Type::String).enum_values(Some(words)).build()
        });
    )*};
}

vocabularies! {
    /// Real or not.
    ModeWord of Mode;
    /// Who may read it (TLP 2.0).
    TlpWord of Tlp;
    /// What a person does in an incident.
    RoleWord of Role;
    /// What kind of thing.
    KindWord of TargetKind;
    /// How an asset stands.
    AssetWord of AssetState;
    /// Which kind of doing.
    LaneWord of Lane;
    /// How somebody proved who they are.
    ProofWord of Proof;
}

/// 1 disruption to 4 crisis.
#[derive(Debug, Clone, Copy, Deserialize, Serialize)]
#[serde(transparent)]
pub(super) struct Grade(pub(super) Severity);
named!(Grade, {
    let grade = ObjectBuilder::new().schema_type(Type::Integer);
    grade.minimum(Some(1)).maximum(Some(4)).build()
});

macro_rules! parsed {
    ($($(#[$doc:meta])* $name:ident of $inner:ty, $schema:expr;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Deserialize, Serialize)]
        #[serde(try_from = "String", into = "String")]
        pub(super) struct $name(pub(super) $inner);

        impl TryFrom<String> for $name {
            type Error = IdError;
            fn try_from(text: String) -> Result<Self, IdError> {
                text.parse().map(Self)
            }
        }
        impl From<$name> for String {
            fn from(name: $name) -> Self {
                name.0.to_string()
            }
        }
        named!($name, $schema);
    )*};
}

parsed! {
    /// A person's name, in small letters.
    PersonName of Person, text(LINE, 200);
    /// An organisation's name.
    OrganisationName of Organisation, text(LINE, 200);
    /// A capability and what it does, `network.isolate`.
    Action of ActionName, text("^[a-z][a-z0-9_]{0,62}[.][a-z][a-z0-9_]{0,62}$", 127);
    /// A SHA-256 in hex.
    Sha256 of Digest, text("^(sha256:)?[0-9a-fA-F]{64}$", 71);
}

/// An instant, RFC 3339 with an offset.
#[derive(Debug, Clone, Copy, Deserialize, Serialize)]
#[serde(try_from = "String", into = "String")]
pub(super) struct Instant(pub(super) Millis);
named!(Instant, formatted(SchemaFormat::KnownFormat(KnownFormat::DateTime)));

impl TryFrom<String> for Instant {
    type Error = TimeError;
    fn try_from(text: String) -> Result<Self, TimeError> {
        Millis::parse(&text).map(Self)
    }
}

impl From<Instant> for String {
    fn from(at: Instant) -> Self {
        at.0.to_string()
    }
}

/// `true`, where saying it is the whole of what is asked.
#[derive(Debug, Clone, Copy, Deserialize, Serialize)]
#[serde(try_from = "bool", into = "bool")]
pub(super) struct Yes;
named!(Yes, ObjectBuilder::new().schema_type(Type::Boolean).enum_values(Some([true])).build());

/// `false` asks for nothing.
#[derive(Debug)]
pub(crate) struct No;

impl fmt::Display for No {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("only `true` asks for something")
    }
}

impl TryFrom<bool> for Yes {
    type Error = No;
    fn try_from(said: bool) -> Result<Self, No> {
        if said { Ok(Self) } else { Err(No) }
    }
}

impl From<Yes> for bool {
    fn from(_: Yes) -> Self {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_what_its_schema_says() {
        let title = |text: &str| serde_json::from_value::<Title>(text.into()).map(|one| one.0);
        assert_eq!(title(" Nacht ").unwrap(), "Nacht");
        for hostile in ["${7*7}", "{{7*7}}", "$(id)", "'; DROP TABLE run; --", "=1+1"] {
            assert_eq!(title(hostile).unwrap(), hostile);
        }
        for wrong in ["", "  ", "a\nb", "a\0b", "\u{85}", &"x".repeat(301)] {
            assert!(title(wrong).is_err(), "{wrong:?}");
        }
        let note = |text: &str| serde_json::from_value::<NoteText>(text.into());
        assert!(note("a\nb").is_ok() && note("a\0b").is_err() && note("").is_err());
    }

    #[test]
    fn only_yes_is_yes() {
        assert!(serde_json::from_str::<Yes>("true").is_ok());
        for wrong in ["false", "1", "\"true\"", "null"] {
            assert!(serde_json::from_str::<Yes>(wrong).is_err(), "{wrong}");
        }
    }
}
