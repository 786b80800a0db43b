//! The one place that prints: data to stdout, everything else to stderr.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::io::{ErrorKind, IsTerminal as _, Write as _};
use std::sync::{Arc, OnceLock};

use beistand_core::playbook::{Finding, Severity, SourceText};
use serde_json::Value;

use crate::exit::{Exit, Failure};
use crate::library;
use crate::shown::{Look, shown};

/// How to speak to whoever called.
#[derive(Debug, Clone)]
#[expect(clippy::struct_excessive_bools, reason = "switches that people turn one by one")]
pub(crate) struct Out {
    pub(crate) json: bool,
    pub(crate) quiet: bool,
    pub(crate) colour: bool,
    /// stderr is a terminal that can move its cursor.
    pub(crate) live: bool,
    /// Why data could not be written, the first time.
    lost: Arc<OnceLock<String>>,
}

impl Out {
    pub(crate) fn new(json: bool, quiet: bool, plain: bool) -> Self {
        let terminal = std::io::stderr().is_terminal();
        let colour = terminal && !plain;
        Self { json, quiet, colour, live: colour && !quiet, lost: Arc::default() }
    }

    /// Why data was lost on its way, if it was: an export that is not whole must not look like one.
    pub(crate) fn lost(&self) -> Option<Failure> {
        let why = self.lost.get()?;
        Some(Failure::new(Exit::Unreachable, format!("the output could not be written: {why}")))
    }

    /// A line of data for people.
    pub(crate) fn line(&self, text: impl Display) {
        self.document(safe(&text.to_string()));
    }

    /// Data in a format that escapes what it holds itself.
    pub(crate) fn document(&self, text: impl Display) {
        if let Err(error) = writeln!(std::io::stdout().lock(), "{text}")
            // A reader that went away (`| head`) is no fault of ours.
            && error.kind() != ErrorKind::BrokenPipe
        {
            self.lost.get_or_init(|| error.to_string());
        }
    }

    /// Data as one JSON value.
    pub(crate) fn value(&self, value: &Value) {
        let text = serde_json::to_string_pretty(value).unwrap_or_default();
        self.document(text);
    }

    /// A line for people.
    pub(crate) fn note(&self, text: impl Display) {
        if !self.quiet {
            self.loud(text);
        }
    }

    /// A question or warning that quiet does not hide.
    #[expect(clippy::unused_self, reason = "whoever prints holds the printer, whatever it prints")]
    pub(crate) fn loud(&self, text: impl Display) {
        drop(writeln!(std::io::stderr().lock(), "{}", safe(&text.to_string())));
    }

    /// The one top-level report: sentence, causes, hint.
    pub(crate) fn failure(&self, failure: &Failure) {
        if self.json && !failure.message.is_empty() {
            let error = serde_json::json!({
                "error": failure.message, "causes": failure.causes, "hint": failure.hint,
                "exit": failure.exit as i32,
            });
            drop(writeln!(std::io::stderr().lock(), "{error}"));
            return;
        }
        if failure.message.is_empty() {
            return;
        }
        if let Some((finding, source)) = failure.finding.as_deref() {
            self.drawn(finding, Some(source));
            return;
        }
        let head = if self.colour { "\u{1b}[1;31merror\u{1b}[0m" } else { "error" };
        drop(writeln!(std::io::stderr().lock(), "{head}: {}", safe(&failure.message)));
        for cause in &failure.causes {
            self.loud(format_args!("  because: {cause}"));
        }
        if let Some(hint) = &failure.hint {
            self.loud(format_args!("  hint: {hint}"));
        }
    }

    /// Findings, all of them: as text with the source line, or as the JSON array of the contract.
    pub(crate) fn findings(&self, findings: &[Finding], sources: &[SourceText]) {
        if self.json {
            self.value(&serde_json::json!(findings));
            return;
        }
        let mut others: BTreeMap<&str, Option<SourceText>> = BTreeMap::new();
        for finding in findings {
            let source = sources.iter().find(|source| source.name() == finding.file);
            // A finding in a sub-playbook: that is read anew, once.
            let source = source.or_else(|| {
                let other = others.entry(&finding.file);
                other.or_insert_with(|| library::reread(&finding.file)).as_ref()
            });
            self.drawn(finding, source);
        }
        let errors = findings.iter().filter(|finding| finding.severity == Severity::Error).count();
        let warnings = findings.len() - errors;
        if !findings.is_empty() {
            self.note(format_args!("{}, {}", many(errors, "error"), many(warnings, "warning")));
        }
    }

    fn drawn(&self, finding: &Finding, source: Option<&SourceText>) {
        let look = Look { colour: self.colour, width: self.live.then(width).flatten() };
        // Colours are ours; what stands in the file was made harmless where it was drawn.
        drop(writeln!(std::io::stderr().lock(), "{}", shown(finding, source, look)));
    }

    /// Columns, aligned.
    pub(crate) fn table(&self, head: &[&str], rows: &[Vec<String>]) {
        let rows: Vec<Vec<String>> =
            rows.iter().map(|row| row.iter().map(|text| cell(text)).collect()).collect();
        let width = |column: usize| {
            let cells =
                rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count());
            cells.chain(head.get(column).map(|head| head.len())).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..head.len()).map(width).collect();
        let line = |cells: Vec<String>| {
            let padded = cells.iter().zip(&widths).map(|(cell, width)| {
                let pad = width.saturating_sub(cell.chars().count());
                format!("{cell}{}", " ".repeat(pad))
            });
            padded.collect::<Vec<_>>().join("  ").trim_end().to_owned()
        };
        self.line(line(head.iter().map(|head| (*head).to_owned()).collect()));
        for row in rows {
            self.line(line(row));
        }
    }
}

/// `1 run`, `2 runs`.
pub(crate) fn many(count: usize, word: &str) -> String {
    format!("{count} {word}{}", if count == 1 { "" } else { "s" })
}

/// How many columns the terminal at stderr has, if it says so.
fn width() -> Option<usize> {
    let size = rustix::termios::tcgetwinsize(std::io::stderr()).ok()?;
    Some(usize::from(size.ws_col)).filter(|columns| *columns > 0)
}

/// Control and reordering characters, which a terminal would obey, made visible. Lines stay lines.
pub(crate) fn safe(text: &str) -> String {
    escaped(text, |c| c != '\n' && steers(c))
}

/// As [`safe`], on one line: a text from outside can not write lines that look like ours.
pub(crate) fn cell(text: &str) -> String {
    escaped(text, leaves_its_cell)
}

/// Whether a character does not simply stand where it is put: it steers, or begins a line.
pub(crate) fn leaves_its_cell(c: char) -> bool {
    steers(c) || matches!(c, '\u{2028}' | '\u{2029}')
}

fn steers(c: char) -> bool {
    let bidi =
        matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' | '\u{200E}' | '\u{200F}');
    c.is_control() || bidi
}

fn escaped(text: &str, shown_as_code: impl Fn(char) -> bool) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if shown_as_code(c) {
            out.extend(c.escape_unicode());
        } else {
            out.push(c);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_from_outside_steers_no_terminal_and_writes_no_line() {
        for c in ['\u{1b}', '\r', '\u{9b}', '\u{202e}', '\u{2066}', '\u{200f}', '\u{7f}', '\u{8}'] {
            let shown = safe(&format!("a{c}b"));
            assert_eq!(shown, format!("a{}b", c.escape_unicode()));
            assert_eq!(safe(&shown), shown);
        }
        assert_eq!(safe("a\nb ä"), "a\nb ä");
        assert_eq!(cell("a\nrun  succeeded\u{2028}x"), "a\\u{a}run  succeeded\\u{2028}x");
    }
}
