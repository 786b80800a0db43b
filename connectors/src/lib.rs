//! One file a product. What is here becomes visible to the rest through [`CONNECTORS`] alone.
//!
//! A new connector is one file beside this one, its line in [`CONNECTORS`] (and the `mod` that makes
//! the compiler see the file), and one file of recorded exchanges in `exchanges/`, which the
//! contract tests run. What every connector must do alike
//! (refuse drills, keep to its catalogue, scrub secrets) stands in [`kit`] and can not be forgotten:
//! [`connect`] puts it around whatever a [`Maker`] builds.

pub mod http;
pub mod inventory;
pub mod kit;
mod maker;
pub mod nftables_ssh;
pub mod simulator;
pub mod smtp;
pub mod ssh;

#[cfg(test)]
mod contract;

pub use maker::{Maker, Settings, SettingsError, Surroundings, connect, drill_relay, maker};

/// Every kind of connector there is, in the order of the documentation.
pub const CONNECTORS: &[Maker] =
    &[http::MAKER, inventory::MAKER, nftables_ssh::MAKER, smtp::MAKER, ssh::MAKER];
