//! What is known of a value, and which types fit together.

use std::collections::BTreeMap;

use beistand_core::playbook::{Field, Type};

/// What is known of the value of an expression.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Known {
    /// Its type where it is not null.
    pub(super) ty: Type,
    /// It may be null.
    pub(super) nullable: bool,
    /// It is the output of this step, which may have been skipped.
    pub(super) skippable: Option<String>,
    /// The path of names that leads to it from the context.
    pub(super) path: Option<Vec<String>>,
}

impl Known {
    pub(super) fn of(ty: Type) -> Self {
        Self { ty, ..Self::default() }
    }

    pub(super) fn any() -> Self {
        Self::default()
    }

    pub(super) fn field(field: &Field, path: Option<Vec<String>>) -> Self {
        Self {
            ty: field.ty.clone(),
            nullable: field.nullable,
            skippable: field.skippable.clone(),
            path,
        }
    }

    pub(super) fn or_null(self) -> Self {
        Self { nullable: true, ..self }
    }
}

/// The type in words: `a text`.
pub(super) fn describe(ty: &Type) -> &'static str {
    match ty {
        Type::Any => "something",
        Type::Null => "null",
        Type::Boolean => "a boolean",
        Type::Integer => "a whole number",
        Type::Number => "a number",
        Type::String => "a text",
        Type::Array(_) => "a list",
        Type::Object(_) => "an object",
    }
}

/// Types that can be compared with each other; `None` fits everything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Family {
    Boolean,
    Number,
    Text,
    List,
    Object,
}

pub(super) fn family(ty: &Type) -> Option<Family> {
    match ty {
        Type::Any | Type::Null => None,
        Type::Boolean => Some(Family::Boolean),
        Type::Integer | Type::Number => Some(Family::Number),
        Type::String => Some(Family::Text),
        Type::Array(_) => Some(Family::List),
        Type::Object(_) => Some(Family::Object),
    }
}

/// Whether a value of one type may equal one of the other; null may be asked for everywhere.
pub(super) fn comparable(a: &Type, b: &Type) -> bool {
    match (family(a), family(b)) {
        (Some(a), Some(b)) => a == b,
        (None, _) | (_, None) => true,
    }
}

/// What a value is that is the one or the other.
pub(super) fn either(a: Known, b: Known) -> Known {
    let nullable = a.nullable || b.nullable || a.ty == Type::Null || b.ty == Type::Null;
    let ty = match (a.ty, b.ty) {
        (Type::Null, Type::Null) => Type::Null,
        (Type::Null, other) | (other, Type::Null) => other,
        (a, b) => join(a, b),
    };
    Known { ty, nullable, skippable: None, path: None }
}

fn join(a: Type, b: Type) -> Type {
    match (a, b) {
        (a, b) if a == b => a,
        (Type::Integer | Type::Number, Type::Integer | Type::Number) => Type::Number,
        (Type::Array(a), Type::Array(b)) => Type::Array(Box::new(join(*a, *b))),
        (_, _) => Type::Any,
    }
}

/// What a variable may become that starts as this: lists and objects are filled by methods.
pub(super) fn loosened(ty: &Type) -> Type {
    match ty {
        Type::Array(_) => Type::Array(Box::new(Type::Any)),
        // Null is only the beginning of something else.
        Type::Object(_) | Type::Null | Type::Any => Type::Any,
        Type::Boolean => Type::Boolean,
        Type::Integer => Type::Integer,
        Type::Number => Type::Number,
        Type::String => Type::String,
    }
}

/// An object type of parts that are always there.
pub(super) fn object<const N: usize>(fields: [(&str, Type); N]) -> Type {
    let fields = fields.map(|(name, ty)| (name.to_owned(), Field::present(ty)));
    Type::Object(BTreeMap::from(fields))
}
