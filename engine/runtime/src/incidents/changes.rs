//! How the events of an incident change what the store lists.

use beistand_core::incident::{Event, Head, Offer};
use beistand_core::model::{Digest, IncidentId, Millis, Role};
use beistand_journal::{Asset, Change, Evidence, Incident};

use super::{Besides, besides_of};

/// The rows that are other ones after events that were decided from `before`.
pub(super) fn changes_of(before: &Incident, events: &[Event], now: Millis) -> Vec<Change> {
    let mut row = before.clone();
    let mut changes: Vec<Change> =
        events.iter().filter_map(|event| change_of(&mut row, event, now)).collect();
    if row != *before {
        changes.push(Change::PutIncident(Box::new(row)));
    }
    changes
}

/// What an event does to the incident's own row, and the change of another row.
fn change_of(row: &mut Incident, event: &Event, now: Millis) -> Option<Change> {
    let incident = row.id;
    match &event.head {
        Head::IncidentOpened { .. }
        | Head::NoteAdded { .. }
        | Head::NoteCopied { .. }
        | Head::PlaybookProposed { .. }
        | Head::CalledOut { .. }
        | Head::CallOutEnded { .. }
        | Head::LineCorrected { .. }
        | Head::LineStarred { .. }
        | Head::StarRemoved { .. }
        | Head::StoryTold { .. }
        | Head::StoryLeftOut { .. } => None,
        Head::IncidentChanged { severity, tlp } => {
            if let Some(title) = &event.body.name {
                row.title.clone_from(title);
            }
            row.severity = severity.unwrap_or(row.severity);
            row.tlp = tlp.unwrap_or(row.tlp);
            None
        }
        Head::IncidentClosed => {
            row.closed_at = Some(now);
            offered(row, None);
            None
        }
        Head::CommandOffered { to, briefing } => {
            let (to, by) = (to.clone(), event.by.person.clone());
            offered(row, Some(Offer { to, by, digest: *briefing, since: now }));
            None
        }
        Head::OfferWithdrawn => {
            offered(row, None);
            None
        }
        Head::CommandTaken { .. } => {
            offered(row, None);
            let person = Some(event.by.person.clone());
            Some(Change::SetRole { incident, role: Role::Commander, person })
        }
        Head::RoleAssigned { role, person } => {
            if *role == Role::Commander {
                offered(row, None);
            }
            Some(Change::SetRole { incident, role: *role, person: person.clone() })
        }
        Head::TurnedReal { number, .. } => {
            row.body = Besides { real: Some(number.clone()), ..besides_of(row) }.text();
            None
        }
        Head::OrganisationLinked => event
            .organisation
            .clone()
            .map(|organisation| Change::LinkOrganisation { incident, organisation }),
        Head::AssetChanged { kind, state } => {
            let (kind, state) = (kind.as_str().to_owned(), state.to_string());
            let (value, organisation) = (event.body.name.clone()?, event.organisation.clone());
            let asset = Asset { incident, kind, value, state, organisation, at: now };
            Some(Change::PutAsset(Box::new(asset)))
        }
        Head::EvidenceAdded { digest, .. } => {
            Some(Change::AddEvidence(Box::new(kept(incident, *digest, (event, now)))))
        }
    }
}

/// A file that is kept.
fn kept(incident: IncidentId, digest: Digest, (event, at): (&Event, Millis)) -> Evidence {
    Evidence {
        incident,
        digest,
        name: event.body.name.clone().unwrap_or_default(),
        organisation: event.organisation.clone(),
        by: event.by.person.clone(),
        at,
    }
}

/// Command is offered, or not any more; what the row keeps besides stays.
fn offered(row: &mut Incident, offer: Option<Offer>) {
    row.body = Besides { offer, ..besides_of(row) }.text();
}
