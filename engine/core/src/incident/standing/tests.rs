//! What may be done in which state, and that events come back from their bytes.

use serde_json::json;

use super::super::{AssetState, decode, encode};
use super::*;
use crate::model::{EntryId, TargetKind};

fn actor(name: &str) -> Actor {
    Actor::program(name.parse().unwrap())
}

fn incident(state: State) -> Standing {
    Standing {
        id: IncidentId::new(7, &[7; 10]),
        number: "SIT-2026-0007".parse().unwrap(),
        title: "Alles verschlüsselt".to_owned(),
        severity: Severity::default(),
        tlp: Tlp::Amber,
        opened_at: Millis::new(1_795_000_000_000),
        state,
    }
}

fn acts() -> [Act; 6] {
    [
        Act::Note { text: "Notiz".to_owned(), happened_at: Some(Millis::new(5)) },
        Act::Assign { role: Role::Commander, person: Some("carla".parse().unwrap()) },
        Act::Link { organisation: "Stadt Hagen".parse().unwrap() },
        Act::Evidence { name: "note.txt".to_owned(), digest: Digest::ZERO, bytes: 4096 },
        Act::Edit(Edit { title: Some("Zwei Server".to_owned()), ..Edit::default() }),
        Act::Close { reason: "geklärt".to_owned() },
    ]
}

/// One of each.
fn events() -> Vec<Event> {
    let open = incident(State::Open);
    let asset = Head::AssetChanged { kind: TargetKind::Host, state: AssetState::Contained };
    let asset = Event::new(asset, actor("ben")).named("pc-2");
    let done = acts().map(|act| open.decide(act, actor("ben")).unwrap().unwrap());
    [open.opened(actor("anna")), asset].into_iter().chain(done).collect()
}

#[test]
fn an_open_incident_takes_everything_and_a_closed_one_all_but_its_end() {
    for act in acts() {
        assert!(incident(State::Open).decide(act.clone(), actor("ben")).is_ok(), "{act:?}");
        let closed = incident(State::Closed).decide(act.clone(), actor("ben"));
        let is_end = matches!(act, Act::Close { .. });
        assert_eq!(closed.is_err(), is_end, "what was found out later belongs to it: {act:?}");
    }
}

fn edited(title: Option<&str>, tlp: Option<Tlp>, why: &str) -> Result<Option<Event>, Refused> {
    let (title, reason) = (title.map(str::to_owned), why.to_owned());
    let severity = tlp.map(|_| Severity::default());
    incident(State::Open).decide(Act::Edit(Edit { title, severity, tlp, reason }), actor("ben"))
}

#[test]
fn an_edit_says_only_what_is_another_one() {
    let event = edited(Some(" Zwei Server "), Some(Tlp::Red), "").unwrap().unwrap();
    assert_eq!(event.head, Head::IncidentChanged { severity: None, tlp: Some(Tlp::Red) });
    assert_eq!((event.body.name.as_deref(), event.body.text), (Some("Zwei Server"), None));
    let same = edited(Some("Alles verschlüsselt"), Some(Tlp::Amber), "no reason").unwrap();
    assert_eq!(same, None, "it stands so already");
    assert_eq!(edited(Some(" "), None, ""), Err(Refused::NoTitle));
}

#[test]
fn more_readers_need_a_reason_and_fewer_do_not() {
    let refused = edited(None, Some(Tlp::Green), " ").unwrap_err();
    assert_eq!(refused, Refused::NoReason { from: Tlp::Amber, to: Tlp::Green });
    let event = edited(None, Some(Tlp::Green), "for the neighbours").unwrap().unwrap();
    assert_eq!(event.body.text.as_deref(), Some("for the neighbours"));
    assert!(edited(None, Some(Tlp::AmberStrict), "").unwrap().is_some());
}

#[test]
fn a_run_begins_in_an_open_incident_of_its_own_mode() {
    let open = incident(State::Open);
    assert_eq!(open.admits(Mode::Live), Ok(()));
    let other = open.admits(Mode::Drill).unwrap_err();
    assert_eq!(other.to_string(), "incident SIT-2026-0007 is live, the run would be drill");
    let over = incident(State::Closed).admits(Mode::Live).unwrap_err();
    assert_eq!(over.to_string(), "incident SIT-2026-0007 is closed");
}

#[test]
fn playbooks_see_facts_in_a_fixed_shape() {
    assert_eq!(
        incident(State::Open).facts(),
        json!({
            "id": "00000000-0007-7707-8707-070707070707",
            "number": "SIT-2026-0007",
            "title": "Alles verschlüsselt",
            "severity": 3,
            "tlp": "AMBER",
            "mode": "live",
            "opened_at": "2026-11-18T11:06:40.000Z",
        })
    );
}

#[test]
fn every_event_comes_back_from_its_bytes() {
    let id = EntryId::new(9, &[9; 10]);
    let (head, body) = encode(id, &events());
    assert_eq!(decode(&head, body.as_deref()).unwrap(), (id, events()));
}

#[test]
fn names_titles_and_notes_stand_in_the_body_alone() {
    let (head, body) = encode(EntryId::new(9, &[9; 10]), &events());
    let head = String::from_utf8(head).unwrap();
    for value in ["verschlüsselt", "pc-2", "Notiz", "note.txt", "geklärt", "Zwei"] {
        assert!(!head.contains(value), "{value}");
    }
    let (_, bare) = decode(head.as_bytes(), None).unwrap();
    assert!(bare.iter().all(|event| event.body == super::super::Body::default()));
    assert!(decode(br#"{"id":"x","events":[]}"#, body.as_deref()).is_err());
}
