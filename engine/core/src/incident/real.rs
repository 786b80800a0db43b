//! A drill that turned out to be real: what is known in it goes into a live incident of its own.
//!
//! Only what people found out goes along: title, severity, marking, assets, organisations, and the notes with
//! their times. No run, approval or hold does: nothing in a drill was done to anything. No role does either: in
//! a drill a name is enough to give one, and live it lets things through. And no file: what was kept in a drill
//! is evidence of nothing.

use std::collections::{BTreeMap, BTreeSet};

use super::{Asset, Event, Head, IncidentNumber, IncidentState, Refused};
use crate::model::{
    EntryId, IncidentId, LineId, Millis, Mode, Organisation, Person, Severity, Tlp,
};
use crate::run::{Actor, Contradiction};

/// So many notes go along, the newest: more than are written in a drill of a day.
const NOTES_MAX: usize = 500;

/// What is known in a drill.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    drill: IncidentNumber,
    title: String,
    severity: Severity,
    tlp: Tlp,
    organisations: BTreeSet<Organisation>,
    assets: Vec<Asset>,
    notes: BTreeMap<LineId, Written>,
    order: Vec<LineId>,
}

/// A note of a drill, as it was put right last.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Written {
    at: Millis,
    by: Person,
    organisation: Option<Organisation>,
    text: String,
}

impl Known {
    /// What the entries of a drill say, the oldest first.
    ///
    /// # Errors
    /// [`Contradiction`] where they contradict each other.
    pub fn of(entries: &[(EntryId, Millis, Vec<Event>)]) -> Result<Self, Contradiction> {
        let events = || entries.iter().flat_map(|(_, at, events)| events.iter().map(|e| (e, *at)));
        let state = IncidentState::fold(events())?;
        let mut known = Self {
            assets: state.assets().cloned().collect(),
            drill: state.number,
            title: state.title,
            severity: state.severity,
            tlp: state.tlp,
            organisations: state.organisations,
            notes: BTreeMap::new(),
            order: Vec::new(),
        };
        for (entry, at, events) in entries {
            for (event, number) in events.iter().zip(1..) {
                known.note(LineId::new(*entry, number), *at, event);
            }
        }
        // In the order in which they were written; of too many the newest.
        let old = known.order.len().saturating_sub(NOTES_MAX);
        known.order.drain(..old);
        Ok(known)
    }

    /// A note, or what somebody said it should have been. What was erased is known no more.
    fn note(&mut self, line: LineId, at: Millis, event: &Event) {
        let Some(text) = event.body.text.clone() else { return };
        if let Head::NoteAdded { happened_at } = &event.head {
            let (by, organisation) = (event.by.person.clone(), event.organisation.clone());
            let at = happened_at.unwrap_or(at);
            self.notes.insert(line, Written { at, by, organisation, text });
            self.order.push(line);
        } else if let Head::LineCorrected { line, happened_at } = &event.head
            && let Some(note) = self.notes.get_mut(line)
        {
            note.text = text;
            note.at = happened_at.unwrap_or(note.at);
        }
    }

    /// The drill's number.
    pub const fn drill(&self) -> &IncidentNumber {
        &self.drill
    }

    /// Whom it concerns.
    pub const fn organisations(&self) -> &BTreeSet<Organisation> {
        &self.organisations
    }

    /// Things it is about.
    pub fn assets(&self) -> &[Asset] {
        &self.assets
    }

    /// How many notes go along.
    pub fn notes(&self) -> usize {
        self.order.len()
    }

    /// How bad it is.
    pub const fn severity(&self) -> Severity {
        self.severity
    }

    /// Who may read it.
    pub const fn tlp(&self) -> Tlp {
        self.tlp
    }

    /// One line.
    pub fn title(&self) -> &str {
        &self.title
    }

    /// What the live incident begins with: who opens it copies, and each note says who wrote it and when.
    ///
    /// # Errors
    /// [`Refused`] where this is no drill, or its title was erased.
    pub fn opening(
        &self,
        (incident, number): (IncidentId, IncidentNumber),
        by: &Actor,
    ) -> Result<Vec<Event>, Refused> {
        if self.drill.mode() != Mode::Drill {
            return Err(Refused::RealAlready(self.drill.clone()));
        }
        if self.title.trim().is_empty() {
            return Err(Refused::NoTitle);
        }
        let head = Head::IncidentOpened {
            incident,
            mode: number.mode(),
            number,
            severity: self.severity,
            tlp: self.tlp,
            drill: Some(self.drill.clone()),
        };
        let mut events = vec![Event::new(head, by.clone()).text(self.title.clone())];
        let concerned = self.organisations.iter().cloned().map(Some);
        events.extend(concerned.map(|o| Event::new(Head::OrganisationLinked, by.clone()).of(o)));
        events.extend(self.assets.iter().map(|asset| {
            let head = Head::AssetChanged { kind: asset.kind, state: asset.state };
            let event = Event::new(head, by.clone()).named(asset.value.clone());
            event.of(asset.organisation.clone())
        }));
        let notes = self.order.iter().filter_map(|line| self.notes.get(line));
        events.extend(notes.map(|note| {
            let head = Head::NoteCopied { happened_at: note.at, wrote: note.by.clone() };
            let event = Event::new(head, by.clone()).text(note.text.clone());
            event.of(note.organisation.clone())
        }));
        Ok(events)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::incident::AssetState;
    use crate::model::{Digest, Role, TargetKind};

    fn actor(name: &str) -> Actor {
        Actor::asserted(name.parse().unwrap())
    }

    fn entry(number: u64) -> EntryId {
        EntryId::new(number, &[3; 10])
    }

    fn at(number: u64, event: Event) -> (EntryId, Millis, Vec<Event>) {
        let millis = i64::try_from(number).unwrap();
        (entry(number), Millis::new(1_795_000_000_000 + 1_000 * millis), vec![event])
    }

    fn opened(number: &str) -> Event {
        let number: IncidentNumber = number.parse().unwrap();
        let head = Head::IncidentOpened {
            incident: IncidentId::new(7, &[7; 10]),
            mode: number.mode(),
            number,
            severity: Severity::try_from(2).unwrap(),
            tlp: Tlp::Amber,
            drill: None,
        };
        Event::new(head, actor("anna")).text("Fileserver verschlüsselt")
    }

    fn drill() -> Vec<(EntryId, Millis, Vec<Event>)> {
        let hagen: Organisation = "Stadt Hagen".parse().unwrap();
        let asset = Head::AssetChanged { kind: TargetKind::Host, state: AssetState::Affected };
        let role =
            Head::RoleAssigned { role: Role::Commander, person: Some("ben".parse().unwrap()) };
        let paper = Some(Millis::new(1_794_999_000_000));
        let wrong = LineId::new(entry(5), 1);
        vec![
            at(1, opened("SIT-UEB-2026-0003")),
            at(2, Event::new(Head::OrganisationLinked, actor("anna")).of(Some(hagen.clone()))),
            at(3, Event::new(asset, actor("anna")).named("fs01").of(Some(hagen))),
            at(4, Event::new(role, actor("anna"))),
            at(5, Event::new(Head::NoteAdded { happened_at: None }, actor("ben")).text("um zwei")),
            at(6, Event::new(Head::NoteAdded { happened_at: paper }, actor("cleo")).text("Papier")),
            at(
                7,
                Event::new(Head::EvidenceAdded { digest: Digest::ZERO, bytes: 1 }, actor("ben"))
                    .named("brief.txt"),
            ),
            at(
                8,
                Event::new(Head::LineCorrected { line: wrong, happened_at: None }, actor("ben"))
                    .text("um drei"),
            ),
            at(9, Event::new(Head::NoteAdded { happened_at: None }, actor("ben"))),
            at(
                10,
                Event::new(
                    Head::IncidentChanged { severity: None, tlp: Some(Tlp::Red) },
                    actor("ben"),
                ),
            ),
        ]
    }

    fn live() -> (IncidentId, IncidentNumber) {
        (IncidentId::new(9, &[9; 10]), "SIT-2026-0004".parse().unwrap())
    }

    #[test]
    fn what_people_found_out_goes_along_and_nothing_that_lets_through() {
        let known = Known::of(&drill()).unwrap();
        let sizes = (known.assets().len(), known.organisations().len(), known.notes());
        assert_eq!(sizes, (1, 1, 2));
        let events = known.opening(live(), &actor("dora")).unwrap();
        assert!(events.iter().all(|event| event.by == actor("dora")), "who copies is who says so");
        let state =
            IncidentState::fold(events.iter().map(|event| (event, Millis::new(1)))).unwrap();
        assert_eq!((state.mode, state.tlp, state.severity.get()), (Mode::Live, Tlp::Red, 2));
        assert_eq!(state.title, "Fileserver verschlüsselt");
        assert_eq!(state.drill, Some("SIT-UEB-2026-0003".parse().unwrap()));
        assert_eq!((state.roles.len(), state.evidence.len()), (0, 0));
        assert_eq!(state.assets().next().unwrap().value, "fs01");
        let notes: Vec<_> = state
            .notes
            .iter()
            .map(|note| (note.by.as_str(), note.happened_at.unwrap().get(), note.text.as_str()))
            .collect();
        assert_eq!(
            notes,
            [("ben", 1_795_000_005_000, "um drei"), ("cleo", 1_794_999_000_000, "Papier")],
            "as it was put right, and when it was"
        );
    }

    #[test]
    fn what_is_real_does_not_become_so_once_more() {
        let real = Known::of(&[at(1, opened("SIT-2026-0001"))]).unwrap();
        let refused = real.opening(live(), &actor("dora")).unwrap_err();
        assert_eq!(refused.to_string(), "incident SIT-2026-0001 is real already");
    }

    #[test]
    fn of_too_many_notes_the_newest_go_along() {
        let mut entries = vec![at(1, opened("SIT-UEB-2026-0003"))];
        for number in 2..=(NOTES_MAX as u64 + 3) {
            let note = Event::new(Head::NoteAdded { happened_at: None }, actor("ben"));
            entries.push(at(number, note.text(format!("note {number}"))));
        }
        let events = Known::of(&entries).unwrap().opening(live(), &actor("dora")).unwrap();
        assert_eq!(events.len(), 1 + NOTES_MAX);
        assert_eq!(events[1].body.text.as_deref(), Some("note 4"));
    }
}
