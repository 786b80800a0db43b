//! Incidents: what is done to them is decided by the core, and their rows follow the events.

mod known;

pub(crate) use known::Incidents;

use base64::Engine as _;
use beistand_core::entry::StreamKind;
use beistand_core::incident::{self, Act, Event, Head, IncidentNumber, Standing, State};
use beistand_core::model::{
    IncidentId, Millis, Mode, Organisation, Person, Role, Severity, Tlp, digest_of_bytes,
};
use beistand_core::run::Actor;
use beistand_journal::{Append, AppendError, Change, Evidence, Guard, Incident, Next, Refusal, To};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::engine::Engine;
use crate::error::EngineError;

/// An incident to be opened.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct NewIncident {
    /// One line.
    pub title: String,
    /// Real or not.
    pub mode: Mode,
    /// 1 disruption to 4 crisis.
    pub severity: Severity,
    /// Who may read it.
    pub tlp: Tlp,
    /// The provider's short name, for the number.
    pub short: String,
    /// Who opens it.
    pub by: Actor,
}

/// What can be done to an incident, as the mailbox carries it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "act", rename_all = "kebab-case")]
pub enum IncidentAct {
    /// A note.
    Note {
        /// The text.
        text: String,
        /// When it happened.
        at: Option<Millis>,
    },
    /// It is over.
    Close {
        /// Why.
        reason: String,
    },
    /// A person takes a role.
    Assign {
        /// Which.
        role: Role,
        /// Who; nobody where absent.
        person: Option<Person>,
    },
    /// An organisation is concerned.
    Link {
        /// Which.
        organisation: Organisation,
    },
    /// A file is kept as evidence.
    Evidence {
        /// Its name.
        name: String,
        /// Its bytes, base64.
        base64: String,
    },
}

/// So often a number is tried when several incidents are opened at once.
const NUMBERS_TRIED: u32 = 20;

/// An incident's row as the core looks at it.
///
/// # Errors
/// [`EngineError::Internal`] for a number that is none.
pub(crate) fn standing(row: &Incident) -> Result<Standing, EngineError> {
    let number = row.number.parse::<IncidentNumber>();
    Ok(Standing {
        id: row.id,
        number: number.map_err(|error| EngineError::Internal(error.to_string()))?,
        title: row.title.clone(),
        severity: row.severity,
        tlp: row.tlp,
        opened_at: row.opened_at,
        state: if row.closed_at.is_some() { State::Closed } else { State::Open },
    })
}

pub(crate) fn refused(refused: &incident::Refused) -> EngineError {
    EngineError::Conflict(refused.to_string())
}

impl Engine {
    /// Opens an incident; it is durable on return.
    ///
    /// # Errors
    /// [`EngineError::Append`] when the store does not take it.
    pub async fn open_incident(&self, new: &NewIncident) -> Result<Incident, EngineError> {
        let inner = &self.0;
        let now = inner.clock.now();
        let mut chance = inner.chance()?;
        let id = IncidentId::at(now, &chance.ten());
        let year = now.to_string().get(..4).and_then(|year| year.parse().ok()).unwrap_or(1970);
        let number_of = |counter| {
            IncidentNumber::new(&new.short, year, counter, new.mode)
                .map_err(|error| EngineError::Usage(error.to_string()))
        };
        let first = number_of(1)?.to_string();
        let prefix = first.trim_end_matches(|c: char| c.is_ascii_digit()).to_owned();
        for _ in 0..NUMBERS_TRIED {
            let last = inner.journal.reader().incident_number(&prefix).await?;
            let next = last
                .and_then(|number| number.parse::<IncidentNumber>().ok())
                .map_or(1, |n| n.counter() + 1);
            let standing = Standing {
                id,
                number: number_of(next)?,
                title: new.title.clone(),
                severity: new.severity,
                tlp: new.tlp,
                opened_at: now,
                state: State::Open,
            };
            let row = row(&standing);
            let entry = chance.entry_id(now);
            let (head, body) = incident::encode(entry, &[standing.opened(new.by.clone())]);
            let mut append =
                Append::new(To::New { kind: StreamKind::Incident, id: id.to_string() }, now, head)
                    .next(Next::Release { due: None })
                    .guard(Guard::NumberFree { number: row.number.clone() })
                    .change(Change::PutIncident(Box::new(row.clone())));
            append.body = body;
            match inner.journal.append(append).await {
                Ok(_) => return Ok(row),
                Err(AppendError::Refused(Refusal::NumberTaken)) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(EngineError::Conflict("no incident number was free; try again".to_owned()))
    }

    /// Does something to an incident; it is durable on return.
    pub(crate) async fn act(
        &self,
        id: IncidentId,
        act: IncidentAct,
        by: Actor,
    ) -> Result<Value, EngineError> {
        // In a task of its own: who stops waiting does not take back what is written, and what is
        // known of the incident must follow it.
        let engine = self.clone();
        let acting = tokio::spawn(async move { engine.write_act(id, act, by).await });
        acting.await.unwrap_or_else(|error| Err(EngineError::Internal(error.to_string())))
    }

    async fn write_act(
        &self,
        id: IncidentId,
        act: IncidentAct,
        by: Actor,
    ) -> Result<Value, EngineError> {
        let inner = &self.0;
        let now = inner.clock.now();
        let row = known::read(inner.journal.reader(), id).await?;
        let standing = standing(&row)?;
        let (act, bytes) = act_of(act)?;
        let event = standing.decide(act, by).map_err(|no| refused(&no))?;
        if let Some(bytes) = bytes {
            inner.journal.put_blob(bytes).await?;
        }
        let (head, body) = incident::encode(self.entry_id(now)?, std::slice::from_ref(&event));
        let to = To::End { kind: StreamKind::Incident, id: id.to_string() };
        let mut append = Append::new(to, now, head).urgent();
        append.body = body;
        if event.head == Head::IncidentClosed {
            // Somebody else may be closing it in this very moment.
            append = append.guard(Guard::IncidentOpen { incident: id });
        }
        let number = row.number.clone();
        append.changes = change_of(row, &event, now).into_iter().collect();
        let appended = inner.journal.append(append).await;
        inner.incidents.acted(id);
        match appended {
            Ok(_) => Ok(json!({"incident": id, "number": number})),
            Err(AppendError::Refused(Refusal::IncidentClosed)) => {
                Err(refused(&incident::Refused::ClosedAlready(standing.number)))
            }
            Err(error) => Err(error.into()),
        }
    }
}

/// An act as the core knows it, and the bytes of a file that must be kept for it.
fn act_of(act: IncidentAct) -> Result<(Act, Option<Vec<u8>>), EngineError> {
    Ok(match act {
        IncidentAct::Note { text, at } => (Act::Note { text, happened_at: at }, None),
        IncidentAct::Close { reason } => (Act::Close { reason }, None),
        IncidentAct::Assign { role, person } => (Act::Assign { role, person }, None),
        IncidentAct::Link { organisation } => (Act::Link { organisation }, None),
        IncidentAct::Evidence { name, base64 } => {
            let decoded = base64::engine::general_purpose::STANDARD.decode(base64);
            let bytes = decoded.map_err(|error| {
                EngineError::Usage(format!("the evidence can not be read: {error}"))
            })?;
            let (digest, count) = (digest_of_bytes(&bytes), bytes.len() as u64);
            (Act::Evidence { name, digest, bytes: count }, Some(bytes))
        }
    })
}

fn row(standing: &Standing) -> Incident {
    Incident {
        id: standing.id,
        number: standing.number.to_string(),
        mode: standing.number.mode(),
        title: standing.title.clone(),
        severity: standing.severity,
        tlp: standing.tlp,
        organisation: None,
        opened_at: standing.opened_at,
        closed_at: None,
        body: "{}".to_owned(),
    }
}

/// How an event changes what the store lists.
fn change_of(row: Incident, event: &Event, now: Millis) -> Option<Change> {
    let incident = row.id;
    match &event.head {
        Head::IncidentOpened { .. } => Some(Change::PutIncident(Box::new(row))),
        Head::IncidentClosed => {
            Some(Change::PutIncident(Box::new(Incident { closed_at: Some(now), ..row })))
        }
        Head::NoteAdded { .. } => None,
        Head::RoleAssigned { role, person } => {
            Some(Change::SetRole { incident, role: *role, person: person.clone() })
        }
        Head::OrganisationLinked => event
            .organisation
            .clone()
            .map(|organisation| Change::LinkOrganisation { incident, organisation }),
        Head::AssetChanged { kind, state } => {
            let (kind, state) = (kind.as_str().to_owned(), state.to_string());
            let (value, organisation) = (event.body.name.clone()?, event.organisation.clone());
            let asset =
                beistand_journal::Asset { incident, kind, value, state, organisation, at: now };
            Some(Change::PutAsset(Box::new(asset)))
        }
        Head::EvidenceAdded { digest, .. } => {
            let evidence = Evidence {
                incident,
                digest: *digest,
                name: event.body.name.clone().unwrap_or_default(),
                organisation: event.organisation.clone(),
                by: event.by.person.clone(),
                at: now,
            };
            Some(Change::AddEvidence(Box::new(evidence)))
        }
    }
}
