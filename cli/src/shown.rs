//! How a finding looks to a person: miette's report over the one line of the file that it is about.
//!
//! What the terminal can do is an argument, so that the same finding always looks the same.

use std::fmt;

use beistand_core::playbook::{Finding, Severity, SourceText};
use miette::{
    Diagnostic, GraphicalReportHandler, GraphicalTheme, LabeledSpan, MietteError,
    MietteSpanContents, SourceCode, SourceSpan, SpanContents,
};

use crate::out::{cell, leaves_its_cell};

/// Longest part of a source line that is shown, in characters.
const EXCERPT_MAX: usize = 120;

/// What stands beside an excerpt: line number, margin, and a little air.
const MARGIN: usize = 12;

/// What can be shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Look {
    /// Colours, and lines instead of ASCII.
    pub(crate) colour: bool,
    /// Columns of the terminal. Without one nothing is wrapped: a line stays a line for `grep`.
    pub(crate) width: Option<usize>,
}

/// The finding as text, ending with a line break. The source line is left out where `source` is
/// absent or has no such line; then the place stands before the sentence.
pub(crate) fn shown(finding: &Finding, source: Option<&SourceText>, look: Look) -> String {
    let most = look.width.map_or(EXCERPT_MAX, |width| width.saturating_sub(MARGIN));
    let line = source.and_then(|source| source.line(finding.line));
    let excerpt = line.map(|line| Excerpt::new(line, finding, most.clamp(MARGIN, EXCERPT_MAX)));
    let theme = if look.colour { GraphicalTheme::unicode() } else { GraphicalTheme::none() };
    let handler = GraphicalReportHandler::new_themed(theme)
        .with_links(false)
        .with_context_lines(0)
        .with_wrap_lines(look.width.is_some())
        .with_width(look.width.unwrap_or(EXCERPT_MAX));
    let mut text = String::new();
    let report = Report { finding, excerpt };
    // Writing into a String can not fail, and a report that could not be drawn is still told.
    if handler.render_report(&mut text, &report).is_err() {
        return format!("{}\n", cell(&finding.to_string()));
    }
    text.lines().flat_map(|line| [line.trim_end(), "\n"]).collect()
}

/// A finding as miette wants it.
#[derive(Debug)]
struct Report<'f> {
    finding: &'f Finding,
    excerpt: Option<Excerpt>,
}

impl fmt::Display for Report<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Finding { file, line, column, message, .. } = self.finding;
        if self.excerpt.is_none() {
            write!(f, "{}:{line}:{column}: ", cell(file))?;
        }
        f.write_str(&cell(message))
    }
}

impl std::error::Error for Report<'_> {}

impl Diagnostic for Report<'_> {
    fn code<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        let Finding { severity, code, .. } = self.finding;
        Some(Box::new(format!("{}[{}]", severity.as_str(), cell(code))))
    }
    fn severity(&self) -> Option<miette::Severity> {
        Some(match self.finding.severity {
            Severity::Error => miette::Severity::Error,
            Severity::Warning => miette::Severity::Warning,
        })
    }
    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        let hint = self.finding.hint.as_ref()?;
        Some(Box::new(cell(hint)))
    }
    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.excerpt.as_ref().map(|excerpt| excerpt as &dyn SourceCode)
    }
    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let span = self.excerpt.as_ref()?.span;
        Some(Box::new(std::iter::once(LabeledSpan::new_primary_with_span(None, span))))
    }
}

/// The part of one line around a finding, without what would steer a terminal.
#[derive(Debug)]
struct Excerpt {
    file: String,
    line: usize,
    column: usize,
    text: String,
    /// What is meant, in bytes of `text`.
    span: SourceSpan,
}

impl Excerpt {
    fn new(line: &str, finding: &Finding, most: usize) -> Self {
        let from_one = |number: u32| usize::try_from(number).unwrap_or(1).saturating_sub(1);
        let column = from_one(finding.column);
        // A long line is cut around the place; tabs are one blank, so that columns stay columns.
        let skipped = column.saturating_sub(most / 2);
        let mut characters =
            line.trim_end().chars().enumerate().skip(skipped).map(|(at, c)| match c {
                _ if at == skipped && at > 0 => '…',
                '\t' => ' ',
                c if leaves_its_cell(c) => '\u{fffd}',
                c => c,
            });
        let mut text: String = characters.by_ref().take(most).collect();
        if characters.next().is_some() {
            text.push('…');
        }
        // What is missing at the end of a line stands behind it.
        let missing = (column - skipped + 1).saturating_sub(text.chars().count());
        text.extend(std::iter::repeat_n(' ', missing.min(most)));
        let at = text.chars().take(column - skipped).map(char::len_utf8).sum();
        let meant = text.get(at..).unwrap_or_default();
        let word = meant.find(|c: char| !c.is_alphanumeric() && !"_-.".contains(c));
        let first = meant.chars().next().map_or(0, char::len_utf8);
        let length = word.unwrap_or(meant.len()).max(first);
        let span = SourceSpan::from((at, length));
        Self { file: cell(&finding.file), line: from_one(finding.line), column, text, span }
    }
}

impl SourceCode for Excerpt {
    fn read_span<'a>(
        &'a self,
        _span: &SourceSpan,
        _before: usize,
        _after: usize,
    ) -> Result<Box<dyn SpanContents<'a> + 'a>, MietteError> {
        let whole = SourceSpan::from((0, self.text.len()));
        let (file, text) = (self.file.clone(), self.text.as_bytes());
        let contents = MietteSpanContents::new_named(file, text, whole, self.line, self.column, 1);
        Ok(Box::new(contents))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: Look = Look { colour: false, width: None };

    fn finding(line: u32, column: u32) -> Finding {
        Finding {
            file: "night.yaml".to_owned(),
            line,
            column,
            severity: Severity::Error,
            code: "unknown-key".to_owned(),
            message: "a playbook has no key `titel`".to_owned(),
            hint: Some("did you mean `title`?".to_owned()),
        }
    }

    fn source(text: &str) -> SourceText {
        SourceText::new("night.yaml", text)
    }

    #[test]
    fn a_finding_shows_its_line_what_is_meant_and_the_way_out() {
        let source = source("playbook: night\ntitel: Night\n");
        let shown = shown(&finding(2, 1), Some(&source), PLAIN);
        let wanted = "\
error[unknown-key]

  x a playbook has no key `titel`
   ,-[night.yaml:2:1]
 2 | titel: Night
   : ^^^^^
   `----
  help: did you mean `title`?
";
        assert_eq!(shown, wanted);
    }

    #[test]
    fn what_is_missing_at_the_end_of_a_line_is_pointed_at_too() {
        for (text, column) in [("when: a >", 10), ("when: a >", 12), ("", 1), ("ä", 2)] {
            let source = source(&format!("{text}\nnext\n"));
            let shown = shown(&finding(1, column), Some(&source), PLAIN);
            let blanks = " ".repeat(column as usize - 1);
            assert!(shown.contains(&format!("   : {blanks}^\n")), "{shown}");
        }
    }

    #[test]
    fn without_a_line_the_place_stands_before_the_sentence() {
        for source in [None, Some(&source("one line\n"))] {
            let shown = shown(&finding(7, 3), source, PLAIN);
            assert!(shown.contains("x night.yaml:7:3: a playbook has no key"), "{shown}");
        }
    }

    #[test]
    fn a_long_line_is_cut_around_the_place_and_the_caret_stays_true() {
        let source = source(&format!("{}titel{}\n", "ä ".repeat(500), " x".repeat(500)));
        for width in [None, Some(60)] {
            let shown = shown(&finding(1, 1001), Some(&source), Look { colour: false, width });
            let line = |head: &str| shown.lines().find(|line| line.starts_with(head)).unwrap();
            let (text, caret) = (line(" 1 |"), line("   :"));
            let at = |line: &str, c: &str| line.split(c).next().unwrap().chars().count();
            assert_eq!(at(text, "titel"), at(caret, "^"), "{shown}");
            assert!(
                text.ends_with('…')
                    && text.contains("| …")
                    && text.chars().count() < width.unwrap_or(140),
                "{shown}"
            );
        }
    }

    #[test]
    fn nothing_in_a_finding_steers_a_terminal() {
        let source = source("a\u{202e}b\tc\u{1b}[31m\n");
        let mut finding = finding(1, 2);
        finding.message = "say\u{1b}[31m\n  it".to_owned();
        finding.hint = Some("\u{202e}".to_owned());
        let shown = shown(&finding, Some(&source), PLAIN);
        assert!(!shown.contains(['\u{1b}', '\u{202e}', '\t']), "{shown}");
        assert!(shown.contains("1 | a\u{fffd}b c\u{fffd}[31m\n   :  ^"), "{shown}");
    }

    #[test]
    fn colours_come_only_where_they_are_wanted_and_width_wraps_only_a_terminal() {
        let source = source("titel: Night\n");
        let coloured = shown(&finding(1, 1), Some(&source), Look { colour: true, width: Some(80) });
        assert!(coloured.contains('\u{1b}') && coloured.contains('╭'), "{coloured}");
        let plain = shown(&finding(1, 1), Some(&source), Look { colour: false, width: Some(80) });
        assert!(!plain.contains('\u{1b}') && plain.is_ascii(), "{plain}");
        let mut long = finding(1, 1);
        long.message = "word ".repeat(60);
        let wrapped = shown(&long, Some(&source), Look { colour: false, width: Some(40) });
        assert!(wrapped.lines().all(|line| line.chars().count() <= 40), "{wrapped}");
        assert!(shown(&long, Some(&source), PLAIN).contains(long.message.trim_end()));
    }
}
