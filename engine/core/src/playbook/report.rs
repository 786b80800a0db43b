//! Where findings gather while a file is read.

use super::{Code, Finding, Place};

/// Most findings of one file: more than a person reads, and a bound on the work of a hostile file.
const FINDINGS_MAX: usize = 500;

/// The findings of one file.
#[derive(Debug)]
pub(super) struct Report {
    file: String,
    findings: Vec<Finding>,
}

impl Report {
    pub(super) fn new(file: &str) -> Self {
        Self { file: file.to_owned(), findings: Vec::new() }
    }

    /// Adds a finding.
    pub(super) fn add(&mut self, code: Code, place: Place, message: impl Into<String>) {
        self.add_with(code, place, message, None);
    }

    /// Adds a finding with what to do about it.
    pub(super) fn hint(
        &mut self,
        code: Code,
        place: Place,
        message: impl Into<String>,
        hint: impl Into<String>,
    ) {
        self.add_with(code, place, message, Some(hint.into()));
    }

    /// Adds a finding with a hint where there is one.
    pub(super) fn add_with(
        &mut self,
        code: Code,
        place: Place,
        message: impl Into<String>,
        hint: Option<String>,
    ) {
        if self.findings.len() > FINDINGS_MAX {
            return;
        }
        let (code, message, hint) = if self.findings.len() == FINDINGS_MAX {
            (Code::TooManyFindings, "there is more; mend what is shown first".to_owned(), None)
        } else {
            (code, message.into(), hint)
        };
        self.findings.push(Finding {
            file: self.file.clone(),
            line: place.line,
            column: place.column,
            severity: code.severity(),
            code: code.as_str().to_owned(),
            message,
            hint,
        });
    }

    /// Whether more findings would be thrown away; then work for them is wasted.
    pub(super) fn is_full(&self) -> bool {
        self.findings.len() > FINDINGS_MAX
    }

    /// Whether a finding stands in the way of a plan.
    pub(super) fn has_errors(&self) -> bool {
        self.findings.iter().any(Finding::is_error)
    }

    /// All of them, by place, each once.
    pub(super) fn into_findings(self) -> Vec<Finding> {
        let mut findings = self.findings;
        findings.sort();
        findings.dedup();
        findings
    }
}

/// The candidate that a person most likely meant: at most a third of the letters differ.
pub(super) fn similar<'a>(
    word: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let word: Vec<char> = word.chars().take(WORD_MAX).collect();
    let most = (word.len() / 3).max(1);
    candidates
        .into_iter()
        .filter(|candidate| candidate.len().abs_diff(word.len()) <= most)
        .map(|candidate| (distance(&word, candidate), candidate))
        .filter(|(distance, _)| *distance <= most)
        .min()
        .map(|(_, candidate)| candidate)
}

/// `did you mean …`, where something is near.
pub(super) fn did_you_mean<'a>(
    word: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<String> {
    similar(word, candidates).map(|candidate| format!("did you mean `{candidate}`?"))
}

/// Longer words than ids may have are not compared.
const WORD_MAX: usize = 64;

/// How many letters must be changed, added, left out or swapped with their neighbour.
fn distance(word: &[char], other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=other.len()).collect();
    for (row, letter) in word.iter().enumerate() {
        let mut current = vec![row + 1];
        for (column, candidate) in other.iter().enumerate() {
            let at = |cells: &[usize], index: usize| cells.get(index).copied().unwrap_or(0);
            let mut best = (at(&last, column) + usize::from(letter != candidate))
                .min(at(&last, column + 1) + 1)
                .min(at(&current, column) + 1);
            let swapped = row > 0
                && column > 0
                && word.get(row - 1) == Some(candidate)
                && other.get(column - 1) == Some(letter);
            if swapped {
                best = best.min(at(&before, column - 1) + 1);
            }
            current.push(best);
        }
        before = std::mem::replace(&mut last, current);
    }
    last.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_of_the_pen_is_recognised_and_another_word_is_not() {
        let words = ["instructions", "title", "when", "within"];
        assert_eq!(similar("instuctions", words), Some("instructions"));
        assert_eq!(similar("titel", words), Some("title"));
        assert_eq!(similar("wehn", words), Some("when"));
        assert_eq!(similar("approval", words), None);
    }

    #[test]
    fn a_flood_of_findings_ends_with_one_that_says_so() {
        let mut report = Report::new("x.yaml");
        for line in 1..2000 {
            report.add(Code::UnknownKey, Place { line, column: 1 }, format!("{line}"));
        }
        let findings = report.into_findings();
        assert_eq!(findings.len(), FINDINGS_MAX + 1);
        assert_eq!(findings.last().unwrap().code, "too-many-findings");
    }
}
