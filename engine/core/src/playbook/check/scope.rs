//! Which names an expression sees, with their types, while the check walks through the file.
//!
//! One set of names is changed step by step instead of made anew for each expression, so a file
//! with a thousand steps costs a thousand changes.

use std::collections::{BTreeMap, BTreeSet};

use super::super::{Field, Names, Type};
use super::types::object;
use crate::model::StepId;

/// Variables that have as many parts as the author likes.
const LARGE: [&str; 2] = ["inputs", "steps"];

/// The names in scope at one point of the file.
#[derive(Debug)]
pub(super) struct Scope {
    names: Names,
    /// The steps in scope, in the order in which they came.
    steps: Vec<StepId>,
}

/// A point in the order of steps, to come back to.
#[derive(Debug, Clone, Copy)]
pub(super) struct Mark(usize);

impl Mark {
    /// Before the first step.
    pub(super) const BEGINNING: Self = Self(0);
}

/// Steps that were taken out of scope, to put back later.
#[derive(Debug)]
pub(super) struct Hidden(Vec<(StepId, Field)>);

/// A variable that stood behind another one.
#[derive(Debug)]
pub(super) struct Shadowed {
    name: String,
    before: Option<Field>,
}

impl Scope {
    /// The scope at the first step. Of every step in `ids` one can say why it is not there yet.
    pub(super) fn new<'i>(
        inputs: Type,
        slots: impl Iterator<Item = &'i StepId>,
        ids: impl Iterator<Item = &'i StepId>,
    ) -> Self {
        let bound = || Field::present(object([("bound", Type::Boolean)]));
        let slots = slots.map(|slot| (slot.as_str().to_owned(), bound())).collect();
        let variables = [
            ("inputs", inputs),
            ("steps", Type::Object(BTreeMap::new())),
            ("slots", Type::Object(slots)),
            ("incident", incident()),
            ("run", texts(["id", "playbook", "mode", "started_at"])),
            ("now", Type::String),
        ];
        let variables = variables.map(|(name, ty)| (name.to_owned(), Field::present(ty)));
        let absent = ids.map(|id| {
            let sentence = format!("`{id}` has not run yet where this is read");
            (id.as_str().to_owned(), sentence)
        });
        let names = Names { variables: variables.into_iter().collect(), absent: absent.collect() };
        Self { names, steps: Vec::new() }
    }

    /// The names as expressions are checked against them.
    pub(super) fn names(&self) -> &Names {
        &self.names
    }

    /// How many names there are below `steps` and `inputs`: what a check against all of them costs.
    pub(super) fn size(&self) -> usize {
        LARGE.iter().filter_map(|name| self.parts_of(name)).map(BTreeMap::len).sum()
    }

    /// The names that a text can mean, and no others: of `steps` and `inputs` only the parts whose
    /// names stand in it. Nothing where the text takes one of them as a whole.
    ///
    /// A check then costs as much as the text is long, however many steps the file has.
    pub(super) fn names_for(&self, code: &str) -> Option<Names> {
        let is_letter = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let mut words = BTreeSet::new();
        let mut rest = code;
        while let Some(start) = rest.find(is_letter) {
            let from = rest.get(start..).unwrap_or_default();
            let end = from.find(|c: char| !is_letter(c)).unwrap_or(from.len());
            let (word, after) = from.split_at(end);
            if LARGE.contains(&word) && !after.starts_with('.') && !after.starts_with("?.") {
                return None;
            }
            words.insert(word);
            rest = after;
        }
        let variables = self.names.variables.iter().map(|(name, field)| {
            let field = match &field.ty {
                Type::Object(parts) if LARGE.contains(&name.as_str()) => {
                    Field { ty: Type::Object(only(parts, &words)), ..Field::present(Type::Any) }
                }
                Type::Any
                | Type::Null
                | Type::Boolean
                | Type::Integer
                | Type::Number
                | Type::String
                | Type::Array(_)
                | Type::Object(_) => field.clone(),
            };
            (name.clone(), field)
        });
        let variables = variables.collect();
        Some(Names { variables, absent: only(&self.names.absent, &words) })
    }

    fn parts_of(&self, variable: &str) -> Option<&BTreeMap<String, Field>> {
        match self.names.variables.get(variable) {
            Some(Field { ty: Type::Object(parts), .. }) => Some(parts),
            Some(_) | None => None,
        }
    }

    /// Whether a step is in scope.
    pub(super) fn sees(&self, id: &str) -> bool {
        self.parts_of("steps").is_some_and(|steps| steps.contains_key(id))
    }

    /// Why a step of the file is not in scope.
    pub(super) fn why_absent(&self, id: &str) -> Option<&str> {
        self.names.absent.get(id).map(String::as_str)
    }

    /// Whether a variable has this name.
    pub(super) fn has_variable(&self, name: &str) -> bool {
        self.names.variables.contains_key(name)
    }

    /// Now.
    pub(super) fn mark(&self) -> Mark {
        Mark(self.steps.len())
    }

    /// A step has ended: what comes after it may read it.
    pub(super) fn add(&mut self, id: &StepId, field: Field) {
        self.names.absent.remove(id.as_str());
        if let Some(fields) = self.fields() {
            fields.insert(id.as_str().to_owned(), field);
        }
        self.steps.push(id.clone());
    }

    /// Whoever reads the steps since `mark` from here on must reckon with their having been
    /// skipped.
    pub(super) fn skip_since(&mut self, mark: Mark) {
        let ids: Vec<StepId> = self.steps.get(mark.0..).unwrap_or_default().to_vec();
        let Some(fields) = self.fields() else { return };
        for id in ids {
            let Some(Field { ty: Type::Object(parts), .. }) = fields.get_mut(id.as_str()) else {
                continue;
            };
            for name in ["output", "counts", "failed_items"] {
                if let Some(part) = parts.get_mut(name).filter(|part| part.ty != Type::Null) {
                    part.skippable = Some(id.as_str().to_owned());
                }
            }
        }
    }

    /// The steps since `mark` as they are seen now; give them back to [`Self::put_back`].
    pub(super) fn clone_since(&mut self, mark: Mark) -> Hidden {
        let ids = self.steps.get(mark.0..).unwrap_or_default().to_vec();
        let fields = self.fields();
        let seen = ids.into_iter().filter_map(|id| {
            let field = fields.as_ref()?.get(id.as_str())?.clone();
            Some((id, field))
        });
        Hidden(seen.collect())
    }

    /// Lets steps be seen again as they were.
    pub(super) fn put_back(&mut self, seen: Hidden) {
        let Some(fields) = self.fields() else { return };
        for (id, field) in seen.0 {
            fields.insert(id.as_str().to_owned(), field);
        }
    }

    /// Takes the steps since `mark` out of scope; `sentence` says why, after the step's id.
    pub(super) fn hide_since(&mut self, mark: Mark, sentence: &str) -> Hidden {
        let ids = self.steps.split_off(mark.0.min(self.steps.len()));
        let mut hidden = Vec::new();
        for id in ids {
            self.names.absent.insert(id.as_str().to_owned(), format!("`{id}` {sentence}"));
            let field = self.fields().and_then(|fields| fields.remove(id.as_str()));
            hidden.extend(field.map(|field| (id, field)));
        }
        Hidden(hidden)
    }

    /// Puts steps back.
    pub(super) fn restore(&mut self, hidden: Hidden) {
        for (id, field) in hidden.0 {
            self.add(&id, field);
        }
    }

    /// Adds a variable; give the result back to [`Self::unset`].
    pub(super) fn set(&mut self, name: &str, field: Field) -> Shadowed {
        let before = self.names.variables.insert(name.to_owned(), field);
        Shadowed { name: name.to_owned(), before }
    }

    /// Takes a variable out again.
    pub(super) fn unset(&mut self, shadowed: Shadowed) {
        match shadowed.before {
            Some(field) => self.names.variables.insert(shadowed.name, field),
            None => self.names.variables.remove(&shadowed.name),
        };
    }

    /// The parts of `steps`. It is an object from the beginning; were it none, nothing would be in
    /// scope.
    fn fields(&mut self) -> Option<&mut BTreeMap<String, Field>> {
        match self.names.variables.get_mut("steps") {
            Some(Field { ty: Type::Object(fields), .. }) => Some(fields),
            Some(_) | None => None,
        }
    }
}

impl Hidden {
    /// Nothing.
    pub(super) fn none() -> Self {
        Self(Vec::new())
    }
    /// These and others.
    pub(super) fn extend(&mut self, other: Self) {
        self.0.extend(other.0);
    }
}

/// The entries with these names.
fn only<T: Clone>(all: &BTreeMap<String, T>, names: &BTreeSet<&str>) -> BTreeMap<String, T> {
    let found = names.iter().filter_map(|name| all.get_key_value(*name));
    found.map(|(name, value)| (name.clone(), value.clone())).collect()
}

fn texts<const N: usize>(names: [&str; N]) -> Type {
    object(names.map(|name| (name, Type::String)))
}

fn incident() -> Type {
    let mut asset = BTreeMap::new();
    for name in ["kind", "value", "state"] {
        asset.insert(name.to_owned(), Field::present(Type::String));
    }
    asset.insert("organisation".to_owned(), Field::nullable(Type::String));
    object([
        ("id", Type::String),
        ("number", Type::String),
        ("title", Type::String),
        ("severity", Type::Integer),
        ("tlp", Type::String),
        ("mode", Type::String),
        ("opened_at", Type::String),
        ("assets", Type::Array(Box::new(Type::Object(asset)))),
    ])
}

/// `error`, where it is in scope.
pub(super) fn error() -> Type {
    texts(["kind", "message"])
}

/// What a step looks like to those that read it.
pub(super) fn step_field(output: Type, loop_over: Option<&Type>) -> Field {
    let counts = ["total", "succeeded", "failed", "skipped", "cancelled"];
    let (counts, failed) = match loop_over {
        None => (Type::Null, Type::Null),
        Some(item) => {
            let mut one = item_field(item);
            one.insert("error".to_owned(), Field::present(error()));
            let counts = object(counts.map(|name| (name, Type::Integer)));
            (counts, Type::Array(Box::new(Type::Object(one))))
        }
    };
    let parts = [
        ("output", Field::present(output)),
        ("status", Field::present(Type::String)),
        ("error", Field::nullable(error())),
        ("reached", Field::nullable(Type::String)),
        ("counts", Field::present(counts)),
        ("failed_items", Field::present(failed)),
    ];
    let parts = parts.into_iter().map(|(name, field)| (name.to_owned(), field));
    Field::present(Type::Object(parts.collect()))
}

fn item_field(item: &Type) -> BTreeMap<String, Field> {
    BTreeMap::from([
        ("item".to_owned(), Field::present(item.clone())),
        ("index".to_owned(), Field::present(Type::Integer)),
    ])
}

/// The output of a loop: a list with one entry per item.
pub(super) fn loop_output(item: &Type) -> Type {
    let mut one = item_field(item);
    one.insert("status".to_owned(), Field::present(Type::String));
    one.insert("output".to_owned(), Field::nullable(Type::Any));
    one.insert("error".to_owned(), Field::nullable(error()));
    Type::Array(Box::new(Type::Object(one)))
}
