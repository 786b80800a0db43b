//! An incident in figures. Each is defined by the lines it is read from, here and in
//! `docs/timeline.md`; what those lines do not say is absent, never 0.

use serde::Serialize;

use super::review::{Lasted, lasting};
use super::stroke::BarEnd;
use super::{BarKind, Lane, TimelineEntry};
use crate::incident::AssetState;
use crate::model::Millis;

/// An incident in figures; lengths in milliseconds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Metrics {
    /// When it was opened.
    #[serde(serialize_with = "super::instant::maybe")]
    pub opened_at: Option<Millis>,
    /// The earliest that is told of it: something may have happened before it was opened.
    #[serde(serialize_with = "super::instant::maybe")]
    pub began_at: Option<Millis>,
    /// From the earliest that is told to its opening.
    pub detect_ms: Option<u64>,
    /// From its opening to the first hold.
    pub first_hold_ms: Option<u64>,
    /// From its opening to the moment from which on no asset was affected any more.
    pub contain_ms: Option<u64>,
    /// From its opening to the first message to authorities, customers or staff that went out.
    pub notify_ms: Option<u64>,
    /// From its opening to its end.
    pub close_ms: Option<u64>,
    /// Attempts that were sent.
    pub attempts: usize,
    /// Of these, the ones after the first of the same step.
    pub repeats: usize,
    /// Of these, the ones that did not work, or of which nobody knows.
    pub attempts_failed: usize,
    /// What waited for people.
    pub waits: usize,
    /// How long all of that waited, each for itself.
    pub waited_ms: u64,
    /// The longest of it.
    pub waited_longest_ms: Option<u64>,
    /// How long something waited for people, counted once where several things waited.
    pub waited_together_ms: u64,
    /// What waits still.
    pub waiting: usize,
    /// Lines that are no detail.
    pub lines: usize,
    /// Of these, the ones that were written down more than a minute after they happened.
    pub late: usize,
    /// Lines that were corrected.
    pub corrected: usize,
}

/// The figures of bound lines, until `now`.
pub fn metrics(lines: &[TimelineEntry], now: Millis) -> Metrics {
    let lasting = lasting(lines, now);
    let of = |kind: BarKind| lasting.bars.iter().filter(move |bar| bar.kind == kind);
    let opened = lines.iter().find(|line| line.kind == "incident-opened").map(TimelineEntry::when);
    let told = || lines.iter().filter(|line| !line.detail);
    let began = told().filter(|line| line.corrected_by.is_none()).map(TimelineEntry::when).min();
    let since = |at: Option<Millis>| Some(at?.since(opened?).millis());
    let closed = lines.iter().rfind(|line| line.kind == "incident-closed").map(TimelineEntry::when);
    let needs: Vec<&Lasted> = of(BarKind::Need).collect();
    let waited = |bar: &&Lasted| bar.to.since(bar.from).millis();
    Metrics {
        opened_at: opened,
        began_at: began,
        detect_ms: opened
            .zip(began)
            .filter(|(opened, began)| began < opened)
            .map(|(opened, began)| opened.since(began).millis()),
        first_hold_ms: since(of(BarKind::Hold).map(|bar| bar.from).min()),
        contain_ms: since(contained(lines)),
        notify_ms: since(notified(lines)),
        close_ms: since(closed),
        attempts: of(BarKind::Attempt).count(),
        repeats: repeats(of(BarKind::Attempt), lines),
        attempts_failed: of(BarKind::Attempt).filter(|bar| is_failed(bar)).count(),
        waits: needs.len(),
        waited_ms: needs.iter().map(waited).sum(),
        waited_longest_ms: needs.iter().map(waited).max(),
        waited_together_ms: together(&needs),
        waiting: needs.iter().filter(|bar| bar.ended.is_none()).count(),
        lines: told().count(),
        late: told().filter(|line| line.late_by().is_some()).count(),
        corrected: lines.iter().filter(|line| line.corrected_by.is_some()).count(),
    }
}

fn is_failed(bar: &Lasted) -> bool {
    matches!(bar.ended, Some((_, BarEnd::Badly | BarEnd::Unknown)))
}

/// When the last asset that was affected stopped being so; nothing while one is, or where none was.
fn contained(lines: &[TimelineEntry]) -> Option<Millis> {
    let mut affected = std::collections::BTreeSet::new();
    let mut until = None;
    let changed = lines.iter().filter_map(|line| Some((line, line.asset?)));
    for (line, (kind, state)) in changed {
        let asset = (kind, line.targets.first());
        match state {
            AssetState::Affected => {
                affected.insert(asset);
            }
            AssetState::Suspected => {}
            AssetState::Contained | AssetState::Cleared => {
                if affected.remove(&asset) {
                    until = Some(line.when());
                }
            }
        }
    }
    until.filter(|_| affected.is_empty())
}

/// When the first message went out. That somebody of the house was called is none.
fn notified(lines: &[TimelineEntry]) -> Option<Millis> {
    let sent = |line: &&TimelineEntry| {
        line.lane == Lane::Authorities && line.kind == "attempt-ended" && !line.failed
    };
    lines.iter().find(sent).map(TimelineEntry::when)
}

/// Attempts after the first of the same step of the same run.
fn repeats<'b>(attempts: impl Iterator<Item = &'b Lasted>, lines: &[TimelineEntry]) -> usize {
    let mut steps = std::collections::BTreeSet::new();
    let step = |bar: &Lasted| lines.get(bar.begins).map(|line| (&line.stream, &line.path));
    attempts.filter_map(step).filter(|step| !steps.insert(*step)).count()
}

/// How long at least one of them lasted.
fn together(bars: &[&Lasted]) -> u64 {
    let mut spans: Vec<(Millis, Millis)> = bars.iter().map(|bar| (bar.from, bar.to)).collect();
    spans.sort_unstable();
    let mut until = None;
    let mut sum = 0_u64;
    for (from, to) in spans {
        let begin = until.map_or(from, |until: Millis| until.max(from));
        sum = sum.saturating_add(to.since(begin).millis());
        until = Some(until.map_or(to, |until| until.max(to)));
    }
    sum
}
