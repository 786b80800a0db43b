//! Rows at their places, drawn: the grid, the folds, the bars, the words.

use beistand_core::model::Millis;

use super::axis::Scale;
use super::{Bar, Gantt, Row, Setting, What, Words};
use crate::draw::glyph::Look;
use crate::draw::measure::{Face, width};
use crate::draw::svg::{Area, Point, Sheet, at, through};
use crate::draw::{Access, filled};

/// Narrower than this the names stand over their bars.
const BESIDE_MIN: i32 = 600;

/// The height of the axis: a line for times, one for days.
const AXIS: i32 = 38;

/// Below the rows: the word for the present.
const FOOT: i32 = 20;

/// The height of a bar.
const BAR: i32 = 14;

/// What a step deeper is set in by, and how many are.
const INDENT: i32 = 10;
const DEPTH_MAX: u8 = 4;

/// A bar is never less, or it would not be seen.
const BAR_MIN: i32 = 3;

/// Where things stand.
struct Plan {
    width: i32,
    height: i32,
    /// Names over their bars.
    stacked: bool,
    /// Where bars may be.
    left: i32,
    right: i32,
    /// Of a row.
    row: i32,
    /// From a row's upper edge to its bars.
    bar: i32,
}

struct Painter<'a> {
    gantt: &'a Gantt,
    words: &'a Words,
    plan: Plan,
    scale: Scale,
    sheet: Sheet,
}

/// Draws the rows.
pub(super) fn paint(
    gantt: &Gantt,
    words: &Words,
    setting: Setting<'_>,
    access: &Access<'_>,
) -> String {
    let plan = plan(gantt, i32::from(setting.width).max(240));
    let fold = if plan.stacked { 54 } else { 84 };
    let scale = Scale::new(gantt, (plan.left + 6, plan.right - 8), fold);
    let sheet = Sheet::new("draw-gantt", (plan.width, plan.height), access);
    let mut painter = Painter { gantt, words, plan, scale, sheet };
    painter.grid(setting);
    for (index, row) in (0..).zip(&gantt.rows) {
        painter.row(row, AXIS + index * painter.plan.row);
    }
    painter.folds();
    painter.now();
    painter.sheet.finish()
}

fn plan(gantt: &Gantt, width: i32) -> Plan {
    let stacked = width < BESIDE_MIN;
    let (row, bar) = if stacked { (46, 24) } else { (30, 8) };
    let rows = i32::try_from(gantt.rows.len()).unwrap_or(i32::MAX / 64);
    let height = AXIS + rows * row + FOOT;
    let widest = gantt.rows.iter().map(|row| self::width(&row.note, Face::Small)).max();
    let notes = match widest.unwrap_or_default().min(width / 5) {
        0 => 0,
        taken => taken + 12,
    };
    let (left, right) = if stacked { (0, width) } else { (width / 4, width - notes) };
    Plan { width, height, stacked, left, right, row, bar }
}

impl Painter<'_> {
    fn bottom(&self) -> i32 {
        self.plan.height - FOOT
    }

    fn grid(&mut self, setting: Setting<'_>) {
        let bottom = self.bottom();
        let mut day = None;
        if let Some(begin) = self.scale.begin(setting.zone) {
            let zone = (self.words.zone)(&begin);
            let (place, room) = if self.plan.stacked {
                (at(2, bottom + 14), 60)
            } else {
                (at(8, 14), self.plan.left - 16)
            };
            self.sheet.text(Face::Small, "draw-quiet", place, (&zone, room));
        }
        for tick in self.scale.ticks(setting.zone) {
            self.sheet.line("draw-grid", &[at(tick.x, AXIS - 6), at(tick.x, bottom)]);
            let time = if tick.fine { "%H:%M:%S" } else { "%H:%M" };
            let time = tick.at.strftime(time).to_string();
            let room = self.plan.width - tick.x - 2;
            self.sheet.text(Face::Small, "", at(tick.x + 1, 14), (&time, room.min(64)));
            if day != Some(tick.at.date()) {
                let text = (self.words.day)(&tick.at);
                self.sheet.text(
                    Face::Small,
                    "draw-quiet",
                    at(tick.x + 1, 28),
                    (&text, room.min(66)),
                );
            }
            day = Some(tick.at.date());
        }
        self.sheet.line("draw-rule", &[at(0, AXIS), at(self.plan.width, AXIS)]);
    }

    fn row(&mut self, row: &Row, top: i32) {
        let look = Look::of(row.status);
        let told = self.told(row);
        self.sheet.link(&format!("draw-row {}", look.class()), row.href.as_deref(), &told);
        let area = Area::new(at(0, top), self.plan.width, self.plan.row);
        self.sheet.rect("draw-hit", area, 0);
        self.named(row, look, top);
        let level = top + self.plan.bar;
        for bar in &row.bars {
            self.bar(bar, level);
        }
        // Over all of them: what is short is not hidden by what came after it.
        for bar in &row.bars {
            self.sign(bar, level);
        }
        if let Some(until) = row.until {
            let x = self.scale.x(until);
            self.sheet.line("draw-until", &[at(x, level - 5), at(x, level + BAR + 5)]);
            self.sheet.shape("draw-flag", at(x, level - 5), "M0 0L7 3L0 6z");
        }
        self.sheet.close();
        let below = top + self.plan.row;
        self.sheet.line("draw-row-rule", &[at(0, below), at(self.plan.width, below)]);
    }

    /// Its status, its name, and what is said beside it.
    fn named(&mut self, row: &Row, look: Look, top: i32) {
        let indent = i32::from(row.depth.min(DEPTH_MAX)) * INDENT;
        let from = 4 + indent;
        if row.status.is_some() {
            look.draw(&mut self.sheet, at(from, top + if self.plan.stacked { 4 } else { 7 }));
        }
        let start = at(from + 22, top + if self.plan.stacked { 17 } else { 20 });
        let note = self.width_of_note(row);
        let room = if self.plan.stacked {
            self.plan.width - start.x - note - 10
        } else {
            self.plan.left - start.x - 6
        };
        self.sheet.text(Face::Title, "", start, (&row.title, room));
        let place = if self.plan.stacked {
            at(self.plan.width - note - 2, start.y)
        } else {
            at(self.plan.right + 6, start.y)
        };
        self.sheet.text(Face::Small, "", place, (&row.note, note));
    }

    fn width_of_note(&self, row: &Row) -> i32 {
        let most = if self.plan.stacked {
            self.plan.width / 2
        } else {
            self.plan.width - self.plan.right - 8
        };
        width(&row.note, Face::Small).min(most)
    }

    fn bar(&mut self, bar: &Bar, top: i32) {
        let from = self.scale.x(bar.from);
        let end = bar.to.or(self.gantt.now).unwrap_or(bar.from);
        let to = self.scale.x(end.max(bar.from)).max(from + BAR_MIN);
        let area = Area::new(at(from, top), to - from, BAR);
        let what = match bar.what {
            What::Block => "draw-bar draw-span",
            What::Wait => "draw-bar draw-wait",
            What::Attempt => "draw-bar draw-attempt",
            What::Ended => "draw-bar draw-ended",
            What::Failed => "draw-bar draw-failed",
            What::Unknown => "draw-bar draw-unknown",
        };
        let goes_on = if bar.to.is_none() { " draw-going" } else { "" };
        let title = self.said(bar);
        self.sheet.link(&format!("{what}{goes_on}"), None, &title);
        match bar.what {
            What::Block => {
                let (middle, bottom) = (top + BAR / 2, top + BAR);
                let ends = [at(from, top + 3), at(from, bottom - 3)];
                self.sheet.line("draw-line", &ends);
                self.sheet.line("draw-line", &[at(from, middle), at(to, middle)]);
                if bar.to.is_some() {
                    self.sheet.line("draw-line", &[at(to, top + 3), at(to, bottom - 3)]);
                }
            }
            What::Wait => {
                self.sheet.rect("draw-fill", area, 0);
                self.sheet.shape("draw-hatch", at(0, 0), &hatched(area));
            }
            What::Attempt | What::Ended | What::Failed | What::Unknown => {
                self.sheet.rect("draw-fill", area, 2);
            }
        }
        if bar.to.is_none() && self.gantt.now.is_some() {
            let shape = format!("M0 0L8 {}L0 {BAR}z", BAR / 2);
            self.sheet.shape("draw-onward", at(to, top), &shape);
        }
        self.sheet.close();
    }

    /// How a bar ended, at its end; beyond it where it is short.
    fn sign(&mut self, bar: &Bar, top: i32) {
        let Some(to) = bar.to else { return };
        let x = self.scale.x(to).max(self.scale.x(bar.from) + 6);
        match bar.what {
            What::Ended | What::Failed => {
                self.sheet.shape("draw-cross", at(x, top + BAR / 2), "M-5 -5L5 5M5 -5L-5 5");
            }
            What::Unknown => {
                self.sheet.group("draw-is-unknown");
                Look::Unknown.draw(&mut self.sheet, at(x - 8, top + BAR / 2 - 8));
                self.sheet.close();
            }
            What::Block | What::Wait | What::Attempt => {}
        }
    }

    /// Stretches that are left out: a torn strip through the rows.
    fn folds(&mut self) {
        // Names that stand over their bars are not torn.
        let bands: Vec<(i32, i32)> = if self.plan.stacked {
            let row = |(top, _): (i32, &Row)| {
                let top = AXIS + top * self.plan.row + self.plan.bar;
                (top - 3, top + BAR + 3)
            };
            (0..).zip(&self.gantt.rows).map(row).collect()
        } else {
            vec![(AXIS + 1, self.bottom())]
        };
        let folds: Vec<_> = self.scale.folds().collect();
        for (left, right, length) in folds {
            let (left, right) = (left + 4, right - 4);
            for (top, bottom) in &bands {
                let torn = torn(*top, *bottom);
                let strip = Area::new(at(left + 3, *top), right - left - 6, bottom - top);
                self.sheet.rect("draw-fold", strip, 0);
                self.sheet.shape("draw-torn", at(left, 0), &torn);
                self.sheet.shape("draw-torn", at(right - 3, 0), &torn);
            }
            let text = (self.words.length)(length);
            let room = right - left;
            let taken = width(&text, Face::Small).min(room);
            let place = at(left + (room - taken) / 2, AXIS - 10);
            self.sheet.text(Face::Small, "draw-quiet", place, (&text, room));
        }
    }

    fn now(&mut self) {
        let Some(now) = self.gantt.now else { return };
        let (x, bottom) = (self.scale.x(now), self.bottom());
        self.sheet.line("draw-now", &[at(x, AXIS - 2), at(x, bottom + 4)]);
        let room = width(self.words.now, Face::Small);
        let place = at((x - room / 2).clamp(64, (self.plan.width - room).max(64)), bottom + 16);
        self.sheet.text(Face::Small, "draw-now-label", place, (self.words.now, room));
    }

    /// All of a row on one line.
    fn told(&self, row: &Row) -> String {
        let status = row.status.map(|status| (self.words.status)(status));
        let note = Some(row.note.as_str()).filter(|note| !note.is_empty());
        let parts: Vec<&str> = status.into_iter().chain(note).collect();
        if parts.is_empty() {
            return row.title.clone();
        }
        format!("{}: {}", row.title, parts.join(" · "))
    }

    fn said(&self, bar: &Bar) -> String {
        let what = (self.words.what)(bar.what);
        let end = bar.to.or(self.gantt.now);
        let length = end.map(|end: Millis| (self.words.length)(end.since(bar.from)));
        let said = filled(
            "{what} · {length}",
            &[("length", length.as_deref().unwrap_or_default()), ("what", what)],
        );
        if bar.title.is_empty() { said } else { format!("{} · {said}", bar.title) }
    }
}

/// Slanted lines over an area, each cut where it leaves it.
fn hatched(area: Area) -> String {
    let mut out = String::new();
    let mut x = area.x - area.height + 6;
    while x < area.right() {
        let (from, to) = (x.max(area.x), (x + area.height).min(area.right()));
        if from < to {
            let low = area.bottom() - (from - x);
            let high = area.bottom() - (to - x);
            out.push_str(&through(&[at(from, low), at(to, high)]));
        }
        x += 6;
    }
    out
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
