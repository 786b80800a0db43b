//! Instants in JSON that is made of a timeline: RFC 3339 in UTC, as everywhere outside of the journal.

use serde::{Serialize, Serializer};

use crate::model::Millis;

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
pub(super) fn text<S: Serializer>(at: &Millis, to: S) -> Result<S::Ok, S::Error> {
    to.collect_str(at)
}

#[expect(clippy::ref_option, reason = "serde's signature")]
pub(super) fn maybe<S: Serializer>(at: &Option<Millis>, to: S) -> Result<S::Ok, S::Error> {
    at.map(|at| at.to_string()).serialize(to)
}
