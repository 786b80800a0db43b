//! Static types of values, made from schemas and compared with them.

use std::collections::BTreeMap;

use super::super::{Field, Type};
use crate::model::{Schema, SchemaType};

/// An object type whose parts are all there.
pub(super) fn object<const N: usize>(fields: [(&str, Type); N]) -> Type {
    let fields = fields.map(|(name, ty)| (name.to_owned(), Field::present(ty)));
    Type::Object(fields.into_iter().collect())
}

/// The type of the values that a schema allows.
pub(super) fn type_of(schema: &Schema) -> Type {
    match schema.kind {
        None => Type::Any,
        Some(SchemaType::String) => Type::String,
        Some(SchemaType::Integer) => Type::Integer,
        Some(SchemaType::Number) => Type::Number,
        Some(SchemaType::Boolean) => Type::Boolean,
        Some(SchemaType::Array) => {
            Type::Array(Box::new(schema.items.as_deref().map_or(Type::Any, type_of)))
        }
        Some(SchemaType::Object) => schema.properties.as_ref().map_or(Type::Any, |properties| {
            let fields = properties.iter().map(|(name, schema)| {
                let ty = type_of(schema);
                let there = schema.is_required() || schema.default.is_some();
                let field = if there { Field::present(ty) } else { Field::nullable(ty) };
                (name.clone(), field)
            });
            Type::Object(fields.collect::<BTreeMap<_, _>>())
        }),
    }
}

/// Whether a value of this type can fit the schema at all.
pub(super) fn can_fit(ty: &Type, schema: &Schema) -> bool {
    let Some(kind) = schema.kind else { return true };
    match (ty, kind) {
        (Type::Any, _)
        | (Type::Boolean, SchemaType::Boolean)
        | (Type::Integer | Type::Number, SchemaType::Integer | SchemaType::Number)
        | (Type::String, SchemaType::String) => true,
        (Type::Null, _) => !schema.is_required(),
        (Type::Array(items), SchemaType::Array) => {
            schema.items.as_deref().is_none_or(|schema| can_fit(items, schema))
        }
        (Type::Object(fields), SchemaType::Object) => {
            schema.properties.as_ref().is_none_or(|properties| {
                let known = fields.iter().all(|(name, field)| {
                    properties.get(name).is_some_and(|schema| can_fit(&field.ty, schema))
                });
                let complete = properties
                    .iter()
                    .all(|(name, schema)| !schema.is_required() || fields.contains_key(name));
                known && complete
            })
        }
        (
            Type::Boolean
            | Type::Integer
            | Type::Number
            | Type::String
            | Type::Array(_)
            | Type::Object(_),
            SchemaType::String
            | SchemaType::Integer
            | SchemaType::Number
            | SchemaType::Boolean
            | SchemaType::Array
            | SchemaType::Object,
        ) => false,
    }
}

/// The type with its article, for sentences.
pub(super) fn word(ty: &Type) -> &'static str {
    match ty {
        Type::Any => "any value",
        Type::Null => "null",
        Type::Boolean => "true or false",
        Type::Integer => "a whole number",
        Type::Number => "a number",
        Type::String => "a text",
        Type::Array(_) => "a list",
        Type::Object(_) => "an object",
    }
}
