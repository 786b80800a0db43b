//! Who may do what: permissions, roles, grants, and what an account is.
//!
//! One table says which role may do what ([`may`]); a grant gives a person a role, everywhere, for
//! one organisation or in one incident. Whether somebody is who they say is not decided here.
//!
//! While a store has no accounts a given name holds every role ([`Rights::EVERY`]), and what it does
//! is marked as asserted.

mod account;
mod event;
mod grant;
mod permission;
mod rights;

pub use account::{Account, AccountKind, CredentialKind, SEALED_LASTS};
pub use event::{Changed, Directory};
pub use grant::{Grant, Reach};
pub use permission::{Permission, may, stands_in};
pub use rights::{About, Rights};
