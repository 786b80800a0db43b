//! Kinds that hold steps: branches, loops, alternatives, rounds.

use super::super::ids::IdOf;
use super::super::report::Report;
use super::super::tree::{Entry, Meaning, Yaml};
use super::super::{Code, Join, Tolerance};
use super::step::steps;
use super::value::{expression, id, length, list, literal_id, place_of, small, text, whole, word};
use super::{Case, Fields, ForEach, Kind, List, Repeat, Spanned, Step};

/// Most items of a loop (`execution`: limits).
const ITEMS_MAX: u64 = 100_000;
/// Most rounds of a `repeat`: one every minute for two years.
const ROUNDS_MAX: u64 = 1_000_000;

pub(super) fn parallel<'y>(
    entry: &'y Entry,
    fields: &mut Fields<'y>,
    report: &mut Report,
) -> Kind<'y> {
    let join = fields
        .take("join")
        .and_then(|entry| word(entry, &[("all", Join::All), ("any", Join::Any)], report))
        .unwrap_or(Join::All);
    let mut branches = Vec::new();
    let Some(entries) = entry.value.map() else {
        let message =
            format!("`parallel` must be a mapping of named branches, is {}", entry.value.word());
        report.add(Code::WrongType, place_of(entry), message);
        return Kind::Parallel { branches, join };
    };
    if entries.is_empty() {
        report.add(Code::EmptyBlock, entry.value.place, "`parallel` has no branches");
    }
    for branch in entries {
        let steps = steps(branch, report);
        let name = id(branch.name(), branch.place, IdOf::Step, report);
        // A branch with a bad name is looked at like the others.
        let unnamed = || Spanned { value: literal_id("unnamed"), place: branch.place };
        branches.push((name.unwrap_or_else(unnamed), steps));
    }
    Kind::Parallel { branches, join }
}

pub(super) fn for_each<'y>(
    entry: &'y Entry,
    fields: &mut Fields<'y>,
    report: &mut Report,
) -> ForEach<'y> {
    let list = match entry.value.scalar().map(|scalar| &scalar.meaning) {
        Some(Meaning::Number(_)) => {
            whole(entry, 0..=ITEMS_MAX, report).map_or(List::Broken, List::Count)
        }
        Some(Meaning::Null | Meaning::Boolean(_) | Meaning::Text) | None => {
            expression(entry, report).map_or(List::Broken, List::Expression)
        }
    };
    let named = fields
        .take("as")
        .and_then(|entry| id(text(entry, report)?.as_str(), entry.value.place, IdOf::Name, report));
    ForEach {
        list,
        item: named.unwrap_or_else(|| Spanned { value: literal_id("item"), place: entry.place }),
        max_parallel: fields
            .take("max_parallel")
            .and_then(|entry| small(entry, 1..=100_000, report))
            .unwrap_or(1),
        tolerate: fields.take("tolerate").and_then(|entry| tolerate(entry, report)),
        steps: inside(fields, report),
    }
}

/// The `steps` of a loop.
fn inside<'y>(fields: &mut Fields<'y>, report: &mut Report) -> Vec<Step<'y>> {
    fields.need("steps", report).map(|entry| steps(entry, report)).unwrap_or_default()
}

fn tolerate(entry: &Entry, report: &mut Report) -> Option<Tolerance> {
    let Some(text) = entry.value.text() else {
        return whole(entry, 0..=ITEMS_MAX, report).map(Tolerance::Count);
    };
    let percent = text.as_str().trim().strip_suffix('%').and_then(|number| number.parse().ok());
    let found = percent.filter(|percent: &u8| *percent <= 100).map(Tolerance::Percent);
    if found.is_none() {
        let message = "`tolerate` must be a number of items like `3` or a part like `10%`";
        report.add(Code::OutOfRange, entry.value.place, message);
    }
    found
}

pub(super) fn switch<'y>(entry: &'y Entry, report: &mut Report) -> Vec<Case<'y>> {
    let items = list(entry, "a list of `{ when, steps }`", report);
    if items.is_empty() && entry.value.list().is_some() {
        report.add(Code::EmptyBlock, entry.value.place, "`switch` has no alternatives");
    }
    let last = items.len().saturating_sub(1);
    let mut cases = Vec::new();
    for (index, item) in items.iter().enumerate() {
        cases.extend(case(item, index == last, report));
    }
    cases
}

fn case<'y>(item: &'y Yaml, is_last: bool, report: &mut Report) -> Option<Case<'y>> {
    let mut fields = Fields::of(item, "an alternative", report)?;
    let case = if let Some(otherwise) = fields.take("otherwise") {
        if !is_last {
            let message = "`otherwise` is the last alternative; what follows never runs";
            report.add(Code::NeverRuns, otherwise.place, message);
        }
        Case { when: None, steps: steps(otherwise, report) }
    } else {
        let when = fields.need("when", report).and_then(|entry| expression(entry, report));
        Case { when, steps: inside(&mut fields, report) }
    };
    fields.finish(report);
    Some(case)
}

pub(super) fn repeat<'y>(
    entry: &'y Entry,
    fields: &mut Fields<'y>,
    report: &mut Report,
) -> Option<Repeat<'y>> {
    let steps = inside(fields, report);
    let mut fields = Fields::of(&entry.value, "a `repeat`", report)?;
    let until = fields.need("until", report).and_then(|entry| expression(entry, report));
    let max = fields.need("max", report).and_then(|entry| whole(entry, 1..=ROUNDS_MAX, report));
    let every = fields.take("every").and_then(|entry| length(entry, report));
    fields.finish(report);
    Some(Repeat { until, max: max.unwrap_or(1), every, steps })
}
