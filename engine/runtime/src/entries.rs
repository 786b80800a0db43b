//! An incident's entries, decoded, for who folds them or looks for one.

use beistand_core::entry::StreamKind;
use beistand_core::incident::{self, Event};
use beistand_core::model::{EntryId, IncidentId, Millis};
use beistand_journal::{Entry, Reader, Stream};

use crate::error::EngineError;

/// Entries that are read at once.
const PAGE: u32 = 1_000;

/// One entry of an incident.
#[derive(Debug)]
pub(crate) struct IncidentEntry {
    /// Its public id.
    pub(crate) id: EntryId,
    /// Its number in its stream.
    pub(crate) seq: u64,
    /// When it was written.
    pub(crate) at: Millis,
    /// What was decided together.
    pub(crate) events: Vec<Event>,
}

impl IncidentEntry {
    /// What an entry of an incident's stream says.
    ///
    /// # Errors
    /// [`EngineError::Broken`] that names it.
    pub(crate) fn of(stream: &Stream, entry: &Entry) -> Result<Self, EngineError> {
        let decoded = incident::decode(&entry.head, entry.body.as_deref());
        let (id, events) = decoded.map_err(|error| EngineError::Broken {
            stream: stream.name().to_owned(),
            seq: entry.seq,
            why: error.to_string(),
        })?;
        Ok(Self { id, seq: entry.seq, at: entry.at, events })
    }
}

/// Hands over every entry of an incident after this one, in order; whether there is such an incident.
///
/// # Errors
/// [`EngineError::Broken`]; what was handed over until then stays so.
pub(crate) async fn each_after(
    reader: &Reader,
    id: IncidentId,
    mut after: u64,
    mut take: impl FnMut(IncidentEntry),
) -> Result<bool, EngineError> {
    let Some(stream) = stream_of(reader, id).await? else { return Ok(false) };
    loop {
        let page = reader.entries(&stream, after, PAGE).await?;
        for entry in &page {
            take(IncidentEntry::of(&stream, entry)?);
            after = entry.seq;
        }
        if page.len() < usize::try_from(PAGE).unwrap_or(usize::MAX) {
            return Ok(true);
        }
    }
}

/// The entry that opened an incident.
///
/// # Errors
/// [`EngineError::Broken`].
pub(crate) async fn first(
    reader: &Reader,
    id: IncidentId,
) -> Result<Option<IncidentEntry>, EngineError> {
    let Some(stream) = stream_of(reader, id).await? else { return Ok(None) };
    let first = reader.entries(&stream, 0, 1).await?.into_iter().next();
    first.map(|entry| IncidentEntry::of(&stream, &entry)).transpose()
}

/// The stream of an incident, if there is one.
pub(crate) async fn stream_of(
    reader: &Reader,
    id: IncidentId,
) -> Result<Option<Stream>, EngineError> {
    Ok(reader.stream(StreamKind::Incident, &id.to_string()).await?)
}
