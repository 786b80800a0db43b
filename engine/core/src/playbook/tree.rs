//! What a YAML file says, with the place of every part: the form that drafts are made from.

use std::sync::Arc;

use serde_json::{Map, Number, Value};

use super::Place;

/// A node of the file.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Yaml {
    /// Where it begins.
    pub(super) place: Place,
    /// What it is.
    pub(super) node: Node,
}

/// What a node is.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Node {
    /// One value.
    Scalar(Scalar),
    /// A list.
    List(Vec<Yaml>),
    /// Named values, in the order of the file, each name once.
    Map(Vec<Entry>),
}

/// A name and its value.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Entry {
    /// The name.
    pub(super) key: Scalar,
    /// Where the name begins.
    pub(super) place: Place,
    /// What it names.
    pub(super) value: Yaml,
}

/// One value: what it means, and the text that was written.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Scalar {
    /// By the core schema of YAML 1.2: `on`, `yes` and `no` are text.
    pub(super) meaning: Meaning,
    /// The text, without quotes and indentation.
    pub(super) text: Text,
}

/// What a scalar stands for.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Meaning {
    /// Nothing.
    Null,
    /// `true` or `false`.
    Boolean(bool),
    /// A number that JSON keeps exact.
    Number(Number),
    /// A text.
    Text,
}

/// A text and where each of its characters stands in the file.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Text {
    text: Arc<str>,
    origin: Origin,
}

/// How places within a text map to places in the file.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Origin {
    /// All on one line, character by character.
    Line(Place),
    /// On one line, with escapes: the column of each character.
    Columns(u32, Arc<[u32]>),
    /// A literal block: line by line, after so many columns.
    Block {
        /// The line of the text's first line.
        line: u32,
        /// How many columns stand before each line.
        indent: u32,
    },
    /// Folded over several lines: only the beginning is known.
    About(Place),
}

impl Text {
    pub(super) fn new(text: impl Into<Arc<str>>, origin: Origin) -> Self {
        Self { text: text.into(), origin }
    }

    /// The text.
    pub(super) fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether places in it can be told exactly.
    pub(super) fn is_exact(&self) -> bool {
        !matches!(self.origin, Origin::About(_))
    }

    /// Where the character number `offset` (from 0) stands in the file.
    pub(super) fn place(&self, offset: usize) -> Place {
        let add = |number: u32, more: usize| {
            number.saturating_add(u32::try_from(more).unwrap_or(u32::MAX))
        };
        match &self.origin {
            Origin::Line(start) => Place { line: start.line, column: add(start.column, offset) },
            Origin::Columns(line, columns) => {
                let known = columns.get(offset).or_else(|| columns.last()).copied();
                Place { line: *line, column: known.unwrap_or(1) }
            }
            Origin::Block { line, indent } => {
                let (lines, column) =
                    self.text.chars().take(offset).fold((0, 0), |(lines, column), c| {
                        if c == '\n' { (lines + 1, 0) } else { (lines, column + 1) }
                    });
                Place { line: add(*line, lines), column: add(*indent, column + 1) }
            }
            Origin::About(start) => *start,
        }
    }

    /// Where a line and column (both from 1) of the part that begins at `offset` stand in the file.
    pub(super) fn place_within(&self, offset: usize, line: u32, column: u32) -> Place {
        let before: usize = self
            .text
            .chars()
            .skip(offset)
            .collect::<String>()
            .split_inclusive('\n')
            .take(line.saturating_sub(1) as usize)
            .map(|line| line.chars().count())
            .sum();
        self.place(offset + before + column.saturating_sub(1) as usize)
    }
}

impl Yaml {
    /// The scalar, if it is one.
    pub(super) fn scalar(&self) -> Option<&Scalar> {
        match &self.node {
            Node::Scalar(scalar) => Some(scalar),
            Node::List(_) | Node::Map(_) => None,
        }
    }

    /// The text, if it is one (and not a number, a boolean or nothing).
    pub(super) fn text(&self) -> Option<&Text> {
        self.scalar().filter(|scalar| scalar.meaning == Meaning::Text).map(|scalar| &scalar.text)
    }

    /// The named values, if it is a mapping.
    pub(super) fn map(&self) -> Option<&[Entry]> {
        match &self.node {
            Node::Map(entries) => Some(entries),
            Node::Scalar(_) | Node::List(_) => None,
        }
    }

    /// The elements, if it is a list.
    pub(super) fn list(&self) -> Option<&[Yaml]> {
        match &self.node {
            Node::List(items) => Some(items),
            Node::Scalar(_) | Node::Map(_) => None,
        }
    }

    /// The value of a name, if it is a mapping that has it.
    pub(super) fn get(&self, name: &str) -> Option<&Yaml> {
        let entries = self.map()?;
        entries.iter().find(|entry| entry.key.text.as_str() == name).map(|entry| &entry.value)
    }

    /// The value as JSON; names that are no text become their text.
    pub(super) fn json(&self) -> Value {
        match &self.node {
            Node::Scalar(scalar) => scalar.json(),
            Node::List(items) => Value::Array(items.iter().map(Self::json).collect()),
            Node::Map(entries) => {
                let fields =
                    entries.iter().map(|entry| (entry.name().to_owned(), entry.value.json()));
                Value::Object(fields.collect::<Map<_, _>>())
            }
        }
    }

    /// What it is, with its article, for sentences.
    pub(super) fn word(&self) -> &'static str {
        match &self.node {
            Node::Scalar(scalar) => match scalar.meaning {
                Meaning::Null => "empty",
                Meaning::Boolean(_) => "true or false",
                Meaning::Number(_) => "a number",
                Meaning::Text => "a text",
            },
            Node::List(_) => "a list",
            Node::Map(_) => "a mapping",
        }
    }

    /// How much an alias costs that repeats this: one for each node, and one for each further 64
    /// bytes of text. Stops counting beyond `most`.
    pub(super) fn weight(&self, most: usize) -> usize {
        let mut total = 1;
        match &self.node {
            Node::Scalar(scalar) => total += scalar.text.as_str().len() / 64,
            Node::List(items) => {
                for item in items {
                    if total > most {
                        break;
                    }
                    total += item.weight(most - total.min(most));
                }
            }
            Node::Map(entries) => {
                for entry in entries {
                    if total > most {
                        break;
                    }
                    total += entry.value.weight(most - total.min(most));
                }
            }
        }
        total
    }
}

impl Entry {
    /// The name as text.
    pub(super) fn name(&self) -> &str {
        self.key.text.as_str()
    }
}

impl Scalar {
    /// The value as JSON.
    pub(super) fn json(&self) -> Value {
        match &self.meaning {
            Meaning::Null => Value::Null,
            Meaning::Boolean(value) => Value::Bool(*value),
            Meaning::Number(number) => Value::Number(number.clone()),
            Meaning::Text => Value::from(self.text.as_str()),
        }
    }
}
