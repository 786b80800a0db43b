//! What an append is: one entry, and all that becomes true with it.

use beistand_core::entry::StreamKind;
use beistand_core::model::Millis;

use crate::change::Change;
use crate::guard::Guard;
use crate::stream::Lease;

/// One entry and what follows from it, in one transaction: all or nothing.
#[derive(Debug)]
pub struct Append {
    /// Where to.
    pub to: To,
    /// When it was decided; part of the hash.
    pub at: Millis,
    /// Kinds, paths, keys, digests, actor, organisation, the entry's public id. No personal data.
    pub head: Vec<u8>,
    /// The values; may be erased later.
    pub body: Option<Vec<u8>>,
    /// Whether the stream stays with its owner.
    pub next: Next,
    /// Whether the stop switch holds it back.
    pub gate: Gate,
    /// Whether it may use the reserve when the disk is full.
    pub urgency: Urgency,
    /// What must be true in the transaction; the first that is not refuses this append alone.
    pub guards: Vec<Guard>,
    /// What changes in the tables. A set, not a list: at most one change a row.
    pub changes: Vec<Change>,
}

impl Append {
    /// An entry that stays with its owner, is not held back and changes no table.
    pub fn new(to: To, at: Millis, head: Vec<u8>) -> Self {
        Self {
            to,
            at,
            head,
            body: None,
            next: Next::Keep,
            gate: Gate::Open,
            urgency: Urgency::Normal,
            guards: Vec::new(),
            changes: Vec::new(),
        }
    }
    /// With values.
    #[must_use]
    pub fn body(mut self, body: Vec<u8>) -> Self {
        self.body = Some(body);
        self
    }
    /// With what becomes of the stream.
    #[must_use]
    pub const fn next(mut self, next: Next) -> Self {
        self.next = next;
        self
    }
    /// Held back by the stop switch: an intent.
    #[must_use]
    pub const fn unless_stopped(mut self) -> Self {
        self.gate = Gate::UnlessStopped;
        self
    }
    /// A vote, a note, a stop: possible while the disk is full.
    #[must_use]
    pub const fn urgent(mut self) -> Self {
        self.urgency = Urgency::Urgent;
        self
    }
    /// With one more thing that must be true.
    #[must_use]
    pub fn guard(mut self, guard: Guard) -> Self {
        self.guards.push(guard);
        self
    }
    /// With one more change.
    #[must_use]
    pub fn change(mut self, change: Change) -> Self {
        self.changes.push(change);
        self
    }
}

/// Where an entry goes.
#[derive(Debug, Clone)]
pub enum To {
    /// After the head of an owned stream.
    Lease(Lease),
    /// Begins a stream. `Next::Keep` keeps it with this process; `Next::Release` leaves it to be
    /// claimed. The id must be new: a UUID.
    New {
        /// What it belongs to.
        kind: StreamKind,
        /// The public id.
        id: String,
    },
    /// After whatever is there; for streams that nobody owns: incidents, threads, the store.
    End {
        /// What it belongs to.
        kind: StreamKind,
        /// The public id. Of the store: the store id.
        id: String,
    },
}

/// What becomes of the stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// It stays as it is.
    Keep,
    /// Nobody owns it any more. It can be claimed from `due` on, or at once if something woke it in
    /// the meantime; `None` waits for [`Change::Wake`] or [`crate::Journal::claim_stream`].
    Release {
        /// When it must be taken up again.
        due: Option<Millis>,
    },
}

/// Whether the stop switch holds an append back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gate {
    /// Outcomes, votes, notes: always recorded.
    Open,
    /// Intents: refused with [`crate::AppendError::Stopped`] while the switch is on.
    UnlessStopped,
}

/// Whether an append may use the reserve when the disk is full.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Urgency {
    /// Refused with [`crate::AppendError::Full`].
    Normal,
    /// Votes, stop, notes.
    Urgent,
}

/// An entry that is durable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Appended {
    /// The right to append the next one. After [`Next::Release`] it is void.
    pub lease: Lease,
}
