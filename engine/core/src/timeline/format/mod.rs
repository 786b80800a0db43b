//! A timeline on a terminal, in a file, on a page, on paper.

mod csv;
mod drawing;
mod golden;
mod html;
mod jsonl;
mod stix;
mod table;
mod time;

pub use csv::csv;
pub use drawing::drawing;
pub use golden::golden;
pub use html::html;
pub use jsonl::jsonl;
pub use stix::{Subject, stix};
pub use table::table;
pub use time::{Zone, ZoneName};

use serde::{Deserialize, Serialize};

use super::chain::Chain;
use super::entry::{Lang, SAME_TIME, TimelineEntry};
use super::filter::Filter;
use super::persons::Persons;
use crate::model::{Digest, Millis, Mode, Tlp};

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
    /// Which of the lines these are.
    pub filter: Option<&'a Filter>,
    /// Whether they say who.
    pub persons: Persons,
    /// The hash of the incident's newest entry, for who reads all of it.
    pub head: Option<Digest>,
}

/// What an export says of itself, beside its lines.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct About {
    /// The filter, as a query; empty where nothing is left out.
    pub filter: String,
    /// The first instant of its lines.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// The last one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    /// How many lines.
    pub count: usize,
    /// The time zone of what people read in it.
    pub zone: String,
    /// Who may read it.
    pub tlp: Tlp,
    /// Whether it says who.
    pub persons: Persons,
    /// The instant it tells until.
    pub as_of: String,
    /// The hash of the incident's newest entry, where the file carries no chain that has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub head: Option<Digest>,
}

impl About {
    fn of(lines: &[TimelineEntry], document: &Document<'_>) -> Self {
        let times = || lines.iter().map(TimelineEntry::when);
        Self {
            filter: document.filter.map(Filter::to_query).unwrap_or_default(),
            from: times().min().map(|at| at.to_string()),
            to: times().max().map(|at| at.to_string()),
            count: lines.len(),
            zone: document.zone.to_string(),
            tlp: document.tlp,
            persons: document.persons,
            as_of: document.as_of.to_string(),
            head: document.head.filter(|_| document.chain.is_none()),
        }
    }
}

/// When a line was written down, where that is worth saying beside when it happened.
fn recorded(line: &TimelineEntry) -> Option<Millis> {
    let ahead = line.when().since(line.at) > SAME_TIME;
    (ahead || line.late_by().is_some()).then_some(line.at)
}
