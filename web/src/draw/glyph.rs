//! The small shapes: one for each kind of status, one for each kind of step.
//!
//! A status is told by its shape alone, in black and white too; the word beside it says the same.
//! All are drawn in a square of 16 pixels.

use beistand_core::run::StepStatus;

use super::svg::{Point, Sheet, at};

/// What statuses have in common that look alike; the class says it too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Look {
    /// Not yet, or before any run.
    Open,
    /// Time, a signal or another run has to come.
    Waiting,
    /// It goes on.
    Running,
    /// It will be tried again.
    Retrying,
    /// It may have been done: somebody has to look.
    Unknown,
    /// A person has to do or say something.
    Asking,
    /// Done.
    Succeeded,
    /// Not done.
    Failed,
    /// Was not to be done.
    Skipped,
    /// Ended before.
    Cancelled,
    /// Taken back, or about to be.
    Undone,
}

impl Look {
    /// Of a step; of none where there is no run.
    pub(super) const fn of(status: Option<StepStatus>) -> Self {
        let Some(status) = status else { return Self::Open };
        match status {
            StepStatus::Ready => Self::Open,
            StepStatus::Waiting
            | StepStatus::WaitingForSignal
            | StepStatus::WaitingForTime
            | StepStatus::WaitingForChild => Self::Waiting,
            StepStatus::Running => Self::Running,
            StepStatus::Retrying => Self::Retrying,
            StepStatus::Unknown | StepStatus::Probing => Self::Unknown,
            StepStatus::NeedsDecision
            | StepStatus::WaitingForApproval
            | StepStatus::WaitingForPerson => Self::Asking,
            StepStatus::Succeeded => Self::Succeeded,
            StepStatus::Failed | StepStatus::UndoFailed => Self::Failed,
            StepStatus::Skipped => Self::Skipped,
            StepStatus::Cancelled => Self::Cancelled,
            StepStatus::Undoing | StepStatus::Undone => Self::Undone,
        }
    }

    /// Its class.
    pub(super) const fn class(self) -> &'static str {
        match self {
            Self::Open => "draw-is-open",
            Self::Waiting => "draw-is-waiting",
            Self::Running => "draw-is-running",
            Self::Retrying => "draw-is-retrying",
            Self::Unknown => "draw-is-unknown",
            Self::Asking => "draw-is-asking",
            Self::Succeeded => "draw-is-succeeded",
            Self::Failed => "draw-is-failed",
            Self::Skipped => "draw-is-skipped",
            Self::Cancelled => "draw-is-cancelled",
            Self::Undone => "draw-is-undone",
        }
    }

    /// How much somebody wants to know it; the highest of many is the one to look at.
    pub(super) const fn urgency(self) -> u8 {
        match self {
            Self::Unknown => 10,
            Self::Asking => 9,
            Self::Failed => 8,
            Self::Retrying => 7,
            Self::Running => 6,
            Self::Waiting => 5,
            Self::Open => 4,
            Self::Cancelled => 3,
            Self::Undone => 2,
            Self::Succeeded => 1,
            Self::Skipped => 0,
        }
    }

    /// Outline and what stands in it.
    const fn shapes(self) -> (&'static str, &'static str) {
        const DISC: &str = "M8 1a7 7 0 1 1 0 14a7 7 0 1 1 0-14z";
        const OCTAGON: &str = "M5 1H11L15 5V11L11 15H5L1 11V5z";
        const DIAMOND: &str = "M8 0L16 8L8 16L0 8z";
        const TRIANGLE: &str = "M8 1L15.5 15H.5z";
        match self {
            Self::Open => (DISC, ""),
            Self::Waiting => (DISC, "M8 4V8L11 10"),
            Self::Running => (DISC, "M6 4.5V11.5L12 8z"),
            Self::Retrying => (DISC, "M11.5 8A3.5 3.5 0 1 1 9.5 4.8M9 2.5V5.5H6"),
            Self::Unknown => (DIAMOND, "M6 6.5A2 2 0 1 1 8 8.5V9.8M8 11.5V12.5"),
            Self::Asking => (TRIANGLE, "M8 6V10M8 12V13"),
            Self::Succeeded => (DISC, "M4.5 8.5L7 11L11.5 5.5"),
            Self::Failed => (OCTAGON, "M5 5L11 11M11 5L5 11"),
            Self::Skipped => (DISC, "M5 5L8 8L5 11M9 5L12 8L9 11"),
            Self::Cancelled => (DISC, "M3.5 12.5L12.5 3.5"),
            Self::Undone => (DISC, "M12 10.5A4 4 0 0 0 5 6M4.5 3.5V6.5H7.5"),
        }
    }

    /// Draws it with its upper left corner here.
    pub(super) fn draw(self, sheet: &mut Sheet, corner: Point) {
        let (outline, inside) = self.shapes();
        sheet.shape("draw-badge", corner, outline);
        if !inside.is_empty() {
            sheet.shape("draw-sign", corner, inside);
        }
    }
}

/// What kind of step a node stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    /// An effect through a connector.
    Call,
    /// A value is reckoned.
    Script,
    /// A person does something.
    Task,
    /// People say yes or no.
    Approve,
    /// Time or a signal has to come.
    Wait,
    /// Another playbook.
    Playbook,
    /// What was done is taken back.
    Undo,
    /// A line in the timeline.
    Note,
    /// The run ends as failed.
    Fail,
    /// The run ends as succeeded.
    End,
    /// One after the other.
    Group,
    /// All at once.
    Parallel,
    /// The same for each item.
    ForEach,
    /// One of several.
    Switch,
    /// Again until something holds.
    Repeat,
}

impl Kind {
    /// Every one.
    pub(crate) const ALL: &'static [Self] = &[
        Self::Call,
        Self::Script,
        Self::Task,
        Self::Approve,
        Self::Wait,
        Self::Playbook,
        Self::Undo,
        Self::Note,
        Self::Fail,
        Self::End,
        Self::Group,
        Self::Parallel,
        Self::ForEach,
        Self::Switch,
        Self::Repeat,
    ];

    /// Whether nothing comes after it.
    pub(super) const fn is_last(self) -> bool {
        matches!(self, Self::Fail | Self::End)
    }

    const fn shape(self) -> &'static str {
        match self {
            Self::Call => "M9 1L3 9H8L7 15L13 7H8z",
            Self::Script => "M6 2C3 2 5 7 2 8C5 9 3 14 6 14M10 2C13 2 11 7 14 8C11 9 13 14 10 14",
            Self::Task => "M8 2a3 3 0 1 1 0 6a3 3 0 1 1 0-6zM2 15A6 6 0 0 1 14 15",
            Self::Approve => "M2 2H14V14H2zM5 8L7.5 10.5L11.5 5",
            Self::Wait => "M4 1H12M4 15H12M5 1C5 7 11 9 11 15M11 1C11 7 5 9 5 15",
            Self::Playbook => "M3 1H13V15H3zM6 1V15M8 5H11M8 8H11",
            Self::Undo => "M6 2L2 6L6 10M2 6H10A4 4 0 0 1 10 14H6",
            Self::Note => "M2 3H14M2 7H14M2 11H9",
            Self::Fail => "M3 3L13 13M13 3L3 13",
            Self::End => "M3 3H13V13H3z",
            Self::Group => "M2 2H14V14H2zM5 6H11M5 10H11",
            Self::Parallel => "M8 1V4M3 4H13M3 4V12M8 4V12M13 4V12M3 12H13M8 12V15",
            Self::ForEach => "M4 1H15V12M1 4H12V15H1z",
            Self::Switch => "M8 1L15 8L8 15L1 8z",
            Self::Repeat => "M2 8A6 6 0 0 1 13 5M13 1V5H9M14 8A6 6 0 0 1 3 11M3 15V11H7",
        }
    }

    /// Draws it with its upper left corner here.
    pub(super) fn draw(self, sheet: &mut Sheet, corner: Point) {
        sheet.shape("draw-kind", corner, self.shape());
    }
}

/// An arrow's head whose tip is here, pointing down, right or up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Heading {
    Down,
    Right,
    Left,
}

/// Draws the head of an arrow.
pub(super) fn arrow_head(sheet: &mut Sheet, class: &str, tip: Point, heading: Heading) {
    let shape = match heading {
        Heading::Down => "M0 0L-4 -7H4z",
        Heading::Right => "M0 0L-7 -4V4z",
        Heading::Left => "M0 0L7 -4V4z",
    };
    sheet.shape(class, at(tip.x, tip.y), shape);
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn no_two_looks_share_their_shape() {
        let looks: BTreeSet<Look> =
            StepStatus::ALL.iter().map(|status| Look::of(Some(*status))).collect();
        let shapes: BTreeSet<_> = looks.iter().map(|look| look.shapes()).collect();
        let classes: BTreeSet<_> = looks.iter().map(|look| look.class()).collect();
        let urgencies: BTreeSet<_> = looks.iter().map(|look| look.urgency()).collect();
        assert_eq!(looks.len(), 11);
        assert_eq!((shapes.len(), classes.len(), urgencies.len()), (11, 11, 11));
        let kinds: BTreeSet<_> = Kind::ALL.iter().map(|kind| kind.shape()).collect();
        assert_eq!(kinds.len(), Kind::ALL.len());
    }
}
