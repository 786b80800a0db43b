//! When the steps of a run did what, attempt by attempt.
//!
//! ```text
//!  run ─────────┐
//!               ├─ [`of_run`] ─► [`Gantt`], rows with bars ─ scale ─► pixels ─ paint ─► SVG
//!  timeline ────┘
//! ```
//!
//! A bar is an attempt; how it ended is told by its shape. Waits are hatched. What is still going on has
//! no end but an arrow. Long stretches in which nothing began or ended are folded, with their length in
//! words. It reads no clock: what time it is, it is told.

mod axis;
mod happening;
mod of_run;
mod paint;
#[cfg(test)]
mod tests;

use beistand_core::model::{Millis, Span};
use beistand_core::run::StepStatus;
use jiff::Zoned;
use jiff::tz::TimeZone;

use super::Access;
pub(crate) use happening::{Happened, Happening};
pub(crate) use of_run::of_run;

/// The steps of a run over time.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Gantt {
    /// In the order in which they stand.
    pub(crate) rows: Vec<Row>,
    /// What time it is; nothing once the run has ended.
    pub(crate) now: Option<Millis>,
}

/// A step, or many of one kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Row {
    /// What people call it.
    pub(crate) title: String,
    /// How many blocks it stands in.
    pub(crate) depth: u8,
    /// How it stands.
    pub(crate) status: Option<StepStatus>,
    /// Where there is more about it: a place of this server.
    pub(crate) href: Option<String>,
    /// What is said beside it: how often it was tried, when it is tried again.
    pub(crate) note: String,
    /// What it did, in order.
    pub(crate) bars: Vec<Bar>,
    /// Until when something has to be: a deadline, the next attempt.
    pub(crate) until: Option<Millis>,
}

/// A stretch of time of a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Bar {
    /// When it began.
    pub(crate) from: Millis,
    /// When it ended; nothing while it goes on.
    pub(crate) to: Option<Millis>,
    /// What it was.
    pub(crate) what: What,
    /// What is said of it to who asks; may be empty.
    pub(crate) title: String,
}

/// What a bar stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum What {
    /// The insides of a block were gone through.
    Block,
    /// It waited for time, people or something else.
    Wait,
    /// It acted, and that went well, or goes on.
    Attempt,
    /// It acted and did not come through; whether it may have been done is not told here.
    Ended,
    /// It acted, and surely nothing was done.
    Failed,
    /// It acted, and it may have been done.
    Unknown,
}

/// The words of a language. What stands in braces is filled in.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Words {
    /// A status: `wartet auf Freigabe`.
    pub(crate) status: fn(StepStatus) -> &'static str,
    /// What a bar stands for: `Versuch, Ausgang unbekannt`.
    pub(crate) what: fn(What) -> &'static str,
    /// A day over the axis: `Sa 21.11.`.
    pub(crate) day: fn(&Zoned) -> String,
    /// The zone beside the axis: `MEZ`.
    pub(crate) zone: fn(&Zoned) -> String,
    /// A length of time: `3 Std. 12 Min.`.
    pub(crate) length: fn(Span) -> String,
    /// The present: `jetzt`.
    pub(crate) now: &'static str,
    /// More than one attempt: `{count} Versuche`.
    pub(crate) attempts: &'static str,
    /// When it is tried again: `nächster Versuch in {length}`.
    pub(crate) again: &'static str,
    /// How long there is time: `noch {length}`.
    pub(crate) left: &'static str,
    /// For how long it is late: `seit {length} überfällig`.
    pub(crate) overdue: &'static str,
    /// Many steps in one row: `{title} ({count}×)`.
    pub(crate) many: &'static str,
    /// Steps for which there is no room: `{count} weitere`.
    pub(crate) more: &'static str,
}

/// How it is drawn.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Setting<'a> {
    /// Pixels: 343 fits a telephone, 1200 a screen. Below 600 the names stand over their bars.
    pub(crate) width: u16,
    /// The zone of the axis.
    pub(crate) zone: &'a TimeZone,
}

/// Draws the rows over time.
pub(crate) fn gantt(
    gantt: &Gantt,
    words: &Words,
    setting: Setting<'_>,
    access: &Access<'_>,
) -> String {
    paint::paint(gantt, words, setting, access)
}
