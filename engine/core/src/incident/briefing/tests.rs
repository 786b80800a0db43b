//! A briefing is the same for the same state, and another one for any other.

use super::*;
use crate::incident::{AssetState, Event, Head};
use crate::model::TargetKind;
use crate::run::Actor;

pub(crate) const AT: Millis = Millis::new(1_795_000_000_000);

fn actor(name: &str) -> Actor {
    Actor::asserted(name.parse().unwrap())
}

/// An incident with somebody in command, an asset and a note.
pub(crate) fn state() -> IncidentState {
    let opened = Head::IncidentOpened {
        incident: IncidentId::new(7, &[7; 10]),
        number: "SIT-2026-0007".parse().unwrap(),
        mode: Mode::Live,
        severity: Severity::default(),
        tlp: Tlp::Amber,
        drill: None,
    };
    let role = Head::RoleAssigned { role: Role::Commander, person: Some("carla".parse().unwrap()) };
    let asset = Head::AssetChanged { kind: TargetKind::Host, state: AssetState::Affected };
    let note = Head::NoteAdded { happened_at: Some(Millis::new(AT.get() - 60_000)) };
    let events = [
        Event::new(opened, actor("anna")).text("Alles verschlüsselt"),
        Event::new(role, actor("anna")),
        Event::new(Head::OrganisationLinked, actor("anna")).of(Some("stadt-a".parse().unwrap())),
        Event::new(asset, actor("ben")).named("pc-2").of(Some("stadt-a".parse().unwrap())),
        Event::new(note, actor("ben")).text("Erste Datei umbenannt"),
    ];
    IncidentState::fold(events.iter().map(|event| (event, AT))).unwrap()
}

fn need(number: u64) -> OpenNeed {
    OpenNeed {
        since: AT,
        id: NeedId::new(number, &[1; 10]),
        kind: NeedKind::Approval,
        title: "Cut off pc-2".to_owned(),
        role: Some(Role::Commander),
        run: Some(RunId::new(1, &[1; 10])),
        step: Some("contain[1]/cut".parse().unwrap()),
        until: Some(Millis::new(AT.get() + 600_000)),
        votes: 1,
        votes_needed: 2,
        digest: Some(Digest::ZERO),
    }
}

/// A run that waits for two votes and holds a host.
pub(crate) fn around() -> Around {
    let run = RunId::new(1, &[1; 10]);
    Around {
        needs: vec![need(1), need(2)],
        runs: vec![OpenRun {
            started_at: AT,
            id: run,
            playbook: "ransomware-containment".to_owned(),
            status: "running".to_owned(),
            requested_by: "anna".parse().unwrap(),
        }],
        ended: [("succeeded".to_owned(), 2)].into(),
        holds: vec![OpenHold {
            target: "host:pc-1".to_owned(),
            effect: "network.isolate".to_owned(),
            connector: "core-router".parse().unwrap(),
            run,
            since: AT,
            state: Holding::Held,
        }],
        started: Vec::new(),
    }
}

/// All of it.
pub(crate) fn briefing_of_tests() -> Briefing {
    Briefing::of(&state(), around())
}

#[test]
fn the_same_state_has_the_same_digest_in_whatever_order_it_was_found() {
    let briefing = Briefing::of(&state(), around());
    let mut other = around();
    other.needs.reverse();
    assert_eq!(Briefing::of(&state(), other).digest(), briefing.digest());
    let read: Briefing = serde_json::from_value(briefing.value()).unwrap();
    assert_eq!((read.digest(), &read), (briefing.digest(), &briefing));
    let digest = briefing.digest().unwrap().to_string();
    assert_eq!(digest, "sha256:15b77cef94b6a10efb7947b98f960daf8d5f17ec0b0c764309b569848c516be7");
}

#[test]
fn whatever_happens_is_another_digest_and_is_said() {
    let before = Briefing::of(&state(), around());
    let said = |change: fn(&mut Around)| {
        let mut changed = around();
        change(&mut changed);
        let after = Briefing::of(&state(), changed);
        assert_ne!(after.digest(), before.digest());
        Differences::between(&before.value(), &after.value()).to_string()
    };
    assert_eq!(said(|around| around.needs.truncate(1)), "needs (0 new, 1 gone)");
    assert_eq!(said(|around| around.runs.clear()), "runs (0 new, 1 gone)");
    assert_eq!(said(|around| around.holds.clear()), "holds (0 new, 1 gone)");
    assert_eq!(
        said(|around| around.ended.extend([("failed".to_owned(), 1)])),
        "ended (1 new, 0 gone)"
    );
    assert_eq!(
        said(|around| around.holds[0].state = Holding::Taking),
        "holds (1 new, 1 gone)",
        "what is only asked for is no cut"
    );
    let mut vote = around();
    vote.needs[0].votes = 0;
    let mut changed = state();
    let edited = Head::IncidentChanged { severity: None, tlp: Some(Tlp::Red) };
    changed.apply(&Event::new(edited, actor("ben")), AT).unwrap();
    let after = Briefing::of(&changed, vote).value();
    let said = Differences::between(&before.value(), &after).to_string();
    assert_eq!(said, "needs (1 new, 1 gone), tlp");
    assert_eq!(Differences::between(&after, &after).to_string(), "");
}

/// The same incident, in which a hook proposes a playbook so many minutes later, for each of these.
pub(crate) fn proposed(texts: &[(i64, &str)]) -> IncidentState {
    let mut state = state();
    for (minute, text) in texts {
        let head = Head::PlaybookProposed { playbook: "contain".parse().unwrap() };
        let at = Millis::new(AT.get() + minute * 60_000);
        state.apply(&Event::new(head, actor("hook-edr")).text(*text), at).unwrap();
    }
    state
}

#[test]
fn a_proposal_is_open_until_its_playbook_is_started_or_the_incident_is_closed() {
    let mut state = proposed(&[(1, "pc-1"), (2, "pc-2"), (3, "pc-1")]);
    let open = |state: &IncidentState, started: &[(&str, i64)]| {
        let at = |(name, minute): &(&str, i64)| {
            ((*name).to_owned(), Millis::new(AT.get() + minute * 60_000))
        };
        let around = Around { started: started.iter().map(at).collect(), ..around() };
        let open = Briefing::of(state, around).proposals;
        open.into_iter().map(|one| one.text).collect::<Vec<_>>()
    };
    assert_eq!(open(&state, &[]), ["pc-2", "pc-1"], "each once, by when it was said last");
    assert_eq!(open(&state, &[("contain", 0), ("other", 9)]), ["pc-2", "pc-1"]);
    assert_eq!(open(&state, &[("contain", 2)]), ["pc-1"]);
    assert_eq!(open(&state, &[("contain", 3)]), [""; 0]);
    let read: Briefing = serde_json::from_value(Briefing::of(&state, around()).value()).unwrap();
    assert_eq!(read, Briefing::of(&state, around()));
    state.apply(&Event::new(Head::IncidentClosed, actor("carla")), AT).unwrap();
    assert_eq!(open(&state, &[]), [""; 0]);
    let many: Vec<String> = (0..30).map(|number| format!("pc-{number}")).collect();
    let many: Vec<(i64, &str)> = many.iter().map(|text| (1, text.as_str())).collect();
    assert_eq!(open(&proposed(&many), &[]).len(), 10, "a sender in a loop fills no page");
}
