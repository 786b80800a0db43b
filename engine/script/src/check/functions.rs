//! Which functions there are, asked from the engine itself, and what the common ones give.

use std::any::TypeId;
use std::collections::BTreeMap;

use beistand_core::playbook::Type;
use rhai::{Array, Dynamic, Engine, FLOAT, FnPtr, INT, ImmutableString, Map};

use super::types::{Known, describe, loosened, object};

/// The parameter types of one form of a function.
type Form = Vec<TypeId>;

/// All functions that a text can call, with all their forms.
#[derive(Debug, Default)]
pub(crate) struct Functions {
    forms: BTreeMap<String, Vec<Form>>,
}

/// Why a call does not work.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum NoForm {
    /// There is no function of that name.
    Name,
    /// It takes other numbers of values; those that it takes.
    Count(Vec<usize>),
    /// It does not take values of these types.
    Types,
}

impl Functions {
    /// All functions of an engine.
    pub(crate) fn of(engine: &Engine) -> Self {
        let all = engine.collect_fn_metadata(
            None,
            |info| Some((info.metadata.name.to_string(), info.metadata.param_types.to_vec())),
            true,
        );
        let mut forms: BTreeMap<String, Vec<Form>> = BTreeMap::new();
        for (name, form) in all {
            forms.entry(name).or_default().push(form);
        }
        // Rhai answers this one by itself.
        forms.entry("type_of".to_owned()).or_default().push(vec![TypeId::of::<Dynamic>()]);
        Self { forms }
    }

    /// Names that can be called.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.forms.keys().map(String::as_str).filter(|name| !name.contains('$'))
    }

    /// Whether values of these types can be given to a function.
    pub(super) fn takes(&self, name: &str, given: &[&Type]) -> Result<(), NoForm> {
        let forms = self.forms.get(name).ok_or(NoForm::Name)?;
        let mut counts: Vec<usize> = forms.iter().map(Vec::len).collect();
        counts.sort_unstable();
        counts.dedup();
        if !counts.contains(&given.len()) {
            return Err(NoForm::Count(counts));
        }
        let fits = forms.iter().any(|form| {
            form.len() == given.len() && form.iter().zip(given).all(|(wants, ty)| fits(*wants, ty))
        });
        if fits { Ok(()) } else { Err(NoForm::Types) }
    }

    /// Whether a value of this type has a property that Rhai computes: `len` of a list.
    pub(super) fn computes(&self, property: &str, of: &Type) -> bool {
        self.takes(&format!("get${property}"), &[of]).is_ok()
    }

    /// Whether this parameter of a function takes a closure, in any of its forms.
    pub(super) fn takes_closure(&self, name: &str, count: usize, at: usize) -> bool {
        self.forms.get(name).is_some_and(|forms| {
            forms.iter().filter(|form| form.len() == count).any(|form| {
                form.get(at).is_some_and(|wants| {
                    *wants == TypeId::of::<FnPtr>() || *wants == TypeId::of::<Dynamic>()
                })
            })
        })
    }
}

fn fits(wants: TypeId, ty: &Type) -> bool {
    if wants == TypeId::of::<Dynamic>() {
        return true;
    }
    match ty {
        Type::Any => true,
        Type::Null => wants == TypeId::of::<()>(),
        Type::Boolean => wants == TypeId::of::<bool>(),
        Type::Integer => wants == TypeId::of::<INT>(),
        Type::Number => wants == TypeId::of::<INT>() || wants == TypeId::of::<FLOAT>(),
        Type::String => {
            wants == TypeId::of::<ImmutableString>()
                || wants == TypeId::of::<String>()
                || wants == TypeId::of::<&str>()
        }
        Type::Array(_) => wants == TypeId::of::<Array>(),
        Type::Object(_) => wants == TypeId::of::<Map>(),
    }
}

/// What a call gives, by name and first value; nothing is known of the rest.
pub(super) fn gives(name: &str, first: Option<&Type>, closure: Option<Type>) -> Known {
    let texts = || Type::Array(Box::new(Type::String));
    let element = || match first {
        Some(Type::Array(item)) => (**item).clone(),
        Some(_) | None => Type::Any,
    };
    let same = || first.cloned().unwrap_or_default();
    match (name, first) {
        (
            "plus" | "minus" | "between" | "local" | "join" | "json" | "to_json" | "sha256"
            | "to_string" | "to_debug" | "to_upper" | "to_lower" | "sub_string" | "replace"
            | "trim" | "type_of" | "to_hex" | "to_octal" | "to_binary",
            _,
        ) => Known::of(Type::String),
        (
            "before" | "in_cidr" | "is_empty" | "contains" | "starts_with" | "ends_with" | "all"
            | "some" | "none" | "is_odd" | "is_even" | "is_zero" | "is_nan" | "is_finite",
            _,
        ) => Known::of(Type::Boolean),
        ("len" | "bytes" | "index_of" | "to_int" | "parse_int", _) => Known::of(Type::Integer),
        ("to_float" | "parse_float" | "sqrt" | "floor" | "ceiling" | "round", _) => {
            Known::of(Type::Number)
        }
        ("keys", _) | ("split" | "split_rev", Some(Type::String)) => Known::of(texts()),
        ("assets", Some(Type::Object(incident))) => {
            Known::of(incident.get("assets").map_or_else(assets, |field| field.ty.clone()))
        }
        ("assets", _) => Known::of(assets()),
        (
            "filter" | "order" | "order_by" | "order_desc" | "extract" | "drain" | "retain",
            Some(Type::Array(_)),
        ) => Known::of(same()),
        ("find", Some(Type::Array(_))) => Known::of(element()).or_null(),
        ("map", Some(Type::Array(_))) => {
            Known::of(Type::Array(Box::new(closure.unwrap_or_default())))
        }
        (
            "push" | "sort" | "sort_by" | "dedup" | "insert" | "append" | "reverse" | "clear"
            | "for_each",
            _,
        ) => Known::of(Type::Null),
        ("abs" | "min" | "max", Some(ty @ (Type::Integer | Type::Number | Type::String))) => {
            Known::of(loosened(ty))
        }
        (_, _) => Known::any(),
    }
}

fn assets() -> Type {
    Type::Array(Box::new(object([
        ("kind", Type::String),
        ("value", Type::String),
        ("organisation", Type::Any),
        ("state", Type::String),
    ])))
}

/// The types of what a function calls its closure with: item and index, or nothing known.
pub(super) fn closure_gets(name: &str, first: Option<&Type>) -> Vec<Type> {
    let Some(Type::Array(item)) = first else { return Vec::new() };
    let item = (**item).clone();
    match name {
        "filter" | "map" | "for_each" | "all" | "some" | "none" | "find" | "find_map"
        | "index_of" | "drain" | "retain" => vec![item, Type::Integer],
        "sort" | "sort_by" | "order" | "order_by" | "dedup" => vec![item.clone(), item],
        "reduce" | "reduce_rev" => vec![Type::Any, item, Type::Integer],
        _ => Vec::new(),
    }
}

/// The types of a call in words: `a text and a list`.
pub(super) fn in_words(given: &[&Type]) -> String {
    given.iter().map(|ty| describe(ty)).collect::<Vec<_>>().join(" and ")
}
