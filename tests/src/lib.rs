//! The world the suites run in: real servers on this machine, each set up by the test that needs
//! it and gone with it, however the test ends.
//!
//! | rig | what is real about it |
//! |---|---|
//! | [`browser`] | Chromium with profiles of its own, and axe-core's opinion of a page |
//! | [`network`] | a router, three hosts and a management host in network namespaces |
//! | [`sshd`] | OpenSSH on one of them |
//! | [`smtp`] | a mail server that is not ours, with TLS and a login |
//! | [`postgres`] | a database on a cluster that syncs |
//! | [`disk`] | ext4 that can be cut off, memory that fills up |
//! | [`ledger`] | an HTTP server in its own process that remembers every effect |
//! | [`oidc`] | an identity provider that is not ours, and one that lies |
//! | [`otlp`] | a receiver of traces |
//! | [`program`] | the built `beistand`, started and killed |
//!
//! Rigs answer a [`trouble::Rig`]; a test unwraps it. What is missing fails the test: nothing here
//! steps aside. All of them can run beside each other.

pub mod browser;
pub mod disk;
mod guardian;
pub mod http;
pub mod ledger;
pub mod network;
pub mod oidc;
pub mod otlp;
pub mod postgres;
pub mod postgres_tls;
pub mod program;
pub mod smtp;
pub mod sshd;
pub mod tool;
pub mod trouble;
