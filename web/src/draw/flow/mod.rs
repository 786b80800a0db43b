//! What a playbook does, from top to bottom, and how far a run of it has come.
//!
//! ```text
//!  Plan ─┐
//!        ├─ [`of_plan`] ─► [`Flow`], a tree of [`Block`]s ─ layout ─► parts at places ─ paint ─► SVG
//!  run ──┘
//! ```
//!
//! Steps that run one after the other stand below each other, branches beside each other as far as the
//! width allows, and then in rows. What happens only when something fails stands aside, with dashed
//! lines. A loop is drawn once, with how many items are done; what its items have become is counted at
//! each step. It knows no language: all words come with [`Words`].

mod layout;
mod of_plan;
mod paint;
#[cfg(test)]
mod tests;
mod ways;

use beistand_core::model::Role;
use beistand_core::run::StepStatus;

use super::Access;
pub(crate) use super::glyph::Kind;
pub(crate) use of_plan::of_plan;
pub(crate) use of_plan::template_text;

/// A whole playbook.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Flow {
    /// The steps.
    pub(crate) blocks: Vec<Block>,
    /// What runs when they fail.
    pub(crate) on_failure: Vec<Block>,
    /// What runs at the end, however it came.
    pub(crate) always: Vec<Block>,
}

/// A step, with what stands inside of it and beside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Block {
    /// What kind of step.
    pub(crate) kind: Kind,
    /// What people call it.
    pub(crate) title: String,
    /// How it stands; nothing before a run.
    pub(crate) status: Option<StepStatus>,
    /// Where there is more about it: a place of this server.
    pub(crate) href: Option<String>,
    /// What else is to be known, a line each: when it runs, who must say yes, how often it was tried.
    pub(crate) lines: Vec<String>,
    /// What it consists of.
    pub(crate) inside: Inside,
    /// What may happen because of it.
    pub(crate) asides: Vec<Aside>,
}

/// What a step consists of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Inside {
    /// Nothing: it acts itself.
    Nothing,
    /// Steps one after the other.
    Sequence(Vec<Block>),
    /// Several ways: all of them or one, as its kind says.
    Branches(Vec<Branch>),
    /// Steps again and again.
    Rounds(Vec<Block>),
}

/// One of several ways.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Branch {
    /// Its name, or when it is taken.
    pub(crate) label: String,
    /// Whether the run took it.
    pub(crate) taken: bool,
    /// Its steps.
    pub(crate) blocks: Vec<Block>,
}

/// What stands beside a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Aside {
    /// Why it would run.
    pub(crate) why: Why,
    /// Its steps.
    pub(crate) blocks: Vec<Block>,
}

/// Why steps that stand aside run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Why {
    /// The step failed.
    OnError,
    /// The run failed.
    OnFailure,
    /// However it ended.
    Always,
    /// It is taken back.
    Undo,
}

/// The words of a language. What stands in braces is filled in.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Words {
    /// A kind of step: `Aufgabe`.
    pub(crate) kind: fn(Kind) -> &'static str,
    /// A status: `wartet auf Freigabe`.
    pub(crate) status: fn(StepStatus) -> &'static str,
    /// A role: `Einsatzleitung`.
    pub(crate) role: fn(Role) -> &'static str,
    /// Over steps aside: `Bei Fehler`.
    pub(crate) why: fn(Why) -> &'static str,
    /// A condition: `nur wenn {condition}`.
    pub(crate) only_if: &'static str,
    /// The last way of a switch: `sonst`.
    pub(crate) otherwise: &'static str,
    /// A gate: `Freigabe: {votes} × {role}`.
    pub(crate) approval: &'static str,
    /// Of ways that are gone at once the first to end well is enough: `der erste zählt`.
    pub(crate) first_counts: &'static str,
    /// What a loop is over: `für jedes aus {list}`.
    pub(crate) each: &'static str,
    /// How far a loop has come: `{done} von {total} fertig`.
    pub(crate) items: &'static str,
    /// Items that failed: `{count} fehlgeschlagen`.
    pub(crate) failed: &'static str,
    /// Rounds: `höchstens {max} Runden, bis {until}`.
    pub(crate) rounds: &'static str,
    /// More than one attempt: `{count} Versuche`.
    pub(crate) attempts: &'static str,
    /// It took longer than it should: `verspätet`.
    pub(crate) late: &'static str,
    /// A person did it: `von Hand`.
    pub(crate) by_hand: &'static str,
}

/// Draws a flow no wider than `width` pixels, as far as that goes: what is nested deeper than a narrow
/// page has room for makes it wider. 343 fits a telephone, 1200 a screen.
pub(crate) fn flow(flow: &Flow, words: &Words, width: u16, access: &Access<'_>) -> String {
    paint::paint(layout::layout(flow, words, i32::from(width)), words, access)
}
