//! Every event comes back from its bytes as it was, with and without its values.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::super::event::{
    Actor, AnswerKind, AttemptEnd, Earlier, Head, Intent, NeedKind, Parent, ProbeEnd, RunEnd,
    Section, StepEnd, Successor, UndoCall,
};
use super::super::world::Chance;
use super::*;
use crate::model::{
    Digest, Direction, EffectClass, ErrorKind, IdempotencyKey, IncidentId, Inventory, Millis, Mode,
    NeedId, Path, Reached, Role, RunId, Span, StoreId, TargetKind,
};

const ROUNDS: usize = 200;

fn chance(seed: u8) -> Chance {
    Chance::new([seed; 32])
}

fn path(chance: &mut Chance) -> Path {
    let path = Path::root().child("contain").at(chance.below(1_000));
    path.child(if chance.below(2) == 0 { "cut" } else { "on_error" })
}

fn run(chance: &mut Chance) -> RunId {
    chance.run_id(Millis::new(1_700_000_000_000))
}

fn at(chance: &mut Chance) -> Millis {
    Millis::new(1_700_000_000_000 + i64::try_from(chance.below(1_000_000)).unwrap())
}

fn need(chance: &mut Chance) -> NeedId {
    chance.need_id(Millis::new(1_700_000_000_000))
}

fn actor(chance: &mut Chance) -> Actor {
    Actor { asserted: chance.below(2) == 0, ..Actor::program("anna".parse().unwrap()) }
}

fn maybe<T>(chance: &mut Chance, make: impl FnOnce(&mut Chance) -> T) -> Option<T> {
    if chance.below(2) == 0 { Some(make(chance)) } else { None }
}

fn digest(chance: &mut Chance) -> Digest {
    let mut bytes = [0; 32];
    bytes[..10].copy_from_slice(&chance.ten());
    Digest::from_bytes(bytes)
}

fn error(chance: &mut Chance) -> ErrorKind {
    ErrorKind::ALL[usize::try_from(chance.below(ErrorKind::ALL.len() as u64)).unwrap()]
}

fn intent(chance: &mut Chance) -> Intent {
    let path = path(chance);
    let store = StoreId::new(1, &chance.ten());
    Intent {
        key: IdempotencyKey::new(store, run(chance), &path, Direction::Do, 0),
        path,
        direction: if chance.below(2) == 0 { Direction::Do } else { Direction::Undo },
        generation: u32::try_from(chance.below(3)).unwrap(),
        attempt: u32::try_from(chance.below(9)).unwrap(),
        connector: maybe(chance, |_| "core-router".parse().unwrap()),
        action: "network.isolate".parse().unwrap(),
        class: EffectClass::Checkable,
        settle: Span::from_millis(chance.below(2) * 1_500),
        timeout: Span::from_secs(30),
        destructive: chance.below(2) == 0,
        effect: maybe(chance, digest),
    }
}

/// A value as steps give them: nested, with null, text beyond ASCII and numbers of both kinds.
fn value(chance: &mut Chance, depth: u32) -> Value {
    match chance.below(if depth == 0 { 6 } else { 8 }) {
        0 => Value::Null,
        1 => json!(chance.below(2) == 0),
        2 => json!(i64::try_from(chance.below(1 << 53)).unwrap() - (1 << 52)),
        3 => {
            let digits = u32::try_from(chance.below(1 << 32)).unwrap();
            json!(
                f64::from(digits) / 7.0
                    * 10_f64.powi(i32::try_from(chance.below(40)).unwrap() - 20)
            )
        }
        4 => json!("Grüße\n\"\u{1}\u{2028}€"),
        5 => json!(""),
        6 => (0..chance.below(4)).map(|_| value(chance, depth - 1)).collect(),
        _ => (0..chance.below(4))
            .map(|number| (format!("k{number}"), value(chance, depth - 1)))
            .collect::<Map<_, _>>()
            .into(),
    }
}

fn body(chance: &mut Chance) -> Body {
    let target = Inventory::of_names().resolve(TargetKind::Host, "192.0.2.7").unwrap();
    let boxed = |chance: &mut Chance| Arc::new(value(chance, 3));
    Body {
        value: maybe(chance, boxed),
        text: maybe(chance, |_| "ein Satz".to_owned()),
        targets: maybe(chance, |_| target).into_iter().collect(),
        previous: maybe(chance, boxed),
        undo: maybe(chance, |chance| {
            let action = "network.release".parse().unwrap();
            Arc::new(UndoCall { action, arguments: value(chance, 2) })
        }),
        form: maybe(chance, boxed),
    }
}

fn earlier(c: &mut Chance) -> Earlier {
    Earlier { run: run(c), tree: run(c), restored: maybe(c, |_| "00".repeat(16)) }
}

fn successor(c: &mut Chance) -> Successor {
    Successor {
        run: run(c),
        playbook: "contain".parse().unwrap(),
        digest: digest(c),
        sources: digest(c),
        by_hand_ok: c.below(2) == 0,
        by: actor(c),
    }
}

/// One head of each kind.
fn heads(c: &mut Chance) -> Vec<Head> {
    let opened = Head::RunOpened {
        run: run(c),
        playbook: "contain".parse().unwrap(),
        digest: digest(c),
        language: 1,
        mode: Mode::Live,
        incident: IncidentId::new(7, &c.ten()),
        by: actor(c),
        by_hand_ok: true,
        parent: maybe(c, |c| Parent {
            run: run(c),
            path: path(c),
            root: run(c),
            generation: 2,
            restored: None,
            tree: maybe(c, run),
        }),
        more_of: maybe(c, |c| Box::new(earlier(c))),
        supersedes: maybe(c, |c| Box::new(earlier(c))),
        trace: maybe(c, |_| "00-4bf9-00f0-01".to_owned()),
    };
    let mut heads = vec![opened, Head::SectionStarted { section: Section::OnFailure }];
    heads.extend(block_heads(c));
    heads.extend(attempt_heads(c));
    heads.extend(people_heads(c));
    heads.extend(end_heads(c));
    heads
}

fn block_heads(c: &mut Chance) -> Vec<Head> {
    vec![
        Head::DeadlineSet { path: path(c), at: at(c), every: Span::from_secs(c.below(90)) },
        Head::DeadlinePassed { path: path(c), role: Role::Commander },
        Head::BlockStarted { path: path(c) },
        Head::CaseChosen { path: path(c), case: maybe(c, |_| 1) },
        Head::ListFixed { path: path(c), count: c.below(9) },
        Head::ItemsStarted { path: path(c), from: 0, to: c.below(9) },
        Head::RoundStarted { path: path(c), index: c.below(9) },
        Head::HandlerStarted { path: path(c), error: error(c) },
        Head::AlwaysStarted {
            path: path(c),
            end: StepEnd::Failed,
            error: maybe(c, error),
            handled: c.below(2) == 0,
        },
        Head::BlockStopped { path: path(c) },
        Head::TimerSet { path: path(c), at: at(c) },
        Head::ChildOpened { path: path(c), run: run(c), playbook: "sub".parse().unwrap() },
        Head::Noted { path: path(c) },
    ]
}

fn attempt_heads(c: &mut Chance) -> Vec<Head> {
    vec![
        Head::ReadStarted { path: path(c) },
        Head::PreviousRead { path: path(c) },
        Head::AttemptStarted(intent(c)),
        Head::AttemptResumed { path: path(c) },
        Head::AttemptEnded {
            path: path(c),
            end: AttemptEnd::Unknown,
            error: maybe(c, error),
            reached: maybe(c, |_| Reached::Verified),
        },
        Head::RetryScheduled { path: path(c), at: at(c) },
        Head::ProbeScheduled { path: path(c), at: at(c) },
        Head::ProbeStarted { path: path(c) },
        Head::ProbeEnded { path: path(c), end: ProbeEnd::NotDone, reached: None },
        Head::DoneByHand { path: path(c) },
        Head::AlreadyHeld { intent: intent(c), run: run(c), by: path(c) },
        Head::TakenOver {
            intent: intent(c),
            run: run(c),
            reached: maybe(c, |_| Reached::Verified),
            by_hand: c.below(2) == 0,
        },
        Head::Superseding { next: Box::new(successor(c)) },
        Head::GaveWay,
    ]
}

fn people_heads(c: &mut Chance) -> Vec<Head> {
    vec![
        Head::SignalAwaited { path: path(c), name: "all clear".to_owned() },
        Head::SignalReceived { name: "all clear".to_owned(), key: "k".to_owned(), by: actor(c) },
        Head::SignalTaken { path: path(c), name: "all clear".to_owned() },
        Head::NeedOpened {
            id: need(c),
            kind: NeedKind::Approval,
            path: maybe(c, path),
            role: Role::Dpo,
            votes: u32::try_from(c.below(3)).unwrap(),
            digest: digest(c),
            group: "g".to_owned(),
            until: maybe(c, at),
        },
        Head::Voted { need: need(c), by: actor(c) },
        Head::NeedAnswered {
            need: need(c),
            answer: AnswerKind::ByHand,
            by: actor(c),
            done_at: maybe(c, at),
        },
        Head::NeedVoid { need: need(c) },
        Head::NeedEscalated { need: need(c), role: Role::Deputy },
        Head::ApprovalVoid { path: path(c) },
        Head::Restored { epoch: "00".repeat(16) },
        Head::Paused { by: actor(c), with_caller: true },
        Head::Unpaused { by: actor(c) },
    ]
}

fn end_heads(c: &mut Chance) -> Vec<Head> {
    vec![
        Head::StepFailed { path: path(c), error: error(c) },
        Head::StepEnded {
            path: path(c),
            end: StepEnd::Skipped,
            error: maybe(c, error),
            by_hand: c.below(2) == 0,
            handled: c.below(2) == 0,
        },
        Head::StepReopened { path: path(c), renew: c.below(2) == 0 },
        Head::Closing { end: RunEnd::Failed, by: maybe(c, actor), error: maybe(c, error) },
        Head::UndoRequested {
            by: maybe(c, actor),
            step: maybe(c, path),
            paths: vec![path(c), path(c)],
        },
        Head::UndoStarted { path: path(c) },
        Head::UndoStepsStarted { path: path(c) },
        Head::UndoEnded {
            path: path(c),
            undone: c.below(2) == 0,
            error: maybe(c, error),
            still_held_by: maybe(c, run).into_iter().collect(),
        },
        Head::UndoFinished { complete: c.below(2) == 0 },
        Head::RunEnded { end: RunEnd::Succeeded },
    ]
}

fn events(chance: &mut Chance) -> Vec<Event> {
    let heads = heads(chance);
    heads
        .into_iter()
        .map(|head| Event {
            head,
            organisation: maybe(chance, |_| "Stadt Hagen".parse().unwrap()),
            body: maybe(chance, body).unwrap_or_default(),
        })
        .collect()
}

#[test]
fn every_kind_of_event_comes_back_as_it_was() {
    let mut chance = chance(1);
    for _ in 0..ROUNDS {
        let events = events(&mut chance);
        let id = EntryId::new(9, &chance.ten());
        let (head, body) = encode(id, &events);
        assert_eq!(decode(&head, body.as_deref()).unwrap(), (id, events));
    }
}

#[test]
fn the_table_of_this_test_has_every_kind() {
    let tags: BTreeSet<String> = heads(&mut chance(2))
        .iter()
        .map(|head| serde_json::to_value(head).unwrap()["k"].as_str().unwrap().to_owned())
        .collect();
    let source = include_str!("../event/head.rs");
    let declared = source.split("pub enum Head {").nth(1).unwrap().split("\n}\n").next().unwrap();
    let variants = declared.lines().filter(|line| {
        line.strip_prefix("    ").is_some_and(|line| line.starts_with(char::is_uppercase))
    });
    assert_eq!(tags.len(), variants.count());
}

#[test]
fn an_erased_body_leaves_the_heads() {
    let events = events(&mut chance(3));
    let (head, body) = encode(EntryId::new(9, &[1; 10]), &events);
    assert!(body.is_some());
    let (_, bare) = decode(&head, None).unwrap();
    let heads: Vec<Event> =
        events.into_iter().map(|event| Event { body: Body::default(), ..event }).collect();
    assert_eq!(bare, heads);
}

#[test]
fn no_value_stands_in_a_head() {
    let secret = "s3cr3t-value";
    let head = Head::Noted { path: Path::root().child("a") };
    let mut event = Event::new(head).value(json!({"x": secret})).text(secret);
    event.body.previous = Some(Arc::new(json!(secret)));
    event.body.form = Some(Arc::new(json!(secret)));
    let (head, body) = encode(EntryId::new(9, &[1; 10]), &[event]);
    assert!(!String::from_utf8(head).unwrap().contains(secret));
    assert!(String::from_utf8(body.unwrap()).unwrap().contains(secret));
}

#[test]
fn events_without_values_have_no_body() {
    let event = Event::new(Head::Noted { path: Path::root().child("a") });
    assert_eq!(encode(EntryId::new(9, &[1; 10]), &[event]).1, None);
}

#[test]
fn a_body_of_other_events_is_a_contradiction() {
    let event = Event::new(Head::Noted { path: Path::root().child("a") }).text("x");
    let (head, _) = encode(EntryId::new(9, &[1; 10]), std::slice::from_ref(&event));
    let (_, two) = encode(EntryId::new(9, &[1; 10]), &[event.clone(), event]);
    assert!(decode(&head, two.as_deref()).is_err());
    assert!(decode(b"{}", None).is_err());
}
