//! Expressions and templates: the playbook's embedded Rhai, seen from outside of Rhai.
//!
//! The script crate implements [`Expressions`]; nothing in here knows Rhai. Each checked
//! expression carries the paths it reads, so that only those values are converted, and a bare path
//! (`host`, `inputs.hosts`) is resolved without a script engine at all.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Map, Value};
use thiserror::Error;

use super::Place;

/// A path of names that an expression reads: `steps`, `contain`, `counts`, `succeeded`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ReadPath(pub Vec<String>);

/// What kind of Rhai text: an expression evaluated in place, or the body of a `script:` step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ScriptKind {
    /// One expression; at most 10,000 operations.
    Expression,
    /// Statements; the last value counts. Runs in the pool, at most 2 s.
    Script,
}

/// An expression that was checked against the names in scope.
#[derive(Debug, Clone, PartialEq)]
pub struct Expression {
    /// The Rhai text.
    pub text: Arc<str>,
    /// Where its first character stands in the file.
    pub place: Place,
    /// What it reads.
    pub reads: Vec<ReadPath>,
    /// Whether it is one bare path and nothing else; then `reads` has that one path.
    pub bare: bool,
}

/// A value with expressions in it, as in `with`.
#[derive(Debug, Clone, PartialEq)]
pub enum Template {
    /// Nothing to render.
    Literal(Value),
    /// A text that is only one `${expr}`: the value keeps its type.
    Whole(Expression),
    /// A text with parts to fill in.
    Text(Vec<Piece>),
    /// A list of templates.
    Array(Vec<Template>),
    /// Named templates.
    Object(BTreeMap<String, Template>),
}

/// A part of a text template.
#[derive(Debug, Clone, PartialEq)]
pub enum Piece {
    /// As it stands.
    Text(String),
    /// To be filled in: texts as they are, numbers and booleans as JSON; null is an error, lists
    /// and objects only through `join()` or `json()`.
    Value(Expression),
}

/// The static type of a value, as far as it is known.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Type {
    /// Nothing is known: every use is fine.
    #[default]
    Any,
    /// `null` and nothing else.
    Null,
    /// True or false.
    Boolean,
    /// A whole number.
    Integer,
    /// Any number.
    Number,
    /// Text.
    String,
    /// A list.
    Array(Box<Type>),
    /// Named parts; others are unknown names.
    Object(BTreeMap<String, Field>),
}

/// A named part of an object type.
#[derive(Debug, Clone, PartialEq)]
pub struct Field {
    /// Its type where it is there.
    pub ty: Type,
    /// It may be null or absent by its schema: reading below it needs `?.`.
    pub nullable: bool,
    /// It is the output of this step, which may have been skipped: using it needs `?.`, `??` or a
    /// test of the step's `status` to its left in the same expression.
    pub skippable: Option<String>,
}

impl Field {
    /// A part that is always there.
    pub fn present(ty: Type) -> Self {
        Self { ty, nullable: false, skippable: None }
    }
    /// A part that may be null.
    pub fn nullable(ty: Type) -> Self {
        Self { ty, nullable: true, skippable: None }
    }
}

/// The names in scope of an expression, with their types. `incident.assets(kind, state)` is the
/// one method: the field `assets` of `incident` holds the list it filters.
#[derive(Debug, Clone, Default)]
pub struct Names {
    /// Variables by name.
    pub variables: BTreeMap<String, Field>,
    /// Why a name that one could expect is not there: id of a step → sentence.
    pub absent: BTreeMap<String, String>,
}

/// What kind of fault an expression has; `check` maps it to a finding code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FaultCode {
    /// It is no Rhai.
    Syntax,
    /// A name that is not in scope, or a part that the type does not have.
    UnknownName,
    /// A function that does not exist.
    UnknownFunction,
    /// A comparison or operation of types that never fit.
    Type,
    /// The output of a possibly skipped step without `?.`, `??` or a status test.
    Skippable,
    /// Over a limit of size or depth, or a construct that is not allowed.
    Limit,
}

/// One fault of an expression, placed within its own text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// What kind.
    pub code: FaultCode,
    /// From 1, within the expression's text.
    pub line: u32,
    /// From 1, in characters.
    pub column: u32,
    /// A sentence without a full stop.
    pub message: String,
    /// "did you mean …"
    pub hint: Option<String>,
}

/// What a good expression reads and gives.
#[derive(Debug, Clone, PartialEq)]
pub struct Checked {
    /// The paths it reads, sorted, none a prefix of another.
    pub reads: Vec<ReadPath>,
    /// What it gives, as far as that is known.
    pub ty: Type,
    /// Whether it is one bare path.
    pub bare: bool,
}

/// Why an evaluation ended without a value. The step fails with kind `script`; nothing else happens.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{message}")]
pub struct EvalError {
    /// A sentence without a full stop.
    pub message: String,
    /// Line and column from 1 within the expression's text, where known.
    pub at: Option<(u32, u32)>,
}

/// The script engine, as the core needs it. Implementations are pure: values in, value out.
pub trait Expressions {
    /// Compiles and type-checks a text against the names in scope.
    ///
    /// # Errors
    /// Every fault that was found.
    fn check(&self, text: &str, kind: ScriptKind, names: &Names) -> Result<Checked, Vec<Fault>>;

    /// Evaluates a text over exactly these values (pruned to what it reads).
    ///
    /// # Errors
    /// [`EvalError`] for a thrown error, a limit, a result that is no JSON.
    fn evaluate(
        &self,
        text: &str,
        kind: ScriptKind,
        values: &Map<String, Value>,
    ) -> Result<Value, EvalError>;
}

impl Piece {
    fn says_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Text(one), Self::Text(other)) => one == other,
            (Self::Value(one), Self::Value(other)) => one.text == other.text,
            (Self::Text(_) | Self::Value(_), _) => false,
        }
    }
}

/// Whether named templates say the same, wherever in a file they stand.
pub(crate) fn same_named(
    one: &BTreeMap<String, Template>,
    other: &BTreeMap<String, Template>,
) -> bool {
    one.len() == other.len()
        && one
            .iter()
            .zip(other)
            .all(|((name, one), (other_name, other))| name == other_name && one.says_same(other))
}

impl Template {
    /// Whether it says the same, wherever in a file it stands.
    pub fn says_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Literal(one), Self::Literal(other)) => one == other,
            (Self::Whole(one), Self::Whole(other)) => one.text == other.text,
            (Self::Text(one), Self::Text(other)) => {
                one.len() == other.len()
                    && one.iter().zip(other).all(|(one, other)| one.says_same(other))
            }
            (Self::Array(one), Self::Array(other)) => {
                one.len() == other.len()
                    && one.iter().zip(other).all(|(one, other)| one.says_same(other))
            }
            (Self::Object(one), Self::Object(other)) => same_named(one, other),
            (
                Self::Literal(_)
                | Self::Whole(_)
                | Self::Text(_)
                | Self::Array(_)
                | Self::Object(_),
                _,
            ) => false,
        }
    }

    /// All expressions in it, in order.
    pub fn expressions(&self) -> Vec<&Expression> {
        match self {
            Self::Literal(_) => Vec::new(),
            Self::Whole(expression) => vec![expression],
            Self::Text(pieces) => pieces
                .iter()
                .filter_map(|piece| match piece {
                    Piece::Text(_) => None,
                    Piece::Value(expression) => Some(expression),
                })
                .collect(),
            Self::Array(items) => items.iter().flat_map(Self::expressions).collect(),
            Self::Object(fields) => fields.values().flat_map(Self::expressions).collect(),
        }
    }

    /// As it stands in the playbook: what is rendered later as `${…}`.
    pub fn written(&self) -> Value {
        let braced = |expression: &Expression| format!("${{{}}}", expression.text);
        match self {
            Self::Literal(value) => value.clone(),
            Self::Whole(expression) => Value::from(braced(expression)),
            Self::Text(pieces) => pieces
                .iter()
                .map(|piece| match piece {
                    Piece::Text(text) => text.clone(),
                    Piece::Value(expression) => braced(expression),
                })
                .collect::<String>()
                .into(),
            Self::Array(items) => items.iter().map(Self::written).collect(),
            Self::Object(fields) => {
                fields.iter().map(|(name, field)| (name.clone(), field.written())).collect()
            }
        }
    }

    /// The value, if nothing in it needs rendering.
    pub fn literal(&self) -> Option<Value> {
        match self {
            Self::Literal(value) => Some(value.clone()),
            Self::Whole(_) | Self::Text(_) => None,
            Self::Array(items) => items.iter().map(Self::literal).collect(),
            Self::Object(fields) => fields
                .iter()
                .map(|(name, field)| field.literal().map(|value| (name.clone(), value)))
                .collect(),
        }
    }
}
