//! From instants to pixels: stretches in which nothing begins or ends are folded.
//!
//! Half of a run is waiting for people. Drawn to scale, a night in between leaves a few pixels for what
//! was done, so the longest idle stretch is folded as long as it is more than a third of what is left.

use beistand_core::model::{Millis, Span};
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};

use super::{Gantt, What};

/// A shorter stretch is not folded: it can be read as it is.
const FOLD_MIN: i64 = 10 * 60_000;

/// Most folds in one drawing.
const FOLDS_MAX: usize = 6;

/// Between two ticks at least, in pixels: a time of day with seconds has room.
const TICK_ROOM: i64 = 68;

/// Most ticks in one drawing.
const TICKS_MAX: usize = 100;

/// Steps between ticks in milliseconds: those that people count in.
const STEPS: [i64; 22] = [
    1_000,
    2_000,
    5_000,
    10_000,
    15_000,
    30_000,
    60_000,
    120_000,
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
    172_800_000,
    604_800_000,
    2_592_000_000,
    31_536_000_000,
];

/// An hour: up to here every zone's ticks are those of UTC, also when its clocks are put back.
const HOUR: i64 = 3_600_000;

/// A part of the axis.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stretch {
    from: i64,
    to: i64,
    left: i64,
    right: i64,
    folded: bool,
}

/// The axis.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Scale {
    stretches: Vec<Stretch>,
}

/// A place on the axis with a time.
#[derive(Debug, Clone)]
pub(super) struct Tick {
    pub(super) x: i32,
    pub(super) at: Zoned,
    /// With seconds.
    pub(super) fine: bool,
}

impl Scale {
    /// For these rows, from `left` to `right`, a fold as wide as `fold`.
    pub(super) fn new(gantt: &Gantt, (left, right): (i32, i32), fold: i32) -> Self {
        let instants = instants(gantt);
        let mut parts: Vec<(i64, i64, bool)> = instants
            .iter()
            .zip(instants.iter().skip(1))
            .map(|(from, to)| (*from, *to, false))
            .collect();
        let (left, right, fold) = (i64::from(left), i64::from(right), i64::from(fold));
        let most = FOLDS_MAX.min(usize::try_from((right - left) / (3 * fold)).unwrap_or(0));
        fold_idle(&mut parts, gantt, most);
        let folds = i64::try_from(parts.iter().filter(|part| part.2).count()).unwrap_or(0);
        let total: i64 = parts.iter().filter(|part| !part.2).map(|part| part.1 - part.0).sum();
        let room = (right - left - folds * fold).max(1);
        let (mut passed, mut at) = (0, left);
        let mut done = left;
        let stretch = |(from, to, folded): (i64, i64, bool)| {
            let begin = at;
            if folded {
                at += fold;
                done += fold;
            } else {
                passed += to - from;
                // From the beginning each time, so that nothing adds up.
                at = done + passed.saturating_mul(room) / total.max(1);
            }
            Stretch { from, to, left: begin, right: at, folded }
        };
        Self { stretches: parts.into_iter().map(stretch).collect() }
    }

    /// Where an instant is.
    pub(super) fn x(&self, at: Millis) -> i32 {
        let at = at.get();
        let found = self.stretches.iter().find(|stretch| at <= stretch.to);
        let Some(stretch) = found.or_else(|| self.stretches.last()) else { return 0 };
        let length = (stretch.to - stretch.from).max(1);
        let into = (at - stretch.from).clamp(0, length);
        let x = stretch.left + into.saturating_mul(stretch.right - stretch.left) / length;
        i32::try_from(x).unwrap_or(i32::MAX)
    }

    /// The folds: from, to, and how long they are.
    pub(super) fn folds(&self) -> impl Iterator<Item = (i32, i32, Span)> {
        self.stretches.iter().filter(|stretch| stretch.folded).map(|stretch| {
            let length = u64::try_from(stretch.to - stretch.from).unwrap_or_default();
            (pixel(stretch.left), pixel(stretch.right), Span::from_millis(length))
        })
    }

    /// Ticks at round times of the zone, none in a fold.
    pub(super) fn ticks(&self, zone: &TimeZone) -> Vec<Tick> {
        let mut ticks: Vec<Tick> = Vec::new();
        let Some(step) = self.step() else { return ticks };
        for run in self.runs() {
            let mut at = aligned(run.from, step, zone);
            while at <= run.to && ticks.len() < TICKS_MAX {
                let x = self.x(Millis::new(at));
                let apart = ticks.last().is_none_or(|last| i64::from(x - last.x) >= TICK_ROOM - 4);
                if let (true, true, Ok(stamp)) =
                    (at >= run.from, apart, Timestamp::from_millisecond(at))
                {
                    ticks.push(Tick { x, at: stamp.to_zoned(zone.clone()), fine: step < 60_000 });
                }
                let next = aligned(at + 1, step, zone);
                at = if next > at { next } else { at + step };
            }
        }
        ticks
    }

    /// The first instant of the axis in a zone.
    pub(super) fn begin(&self, zone: &TimeZone) -> Option<Zoned> {
        let first = self.stretches.first()?;
        Timestamp::from_millisecond(first.from).ok().map(|stamp| stamp.to_zoned(zone.clone()))
    }

    /// The shortest step that leaves room for words.
    fn step(&self) -> Option<i64> {
        let unfolded = || self.stretches.iter().filter(|stretch| !stretch.folded);
        let time: i64 = unfolded().map(|stretch| stretch.to - stretch.from).sum();
        let room: i64 = unfolded().map(|stretch| stretch.right - stretch.left).sum();
        let fits = |step: &&i64| step.saturating_mul(room) / time.max(1) >= TICK_ROOM;
        if room <= 0 {
            return None;
        }
        STEPS.iter().find(fits).or(STEPS.last()).copied()
    }

    /// What lies between folds.
    fn runs(&self) -> Vec<Stretch> {
        let mut runs: Vec<Stretch> = Vec::new();
        let mut joins = false;
        for stretch in &self.stretches {
            match runs.last_mut() {
                Some(run) if joins && !stretch.folded => {
                    (run.to, run.right) = (stretch.to, stretch.right);
                }
                Some(_) | None if !stretch.folded => runs.push(*stretch),
                Some(_) | None => {}
            }
            joins = !stretch.folded;
        }
        runs
    }
}

/// Everything that begins or ends, in order, once; never less than a minute from first to last.
fn instants(gantt: &Gantt) -> Vec<i64> {
    let bars = gantt.rows.iter().flat_map(|row| &row.bars);
    let ends = bars.flat_map(|bar| [Some(bar.from), bar.to]);
    let until = gantt.rows.iter().map(|row| row.until);
    let all = ends.chain(until).chain([gantt.now]).flatten();
    let mut instants: Vec<i64> = all.map(Millis::get).collect();
    instants.sort_unstable();
    instants.dedup();
    if let (Some(first), Some(last)) = (instants.first().copied(), instants.last().copied())
        && last - first < 60_000
    {
        instants.push(first + 60_000);
    }
    instants
}

/// Folds the longest idle part as long as that is worth it.
fn fold_idle(parts: &mut [(i64, i64, bool)], gantt: &Gantt, most: usize) {
    let acts: Vec<(i64, i64)> = acts(gantt);
    for _ in 0..most {
        let left: i64 = parts.iter().filter(|part| !part.2).map(|part| part.1 - part.0).sum();
        let is_idle = |part: &&mut (i64, i64, bool)| {
            let (from, to, folded) = **part;
            !folded && !acts.iter().any(|(begin, end)| *begin < to && from < *end)
        };
        let longest = parts.iter_mut().filter(is_idle).max_by_key(|part| part.1 - part.0);
        match longest {
            Some(part) if part.1 - part.0 >= FOLD_MIN && (part.1 - part.0) > left / 3 => {
                part.2 = true;
            }
            Some(_) | None => return,
        }
    }
}

/// While something acts nothing is idle.
fn acts(gantt: &Gantt) -> Vec<(i64, i64)> {
    let bars = gantt.rows.iter().flat_map(|row| &row.bars);
    let acts = bars.filter(|bar| match bar.what {
        What::Attempt | What::Ended | What::Failed | What::Unknown => true,
        What::Block | What::Wait => false,
    });
    let end = |to: Option<Millis>| to.or(gantt.now).map_or(i64::MAX, Millis::get);
    acts.map(|bar| (bar.from.get(), end(bar.to))).collect()
}

/// The first round time at or after an instant.
fn aligned(at: i64, step: i64, zone: &TimeZone) -> i64 {
    let offset = |at: i64| {
        let stamp = Timestamp::from_millisecond(at).ok();
        stamp.map_or(0, |stamp| i64::from(zone.to_offset(stamp).seconds()) * 1000)
    };
    let local = at + offset(at);
    let round = local.div_euclid(step) * step;
    let round = if round < local { round + step } else { round };
    if step <= HOUR {
        return round - offset(at);
    }
    // The clocks may have been put forward or back on the way there.
    round - offset(round - offset(at))
}

fn pixel(x: i64) -> i32 {
    i32::try_from(x).unwrap_or(i32::MAX)
}
