//! What happened in an incident apart from its runs, and what happened to the store.
//!
//! Incidents and the store have streams of their own: a run never writes into its incident's
//! stream. Their vocabularies are told here, with the fold of an incident's events. Nothing in here
//! decides who may do what; that is settled before an event is made.

mod asset;
mod codec;
mod event;
mod number;
mod state;
pub mod store;

pub use asset::{Asset, AssetState};
pub use event::{Body, Event, Head, decode, encode};
pub use number::IncidentNumber;
pub use state::{Closed, Evidence, IncidentState};
