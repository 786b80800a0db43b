//! A run's entries as bytes.

use super::apply::Contradiction;
use super::event::{Body, Event};
use crate::codec::{self, Bodied};
use crate::model::EntryId;

impl Bodied for Event {
    type Body = Body;
    fn body(&self) -> &Body {
        &self.body
    }
    fn set_body(&mut self, body: Body) {
        self.body = body;
    }
}

/// The head and, where any event carries values, the body of an entry.
pub fn encode(id: EntryId, events: &[Event]) -> (Vec<u8>, Option<Vec<u8>>) {
    codec::encode(id, events)
}

/// Back from the bytes that a store kept; without a body the events carry no values.
///
/// # Errors
/// [`Contradiction`] for bytes that are no entry of a run, or a body of other events.
pub fn decode(head: &[u8], body: Option<&[u8]>) -> Result<(EntryId, Vec<Event>), Contradiction> {
    codec::decode(head, body)
}

#[cfg(test)]
mod tests;
