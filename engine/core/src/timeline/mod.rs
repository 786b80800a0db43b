//! What happened, for people: sentences in German or English, as a pure function of events.
//!
//! The way: entries of many streams → [`timeline`], through a [`Scope`] → [`TimelineEntry`]s →
//! one of the formats. Nothing in here changes a state, and nothing in here decides. What is noise
//! for most readers is marked as detail, not dropped. Sensitive values never come this far, and
//! texts from outside come as text: escaped, bounded, without power over the page that shows them.
//! A run's JSON is read through the same scope: [`Eyes`].

mod bind;
mod briefing;
mod call_out;
mod chain;
mod class;
mod entry;
mod escape;
mod export;
mod eyes;
mod filter;
mod format;
mod incident;
mod instant;
mod metrics;
mod owners;
mod persons;
mod place;
mod print;
mod review;
mod run;
mod seen;
mod sensitive;
mod sentence;
mod sheet;
mod story;
mod stroke;
mod weave;

pub use bind::bound;
pub use briefing::{briefing, open_needs, proposals};
pub use call_out::{CALLED_TO_LISTED_MAX, CallOutMail, CallOutPart, CalledTo};
pub use chain::{Chain, ChainEntry, ChainError, StreamEnd};
pub use entry::{Events, Lane, Lang, Recorded, Scope, TimelineEntry};
pub use escape::{is_plain_word, visible};
pub use export::{Export, InOrder};
pub use eyes::Eyes;
pub use filter::{Filter, FilterError};
pub use format::{
    About, Document, Subject, Zone, ZoneName, csv, drawing, golden, html, jsonl, stix, table,
};
pub use incident::of_one_incident;
pub use metrics::{Metrics, metrics};
pub use persons::{Numbers, Persons};
pub use print::{checklist, sheet};
pub use review::{
    BINS, Bar, Bin, Break, Deadline, DeadlineState, Gap, Layout, POSITIONS, Point, Review,
    ReviewLane, Tick, review,
};
pub use sentence::need_title;
pub use sheet::{Bit, Given, Row, RowKind, Sheet};
pub use story::{StoryEntry, story};
pub use stroke::{BarEnd, BarKind};
pub use weave::timeline;

#[cfg(test)]
mod tests;
