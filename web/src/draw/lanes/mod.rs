//! What happened in an incident, by kind of doing: a row a lane, from left to right.
//!
//! Where everything stands on the axis is decided by who gives it: places are thousandths of the whole,
//! so gaps are folded and ranges chosen before. Here marks are put into the tracks of their lane, as many
//! texts beside them as there is room for, and what would lie on each other becomes one mark with a
//! number. It knows no time and no language.

mod pack;
mod paint;
#[cfg(test)]
mod tests;

use super::Access;

/// A place on the axis: 0 is its beginning, 1000 its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Place(u16);

impl Place {
    /// The end of the axis.
    pub const END: u16 = 1000;

    /// A place; what lies beyond the end is the end.
    pub const fn new(thousandths: u16) -> Self {
        if thousandths > Self::END { Self(Self::END) } else { Self(thousandths) }
    }

    /// In thousandths of the axis.
    pub const fn get(self) -> u16 {
        self.0
    }
}

/// A drawing of what happened.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lanes {
    /// From top to bottom.
    pub rows: Vec<Lane>,
    /// Times on the axis, from left to right.
    pub ticks: Vec<Tick>,
    /// Where time is left out.
    pub gaps: Vec<Gap>,
    /// Until when something had to be, or has to be.
    pub deadlines: Vec<Deadline>,
    /// How much happened, from the beginning to the end in equal parts; none: no strip.
    pub histogram: Vec<Bin>,
    /// The present, where it lies on the axis.
    pub now: Option<Place>,
}

/// A kind of doing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lane {
    /// What people call it.
    pub name: String,
    /// What happened, in any order; of equals the first comes first.
    pub marks: Vec<Mark>,
}

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark {
    /// When, or when it began.
    pub at: Place,
    /// What it looks like.
    pub shape: Shape,
    /// What is said of it: a sentence.
    pub text: String,
    /// The line in the table that says the same: `#e-…`.
    pub href: String,
    /// Somebody marked it as important.
    pub starred: bool,
    /// It was taken back by a correction.
    pub struck: bool,
}

/// What a mark looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// Something happened: a disc.
    Point,
    /// Somebody decided: a diamond.
    Decision,
    /// Something went wrong: a cross.
    Failure,
    /// It took so long: a bar.
    Bar(Place),
    /// It goes on: a bar with an arrow.
    Onward(Place),
    /// Nothing could be done for so long: a bar with torn ends.
    Broken(Place),
}

/// A time on the axis.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tick {
    /// Where.
    pub at: Place,
    /// The time of day.
    pub time: String,
    /// The day, where it is another one than before; may be empty.
    pub day: String,
}

/// Time that is left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gap {
    /// From here.
    pub from: Place,
    /// To here.
    pub to: Place,
    /// How long it is.
    pub text: String,
}

/// An instant by which something has to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deadline {
    /// When.
    pub at: Place,
    /// What.
    pub text: String,
    /// It was not.
    pub missed: bool,
}

/// How much happened in a part of the axis.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Bin {
    /// All of it.
    pub count: u32,
    /// What went wrong of it.
    pub failures: u32,
}

/// The words of a language. What stands in braces is filled in.
#[derive(Debug, Clone, Copy)]
pub struct Words {
    /// Several in one: `{count} Einträge, zuerst: {text}`.
    pub many: &'static str,
    /// A deadline that passed: `{text}: versäumt`.
    pub missed: &'static str,
    /// A mark of importance: `wichtig`.
    pub starred: &'static str,
    /// Taken back: `berichtigt`.
    pub struck: &'static str,
    /// The present: `jetzt`.
    pub now: &'static str,
}

/// Draws the lanes so many pixels wide: 343 fits a telephone, 1200 a screen. Below 600 the names stand
/// over their lanes.
pub fn lanes(lanes: &Lanes, words: &Words, width: u16, access: &Access<'_>) -> String {
    paint::paint(lanes, words, i32::from(width).max(240), access)
}
