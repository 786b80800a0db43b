//! What must be true in the transaction of an append, and how it is refused.
//!
//! Guards are checked against what is committed, in the same transaction and before anything of the
//! append is written. Two appends that could contradict each other never share a batch.

use beistand_core::entry::StreamKind;
use beistand_core::model::{Digest, Limits, Millis, Mode, NeedId, Organisation, Path, RunId};
use thiserror::Error;

use crate::table::{HoldKey, Once, Strike};

/// What must be true.
#[derive(Debug, Clone)]
pub enum Guard {
    /// The need is open, and still the one that was shown: an answer is consumed once.
    NeedOpen {
        /// Which.
        need: NeedId,
        /// What the person saw; `None` where the kind of need has no digest.
        digest: Option<Digest>,
    },
    /// No run was started with this key.
    StartKeyFree {
        /// The key.
        key: String,
    },
    /// No signal with this key came to the run.
    SignalNew {
        /// The run.
        run: RunId,
        /// The sender's key.
        key: String,
    },
    /// No incident has this number.
    NumberFree {
        /// `SIT-2026-0007`.
        number: String,
    },
    /// The stream has this many entries: nothing was written since it was looked at.
    StreamAt {
        /// What it belongs to.
        kind: StreamKind,
        /// Its public id.
        id: String,
        /// The number of its newest entry.
        seq: u64,
    },
    /// No other effect on the target is under way: effects on one target run one after the other.
    TargetFree {
        /// Whose effect; its own row does not count.
        hold: HoldKey,
    },
    /// Nobody else holds this effect on the target: it must be sent.
    NotHeld {
        /// Whose effect; its own row does not count.
        hold: HoldKey,
    },
    /// Somebody else holds this effect on the target: a hold is added, nothing is sent.
    Held {
        /// Whose effect; its own row does not count.
        hold: HoldKey,
    },
    /// Nobody else holds this effect on the target: the release must be sent.
    LastHold {
        /// Whose effect; its own row does not count.
        hold: HoldKey,
    },
    /// The targets, together with those already touched, stay within the limits.
    DistinctTargets {
        /// Drills do not count against live limits.
        mode: Mode,
        /// Counted by itself for the limit of a run.
        run: RunId,
        /// An hour before now.
        since: Millis,
        /// How many.
        limits: Limits,
        /// What would be touched.
        targets: Vec<TargetCount>,
    },
    /// So many targets may be let through by as many people, together with all that so few or fewer
    /// let through in the same tree of runs.
    VotesCarry {
        /// What would be destroyed: by one action, in one tree, under the same votes.
        strikes: Vec<Strike>,
        /// How many such targets there may be.
        most: u32,
    },
    /// The action was not yet done in this incident by this playbook at this path on these targets.
    OncePerIncident {
        /// What is done once; [`crate::Change::Once`] records it.
        once: Once,
    },
    /// A credential that counts once was not used yet; [`crate::Change::UseUp`] uses it up.
    Unused {
        /// Which.
        credential: String,
        /// When it would be used.
        at: Millis,
    },
}

/// A target as limits count it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TargetCount {
    /// `host:pc-17`.
    pub target: String,
    /// Whose it is, where known.
    pub organisation: Option<Organisation>,
}

/// Which limit was reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LimitKind {
    /// Targets of one run.
    Run,
    /// Targets of all runs within an hour.
    Hour,
    /// Targets of one organisation within an hour.
    Organisation,
}

/// Why an append was refused. Nothing of it was written.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Refusal {
    /// Somebody answered before, or it went out of date.
    #[error("the need {need} is not open any more")]
    NeedClosed {
        /// Which.
        need: NeedId,
    },
    /// What is asked has changed since it was shown.
    #[error("the need {need} has changed since it was shown")]
    NeedChanged {
        /// Which.
        need: NeedId,
    },
    /// There is a run with this start key.
    #[error("the run {run} was started with this key")]
    Started {
        /// That run.
        run: RunId,
    },
    /// The signal is there already.
    #[error("the signal came before")]
    SignalKnown,
    /// The number is taken.
    #[error("the number is taken")]
    NumberTaken,
    /// Something was written since it was looked at.
    #[error("the stream has moved on to entry {seq}")]
    StreamMoved {
        /// The number of its newest entry.
        seq: u64,
    },
    /// Another effect on the target is under way.
    #[error("the run {run} is acting on this target at `{path}`")]
    TargetBusy {
        /// By this run.
        run: RunId,
        /// At this path.
        path: Path,
    },
    /// Somebody else holds the effect.
    #[error("the target is already held by the run {run} at `{path}`")]
    AlreadyHeld {
        /// By this run.
        run: RunId,
        /// At this path.
        path: Path,
    },
    /// Nobody else holds the effect any more.
    #[error("the target is not held any more")]
    NotHeld,
    /// A limit of distinct targets.
    #[error("{wanted} distinct targets are more than the limit of {limit}")]
    Limit {
        /// Which limit.
        kind: LimitKind,
        /// The limit.
        limit: u32,
        /// How many it would be.
        wanted: u64,
    },
    /// So few people do not let through so many targets.
    #[error("{wanted} targets are more than the {most} that {votes} votes let through")]
    Votes {
        /// How many had said yes.
        votes: u32,
        /// How many targets that is enough for.
        most: u32,
        /// How many it would be.
        wanted: u64,
    },
    /// It was done before in this incident.
    #[error("the run {run} did this before in this incident")]
    DoneBefore {
        /// By this run.
        run: RunId,
    },
    /// It counts once, and was used, taken back or over before this.
    #[error("the credential {credential} was used already")]
    UsedUp {
        /// Which.
        credential: String,
    },
}
