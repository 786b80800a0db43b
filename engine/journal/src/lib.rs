//! The journal: streams of entries, and the tables that follow from them.
//!
//! The only crate that knows SQL. One process owns a store and appends through one writer task;
//! readers work beside it and take no lock. It does no effects, decides nothing about the domain
//! and reads no clock: instants come with each call.
//!
//! ```text
//!   runs' tasks ── append ──► queue ──► writer ── one transaction a batch ──► SQLite | PostgreSQL
//!                 ◄─ acknowledged after the commit ─┘
//!   verbs ─ pages ─ doors ── Readers, each with ────── read-only connections ──┘
//!   other processes ── Mailbox ── a row in `command` ── the owner answers in a transaction
//! ```
//!
//! * [`Journal`]: owns the store. [`Journal::append`] is the one way to write what happened.
//! * [`Reader`]: every question, also without owning the store.
//! * [`RunChanges`]: whether a run that was read may have changed since; for memories.
//! * [`Mailbox`]: posts commands to whoever owns the store.
//! * [`verify`]: chains and seals.
//! * [`backup`] and [`restore`]: a SQLite file on both stores.

mod access;
mod append;
mod apply;
mod backup;
mod chain;
mod change;
mod command;
mod counters;
mod dialect;
mod error;
mod guard;
mod guards;
mod holder;
mod lock;
mod migrate;
mod open;
mod place;
mod read;
mod schema;
mod seal;
mod space;
mod sql;
mod stream;
mod table;
pub mod verify;
mod version;
mod writer;

pub use access::{Credential, Session};
pub use append::{Append, Appended, Gate, Next, To, Urgency};
pub use backup::{CodesAndTokens, Restored, backup, restore};
pub use change::Change;
pub use command::{Command, Mailbox, PostError};
pub use counters::Metrics;
pub use error::{AppendError, OpenError, StoreError};
pub use guard::{Guard, LimitKind, Refusal, TargetCount};
pub use holder::Holder;
pub use open::{Journal, Options, Random};
pub use read::{Below, Fed, NeedFilter, Page, Reader, RunFilter, RunVersion};
pub use seal::{Seal, witness_of, witnessed};
pub use stream::{Entry, Head, Lease, Snapshot, Stream};
pub use table::{
    Asset, Evidence, Hold, HoldKey, HoldState, Incident, Meta, Need, Once, OpenNeed, Run, Signal,
    Strike, TargetUse,
};
pub use version::RunChanges;
