//! Reading for others: what a list holds for whom, how far a run has come, what was written since.

use std::collections::{BTreeMap, BTreeSet};

use beistand_core::entry::StreamKind;
use beistand_core::model::{IncidentId, Mode, NeedId, Role, RunId, Tlp};
use beistand_core::run::NeedKind;
use beistand_core::timeline::Scope;
use beistand_journal::{
    Below, Change, Hold, HoldKey, HoldState, Incident, Journal, Need, NeedFilter, Page, Run,
    RunFilter, To,
};

use super::{Place, at, entry, incident_id, new_run, opened, put_run, run, run_id};

fn incident(number: u64, tlp: Tlp) -> Incident {
    Incident {
        id: incident_id(number),
        number: format!("SIT-2026-000{number}"),
        mode: Mode::Live,
        title: "Dateien verschlüsselt".to_owned(),
        severity: 3.try_into().unwrap(),
        tlp,
        organisation: None,
        opened_at: at(0),
        closed_at: None,
        body: "{}".to_owned(),
    }
}

fn of_incident(number: u64) -> Run {
    Run { incident: incident_id(number), ..run(number) }
}

fn need(number: u64) -> Need {
    Need {
        id: NeedId::new(number, &[u8::try_from(number).unwrap(); 10]),
        run: Some(run_id(number)),
        root: Some(run_id(number)),
        incident: incident_id(number),
        mode: Mode::Live,
        kind: NeedKind::Task,
        step: None,
        group: None,
        role: Some(Role::Responder),
        organisation: None,
        digest: None,
        since: at(0),
        until: None,
        escalated_at: None,
        closed_at: None,
        body: "{}".to_owned(),
    }
}

fn hold(number: u64) -> Hold {
    let key = HoldKey {
        mode: Mode::Live,
        target: format!("host:pc-{number}"),
        effect: "network.isolate".to_owned(),
        connector: "core-router".parse().unwrap(),
        run: run_id(number),
        path: "cut".parse().unwrap(),
    };
    let body = "{}".to_owned();
    Hold { key, state: HoldState::Held, since: at(0), organisation: None, body }
}

/// What a scope sees in each of the lists: numbers of incidents.
async fn seen(journal: &Journal, eyes: &Scope) -> Vec<u64> {
    let reader = journal.reader();
    let numbers = |ids: BTreeSet<IncidentId>| -> Vec<u64> {
        (1..=4).filter(|number| ids.contains(&incident_id(*number))).collect()
    };
    let page = Page::first(10);
    let incidents = reader.incidents_seen(page, Some(eyes)).await.unwrap();
    let incidents = numbers(incidents.into_iter().map(|(_, one)| one.id).collect());
    let filter = RunFilter { eyes: Some(eyes.clone()), ..RunFilter::default() };
    let runs = reader.runs(&filter, page).await.unwrap();
    let runs = numbers(runs.into_iter().map(|(_, one)| one.incident).collect());
    let filter = NeedFilter { eyes: Some(eyes.clone()), ..NeedFilter::default() };
    let needs = reader.needs(&filter).await.unwrap();
    let needs = numbers(needs.into_iter().map(|one| one.incident).collect());
    let holds: BTreeSet<RunId> =
        reader.holds_seen(eyes).await.unwrap().into_iter().map(|one| one.key.run).collect();
    let holds: Vec<u64> = (1..=4).filter(|number| holds.contains(&run_id(*number))).collect();
    assert_eq!(runs, incidents);
    assert_eq!(needs, incidents);
    assert_eq!(holds, incidents);
    incidents
}

pub(crate) async fn lists_hold_what_may_be_seen(place: Place) {
    let journal = place.open(0).await;
    let link = |number: u64, organisation: &str| Change::LinkOrganisation {
        incident: incident_id(number),
        organisation: organisation.parse().unwrap(),
    };
    let concerned = [
        (1, Tlp::Amber, vec!["stadt-a", "stadt-b"]),
        (2, Tlp::Amber, vec!["stadt-b"]),
        (3, Tlp::Red, vec!["stadt-a"]),
        (4, Tlp::Clear, vec![]),
    ];
    for (number, tlp, organisations) in concerned {
        let mut all = entry(new_run(number), 0);
        all.changes = vec![
            Change::PutIncident(Box::new(incident(number, tlp))),
            Change::PutRun(Box::new(of_incident(number))),
            Change::PutNeed(Box::new(need(number))),
            Change::PutHold(Box::new(hold(number))),
        ];
        all.changes.extend(organisations.into_iter().map(|name| link(number, name)));
        journal.append(all).await.unwrap();
    }
    let of = |organisations: &[&str], tlp| Scope {
        organisations: Some(organisations.iter().map(|name| name.parse().unwrap()).collect()),
        tlp,
        ..Scope::ALL
    };
    assert_eq!(seen(&journal, &Scope::ALL).await, [1, 2, 3, 4]);
    assert_eq!(seen(&journal, &Scope { tlp: Tlp::Amber, ..Scope::ALL }).await, [1, 2, 4]);
    assert_eq!(seen(&journal, &of(&["stadt-a"], Tlp::Red)).await, [1, 3]);
    assert_eq!(seen(&journal, &of(&["stadt-a"], Tlp::Amber)).await, [1]);
    assert_eq!(seen(&journal, &of(&["stadt-a", "stadt-b"], Tlp::Red)).await, [1, 2, 3]);
    assert_eq!(seen(&journal, &of(&["' or 1 = 1 --"], Tlp::Red)).await, Vec::<u64>::new());
    let whole = Scope { incidents: [incident_id(2), incident_id(3)].into(), ..Scope::NOTHING };
    assert_eq!(seen(&journal, &whole).await, Vec::<u64>::new(), "marked too high");
    let whole = Scope { tlp: Tlp::Amber, ..whole };
    assert_eq!(seen(&journal, &whole).await, [2]);
    assert_eq!(seen(&journal, &Scope::NOTHING).await, Vec::<u64>::new());
    journal.close(at(1)).await.unwrap();
}

pub(crate) async fn open_needs_are_read_page_by_page_to_the_last(place: Place) {
    let journal = place.open(0).await;
    for number in 1..=7 {
        let mut all = entry(new_run(number), 0);
        let role = (number != 3).then_some(Role::Responder);
        let put = Need { role, ..need(number) };
        all.changes = vec![put_run(number), Change::PutNeed(Box::new(put))];
        journal.append(all).await.unwrap();
    }
    let closed = NeedId::new(5, &[5; 10]);
    let close = Change::CloseNeed { need: closed, at: at(1) };
    journal.append(entry(new_run(8), 1).change(put_run(8)).change(close)).await.unwrap();
    let (reader, mut after, mut read) = (journal.reader(), i64::MIN, Vec::new());
    loop {
        let page = reader.open_needs(after, 2).await.unwrap();
        assert!(page.len() <= 2);
        let Some((last, _)) = page.last() else { break };
        after = *last;
        read.extend(page.into_iter().map(|(_, need)| need.id));
    }
    let wanted = [1, 2, 4, 6, 7].map(|number: u8| NeedId::new(number.into(), &[number; 10]));
    assert_eq!(read, wanted, "what asks no role calls nobody");
    journal.close(at(1)).await.unwrap();
}

pub(crate) async fn how_far_runs_have_come_is_asked_without_their_entries(place: Place) {
    let journal = place.open(0).await;
    let reader = journal.reader();
    let changes = journal.run_changes();
    // Somebody else may write a store of PostgreSQL.
    assert_eq!(changes.is_some(), place.is_sqlite());
    let changes = |number| changes.as_ref().map(|changes| changes.of(run_id(number)));
    let top = journal.append(entry(new_run(1), 0).change(put_run(1))).await.unwrap().lease;
    let version = reader.run_version(run_id(1)).await.unwrap().unwrap();
    assert_eq!((&version.stream, version.head, version.children), (top.stream(), top.head(), 0));
    assert_eq!(reader.head(top.stream()).await.unwrap(), top.head());
    assert_eq!(reader.below(run_id(1)).await.unwrap(), Below::default());
    assert_eq!(reader.run_version(run_id(9)).await.unwrap(), None);
    // 1 called 2 and 3, 3 called 4.
    let mut leases = BTreeMap::new();
    for (number, parent) in [(2, 1), (3, 1), (4, 3)] {
        let mut row = run(number);
        row.parent = Some((run_id(parent), "sub".parse().unwrap()));
        row.root = run_id(1);
        let append = entry(new_run(number), 1).change(Change::PutRun(Box::new(row)));
        let before = changes(parent);
        leases.insert(number, journal.append(append).await.unwrap().lease);
        assert!(before.is_none() || before < changes(parent), "{parent} called {number}");
    }
    assert_eq!(reader.run_version(run_id(1)).await.unwrap().unwrap().children, 2);
    assert_eq!(reader.below(run_id(1)).await.unwrap(), Below { runs: 3, entries: 3 });
    let lease = leases.remove(&4).unwrap();
    let before = (changes(4), changes(1));
    let lease = journal.append(entry(To::Lease(lease), 2)).await.unwrap().lease;
    let version = reader.run_version(run_id(4)).await.unwrap().unwrap();
    assert_eq!((version.head, lease.head().seq), (lease.head(), 2));
    let after = (changes(4), changes(1));
    assert!(before.0.is_none() || before.0 < after.0 && before.1 == after.1, "an entry in 4");
    assert_eq!(reader.below(run_id(1)).await.unwrap(), Below { runs: 3, entries: 4 });
    assert_eq!(reader.below(run_id(3)).await.unwrap(), Below { runs: 1, entries: 2 });
    journal.close(at(3)).await.unwrap();
}

/// Appenders, and appends of each.
const WRITERS: u64 = 24;
const APPENDS: u64 = 20;

pub(crate) async fn nothing_is_committed_before_where_a_reader_of_the_feed_is(place: Place) {
    let journal = place.open(0).await;
    let reader = journal.reader().clone();
    let began = reader.feed_end().await.unwrap();
    let mut running = tokio::task::JoinSet::new();
    for number in 1..=WRITERS {
        let journal = journal.clone();
        running.spawn(async move {
            let mut lease = opened(&journal, number).await;
            for now in 1..APPENDS {
                // Alone, in a batch with others, and with a question in the transaction.
                let mut append = entry(To::Lease(lease), i64::try_from(now).unwrap());
                if now % 3 == 0 {
                    append = append.change(put_run(number));
                }
                lease = journal.append(append).await.unwrap().lease;
            }
        });
    }
    let mut read: Vec<(i64, String, u64)> = Vec::new();
    let mut after = began;
    let all = usize::try_from(WRITERS * APPENDS).unwrap();
    while read.len() < all {
        let page = reader.feed(after, None, 7).await.unwrap();
        // What is seen by now was there when the page ended, and nothing comes in before it.
        for fed in page {
            assert!(fed.no > after);
            assert_eq!(fed.kind, StreamKind::Run);
            after = fed.no;
            read.push((fed.no, fed.id, fed.seq));
        }
        tokio::task::yield_now().await;
    }
    while let Some(done) = running.join_next().await {
        done.unwrap();
    }
    let whole = reader.feed(began, None, 10_000).await.unwrap();
    let whole: Vec<(i64, String, u64)> =
        whole.into_iter().map(|fed| (fed.no, fed.id, fed.seq)).collect();
    assert_eq!(read, whole, "whoever followed read the same as who reads it afterwards");
    assert_eq!(reader.feed_end().await.unwrap(), after);
    let stream = reader.stream(StreamKind::Run, &run_id(3).to_string()).await.unwrap().unwrap();
    let one = reader.feed(began, Some(&stream), 10_000).await.unwrap();
    assert_eq!(
        one.iter().map(|fed| fed.seq).collect::<Vec<_>>(),
        (1..=APPENDS).collect::<Vec<_>>()
    );
    let rest = reader.feed(one[4].no, Some(&stream), 3).await.unwrap();
    assert_eq!(rest.as_slice(), &one[5..8]);
    journal.close(at(1)).await.unwrap();
}
