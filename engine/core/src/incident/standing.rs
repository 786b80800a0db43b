//! What may be done with an incident: decided from how it stands, before anything is written.
//!
//! A closed incident takes no new runs and is not closed again. Notes, evidence, roles and links
//! still come: what was found out later belongs to it.

use serde_json::{Value, json};
use thiserror::Error;

use super::{Event, Head, IncidentNumber};
use crate::model::{
    Digest, IncidentId, Millis, Mode, Organisation, Person, PlaybookName, Role, Severity, Tlp,
};
use crate::run::Actor;

/// An incident as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// Its id.
    pub id: IncidentId,
    /// Its number for people.
    pub number: IncidentNumber,
    /// One line; empty where it was erased.
    pub title: String,
    /// How bad.
    pub severity: Severity,
    /// Who may read it.
    pub tlp: Tlp,
    /// When it was opened.
    pub opened_at: Millis,
    /// Whether it is over.
    pub state: State,
}

/// Whether an incident is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// It goes on.
    Open,
    /// It is over.
    Closed,
}

/// What a person does to an incident.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Act {
    /// Writes something down.
    Note {
        /// The text.
        text: String,
        /// When it happened, where that is not now.
        happened_at: Option<Millis>,
    },
    /// Proposes that people start a playbook.
    Propose {
        /// Which.
        playbook: PlaybookName,
        /// Why, or the inputs it would have.
        text: String,
    },
    /// Gives it another title, severity or circle of readers.
    Edit(Edit),
    /// Ends it.
    Close {
        /// Why.
        reason: String,
    },
    /// Gives a role to a person, or takes it back.
    Assign {
        /// Which.
        role: Role,
        /// Who; nobody where absent.
        person: Option<Person>,
    },
    /// Names an organisation that is concerned.
    Link {
        /// Which.
        organisation: Organisation,
    },
    /// Keeps a file.
    Evidence {
        /// Its name.
        name: String,
        /// SHA-256 of its bytes.
        digest: Digest,
        /// How many bytes.
        bytes: u64,
    },
}

/// What becomes of an incident's own row; what is absent stays.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Edit {
    /// Another title.
    pub title: Option<String>,
    /// How bad from now on.
    pub severity: Option<Severity>,
    /// Who may read it from now on.
    pub tlp: Option<Tlp>,
    /// Why; needed where more people may read it than before.
    pub reason: String,
}

/// Why something is not done with an incident.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Refused {
    /// It is over already.
    #[error("incident {0} is closed already")]
    ClosedAlready(IncidentNumber),
    /// It is over: nothing new begins in it.
    #[error("incident {0} is closed")]
    Closed(IncidentNumber),
    /// It is no drill.
    #[error("incident {0} is real already")]
    RealAlready(IncidentNumber),
    /// A title without a word.
    #[error("an incident has a title")]
    NoTitle,
    /// More people would read it, and nobody says why.
    #[error("from TLP:{from} to TLP:{to} more people may read it: say why, with a reason")]
    NoReason {
        /// Who may read it now.
        from: Tlp,
        /// Who would.
        to: Tlp,
    },
    /// A run of the other mode.
    #[error("incident {number} is {}, the run would be {wanted}", number.mode())]
    Mode {
        /// Which incident.
        number: IncidentNumber,
        /// What the run would be.
        wanted: Mode,
    },
}

impl Standing {
    /// The incident that is opened under a number, which says whether it is real.
    pub fn opened(&self, by: Actor) -> Event {
        let head = Head::IncidentOpened {
            incident: self.id,
            number: self.number.clone(),
            mode: self.number.mode(),
            severity: self.severity,
            tlp: self.tlp,
            drill: None,
        };
        Event::new(head, by).text(self.title.clone())
    }

    /// What is written down when somebody does something; nothing where it stands so already.
    ///
    /// # Errors
    /// [`Refused`] where the incident is not in a state for it.
    pub fn decide(&self, act: Act, by: Actor) -> Result<Option<Event>, Refused> {
        Ok(Some(match (act, self.state) {
            (Act::Edit(edit), State::Open | State::Closed) => return self.edited(edit, by),
            (Act::Close { reason }, State::Open) => {
                Event::new(Head::IncidentClosed, by).text(reason)
            }
            (Act::Close { .. }, State::Closed) => {
                return Err(Refused::ClosedAlready(self.number.clone()));
            }
            (Act::Note { text, happened_at }, State::Open | State::Closed) => {
                Event::new(Head::NoteAdded { happened_at }, by).text(text)
            }
            (Act::Propose { playbook, text }, State::Open) => {
                Event::new(Head::PlaybookProposed { playbook }, by).text(text)
            }
            (Act::Propose { .. }, State::Closed) => {
                return Err(Refused::Closed(self.number.clone()));
            }
            (Act::Assign { role, person }, State::Open | State::Closed) => {
                Event::new(Head::RoleAssigned { role, person }, by)
            }
            (Act::Link { organisation }, State::Open | State::Closed) => {
                Event::new(Head::OrganisationLinked, by).of(Some(organisation))
            }
            (Act::Evidence { name, digest, bytes }, State::Open | State::Closed) => {
                Event::new(Head::EvidenceAdded { digest, bytes }, by).named(name)
            }
        }))
    }

    /// What is another one after an edit. Fewer readers are anybody's choice who may edit; more
    /// readers are said to be wanted, because what was read can not be taken back.
    fn edited(&self, edit: Edit, by: Actor) -> Result<Option<Event>, Refused> {
        let title = edit.title.map(|title| title.trim().to_owned());
        if title.as_deref() == Some("") {
            return Err(Refused::NoTitle);
        }
        let title = title.filter(|title| *title != self.title);
        let severity = edit.severity.filter(|severity| *severity != self.severity);
        let tlp = edit.tlp.filter(|tlp| *tlp != self.tlp);
        let reason = edit.reason.trim();
        match tlp {
            Some(to) if to < self.tlp && reason.is_empty() => {
                return Err(Refused::NoReason { from: self.tlp, to });
            }
            None if title.is_none() && severity.is_none() => return Ok(None),
            Some(_) | None => {}
        }
        let mut event = Event::new(Head::IncidentChanged { severity, tlp }, by);
        event.body.name = title;
        event.body.text = Some(reason.to_owned()).filter(|reason| !reason.is_empty());
        Ok(Some(event))
    }

    /// Whether a run of this mode may begin in it.
    ///
    /// # Errors
    /// [`Refused`] where it is over, or of the other mode.
    pub fn admits(&self, wanted: Mode) -> Result<(), Refused> {
        let number = self.number.clone();
        if number.mode() != wanted {
            return Err(Refused::Mode { number, wanted });
        }
        match self.state {
            State::Open => Ok(()),
            State::Closed => Err(Refused::Closed(number)),
        }
    }

    /// `incident` as playbooks see it: `{id, number, title, severity, tlp, mode, opened_at}`, the
    /// instant as RFC 3339 in UTC.
    pub fn facts(&self) -> Value {
        json!({
            "id": self.id,
            "number": self.number,
            "title": self.title,
            "severity": self.severity,
            "tlp": self.tlp,
            "mode": self.number.mode(),
            "opened_at": self.opened_at.to_string(),
        })
    }
}

#[cfg(test)]
mod tests;
