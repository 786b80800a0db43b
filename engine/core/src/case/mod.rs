//! Playing cases: a playbook's unit tests, in virtual time, without a network.
//!
//! ```text
//! Case ──► Player ⟲ decide ──► entries ──► Played: runs, attempts, differences
//!            ▲  │ effects
//!   people, signals, pretended connectors
//! ```
//!
//! A case runs `live` against pretended connectors for every capability, with an empty guard, no
//! limits and no policy; every target resolves to its own name and the requester is `case`. The
//! same case gives the same entries, byte for byte. [`PretendedConnectors`] and [`CasePeople`] also
//! serve a drill that plays a case in real time.

mod answers;
mod judge;
mod people;
mod play;
mod stage;

pub use answers::{PretendedConnectors, Said};
pub use people::{CasePeople, Wants};
pub use play::{PlayError, Played, PlayedEntry, PlayedRun, play};
