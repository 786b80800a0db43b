//! Parts of lists: which one is asked for, and how it is sent.
//!
//! Where a part begins is opaque here: the views made it, and read it.

use std::borrow::Cow;

use beistand_runtime::{Listed, ViewPage};
use serde::Deserialize;
use serde_json::{Value, json};
use thiserror::Error;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};
use utoipa::{PartialSchema, ToSchema};

use super::form::named;

/// `next` of the part before.
#[derive(Debug, Deserialize)]
#[serde(transparent)]
pub(super) struct Cursor(String);

named!(Cursor, {
    let text = ObjectBuilder::new().schema_type(Type::String);
    text.pattern(Some("^[A-Za-z0-9_-]{1,512}$")).build()
});

/// How many rows a part has at the most.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(try_from = "u32")]
pub(super) struct Limit(u32);

impl Limit {
    /// The most rows that can be asked for; each run of a list is folded.
    pub(super) const MOST: Self = Self(500);
}

impl Default for Limit {
    /// Where nothing else is asked for.
    fn default() -> Self {
        Self(100)
    }
}

/// More or fewer rows than a part can have.
#[derive(Debug, Error)]
#[error("a part of a list has 1 to {} rows", Limit::MOST.0)]
pub(super) struct Beyond;

impl TryFrom<u32> for Limit {
    type Error = Beyond;
    fn try_from(rows: u32) -> Result<Self, Beyond> {
        if (1..=Self::MOST.0).contains(&rows) { Ok(Self(rows)) } else { Err(Beyond) }
    }
}

named!(Limit, {
    let number = ObjectBuilder::new().schema_type(Type::Integer);
    number.minimum(Some(1)).maximum(Some(Limit::MOST.0)).build()
});

/// The part that is asked for.
pub(super) fn part(cursor: Option<Cursor>, Limit(limit): Limit) -> ViewPage {
    ViewPage { cursor: cursor.map(|Cursor(text)| text), limit }
}

/// A part of a list as it is sent.
pub(super) fn listed(Listed { items, next }: Listed) -> Value {
    json!({"items": Value::Array(items), "next": next})
}
