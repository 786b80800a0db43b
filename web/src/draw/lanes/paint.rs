//! Lanes at their places, drawn: the strip and the axis, the lanes, what runs through all of them.

use super::pack::{ARROW, Item, Packed, STAR, TEXT_MIN, fits_inside, pack};
use super::{Deadline, Lanes, Mark, Place, Shape, Words};
use crate::draw::measure::{Face, width};
use crate::draw::svg::{Area, Point, Sheet, at, through};
use crate::draw::{Access, filled};

/// Narrower than this the names stand over their lanes.
const BESIDE_MIN: i32 = 600;

/// The widest name beside its lane.
const NAME_MAX: i32 = 150;

/// The height of the strip, and of the axis below it.
const STRIP: i32 = 30;
const AXIS: i32 = 36;

/// The height of the words over gaps.
const GAP: i32 = 16;

/// The height of a track, of what is drawn in it, and around tracks.
const TRACK: i32 = 20;
const BAR: i32 = 16;
const PAD: i32 = 5;

/// The height of a name over its lane.
const NAME: i32 = 18;

/// Rows for the words of deadlines, and the height of one.
const DEADLINES_MAX: usize = 3;
const DEADLINE: i32 = 19;

/// Between the words of two deadlines in one row.
const APART: i32 = 12;

struct Painter<'a> {
    lanes: &'a Lanes,
    words: &'a Words,
    sheet: Sheet,
    width: i32,
    /// Where marks may be.
    left: i32,
    right: i32,
    stacked: bool,
    /// Where the lanes begin and end.
    top: i32,
    bottom: i32,
}

/// Draws the lanes.
pub(super) fn paint(lanes: &Lanes, words: &Words, width: i32, access: &Access<'_>) -> String {
    let stacked = width < BESIDE_MIN;
    let names = lanes.rows.iter().map(|lane| self::width(&lane.name, Face::Title)).max();
    let left = if stacked { 10 } else { names.unwrap_or_default().min(NAME_MAX) + 26 };
    let right = width - 10;
    let x = |place: Place| spread(place, left, right);
    let packed: Vec<Packed<'_>> =
        lanes.rows.iter().map(|lane| pack(&lane.marks, &x, width - 4)).collect();
    let top = AXIS
        + if lanes.histogram.is_empty() { 0 } else { STRIP }
        + if lanes.gaps.is_empty() { 0 } else { GAP };
    let heights: Vec<i32> = packed.iter().map(|packed| height(packed, stacked)).collect();
    let bottom = top + heights.iter().sum::<i32>();
    let rows = lanes.deadlines.len().min(DEADLINES_MAX) + usize::from(lanes.now.is_some());
    let foot = i32::try_from(rows).unwrap_or_default() * DEADLINE + 8;
    let sheet = Sheet::new("draw-lanes", (width, bottom + foot), access);
    let mut painter = Painter { lanes, words, sheet, width, left, right, stacked, top, bottom };
    painter.strip();
    painter.axis();
    painter.gaps();
    let mut y = top;
    for ((lane, packed), height) in lanes.rows.iter().zip(&packed).zip(heights) {
        painter.lane(&lane.name, packed, (y, height));
        y += height;
    }
    painter.lines();
    painter.sheet.finish()
}

fn height(packed: &Packed<'_>, stacked: bool) -> i32 {
    let (bars, points) = packed.tracks();
    let tracks = i32::try_from((bars + points).max(1)).unwrap_or(1);
    tracks * TRACK + 2 * PAD + if stacked { NAME } else { 0 }
}

fn spread(place: Place, left: i32, right: i32) -> i32 {
    left + (right - left) * i32::from(place.get()) / i32::from(Place::END)
}

impl Painter<'_> {
    fn x(&self, place: Place) -> i32 {
        spread(place, self.left, self.right)
    }

    /// How much happened when.
    fn strip(&mut self) {
        let bins = &self.lanes.histogram;
        let most = i64::from(bins.iter().map(|bin| bin.count).max().unwrap_or_default().max(1));
        let count = i64::try_from(bins.len()).unwrap_or(1).max(1);
        let room = i64::from(self.right - self.left);
        let edge = |index: i64| self.left + pixels(room * index / count);
        let tall = |count: u32| match count {
            0 => 0,
            count => pixels(i64::from(count) * i64::from(STRIP - 6) / most).max(2),
        };
        for (bin, index) in bins.iter().zip(0_i64..) {
            let (from, to) = (edge(index), edge(index + 1));
            let wide = (to - from - 1).max(1);
            let (all, wrong) = (tall(bin.count), tall(bin.failures.min(bin.count)));
            if all > 0 {
                let area = Area::new(at(from, STRIP - all), wide, all);
                self.sheet.rect("draw-bin", area, 0);
            }
            if wrong > 0 {
                let area = Area::new(at(from, STRIP - wrong), wide, wrong);
                self.sheet.rect("draw-bin-wrong", area, 0);
            }
        }
    }

    fn axis(&mut self) {
        let (base, bottom) = (self.top, self.bottom);
        let base = base - if self.lanes.gaps.is_empty() { 0 } else { GAP };
        let mut free = 0;
        for tick in &self.lanes.ticks {
            let x = self.x(tick.at);
            self.sheet.line("draw-grid", &[at(x, base - 5), at(x, bottom)]);
            let taken = width(&tick.time, Face::Small).max(width(&tick.day, Face::Small));
            let from = x.min(self.width - taken - 1).max(0);
            if from < free {
                continue;
            }
            let room = self.width - from;
            self.sheet.text(Face::Small, "", at(from, base - 22), (&tick.time, room));
            self.sheet.text(Face::Small, "draw-quiet", at(from, base - 9), (&tick.day, room));
            free = from + taken + 8;
        }
        let base = self.top;
        self.sheet.line("draw-rule", &[at(0, base), at(self.width, base)]);
    }

    fn lane(&mut self, name: &str, packed: &Packed<'_>, (top, height): (i32, i32)) {
        self.sheet.group("draw-lane");
        let (place, room, mut level) = if self.stacked {
            (at(4, top + 15), self.width - 8, top + NAME + PAD)
        } else {
            (at(4, top + 19), self.left - 16, top + PAD)
        };
        self.sheet.text(Face::Title, "", place, (name, room));
        for item in &packed.bars {
            let y = level + track(item);
            self.item(item, y);
        }
        level += i32::try_from(packed.tracks().0).unwrap_or_default() * TRACK;
        for item in &packed.points {
            let y = level + track(item);
            self.item(item, y);
        }
        let below = top + height;
        self.sheet.line("draw-row-rule", &[at(0, below), at(self.width, below)]);
        self.sheet.close();
    }

    /// One mark, or several as one, with as much of its text as there is room for.
    fn item(&mut self, item: &Item<'_>, top: i32) {
        let mark = item.mark;
        let class = match mark.shape {
            Shape::Point => "draw-mark draw-point",
            Shape::Decision => "draw-mark draw-decision",
            Shape::Failure => "draw-mark draw-wrong",
            Shape::Bar(_) => "draw-mark draw-done",
            Shape::Onward(_) => "draw-mark draw-busy",
            Shape::Broken(_) => "draw-mark draw-down",
        };
        let struck = if mark.struck { " draw-struck" } else { "" };
        let title = self.told(item);
        self.sheet.link(&format!("{class}{struck}"), Some(&mark.href), &title);
        let middle = top + TRACK / 2;
        self.shape(item, middle);
        self.text(item, middle);
        self.sheet.close();
    }

    /// What is said of one mark: in its bar, or after it.
    fn text(&mut self, item: &Item<'_>, middle: i32) {
        let mark = item.mark;
        // Where there is no room after it, as much as its bar holds.
        let inside = fits_inside(mark, item.right - item.left)
            || item.room - item.right < TEXT_MIN.min(item.right - item.left - 12);
        let (start, end) = match mark.shape {
            _ if item.count > 1 => return,
            Shape::Bar(_) | Shape::Onward(_) | Shape::Broken(_) if inside => {
                (item.left + 6, item.right - 4)
            }
            Shape::Onward(_) => (item.right + 4 + ARROW, item.room),
            Shape::Point | Shape::Decision | Shape::Failure | Shape::Bar(_) | Shape::Broken(_) => {
                (item.right + 4, item.room)
            }
        };
        let after = if mark.starred { STAR } else { 0 };
        let room = end - start - after;
        if room < TEXT_MIN.min(width(&mark.text, Face::Small)) {
            return;
        }
        if mark.starred {
            self.sheet.shape("draw-star", at(start, middle - 6), STAR_SHAPE);
        }
        let text = (mark.text.as_str(), room);
        self.sheet.text(Face::Small, "", at(start + after, middle + 4), text);
    }

    fn shape(&mut self, item: &Item<'_>, middle: i32) {
        let area = Area::new(at(item.left, middle - BAR / 2), item.right - item.left, BAR);
        let number = item.count.to_string();
        match item.mark.shape {
            Shape::Point | Shape::Decision | Shape::Failure if item.count > 1 => {
                let area = Area { y: middle - 8, height: 16, ..area };
                self.sheet.rect("draw-cluster", area, 8);
                let room = width(&number, Face::Small);
                let start = at(item.left + (area.width - room).max(0) / 2, middle + 4);
                self.sheet.text(Face::Small, "", start, (&number, room));
            }
            Shape::Point => self.sheet.circle("draw-sign-full", at(item.left + 6, middle), 5),
            Shape::Decision => {
                self.sheet.shape(
                    "draw-sign-full",
                    at(item.left, middle - 6),
                    "M6 0L12 6L6 12L0 6z",
                );
            }
            Shape::Failure => {
                let shape = "M1 1L11 11M11 1L1 11";
                self.sheet.shape("draw-cross", at(item.left, middle - 6), shape);
            }
            Shape::Bar(_) => self.sheet.rect("draw-fill", area, 2),
            Shape::Onward(_) => {
                self.sheet.rect("draw-fill", area, 2);
                let shape = format!("M0 0L6 {}L0 {BAR}z", BAR / 2);
                self.sheet.shape("draw-onward", at(item.right, area.y), &shape);
            }
            Shape::Broken(_) => self.sheet.shape("draw-fill", at(0, 0), &torn_bar(area)),
        }
    }

    /// Time that is left out: a torn strip behind everything, its length above it.
    fn gaps(&mut self) {
        let (top, bottom, mut free) = (self.top, self.bottom, 0);
        for gap in &self.lanes.gaps {
            let (left, right) = (self.x(gap.from), self.x(gap.to.max(gap.from)));
            let right = right.max(left + 12).min(self.width);
            let strip =
                Area::new(at(left + 3, top + 1), (right - left - 6).max(1), bottom - top - 1);
            self.sheet.rect("draw-fold", strip, 0);
            let edge = torn(top, bottom);
            self.sheet.shape("draw-torn", at(left, 0), &edge);
            self.sheet.shape("draw-torn", at(right - 3, 0), &edge);
            let taken = width(&gap.text, Face::Small).min(self.width / 2);
            let from = i32::midpoint(left, right) - taken / 2;
            let from = from.clamp(0, (self.width - taken).max(0));
            if from >= free {
                self.sheet.text(Face::Small, "draw-quiet", at(from, top - 5), (&gap.text, taken));
                free = from + taken + 8;
            }
        }
    }

    /// Deadlines and the present, through all lanes, their words below.
    fn lines(&mut self) {
        let mut row = 0;
        let mut free: Vec<i32> = vec![-APART; DEADLINES_MAX];
        let mut deadlines: Vec<&Deadline> = self.lanes.deadlines.iter().collect();
        deadlines.sort_by_key(|deadline| deadline.at);
        for deadline in deadlines {
            let x = self.x(deadline.at);
            let text = if deadline.missed {
                filled(self.words.missed, &[("text", &deadline.text)])
            } else {
                deadline.text.clone()
            };
            let face = if deadline.missed { Face::Title } else { Face::Small };
            let whole = width(&text, face);
            let (before, after) = (x - FLAG_WIDTH, self.width - x - FLAG_WIDTH);
            let is_after = whole <= after || after >= before;
            let taken = whole.min(if is_after { after } else { before }).max(0);
            let start = if is_after { x + FLAG_WIDTH } else { before - taken };
            let found = free.iter().position(|free| free + APART <= start);
            let index = found.unwrap_or(DEADLINES_MAX - 1);
            let level = self.bottom + i32::try_from(index).unwrap_or_default() * DEADLINE;
            let class = if deadline.missed { "draw-deadline draw-missed" } else { "draw-deadline" };
            self.sheet.link(class, None, &text);
            self.sheet.line("draw-until", &[at(x, self.top), at(x, level + 16)]);
            let side = if is_after { FLAG } else { FLAG_BACK };
            self.sheet.shape("draw-pennant", at(x, level + 5), side);
            if found.is_some() {
                self.sheet.text(face, "", at(start, level + 15), (&text, taken));
                if let Some(free) = free.get_mut(index) {
                    *free = start + taken;
                }
                row = row.max(index + 1);
            }
            self.sheet.close();
        }
        let Some(now) = self.lanes.now else { return };
        let x = self.x(now);
        let level = self.bottom + i32::try_from(row).unwrap_or_default() * DEADLINE;
        self.sheet.line("draw-now", &[at(x, self.top - 2), at(x, level + 4)]);
        let taken = width(self.words.now, Face::Small);
        let start = at((x - taken / 2).clamp(0, (self.width - taken).max(0)), level + 16);
        self.sheet.text(Face::Small, "draw-now-label", start, (self.words.now, taken));
    }

    fn told(&self, item: &Item<'_>) -> String {
        let Mark { text, starred, struck, .. } = item.mark;
        let mut told = text.clone();
        for (holds, word) in [(*starred, self.words.starred), (*struck, self.words.struck)] {
            if holds {
                told = format!("{told} ({word})");
            }
        }
        match item.count {
            1 => told,
            count => filled(self.words.many, &[("count", &count.to_string()), ("text", &told)]),
        }
    }
}

const STAR_SHAPE: &str = "M6 0L7.8 4L12 4.5L8.8 7.4L9.7 12L6 9.7L2.3 12L3.2 7.4L0 4.5L4.200 4z";
/// From a deadline's line to its words: the flag is between them.
const FLAG_WIDTH: i32 = 14;
const FLAG: &str = "M0 0H10L7 4L10 8H0V12";
const FLAG_BACK: &str = "M0 0H-10L-7 4L-10 8H0V12";

fn track(item: &Item<'_>) -> i32 {
    i32::try_from(item.track).unwrap_or_default() * TRACK
}

fn pixels(x: i64) -> i32 {
    i32::try_from(x).unwrap_or(i32::MAX)
}

/// A torn edge from one height to another.
fn torn(top: i32, bottom: i32) -> String {
    let mut points: Vec<Point> = Vec::new();
    let (mut y, mut x) = (top, 0);
    while y < bottom {
        points.push(at(x, y));
        x = 3 - x;
        y += 5;
    }
    points.push(at(x, bottom));
    through(&points)
}

/// A bar with torn ends.
fn torn_bar(area: Area) -> String {
    let Area { x, y, height, .. } = area;
    let (right, half, bottom) = (area.right(), height / 2, y + height);
    let left = [at(x + 3, y), at(x, y + half - 2), at(x + 3, y + half + 1), at(x, bottom)];
    let back = [at(right - 3, bottom), at(right, y + half + 1), at(right - 3, y + half - 2)];
    format!("{}z", through(&[&left[..], &back[..], &[at(right, y)]].concat()))
}
