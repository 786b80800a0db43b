//! Tells the events of an incident and of the store.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::class::{self, Class};
use super::entry::{Events, Lang, Recorded, Scope, TimelineEntry};
use super::escape::{TEXT_CHARS_MAX, visible};
use super::owners::Sight;
use super::place::Order;
use super::run::{NAME_CHARS_MAX, name_of};
use super::sentence::{self, Scene};
use crate::access::{Changed, CredentialKind, SEALED_LASTS};
use crate::incident::{AssetState, Event, Head, IncidentNumber, store};
use crate::model::{AccountName, Millis, Organisation, Person, Role, TargetKind};
use crate::on_call::CallOutEnd;
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
    let text = event.body.text.as_deref().filter(|_| whole);
    let scene = Scene {
        by: name_of(lang, &event.by),
        text: shown(text, TEXT_CHARS_MAX),
        name: shown(name_in(event, whole).as_deref(), NAME_CHARS_MAX),
        now: recorded.at,
        ..Scene::default()
    };
    let text = sentence::of_incident(lang, &event.head, &scene);
    let line = line(recorded, class::of_incident(&event.head), text, Some(&event.by));
    let (happened_at, failed) = (happened_at(&event.head), is_failure(&event.head));
    Some(TimelineEntry {
        happened_at,
        failed,
        organisation: event.organisation.clone(),
        targets: asset_in(event).filter(|_| whole).map(|_| scene.name).into_iter().collect(),
        value: story_in(event).filter(|_| whole),
        about: event.head.line(),
        roles: role_in(event).into_iter().collect(),
        given: role_given(event),
        asset: asset_in(event),
        ..line
    })
}

/// The name an event is about. Of the drill that became real, and of what it became, the number is for
/// who reads the whole: another incident is not theirs because a part of this one is.
fn name_in(event: &Event, whole: bool) -> Option<String> {
    let own = match &event.head {
        Head::OrganisationLinked => {
            return event.organisation.as_ref().map(Organisation::to_string);
        }
        Head::RoleAssigned { person, .. } => return person.as_ref().map(Person::to_string),
        Head::CommandOffered { to, .. } => return Some(to.to_string()),
        Head::CalledOut { person, .. } => return Some(person.to_string()),
        Head::TurnedReal { number, .. } => Some(number.to_string()),
        Head::IncidentOpened { drill, .. } => drill.as_ref().map(IncidentNumber::to_string),
        Head::LineCorrected { .. } => event.body.reason.clone(),
        Head::IncidentChanged { .. }
        | Head::IncidentClosed
        | Head::NoteAdded { .. }
        | Head::NoteCopied { .. }
        | Head::PlaybookProposed { .. }
        | Head::OfferWithdrawn
        | Head::CommandTaken { .. }
        | Head::AssetChanged { .. }
        | Head::EvidenceAdded { .. }
        | Head::CallOutEnded { .. }
        | Head::LineStarred { .. }
        | Head::StarRemoved { .. }
        | Head::StoryTold { .. }
        | Head::StoryLeftOut { .. } => event.body.name.clone(),
    };
    own.filter(|_| whole)
}

/// Nobody was reached.
fn is_failure(head: &Head) -> bool {
    matches!(head, Head::CallOutEnded { end, .. } if *end != CallOutEnd::Sent)
}

/// When it happened, where somebody said so.
fn happened_at(head: &Head) -> Option<Millis> {
    if let Head::NoteCopied { happened_at, .. } = head {
        return Some(*happened_at);
    }
    let (Head::NoteAdded { happened_at } | Head::LineCorrected { happened_at, .. }) = head else {
        return None;
    };
    *happened_at
}

/// Who has which role from now on; nobody where absent.
fn role_given(event: &Event) -> Option<(Role, Option<Person>)> {
    if let Head::RoleAssigned { role, person } = &event.head {
        return Some((*role, person.clone()));
    }
    let Head::CommandTaken { .. } = &event.head else { return None };
    Some((Role::Commander, Some(event.by.person.clone())))
}

/// Whom it is about as what.
fn role_in(event: &Event) -> Option<Role> {
    if let Head::CommandOffered { .. } = &event.head {
        return Some(Role::Commander);
    }
    let Head::CalledOut { role, .. } = &event.head else {
        return role_given(event).map(|(role, _)| role);
    };
    Some(*role)
}

/// The asset an event is about, and how it stands.
fn asset_in(event: &Event) -> Option<(TargetKind, AssetState)> {
    let Head::AssetChanged { kind, state } = &event.head else { return None };
    Some((*kind, *state))
}

/// What a line is told as in the story, in the shape that [`Story`](super::story::Story) reads.
fn story_in(event: &Event) -> Option<Value> {
    let Head::StoryTold { happened_at, place, .. } = &event.head else { return None };
    let shown = |text: &Option<String>, max| text.as_deref().map(|text| visible(text, max));
    Some(json!({
        "title": shown(&event.body.name, NAME_CHARS_MAX),
        "text": shown(&event.body.text, TEXT_CHARS_MAX),
        "at": happened_at.map(|at| at.to_string()),
        "place": place,
    }))
}

/// What of the store's own belongs to the incident of these ids, its own and those of its runs, which
/// was opened at `since`: what concerns every incident that is there, and of accounts alone that a
/// sealed one was used and that somebody was refused something here. Who has an account is the
/// store's own timeline. Of what was before only that counts which still held: a stop switch that
/// is on, a connector that starts nothing, a session of a sealed account.
pub fn of_one_incident(own: Vec<Recorded>, ids: &BTreeSet<&str>, since: Millis) -> Vec<Recorded> {
    let held = held_at(&own, since);
    let belongs = |event: &store::Event| match &event.head {
        store::Head::AccessChanged { change } => match change {
            Changed::BreakGlassUsed { .. } => true,
            Changed::Refused { about, .. } => {
                about.as_deref().is_some_and(|about| ids.contains(about))
            }
            Changed::AccountMade { .. }
            | Changed::AccountLocked { .. }
            | Changed::AccountUnlocked { .. }
            | Changed::CredentialAdded { .. }
            | Changed::CredentialRemoved { .. }
            | Changed::Granted { .. }
            | Changed::Revoked { .. } => false,
        },
        store::Head::Stopped
        | store::Head::GoneOn
        | store::Head::Restored { .. }
        | store::Head::ConnectorPaused { .. }
        | store::Head::ConnectorUnpaused { .. }
        | store::Head::BackupMade { .. }
        | store::Head::Sealed { .. } => true,
    };
    let kept = own.into_iter().map(|mut recorded| {
        if let Events::Store(events) = &mut recorded.events {
            let mut number = 0;
            events.retain(|event| {
                let place = (recorded.seq, number);
                number += 1;
                belongs(event) && (recorded.at >= since || held.contains(&place))
            });
        }
        recorded
    });
    kept.collect()
}

/// Where that was written which still held at an instant: by entry, and its place among the events
/// of that entry.
fn held_at(own: &[Recorded], since: Millis) -> BTreeSet<(u64, usize)> {
    let mut stop = None;
    let mut paused = BTreeMap::new();
    let mut sealed = Vec::new();
    for recorded in own.iter().filter(|recorded| recorded.at < since) {
        let Events::Store(events) = &recorded.events else { continue };
        for (number, event) in events.iter().enumerate() {
            let place = (recorded.seq, number);
            match &event.head {
                // A store that is brought back comes up stopped.
                store::Head::Stopped | store::Head::Restored { .. } => stop = Some(place),
                store::Head::GoneOn => stop = None,
                store::Head::ConnectorPaused { connector } => {
                    paused.insert(connector, place);
                }
                store::Head::ConnectorUnpaused { connector } => {
                    paused.remove(connector);
                }
                // Whoever opened with it may act with it still.
                store::Head::AccessChanged { change: Changed::BreakGlassUsed { .. } } => {
                    if since.since(recorded.at) <= SEALED_LASTS {
                        sealed.push(place);
                    }
                }
                store::Head::AccessChanged { .. }
                | store::Head::BackupMade { .. }
                | store::Head::Sealed { .. } => {}
            }
        }
    }
    paused.into_values().chain(stop).chain(sealed).collect()
}

/// The events of an entry of the store as lines: one each, and one for a whole sheet of printed codes.
pub(super) fn tell_store(
    view: (&Scope, Lang),
    recorded: &Recorded,
    events: &[store::Event],
) -> Vec<TimelineEntry> {
    let one_sheet = |one: &store::Event, next: &store::Event| {
        sheet_of(one).is_some_and(|account| sheet_of(next) == Some(account))
    };
    let mut lines = Vec::new();
    let mut number = 1_u16;
    for chunk in events.chunk_by(one_sheet) {
        let line = tell_together(view, recorded, chunk);
        lines.extend(line.map(|line| TimelineEntry { event: number, ..line }));
        number = number.saturating_add(u16::try_from(chunk.len()).unwrap_or(u16::MAX));
    }
    lines
}

/// The account that a printed code was made for.
fn sheet_of(event: &store::Event) -> Option<&AccountName> {
    match &event.head {
        store::Head::AccessChanged {
            change: Changed::CredentialAdded { account, kind: CredentialKind::Code, .. },
        } => Some(account),
        store::Head::AccessChanged { .. }
        | store::Head::Stopped
        | store::Head::GoneOn
        | store::Head::Restored { .. }
        | store::Head::ConnectorPaused { .. }
        | store::Head::ConnectorUnpaused { .. }
        | store::Head::BackupMade { .. }
        | store::Head::Sealed { .. } => None,
    }
}

/// One event of the store as a line, or the codes of one sheet. It is the provider's own: readers of
/// a few organisations see that it happened, without reasons; nothing of accounts.
fn tell_together(
    (scope, lang): (&Scope, Lang),
    recorded: &Recorded,
    events: &[store::Event],
) -> Option<TimelineEntry> {
    let event = events.first()?;
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
    let text = match (sheet_of(event), events.len()) {
        (Some(account), codes @ 2..) => sentence::of_sheet(lang, (account, codes), &scene),
        (Some(_) | None, _) => sentence::of_store(lang, &event.head, &scene),
    };
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
        failed: false,
        run: None,
        playbook: None,
        path: None,
        item: None,
        targets: Vec::new(),
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
        event: 1,
        about: None,
        roles: Vec::new(),
        given: None,
        asset: None,
        corrected_by: None,
        starred_by: None,
        strokes: Vec::new(),
        order: Order::default(),
    }
}
