//! Where an instant lies: busy time in proportion, long idle stretches collapsed.

use jiff::Timestamp;

use super::{Gap, POSITIONS, Tick};
use crate::model::{Millis, Span};
use crate::timeline::format::Zone;
use crate::timeline::sentence::{lasted, words};
use crate::timeline::{Lang, TimelineEntry};

/// An idle stretch shorter than this is part of the work.
pub(super) const GAP_MIN: Span = Span::from_secs(30 * 60);

/// So many stretches are collapsed, the longest: what is left must still be a scale.
const GAPS_MAX: usize = 12;

/// How wide a collapsed stretch is, beside others.
const GAP_WIDTH: u64 = 24;

/// A busy stretch is at least this part of all busy time wide, or points would lie on each other.
const BUSY_MIN: u64 = 50;

/// At most so many ticks, as far apart as a label needs.
const TICKS_MAX: u64 = 10;
const TICK_APART: u16 = 60;

/// Lengths between ticks that people count in.
const STEPS: [u64; 16] = [
    1_000,
    10_000,
    30_000,
    60_000,
    300_000,
    600_000,
    900_000,
    1_800_000,
    3_600_000,
    7_200_000,
    10_800_000,
    21_600_000,
    43_200_000,
    86_400_000,
    604_800_000,
    2_592_000_000,
];

/// From an instant to a position and on.
#[derive(Debug, Clone)]
pub(super) struct Axis {
    pub(super) from: Millis,
    pub(super) to: Millis,
    parts: Vec<Part>,
}

#[derive(Debug, Clone, Copy)]
struct Part {
    from: Millis,
    to: Millis,
    left: u64,
    right: u64,
    idle: bool,
}

impl Axis {
    /// The axis of what happened at these instants, which are sorted; none of nothing.
    pub(super) fn of(instants: &[Millis]) -> Option<Self> {
        let (from, to) = (*instants.first()?, *instants.last()?);
        let pairs = instants.iter().zip(instants.iter().skip(1));
        let mut idle: Vec<(Millis, Millis)> = pairs
            .filter(|(before, after)| after.since(**before) >= GAP_MIN)
            .map(|(before, after)| (*before, *after))
            .collect();
        // The longest, and of equal ones the first.
        idle.sort_by_key(|(before, after)| (std::cmp::Reverse(after.since(*before)), *before));
        idle.truncate(GAPS_MAX);
        idle.sort_unstable();
        Some(Self { from, to, parts: parts((from, to), &idle) })
    }

    /// Where an instant lies, from 0 to 1000; what is before or after lies on the edge.
    pub(super) fn place(&self, at: Millis) -> u16 {
        let after = self.parts.partition_point(|part| part.to < at);
        let Some(part) = self.parts.get(after) else { return POSITIONS };
        let (length, into) = (part.to.since(part.from).millis(), at.since(part.from).millis());
        let wide = part.right - part.left;
        let within = if length == 0 { 0 } else { scaled(into, wide, length) };
        narrow(part.left + within)
    }

    /// The collapsed stretches.
    pub(super) fn gaps(&self, lang: Lang) -> Vec<Gap> {
        let idle = self.parts.iter().filter(|part| part.idle);
        idle.map(|part| Gap {
            from: part.from,
            to: part.to,
            left: narrow(part.left),
            right: narrow(part.right),
            text: format!("{} {}", lasted(lang, part.to.since(part.from)), words(lang).idle),
        })
        .collect()
    }

    /// Round times of busy stretches, with the day where it is another one.
    pub(super) fn ticks(&self, (lang, zone): (Lang, Zone)) -> Vec<Tick> {
        let busy: u64 = self.busy().map(|part| part.to.since(part.from).millis()).sum();
        let step = STEPS.into_iter().find(|step| busy / step <= TICKS_MAX);
        let step = step.unwrap_or_else(|| (busy / TICKS_MAX).max(1));
        let mut ticks: Vec<Tick> = Vec::new();
        let mut day = String::new();
        for part in self.busy() {
            let mut at = round_up(part.from, step, zone);
            while at <= part.to {
                let left = self.place(at);
                let near =
                    ticks.last().is_some_and(|tick| left < tick.left.saturating_add(TICK_APART));
                if !near {
                    let local = zone.local(at, lang);
                    let other = local.date != day;
                    let date = other.then(|| local.date.clone());
                    day = local.date;
                    let text = if step < 60_000 {
                        local.time
                    } else {
                        local.time.chars().take(5).collect()
                    };
                    ticks.push(Tick { at, left, text, day: date });
                }
                at = at.plus(Span::from_millis(step));
            }
        }
        ticks
    }

    fn busy(&self) -> impl Iterator<Item = &Part> {
        self.parts.iter().filter(|part| !part.idle)
    }
}

/// Busy and idle parts in turn, from one edge to the other.
fn parts((from, to): (Millis, Millis), idle: &[(Millis, Millis)]) -> Vec<Part> {
    let mut bounds: Vec<(Millis, Millis, bool)> = Vec::new();
    let mut begin = from;
    for (before, after) in idle {
        bounds.extend([(begin, *before, false), (*before, *after, true)]);
        begin = *after;
    }
    bounds.push((begin, to, false));
    let length = |part: &(Millis, Millis, bool)| part.1.since(part.0).millis();
    let base = bounds.iter().filter(|part| !part.2).map(length).sum::<u64>() / BUSY_MIN + 1;
    // What happened at one instant between two idle stretches needs no room.
    let weight = |part: &(Millis, Millis, bool)| match (part.2, length(part)) {
        (true, _) | (false, 0) => 0,
        (false, length) => length.saturating_add(base),
    };
    let weights: u64 = bounds.iter().map(weight).sum();
    let idle = u64::try_from(idle.len()).unwrap_or(0);
    let all = u64::from(POSITIONS);
    let wide = if weights == 0 { all / idle.max(1) } else { GAP_WIDTH };
    let room = all - wide * idle;
    let (mut passed, mut left) = (0_u64, 0_u64);
    let mut gaps = 0;
    let mut parts = Vec::with_capacity(bounds.len());
    for part in bounds {
        if part.2 {
            gaps += 1;
        } else {
            passed = passed.saturating_add(weight(&part));
        }
        let right = scaled(passed, room, weights) + gaps * wide;
        parts.push(Part { from: part.0, to: part.1, left, right, idle: part.2 });
        left = right;
    }
    parts
}

/// `value / of * room`, for lengths of any size.
fn scaled(value: u64, room: u64, of: u64) -> u64 {
    let scaled = u128::from(value) * u128::from(room) / u128::from(of.max(1));
    u64::try_from(scaled).unwrap_or(room).min(room)
}

fn narrow(position: u64) -> u16 {
    u16::try_from(position).unwrap_or(POSITIONS).min(POSITIONS)
}

/// The first instant from `at` on that is round on a clock of the zone.
fn round_up(at: Millis, step: u64, zone: Zone) -> Millis {
    let offset = Timestamp::from_millisecond(at.get())
        .map_or(0, |stamp| i64::from(zone.time_zone().to_offset(stamp).seconds()) * 1_000);
    let step = i64::try_from(step).unwrap_or(i64::MAX);
    let local = at.get().saturating_add(offset);
    let behind = local.rem_euclid(step);
    let ahead = if behind == 0 { 0 } else { step - behind };
    Millis::new(at.get().saturating_add(ahead))
}

/// The instants at which something is to be seen: idle is what lies between them.
pub(super) fn instants<'l>(
    lines: impl Iterator<Item = &'l TimelineEntry>,
    others: impl Iterator<Item = Millis>,
) -> Vec<Millis> {
    let mut all: Vec<Millis> = lines.map(TimelineEntry::when).chain(others).collect();
    all.sort_unstable();
    all.dedup();
    all
}
