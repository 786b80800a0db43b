//! The bytes of one commit: what its events say, and apart from that the values they carry.
//!
//! One shape for runs, incidents and the store: the head is `{"id": entry id, "events": [head, …]}`,
//! the body a JSON array with the values of each event, null where it has none. An erased body
//! leaves events without values. Nothing in here knows of chains or hashes; see [`crate::entry`].

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::model::EntryId;
use crate::run::Contradiction;

/// An event whose values are kept apart from it.
pub(crate) trait Bodied: Serialize + DeserializeOwned {
    /// Its values; the default has none.
    type Body: Serialize + DeserializeOwned + Default + PartialEq;

    /// The values.
    fn body(&self) -> &Self::Body;
    /// Puts values in.
    fn set_body(&mut self, body: Self::Body);
}

#[derive(Serialize)]
struct HeadOut<'a, E> {
    id: EntryId,
    events: &'a [E],
}

#[derive(Deserialize)]
struct HeadIn<E> {
    id: EntryId,
    events: Vec<E>,
}

/// The head and, where any event carries values, the body of an entry.
#[expect(clippy::expect_used, reason = "writing to memory, and every map has text as keys")]
pub(crate) fn encode<E: Bodied>(id: EntryId, events: &[E]) -> (Vec<u8>, Option<Vec<u8>>) {
    let head = serde_json::to_vec(&HeadOut { id, events }).expect("an event is JSON");
    let empty = E::Body::default();
    let bodies: Vec<Option<&E::Body>> =
        events.iter().map(|event| Some(event.body()).filter(|body| **body != empty)).collect();
    let body = bodies
        .iter()
        .any(Option::is_some)
        .then(|| serde_json::to_vec(&bodies).expect("a body is JSON"));
    (head, body)
}

/// Back from the bytes that a store kept; without a body the events carry no values.
pub(crate) fn decode<E: Bodied>(
    head: &[u8],
    body: Option<&[u8]>,
) -> Result<(EntryId, Vec<E>), Contradiction> {
    let wrong = |part: &str, error: &serde_json::Error| {
        Contradiction::new(format!("the {part} of an entry can not be read: {error}"))
    };
    let HeadIn { id, mut events } =
        serde_json::from_slice::<HeadIn<E>>(head).map_err(|error| wrong("head", &error))?;
    let Some(body) = body else { return Ok((id, events)) };
    let bodies: Vec<Option<E::Body>> =
        serde_json::from_slice(body).map_err(|error| wrong("body", &error))?;
    if bodies.len() != events.len() {
        let (bodies, events) = (bodies.len(), events.len());
        let text = format!("entry {id} has {bodies} bodies for {events} events");
        return Err(Contradiction::new(text));
    }
    for (event, body) in events.iter_mut().zip(bodies) {
        event.set_body(body.unwrap_or_default());
    }
    Ok((id, events))
}
