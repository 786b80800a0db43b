//! A drill turned out to be real: it is opened as a live incident, once, however often it is asked for.
//!
//! The live incident's id is made of the drill's: who asks once more, and a program that was killed between
//! the two entries, finds it again. What is copied is decided in the core.

use beistand_core::entry::StreamKind;
use beistand_core::incident::{self, Event, Head, IncidentNumber, Known};
use beistand_core::model::{EntryId, IncidentId, Millis, Mode};
use beistand_core::run::Actor;
use beistand_journal::{Append, AppendError, Guard, Incident, Reader, Refusal, To};
use serde_json::{Value, json};

use super::changes::changes_of;
use super::{NewIncident, Origin, besides_of, known};
use crate::engine::Engine;
use crate::entries::each_after;
use crate::error::EngineError;

/// So often it is looked anew at the drill while others write into it.
const LOOKS_MAX: u32 = 100;

/// What is known in a drill.
///
/// # Errors
/// [`EngineError::NotFound`]; [`EngineError::Internal`] where its entries contradict each other.
pub(crate) async fn known_in(reader: &Reader, drill: IncidentId) -> Result<Known, EngineError> {
    let mut entries: Vec<(EntryId, Millis, Vec<Event>)> = Vec::new();
    let take = |entry: crate::entries::IncidentEntry| {
        entries.push((entry.id, entry.at, entry.events));
    };
    if !each_after(reader, drill, 0, take).await? {
        return Err(EngineError::NotFound(format!("there is no incident {drill}")));
    }
    Known::of(&entries).map_err(|error| EngineError::Internal(error.to_string()))
}

impl Engine {
    /// Opens the live incident of a drill and writes into the drill which one it is; durable on return.
    pub(crate) async fn turn_real(
        &self,
        drill: IncidentId,
        short: String,
        by: Actor,
    ) -> Result<Value, EngineError> {
        // In a task of its own: who stops waiting does not stop it between the two entries.
        let engine = self.clone();
        let turning = tokio::spawn(async move { engine.turn(drill, short, by).await });
        turning.await.unwrap_or_else(|error| Err(EngineError::Internal(error.to_string())))
    }

    async fn turn(
        &self,
        drill: IncidentId,
        short: String,
        by: Actor,
    ) -> Result<Value, EngineError> {
        let reader = self.0.journal.reader();
        let id = self.incident_of("real-of-drill", &drill.to_string())?;
        let (live, already) = match reader.incident(id).await? {
            Some(live) => (live, true),
            None => self.open_real((drill, id), short, by.clone()).await?,
        };
        self.turned(drill, &live, &by).await?;
        let mut answer = json!({"incident": live.id, "number": live.number});
        if let (true, Value::Object(fields)) = (already, &mut answer) {
            fields.insert("already".to_owned(), Value::Bool(true));
        }
        Ok(answer)
    }

    /// The live incident, and whether somebody else opened it in this very moment.
    async fn open_real(
        &self,
        (drill, id): (IncidentId, IncidentId),
        short: String,
        by: Actor,
    ) -> Result<(Incident, bool), EngineError> {
        let reader = self.0.journal.reader();
        let known = known_in(reader, drill).await?;
        let new = NewIncident {
            title: known.title().to_owned(),
            mode: Mode::Live,
            severity: known.severity(),
            tlp: known.tlp(),
            short,
            by,
        };
        match self.open_incident_as(&new, id, Origin::Drill(&known)).await {
            Err(EngineError::Append(lost @ AppendError::LostOwnership { .. })) => {
                Ok((reader.incident(id).await?.ok_or(lost)?, true))
            }
            opened => opened.map(|row| (row, false)),
        }
    }

    /// Writes into the drill that it is real, unless it says so.
    async fn turned(
        &self,
        drill: IncidentId,
        live: &Incident,
        by: &Actor,
    ) -> Result<(), EngineError> {
        let number = live.number.parse::<IncidentNumber>();
        let number = number.map_err(|error| EngineError::Internal(error.to_string()))?;
        let head = Head::TurnedReal { incident: live.id, number };
        let events = [Event::new(head, by.clone())];
        for _ in 0..LOOKS_MAX {
            let (journal, now) = (&self.0.journal, self.0.clock.now());
            let seen = journal.reader().newest(StreamKind::Incident, &drill.to_string()).await?;
            let row = known::read(journal.reader(), drill).await?;
            if besides_of(&row).real.is_some() {
                return Ok(());
            }
            let (head, body) = incident::encode(self.entry_id(now)?, &events);
            let (kind, id) = (StreamKind::Incident, drill.to_string());
            let mut append = Append::new(To::End { kind, id: id.clone() }, now, head).urgent();
            append.body = body;
            append = append.guard(Guard::StreamAt { kind, id, seq: seen });
            append.changes = changes_of(&row, &events, now);
            let appended = journal.append(append).await;
            self.0.incidents.acted(drill);
            match appended {
                Ok(_) => return Ok(()),
                Err(AppendError::Refused(Refusal::StreamMoved { .. })) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(EngineError::Conflict("too many people write into the incident; try again".to_owned()))
    }
}
