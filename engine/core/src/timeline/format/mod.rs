//! A timeline on a terminal, in a file, on a page, on paper.

mod csv;
mod golden;
mod html;
mod jsonl;
mod table;
mod time;

pub use csv::csv;
pub use golden::golden;
pub use html::html;
pub use jsonl::jsonl;
pub use table::table;
pub use time::Zone;

use super::chain::Chain;
use super::entry::{Lang, TimelineEntry};
use super::sentence::words;
use crate::model::{Millis, Mode, Span, Tlp};

/// What a document is about, and how it is told.
#[derive(Debug, Clone, Copy)]
pub struct Document<'a> {
    /// The incident's number and title, or what else it is about.
    pub title: &'a str,
    /// Drills say so in every line of sight.
    pub mode: Mode,
    /// Who may read it.
    pub tlp: Tlp,
    /// The language of everything around the sentences.
    pub lang: Lang,
    /// The time zone of everything that people read; files for programs are in UTC.
    pub zone: Zone,
    /// The instant it tells until.
    pub as_of: Millis,
    /// What the readers can check it with.
    pub chain: Option<&'a Chain>,
}

/// Two times nearer than this are one to a reader.
const SAME_TIME: Span = Span::from_secs(60);

/// When a line's event happened, where that is worth saying beside when it was written down.
fn happened(line: &TimelineEntry) -> Option<Millis> {
    let happened = line.happened_at?;
    let apart = line.at.since(happened).max(happened.since(line.at));
    (apart > SAME_TIME).then_some(happened)
}

/// The word of a line's lane.
fn lane(line: &TimelineEntry, lang: Lang) -> &'static str {
    words(lang).lanes.get(line.lane as usize).copied().unwrap_or_default()
}
