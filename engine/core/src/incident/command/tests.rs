//! Command goes to who was asked, and who saw how things stand.

use super::super::Briefing;
use super::super::briefing::tests::{AT, around, state};
use super::*;

fn actor(name: &str) -> Actor {
    Actor::asserted(name.parse().unwrap())
}

fn to(name: &str) -> Handover {
    Handover::Offer { to: name.parse().unwrap(), note: "Der Router schweigt".to_owned() }
}

/// What the act gives with the current briefing; the state follows.
fn act(state: &mut IncidentState, act: Handover, by: &str) -> Result<Option<Event>, Stays> {
    let briefing = Briefing::of(state, around());
    let current = (&briefing.value(), briefing.digest().unwrap());
    let event = state.hand_over(act, current, &actor(by))?;
    if let Some(event) = &event {
        state.apply(event, AT).unwrap();
    }
    Ok(event)
}

fn digest(state: &IncidentState) -> Digest {
    Briefing::of(state, around()).digest().unwrap()
}

#[test]
fn who_was_asked_takes_command_of_what_they_saw() {
    let mut state = state();
    let event = act(&mut state, to("dora"), "carla").unwrap().unwrap();
    assert_eq!(event.body.text.as_deref(), Some("Der Router schweigt"));
    assert_eq!(state.offer_note.as_deref(), Some("Der Router schweigt"));
    let offer = state.offer.clone().unwrap();
    assert_eq!(
        (offer.to.as_str(), offer.by.as_str(), offer.digest),
        ("dora", "carla", digest(&state))
    );
    assert_eq!(state.roles[&Role::Commander].as_str(), "carla", "until it is accepted");
    assert_eq!(act(&mut state, to("dora"), "carla"), Ok(None), "it is offered already");

    let accept = Handover::Accept { digest: digest(&state) };
    let taken = act(&mut state, accept, "dora").unwrap().unwrap();
    assert_eq!(taken.body.briefing, None, "the offer has it");
    assert_eq!((state.roles[&Role::Commander].as_str(), &state.offer), ("dora", &None));
}

#[test]
fn nobody_else_offers_accepts_or_withdraws() {
    let mut state = state();
    let accept = |state: &IncidentState| Handover::Accept { digest: digest(state) };
    let number = state.number.clone();
    let carla = || "carla".parse().unwrap();
    assert_eq!(act(&mut state, to("dora"), "ben"), Err(Stays::Others(carla())));
    assert_eq!(act(&mut state, to("carla"), "carla"), Err(Stays::Theirs(carla())));
    let early = accept(&state);
    assert_eq!(act(&mut state, early, "dora"), Err(Stays::NotOffered(number.clone())));
    act(&mut state, to("dora"), "carla").unwrap();
    let others = accept(&state);
    let dora = Stays::ToAnother("dora".parse().unwrap());
    assert_eq!(act(&mut state, others, "ben"), Err(dora));
    assert_eq!(act(&mut state, Handover::Withdraw, "dora"), Err(Stays::ByAnother(carla())));
    act(&mut state, Handover::Withdraw, "carla").unwrap().unwrap();
    let late = accept(&state);
    assert_eq!(act(&mut state, late, "dora"), Err(Stays::NotOffered(number.clone())));

    state.roles.clear();
    assert_eq!(act(&mut state, to("dora"), "carla"), Err(Stays::Nobodys(number.clone())));
    state.apply(&Event::new(Head::IncidentClosed, actor("anna")), AT).unwrap();
    assert_eq!(act(&mut state, to("dora"), "carla"), Err(Stays::Closed(number)));
}

#[test]
fn what_changed_since_the_offer_must_be_seen_and_is_said() {
    let mut state = state();
    act(&mut state, to("dora"), "carla").unwrap();
    let offered = digest(&state);
    let note = Event::new(Head::NoteAdded { happened_at: None }, actor("ben")).text("Strom weg");
    state.apply(&note, AT).unwrap();
    let current = digest(&state);
    let refused = act(&mut state, Handover::Accept { digest: offered }, "dora").unwrap_err();
    let since_offer = "notes (1 new, 0 gone)".to_owned();
    assert_eq!(refused, Stays::Changed { current, since_offer });
    assert!(refused.to_string().ends_with("since the offer changed: notes (1 new, 0 gone)"));
    let seen = act(&mut state, Handover::Accept { digest: current }, "dora").unwrap().unwrap();
    let kept = seen.body.briefing.expect("it is not the one of the offer");
    assert!(kept.to_string().contains("Strom weg"));
}

#[test]
fn an_offer_falls_away_with_the_command_it_is_of_and_with_the_incident() {
    let given = Head::RoleAssigned { role: Role::Commander, person: Some("ben".parse().unwrap()) };
    for end in [given, Head::IncidentClosed] {
        let mut state = state();
        act(&mut state, to("dora"), "carla").unwrap();
        let deputy = Head::RoleAssigned { role: Role::Deputy, person: None };
        state.apply(&Event::new(deputy, actor("anna")), AT).unwrap();
        assert!(state.offer.is_some(), "another role is another matter");
        state.apply(&Event::new(end, actor("anna")), AT).unwrap();
        assert_eq!(state.offer, None);
    }
}

#[test]
fn entries_that_no_hand_over_writes_are_contradictions() {
    let taken = |by: &str| Event::new(Head::CommandTaken { briefing: Digest::ZERO }, actor(by));
    let mut state = state();
    assert!(state.apply(&taken("dora"), AT).is_err());
    assert!(state.apply(&Event::new(Head::OfferWithdrawn, actor("carla")), AT).is_err());
    act(&mut state, to("dora"), "carla").unwrap();
    assert!(state.apply(&taken("ben"), AT).is_err());
    assert!(state.apply(&taken("dora"), AT).is_ok());
}
