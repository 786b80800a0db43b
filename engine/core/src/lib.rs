//! The pure core of Beistand: what a playbook is, what a run is, and what happened.
//!
//! Nothing in here reads a clock, a file, an environment variable or a socket. Time, randomness
//! and answers from outside are arguments; the results are data. That is what makes it possible
//! to play thousands of crash schedules in a second, in one thread.
//!
//! * [`model`]: the nouns, shared with connectors
//! * [`playbook`]: YAML text in, [`playbook::Plan`] out
//! * [`run`]: `decide` and `apply`, the machine that drives a run
//! * [`incident`]: what happened in an incident apart from its runs, and to the store
//! * [`access`]: who may do what
//! * [`on_call`]: who is on call, and who is to be called to what waits
//! * [`case`]: playbooks' unit tests, played in virtual time
//! * [`entry`]: the journal's bytes and their chain
//! * [`timeline`]: sentences for people, as a pure function of events

pub mod access;
pub mod case;
mod codec;
pub mod entry;
pub mod incident;
pub mod model;
pub mod on_call;

pub mod playbook;
pub mod run;
pub mod timeline;
