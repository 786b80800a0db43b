//! What people mark in a timeline: corrections, stars, the story. Decided from what is marked already,
//! before anything is written; none of it changes the line that it is about.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Event, Head};
use crate::model::{LineId, Millis, Organisation, Person};
use crate::run::Actor;

/// What a person does to a line of the timeline, also as the mailbox carries it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mark {
    /// Says how it was instead.
    Correct {
        /// What is right.
        text: String,
        /// When it happened in truth, where that is what was wrong.
        happened_at: Option<Millis>,
        /// Why.
        reason: String,
    },
    /// Marks it as one that matters.
    Star,
    /// Takes that mark away.
    Unstar,
    /// Tells it in the story.
    Tell(Telling),
    /// Tells it no more.
    LeaveOut,
}

/// A line as it is told in the story; without anything it speaks for itself.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Telling {
    /// What it is called there.
    pub title: Option<String>,
    /// In own words.
    pub text: Option<String>,
    /// The time it is told with, where that is not the line's.
    pub happened_at: Option<Millis>,
    /// Its place, from 1; those without one follow by their times.
    pub place: Option<u32>,
}

/// What is marked in an incident's timeline.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Marks {
    stars: BTreeMap<LineId, Person>,
    story: BTreeMap<LineId, Telling>,
    corrected: BTreeMap<LineId, (Mark, Person)>,
}

impl Mark {
    /// When something happened that it tells of, where it says so.
    pub const fn happened_at(&self) -> Option<Millis> {
        match self {
            Self::Correct { happened_at, .. } | Self::Tell(Telling { happened_at, .. }) => {
                *happened_at
            }
            Self::Star | Self::Unstar | Self::LeaveOut => None,
        }
    }
}

impl Marks {
    /// What all events of an incident's stream leave marked.
    pub fn fold<'e>(events: impl IntoIterator<Item = &'e Event>) -> Self {
        let mut marks = Self::default();
        events.into_iter().for_each(|event| marks.learn(event));
        marks
    }

    fn learn(&mut self, event: &Event) {
        let by = event.by.person.clone();
        let text = event.body.text.clone();
        match &event.head {
            Head::LineCorrected { line, happened_at } => {
                let reason = event.body.reason.clone().unwrap_or_default();
                let (text, happened_at) = (text.unwrap_or_default(), *happened_at);
                self.corrected.insert(*line, (Mark::Correct { text, happened_at, reason }, by));
            }
            Head::LineStarred { line } => drop(self.stars.insert(*line, by)),
            Head::StarRemoved { line } => drop(self.stars.remove(line)),
            Head::StoryTold { line, happened_at, place } => {
                let (title, happened_at) = (event.body.name.clone(), *happened_at);
                let telling = Telling { title, text, happened_at, place: *place };
                self.story.insert(*line, telling);
            }
            Head::StoryLeftOut { line } => drop(self.story.remove(line)),
            Head::IncidentOpened { .. }
            | Head::IncidentChanged { .. }
            | Head::IncidentClosed
            | Head::NoteAdded { .. }
            | Head::NoteCopied { .. }
            | Head::TurnedReal { .. }
            | Head::PlaybookProposed { .. }
            | Head::RoleAssigned { .. }
            | Head::CommandOffered { .. }
            | Head::OfferWithdrawn
            | Head::CommandTaken { .. }
            | Head::OrganisationLinked
            | Head::AssetChanged { .. }
            | Head::EvidenceAdded { .. }
            | Head::CalledOut { .. }
            | Head::CallOutEnded { .. } => {}
        }
    }

    /// What is written down when somebody marks a line; nothing where it is marked so already. Whose
    /// the line is, is whose the mark is: both are seen by the same readers.
    pub fn decide(
        &self,
        (line, whose): (LineId, Option<Organisation>),
        mark: Mark,
        by: Actor,
    ) -> Option<Event> {
        let event = match mark {
            Mark::Correct { text, happened_at, reason } => {
                let same =
                    Mark::Correct { text: text.clone(), happened_at, reason: reason.clone() };
                if self.corrected.get(&line) == Some(&(same, by.person.clone())) {
                    return None;
                }
                let mut event =
                    Event::new(Head::LineCorrected { line, happened_at }, by).text(text);
                event.body.reason = Some(reason);
                event
            }
            Mark::Star if self.stars.contains_key(&line) => return None,
            Mark::Star => Event::new(Head::LineStarred { line }, by),
            Mark::Unstar if !self.stars.contains_key(&line) => return None,
            Mark::Unstar => Event::new(Head::StarRemoved { line }, by),
            Mark::Tell(telling) if self.story.get(&line) == Some(&telling) => return None,
            Mark::Tell(Telling { title, text, happened_at, place }) => {
                let mut event = Event::new(Head::StoryTold { line, happened_at, place }, by);
                (event.body.name, event.body.text) = (title, text);
                event
            }
            Mark::LeaveOut if !self.story.contains_key(&line) => return None,
            Mark::LeaveOut => Event::new(Head::StoryLeftOut { line }, by),
        };
        Some(event.of(whose))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::EntryId;

    fn line(number: u16) -> LineId {
        LineId::new(EntryId::new(1_700_000_000_000, &[7; 10]), number)
    }

    fn by(name: &str) -> Actor {
        Actor::program(name.parse().unwrap())
    }

    fn correct(text: &str) -> Mark {
        let (text, reason) = (text.to_owned(), "misheard".to_owned());
        Mark::Correct { text, happened_at: Some(Millis::new(7)), reason }
    }

    #[test]
    fn what_is_marked_so_already_is_not_written_again() {
        let telling = Telling { title: Some("It begins".to_owned()), ..Telling::default() };
        let steps = [
            (correct("pc-3"), true),
            (correct("pc-3"), false),
            (correct("pc-4"), true),
            (correct("pc-3"), true),
            (Mark::Unstar, false),
            (Mark::Star, true),
            (Mark::Star, false),
            (Mark::Unstar, true),
            (Mark::LeaveOut, false),
            (Mark::Tell(telling.clone()), true),
            (Mark::Tell(telling.clone()), false),
            (Mark::Tell(Telling { place: Some(1), ..telling }), true),
            (Mark::LeaveOut, true),
            (Mark::LeaveOut, false),
        ];
        let mut events: Vec<Event> = Vec::new();
        for (mark, writes) in steps {
            let marks = Marks::fold(&events);
            let event = marks.decide((line(1), None), mark.clone(), by("anna"));
            assert_eq!(event.is_some(), writes, "{mark:?}");
            events.extend(event);
        }
        let marks = Marks::fold(&events);
        assert!(marks.decide((line(2), None), Mark::Star, by("anna")).is_some(), "another line");
        let other = marks.decide((line(1), None), correct("pc-3"), by("ben"));
        assert!(other.is_some(), "two people who say the same are two witnesses");
    }

    #[test]
    fn what_is_written_down_is_read_for_ever() {
        let telling = Telling {
            title: Some("It begins".to_owned()),
            text: Some("At two".to_owned()),
            happened_at: Some(Millis::new(7)),
            place: Some(1),
        };
        let marks =
            [correct("pc-3"), Mark::Star, Mark::Unstar, Mark::Tell(telling), Mark::LeaveOut];
        // The bytes of the first version that wrote them: they only grow.
        let heads = [
            r#"{"k":"line-corrected","line":"LINE.2","happened_at":7,"by":{"person":"anna"}}"#,
            r#"{"k":"line-starred","line":"LINE.2","by":{"person":"anna"}}"#,
            r#"{"k":"star-removed","line":"LINE.2","by":{"person":"anna"}}"#,
            r#"{"k":"story-told","line":"LINE.2","happened_at":7,"place":1,"by":{"person":"anna"}}"#,
            r#"{"k":"story-left-out","line":"LINE.2","by":{"person":"anna"}}"#,
        ];
        let bodies = [
            r#"{"t":"pc-3","r":"misheard"}"#,
            "{}",
            "{}",
            r#"{"t":"At two","n":"It begins"}"#,
            "{}",
        ];
        let mut known = Marks::default();
        for (mark, (head, body)) in marks.into_iter().zip(heads.into_iter().zip(bodies)) {
            let event = known.decide((line(2), None), mark, by("anna")).unwrap();
            let head = head.replace("LINE", &line(1).to_string());
            let read = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
            assert_eq!(serde_json::to_value(&event).unwrap(), read(&head));
            assert_eq!(serde_json::to_value(&event.body).unwrap(), read(body));
            let mut again: Event = serde_json::from_str(&head).unwrap();
            again.body = serde_json::from_str(body).unwrap();
            assert_eq!(again, event);
            known.learn(&event);
        }
    }

    #[test]
    fn a_mark_is_whose_the_line_is() {
        let whose: Organisation = "stadt-a".parse().unwrap();
        for mark in [correct("x"), Mark::Star, Mark::Tell(Telling::default())] {
            let event = Marks::default().decide((line(1), Some(whose.clone())), mark, by("anna"));
            assert_eq!(event.unwrap().organisation, Some(whose.clone()));
        }
    }
}
