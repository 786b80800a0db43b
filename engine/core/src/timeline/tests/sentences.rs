//! Every event has a sentence, in every language.

use std::collections::BTreeSet;

use super::*;
use crate::access::{AccountKind, Changed, CredentialKind, Grant};
use crate::incident::{AssetState, store};
use crate::model::{
    AccountName, ConnectorName, ErrorKind, IdempotencyKey, NeedId, Organisation, Reached, Role,
    Severity, Span, Tlp,
};
use crate::on_call::{CallOutEnd, CallOutStep};
use crate::run::{
    AnswerKind, AttemptEnd, Earlier, NeedKind, ProbeEnd, RunEnd, Section, StepEnd, Successor,
};

const TEXT: &str = "playbook: night\nlanguage: 1\ntitle: A bad night\nsteps:\n\
    - id: cut\n  title: Cut it off\n  call: network.isolate\n  with: { host: pc-1 }\n";

const CUT: &str = "cut";

fn need() -> NeedId {
    NeedId::new(1, &[1; 10])
}

fn at() -> Millis {
    Millis::new(START.get() + 90_000)
}

fn successor() -> Successor {
    Successor {
        run: run_id(2),
        playbook: "sub".parse().unwrap(),
        digest: Digest::ZERO,
        sources: Digest::ZERO,
        by_hand_ok: false,
        by: actor("ben"),
    }
}

/// Each kind of event of a run, and where a sentence has several forms, each form.
fn heads() -> Vec<Head> {
    let mut heads = vec![
        Head::DeadlineSet { path: path(CUT), at: at(), every: Span::from_secs(60) },
        Head::DeadlinePassed { path: path(CUT), role: Role::Deputy },
        Head::BlockStarted { path: path(CUT) },
        Head::CaseChosen { path: path(CUT), case: Some(0) },
        Head::CaseChosen { path: path(CUT), case: None },
        Head::ListFixed { path: path(CUT), count: 1 },
        Head::ListFixed { path: path(CUT), count: 2 },
        Head::ItemsStarted { path: path(CUT), from: 0, to: 1 },
        Head::ItemsStarted { path: path(CUT), from: 0, to: 20 },
        Head::RoundStarted { path: path(CUT), index: 0 },
        Head::ReadStarted { path: path(CUT) },
        Head::PreviousRead { path: path(CUT) },
        Head::AttemptStarted(intent(CUT, "network.isolate", 2)),
        Head::AttemptResumed { path: path(CUT) },
        Head::RetryScheduled { path: path(CUT), at: at() },
        Head::ProbeScheduled { path: path(CUT), at: at() },
        Head::ProbeStarted { path: path(CUT) },
        Head::DoneByHand { path: path(CUT) },
        Head::AlreadyHeld {
            intent: intent(CUT, "network.isolate", 0),
            run: run_id(2),
            by: path(CUT),
        },
        Head::TakenOver {
            intent: intent(CUT, "network.isolate", 0),
            run: run_id(2),
            reached: None,
            by_hand: false,
        },
        Head::Superseding { next: Box::new(successor()) },
        Head::GaveWay,
        Head::TimerSet { path: path(CUT), at: at() },
        Head::SignalAwaited { path: path(CUT), name: "clear".to_owned() },
        Head::SignalReceived { name: "clear".to_owned(), key: "k".to_owned(), by: actor("ben") },
        Head::SignalTaken { path: path(CUT), name: "clear".to_owned() },
        Head::Voted { need: need(), by: actor("ben") },
        Head::NeedVoid { need: need() },
        Head::NeedEscalated { need: need(), role: Role::Commander },
        Head::ApprovalVoid { path: path(CUT) },
        Head::ChildOpened { path: path(CUT), run: run_id(2), playbook: "sub".parse().unwrap() },
        Head::Noted { path: path(CUT) },
        Head::AlwaysStarted { path: path(CUT), end: StepEnd::Failed, error: None, handled: false },
        Head::StepReopened { path: path(CUT), renew: false },
        Head::StepReopened { path: path(CUT), renew: true },
        Head::BlockStopped { path: path(CUT) },
        Head::Restored { epoch: "00".repeat(16) },
        Head::Paused { by: actor("ben"), with_caller: false },
        Head::Unpaused { by: actor("ben") },
        Head::UndoRequested { by: Some(actor("ben")), step: None, paths: vec![path(CUT)] },
        Head::UndoRequested { by: None, step: Some(path(CUT)), paths: vec![path(CUT), path(CUT)] },
        Head::UndoStarted { path: path(CUT) },
        Head::UndoStepsStarted { path: path(CUT) },
        Head::UndoFinished { complete: true },
        Head::UndoFinished { complete: false },
    ];
    for section in [Section::Steps, Section::OnFailure, Section::Always] {
        heads.push(Head::SectionStarted { section });
    }
    heads.extend(ends());
    heads.extend(needs());
    heads
}

fn ends() -> Vec<Head> {
    let mut heads = Vec::new();
    for end in
        [AttemptEnd::Succeeded, AttemptEnd::Failed, AttemptEnd::Unknown, AttemptEnd::Withdrawn]
    {
        for reached in [None, Some(Reached::Accepted), Some(Reached::Verified)] {
            let error = (end == AttemptEnd::Failed).then_some(ErrorKind::Unavailable);
            heads.push(Head::AttemptEnded { path: path(CUT), end, error, reached });
        }
    }
    for end in [ProbeEnd::Done, ProbeEnd::NotDone, ProbeEnd::Unknown] {
        heads.push(Head::ProbeEnded { path: path(CUT), end, reached: None });
    }
    for error in ErrorKind::ALL {
        heads.push(Head::StepFailed { path: path(CUT), error: *error });
        heads.push(Head::HandlerStarted { path: path(CUT), error: *error });
    }
    for end in [StepEnd::Succeeded, StepEnd::Failed, StepEnd::Skipped, StepEnd::Cancelled] {
        for mark in [false, true] {
            let error = Some(ErrorKind::Fail);
            heads.push(Head::StepEnded {
                path: path(CUT),
                end,
                error,
                by_hand: mark,
                handled: mark,
            });
        }
    }
    for end in
        [RunEnd::Succeeded, RunEnd::Failed, RunEnd::Cancelled, RunEnd::Undone, RunEnd::Superseded]
    {
        heads.push(Head::Closing { end, by: None, error: None });
        heads.push(Head::Closing { end, by: None, error: Some(ErrorKind::Tolerance) });
        heads.push(Head::Closing { end, by: Some(actor("ben")), error: None });
        heads.push(Head::RunEnded { end });
    }
    let error = Some(ErrorKind::Denied);
    for (undone, error, still) in [
        (true, None, vec![]),
        (true, None, vec![run_id(2)]),
        (false, error, vec![]),
        (false, None, vec![]),
    ] {
        heads.push(Head::UndoEnded { path: path(CUT), undone, error, still_held_by: still });
    }
    heads
}

/// Openings of runs that belong with an earlier one.
fn linked(plan: &Plan) -> [Event; 2] {
    let earlier = Box::new(Earlier { run: run_id(2), tree: run_id(2), restored: None });
    let mut more = opened(plan, 1, &json!({}));
    let mut next = more.clone();
    if let Head::RunOpened { supersedes, .. } = &mut next.head {
        *supersedes = Some(earlier.clone());
    }
    if let Head::RunOpened { more_of, .. } = &mut more.head {
        *more_of = Some(earlier.clone());
    }
    [more, next]
}

fn needs() -> Vec<Head> {
    let mut heads = Vec::new();
    for kind in [NeedKind::Approval, NeedKind::Task, NeedKind::Decision, NeedKind::Unknown] {
        for (role, votes) in Role::ALL.iter().zip(0..) {
            heads.push(Head::NeedOpened {
                id: need(),
                kind,
                path: (votes != 1).then(|| path(CUT)),
                role: *role,
                votes,
                digest: Digest::ZERO,
                group: "g".to_owned(),
                until: None,
            });
        }
        for answer in [
            AnswerKind::Approve,
            AnswerKind::Deny,
            AnswerKind::Done,
            AnswerKind::Retry,
            AnswerKind::Skip,
            AnswerKind::ByHand,
            AnswerKind::Abort,
            AnswerKind::NotDone,
            AnswerKind::SendAgain,
        ] {
            heads.push(Head::NeedAnswered {
                need: need(),
                answer,
                by: actor("ben"),
                done_at: None,
            });
        }
    }
    heads
}

fn incident_heads() -> Vec<incident::Head> {
    let mut heads = vec![
        incident_opened().head,
        incident::Head::IncidentChanged { severity: None, tlp: None },
        incident::Head::IncidentChanged {
            severity: Some(Severity::default()),
            tlp: Some(Tlp::Green),
        },
        incident::Head::IncidentClosed,
        incident::Head::NoteAdded { happened_at: None },
        incident::Head::NoteCopied { happened_at: START, wrote: "cleo".parse().unwrap() },
        incident::Head::TurnedReal {
            incident: incident_id(),
            number: "SIT-2026-0007".parse().unwrap(),
        },
        incident::Head::PlaybookProposed { playbook: "contain".parse().unwrap() },
        incident::Head::RoleAssigned {
            role: Role::Commander,
            person: Some("ben".parse().unwrap()),
        },
        incident::Head::RoleAssigned { role: Role::Commander, person: None },
        incident::Head::CommandOffered { to: "dora".parse().unwrap(), briefing: Digest::ZERO },
        incident::Head::OfferWithdrawn,
        incident::Head::CommandTaken { briefing: Digest::ZERO },
        incident::Head::OrganisationLinked,
        incident::Head::EvidenceAdded { digest: Digest::ZERO, bytes: 7 },
        called_out(CallOutStep::Opened, 1),
        called_out(CallOutStep::Escalated, 3),
        incident::Head::IncidentOpened {
            incident: incident_id(),
            number: "SIT-UEB-2026-0001".parse().unwrap(),
            mode: Mode::Drill,
            severity: Severity::try_from(4).unwrap(),
            tlp: Tlp::AmberStrict,
            drill: None,
        },
    ];
    let line = crate::model::LineId::new(EntryId::new(1, &[3; 10]), 2);
    let happened_at = Some(START);
    heads.extend([
        incident::Head::LineCorrected { line, happened_at },
        incident::Head::LineStarred { line },
        incident::Head::StarRemoved { line },
        incident::Head::StoryTold { line, happened_at, place: Some(1) },
        incident::Head::StoryLeftOut { line },
    ]);
    for state in AssetState::ALL {
        heads.push(incident::Head::AssetChanged { kind: TargetKind::Link, state: *state });
    }
    for end in CallOutEnd::ALL {
        heads.push(incident::Head::CallOutEnded { key: call_out_key(), end: *end });
    }
    heads
}

fn call_out_key() -> IdempotencyKey {
    "00".repeat(16).try_into().unwrap()
}

fn called_out(step: CallOutStep, needs: usize) -> incident::Head {
    let (person, role) = ("ben".parse().unwrap(), Role::Commander);
    let needs = vec![need(); needs];
    incident::Head::CalledOut { key: call_out_key(), needs, person, role, step }
}

fn store_heads() -> Vec<store::Head> {
    let connector: ConnectorName = "relay".parse().unwrap();
    vec![
        store::Head::Stopped,
        store::Head::GoneOn,
        store::Head::Restored { epoch: "00".repeat(16), voided: None },
        store::Head::Restored { epoch: "00".repeat(16), voided: Some(0) },
        store::Head::Restored { epoch: "00".repeat(16), voided: Some(21) },
        store::Head::ConnectorPaused { connector: connector.clone() },
        store::Head::ConnectorUnpaused { connector },
        store::Head::BackupMade { digest: None },
        store::Head::Sealed { streams: 1 },
        store::Head::Sealed { streams: 5 },
    ]
    .into_iter()
    .chain(changes().into_iter().map(|change| store::Head::AccessChanged { change }))
    .collect()
}

fn changes() -> Vec<Changed> {
    let account: AccountName = "anna.admin".parse().unwrap();
    let mut changes = vec![
        Changed::AccountLocked { account: account.clone() },
        Changed::AccountUnlocked { account: account.clone() },
        Changed::BreakGlassUsed { account: account.clone() },
        Changed::Refused { act: "approve".to_owned(), about: None },
        Changed::Refused { act: "undo".to_owned(), about: Some("a run".to_owned()) },
    ];
    for kind in AccountKind::ALL {
        let (account, person) = (account.clone(), "anna".parse().unwrap());
        changes.push(Changed::AccountMade { account, kind: *kind, person });
    }
    for kind in CredentialKind::ALL {
        let (account, credential, kind) = (account.clone(), "c-7".to_owned(), *kind);
        changes.push(Changed::CredentialAdded {
            account: account.clone(),
            credential: credential.clone(),
            kind,
        });
        changes.push(Changed::CredentialRemoved { account, credential, kind });
    }
    for reach in ["instance", "organisation:Stadt Hagen"] {
        for until in [None, Some(START)] {
            let (person, reach) = ("anna".parse().unwrap(), reach.parse().unwrap());
            let grant = Grant { person, role: Role::Commander, reach, until };
            changes.push(Changed::Granted { grant: grant.clone() });
            changes.push(Changed::Revoked { grant });
        }
    }
    changes
}

/// All of them as one store's journal, with and without values.
fn journal(plan: &Plan) -> Vec<Recorded> {
    let one = |stream: &str, seq: u64, events: Events| Recorded {
        stream: stream.to_owned(),
        seq,
        at: START,
        id: None,
        events,
    };
    let organisation: Organisation = "Stadt Hagen".parse().unwrap();
    let mut all = Vec::new();
    for (with, stream) in [(true, "1"), (false, "2")] {
        let mut events = vec![opened(plan, 1, &json!({}))];
        events.extend(linked(plan));
        let target = host("pc-1", None);
        events.extend(heads().into_iter().flat_map(|head| {
            let mut event = Event::new(head);
            if with {
                event = event.text("because");
            }
            // A target, so that what was sent is known where an attempt ends.
            if let Head::AttemptStarted(_) | Head::AlreadyHeld { .. } = event.head {
                event.body.targets = vec![target.clone()];
            }
            [event]
        }));
        all.push(one(&format!("run:{stream}"), 1, Events::Run(events)));
        let events = incident_heads().into_iter().map(|head| {
            let event = incident::Event::new(head, actor("ben")).of(Some(organisation.clone()));
            if with { event.text("because").named("pc-1") } else { event }
        });
        all.push(one(&format!("incident:{stream}"), 1, Events::Incident(events.collect())));
        let events = store_heads().into_iter().map(|head| {
            let event = store::Event::new(head, with.then(|| actor("ben")));
            if with { event.text("because") } else { event }
        });
        all.push(one(&format!("store:{stream}"), 1, Events::Store(events.collect())));
    }
    all
}

/// The tags of a vocabulary, as its source declares them.
fn declared(source: &str) -> usize {
    let head = source.split("pub enum Head {").nth(1).unwrap().split("\n}\n").next().unwrap();
    let variants = head.lines().filter_map(|line| line.strip_prefix("    "));
    variants.filter(|line| line.starts_with(char::is_uppercase)).count()
}

#[test]
fn every_event_is_in_the_tables_of_these_tests() {
    let tag = |head: Value| head["k"].as_str().unwrap().to_owned();
    let mut tags: BTreeSet<String> = heads().iter().map(|head| tag(json!(head))).collect();
    tags.insert("run-opened".to_owned());
    assert_eq!(tags.len(), declared(include_str!("../../run/event/head.rs")));
    let tags: BTreeSet<String> = incident_heads().iter().map(|head| tag(json!(head))).collect();
    assert_eq!(tags.len(), declared(include_str!("../../incident/event.rs")));
    let tags: BTreeSet<String> = store_heads().iter().map(|head| tag(json!(head))).collect();
    assert_eq!(tags.len(), declared(include_str!("../../incident/store.rs")));
}

#[test]
fn the_word_of_a_line_is_the_tag_in_the_journal() {
    for head in heads() {
        assert_eq!(json!(class::of_run(&head).kind), json!(head)["k"]);
    }
    for head in incident_heads() {
        assert_eq!(json!(class::of_incident(&head).kind), json!(head)["k"]);
    }
    for head in store_heads() {
        assert_eq!(json!(class::of_store(&head).kind), json!(head)["k"]);
    }
}

#[test]
fn every_event_is_a_sentence_in_both_languages() {
    let plan = plan(TEXT);
    let journal = journal(&plan);
    for lang in [Lang::De, Lang::En] {
        for known in [true, false] {
            let plans = if known { plans(&[&plan]) } else { BTreeMap::new() };
            let lines = timeline(&journal, &plans, &Scope::ALL, lang);
            assert!(lines.len() > 2 * (heads().len() + incident_heads().len()));
            for line in lines {
                let text = &line.text;
                let odd = ["{", "}", "Some(", "None", "\"", "::", "  ", " ,", "()"];
                assert!(!odd.iter().any(|odd| text.contains(odd)), "{text}");
                assert!(
                    !text.ends_with(['.', ':', ',', ' ']) && !text.starts_with([':', ' ', ',']),
                    "{text}"
                );
                assert!(line.kind == "noted" || text.contains(' '), "{text}");
            }
        }
    }
}

#[test]
fn a_german_sentence_is_not_the_english_one() {
    let plan = plan(TEXT);
    let journal = journal(&plan);
    let told = |lang| timeline(&journal, &plans(&[&plan]), &Scope::ALL, lang);
    let same: Vec<String> = told(Lang::De)
        .into_iter()
        .zip(told(Lang::En))
        .filter(|(de, en)| de.text == en.text && de.kind != "noted" && de.kind != "note-added")
        .map(|(de, _)| de.text)
        .collect();
    assert_eq!(same, Vec::<String>::new());
}
