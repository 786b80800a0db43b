//! What happened in an incident apart from its runs, and what happened to the store.
//!
//! Incidents and the store have streams of their own: a run never writes into its incident's
//! stream. Their vocabularies are told here, and what may be done with an incident in which state.
//! Nothing in here decides which person may do what; that is settled before.

mod alert;
mod asset;
mod briefing;
mod command;
mod event;
mod marks;
mod number;
mod real;
mod standing;
mod state;
pub mod store;

pub use alert::{Alert, AlertRule, AssetRule, Pointer, Proposal, Template};
pub use asset::{Asset, AssetState, assets_changed};
#[cfg(test)]
pub(crate) use briefing::tests::briefing_of_tests;
pub use briefing::{
    Around, Briefing, Differences, Holding, Note, OpenHold, OpenNeed, OpenRun, Proposed,
};
pub use command::{Handover, Offer, Stays};
pub use event::{Body, Event, Head, decode, encode};
pub use marks::{Mark, Marks, Telling};
pub use number::IncidentNumber;
pub use real::Known;
pub use standing::{Act, Edit, Refused, Standing, State};
pub use state::{Closed, Evidence, IncidentState};
