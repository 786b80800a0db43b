//! Nobody is called twice without proof, nobody is forgotten, and a storm is one mail a minute.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;
use crate::incident::{Event, Head};
use crate::model::{IncidentId, Millis, NeedId, Person, Role, Span, StoreId};
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
        incident: IncidentId::new(1, &[1; 10]),
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
    calls: CallOuts,
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
        called(store(), waiting, (roster, &self.calls), (now, restored_at))
    }
    /// Calls who is wanted; all calls end alike.
    fn call(&mut self, waiting: &[Waiting], end: Option<CallOutEnd>) -> Vec<String> {
        let wanted = self.wanted(waiting, &roster());
        let now = self.instant();
        for one in &wanted {
            let Wanted { key, needs, person, role, step, .. } = one.clone();
            self.calls.apply(&event(Head::CalledOut { key, needs, person, role, step }), now);
            if let Some(end) = end {
                self.calls.apply(&event(Head::CallOutEnded { key, end }), now);
            }
        }
        wanted.iter().map(|one| format!("{} {}", one.person, one.needs.len())).collect()
    }
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
    assert_eq!(desk.calls.all().last().unwrap().step, CallOutStep::Escalated);
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
    let last = desk.calls.all().last().unwrap();
    assert_eq!(last.needs.len(), 60);
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
    let keys: BTreeSet<String> = desk.calls.all().iter().map(|call| call.key.to_string()).collect();
    assert_eq!(keys.len(), 2, "it is the same mail each time");
}

#[test]
fn a_call_of_which_nothing_is_heard_is_lost_and_what_came_late_is_believed() {
    let mut desk = Desk::default();
    desk.at(5).call(&[waiting(1, START)], None);
    assert_eq!(desk.calls.lost(desk.instant()).count(), 0);
    let later = desk.instant().plus(LOST_AFTER);
    let lost: Vec<CallOut> = desk.calls.lost(later).cloned().collect();
    assert_eq!(lost.len(), 2);
    for end in [CallOutEnd::Unknown, CallOutEnd::Sent] {
        let ended = event(Head::CallOutEnded { key: lost[0].key, end }).text("why");
        desk.calls.apply(&ended, later);
        assert_eq!(desk.calls.all()[0].end, Some((end, later)));
    }
    assert_eq!(desk.calls.all()[0].message, "why");
    assert_eq!(desk.calls.lost(later).count(), 1);
}

#[test]
fn what_the_instance_before_a_restore_may_have_sent_is_not_sent_again() {
    let mut desk = Desk { restored_at: Some(START.plus(Span::from_secs(60))), ..Desk::default() };
    let mut open = vec![waiting(1, START), waiting(2, START.plus(Span::from_secs(61)))];
    assert_eq!(desk.at(99).call(&open, Some(CallOutEnd::Sent)), ["anna 1", "ben 1"]);
    assert_eq!(desk.calls.all()[0].needs, [need(2)]);
    open[0].escalated = Some((START.plus(Span::from_secs(900)), Role::Deputy));
    assert_eq!(desk.at(999).call(&open, Some(CallOutEnd::Sent)), ["dora 1"]);
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
                for need in &one.needs {
                    let before = sure.insert(
                        (*need, one.step, one.person.clone()),
                        end == Some(CallOutEnd::Unavailable),
                    );
                    prop_assert!(before.unwrap_or(true), "{} twice to {need}", one.person);
                }
            }
            desk.call(&open, end);
        }
    }
}
