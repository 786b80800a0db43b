//! What happened, for people: sentences in German or English, as a pure function of events.
//!
//! The way: entries of many streams → [`timeline`], through a [`Scope`] → [`TimelineEntry`]s →
//! one of the formats. Nothing in here changes a state, and nothing in here decides. What is noise
//! for most readers is marked as detail, not dropped. Sensitive values never come this far, and
//! texts from outside come as text: escaped, bounded, without power over the page that shows them.
//! A run's JSON is read through the same scope: [`Eyes`].

mod briefing;
mod call_out;
mod chain;
mod class;
mod entry;
mod escape;
mod export;
mod eyes;
mod format;
mod incident;
mod owners;
mod place;
mod print;
mod run;
mod seen;
mod sensitive;
mod sentence;
mod sheet;
mod weave;

pub use briefing::{briefing, open_needs, proposals};
pub use call_out::{CALLED_TO_LISTED_MAX, CallOutMail, CallOutPart, CalledTo};
pub use chain::{Chain, ChainEntry, ChainError, StreamEnd};
pub use entry::{Events, Lane, Lang, Recorded, Scope, TimelineEntry};
pub use escape::{is_plain_word, visible};
pub use export::{Export, InOrder};
pub use eyes::Eyes;
pub use format::{Document, Zone, csv, golden, html, jsonl, table};
pub use incident::of_one_incident;
pub use print::{checklist, sheet};
pub use sentence::need_title;
pub use sheet::{Bit, Given, Row, RowKind, Sheet};
pub use weave::timeline;

#[cfg(test)]
mod tests;
