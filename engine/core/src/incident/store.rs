//! What happened to the store: stop switch, restore, backup, paused connectors, seals.

use serde::{Deserialize, Serialize};

use crate::access::Changed;
use crate::codec::{self, Bodied};
use crate::model::{ConnectorName, Digest, EntryId};
use crate::run::{Actor, Contradiction};

/// One event of the store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// What happened, without values.
    #[serde(flatten)]
    pub head: Head,
    /// Who did it; the program itself where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<Actor>,
    /// The values.
    #[serde(skip)]
    pub body: Body,
}

/// The values of an event.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Body {
    /// A reason, or the name of a file.
    #[serde(rename = "t", default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
}

/// What happened, without values. The tag is `k`; tags and fields only grow.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "k", rename_all = "kebab-case")]
pub enum Head {
    /// The stop switch went on: no effect starts. Body: reason.
    Stopped,
    /// The stop switch went off. Body: reason.
    GoneOn,
    /// The store was brought back from a backup and comes up stopped. Body: the backup's name.
    Restored {
        /// The new epoch, 32 hex digits.
        epoch: String,
        /// Printed codes and tokens that were good in the backup and are void since, 0 where there
        /// were none. Absent: they were kept, as by every restore of an older program.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        voided: Option<u64>,
    },
    /// No call starts through a connector. Body: reason.
    ConnectorPaused {
        /// Which.
        connector: ConnectorName,
    },
    /// Calls start again. Body: reason.
    ConnectorUnpaused {
        /// Which.
        connector: ConnectorName,
    },
    /// Who may do what changed, or was used. Body: reason.
    AccessChanged {
        /// What.
        change: Changed,
    },
    /// A backup was made. Body: its name.
    BackupMade {
        /// SHA-256 of its bytes, where it was taken.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        digest: Option<Digest>,
    },
    /// The store bound the heads of its streams together. The journal writes this one itself.
    Sealed {
        /// How many streams.
        streams: u64,
    },
}

impl Event {
    /// An event without values.
    pub fn new(head: Head, by: Option<Actor>) -> Self {
        Self { head, by, body: Body::default() }
    }
    /// The same with a reason or a name.
    #[must_use]
    pub fn text(mut self, text: impl Into<String>) -> Self {
        self.body.text = Some(text.into());
        self
    }
}

impl Bodied for Event {
    type Body = Body;
    fn body(&self) -> &Body {
        &self.body
    }
    fn set_body(&mut self, body: Body) {
        self.body = body;
    }
}

/// The head and, where any event carries values, the body of an entry of the store's stream.
pub fn encode(id: EntryId, events: &[Event]) -> (Vec<u8>, Option<Vec<u8>>) {
    codec::encode(id, events)
}

/// How the journal itself writes a seal's head.
#[derive(Deserialize)]
struct Seal {
    kind: SealWord,
    heads: Vec<serde::de::IgnoredAny>,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum SealWord {
    Sealed,
}

/// Back from the bytes that a store kept; without a body the events carry no values. A seal, which
/// the journal writes in a shape of its own, has no entry id.
///
/// # Errors
/// [`Contradiction`] for bytes that are no entry of the store, or a body of other events.
pub fn decode(
    head: &[u8],
    body: Option<&[u8]>,
) -> Result<(Option<EntryId>, Vec<Event>), Contradiction> {
    if let Ok(Seal { kind: SealWord::Sealed, heads }) = serde_json::from_slice(head) {
        let streams = u64::try_from(heads.len()).unwrap_or(u64::MAX);
        return Ok((None, vec![Event::new(Head::Sealed { streams }, None)]));
    }
    let (id, events) = codec::decode(head, body)?;
    Ok((Some(id), events))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn anna() -> Actor {
        Actor::asserted("anna".parse().unwrap())
    }

    #[test]
    fn every_event_of_the_store_comes_back_as_it_was() {
        let connector: ConnectorName = "core-router".parse().unwrap();
        let events = vec![
            Event::new(Head::Stopped, Some(anna())).text("the router answers strangely"),
            Event::new(Head::GoneOn, Some(anna())),
            Event::new(Head::Restored { epoch: "0f".repeat(16), voided: None }, None)
                .text("monday.db"),
            Event::new(Head::Restored { epoch: "0f".repeat(16), voided: Some(0) }, None),
            Event::new(Head::Restored { epoch: "0f".repeat(16), voided: Some(3) }, Some(anna())),
            Event::new(Head::ConnectorPaused { connector: connector.clone() }, Some(anna())),
            Event::new(Head::ConnectorUnpaused { connector }, None),
            Event::new(
                Head::AccessChanged {
                    change: Changed::AccountLocked { account: "ben".parse().unwrap() },
                },
                Some(anna()),
            ),
            Event::new(Head::BackupMade { digest: Some(Digest::ZERO) }, None).text("monday.db"),
            Event::new(Head::Sealed { streams: 2 }, None),
        ];
        let id = EntryId::new(1, &[3; 10]);
        let (head, body) = encode(id, &events);
        assert_eq!(decode(&head, body.as_deref()).unwrap(), (Some(id), events));
    }

    #[test]
    fn a_seal_is_read_in_the_shape_the_journal_gives_it() {
        let head = br#"{"kind":"sealed","more":false,"epoch":"00","heads":[["run:1",2,"ab"],["run:2",1,"cd"]]}"#;
        let (id, events) = decode(head, None).unwrap();
        assert_eq!(id, None);
        assert_eq!(events, vec![Event::new(Head::Sealed { streams: 2 }, None)]);
        assert!(decode(br#"{"kind":"other","heads":[]}"#, None).is_err());
    }
}
