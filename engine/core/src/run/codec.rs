//! The bytes of one commit: what its events say, and apart from that the values they carry.
//!
//! The head is `{"id": entry id, "events": [head, …]}`, the body a JSON array with the values of
//! each event, null where it has none. An erased body leaves events without values. Nothing in
//! here knows of chains or hashes; see [`crate::entry`].

use serde::{Deserialize, Serialize};

use super::apply::Contradiction;
use super::event::{Body, Event};
use crate::model::EntryId;

#[derive(Serialize)]
struct HeadOut<'a> {
    id: EntryId,
    events: &'a [Event],
}

#[derive(Deserialize)]
struct HeadIn {
    id: EntryId,
    events: Vec<Event>,
}

/// The head and, where any event carries values, the body of an entry.
#[expect(
    clippy::expect_used,
    clippy::missing_panics_doc,
    reason = "it never panics: it writes to memory, and every map has text as keys"
)]
pub fn encode(id: EntryId, events: &[Event]) -> (Vec<u8>, Option<Vec<u8>>) {
    let head = serde_json::to_vec(&HeadOut { id, events }).expect("an event is JSON");
    let empty = Body::default();
    let bodies: Vec<Option<&Body>> =
        events.iter().map(|event| Some(&event.body).filter(|body| **body != empty)).collect();
    let body = bodies
        .iter()
        .any(Option::is_some)
        .then(|| serde_json::to_vec(&bodies).expect("a body is JSON"));
    (head, body)
}

/// Back from the bytes that a store kept; without a body the events carry no values.
///
/// # Errors
/// [`Contradiction`] for bytes that are no entry of a run, or a body of other events.
pub fn decode(head: &[u8], body: Option<&[u8]>) -> Result<(EntryId, Vec<Event>), Contradiction> {
    let wrong = |part: &str, error: &serde_json::Error| {
        Contradiction::new(format!("the {part} of an entry can not be read: {error}"))
    };
    let HeadIn { id, mut events } =
        serde_json::from_slice(head).map_err(|error| wrong("head", &error))?;
    let Some(body) = body else { return Ok((id, events)) };
    let bodies: Vec<Option<Body>> =
        serde_json::from_slice(body).map_err(|error| wrong("body", &error))?;
    if bodies.len() != events.len() {
        let counts = (bodies.len(), events.len());
        let text = format!("entry {id} has {} bodies for {} events", counts.0, counts.1);
        return Err(Contradiction::new(text));
    }
    for (event, body) in events.iter_mut().zip(bodies) {
        event.body = body.unwrap_or_default();
    }
    Ok((id, events))
}

#[cfg(test)]
mod tests;
