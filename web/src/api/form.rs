//! What bodies and queries are made of: texts with a length, words of our vocabularies, names, times.
//!
//! Each is a type of the core, read once, here at the border, and says in OpenAPI exactly what it
//! takes. It decides nothing.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use beistand_core::incident::AssetState;
use beistand_core::model::{
    self, ActionName, Digest, LineId, Millis, Mode, NeedCode, Organisation, Path, Person,
    PlaybookName, Role, Severity, TargetKind, TimeError, Tlp,
};
use beistand_core::run::{AnswerKind, Proof, RunStatus};
use beistand_core::timeline::{Lane, Lang, Persons, Zone};
use serde::{Deserialize, Serialize};
use utoipa::openapi::schema::{KnownFormat, ObjectBuilder, Schema, SchemaFormat, Type};
use utoipa::openapi::{Object, RefOr};
use utoipa::{PartialSchema, ToSchema};

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

pub(crate) use named;

macro_rules! texts {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Deserialize, Serialize)]
        #[serde(transparent)]
        pub(crate) struct $name(pub(crate) model::$name);
        named!($name, text(model::$name::PATTERN, model::$name::CHARS_MAX));

        impl From<$name> for String {
            fn from(text: $name) -> Self {
                text.0.into()
            }
        }
    )*};
}

texts! {
    /// What an incident is called.
    Title;
    /// What something of yours is called, for you.
    Label;
    /// Why: a sentence for the timeline.
    Reason;
    /// What somebody writes down.
    NoteText;
    /// What a file is called, wherever it came from: it names nothing here.
    FileName;
    /// The name or address of something that an incident is about.
    AssetName;
    /// What is looked for.
    Sought;
    /// A key or a name that a caller chose: who says it again means the same.
    ChosenKey;
}

macro_rules! vocabularies {
    ($($(#[$doc:meta])* $name:ident of $inner:ty;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, Deserialize, Serialize)]
        #[serde(transparent)]
        pub(crate) struct $name(pub(crate) $inner);
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
    /// What can be answered to a need.
    AnswerWord of AnswerKind;
    /// A run's status.
    StatusWord of RunStatus;
    /// A language of sentences.
    LangWord of Lang;
    /// Whether an export says who.
    PersonsWord of Persons;
}

/// 1 disruption to 4 crisis.
#[derive(Debug, Clone, Copy, Deserialize, Serialize)]
#[serde(transparent)]
pub(crate) struct Grade(pub(crate) Severity);
named!(Grade, {
    let grade = ObjectBuilder::new().schema_type(Type::Integer);
    grade.minimum(Some(1)).maximum(Some(4)).build()
});

macro_rules! parsed {
    ($($(#[$doc:meta])* $name:ident of $inner:ty, $schema:expr;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Deserialize, Serialize)]
        #[serde(try_from = "String", into = "String")]
        pub(crate) struct $name(pub(crate) $inner);

        impl TryFrom<String> for $name {
            type Error = <$inner as FromStr>::Err;
            fn try_from(text: String) -> Result<Self, Self::Error> {
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

/// Steps by their ids, each of a loop with the number of its item.
const STEP_PATH: &str =
    r"^[a-z][a-z0-9_]{0,62}(\[[0-9]{1,18}\])?(/[a-z][a-z0-9_]{0,62}(\[[0-9]{1,18}\])?)*$";

/// An entry's id and, behind a dot, the number of the event in it where that is not the first.
const LINE_ID: &str =
    r"^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}([.]([2-9]|[1-9][0-9]{1,3}))?$";

parsed! {
    /// A person's name, in small letters.
    PersonName of Person, text(model::Title::PATTERN, 200);
    /// An organisation's name.
    OrganisationName of Organisation, text(model::Title::PATTERN, 200);
    /// A capability and what it does, `network.isolate`.
    Action of ActionName, text("^[a-z][a-z0-9_]{0,62}[.][a-z][a-z0-9_]{0,62}$", 127);
    /// A playbook's name.
    PlaybookId of PlaybookName, text("^[a-z][a-z0-9-]{0,62}$", 63);
    /// A step by its place in the run: `attacked/contain[1]/cut`.
    StepPath of Path, {
        ObjectBuilder::new().schema_type(Type::String).pattern(Some(STEP_PATH)).build()
    };
    /// A line of a timeline, as `line` there says.
    Line of LineId, text(LINE_ID, 42);
    /// A time zone of the IANA database.
    ZoneNamed of Zone, text("^[A-Za-z0-9_+/-]{1,40}$", 40);
    /// The code of a printed sheet, however it is grouped.
    SheetCode of NeedCode, {
        ObjectBuilder::new().schema_type(Type::String).max_length(Some(40)).build()
    };
    /// A SHA-256 in hex.
    Sha256 of Digest, text("^(sha256:)?[0-9a-fA-F]{64}$", 71);
}

/// An instant, RFC 3339 with an offset.
#[derive(Debug, Clone, Copy, Deserialize, Serialize)]
#[serde(try_from = "String", into = "String")]
pub(crate) struct Instant(pub(crate) Millis);
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

/// A place in the story of an incident.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(try_from = "u32")]
pub(super) struct Place(u32);

/// A story with more entries is the timeline itself.
const PLACES_MAX: u32 = 10_000;

impl TryFrom<u32> for Place {
    type Error = String;
    fn try_from(place: u32) -> Result<Self, String> {
        match place {
            1..=PLACES_MAX => Ok(Self(place)),
            _ => Err(format!("a story has places from 1 to {PLACES_MAX}")),
        }
    }
}

impl From<Place> for u32 {
    fn from(place: Place) -> Self {
        place.0
    }
}

named!(Place, {
    let number = ObjectBuilder::new().schema_type(Type::Integer);
    number.minimum(Some(1)).maximum(Some(PLACES_MAX)).build()
});

/// `true`, where saying it is the whole of what is asked.
#[derive(Debug, Clone, Copy, Deserialize, Serialize)]
#[serde(try_from = "bool", into = "bool")]
pub(crate) struct Yes;
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
        let title = |text: &str| serde_json::from_value::<Title>(text.into()).map(String::from);
        assert_eq!(title(" Nacht ").unwrap(), "Nacht");
        let RefOr::T(Schema::Object(said)) = Title::schema() else { panic!("it is described") };
        assert_eq!((said.min_length, said.max_length), (Some(1), Some(300)));
        assert!(title(&"x".repeat(300)).is_ok() && title(&"x".repeat(301)).is_err());
    }

    #[test]
    fn only_yes_is_yes() {
        assert!(serde_json::from_str::<Yes>("true").is_ok());
        for wrong in ["false", "1", "\"true\"", "null"] {
            assert!(serde_json::from_str::<Yes>(wrong).is_err(), "{wrong}");
        }
    }
}
