//! Nobody is called twice without proof, nobody is forgotten, and a storm is one mail a minute.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::call_outs::{CALLED_MAX, LOST_AFTER};
use super::*;
use crate::incident::{Event, Head};
use crate::model::{IncidentId, Millis, Mode, NeedId, Person, Role, Span, StoreId};
use crate::run::Actor;

const START: Millis = Millis::new(1_700_000_000_000);

fn store() -> StoreId {
    StoreId::new(0, &[0; 10])
}

fn person(name: &str) -> Person {
    name.parse().unwrap()
}

fn need(number: u8) -> NeedId {
    NeedId::new(1, &[number; 10])
}

fn incident(number: u8) -> IncidentId {
    IncidentId::new(1, &[number; 10])
}

fn shift(role: Role, name: &str) -> Shift {
    let mail = vec![format!("{name}@example.org")];
    Shift { role, person: person(name), from: None, until: None, mail, telephone: None }
}

fn roster() -> Roster {
    Roster::new(vec![
        shift(Role::Commander, "anna"),
        shift(Role::Deputy, "dora"),
        shift(Role::Commander, "ben"),
        Shift { mail: Vec::new(), ..shift(Role::Commander, "carl") },
    ])
}

fn waiting(number: u8, since: Millis) -> Waiting {
    Waiting {
        need: need(number),
        incident: incident(1),
        mode: Mode::Live,
        role: Role::Commander,
        since,
        escalated: None,
    }
}

fn event(head: Head) -> Event {
    Event::new(head, Actor::program(person("beistand")))
}

/// The world around the plan: it writes down what is wanted, and what became of it.
#[derive(Default)]
struct Desk {
    calls: BTreeMap<IncidentId, CallOuts>,
    now: Span,
    restored_at: Option<Millis>,
}

impl Desk {
    fn at(&mut self, seconds: u64) -> &mut Self {
        self.now = Span::from_secs(seconds);
        self
    }
    fn instant(&self) -> Millis {
        START.plus(self.now)
    }
    fn wanted(&self, waiting: &[Waiting], roster: &Roster) -> Vec<Wanted> {
        let (now, restored_at) = (self.instant(), self.restored_at);
        let mut calls = self.calls.clone();
        for one in waiting {
            calls.entry(one.incident).or_default();
        }
        called(store(), waiting, (roster, &calls), (now, restored_at))
    }
    /// Calls who is wanted; all calls end alike.
    fn call(&mut self, waiting: &[Waiting], end: Option<CallOutEnd>) -> Vec<String> {
        let wanted = self.wanted(waiting, &roster());
        let now = self.instant();
        for one in &wanted {
            let Wanted { key, person, .. } = one;
            let (key, of) = (*key, |part: &WantedPart| part.incident);
            for WantedPart { incident, role, step, needs } in one.parts.clone() {
                let head = Head::CalledOut { key, needs, person: person.clone(), role, step };
                self.calls.entry(incident).or_default().apply(&event(head), now);
            }
            let Some(end) = end else { continue };
            for incident in one.parts.iter().map(of).collect::<BTreeSet<_>>() {
                let ended = event(Head::CallOutEnded { key, end });
                self.calls.entry(incident).or_default().apply(&ended, now);
            }
        }
        wanted.iter().map(|one| format!("{} {}", one.person, count(one))).collect()
    }
    /// Every call of the first incident.
    fn all(&self) -> Vec<CallOut> {
        self.calls.get(&incident(1)).map(|calls| calls.all().to_vec()).unwrap_or_default()
    }
}

fn count(one: &Wanted) -> usize {
    one.parts.iter().map(|part| part.needs.len()).sum()
}

#[test]
fn whoever_is_on_call_is_called_once_and_the_deputy_when_it_is_escalated() {
    let mut desk = Desk::default();
    let mut open = vec![waiting(1, START)];
    assert!(desk.at(4).call(&open, None).is_empty(), "others may open in this moment");
    assert_eq!(desk.at(5).call(&open, Some(CallOutEnd::Sent)), ["anna 1", "ben 1"]);
    assert!(desk.at(3_600).call(&open, None).is_empty());
    open[0].escalated = Some((START.plus(Span::from_secs(3_600)), Role::Deputy));
    assert!(desk.at(3_602).call(&open, None).is_empty());
    assert_eq!(desk.at(3_605).call(&open, Some(CallOutEnd::Sent)), ["dora 1"]);
    assert!(desk.at(9_999).call(&open, None).is_empty());
    assert_eq!(desk.all().last().unwrap().step, CallOutStep::Escalated);
}

#[test]
fn what_opens_within_a_moment_is_one_mail_and_a_storm_is_one_a_minute() {
    let mut desk = Desk::default();
    let mut open = vec![waiting(1, START), waiting(2, START.plus(Span::from_secs(4)))];
    assert_eq!(desk.at(5).call(&open, Some(CallOutEnd::Sent)), ["anna 2", "ben 2"]);
    let mut mails = 0;
    for second in 6..126 {
        let number = u8::try_from(second).unwrap();
        open.push(waiting(number, START.plus(Span::from_secs(second))));
        mails += desk.at(second).call(&open, Some(CallOutEnd::Sent)).len();
    }
    assert_eq!(mails, 4, "two people, two minutes");
    assert_eq!(desk.all().last().unwrap().needs.len(), 60);
}

#[test]
fn what_waits_in_many_incidents_is_one_mail_to_each_person() {
    let mut desk = Desk::default();
    let mut open = Vec::new();
    for number in 1..40 {
        open.push(Waiting { incident: incident(number), ..waiting(number, START) });
    }
    assert_eq!(desk.at(5).call(&open, Some(CallOutEnd::Sent)), ["anna 39", "ben 39"]);
    let keys: BTreeSet<_> =
        desk.calls.values().flat_map(CallOuts::all).map(|call| call.key).collect();
    assert_eq!((desk.calls.len(), keys.len()), (39, 2), "each incident knows of it");
    assert!(desk.calls.values().all(|calls| calls.all().iter().all(|call| call.end.is_some())));
    // Another incident's waits for the same minute.
    let later = Waiting { incident: incident(77), ..waiting(77, START.plus(Span::from_secs(6))) };
    open.push(later);
    assert!(desk.at(64).call(&open, None).is_empty());
    assert_eq!(desk.at(65).call(&open, Some(CallOutEnd::Sent)), ["anna 1", "ben 1"]);
}

#[test]
fn a_storm_of_what_opens_keeps_nothing_that_is_escalated_and_a_drill_delays_no_real_call() {
    let both = Roster::new(vec![shift(Role::Commander, "anna"), shift(Role::Deputy, "anna")]);
    let mut desk = Desk::default();
    let escalated = Waiting {
        escalated: Some((START.plus(Span::from_secs(30)), Role::Deputy)),
        ..waiting(1, START)
    };
    let open = [waiting(2, START.plus(Span::from_secs(40))), escalated];
    let wanted = desk.at(100).wanted(&open, &both);
    assert_eq!(wanted.len(), 1);
    let steps: Vec<_> = wanted[0].parts.iter().map(|part| (part.step, part.role)).collect();
    let wanted_steps =
        [(CallOutStep::Escalated, Role::Deputy), (CallOutStep::Opened, Role::Commander)];
    assert_eq!(steps, wanted_steps);

    let mut desk = Desk::default();
    let drill = Waiting { mode: Mode::Drill, incident: incident(2), ..waiting(3, START) };
    let opened = event(Head::IncidentOpened {
        incident: incident(2),
        number: "SIT-UEB-2026-0001".parse().unwrap(),
        mode: Mode::Drill,
        severity: crate::model::Severity::default(),
        tlp: crate::model::Tlp::Amber,
        drill: None,
    });
    desk.calls.entry(incident(2)).or_default().apply(&opened, START);
    let mut open = vec![drill];
    assert_eq!(desk.at(5).call(&open, Some(CallOutEnd::Sent)).len(), 2);
    open.push(waiting(4, START.plus(Span::from_secs(6))));
    let wanted = desk.at(12).wanted(&open, &roster());
    assert_eq!((wanted.len(), wanted[0].mode, count(&wanted[0])), (2, Mode::Live, 1));
}

#[test]
fn a_call_without_a_known_end_is_never_made_again_and_the_next_of_the_chain_is_called_all_the_same()
{
    for end in [None, Some(CallOutEnd::Unknown), Some(CallOutEnd::Refused)] {
        let mut desk = Desk::default();
        let mut open = vec![waiting(1, START)];
        assert_eq!(desk.at(5).call(&open, end).len(), 2);
        assert!(desk.at(86_400).call(&open, end).is_empty(), "{end:?}");
        open[0].escalated = Some((START.plus(Span::from_secs(900)), Role::Deputy));
        assert_eq!(desk.at(86_400).call(&open, end), ["dora 1"]);
    }
}

#[test]
fn what_surely_was_not_sent_is_tried_again_later_and_later_and_not_for_ever() {
    let mut desk = Desk::default();
    let open = vec![waiting(1, START)];
    let mut tried = Vec::new();
    for second in 0..86_400 {
        if !desk.at(second).call(&open, Some(CallOutEnd::Unavailable)).is_empty() {
            tried.push(second);
        }
    }
    let waits: Vec<u64> = tried.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert_eq!(waits[..6], [60, 120, 240, 480, 900, 900]);
    assert_eq!(tried.len(), usize::try_from(CALLED_MAX).unwrap());
    let keys: BTreeSet<String> = desk.all().iter().map(|call| call.key.to_string()).collect();
    assert_eq!(keys.len(), 2, "it is the same mail each time");
}

#[test]
fn a_call_of_which_nothing_is_heard_is_lost_and_what_came_late_is_believed() {
    let mut desk = Desk::default();
    desk.at(5).call(&[waiting(1, START)], None);
    let lost =
        |desk: &Desk, at| desk.calls.values().flat_map(|one| one.lost(at)).collect::<Vec<_>>();
    assert_eq!(lost(&desk, desk.instant()), []);
    let later = desk.instant().plus(LOST_AFTER);
    let keys = lost(&desk, later);
    assert_eq!(keys.len(), 2);
    assert!(!desk.calls[&incident(1)].is_past(later));
    for end in [CallOutEnd::Unknown, CallOutEnd::Sent] {
        let ended = event(Head::CallOutEnded { key: keys[0], end }).text("why");
        desk.calls.entry(incident(1)).or_default().apply(&ended, later);
        let call = desk.all().into_iter().find(|call| call.key == keys[0]).unwrap();
        assert_eq!((call.end, call.message.as_str()), (Some((end, later)), "why"));
    }
    assert_eq!(lost(&desk, later), [keys[1]]);
}

#[test]
fn what_the_instance_before_a_restore_may_have_sent_is_not_sent_again() {
    let mut desk = Desk { restored_at: Some(START.plus(Span::from_secs(60))), ..Desk::default() };
    let mut open = vec![waiting(1, START), waiting(2, START.plus(Span::from_secs(61)))];
    assert_eq!(desk.at(99).call(&open, Some(CallOutEnd::Sent)), ["anna 1", "ben 1"]);
    assert_eq!(desk.all()[0].needs, [need(2)]);
    open[0].escalated = Some((START.plus(Span::from_secs(900)), Role::Deputy));
    assert_eq!(desk.at(999).call(&open, Some(CallOutEnd::Sent)), ["dora 1"]);
}

#[test]
fn in_an_incident_of_which_nothing_is_known_nobody_is_called_twice_by_guess() {
    let times = (START.plus(Span::from_secs(60)), None);
    let nothing = BTreeMap::new();
    assert_eq!(called(store(), &[waiting(1, START)], (&roster(), &nothing), times), []);
}

#[test]
fn whose_shift_begins_is_called_to_what_still_waits() {
    let desk = Desk { now: Span::from_secs(100), ..Desk::default() };
    let early =
        Shift { until: Some(START.plus(Span::from_secs(50))), ..shift(Role::Commander, "anna") };
    let late =
        Shift { from: Some(START.plus(Span::from_secs(50))), ..shift(Role::Commander, "ben") };
    let roster = Roster::new(vec![early, late]);
    let wanted = desk.wanted(&[waiting(1, START)], &roster);
    assert_eq!(wanted.len(), 1);
    assert_eq!(wanted[0].person, person("ben"));
    let at = |seconds| roster.at(Role::Commander, START.plus(Span::from_secs(seconds))).count();
    assert_eq!((at(49), at(50), at(51)), (1, 1, 1));
}

#[test]
fn instants_are_read_as_people_write_them() {
    let read = |text: &str| instant(text).map(|at| at.to_string());
    for (text, meant) in [
        ("2026-11-23T08:00:00+01:00", "2026-11-23T07:00:00.000Z"),
        ("2026-11-23 08:00", "2026-11-23T07:00:00.000Z"),
        ("2026-07-01", "2026-06-30T22:00:00.000Z"),
        ("2026-10-25 02:30", "2026-10-25T00:30:00.000Z"),
    ] {
        assert_eq!(read(text).as_deref(), Some(meant), "{text}");
    }
    for text in ["", "8:00", "monday", "2026-13-01", "23.11.2026"] {
        assert_eq!(read(text), None, "{text}");
    }
}

proptest! {
    /// Whatever happens to the calls and whenever it is looked: each person is called to each thing
    /// once for each step, but where it is sure that nothing went out; and never by two mails at once.
    #[test]
    fn nobody_is_called_twice_without_proof(
        opened in proptest::collection::vec((0_u64..600, proptest::option::of(0_u64..900)), 1..12),
        looks in proptest::collection::vec((1_u64..90, 0_usize..5), 1..60),
    ) {
        let mut desk = Desk::default();
        let mut sure: BTreeMap<(NeedId, CallOutStep, Person), bool> = BTreeMap::new();
        let mut now = 0;
        for (after, end) in looks {
            now += after;
            desk.at(now);
            let open: Vec<Waiting> = opened.iter().zip(1_u8..).filter(|((since, _), _)| *since <= now)
                .map(|((since, escalated), number)| Waiting {
                    incident: incident(number % 3),
                    escalated: escalated.map(|after| since + after).filter(|at| *at <= now)
                        .map(|at| (START.plus(Span::from_secs(at)), Role::Deputy)),
                    ..waiting(number, START.plus(Span::from_secs(*since)))
                })
                .collect();
            let wanted = desk.wanted(&open, &roster());
            let people: BTreeSet<&Person> = wanted.iter().map(|one| &one.person).collect();
            prop_assert_eq!(people.len(), wanted.len());
            let end = CallOutEnd::ALL.get(end).copied();
            for one in &wanted {
                for (part, need) in one.parts.iter().flat_map(|part| part.needs.iter().map(move |need| (part, need))) {
                    let before = sure.insert(
                        (*need, part.step, one.person.clone()),
                        end == Some(CallOutEnd::Unavailable),
                    );
                    prop_assert!(before.unwrap_or(true), "{} twice to {need}", one.person);
                }
            }
            desk.call(&open, end);
        }
    }
}
