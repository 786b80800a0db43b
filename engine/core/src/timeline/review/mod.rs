//! A timeline as a drawing: lanes with points and bars, in numbers from 0 to 1000 that any drawer can
//! use. It draws nothing, and tells nothing that the lines do not.
//!
//! The way: [`bound`](super::bound) lines → what lasted, was due and stood still, in real time
//! (`lasting`) → an axis on which long idle stretches are collapsed (`axis`) → [`Review`].

mod axis;
mod lasting;

use serde::Serialize;

use self::axis::Axis;
pub(super) use self::lasting::{Lasted, lasting};
use super::format::Zone;
use super::sentence::lasted;
use super::{BarEnd, BarKind, Lane, Lang, TimelineEntry};
use crate::model::{LineId, Millis, words};

/// The rightmost position; the leftmost is 0.
pub const POSITIONS: u16 = 1000;

/// So many bars of a histogram lie side by side: as many as a narrow screen has room for.
pub const BINS: usize = 100;

/// How a timeline is laid out.
#[derive(Debug, Clone, Copy)]
pub struct Layout {
    /// The language of its words.
    pub lang: Lang,
    /// The zone of its ticks.
    pub zone: Zone,
    /// Until when what lasts is drawn.
    pub now: Millis,
}

/// A timeline as a drawing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Review {
    /// The first instant.
    #[serde(serialize_with = "crate::timeline::instant::text")]
    pub from: Millis,
    /// The last one.
    #[serde(serialize_with = "crate::timeline::instant::text")]
    pub to: Millis,
    /// All lanes, also empty ones, in their order.
    pub lanes: Vec<ReviewLane>,
    /// Idle stretches, collapsed.
    pub gaps: Vec<Gap>,
    /// What was or is due.
    pub deadlines: Vec<Deadline>,
    /// When the program was down.
    pub breaks: Vec<Break>,
    /// Round times, for a scale.
    pub ticks: Vec<Tick>,
    /// How much happened when, over the whole time and without gaps.
    pub bins: Vec<Bin>,
}

/// One kind of doing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ReviewLane {
    /// Which.
    pub lane: Lane,
    /// What it is called.
    pub title: &'static str,
    /// A point for each line that is no detail.
    pub points: Vec<Point>,
    /// What lasted.
    pub bars: Vec<Bar>,
    /// So many bars lie over each other.
    pub rows: usize,
}

/// A line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Point {
    /// Where it happened.
    pub left: u16,
    /// Where it was written down, where that is later by more than a minute.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recorded: Option<u16>,
    /// Its place among the lines, from 0.
    pub index: usize,
    /// Which line.
    pub line: Option<LineId>,
    /// It did not work, or is late.
    pub failed: bool,
    /// It is starred.
    pub starred: bool,
    /// It was corrected since.
    pub corrected: bool,
}

/// Something that lasted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Bar {
    /// What.
    pub kind: BarKind,
    /// Where it begins.
    pub left: u16,
    /// Where it ends.
    pub right: u16,
    /// In which row of its lane, from 0.
    pub row: usize,
    /// How it ended; absent while it lasts.
    pub end: Option<BarEnd>,
    /// The place of the line that began it.
    pub index: usize,
    /// The place of the line that ended it.
    pub ended: Option<usize>,
    /// Where it went on after the program was down.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub went_on: Vec<u16>,
    /// How long it lasted, in words.
    pub length: String,
    /// What its first line says.
    pub text: String,
}

/// An idle stretch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Gap {
    /// From when.
    #[serde(serialize_with = "crate::timeline::instant::text")]
    pub from: Millis,
    /// Until when.
    #[serde(serialize_with = "crate::timeline::instant::text")]
    pub to: Millis,
    /// Where it begins.
    pub left: u16,
    /// Where it ends.
    pub right: u16,
    /// `3 h 12 min without an entry`.
    pub text: String,
}

words! {
    /// How a deadline stands.
    DeadlineState = "state of a deadline" {
        /// It ended in time.
        Kept = "kept",
        /// It did not.
        Missed = "missed",
        /// There is time left.
        Open = "open",
    }
}

/// Something that is due.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Deadline {
    /// When.
    #[serde(serialize_with = "crate::timeline::instant::text")]
    pub at: Millis,
    /// Where; at the right edge where it lies beyond it.
    pub left: u16,
    /// It lies beyond what is drawn.
    pub beyond: bool,
    /// How it stands.
    pub state: DeadlineState,
    /// In which lane.
    pub lane: Lane,
    /// The place of the line that says so.
    pub index: usize,
    /// What that line says.
    pub text: String,
}

/// The program was down.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Break {
    /// The last thing it wrote before.
    #[serde(serialize_with = "crate::timeline::instant::text")]
    pub from: Millis,
    /// When it went on.
    #[serde(serialize_with = "crate::timeline::instant::text")]
    pub to: Millis,
    /// Where it begins.
    pub left: u16,
    /// Where it ends.
    pub right: u16,
    /// `2 min`.
    pub length: String,
}

/// A round time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Tick {
    /// When.
    #[serde(serialize_with = "crate::timeline::instant::text")]
    pub at: Millis,
    /// Where.
    pub left: u16,
    /// `14:30`.
    pub text: String,
    /// The day, where it is another one than that of the tick before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub day: Option<String>,
}

/// A part of the whole time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Bin {
    /// From when.
    #[serde(serialize_with = "crate::timeline::instant::text")]
    pub from: Millis,
    /// Until before when.
    #[serde(serialize_with = "crate::timeline::instant::text")]
    pub to: Millis,
    /// Lines that are no detail.
    pub lines: usize,
    /// Of these, what did not work or is late.
    pub failed: usize,
}

/// How these lines are drawn; nothing where there is nothing to see.
pub fn review(lines: &[TimelineEntry], layout: &Layout) -> Option<Review> {
    let lasting = lasting(lines, layout.now);
    let seen = || lines.iter().enumerate().filter(|(_, line)| !line.detail);
    let edges = lasting.bars.iter().flat_map(|bar| [bar.from, bar.to]);
    let axis = Axis::of(&axis::instants(seen().map(|(_, line)| line), edges))?;
    let all = Lane::ALL.iter().map(|lane| {
        let points = seen().filter(|(_, line)| line.lane == *lane);
        let bars = lasting.bars.iter().filter(|bar| lane_of(bar, lines) == Some(*lane));
        let bars: Vec<Bar> = bars.map(|bar| drawn(bar, (lines, &axis, layout))).collect();
        let (bars, rows) = stacked(bars);
        let points = points.map(|place| point(place, &axis)).collect();
        let title = lane.said(layout.lang);
        ReviewLane { lane: *lane, title, points, bars, rows }
    });
    let deadlines = lasting.due.iter().filter_map(|due| deadline(due, lines, (&axis, layout.now)));
    let down = |(from, to): &(Millis, Millis)| Break {
        from: *from,
        to: *to,
        left: axis.place(*from),
        right: axis.place(*to),
        length: lasted(layout.lang, to.since(*from)),
    };
    Some(Review {
        from: axis.from,
        to: axis.to,
        lanes: all.collect(),
        gaps: axis.gaps(layout.lang),
        deadlines: deadlines.collect(),
        breaks: lasting.down.iter().map(down).collect(),
        ticks: axis.ticks((layout.lang, layout.zone)),
        bins: bins(seen().map(|(_, line)| line), (axis.from, axis.to)),
    })
}

fn point((index, line): (usize, &TimelineEntry), axis: &Axis) -> Point {
    Point {
        left: axis.place(line.when()),
        recorded: line.late_by().map(|_| axis.place(line.at)),
        index,
        line: line.line(),
        failed: line.failed,
        starred: line.starred_by.is_some(),
        corrected: line.corrected_by.is_some(),
    }
}

/// Runs and holds are measures, whoever decided them.
fn lane_of(bar: &Lasted, lines: &[TimelineEntry]) -> Option<Lane> {
    match bar.kind {
        BarKind::Run | BarKind::Hold => Some(Lane::Measures),
        BarKind::Attempt | BarKind::Need => lines.get(bar.begins).map(|line| line.lane),
    }
}

fn drawn(bar: &Lasted, (lines, axis, layout): (&[TimelineEntry], &Axis, &Layout)) -> Bar {
    Bar {
        kind: bar.kind,
        left: axis.place(bar.from),
        right: axis.place(bar.to),
        row: 0,
        end: bar.ended.map(|(_, how)| how),
        index: bar.begins,
        ended: bar.ended.map(|(line, _)| line),
        went_on: bar.went_on.iter().map(|at| axis.place(*at)).collect(),
        length: lasted(layout.lang, bar.to.since(bar.from)),
        text: lines.get(bar.begins).map(|line| line.text.clone()).unwrap_or_default(),
    }
}

/// Bars in rows, each in the first in which it lies on no other; with how many rows there are.
fn stacked(mut bars: Vec<Bar>) -> (Vec<Bar>, usize) {
    bars.sort_by_key(|bar| (bar.left, std::cmp::Reverse(bar.right), bar.index));
    // Where each row is free again.
    let mut rows: Vec<u16> = Vec::new();
    for bar in &mut bars {
        let end = bar.right.max(bar.left.saturating_add(1));
        let free = rows.iter().position(|busy| *busy <= bar.left);
        if let Some(row) = free.and_then(|free| rows.get_mut(free)) {
            *row = end;
        }
        bar.row = free.unwrap_or(rows.len());
        if free.is_none() {
            rows.push(end);
        }
    }
    let count = rows.len();
    (bars, count)
}

fn deadline(
    due: &lasting::Due,
    lines: &[TimelineEntry],
    (axis, now): (&Axis, Millis),
) -> Option<Deadline> {
    let line = lines.get(due.line)?;
    let late = due.missed || due.ended.unwrap_or(now) > due.at;
    let state = match (late, due.ended) {
        (true, _) => DeadlineState::Missed,
        (false, Some(_)) => DeadlineState::Kept,
        (false, None) => DeadlineState::Open,
    };
    let (at, left, beyond) = (due.at, axis.place(due.at), due.at > axis.to);
    let text = line.text.clone();
    Some(Deadline { at, left, beyond, state, lane: line.lane, index: due.line, text })
}

/// Equal parts of the whole time.
fn bins<'l>(
    lines: impl Iterator<Item = &'l TimelineEntry>,
    (from, to): (Millis, Millis),
) -> Vec<Bin> {
    let count = i64::try_from(BINS).unwrap_or(1);
    // The last instant belongs to the last part.
    let width = to.get().saturating_sub(from.get()) / count + 1;
    let edge = |number: i64| Millis::new(from.get().saturating_add(width.saturating_mul(number)));
    let parts = (0..count).map(|number| (edge(number), edge(number + 1)));
    let mut bins: Vec<Bin> =
        parts.map(|(from, to)| Bin { from, to, lines: 0, failed: 0 }).collect();
    for line in lines {
        let number = line.when().get().saturating_sub(from.get()) / width;
        let bin = usize::try_from(number).ok().and_then(|number| bins.get_mut(number));
        if let Some(bin) = bin {
            bin.lines += 1;
            bin.failed += usize::from(line.failed);
        }
    }
    // A short time needs no empty parts behind it.
    bins.retain(|bin| bin.from <= to);
    bins
}
