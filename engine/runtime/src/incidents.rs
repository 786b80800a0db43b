//! Incidents: what is done to them is decided by the core, and their rows follow the events.

mod act;
mod changes;
mod known;
mod marks;
mod real;

pub use act::IncidentAct;
pub(crate) use act::Instruction;
pub(crate) use known::{Incidents, read as row_of};
pub(crate) use real::known_in;

use beistand_core::entry::StreamKind;
use beistand_core::incident::{self, IncidentNumber, Known, Offer, Standing, State, Stays};
use beistand_core::model::{IncidentId, Mode, Severity, Tlp};
use beistand_core::run::Actor;
use beistand_journal::{Append, AppendError, Change, Guard, Incident, Next, Refusal, To};
use serde::{Deserialize, Serialize};
use serde_json::json;

use changes::changes_of;

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

/// What an incident comes from.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Origin<'a> {
    /// Somebody opens it.
    Nothing,
    /// An alert, with what later ones are told to belong to it by.
    Alert(Option<&'a str>),
    /// A drill that turned out to be real.
    Drill(&'a Known),
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

/// What an incident's row keeps besides its columns.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Besides {
    /// Command that is offered and not yet taken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) offer: Option<Offer>,
    /// The drill that it was before it was real.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) drill: Option<IncidentNumber>,
    /// The live incident that this drill turned out to be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) real: Option<IncidentNumber>,
}

impl Besides {
    /// As the row has it.
    pub(crate) fn text(&self) -> String {
        json!(self).to_string()
    }
}

/// What a row keeps; nothing where that can not be read.
pub(crate) fn besides_of(row: &Incident) -> Besides {
    serde_json::from_str(&row.body).unwrap_or_default()
}

/// Command that is offered in an incident and not yet taken.
pub fn offer_of(row: &Incident) -> Option<Offer> {
    besides_of(row).offer
}

/// Why command stays where it is, by what the asker can do.
pub(crate) fn stays(stays: &Stays) -> EngineError {
    let text = stays.to_string();
    match stays {
        Stays::Others(_) | Stays::ToAnother(_) | Stays::ByAnother(_) => {
            EngineError::NotAllowed(text)
        }
        Stays::Closed(_)
        | Stays::Nobodys(_)
        | Stays::Theirs(_)
        | Stays::NotOffered(_)
        | Stays::Changed { .. } => EngineError::Conflict(text),
    }
}

/// Why something is not done, by what the asker can do.
pub(crate) fn refused(refused: &incident::Refused) -> EngineError {
    let text = refused.to_string();
    match refused {
        incident::Refused::NoTitle | incident::Refused::NoReason { .. } => EngineError::Usage(text),
        incident::Refused::ClosedAlready(_)
        | incident::Refused::RealAlready(_)
        | incident::Refused::Closed(_)
        | incident::Refused::Mode { .. } => EngineError::Conflict(text),
    }
}

impl Engine {
    /// Opens an incident; it is durable on return.
    ///
    /// # Errors
    /// [`EngineError::Append`] when the store does not take it.
    pub async fn open_incident(&self, new: &NewIncident) -> Result<Incident, EngineError> {
        let id = IncidentId::at(self.0.clock.now(), &self.0.chance()?.ten());
        self.open_incident_as(new, id, Origin::Nothing).await
    }

    /// The same under an id that the caller made, with what it comes from.
    pub(crate) async fn open_incident_as(
        &self,
        new: &NewIncident,
        id: IncidentId,
        origin: Origin<'_>,
    ) -> Result<Incident, EngineError> {
        let inner = &self.0;
        let now = inner.clock.now();
        let mut chance = inner.chance()?;
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
            let events = match origin {
                Origin::Nothing => vec![standing.opened(new.by.clone())],
                Origin::Alert(correlation) => {
                    let mut opened = standing.opened(new.by.clone());
                    opened.body.correlation = correlation.map(str::to_owned);
                    vec![opened]
                }
                Origin::Drill(known) => {
                    let opening = known.opening((id, standing.number.clone()), &new.by);
                    opening.map_err(|no| refused(&no))?
                }
            };
            let row = row(&standing, &events);
            let (head, body) = incident::encode(chance.entry_id(now), &events);
            let mut append =
                Append::new(To::New { kind: StreamKind::Incident, id: id.to_string() }, now, head)
                    .next(Next::Release { due: None })
                    .guard(Guard::NumberFree { number: row.number.clone() })
                    .change(Change::PutIncident(Box::new(row.clone())));
            append.changes.extend(changes_of(&row, &events, now));
            append.body = body;
            match inner.journal.append(append).await {
                Ok(_) => return Ok(row),
                Err(AppendError::Refused(Refusal::NumberTaken)) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(EngineError::Conflict("no incident number was free; try again".to_owned()))
    }
}

fn row(standing: &Standing, events: &[incident::Event]) -> Incident {
    let drill = events.iter().find_map(|event| {
        let incident::Head::IncidentOpened { drill, .. } = &event.head else { return None };
        drill.clone()
    });
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
        body: Besides { drill, ..Besides::default() }.text(),
    }
}
