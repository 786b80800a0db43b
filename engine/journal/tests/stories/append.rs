//! Appending: durable, chained, fenced, in batches, all or nothing.

use beistand_core::entry::StreamKind;
use beistand_core::model::Digest;
use beistand_journal::{Append, AppendError, Change, Guard, Head, To};

use super::{Place, at, entry, new_run, opened, put_run, run_id};

pub(crate) async fn an_entry_is_there_after_the_store_was_closed(place: Place) {
    let journal = place.open(0).await;
    let meta = journal.meta().clone();
    let lease = opened(&journal, 1).await;
    assert_eq!(lease.head().seq, 1);
    let lease = journal.append(entry(To::Lease(lease), 1)).await.unwrap().lease;
    let bare = Append::new(To::Lease(lease.clone()), at(2), b"{}".to_vec());
    let lease = journal.append(bare).await.unwrap().lease;
    journal.close(at(3)).await.unwrap();

    let journal = place.open(4).await;
    assert_eq!(journal.meta().store, meta.store);
    assert_eq!(journal.meta().epoch, meta.epoch);
    let stream = journal.reader().stream(StreamKind::Run, &run_id(1).to_string()).await.unwrap();
    let stream = stream.unwrap();
    assert_eq!(stream.name(), format!("run:{}", run_id(1)));
    let entries = journal.reader().entries(&stream, 0, 10).await.unwrap();
    assert_eq!(entries.iter().map(|entry| entry.seq).collect::<Vec<_>>(), [1, 2, 3]);
    assert_eq!(entries[1].body.as_deref(), Some(&br#"{"value":1}"#[..]));
    assert_eq!(entries[1].head, br#"{"kind":"test","now":1}"#);
    assert_eq!(entries[1].at, at(1));
    assert_eq!((entries[2].body.as_ref(), entries[2].body_hash), (None, Digest::ZERO));
    assert_eq!(entries[2].hash, lease.head().hash);
    assert_eq!(journal.reader().entries(&stream, 1, 1).await.unwrap(), entries[1..2]);
    journal.close(at(5)).await.unwrap();
}

pub(crate) async fn a_lease_that_was_overtaken_writes_nothing(place: Place) {
    let journal = place.open(0).await;
    let old = opened(&journal, 1).await;
    let new = journal.append(entry(To::Lease(old.clone()), 1)).await.unwrap().lease;
    let late = entry(To::Lease(old), 2).change(put_run(1));
    assert!(matches!(
        journal.append(late).await,
        Err(AppendError::LostOwnership { stream }) if stream == format!("run:{}", run_id(1))
    ));
    // The lease of an earlier owner, with the right head but an old fence.
    assert!(journal.release(new.clone(), None).await.unwrap());
    assert!(!journal.release(new.clone(), None).await.unwrap());
    let again = journal.claim_stream(StreamKind::Run, new.stream().id()).await.unwrap().unwrap();
    assert_eq!(again.head(), new.head());
    assert!(again.fence() > new.fence());
    let late = journal.append(entry(To::Lease(new), 3)).await;
    assert!(matches!(late, Err(AppendError::LostOwnership { .. })));
    let entries = journal.reader().entries(again.stream(), 0, 10).await.unwrap();
    assert_eq!(entries.len(), 2);
    assert_eq!(journal.reader().run(run_id(1)).await.unwrap(), None);
    journal.close(at(4)).await.unwrap();
}

pub(crate) async fn many_appenders_share_commits_and_lose_nothing(place: Place) {
    let journal = place.open(0).await;
    let mut running = tokio::task::JoinSet::new();
    for number in 1..=64 {
        let journal = journal.clone();
        running.spawn(async move {
            let mut lease = opened(&journal, number).await;
            for now in 1..20 {
                let before = lease.head().seq;
                lease = journal.append(entry(To::Lease(lease), now)).await.unwrap().lease;
                assert_eq!(lease.head().seq, before + 1);
            }
            lease
        });
    }
    let mut heads = Vec::new();
    while let Some(lease) = running.join_next().await {
        heads.push(lease.unwrap());
    }
    let metrics = journal.metrics();
    assert_eq!(metrics.entries, 64 * 20);
    assert!(metrics.commits < metrics.entries / 2, "{metrics:?}");
    assert!(metrics.batch_max > 4 && metrics.batch_max <= 256, "{metrics:?}");
    for lease in &heads {
        let entries = journal.reader().entries(lease.stream(), 0, 100).await.unwrap();
        assert_eq!(entries.len(), 20);
        let last = entries.last().unwrap();
        assert_eq!(lease.head(), Head { seq: last.seq, hash: last.hash });
    }
    let verified = beistand_journal::verify::store(journal.reader(), None).await.unwrap();
    assert_eq!((verified.streams, verified.entries), (64, 64 * 20));
    journal.close(at(4)).await.unwrap();
}

pub(crate) async fn a_refused_append_does_not_spoil_its_batch(place: Place) {
    let journal = place.open(0).await;
    let mut running = tokio::task::JoinSet::new();
    for number in 1..=40_u64 {
        let journal = journal.clone();
        running.spawn(async move {
            // Ten keys for forty runs: thirty are refused.
            let key = format!("key-{}", number % 10);
            let mut run = super::run(number);
            run.start_key = Some(key.clone());
            let append = entry(new_run(number), 0)
                .guard(Guard::StartKeyFree { key })
                .change(Change::PutRun(Box::new(run)));
            journal.append(append).await.is_ok()
        });
    }
    let mut written = 0;
    while let Some(ok) = running.join_next().await {
        written += usize::from(ok.unwrap());
    }
    assert_eq!(written, 10);
    let filter = beistand_journal::RunFilter::default();
    let runs = journal.reader().runs(&filter, beistand_journal::Page::first(100)).await.unwrap();
    assert_eq!(runs.len(), 10);
    let verified = beistand_journal::verify::store(journal.reader(), None).await.unwrap();
    assert_eq!(verified.entries, 10);
    journal.close(at(4)).await.unwrap();
}

pub(crate) async fn an_append_that_can_not_be_written_does_not_spoil_its_batch(place: Place) {
    let journal = place.open(0).await;
    let mut running = tokio::task::JoinSet::new();
    for number in 1..=8_u64 {
        let journal = journal.clone();
        running.spawn(async move {
            let mut run = super::run(number);
            // Without the guard the constraint is what is left: one of two can be written.
            run.start_key = Some(format!("key-{}", number / 2));
            let append = entry(new_run(number), 0).change(Change::PutRun(Box::new(run)));
            journal.append(append).await.map(|_| ())
        });
    }
    let mut wrong = 0;
    while let Some(result) = running.join_next().await {
        match result.unwrap() {
            Ok(()) => {}
            Err(AppendError::Invalid(_)) => wrong += 1,
            Err(other) => panic!("{other}"),
        }
    }
    assert_eq!(wrong, 3);
    let mut zero = super::run(20);
    zero.body = "\0".to_owned();
    let append = entry(new_run(20), 0).change(Change::PutRun(Box::new(zero)));
    assert!(matches!(journal.append(append).await, Err(AppendError::Invalid(_))));
    assert_eq!(journal.metrics().entries, 5);
    journal.close(at(4)).await.unwrap();
}

pub(crate) async fn notes_of_many_people_follow_each_other(place: Place) {
    let journal = place.open(0).await;
    let end = || To::End { kind: StreamKind::Incident, id: "i-1".to_owned() };
    assert!(matches!(
        journal.append(entry(end(), 0)).await,
        Err(AppendError::LostOwnership { .. })
    ));
    let new = To::New { kind: StreamKind::Incident, id: "i-1".to_owned() };
    let next = beistand_journal::Next::Release { due: None };
    journal.append(entry(new, 0).next(next)).await.unwrap();
    let mut running = tokio::task::JoinSet::new();
    for now in 1..=30 {
        let (journal, end) = (journal.clone(), end());
        running
            .spawn(async move { journal.append(entry(end, now)).await.unwrap().lease.head().seq });
    }
    let mut seqs = Vec::new();
    while let Some(seq) = running.join_next().await {
        seqs.push(seq.unwrap());
    }
    seqs.sort_unstable();
    assert_eq!(seqs, (2..=31).collect::<Vec<u64>>());
    journal.close(at(4)).await.unwrap();
}

pub(crate) async fn nothing_starts_while_the_stop_switch_is_on(place: Place) {
    let journal = place.open(0).await;
    let store = journal.meta().store.to_string();
    let own = || To::End { kind: StreamKind::Store, id: store.clone() };
    let lease = opened(&journal, 1).await;
    let stop = Change::Stop { at: at(1), body: r#"{"by":"anna"}"#.to_owned() };
    journal.append(entry(own(), 1).change(stop).urgent()).await.unwrap();
    let meta = journal.reader().meta().await.unwrap();
    assert_eq!((meta.stopped_at, meta.stop_body.as_str()), (Some(at(1)), r#"{"by":"anna"}"#));

    let again = Change::Stop { at: at(2), body: r#"{"by":"ben"}"#.to_owned() };
    journal.append(entry(own(), 2).change(again).urgent()).await.unwrap();
    let meta = journal.reader().meta().await.unwrap();
    assert_eq!((meta.stopped_at, meta.stop_body.as_str()), (Some(at(1)), r#"{"by":"ben"}"#));

    let intent = entry(To::Lease(lease.clone()), 2).unless_stopped();
    assert!(matches!(journal.append(intent).await, Err(AppendError::Stopped)));
    let start = entry(new_run(2), 2).unless_stopped().change(put_run(2));
    assert!(matches!(journal.append(start).await, Err(AppendError::Stopped)));
    // Outcomes are recorded; the lease is still good; the refused run left nothing.
    let lease = journal.append(entry(To::Lease(lease), 3)).await.unwrap().lease;
    let stream = journal.reader().stream(StreamKind::Run, &run_id(2).to_string()).await.unwrap();
    assert_eq!(stream, None);

    journal.append(entry(own(), 4).change(Change::GoOn)).await.unwrap();
    assert_eq!(journal.reader().meta().await.unwrap().stopped_at, None);
    journal.append(entry(To::Lease(lease), 5).unless_stopped()).await.unwrap();
    journal.append(entry(new_run(2), 5).unless_stopped()).await.unwrap();
    journal.close(at(6)).await.unwrap();
}
