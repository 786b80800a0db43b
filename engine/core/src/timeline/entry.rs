//! What goes into a timeline, what comes out, and through whose eyes.

use std::collections::BTreeSet;

use serde_json::Value;

use super::class;
use super::place::Order;
use super::stroke::Stroke;
use crate::incident::{self, AssetState, store};
use crate::model::{
    AccountName, EntryId, IncidentId, LineId, Millis, Organisation, Path, Person, PlaybookName,
    Role, RunId, Span, TargetKind, Tlp, words,
};
use crate::run::{self, Proof};

words! {
    /// The language of sentences, by its tag of BCP 47.
    Lang = "language" {
        /// German.
        De = "de",
        /// English.
        En = "en",
    }
    /// Which kind of doing an entry belongs to: by who acts, not by tool.
    Lane = "lane" {
        /// What was found out.
        Detection = "detection",
        /// What people decided and approved.
        Decisions = "decisions",
        /// What was done, by the program or by hand.
        Measures = "measures",
        /// What was told to authorities, customers and staff.
        Authorities = "authorities",
        /// What passed between providers.
        Aid = "aid",
        /// What the program says of itself.
        System = "system",
    }
}

impl Default for Lang {
    /// That of the administrations it is written for.
    fn default() -> Self {
        Self::De
    }
}

/// An entry of a stream, decoded.
#[derive(Debug, Clone, PartialEq)]
pub struct Recorded {
    /// `kind:public-id`.
    pub stream: String,
    /// From 1 in its stream.
    pub seq: u64,
    /// When it was decided.
    pub at: Millis,
    /// Its public id; seals have none.
    pub id: Option<EntryId>,
    /// What happened, in its order.
    pub events: Events,
}

/// The events of an entry, by the kind of its stream.
#[derive(Debug, Clone, PartialEq)]
pub enum Events {
    /// Of a run.
    Run(Vec<run::Event>),
    /// Of an incident.
    Incident(Vec<incident::Event>),
    /// Of the store.
    Store(Vec<store::Event>),
}

impl Events {
    /// Which kinds of event, in their order: words that do not change, `attempt-ended`.
    pub fn words(&self) -> Vec<&'static str> {
        match self {
            Self::Run(events) => events.iter().map(|one| class::of_run(&one.head).kind).collect(),
            Self::Incident(events) => {
                events.iter().map(|one| class::of_incident(&one.head).kind).collect()
            }
            Self::Store(events) => {
                events.iter().map(|one| class::of_store(&one.head).kind).collect()
            }
        }
    }
}

/// Through whose eyes a timeline is read. It filters event by event.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Scope {
    /// Whose data may be read; `None`: everybody's. With a list, events of other organisations are
    /// left out, and events that are no one organisation's come without their values.
    pub organisations: Option<BTreeSet<Organisation>>,
    /// The highest marking that may be read; runs and incidents above it are left out, and so are
    /// those whose marking is not known, unless everything may be read.
    pub tlp: Tlp,
    /// Incidents of which everybody's data may be read all the same.
    pub incidents: BTreeSet<IncidentId>,
}

impl Scope {
    /// Everything.
    pub const ALL: Self = Self { organisations: None, tlp: Tlp::Red, incidents: BTreeSet::new() };

    /// Nothing at all.
    pub const NOTHING: Self =
        Self { organisations: Some(BTreeSet::new()), tlp: Tlp::Clear, incidents: BTreeSet::new() };

    /// Whether everything may be read: of everybody, however it is marked.
    pub fn is_all(&self) -> bool {
        self.organisations.is_none() && self.tlp == Tlp::Red
    }

    /// The same eyes on one incident.
    #[must_use]
    pub fn within(&self, incident: IncidentId) -> Self {
        let whole = self.incidents.contains(&incident);
        Self { organisations: self.organisations.clone().filter(|_| !whole), ..self.clone() }
    }

    /// Whether an incident can be seen at all that concerns these organisations.
    pub fn sees(&self, incident: IncidentId, concerned: &BTreeSet<Organisation>, tlp: Tlp) -> bool {
        let theirs = match &self.within(incident).organisations {
            None => true,
            Some(own) => !own.is_disjoint(concerned),
        };
        theirs && tlp <= self.tlp
    }
}

/// One line of a timeline.
#[derive(Debug, Clone, PartialEq)]
pub struct TimelineEntry {
    /// When it was written down.
    pub at: Millis,
    /// When it happened, where somebody said so.
    pub happened_at: Option<Millis>,
    /// Which kind of doing.
    pub lane: Lane,
    /// Which kind of event: a word that does not change, `attempt-ended`.
    pub kind: &'static str,
    /// A sentence without a full stop, on one line, without control characters.
    pub text: String,
    /// Noise for most readers.
    pub detail: bool,
    /// Something did not work, or is late.
    pub failed: bool,
    /// The run.
    pub run: Option<RunId>,
    /// Its playbook.
    pub playbook: Option<PlaybookName>,
    /// The step.
    pub path: Option<Path>,
    /// The loop item the step stands in: the innermost one.
    pub item: Option<String>,
    /// What it acts on or is about, by name: hosts, accounts, addresses.
    pub targets: Vec<String>,
    /// Who acted.
    pub actor: Option<Person>,
    /// The actor's name was given and not proved.
    pub asserted: bool,
    /// With which account they acted, where it is not called like the person.
    pub account: Option<AccountName>,
    /// How the actor proved it; absent where the name is asserted, and for the program itself.
    pub proof: Option<Proof>,
    /// Who typed it in, where that was somebody else.
    pub through: Option<Person>,
    /// Whose data it is, where it is one organisation's.
    pub organisation: Option<Organisation>,
    /// Inputs or a filled-in form, without what is sensitive.
    pub value: Option<Value>,
    /// The stream it stands in, `kind:public-id`.
    pub stream: String,
    /// The entry in that stream.
    pub seq: u64,
    /// The entry's public id.
    pub entry: Option<EntryId>,
    /// The number of the event in its entry, from 1.
    pub event: u16,
    /// The line that this one is about: which it corrects, stars, or tells in other words.
    pub about: Option<LineId>,
    /// The roles it is about: who is asked, who is given one, and, once lines are
    /// [`bound`](super::bound), those that who acted had in the incident then.
    pub roles: Vec<Role>,
    /// The newest line that corrects this one; known once lines are bound.
    pub corrected_by: Option<LineId>,
    /// Who starred it; known once lines are bound.
    pub starred_by: Option<Person>,
    /// Who has which role from now on; nobody where absent.
    pub(super) given: Option<(Role, Option<Person>)>,
    /// What kind of asset it is about, and how that stands from now on.
    pub(super) asset: Option<(TargetKind, AssetState)>,
    /// What begins or ends with it.
    pub(super) strokes: Vec<Stroke>,
    /// Its place among what happened at the same instant, as the plan has it.
    pub(super) order: Order,
}

/// Two times nearer than this are one to a reader.
pub(super) const SAME_TIME: Span = Span::from_secs(60);

impl TimelineEntry {
    /// What it is called, in every language and for every reader.
    pub fn line(&self) -> Option<LineId> {
        self.entry.map(|entry| LineId::new(entry, self.event))
    }

    /// When it happened, as far as anybody said; otherwise when it was written down.
    pub fn when(&self) -> Millis {
        self.happened_at.unwrap_or(self.at)
    }

    /// How long after it happened it was written down, where that is more than a minute.
    pub fn late_by(&self) -> Option<Span> {
        Some(self.at.since(self.when())).filter(|late| *late > SAME_TIME)
    }

    /// The order in which lines are read: by when it happened, then as the journal has it.
    pub fn in_order(&self, other: &Self) -> std::cmp::Ordering {
        let (own, others) = ((self.when(), self.at), (other.when(), other.at));
        (own, &self.stream, self.seq, self.event).cmp(&(
            others,
            &other.stream,
            other.seq,
            other.event,
        ))
    }
}
