//! What happened in an incident apart from its runs, and what happened to the store.
//!
//! Incidents and the store have streams of their own: a run never writes into its incident's
//! stream. Their vocabularies are told here, and what may be done with an incident in which state.
//! Nothing in here decides which person may do what; that is settled before.

mod asset;
mod event;
mod number;
mod standing;
mod state;
pub mod store;

pub use asset::{Asset, AssetState, assets_changed};
pub use event::{Body, Event, Head, decode, encode};
pub use number::IncidentNumber;
pub use standing::{Act, Edit, Refused, Standing, State};
pub use state::{Closed, Evidence, IncidentState};
