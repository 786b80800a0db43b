//! YAML text in, a tree with places out: the only module that knows a YAML library.
//!
//! Two parsers read every file. saphyr-parser gives events with places, from which the tree is
//! made; `serde_yaml` reads the same text once more, and where the two do not agree the file is
//! refused: an attacker could show one thing to a reviewer's tool and another to ours. Everything
//! that makes YAML dangerous (aliases that explode, cycles, duplicate keys, tags, depth, size) is
//! refused before a tree exists.

mod second;

use std::collections::BTreeMap;

use saphyr_parser::{Event, Marker, Parser, ScalarStyle, ScanError, Span};

use self::second::agrees;
use super::hidden::hidden;
use super::report::Report;
use super::scalar::meaning;
use super::tree::{Entry, Meaning, Node, Origin, Scalar, Text, Yaml};
use super::{Code, Place, SourceText};

/// Deepest nesting: no form of the language needs half of it, and recursion stays shallow.
const DEPTH_MAX: usize = 32;

/// What aliases may add together: ten times the nodes of the longest playbook that ships.
const ALIAS_NODES_MAX: usize = 10_000;

/// Reads a file. Without a tree there is at least one finding.
pub(super) fn read(source: &SourceText, report: &mut Report) -> Option<Yaml> {
    let text = source.text();
    if text.len() > SourceText::BYTES_MAX {
        let message = format!("the file has more than {} KiB", SourceText::BYTES_MAX / 1024);
        report.add(Code::FileTooLarge, Place::START, message);
        return None;
    }
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if let Some((place, c)) = hidden(text) {
        let message =
            format!("the character U+{:04X} can not be seen and is refused", u32::from(c));
        report.add(Code::HiddenCharacter, place, message);
        return None;
    }
    let tree = Builder { text, lines: text.lines().collect(), ..Builder::default() }.run();
    let fault = match tree {
        Ok(tree) => match agrees(text, &tree) {
            Ok(()) => return Some(tree),
            Err(fault) => fault,
        },
        Err(fault) => fault,
    };
    report.add_with(fault.code, fault.place, fault.message, fault.hint);
    None
}

/// Why there is no tree.
#[derive(Debug)]
struct Fault {
    code: Code,
    place: Place,
    message: String,
    hint: Option<String>,
}

impl Fault {
    fn new(code: Code, place: Place, message: impl Into<String>) -> Self {
        Self { code, place, message: message.into(), hint: None }
    }
    fn with_hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }
}

/// A list or mapping that is being read.
#[derive(Debug)]
enum Frame {
    List { place: Place, anchor: usize, items: Vec<Yaml> },
    Map { place: Place, anchor: usize, map: Map },
}

/// A mapping that is being read.
#[derive(Debug, Default)]
struct Map {
    entries: Vec<Entry>,
    seen: BTreeMap<String, Place>,
    key: Option<(Scalar, Place)>,
}

/// Makes the tree from events.
#[derive(Debug, Default)]
struct Builder<'t> {
    text: &'t str,
    lines: Vec<&'t str>,
    frames: Vec<Frame>,
    anchors: BTreeMap<usize, Yaml>,
    aliased: usize,
    root: Option<Yaml>,
}

impl Builder<'_> {
    fn run(mut self) -> Result<Yaml, Fault> {
        let mut documents = 0;
        for event in Parser::new_from_str(self.text) {
            let (event, span) = event.map_err(|error| scan_fault(&error))?;
            let place = place_of(&span.start);
            match event {
                Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => {}
                Event::DocumentStart(_) => {
                    documents += 1;
                    if documents > 1 {
                        let message = "a second document begins here";
                        return Err(Fault::new(Code::YamlDocuments, place, message));
                    }
                }
                Event::Alias(anchor) => self.alias(anchor, place)?,
                Event::Scalar(text, style, anchor, tag) => {
                    no_tag(tag.is_some(), place)?;
                    let scalar = self.scalar(&text, style, span)?;
                    self.put(Yaml { place, node: Node::Scalar(scalar) }, anchor)?;
                }
                Event::SequenceStart(anchor, tag) => {
                    no_tag(tag.is_some(), place)?;
                    self.open(Frame::List { place, anchor, items: Vec::new() }, place)?;
                }
                Event::MappingStart(anchor, tag) => {
                    no_tag(tag.is_some(), place)?;
                    self.open(Frame::Map { place, anchor, map: Map::default() }, place)?;
                }
                Event::SequenceEnd | Event::MappingEnd => self.close()?,
            }
        }
        self.root.ok_or_else(|| Fault::new(Code::YamlSyntax, Place::START, "the file is empty"))
    }

    fn open(&mut self, frame: Frame, place: Place) -> Result<(), Fault> {
        if self.frames.len() == DEPTH_MAX {
            let message = format!("more than {DEPTH_MAX} lists and mappings in each other");
            return Err(Fault::new(Code::YamlNesting, place, message));
        }
        if matches!(self.frames.last(), Some(Frame::Map { map, .. }) if map.key.is_none()) {
            return Err(Fault::new(Code::YamlSyntax, place, "a key is a text, no list or mapping"));
        }
        self.frames.push(frame);
        Ok(())
    }

    fn close(&mut self) -> Result<(), Fault> {
        match self.frames.pop() {
            Some(Frame::List { place, anchor, items }) => {
                self.put(Yaml { place, node: Node::List(items) }, anchor)
            }
            Some(Frame::Map { place, anchor, map }) => {
                self.put(Yaml { place, node: Node::Map(map.entries) }, anchor)
            }
            None => Ok(()),
        }
    }

    fn alias(&mut self, anchor: usize, place: Place) -> Result<(), Fault> {
        let Some(target) = self.anchors.get(&anchor) else {
            let message = "the alias refers to what contains it";
            return Err(Fault::new(Code::YamlAliases, place, message));
        };
        self.aliased += target.weight(ALIAS_NODES_MAX);
        if self.aliased > ALIAS_NODES_MAX {
            let message = format!("the aliases expand to more than {ALIAS_NODES_MAX} nodes");
            return Err(Fault::new(Code::YamlAliases, place, message));
        }
        let copy = target.clone();
        if depth(&copy) + self.frames.len() > DEPTH_MAX {
            let message = format!("more than {DEPTH_MAX} lists and mappings in each other");
            return Err(Fault::new(Code::YamlNesting, place, message));
        }
        self.put(copy, 0)
    }

    /// Puts a finished node where it belongs.
    fn put(&mut self, yaml: Yaml, anchor: usize) -> Result<(), Fault> {
        if anchor > 0 {
            self.anchors.insert(anchor, yaml.clone());
        }
        match self.frames.last_mut() {
            None => self.root = Some(yaml),
            Some(Frame::List { items, .. }) => items.push(yaml),
            Some(Frame::Map { map, .. }) => match map.key.take() {
                Some((key, place)) => map.entries.push(Entry { key, place, value: yaml }),
                None => map.begin(yaml)?,
            },
        }
        Ok(())
    }

    fn scalar(&self, text: &str, style: ScalarStyle, span: Span) -> Result<Scalar, Fault> {
        let place = place_of(&span.start);
        let meaning = if style == ScalarStyle::Plain {
            meaning(text).ok_or_else(|| {
                let message = format!("`{text}` can not be kept exactly as a number");
                Fault::new(Code::NumberRange, place, message)
                    .with_hint("write it as a text, in quotes")
            })?
        } else {
            Meaning::Text
        };
        Ok(Scalar { meaning, text: Text::new(text, self.origin(text, style, span)) })
    }

    fn origin(&self, text: &str, style: ScalarStyle, span: Span) -> Origin {
        let start = place_of(&span.start);
        let one_line = span.start.line() == span.end.line();
        match style {
            ScalarStyle::Literal => {
                let blank = text.chars().take_while(|c| *c == '\n').count();
                let line =
                    start.line.saturating_sub(u32::try_from(blank).unwrap_or(u32::MAX)).max(1);
                Origin::Block { line, indent: start.column - 1 }
            }
            ScalarStyle::Plain if one_line => Origin::Line(start),
            ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted if one_line => {
                let raw: Vec<char> = self
                    .lines
                    .get(span.start.line() - 1)
                    .map(|line| line.chars().skip(span.start.col() + 1).collect())
                    .unwrap_or_default();
                let columns = columns(&raw, style, start.column + 1);
                let exact = columns.last().is_none_or(|last| {
                    usize::try_from(last - start.column).is_ok_and(|width| width == columns.len())
                });
                if exact {
                    Origin::Line(Place { line: start.line, column: start.column + 1 })
                } else {
                    Origin::Columns(start.line, columns.into())
                }
            }
            ScalarStyle::Plain
            | ScalarStyle::SingleQuoted
            | ScalarStyle::DoubleQuoted
            | ScalarStyle::Folded => Origin::About(start),
        }
    }
}

impl Map {
    /// The node is the next name.
    fn begin(&mut self, yaml: Yaml) -> Result<(), Fault> {
        let place = yaml.place;
        let Node::Scalar(key) = yaml.node else {
            return Err(Fault::new(Code::YamlSyntax, place, "a key is a text, no list or mapping"));
        };
        if key.meaning != Meaning::Text {
            let fault = Fault::new(Code::YamlSyntax, place, "a key is a text");
            return Err(fault.with_hint("put it in quotes"));
        }
        let name = key.text.as_str().to_owned();
        if let Some(first) = self.seen.get(&name) {
            let message = format!("`{name}` stands here a second time");
            return Err(Fault::new(Code::DuplicateKey, place, message)
                .with_hint(format!("the first one is in line {}", first.line)));
        }
        self.seen.insert(name, place);
        self.key = Some((key, place));
        Ok(())
    }
}

fn no_tag(there_is_one: bool, place: Place) -> Result<(), Fault> {
    if there_is_one {
        let fault = Fault::new(Code::YamlTag, place, "tags are not part of the language");
        return Err(
            fault.with_hint("leave the tag out; put a text in quotes where it looks like a number")
        );
    }
    Ok(())
}

/// What the library could not read. It has a limit of its own for depth, far beyond ours.
fn scan_fault(error: &ScanError) -> Fault {
    let place = place_of(error.marker());
    if error.info() == "recursion limit exceeded" {
        let message = format!("more than {DEPTH_MAX} lists and mappings in each other");
        return Fault::new(Code::YamlNesting, place, message);
    }
    Fault::new(Code::YamlSyntax, place, error.info())
}

fn place_of(marker: &Marker) -> Place {
    let number = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
    // The library counts lines from 1 and columns, in characters, from 0.
    Place { line: number(marker.line()).max(1), column: number(marker.col()).saturating_add(1) }
}

fn depth(yaml: &Yaml) -> usize {
    match &yaml.node {
        Node::Scalar(_) => 0,
        Node::List(items) => 1 + items.iter().map(depth).max().unwrap_or(0),
        Node::Map(entries) => {
            1 + entries.iter().map(|entry| depth(&entry.value)).max().unwrap_or(0)
        }
    }
}

/// The column of each character of a quoted text on one line, from the text after the quote.
fn columns(raw: &[char], style: ScalarStyle, first: u32) -> Vec<u32> {
    let mut columns = Vec::new();
    let mut at = 0;
    while let Some(c) = raw.get(at) {
        let width = match (style, c, raw.get(at + 1)) {
            (ScalarStyle::DoubleQuoted, '\\', Some('x')) => 4,
            (ScalarStyle::DoubleQuoted, '\\', Some('u')) => 6,
            (ScalarStyle::DoubleQuoted, '\\', Some('U')) => 10,
            (ScalarStyle::DoubleQuoted, '\\', Some(_))
            | (ScalarStyle::SingleQuoted, '\'', Some('\'')) => 2,
            (ScalarStyle::SingleQuoted, '\'', _) | (ScalarStyle::DoubleQuoted, '"', _) => break,
            (_, _, _) => 1,
        };
        columns.push(first.saturating_add(u32::try_from(at).unwrap_or(u32::MAX)));
        at += width;
    }
    columns
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    fn tree(text: &str) -> Result<Yaml, String> {
        let source = SourceText::new("x.yaml", text);
        let mut report = Report::new("x.yaml");
        let tree = read(&source, &mut report);
        let first = report.into_findings().into_iter().next();
        tree.ok_or_else(|| first.map_or_else(String::new, |finding| finding.code))
    }

    #[test]
    fn characters_are_placed_in_the_file_whatever_stands_before_them() {
        let text = "ü: 'ö''x'\n\"ä\": \"a\\u00fcb\"\nb: |\n\n   erste\n    zweite\nc: plain ü\n";
        let tree = tree(text).unwrap();
        let at = |name: &str, offset: usize| {
            let place = tree.get(name).unwrap().text().unwrap().place(offset);
            (place.line, place.column)
        };
        assert_eq!(at("ü", 0), (1, 5));
        assert_eq!(at("ü", 2), (1, 8)); // behind the doubled quote
        assert_eq!(at("ä", 2), (2, 14)); // behind the escape
        assert_eq!(at("b", 1), (5, 4)); // the empty first line counts
        assert_eq!(at("b", 8), (6, 5));
        assert_eq!(at("c", 6), (7, 10));
        let script = tree.get("b").unwrap().text().unwrap();
        assert_eq!(script.place_within(0, 3, 2), Place { line: 6, column: 5 });
    }

    #[test]
    fn aliases_are_read_while_they_stay_small() {
        let tree = tree("a: &a [1, 2]\nb: [*a, *a]\n").unwrap();
        assert_eq!(tree.json(), json!({ "a": [1, 2], "b": [[1, 2], [1, 2]] }));
    }

    #[test]
    fn what_is_dangerous_is_refused() {
        for (text, code) in [
            ("", "yaml-syntax"),
            ("# only a comment\n", "yaml-syntax"),
            ("a: &a [*a]\n", "yaml-aliases"),
            ("a: *nobody\n", "yaml-syntax"),
            ("a: !!str 1\n", "yaml-tag"),
            ("? [a]\n: b\n", "yaml-syntax"),
            ("404: x\n", "yaml-syntax"),
            (": x\n", "yaml-syntax"),
            ("a: 1\r\rb: 2\n", "hidden-character"),
            ("a: \u{0}\n", "hidden-character"),
            ("a: 1\n---\nb: 2\n", "yaml-documents"),
        ] {
            assert_eq!(tree(text).unwrap_err(), code, "{text:?}");
        }
    }

    #[test]
    fn a_byte_order_mark_and_windows_line_ends_change_nothing() {
        let tree = tree("\u{feff}a: 1\r\nb: |\r\n  x\r\n  y\r\n").unwrap();
        assert_eq!(tree.json(), json!({ "a": 1, "b": "x\ny\n" }));
    }

    /// The second parser's tree as JSON, if it is one that we would take.
    fn other(text: &str) -> Option<Value> {
        let value: serde_yaml::Value = serde_yaml::from_str(text).ok()?;
        serde_json::to_value(value).ok()
    }

    /// Pieces of YAML that go wrong next to each other.
    fn fragments() -> impl Strategy<Value = String> {
        let piece = prop::sample::select(vec![
            "a",
            "b: ",
            "- ",
            "\n",
            "\n  ",
            "\n    ",
            "[",
            "]",
            "{",
            "}",
            ", ",
            ": ",
            "'",
            "\"",
            "|\n  ",
            ">\n  ",
            "x y",
            "#c",
            " ",
            "1",
            "0x1f",
            "true",
            "no",
            "~",
            "1.5",
            "012",
            "&a ",
            "*a",
            "ü",
            "'it''s'",
            "\"\\u00fc\"",
            "? ",
            "-",
            "\t",
        ]);
        prop::collection::vec(piece, 1..24).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 3000, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn what_is_read_is_what_the_second_parser_reads(text in fragments()) {
            if let Ok(tree) = tree(&text) {
                prop_assert_eq!(Some(tree.json()), other(&text));
            }
        }

        #[test]
        fn what_is_written_is_read_again(value in values()) {
            let text = serde_yaml::to_string(&value).unwrap();
            prop_assert_eq!(tree(&text).map(|tree| tree.json()), Ok(value), "{}", text);
        }

        #[test]
        fn any_text_is_answered(text in any::<String>()) {
            let answered = tree(&text);
            prop_assert!(answered.is_ok() || !answered.unwrap_err().is_empty());
        }
    }

    fn values() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            (-1_000_000_i64..1_000_000).prop_map(Value::from),
            "[ -~äöü\n]{0,20}".prop_map(Value::from),
            prop::sample::select(vec!["on", "null", "1", "0x1", "", " ", "a: b", "${x}", "- a"])
                .prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 24, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::btree_map("[a-z]{1,6}", inner, 0..4)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }
}
