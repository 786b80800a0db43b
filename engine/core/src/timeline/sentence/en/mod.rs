//! English.

pub(super) mod access;
pub(super) mod incident;
pub(super) mod run;
pub(super) mod words;
