//! An incident is the fold of its events.

use super::super::AssetState;
use super::*;

const AT: Millis = Millis::new(1_795_000_000_000);

fn actor(name: &str) -> Actor {
    Actor::program(name.parse().unwrap())
}

fn opened() -> Event {
    let head = Head::IncidentOpened {
        incident: IncidentId::new(7, &[7; 10]),
        number: "SIT-2026-0007".parse().unwrap(),
        mode: Mode::Live,
        severity: Severity::default(),
        tlp: Tlp::Amber,
        drill: None,
    };
    Event::new(head, actor("anna")).text("Alles verschlüsselt")
}

fn asset(name: &str, state: AssetState) -> Event {
    let head = Head::AssetChanged { kind: TargetKind::Host, state };
    Event::new(head, actor("ben")).named(name).of(Some("Stadt Hagen".parse().unwrap()))
}

/// One of each, in an order that fits.
fn events() -> Vec<Event> {
    let role = Head::RoleAssigned { role: Role::Commander, person: Some("carla".parse().unwrap()) };
    let evidence = Head::EvidenceAdded { digest: Digest::ZERO, bytes: 4096 };
    vec![
        opened(),
        Event::new(role, actor("anna")),
        Event::new(Head::OrganisationLinked, actor("anna"))
            .of(Some("Stadt Hagen".parse().unwrap())),
        asset("pc-2", AssetState::Suspected),
        asset("pc-1", AssetState::Affected),
        asset("pc-2", AssetState::Contained),
        Event::new(Head::NoteAdded { happened_at: Some(AT) }, actor("ben")).text("Notiz"),
        Event::new(evidence, actor("ben")).named("note.txt"),
        Event::new(Head::IncidentChanged { severity: None, tlp: Some(Tlp::Red) }, actor("ben"))
            .named("Zwei Server"),
        Event::new(Head::IncidentClosed, actor("carla")).text("geklärt"),
    ]
}

fn fold(events: &[Event]) -> Result<IncidentState, Contradiction> {
    IncidentState::fold(events.iter().map(|event| (event, AT)))
}

#[test]
fn an_incident_is_the_fold_of_its_events() {
    let state = fold(&events()).unwrap();
    assert_eq!(state.roles[&Role::Commander].as_str(), "carla");
    assert_eq!(state.organisations.len(), 1);
    assert_eq!(state.evidence[0].name, "note.txt");
    assert_eq!((state.title.as_str(), state.tlp), ("Zwei Server", Tlp::Red));
    assert_eq!(state.severity, Severity::default(), "what is not said again stays");
    assert_eq!(state.closed.as_ref().unwrap().by, actor("carla"));
}

#[test]
fn events_that_do_not_fit_are_contradictions() {
    assert!(fold(&[]).is_err());
    assert!(fold(&events()[1..]).is_err());
    assert!(fold(&[opened(), opened()]).is_err());
    let closed = Event::new(Head::IncidentClosed, actor("anna"));
    assert!(fold(&[opened(), closed.clone(), closed]).is_err());
    assert!(fold(&[opened(), Event::new(Head::OrganisationLinked, actor("anna"))]).is_err());
    let mut drill = opened();
    if let Head::IncidentOpened { mode, .. } = &mut drill.head {
        *mode = Mode::Drill;
    }
    assert!(fold(&[drill]).is_err());
}

#[test]
fn what_is_found_out_after_the_end_still_belongs_to_it() {
    let mut all = events();
    all.push(Event::new(Head::NoteAdded { happened_at: None }, actor("ben")).text("Lehre"));
    all.push(asset("pc-9", AssetState::Cleared));
    assert_eq!(fold(&all).unwrap().assets().count(), 3);
}

#[test]
fn who_proposes_what_another_proposed_takes_nobodys_place() {
    let head = || Head::PlaybookProposed { playbook: "contain".parse().unwrap() };
    let by = |name: &str| Event::new(head(), actor(name)).text(r#"{"host":"pc-1"}"#);
    let state = fold(&[opened(), by("hook-edr"), by("hook-mail"), by("hook-mail")]).unwrap();
    let whose: Vec<&str> = state.proposed.iter().map(|one| one.by.as_str()).collect();
    assert_eq!(whose, ["hook-edr", "hook-mail"]);
}
