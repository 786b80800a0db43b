//! Single values of the file: texts, numbers, words, durations, names.

use std::ops::RangeInclusive;
use std::str::FromStr;

use super::super::ids::{IdOf, check_id};
use super::super::report::{Report, did_you_mean};
use super::super::template::has_expression;
use super::super::tree::{Entry, Meaning, Scalar, Text, Yaml};
use super::super::{Code, Place};
use super::fields::short;
use super::{Length, Spanned};
use crate::model::{ActionName, PlaybookName, Role, Span, StepId};

fn wrong(entry: &Entry, expected: &str, report: &mut Report) {
    let message =
        format!("`{}` must be {expected}, is {}", short(entry.name()), entry.value.word());
    let hint = entry
        .value
        .scalar()
        .filter(|scalar| expected.contains("text") && scalar.meaning != Meaning::Null)
        .map(|_| "put it in quotes".to_owned());
    report.add_with(Code::WrongType, place_of(entry), message, hint);
}

/// Where the value stands; the key where it is empty.
pub(in crate::playbook) fn place_of(entry: &Entry) -> Place {
    match entry.value.scalar() {
        Some(Scalar { meaning: Meaning::Null, .. }) => entry.place,
        Some(_) | None => entry.value.place,
    }
}

/// A text.
pub(in crate::playbook) fn text<'y>(entry: &'y Entry, report: &mut Report) -> Option<&'y Text> {
    let found = entry.value.text();
    if found.is_none() {
        wrong(entry, "a text", report);
    }
    found
}

/// A text for people in which nothing is filled in.
pub(in crate::playbook) fn plain_text(entry: &Entry, report: &mut Report) -> Option<String> {
    let text = text(entry, report)?.as_str();
    if has_expression(text) {
        let message = format!("nothing is filled in in `{}`", entry.name());
        report.add(Code::TemplateNotHere, entry.value.place, message);
    }
    Some(text.to_owned())
}

/// An expression: any scalar, read as it was written.
pub(in crate::playbook) fn expression<'y>(
    entry: &'y Entry,
    report: &mut Report,
) -> Option<&'y Text> {
    match entry.value.scalar() {
        Some(scalar) if scalar.meaning != Meaning::Null => Some(&scalar.text),
        Some(_) | None => {
            wrong(entry, "an expression", report);
            None
        }
    }
}

/// True or false.
pub(in crate::playbook) fn boolean(entry: &Entry, report: &mut Report) -> Option<bool> {
    match entry.value.scalar().map(|scalar| &scalar.meaning) {
        Some(Meaning::Boolean(value)) => Some(*value),
        Some(Meaning::Null | Meaning::Number(_) | Meaning::Text) | None => {
            wrong(entry, "`true` or `false`", report);
            None
        }
    }
}

/// A whole number within a range.
pub(in crate::playbook) fn whole(
    entry: &Entry,
    range: RangeInclusive<u64>,
    report: &mut Report,
) -> Option<u64> {
    let number = match entry.value.scalar().map(|scalar| &scalar.meaning) {
        Some(Meaning::Number(number)) => number,
        Some(Meaning::Null | Meaning::Boolean(_) | Meaning::Text) | None => {
            wrong(entry, "a whole number", report);
            return None;
        }
    };
    let found = number.as_u64().filter(|number| range.contains(number));
    if found.is_none() {
        let message = format!(
            "`{}` must be a whole number from {} to {}, is {number}",
            entry.name(),
            range.start(),
            range.end()
        );
        report.add(Code::OutOfRange, entry.value.place, message);
    }
    found
}

/// The same for numbers that are kept small.
pub(in crate::playbook) fn small(
    entry: &Entry,
    range: RangeInclusive<u32>,
    report: &mut Report,
) -> Option<u32> {
    let wide = u64::from(*range.start())..=u64::from(*range.end());
    whole(entry, wide, report).and_then(|number| u32::try_from(number).ok())
}

/// One of a few words.
pub(in crate::playbook) fn word<T: Clone>(
    entry: &Entry,
    words: &[(&str, T)],
    report: &mut Report,
) -> Option<T> {
    let written = text(entry, report)?.as_str();
    let found = words.iter().find(|(word, _)| *word == written).map(|(_, value)| value.clone());
    if found.is_none() {
        let all: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
        let message = format!("`{}` can not be `{}`", entry.name(), short(written));
        let hint = did_you_mean(written, all.iter().copied())
            .unwrap_or_else(|| format!("one of: {}", all.join(", ")));
        report.hint(Code::UnknownValue, entry.value.place, message, hint);
    }
    found
}

/// A role.
pub(in crate::playbook) fn role(entry: &Entry, report: &mut Report) -> Option<Role> {
    let written = text(entry, report)?.as_str();
    let found = written.parse().ok();
    if found.is_none() {
        let all: Vec<&str> = Role::ALL.iter().map(|role| role.as_str()).collect();
        let message = format!("there is no role `{}`", short(written));
        let hint = did_you_mean(written, all.iter().copied())
            .unwrap_or_else(|| format!("one of: {}", all.join(", ")));
        report.hint(Code::UnknownRole, entry.value.place, message, hint);
    }
    found
}

/// A duration, written down or rendered.
pub(in crate::playbook) fn length<'y>(entry: &'y Entry, report: &mut Report) -> Option<Length<'y>> {
    if let Some(text) = entry.value.text()
        && has_expression(text.as_str())
    {
        return Some(Length::Rendered(text));
    }
    span(entry, report).map(Length::Fixed)
}

/// A duration that is written down.
pub(in crate::playbook) fn span(entry: &Entry, report: &mut Report) -> Option<Span> {
    let written = entry.value.scalar().map(|scalar| scalar.text.as_str());
    let found = entry.value.text().and_then(|text| Span::parse(text.as_str()).ok());
    if found.is_none() {
        let shown = written
            .map_or_else(|| entry.value.word().to_owned(), |text| format!("`{}`", short(text)));
        let message = format!("`{}` must be a duration, is {shown}", entry.name());
        report.hint(
            Code::BadDuration,
            place_of(entry),
            message,
            "like 90s, 15m, 4h or 3d; at most ten years",
        );
    }
    found
}

/// An id that stands as a value or as a key.
pub(in crate::playbook) fn id(
    written: &str,
    place: Place,
    of: IdOf,
    report: &mut Report,
) -> Option<Spanned<StepId>> {
    match check_id(written, of) {
        Ok(()) => written.parse().ok().map(|value| Spanned { value, place }),
        Err(bad) => {
            let message = format!("`{}` {}", short(written), bad.why);
            let hint = bad.instead.map(|instead| format!("`{instead}` would do"));
            report.add_with(Code::BadId, place, message, hint);
            None
        }
    }
}

/// A playbook's name.
pub(in crate::playbook) fn playbook_name(
    entry: &Entry,
    report: &mut Report,
) -> Option<Spanned<PlaybookName>> {
    named(entry, "a playbook: small letters, digits and `-`, beginning with a letter", report)
}

/// An action's name.
pub(in crate::playbook) fn action_name(
    entry: &Entry,
    report: &mut Report,
) -> Option<Spanned<ActionName>> {
    named(entry, "an action: two words with a dot, like `network.isolate`", report)
}

fn named<T: FromStr>(entry: &Entry, what: &str, report: &mut Report) -> Option<Spanned<T>> {
    let written = text(entry, report)?.as_str();
    let place = entry.value.place;
    let found = written.parse().ok().map(|value| Spanned { value, place });
    if found.is_none() {
        let message = format!("`{}` is no name of {what}", short(written));
        report.add(Code::BadName, place, message);
    }
    found
}

/// The elements of a list; a finding where it is none.
pub(in crate::playbook) fn list<'y>(
    entry: &'y Entry,
    what: &str,
    report: &mut Report,
) -> &'y [Yaml] {
    entry.value.list().unwrap_or_else(|| {
        wrong(entry, what, report);
        &[]
    })
}

/// Texts in a list.
pub(in crate::playbook) fn texts<'y>(
    entry: &'y Entry,
    report: &mut Report,
) -> Vec<Spanned<&'y str>> {
    let mut found = Vec::new();
    for item in list(entry, "a list of texts", report) {
        if let Some(text) = item.text() {
            found.push(Spanned { value: text.as_str(), place: item.place });
        } else {
            let message = format!("`{}` is a list of texts, this is {}", entry.name(), item.word());
            report.add(Code::WrongType, item.place, message);
        }
    }
    found
}

/// An id that stands in this program.
#[expect(clippy::expect_used, reason = "the callers hand in literals, and tests reach them all")]
pub(in crate::playbook) fn literal_id(text: &'static str) -> StepId {
    text.parse().expect("a literal id")
}
