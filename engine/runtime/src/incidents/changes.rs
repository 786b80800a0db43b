//! How the events of an incident change what the store lists.

use beistand_core::incident::{Event, Head};
use beistand_core::model::Millis;
use beistand_journal::{Asset, Change, Evidence, Incident};

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
        Head::IncidentOpened { .. } | Head::NoteAdded { .. } => None,
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
            None
        }
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
            let asset = Asset { incident, kind, value, state, organisation, at: now };
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
