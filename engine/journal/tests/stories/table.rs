//! The tables: what was changed is read back.

use std::time::Duration;

use beistand_core::entry::StreamKind;
use beistand_core::model::{Mode, NeedId, Role, Tlp, digest_of_bytes};
use beistand_core::run::NeedKind;
use beistand_journal::{
    Asset, Change, Command, Evidence, Guard, Incident, Mailbox, Need, NeedFilter, Next, Page,
    PostError, Refusal, RunFilter, Signal, To,
};

use super::{Place, at, entry, incident_id, new_run, put_run, run, run_id};

fn need(number: u8, run: u64) -> Need {
    Need {
        id: NeedId::new(u64::from(number), &[number; 10]),
        run: Some(run_id(run)),
        root: Some(run_id(1)),
        incident: incident_id(1),
        mode: Mode::Drill,
        kind: NeedKind::Task,
        step: Some("tell/mail_staff".parse().unwrap()),
        group: Some("g".to_owned()),
        role: Some(Role::Deputy),
        organisation: Some("stadt-a".parse().unwrap()),
        digest: None,
        since: at(1),
        until: Some(at(100)),
        escalated_at: None,
        closed_at: None,
        body: r#"{"title":"Ruf an"}"#.to_owned(),
    }
}

fn incident() -> Incident {
    Incident {
        id: incident_id(1),
        number: "SIT-2026-0009".to_owned(),
        mode: Mode::Live,
        title: "Verschlüsselte Dateien 'x' \" \u{1F525}".to_owned(),
        severity: 4.try_into().unwrap(),
        tlp: Tlp::AmberStrict,
        organisation: Some("stadt-a".parse().unwrap()),
        opened_at: at(1),
        closed_at: None,
        body: r#"{"a":"\u0000"}"#.to_owned(),
    }
}

#[expect(clippy::too_many_lines, reason = "every change and every question once")]
pub(crate) async fn every_change_is_read_back(place: Place) {
    let journal = place.open(0).await;
    let reader = journal.reader().clone();
    let mut child = run(2);
    child.parent = Some((run_id(1), "restore[3]".parse().unwrap()));
    child.root = run_id(1);
    child.mode = Mode::Drill;
    child.organisation = Some("stadt-b".parse().unwrap());
    let signal = |key: &str, body: &str| Signal {
        run: run_id(1),
        name: "clean".to_owned(),
        key: key.to_owned(),
        at: at(2),
        used_at: None,
        body: body.to_owned(),
    };
    let asset = Asset {
        incident: incident_id(1),
        kind: "host".to_owned(),
        value: "pc-17".to_owned(),
        state: "suspected".to_owned(),
        organisation: None,
        at: at(1),
    };
    let evidence = Evidence {
        incident: incident_id(1),
        digest: digest_of_bytes(b"dump"),
        name: "dump.raw".to_owned(),
        organisation: None,
        by: "bernd".parse().unwrap(),
        at: at(1),
    };
    let role = |person: Option<&str>| Change::SetRole {
        incident: incident_id(1),
        role: Role::Commander,
        person: person.map(|person| person.parse().unwrap()),
    };
    let link = |name: &str| Change::LinkOrganisation {
        incident: incident_id(1),
        organisation: name.parse().unwrap(),
    };
    let mut all = entry(new_run(1), 0);
    all.guards = vec![
        Guard::NumberFree { number: incident().number },
        Guard::SignalNew { run: run_id(1), key: "k".to_owned() },
    ];
    all.changes = vec![
        put_run(1),
        Change::PutRun(Box::new(child.clone())),
        Change::Snapshot { bytes: vec![0, 255, 7] },
        Change::PutNeed(Box::new(need(1, 1))),
        Change::PutNeed(Box::new(need(2, 2))),
        Change::AddSignal(Box::new(signal("k", "1"))),
        Change::AddSignal(Box::new(signal("k", "2"))),
        Change::PutIncident(Box::new(incident())),
        role(Some("anna")),
        link("stadt-b"),
        link("stadt-a"),
        link("stadt-a"),
        Change::PutAsset(Box::new(asset.clone())),
        Change::AddEvidence(Box::new(evidence.clone())),
    ];
    let lease = journal.append(all).await.unwrap().lease;

    assert_eq!(reader.run(run_id(1)).await.unwrap(), Some(run(1)));
    let ids = |runs: Vec<(i64, beistand_journal::Run)>| {
        runs.into_iter().map(|(_, run)| run.id).collect::<Vec<_>>()
    };
    let runs = reader.runs(&RunFilter::default(), Page::first(1)).await.unwrap();
    let next = Page { cursor: Some(runs[0].0), limit: 5 };
    assert_eq!(runs[0].1, child);
    assert_eq!(ids(reader.runs(&RunFilter::default(), next).await.unwrap()), [run_id(1)]);
    let filter = RunFilter { parent: Some(run_id(1)), unfinished: true, ..Default::default() };
    assert_eq!(ids(reader.runs(&filter, Page::first(5)).await.unwrap()), [run_id(2)]);
    let text = run_id(1).to_string();
    assert_eq!(reader.runs_by_prefix(&text[..8]).await.unwrap().len(), 2);
    assert_eq!(reader.runs_by_prefix(&text).await.unwrap(), [run(1)]);
    assert!(reader.runs_by_prefix("x").await.unwrap().is_empty());
    let snapshot = reader.snapshot(lease.stream()).await.unwrap().unwrap();
    assert_eq!((snapshot.seq, snapshot.bytes.as_slice()), (1, &[0, 255, 7][..]));
    let by_root = NeedFilter { run: Some(run_id(1)), ..Default::default() };
    assert_eq!(reader.needs(&by_root).await.unwrap(), [need(1, 1), need(2, 2)]);
    let by_run = NeedFilter { run: Some(run_id(2)), ..Default::default() };
    assert_eq!(reader.needs(&by_run).await.unwrap(), [need(2, 2)]);
    let other = NeedFilter { group: Some("h".to_owned()), ..Default::default() };
    assert!(reader.needs(&other).await.unwrap().is_empty());
    let prefix = &need(2, 2).id.to_string()[..20];
    assert_eq!(reader.needs_by_prefix(prefix).await.unwrap(), [need(2, 2)]);
    assert_eq!(reader.signals(run_id(1)).await.unwrap(), [signal("k", "1")]);
    assert_eq!(reader.incident(incident_id(1)).await.unwrap(), Some(incident()));
    let by_number = reader.incident_by_number("SIT-2026-0009").await.unwrap();
    assert_eq!(by_number, Some(incident()));
    let highest = reader.incident_number("SIT-2026-").await.unwrap();
    assert_eq!(highest.as_deref(), Some("SIT-2026-0009"));
    assert_eq!(reader.incident_number("SIT-UEB-2026-").await.unwrap(), None);
    assert_eq!(reader.incidents(Page::first(9)).await.unwrap().len(), 1);
    let roles = reader.roles(incident_id(1)).await.unwrap();
    assert_eq!(roles, [(Role::Commander, "anna".parse().unwrap())]);
    let names: Vec<_> = reader.organisations(incident_id(1)).await.unwrap();
    assert_eq!(names, ["stadt-a", "stadt-b"].map(|name| name.parse().unwrap()));
    assert_eq!(reader.assets(incident_id(1)).await.unwrap(), std::slice::from_ref(&asset));
    assert_eq!(reader.evidence(incident_id(1)).await.unwrap(), [evidence]);
    let blob = journal.put_blob(b"large".to_vec()).await.unwrap();
    assert_eq!(journal.put_blob(b"large".to_vec()).await.unwrap(), blob);
    assert_eq!(reader.blob(blob).await.unwrap().as_deref(), Some(&b"large"[..]));
    assert_eq!(reader.blob(digest_of_bytes(b"other")).await.unwrap(), None);

    let mut second = entry(To::Lease(lease), 5);
    second.guards = vec![Guard::SignalNew { run: run_id(1), key: "k".to_owned() }];
    let refused = journal.append(second).await;
    assert!(matches!(refused, Err(beistand_journal::AppendError::Refused(Refusal::SignalKnown))));
    let lease = journal.claim_stream(StreamKind::Run, &text).await.unwrap();
    assert_eq!(lease, None, "it is still owned");

    every_change_is_changed_again(&place, &journal).await;
    journal.close(at(9)).await.unwrap();
}

async fn every_change_is_changed_again(place: &Place, journal: &beistand_journal::Journal) {
    let reader = journal.reader();
    let mut moved = need(1, 1);
    moved.escalated_at = Some(at(6));
    moved.body = "{}".to_owned();
    let mut closed = incident();
    closed.closed_at = Some(at(6));
    let mut again = entry(new_run(9), 6).next(Next::Release { due: None });
    again.changes = vec![
        Change::RunStatus {
            run: run_id(1),
            status: "succeeded".to_owned(),
            ended_at: Some(at(6)),
            superseded_by: Some(run_id(2)),
        },
        Change::PutNeed(Box::new(moved.clone())),
        Change::CloseNeedsOf { run: run_id(2), at: at(6) },
        Change::UseSignal { run: run_id(1), key: "k".to_owned(), at: at(6) },
        Change::PutIncident(Box::new(closed.clone())),
        Change::SetRole { incident: incident_id(1), role: Role::Commander, person: None },
        Change::EraseBody { kind: StreamKind::Run, id: run_id(1).to_string(), seq: 1 },
    ];
    journal.append(again).await.unwrap();
    let ended = reader.run(run_id(1)).await.unwrap().unwrap();
    assert_eq!((ended.status.as_str(), ended.ended_at), ("succeeded", Some(at(6))));
    assert_eq!(reader.needs(&NeedFilter::default()).await.unwrap(), [moved]);
    assert_eq!(reader.signals(run_id(1)).await.unwrap()[0].used_at, Some(at(6)));
    assert_eq!(reader.incident(incident_id(1)).await.unwrap(), Some(closed));
    assert!(reader.roles(incident_id(1)).await.unwrap().is_empty());
    let counts = reader.run_counts().await.unwrap();
    assert_eq!(counts, [("running".to_owned(), 1), ("succeeded".to_owned(), 1)]);
    let stream = reader.stream(StreamKind::Run, &run_id(1).to_string()).await.unwrap().unwrap();
    let erased = reader.entries(&stream, 0, 1).await.unwrap();
    assert!(erased[0].is_erased() && erased[0].body.is_none());
    assert!(place.directory.path().exists());
}

pub(crate) async fn a_command_is_answered_with_its_entry(place: Place) {
    let journal = place.open(0).await;
    let mut mailbox = Mailbox::open(&place.url).await.unwrap();
    let command = Command {
        id: "c-1".to_owned(),
        at: at(1),
        who: "anna".parse().unwrap(),
        target: run_id(1).to_string(),
        body: r#"{"pause":true}"#.to_owned(),
    };
    mailbox.post(&command).await.unwrap();
    mailbox.post(&command).await.unwrap();
    let waits = mailbox.answer("c-1", Duration::ZERO).await;
    assert!(matches!(waits, Err(PostError::NoAnswer(_))));
    assert_eq!(journal.reader().commands().await.unwrap(), std::slice::from_ref(&command));
    let answer = Change::AnswerCommand {
        command: "c-1".to_owned(),
        answer: r#"{"paused":true}"#.to_owned(),
        at: at(2),
    };
    journal.append(entry(new_run(1), 2).change(answer)).await.unwrap();
    let heard = mailbox.answer("c-1", Duration::from_secs(5)).await.unwrap();
    assert_eq!(heard, r#"{"paused":true}"#);
    assert!(journal.reader().commands().await.unwrap().is_empty());
    mailbox.post(&Command { id: "c-2".to_owned(), ..command }).await.unwrap();
    journal.answer("c-2", "no".to_owned(), at(3)).await.unwrap();
    assert_eq!(mailbox.answer("c-2", Duration::from_secs(5)).await.unwrap(), "no");
    journal.close(at(3)).await.unwrap();
}
