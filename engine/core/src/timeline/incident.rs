//! Tells the events of an incident and of the store.

use super::class::{self, Class};
use super::entry::{Lang, Recorded, Scope, TimelineEntry};
use super::escape::{TEXT_CHARS_MAX, visible};
use super::owners::Sight;
use super::place::Order;
use super::run::{NAME_CHARS_MAX, name_of};
use super::sentence::{self, Scene};
use crate::incident::{Event, Head, store};
use crate::model::Organisation;
use crate::run::Actor;

/// One event of an incident as a line; none where it is not for these eyes.
pub(super) fn tell(
    (scope, lang): (&Scope, Lang),
    recorded: &Recorded,
    event: &Event,
) -> Option<TimelineEntry> {
    let sight = scope.sight(&event.organisation.iter().cloned().collect());
    let whole = match sight {
        Sight::Hidden => return None,
        Sight::Outline => false,
        Sight::Whole => true,
    };
    let shown = |text: Option<&str>, max| text.map_or_else(String::new, |text| visible(text, max));
    let name = match &event.head {
        Head::OrganisationLinked => event.organisation.as_ref().map(Organisation::as_str),
        Head::RoleAssigned { person, .. } => person.as_ref().map(crate::model::Person::as_str),
        Head::CommandOffered { to, .. } => Some(to.as_str()),
        Head::CalledOut { person, .. } => Some(person.as_str()),
        Head::IncidentOpened { .. }
        | Head::IncidentChanged { .. }
        | Head::IncidentClosed
        | Head::NoteAdded { .. }
        | Head::PlaybookProposed { .. }
        | Head::OfferWithdrawn
        | Head::CommandTaken { .. }
        | Head::AssetChanged { .. }
        | Head::EvidenceAdded { .. }
        | Head::CallOutEnded { .. } => event.body.name.as_deref().filter(|_| whole),
    };
    let scene = Scene {
        by: name_of(lang, &event.by),
        text: shown(event.body.text.as_deref().filter(|_| whole), TEXT_CHARS_MAX),
        name: shown(name, NAME_CHARS_MAX),
        now: recorded.at,
        ..Scene::default()
    };
    let happened_at = match &event.head {
        Head::NoteAdded { happened_at } => *happened_at,
        Head::IncidentOpened { .. }
        | Head::IncidentChanged { .. }
        | Head::IncidentClosed
        | Head::PlaybookProposed { .. }
        | Head::RoleAssigned { .. }
        | Head::CommandOffered { .. }
        | Head::OfferWithdrawn
        | Head::CommandTaken { .. }
        | Head::OrganisationLinked
        | Head::AssetChanged { .. }
        | Head::EvidenceAdded { .. }
        | Head::CalledOut { .. }
        | Head::CallOutEnded { .. } => None,
    };
    let text = sentence::of_incident(lang, &event.head, &scene);
    let line = line(recorded, class::of_incident(&event.head), text, Some(&event.by));
    Some(TimelineEntry { happened_at, organisation: event.organisation.clone(), ..line })
}

/// One event of the store as a line. It is the provider's own: readers of a few organisations see
/// that it happened, without reasons; nothing of accounts.
pub(super) fn tell_store(
    (scope, lang): (&Scope, Lang),
    recorded: &Recorded,
    event: &store::Event,
) -> Option<TimelineEntry> {
    let own = scope.organisations.is_none();
    // Who may do what is nobody's business outside of the house, and names other organisations.
    if matches!(event.head, store::Head::AccessChanged { .. }) && !own {
        return None;
    }
    let text = event.body.text.as_deref().filter(|_| own);
    let scene = Scene {
        by: event.by.as_ref().map_or_else(|| "Beistand".to_owned(), |actor| name_of(lang, actor)),
        text: text.map_or_else(String::new, |text| visible(text, TEXT_CHARS_MAX)),
        now: recorded.at,
        ..Scene::default()
    };
    let text = sentence::of_store(lang, &event.head, &scene);
    Some(line(recorded, class::of_store(&event.head), text, event.by.as_ref()))
}

/// A line outside of runs.
fn line(recorded: &Recorded, class: Class, text: String, actor: Option<&Actor>) -> TimelineEntry {
    TimelineEntry {
        at: recorded.at,
        happened_at: None,
        lane: class.lane,
        kind: class.kind,
        text,
        detail: class.detail,
        run: None,
        playbook: None,
        path: None,
        item: None,
        actor: actor.map(|actor| actor.person.clone()),
        asserted: actor.is_some_and(|actor| actor.asserted),
        account: actor.and_then(|actor| actor.account.clone()),
        proof: actor.and_then(|actor| actor.proof),
        through: actor.and_then(|actor| actor.through.clone()),
        organisation: None,
        value: None,
        stream: recorded.stream.clone(),
        seq: recorded.seq,
        entry: recorded.id,
        order: Order::default(),
    }
}
