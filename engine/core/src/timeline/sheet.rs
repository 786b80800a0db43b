//! A checklist for paper as it is before it has a form: what a page and a text are made of.
//!
//! It says nothing by itself: `print` fills it. As Markdown it reads well as plain text.

use super::sentence::Paper;
use crate::model::PlaybookName;

/// A checklist.
#[derive(Debug, Clone)]
pub struct Sheet {
    /// The playbook's title.
    pub title: String,
    /// The playbook's name.
    pub playbook: PlaybookName,
    /// How far it may be shared.
    pub tlp: String,
    /// The beginning of the plan's digest.
    pub digest: String,
    /// What it begins with.
    pub given: Vec<Given>,
    /// What waits for people at the run itself.
    pub asked: Vec<Vec<Bit>>,
    /// What is to be done; the first part has no title.
    pub parts: Vec<(Option<&'static str>, Vec<Row>)>,
    /// Where its content comes from.
    pub sources: Vec<String>,
    pub(super) paper: &'static Paper,
    pub(super) tick: &'static str,
}

/// An input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Given {
    /// What people call it.
    pub label: String,
    /// Its name.
    pub name: String,
    /// What it is in the run; nothing on an empty sheet.
    pub value: Option<String>,
}

/// A line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// In how many others it stands.
    pub depth: usize,
    /// What it is.
    pub kind: RowKind,
}

/// What a line is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RowKind {
    /// A step, with what stands in its box: a space, `x`, `-`, `!` or `?`.
    Step {
        /// What stands in its box.
        mark: char,
        /// What it is called.
        title: String,
    },
    /// Something about the step above it.
    More {
        /// What.
        label: &'static str,
        /// And how.
        text: Vec<Bit>,
    },
    /// A sentence about the step above it.
    Line(Vec<Bit>),
    /// An item of a loop.
    Item {
        /// From 1.
        number: u64,
        /// Its name.
        text: String,
    },
}

/// A part of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Bit {
    /// Words.
    Text(String),
    /// As it stands in the playbook.
    Code(String),
    /// To be seen at once.
    Strong(String),
    /// To be written on, so many characters wide.
    Blank(usize),
}

impl Bit {
    pub(super) fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }
}

impl Sheet {
    /// As Markdown that reads well as plain text.
    pub fn text(&self) -> String {
        let (mut out, paper) = (String::new(), self.paper);
        line(&mut out, 0, &format!("# {}: {}", paper.checklist, self.title));
        line(&mut out, 0, "");
        let Self { playbook, tlp, digest, .. } = self;
        line(&mut out, 0, &format!("{} `{playbook}` · {tlp} · `{digest}`", paper.playbook));
        for Given { label, name, value } in &self.given {
            let value = value.clone().unwrap_or_else(|| "_".repeat(BLANK));
            line(&mut out, 0, &format!("- {} {label} (`{name}`): {value}", paper.inputs));
        }
        for asked in &self.asked {
            line(&mut out, 0, &said(asked));
        }
        line(&mut out, 0, "");
        for (title, rows) in &self.parts {
            if let Some(title) = title {
                line(&mut out, 0, "");
                line(&mut out, 0, &format!("## {title}"));
                line(&mut out, 0, "");
            }
            for Row { depth, kind } in rows {
                line(&mut out, *depth, &self.row(kind));
            }
        }
        if !self.sources.is_empty() {
            line(&mut out, 0, "");
            line(&mut out, 0, &format!("{}: {}", paper.sources, self.sources.join("; ")));
        }
        line(&mut out, 0, "");
        line(&mut out, 0, &format!("{}:", paper.notes));
        out
    }

    fn row(&self, kind: &RowKind) -> String {
        match kind {
            RowKind::Step { mark, title } => format!("- [{mark}] **{title}** · {}", self.tick),
            RowKind::More { label, text } => format!("{label}: {}", said(text)),
            RowKind::Line(text) => said(text),
            RowKind::Item { number, text } => format!("{number}. {text}"),
        }
    }
}

/// Characters of a place to write on.
pub(super) const BLANK: usize = 16;

fn line(out: &mut String, depth: usize, text: &str) {
    if !text.is_empty() {
        out.push_str(&"    ".repeat(depth));
        out.push_str(text);
    }
    out.push('\n');
}

fn said(bits: &[Bit]) -> String {
    let one = |bit: &Bit| match bit {
        Bit::Text(text) => text.clone(),
        Bit::Code(text) => format!("`{text}`"),
        Bit::Strong(text) => format!("**{text}**"),
        Bit::Blank(wide) => "_".repeat(*wide),
    };
    bits.iter().map(one).collect()
}
