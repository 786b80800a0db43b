//! The shell around the core: it drives runs, does effects, and owns the clock.
//!
//! It decides nothing. Its order is fixed: decide (core) → append (journal) → effects (connectors),
//! and the answer of an effect is the next input. What it adds is time, permits, tasks, recovery as
//! a loop over what is durable, and a graceful end.
//!
//! * [`Engine`]: owns a store and drives its runs
//! * [`Caller`]: who asks, and what they may do
//! * [`Verb`]: what can be asked of it, also through the mailbox from other processes
//! * [`Views`]: what is read of a store, by the command line and over HTTP alike
//! * [`Modes`]: connectors, guard, limits and policy for live runs and for drills

mod access;
mod alert;
mod briefing;
mod call;
mod call_out;
mod children;
mod clock;
mod compare;
mod drive;
mod effects;
mod engine;
mod entries;
mod error;
mod incidents;
mod load;
mod modes;
mod more;
mod open;
mod open_needs;
mod permits;
mod plans;
mod recent;
mod repeat;
mod rows;
mod run_loop;
mod successor;
mod verbs;
mod views;

pub use access::{
    AccessAct, Begun, Caller, Challenge, Denied, FRESH_FOR, Nameless, NewCredential, NotAdded,
    OnTelephone, OwnSession, Passkeys, SecondFactor, Secret, Shown, Unchanged, Weak,
    account_of_words, code_as_heard, digested, holder_of_token, new_code, new_token, on_telephone,
    strong, token_lookup,
};
pub use alert::{Heard, Hearing, HookAlert};
pub use briefing::{Briefed, brief};
pub use call::OneCall;
pub use call_out::{Calling, Rosters, call_outs};
pub use clock::{Clock, WallClock};
pub use compare::{Compared, Difference, compare};
pub use engine::{Drive, Engine, News, Parts};
pub use error::EngineError;
pub use incidents::{IncidentAct, NewIncident, offer_of};
pub use load::{fold, view};
pub use modes::{ModeSetup, Modes};
pub use more::NewMore;
pub use open::{NewRun, case_of};
pub use permits::PLACES;
pub use plans::{Pinned, pinned, read_pinned};
pub use repeat::Launching;
pub use successor::NewSuccessor;
pub use verbs::{Verb, error_json};
pub use views::{
    Called, FEED_ROWS_MAX, Feed, FeedItem, Listed, RunBytes, Selection, Telling, TimelineFormat,
    Told, VIEW_ROWS_MAX, ViewPage, Views, needs_by_code,
};
