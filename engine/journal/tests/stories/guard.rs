//! Guards: what must be true in the transaction.

use beistand_core::entry::StreamKind;
use beistand_core::model::{Limits, Mode, NeedId, Path, digest_of_bytes};
use beistand_core::run::NeedKind;
use beistand_journal::{
    AppendError, Appended, Change, Guard, Hold, HoldKey, HoldState, LimitKind, Need, Next, Once,
    Refusal, Strike, TargetCount, TargetUse, To,
};

use super::{Place, at, entry, incident_id, new_run, opened, put_run, run_id};

fn refusal(result: Result<Appended, AppendError>) -> Refusal {
    match result {
        Err(AppendError::Refused(refusal)) => refusal,
        other => panic!("{other:?}"),
    }
}

pub(crate) async fn one_start_key_gives_one_run(place: Place) {
    let journal = place.open(0).await;
    let start = |number| {
        let mut run = super::run(number);
        run.start_key = Some("monday".to_owned());
        entry(new_run(number), 0)
            .guard(Guard::StartKeyFree { key: "monday".to_owned() })
            .change(Change::PutRun(Box::new(run)))
    };
    journal.append(start(1)).await.unwrap();
    let refused = refusal(journal.append(start(2)).await);
    assert_eq!(refused, Refusal::Started { run: run_id(1) });
    let found = journal.reader().run_by_start_key("monday").await.unwrap().unwrap();
    assert_eq!(found.id, run_id(1));
    journal.close(at(1)).await.unwrap();
}

fn need() -> Need {
    Need {
        id: NeedId::new(1, &[1; 10]),
        run: Some(run_id(1)),
        root: Some(run_id(1)),
        incident: incident_id(1),
        mode: Mode::Live,
        kind: NeedKind::Approval,
        step: Some("contain[1]/cut".parse().unwrap()),
        group: None,
        role: None,
        organisation: None,
        digest: Some(digest_of_bytes(b"effect")),
        since: at(1),
        until: None,
        escalated_at: None,
        closed_at: None,
        body: "{}".to_owned(),
    }
}

pub(crate) async fn a_need_is_answered_once(place: Place) {
    let journal = place.open(0).await;
    let lease = opened(&journal, 1).await;
    let ask = entry(To::Lease(lease), 1).change(Change::PutNeed(Box::new(need())));
    journal.append(ask).await.unwrap();
    let id = need().id;
    let vote = |number, digest: &[u8]| {
        let digest = Some(digest_of_bytes(digest));
        entry(new_run(number), 2)
            .guard(Guard::NeedOpen { need: id, digest })
            .change(Change::CloseNeed { need: id, at: at(2) })
    };
    let refused = refusal(journal.append(vote(50, b"another effect")).await);
    assert_eq!(refused, Refusal::NeedChanged { need: id });
    // Twenty people answer at once: one is heard.
    let mut running = tokio::task::JoinSet::new();
    for number in 2..22 {
        let (journal, vote) = (journal.clone(), vote(number, b"effect"));
        running.spawn(async move { journal.append(vote).await });
    }
    let mut heard = 0;
    while let Some(result) = running.join_next().await {
        match result.unwrap() {
            Ok(_) => heard += 1,
            Err(error) => {
                assert_eq!(refusal(Err(error)), Refusal::NeedClosed { need: id });
            }
        }
    }
    assert_eq!(heard, 1);
    let kept = journal.reader().need(id).await.unwrap().unwrap();
    assert_eq!(kept, Need { closed_at: Some(at(2)), ..need() });
    journal.close(at(3)).await.unwrap();
}

fn key(run: u64) -> HoldKey {
    HoldKey {
        mode: Mode::Live,
        target: "host:pc-17".to_owned(),
        effect: "network.isolate".to_owned(),
        connector: "core-router".parse().unwrap(),
        run: run_id(run),
        path: "cut".parse().unwrap(),
    }
}

fn hold(run: u64, state: HoldState) -> Change {
    Change::PutHold(Box::new(Hold {
        key: key(run),
        state,
        since: at(1),
        organisation: None,
        body: r#"{"previous":"open"}"#.to_owned(),
    }))
}

pub(crate) async fn holds_follow_each_other(place: Place) {
    let journal = place.open(0).await;
    let mut one = opened(&journal, 1).await;
    let mut two = opened(&journal, 2).await;
    let path: Path = "cut".parse().unwrap();
    let free = |run| Guard::TargetFree { hold: key(run) };
    let unheld = |run| Guard::NotHeld { hold: key(run) };

    let take = entry(To::Lease(one), 1).guard(free(1)).guard(unheld(1));
    one = journal.append(take.change(hold(1, HoldState::Taking))).await.unwrap().lease;
    let early = entry(To::Lease(two.clone()), 1).guard(free(2));
    let busy = Refusal::TargetBusy { run: run_id(1), path: path.clone() };
    assert_eq!(refusal(journal.append(early).await), busy);
    // Its own row is in nobody's way.
    let taken = entry(To::Lease(one), 2).guard(free(1)).change(hold(1, HoldState::Held));
    one = journal.append(taken).await.unwrap().lease;

    let send = entry(To::Lease(two.clone()), 3).guard(free(2)).guard(unheld(2));
    let held = Refusal::AlreadyHeld { run: run_id(1), path };
    assert_eq!(refusal(journal.append(send).await), held);
    let join = entry(To::Lease(two), 3).guard(Guard::Held { hold: key(2) });
    two = journal.append(join.change(hold(2, HoldState::Held))).await.unwrap().lease;

    let release = entry(To::Lease(one.clone()), 4).guard(Guard::LastHold { hold: key(1) });
    assert!(matches!(refusal(journal.append(release).await), Refusal::AlreadyHeld { .. }));
    let leave = entry(To::Lease(one), 4).change(Change::RemoveHold(key(1)));
    journal.append(leave).await.unwrap();
    let holds = journal.reader().holds(Some("host:pc-17")).await.unwrap();
    assert_eq!(holds.iter().map(|hold| hold.key.run).collect::<Vec<_>>(), [run_id(2)]);
    assert_eq!(holds[0].body, r#"{"previous":"open"}"#);
    let alone = entry(To::Lease(two.clone()), 5).guard(Guard::Held { hold: key(2) });
    assert_eq!(refusal(journal.append(alone).await), Refusal::NotHeld);
    let last = entry(To::Lease(two), 5).guard(Guard::LastHold { hold: key(2) });
    journal.append(last.change(hold(2, HoldState::Releasing))).await.unwrap();
    assert_eq!(journal.reader().holds(None).await.unwrap()[0].state, HoldState::Releasing);
    journal.close(at(3)).await.unwrap();
}

pub(crate) async fn limits_count_distinct_targets(place: Place) {
    let journal = place.open(0).await;
    let mut lease = opened(&journal, 1).await;
    let touch = |run: u64, names: &[&str], now: i64, mode: Mode| {
        let stadt = Some("stadt-a".parse().unwrap());
        let names: Vec<String> = names.iter().map(|name| format!("host:{name}")).collect();
        let targets = names
            .iter()
            .map(|name| TargetCount { target: name.clone(), organisation: stadt.clone() })
            .collect();
        let limits = Limits {
            targets_per_run: Some(3),
            targets_per_hour: Some(4),
            targets_per_organisation: Some(4),
        };
        let since = at(now - 100);
        let guard = Guard::DistinctTargets { mode, run: run_id(run), since, limits, targets };
        let used = names.into_iter().map(move |target| {
            let organisation = stadt.clone();
            Change::UseTarget(TargetUse {
                mode,
                run: run_id(run),
                target,
                organisation,
                at: at(now),
            })
        });
        (guard, used.collect::<Vec<_>>())
    };
    for (names, now) in [(&["a", "b"][..], 1), (&["b", "c"][..], 2)] {
        let (guard, used) = touch(1, names, now, Mode::Live);
        let mut append = entry(To::Lease(lease), now).guard(guard);
        append.changes = used;
        lease = journal.append(append).await.unwrap().lease;
    }
    let over = |kind, limit, wanted| Refusal::Limit { kind, limit, wanted };
    let (guard, _) = touch(1, &["d"], 3, Mode::Live);
    let refused = refusal(journal.append(entry(To::Lease(lease.clone()), 3).guard(guard)).await);
    assert_eq!(refused, over(LimitKind::Run, 3, 4));
    let (guard, _) = touch(2, &["d", "e"], 3, Mode::Live);
    let refused = refusal(journal.append(entry(To::Lease(lease.clone()), 3).guard(guard)).await);
    assert_eq!(refused, over(LimitKind::Hour, 4, 5));
    // A target that was touched before counts once; drills do not count; an hour later all is new.
    for (names, now, mode) in [
        (&["a", "b"][..], 3, Mode::Live),
        (&["x", "y"], 3, Mode::Drill),
        (&["f", "g"], 150, Mode::Live),
    ] {
        let (guard, _) = touch(2, names, now, mode);
        lease = journal.append(entry(To::Lease(lease), now).guard(guard)).await.unwrap().lease;
    }
    journal.close(at(3)).await.unwrap();
}

pub(crate) async fn what_was_written_meanwhile_is_noticed(place: Place) {
    let journal = place.open(0).await;
    let id = incident_id(1).to_string();
    let new = To::New { kind: StreamKind::Incident, id: id.clone() };
    journal.append(entry(new, 0).next(Next::Release { due: None })).await.unwrap();
    let write = |seq: u64, now: i64| {
        let to = To::End { kind: StreamKind::Incident, id: id.clone() };
        let guard = Guard::StreamAt { kind: StreamKind::Incident, id: id.clone(), seq };
        entry(to, now).guard(guard)
    };
    let newest = journal.reader().newest(StreamKind::Incident, &id).await.unwrap();
    assert_eq!(newest, 1);
    // Who looked at the same state and writes at the same time: one is heard.
    let (one, other) = tokio::join!(journal.append(write(1, 1)), journal.append(write(1, 2)));
    assert_ne!(one.is_ok(), other.is_ok());
    assert_eq!(refusal(journal.append(write(1, 3)).await), Refusal::StreamMoved { seq: 2 });
    journal.append(write(2, 4)).await.unwrap();
    // Elsewhere something may be written meanwhile, and what is not there has no entry.
    let elsewhere = |seq| {
        let kind = StreamKind::Incident;
        let guard = Guard::StreamAt { kind, id: incident_id(2).to_string(), seq };
        entry(new_run(9), 5).guard(guard)
    };
    assert_eq!(refusal(journal.append(elsewhere(1)).await), Refusal::StreamMoved { seq: 0 });
    journal.append(elsewhere(0)).await.unwrap();
    assert_eq!(journal.reader().newest(StreamKind::Incident, &id).await.unwrap(), 3);
    journal.close(at(6)).await.unwrap();
}

pub(crate) async fn a_cut_in_parts_is_counted_as_one(place: Place) {
    let journal = place.open(0).await;
    let mut lease = opened(&journal, 1).await;
    let strikes = |root: u64, names: &[&str], votes: u32| -> Vec<Strike> {
        let strike = |name: &&str| Strike {
            root: run_id(root),
            action: "network.isolate".parse().unwrap(),
            target: format!("host:{name}"),
            run: run_id(1),
            votes,
        };
        names.iter().map(strike).collect()
    };
    let carry = |strikes: Vec<Strike>, most| Guard::VotesCarry { strikes, most };
    for (names, votes) in [(&["a", "b"][..], 1), (&["c"][..], 2), (&["a", "c"][..], 1)] {
        let these = strikes(1, names, votes);
        let mut append = entry(To::Lease(lease), 1).guard(carry(these.clone(), 3));
        append.changes = these.into_iter().map(Change::Strike).collect();
        lease = journal.append(append).await.unwrap().lease;
    }
    let known = entry(To::Lease(lease), 1).change(put_run(1));
    lease = journal.append(known).await.unwrap().lease;
    let mut tried = Vec::new();
    // Who came first stays: `c` was let through by two, and is none of those of one.
    for (root, names, votes) in
        [(1, &["d"][..], 1), (1, &["d", "e"][..], 1), (1, &["d"][..], 2), (2, &["d", "e"][..], 1)]
    {
        let guard = carry(strikes(root, names, votes), 3);
        let append = entry(To::Lease(lease.clone()), 2).guard(guard);
        match journal.append(append).await {
            Ok(appended) => {
                lease = appended.lease;
                tried.push(None);
            }
            refused => tried.push(Some(refusal(refused))),
        }
    }
    let over = |votes| Some(Refusal::Votes { votes, most: 3, wanted: 4 });
    assert_eq!(tried, [None, over(1), over(2), None]);
    let read = journal.reader().strikes().await.unwrap();
    assert_eq!(read.iter().map(|strike| strike.votes).collect::<Vec<_>>(), [1, 1, 2]);
    journal.close(at(3)).await.unwrap();
}

pub(crate) async fn what_is_done_once_is_done_once(place: Place) {
    let journal = place.open(0).await;
    let once = |run, targets: &[u8]| Once {
        incident: incident_id(1),
        key: digest_of_bytes(targets),
        run: run_id(run),
        path: "report".parse().unwrap(),
    };
    let report = |run, targets: &[u8]| {
        entry(new_run(run), 0)
            .guard(Guard::OncePerIncident { once: once(run, targets) })
            .change(Change::Once(once(run, targets)))
    };
    journal.append(report(1, b"authority")).await.unwrap();
    let refused = refusal(journal.append(report(2, b"authority")).await);
    assert_eq!(refused, Refusal::DoneBefore { run: run_id(1) });
    journal.append(report(2, b"another authority")).await.unwrap();
    let kept: Vec<_> = journal.reader().once().await.unwrap();
    assert_eq!(kept, [once(1, b"authority"), once(2, b"another authority")]);
    // Its own claim is in nobody's way, and another one's can not be given up.
    let again = entry(new_run(3), 1).guard(Guard::OncePerIncident { once: once(1, b"authority") });
    journal.append(again.change(Change::NotOnce(once(3, b"authority")))).await.unwrap();
    assert_eq!(refusal(journal.append(report(4, b"authority")).await), refused);
    journal
        .append(entry(new_run(5), 2).change(Change::NotOnce(once(1, b"authority"))))
        .await
        .unwrap();
    journal.append(report(6, b"authority")).await.unwrap();
    journal.close(at(3)).await.unwrap();
}
