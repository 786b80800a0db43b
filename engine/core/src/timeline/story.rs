//! The story of an incident: lines that somebody picked, in their own words and order. What it says is
//! its teller's; the lines that it points at stay as they are.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::bind::{LEFT_OUT, TOLD};
use super::entry::{Lane, TimelineEntry};
use crate::model::{LineId, Millis, Person};

/// A line as the story tells it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StoryEntry {
    /// Which line.
    pub line: LineId,
    /// Its title in the story; absent where it has none, and where it is not shown.
    pub title: Option<String>,
    /// The teller's words; absent where the line speaks for itself, and where they are not shown.
    pub text: Option<String>,
    /// The time it is told with.
    #[serde(serialize_with = "super::instant::text")]
    pub at: Millis,
    /// Its place, where it was given one; from 1.
    pub place: Option<u32>,
    /// Who tells it.
    pub by: Option<Person>,
    /// Since when.
    #[serde(serialize_with = "super::instant::text")]
    pub told_at: Millis,
    /// What the line itself says.
    pub message: String,
    /// The line's kind of doing.
    pub lane: Lane,
    /// The line was corrected since.
    pub corrected: bool,
}

/// What a line of the timeline carries of the story.
#[derive(Debug, Default, Deserialize)]
struct Told {
    title: Option<String>,
    text: Option<String>,
    at: Option<String>,
    place: Option<u32>,
}

/// The story that bound lines tell: those with a place first, in its order, then by their times.
pub fn story(lines: &[TimelineEntry]) -> Vec<StoryEntry> {
    let known: BTreeMap<LineId, &TimelineEntry> =
        lines.iter().filter_map(|line| Some((line.line()?, line))).collect();
    let mut newest: BTreeMap<LineId, &TimelineEntry> = BTreeMap::new();
    for line in lines.iter().filter(|line| [TOLD, LEFT_OUT].contains(&line.kind)) {
        let Some(about) = line.about else { continue };
        let written = |line: &TimelineEntry| (line.at, line.seq, line.event);
        let later = newest.get(&about).is_none_or(|before| written(before) <= written(line));
        if later {
            newest.insert(about, line);
        }
    }
    let told = newest.into_iter().filter(|(_, line)| line.kind == TOLD);
    let mut story: Vec<StoryEntry> =
        told.filter_map(|(id, telling)| entry(known.get(&id)?, telling)).collect();
    story.sort_by_key(|entry| (entry.place.unwrap_or(u32::MAX), entry.at, entry.line));
    story
}

fn entry(line: &TimelineEntry, telling: &TimelineEntry) -> Option<StoryEntry> {
    let told = telling.value.clone().and_then(|value| serde_json::from_value(value).ok());
    let Told { title, text, at, place } = told.unwrap_or_default();
    Some(StoryEntry {
        line: line.line()?,
        title,
        text,
        at: at.and_then(|at| Millis::parse(&at).ok()).unwrap_or_else(|| line.when()),
        place,
        by: telling.actor.clone(),
        told_at: telling.at,
        message: line.text.clone(),
        lane: line.lane,
        corrected: line.corrected_by.is_some(),
    })
}
