//! What happened in an incident: the vocabulary of its stream. It only grows.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{AssetState, IncidentNumber};
use crate::codec::{self, Bodied};
use crate::model::{
    Digest, EntryId, IdempotencyKey, IncidentId, LineId, Millis, Mode, NeedId, Organisation,
    Person, PlaybookName, Role, Severity, TargetKind, Tlp,
};
use crate::on_call::{CallOutEnd, CallOutStep};
use crate::run::{Actor, Contradiction};

/// One event of an incident.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// What happened, without values.
    #[serde(flatten)]
    pub head: Head,
    /// Who did it.
    pub by: Actor,
    /// Whose data the body holds, or who is concerned.
    #[serde(rename = "org", default, skip_serializing_if = "Option::is_none")]
    pub organisation: Option<Organisation>,
    /// The values.
    #[serde(skip)]
    pub body: Body,
}

/// The values of an event; which ones are there follows from the head.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Body {
    /// A title, a note, a reason.
    #[serde(rename = "t", default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// The name of an asset or a file, or the incident's new title.
    #[serde(rename = "n", default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What an alert from outside is about, in the words of whoever sent it: later alerts with the
    /// same words belong to the same incident.
    #[serde(rename = "c", default, skip_serializing_if = "Option::is_none")]
    pub correlation: Option<String>,
    /// Why something was corrected.
    #[serde(rename = "r", default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The briefing that command was offered with, or taken with.
    #[serde(rename = "b", default, skip_serializing_if = "Option::is_none")]
    pub briefing: Option<Value>,
}

/// What happened, without values. The tag is `k`; tags and fields only grow.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "k", rename_all = "kebab-case")]
pub enum Head {
    /// The incident was opened. Body: title, and what the alert is about that opened it.
    IncidentOpened {
        /// Which.
        incident: IncidentId,
        /// Its number for people.
        number: IncidentNumber,
        /// Real or not; never changes.
        mode: Mode,
        /// How bad.
        severity: Severity,
        /// Who may read it.
        tlp: Tlp,
        /// The drill that it was before it was real.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        drill: Option<IncidentNumber>,
    },
    /// Its title, its severity or who may read it is another one; what stayed is absent. Body: the
    /// new title as a name, and a reason.
    IncidentChanged {
        /// How bad from now on.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        severity: Option<Severity>,
        /// Who may read it from now on.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        tlp: Option<Tlp>,
    },
    /// The incident was closed. Notes may still follow. Body: reason.
    IncidentClosed,
    /// A person wrote something down. Body: the note.
    NoteAdded {
        /// When it happened, where that is not when it was written down.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        happened_at: Option<Millis>,
    },
    /// A note of the drill that this was. Body: the note.
    NoteCopied {
        /// When it happened, or was written down there.
        happened_at: Millis,
        /// Who wrote it there.
        wrote: Person,
    },
    /// A drill turned out to be real, and goes on as a live incident.
    TurnedReal {
        /// Which.
        incident: IncidentId,
        /// Its number for people.
        number: IncidentNumber,
    },
    /// Somebody, or something outside, proposes that people start a playbook: nothing starts by it.
    /// Body: why, or the inputs it would have.
    PlaybookProposed {
        /// Which.
        playbook: PlaybookName,
    },
    /// A person took a role, or left it.
    RoleAssigned {
        /// Which role.
        role: Role,
        /// Who has it from now on; absent: nobody.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        person: Option<Person>,
    },
    /// Who has command offers it. Body: a note, and the briefing it is offered with.
    CommandOffered {
        /// To whom.
        to: Person,
        /// The briefing's digest.
        briefing: Digest,
    },
    /// Who offered command does not any more.
    OfferWithdrawn,
    /// Who it was offered to took command, and has the role from now on. Body: the briefing they
    /// saw, where it is not the one of the offer.
    CommandTaken {
        /// The digest of what they saw.
        briefing: Digest,
    },
    /// An organisation is concerned: that of the event.
    OrganisationLinked,
    /// Something the incident is about, or its new state. Body: its name.
    AssetChanged {
        /// What kind of thing.
        kind: TargetKind,
        /// How it stands.
        state: AssetState,
    },
    /// A file was kept as evidence. Body: its name.
    EvidenceAdded {
        /// SHA-256 of its bytes.
        digest: Digest,
        /// How many bytes.
        bytes: u64,
    },
    /// Somebody on call is called by mail: written down before it is sent. Body: the addresses.
    CalledOut {
        /// Names the call, and the mail.
        key: IdempotencyKey,
        /// To what.
        needs: Vec<NeedId>,
        /// Who.
        person: Person,
        /// As what they are on call.
        role: Role,
        /// Why.
        step: CallOutStep,
    },
    /// What became of it. Body: why it did not go out.
    CallOutEnded {
        /// Which call.
        key: IdempotencyKey,
        /// What became of it.
        end: CallOutEnd,
    },
    /// A person says how it was instead of what a line says, which stays. Body: their words, and why.
    LineCorrected {
        /// The line that is not right.
        line: LineId,
        /// When it happened in truth, where that is what was wrong.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        happened_at: Option<Millis>,
    },
    /// Somebody marked a line as one that matters.
    LineStarred {
        /// Which.
        line: LineId,
    },
    /// Somebody took such a mark away.
    StarRemoved {
        /// Of which line.
        line: LineId,
    },
    /// A line is told in the story of the incident. Body: a title as a name, and own words.
    StoryTold {
        /// Which line; it stays as it is.
        line: LineId,
        /// The time it is told with, where that is not the line's.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        happened_at: Option<Millis>,
        /// Its place in the story, from 1; those without one follow in the order of their times.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        place: Option<u32>,
    },
    /// A line is no part of the story any more.
    StoryLeftOut {
        /// Which.
        line: LineId,
    },
}

impl Head {
    /// The line of the timeline that it is about.
    pub const fn line(&self) -> Option<LineId> {
        match self {
            Self::LineCorrected { line, .. }
            | Self::LineStarred { line }
            | Self::StarRemoved { line }
            | Self::StoryTold { line, .. }
            | Self::StoryLeftOut { line } => Some(*line),
            Self::IncidentOpened { .. }
            | Self::IncidentChanged { .. }
            | Self::IncidentClosed
            | Self::NoteAdded { .. }
            | Self::NoteCopied { .. }
            | Self::TurnedReal { .. }
            | Self::PlaybookProposed { .. }
            | Self::RoleAssigned { .. }
            | Self::CommandOffered { .. }
            | Self::OfferWithdrawn
            | Self::CommandTaken { .. }
            | Self::OrganisationLinked
            | Self::AssetChanged { .. }
            | Self::EvidenceAdded { .. }
            | Self::CalledOut { .. }
            | Self::CallOutEnded { .. } => None,
        }
    }
}

impl Event {
    /// An event without values.
    pub fn new(head: Head, by: Actor) -> Self {
        Self { head, by, organisation: None, body: Body::default() }
    }
    /// The same with a title, a note or a reason.
    #[must_use]
    pub fn text(mut self, text: impl Into<String>) -> Self {
        self.body.text = Some(text.into());
        self
    }
    /// The same with the name of an asset or a file.
    #[must_use]
    pub fn named(mut self, name: impl Into<String>) -> Self {
        self.body.name = Some(name.into());
        self
    }
    /// The same as one organisation's.
    #[must_use]
    pub fn of(mut self, organisation: Option<Organisation>) -> Self {
        self.organisation = organisation;
        self
    }
}

impl Bodied for Event {
    type Body = Body;
    fn body(&self) -> &Body {
        &self.body
    }
    fn set_body(&mut self, body: Body) {
        self.body = body;
    }
}

/// The head and, where any event carries values, the body of an entry of an incident's stream.
pub fn encode(id: EntryId, events: &[Event]) -> (Vec<u8>, Option<Vec<u8>>) {
    codec::encode(id, events)
}

/// Back from the bytes that a store kept; without a body the events carry no values.
///
/// # Errors
/// [`Contradiction`] for bytes that are no entry of an incident, or a body of other events.
pub fn decode(head: &[u8], body: Option<&[u8]>) -> Result<(EntryId, Vec<Event>), Contradiction> {
    codec::decode(head, body)
}
