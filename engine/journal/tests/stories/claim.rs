//! Who drives what: leases, claims, wake-ups.

use std::time::{Duration, Instant};

use beistand_core::entry::StreamKind;
use beistand_journal::{Change, Journal, Mailbox, Next, OpenError, Reader, To};

use super::{Place, at, entry, new_run, opened, run_id};

pub(crate) async fn what_is_due_is_claimed_once(place: Place) {
    let journal = place.open(0).await;
    for number in 1..=6_u64 {
        let due = i64::try_from(number).unwrap() * 10;
        let next = Next::Release { due: (number < 6).then(|| at(due)) };
        journal.append(entry(new_run(number), 0).next(next)).await.unwrap();
    }
    assert_eq!(journal.reader().next_due().await.unwrap(), Some(at(10)));
    assert!(journal.claim(at(9), 10).await.unwrap().is_empty());
    let mut claimed = journal.claim(at(40), 3).await.unwrap();
    claimed.sort_by_key(|lease| lease.stream().no());
    let ids: Vec<_> = claimed.iter().map(|lease| lease.stream().id().to_owned()).collect();
    assert_eq!(ids, [1, 2, 3].map(|number| run_id(number).to_string()));
    assert!(claimed.iter().all(|lease| lease.head().seq == 1 && lease.fence() == 3));
    assert_eq!(journal.claim(at(40), 10).await.unwrap().len(), 1);
    assert!(journal.claim(at(40), 10).await.unwrap().is_empty());
    assert_eq!(journal.reader().next_due().await.unwrap(), Some(at(50)));
    // One that waits for a person is claimed by name.
    let waiting = run_id(6).to_string();
    assert!(journal.claim_stream(StreamKind::Run, &waiting).await.unwrap().is_some());
    assert!(journal.claim_stream(StreamKind::Run, &waiting).await.unwrap().is_none());
    assert!(journal.claim_stream(StreamKind::Run, "nobody").await.unwrap().is_none());
    journal.close(at(41)).await.unwrap();
}

pub(crate) async fn no_wake_up_is_lost_between_owner_and_rest(place: Place) {
    let journal = place.open(0).await;
    let parent = opened(&journal, 1).await;
    let child = opened(&journal, 2).await;
    let wake = |now| Change::Wake { kind: StreamKind::Run, id: run_id(1).to_string(), at: at(now) };
    // The child ends while the parent is still driven; the parent then goes to rest without a time.
    let child = journal.append(entry(To::Lease(child), 1).change(wake(1))).await.unwrap().lease;
    assert!(journal.claim(at(100), 10).await.unwrap().is_empty());
    let rest = entry(To::Lease(parent), 2).next(Next::Release { due: None });
    journal.append(rest).await.unwrap();
    let parent = journal.claim(at(100), 10).await.unwrap().pop().unwrap();
    assert_eq!(parent.stream().id(), run_id(1).to_string());
    // A wake-up is earlier than the time it rests until; a later one does not put it off.
    let rest = entry(To::Lease(parent), 3).next(Next::Release { due: Some(at(90)) });
    let void = journal.append(rest).await.unwrap().lease;
    assert!(journal.append(entry(To::Lease(void), 4)).await.is_err());
    let child = journal.append(entry(To::Lease(child), 4).change(wake(20))).await.unwrap().lease;
    journal.append(entry(To::Lease(child), 5).change(wake(95))).await.unwrap();
    assert_eq!(journal.reader().next_due().await.unwrap(), Some(at(20)));
    journal.close(at(41)).await.unwrap();
}

pub(crate) async fn what_a_dead_owner_held_is_claimable_at_once(place: Place) {
    let journal = place.open(0).await;
    let lease = opened(&journal, 1).await;
    let rest = entry(new_run(2), 0).next(Next::Release { due: None });
    journal.append(rest).await.unwrap();
    journal.close(at(1)).await.unwrap();
    let journal = place.open(50).await;
    let claimed = journal.claim(at(50), 10).await.unwrap();
    assert_eq!(claimed.len(), 1);
    assert_eq!(claimed[0].stream(), lease.stream());
    assert!(claimed[0].fence() > lease.fence());
    assert!(journal.append(entry(To::Lease(lease), 51)).await.is_err());
    journal.close(at(52)).await.unwrap();
}

pub(crate) async fn a_second_owner_is_refused_and_a_reader_is_not(place: Place) {
    assert!(matches!(Reader::open(&place.url).await, Err(OpenError::Missing(_))));
    let journal = place.open(0).await;
    opened(&journal, 1).await;
    let second = Journal::open(&place.url, place.options(1)).await;
    assert!(matches!(second, Err(OpenError::Owned(_))), "{second:?}");
    let reader = Reader::open(&place.url).await.unwrap();
    let stream = reader.stream(StreamKind::Run, &run_id(1).to_string()).await.unwrap().unwrap();
    assert_eq!(reader.entries(&stream, 0, 9).await.unwrap().len(), 1);
    opened(&journal, 2).await;
    assert!(reader.stream(StreamKind::Run, &run_id(2).to_string()).await.unwrap().is_some());
    reader.close().await;
    journal.close(at(1)).await.unwrap();
    let journal = place.open(2).await;
    journal.close(at(3)).await.unwrap();
}

pub(crate) async fn a_store_has_one_owner_whatever_link_leads_to_it(place: Place) {
    // A server's store has no path.
    let Some(path) = place.url.strip_prefix("sqlite:") else { return };
    let link = std::path::Path::new(path).with_file_name("link.db");
    std::os::unix::fs::symlink(path, &link).unwrap();
    let by_link = format!("sqlite:{}", link.display());
    // Of a link to nothing nobody knows yet whose store it would be.
    let dangling = Journal::open(&by_link, place.options(0)).await;
    assert!(matches!(dangling, Err(OpenError::File { .. })), "{dangling:?}");
    let journal = place.open(0).await;
    let second = Journal::open(&by_link, place.options(1)).await;
    assert!(matches!(second, Err(OpenError::Owned(_))), "{second:?}");
    journal.close(at(1)).await.unwrap();
    let journal = Journal::open(&by_link, place.options(2)).await.unwrap();
    assert!(matches!(Journal::open(&place.url, place.options(3)).await, Err(OpenError::Owned(_))));
    journal.close(at(4)).await.unwrap();
}

pub(crate) async fn a_store_of_two_names_is_refused_until_it_has_one(place: Place) {
    let Some(path) = place.url.strip_prefix("sqlite:") else { return };
    let second = std::path::Path::new(path).with_file_name("second.db");
    let by_second = format!("sqlite:{}", second.display());
    let journal = place.open(0).await;
    opened(&journal, 1).await;
    std::fs::hard_link(path, &second).unwrap();
    let refused = Journal::open(&by_second, place.options(1)).await;
    assert!(matches!(refused, Err(OpenError::Linked { names: 2, .. })), "{refused:?}");
    let posting = Mailbox::open(&by_second).await;
    assert!(matches!(posting, Err(OpenError::Linked { .. })), "{posting:?}");
    journal.close(at(2)).await.unwrap();
    let refused = Journal::open(&place.url, place.options(3)).await;
    assert!(matches!(refused, Err(OpenError::Linked { .. })), "{refused:?}");
    std::fs::remove_file(&second).unwrap();
    let journal = place.open(4).await;
    journal.close(at(5)).await.unwrap();
}

#[expect(clippy::disallowed_methods, reason = "a bound of the contract: a restart within 2 s")]
pub(crate) async fn a_hundred_thousand_that_wait_cost_nothing(place: Place) {
    let journal = place.open(0).await;
    journal.close(at(1)).await.unwrap();
    place
        .tamper(&["with recursive waiting (n) as (
                 select 1000 union all select n + 1 from waiting where n < 100999)
             insert into stream (no, kind, id, fence, seq, head, due)
             select n, 'run', cast(n as text), 1, 0,
                 unhex('0000000000000000000000000000000000000000000000000000000000000000'),
                 1790000000000 + n * 1000 from waiting"])
        .await;
    let started = Instant::now();
    let journal = place.open(2).await;
    assert_eq!(journal.reader().next_due().await.unwrap(), Some(at(1_000_000)));
    assert!(journal.claim(at(999_999), 64).await.unwrap().is_empty());
    assert_eq!(journal.claim(at(100_000_000), 64).await.unwrap().len(), 64);
    let elapsed = started.elapsed();
    assert!(elapsed < Duration::from_secs(2), "{elapsed:?}");
    journal.close(at(3)).await.unwrap();
}
