//! What an incident's entries say of it: the fold that its rows are held against.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{Asset, Event, Head, IncidentNumber, Note, Offer, Proposed};
use crate::model::{
    Digest, IncidentId, Millis, Mode, Organisation, Person, PlaybookName, Role, Severity,
    TargetKind, Tlp,
};
use crate::run::{Actor, Contradiction};

/// An incident as its entries tell it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IncidentState {
    /// Its id.
    pub id: IncidentId,
    /// Its number for people.
    pub number: IncidentNumber,
    /// Real or not.
    pub mode: Mode,
    /// One line; empty where it was erased.
    pub title: String,
    /// How bad.
    pub severity: Severity,
    /// Who may read it.
    pub tlp: Tlp,
    /// When it was opened.
    pub opened_at: Millis,
    /// Who opened it.
    pub opened_by: Actor,
    /// The drill that it was before it was real.
    pub drill: Option<IncidentNumber>,
    /// The live incident that this drill turned out to be.
    pub real: Option<IncidentNumber>,
    /// How it ended; `None` while open.
    pub closed: Option<Closed>,
    /// Who has which role.
    pub roles: BTreeMap<Role, Person>,
    /// Who is concerned.
    pub organisations: BTreeSet<Organisation>,
    /// What was kept, in the order it came.
    pub evidence: Vec<Evidence>,
    /// Command that is offered and not yet taken.
    pub offer: Option<Offer>,
    /// What was written with the offer.
    pub offer_note: Option<String>,
    /// The newest notes, oldest first.
    pub notes: Vec<Note>,
    /// Playbooks that people were asked to start, each once with its inputs by who asks; the newest, oldest first.
    pub proposed: Vec<Proposed>,
    /// The briefing of the offer; absent without one, and where it was erased.
    pub(super) offered_briefing: Option<Value>,
    assets: BTreeMap<(TargetKind, String), Asset>,
}

/// So many notes are kept for who takes over.
const NOTES_KEPT: usize = 10;

/// So many proposals of one are: more are read by nobody who has to decide, and a loud hook hides
/// nobody else's.
const PROPOSED_KEPT: usize = 10;

/// The end of an incident.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Closed {
    /// When.
    pub at: Millis,
    /// By whom.
    pub by: Actor,
}

/// A file kept as evidence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evidence {
    /// Its name; empty where it was erased.
    pub name: String,
    /// SHA-256 of its bytes.
    pub digest: Digest,
    /// How many bytes.
    pub bytes: u64,
    /// Whose.
    pub organisation: Option<Organisation>,
    /// Who added it.
    pub by: Actor,
    /// When.
    pub at: Millis,
}

impl IncidentState {
    /// The state after an incident's first event.
    ///
    /// # Errors
    /// [`Contradiction`] when the event opens no incident, or its number is of another mode.
    pub fn open(event: &Event, at: Millis) -> Result<Self, Contradiction> {
        let Head::IncidentOpened { incident, number, mode, severity, tlp, drill } = &event.head
        else {
            return Err(Contradiction::new("the first event opens no incident"));
        };
        if number.mode() != *mode {
            return Err(Contradiction::new(format!("{number} is no number of a {mode} incident")));
        }
        Ok(Self {
            id: *incident,
            number: number.clone(),
            mode: *mode,
            title: event.body.text.clone().unwrap_or_default(),
            severity: *severity,
            tlp: *tlp,
            opened_at: at,
            opened_by: event.by.clone(),
            drill: drill.clone(),
            real: None,
            closed: None,
            roles: BTreeMap::new(),
            organisations: event.organisation.iter().cloned().collect(),
            evidence: Vec::new(),
            offer: None,
            offer_note: None,
            notes: Vec::new(),
            proposed: Vec::new(),
            offered_briefing: None,
            assets: BTreeMap::new(),
        })
    }

    /// The state after all events of a stream.
    ///
    /// # Errors
    /// [`Contradiction`] when there is none, or one does not fit.
    pub fn fold<'e>(
        events: impl IntoIterator<Item = (&'e Event, Millis)>,
    ) -> Result<Self, Contradiction> {
        let mut events = events.into_iter();
        let (first, at) =
            events.next().ok_or_else(|| Contradiction::new("an incident without events"))?;
        let mut state = Self::open(first, at)?;
        for (event, at) in events {
            state.apply(event, at)?;
        }
        Ok(state)
    }

    /// The state after one more event. A closed incident still takes notes, evidence, roles and
    /// assets: what was found out later belongs to it.
    ///
    /// # Errors
    /// [`Contradiction`] when it does not fit the state, which is then unchanged.
    pub fn apply(&mut self, event: &Event, at: Millis) -> Result<(), Contradiction> {
        match &event.head {
            Head::IncidentOpened { .. } => {
                return Err(Contradiction::new("an incident is opened twice"));
            }
            Head::IncidentChanged { severity, tlp } => {
                if let Some(title) = &event.body.name {
                    self.title.clone_from(title);
                }
                self.severity = severity.unwrap_or(self.severity);
                self.tlp = tlp.unwrap_or(self.tlp);
            }
            Head::IncidentClosed => {
                if self.closed.is_some() {
                    return Err(Contradiction::new("an incident is closed twice"));
                }
                self.closed = Some(Closed { at, by: event.by.clone() });
                self.offer = None;
            }
            Head::NoteAdded { happened_at } => {
                self.note(event, at, (*happened_at, event.by.person.clone()));
            }
            Head::NoteCopied { happened_at, wrote } => {
                self.note(event, at, (Some(*happened_at), wrote.clone()));
            }
            Head::TurnedReal { number, .. } => self.real = Some(number.clone()),
            // Who was called is told by a fold of its own: `on_call::CallOuts`.
            // What is marked in the timeline too: `incident::Marks`.
            Head::CalledOut { .. }
            | Head::CallOutEnded { .. }
            | Head::LineCorrected { .. }
            | Head::LineStarred { .. }
            | Head::StarRemoved { .. }
            | Head::StoryTold { .. }
            | Head::StoryLeftOut { .. } => {}
            Head::PlaybookProposed { playbook } => self.propose(playbook, event, at),
            Head::RoleAssigned { role, person } => self.assign(*role, person.clone()),
            Head::CommandOffered { .. } | Head::OfferWithdrawn | Head::CommandTaken { .. } => {
                self.handed_over(event, at)?;
            }
            Head::OrganisationLinked => {
                let organisation = event.organisation.clone();
                let missing = || Contradiction::new("no organisation is linked");
                self.organisations.insert(organisation.ok_or_else(missing)?);
            }
            Head::AssetChanged { kind, state } => {
                // Where the name was erased, nobody can say any more what was meant.
                let Some(value) = event.body.name.clone() else { return Ok(()) };
                let organisation = event.organisation.clone();
                let asset =
                    Asset { kind: *kind, value: value.clone(), organisation, state: *state };
                self.assets.insert((*kind, value), asset);
            }
            Head::EvidenceAdded { digest, bytes } => self.evidence.push(Evidence {
                name: event.body.name.clone().unwrap_or_default(),
                digest: *digest,
                bytes: *bytes,
                organisation: event.organisation.clone(),
                by: event.by.clone(),
                at,
            }),
        }
        Ok(())
    }

    fn note(&mut self, event: &Event, at: Millis, (happened_at, by): (Option<Millis>, Person)) {
        let text = event.body.text.clone().unwrap_or_default();
        self.notes.push(Note { at, happened_at, by, text, corrected: None });
        let old = self.notes.len().saturating_sub(NOTES_KEPT);
        self.notes.drain(..old);
    }

    /// What somebody else proposes too stays theirs: nobody speaks in another's place.
    fn propose(&mut self, playbook: &PlaybookName, event: &Event, at: Millis) {
        let (playbook, by) = (playbook.clone(), event.by.person.clone());
        let text = event.body.text.clone().unwrap_or_default();
        let same = |one: &Proposed| (&one.playbook, &one.text, &one.by) == (&playbook, &text, &by);
        self.proposed.retain(|one| !same(one));
        let theirs = self.proposed.iter().filter(|one| one.by == by).count();
        if theirs >= PROPOSED_KEPT
            && let Some(oldest) = self.proposed.iter().position(|one| one.by == by)
        {
            self.proposed.remove(oldest);
        }
        self.proposed.push(Proposed { at, playbook, by, text });
    }

    /// An offer falls away with the command that it is of.
    fn assign(&mut self, role: Role, person: Option<Person>) {
        if role == Role::Commander {
            self.offer = None;
        }
        match person {
            Some(person) => drop(self.roles.insert(role, person)),
            None => drop(self.roles.remove(&role)),
        }
    }

    fn handed_over(&mut self, event: &Event, at: Millis) -> Result<(), Contradiction> {
        let by = event.by.person.clone();
        if let Head::CommandOffered { to, briefing } = &event.head {
            self.offer = Some(Offer { to: to.clone(), by, digest: *briefing, since: at });
            self.offer_note.clone_from(&event.body.text);
            self.offered_briefing.clone_from(&event.body.briefing);
            return Ok(());
        }
        let offer = self.offer.take();
        let offer = offer.ok_or_else(|| Contradiction::new("no command was offered"))?;
        if let Head::CommandTaken { .. } = &event.head {
            if offer.to != by {
                let text = format!("`{by}` took command that was offered to `{}`", offer.to);
                self.offer = Some(offer);
                return Err(Contradiction::new(text));
            }
            self.roles.insert(Role::Commander, by);
        }
        Ok(())
    }

    /// What it is about, by kind and name.
    pub fn assets(&self) -> impl Iterator<Item = &Asset> {
        self.assets.values()
    }
}

#[cfg(test)]
mod tests;
