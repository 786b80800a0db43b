//! Small parts that many pages show: a status, an instant, a deadline. Each says itself in words; its
//! colour and its shape only say it again.

use askama::Template;
use beistand_core::model::Millis;
use beistand_core::run::{RunStatus, StepStatus};

use super::frame::Frame;
use crate::words::Stamp;

/// How a thing stands, in one of five shapes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tone {
    /// Nothing to do, nothing to fear.
    Plain,
    /// It goes on.
    Info,
    /// It is well.
    Good,
    /// Somebody should look.
    Warning,
    /// Somebody must.
    Danger,
}

impl Tone {
    /// The end of a class of the design system, and the name of an icon of it.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Plain | Self::Info => "info",
            Self::Good => "success",
            Self::Warning => "warning",
            Self::Danger => "danger",
        }
    }
}

/// A status.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(
    source = r#"<span class="kern-badge kern-badge--{{ tone.word() }} status status-{{ word }}"><span class="shape" aria-hidden="true"></span><span class="kern-label kern-label--small">{{ said }}</span></span>"#,
    ext = "html"
)]
pub(crate) struct Badge {
    pub(crate) tone: Tone,
    /// The word of the vocabulary, for the shape.
    pub(crate) word: String,
    /// What it says.
    pub(crate) said: String,
}

impl Badge {
    /// A step's status.
    pub(crate) fn of_step(frame: &Frame, word: &str) -> Self {
        let tone = word.parse().map_or(Tone::Warning, of_step);
        Self { tone, word: word.to_owned(), said: frame.words.of("step", word) }
    }

    /// A run's status.
    pub(crate) fn of_run(frame: &Frame, word: &str) -> Self {
        let tone = word.parse().map_or(Tone::Warning, of_run);
        Self { tone, word: word.to_owned(), said: frame.words.of("run", word) }
    }
}

/// What a step's status is like. One that nobody knows wants to be looked at.
const fn of_step(status: StepStatus) -> Tone {
    match status {
        StepStatus::Succeeded => Tone::Good,
        StepStatus::Running | StepStatus::Ready | StepStatus::Probing | StepStatus::Undoing => {
            Tone::Info
        }
        StepStatus::Skipped | StepStatus::Undone | StepStatus::Cancelled => Tone::Plain,
        StepStatus::Failed | StepStatus::UndoFailed | StepStatus::Unknown => Tone::Danger,
        StepStatus::Waiting
        | StepStatus::Retrying
        | StepStatus::NeedsDecision
        | StepStatus::WaitingForApproval
        | StepStatus::WaitingForPerson
        | StepStatus::WaitingForSignal
        | StepStatus::WaitingForTime
        | StepStatus::WaitingForChild => Tone::Warning,
    }
}

/// What a run's status is like.
const fn of_run(status: RunStatus) -> Tone {
    match status {
        RunStatus::Succeeded => Tone::Good,
        RunStatus::Running | RunStatus::Undoing => Tone::Info,
        RunStatus::Undone | RunStatus::Cancelled | RunStatus::Superseded => Tone::Plain,
        RunStatus::Failed => Tone::Danger,
        RunStatus::Waiting | RunStatus::Paused | RunStatus::Cancelling => Tone::Warning,
    }
}

/// An instant, in local time, with UTC for who asks.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(
    source = r#"<time datetime="{{ stamp.iso }}" title="{{ stamp.utc }}">{% if long %}{{ stamp.full }}{% else %}{{ stamp.short }}{% endif %}</time>"#,
    ext = "html"
)]
pub(crate) struct At {
    pub(crate) stamp: Stamp,
    pub(crate) long: bool,
}

impl At {
    /// With its day.
    pub(crate) fn full(frame: &Frame, at: Millis) -> Self {
        Self { stamp: frame.times.stamp(at), long: true }
    }

    /// On one line of a list.
    pub(crate) fn short(frame: &Frame, at: Millis) -> Self {
        Self { stamp: frame.times.stamp(at), long: false }
    }

    /// What the engine wrote as RFC 3339; nothing where that is none.
    pub(crate) fn read(frame: &Frame, text: &str) -> Option<Self> {
        Millis::parse(text).ok().map(|at| Self::short(frame, at))
    }
}

/// Until when, and how long that is.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "part/deadline.html")]
pub(crate) struct Deadline {
    /// Milliseconds since 1970, for who counts on.
    pub(crate) millis: i64,
    pub(crate) at: At,
    pub(crate) utc: String,
    pub(crate) late: bool,
    pub(crate) soon: bool,
    /// `noch 17 Std. 42 Min.`, `seit 2 Std. überfällig`.
    pub(crate) said: String,
}

/// With less than this it is soon: an hour is what a tired team needs to notice.
const SOON_MILLIS: u64 = 3_600_000;

impl Deadline {
    /// Of an instant.
    pub(crate) fn of(frame: &Frame, until: Millis) -> Self {
        let now = frame.times.now;
        let late = until <= now;
        let (key, span) = if late {
            ("deadline-late", now.since(until))
        } else {
            ("deadline-left", until.since(now))
        };
        let at = At::full(frame, until);
        Self {
            millis: until.get(),
            utc: at.stamp.utc.clone(),
            at,
            late,
            soon: !late && span.millis() < SOON_MILLIS,
            said: frame.ta(key, &frame.times.span(span)),
        }
    }
}
