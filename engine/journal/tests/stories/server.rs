//! A server: how it is set, and what happens when it goes away.

use beistand_journal::verify::store;
use beistand_journal::{Change, Guard, Journal, OpenError, To};
use sqlx::Connection as _;

use super::{Place, entry, new_run, run_id};

pub(crate) async fn a_server_that_could_lose_commits_is_refused() {
    let place = Place::postgres().await;
    place
        .tamper(&["do $$ begin execute format('alter database %I set synchronous_commit = off',
            current_database()); end $$"])
        .await;
    let refused = Journal::open(&place.url, place.options(0)).await;
    let Err(OpenError::Unsafe(why)) = refused else { panic!("{refused:?}") };
    assert!(why.contains("synchronous_commit"), "{why}");
}

/// The server ends the writer's session again and again, in the middle of batches. Every append is
/// answered, and what was acknowledged is there, once.
pub(crate) async fn a_commit_whose_answer_was_lost_is_settled() {
    let place = Place::postgres().await;
    let journal = place.open(0).await;
    let mut running = tokio::task::JoinSet::new();
    for number in 1..=16_u64 {
        let journal = journal.clone();
        running.spawn(async move {
            let mut run = super::run(number);
            run.start_key = Some(number.to_string());
            let start = entry(new_run(number), 0)
                .guard(Guard::StartKeyFree { key: number.to_string() })
                .change(Change::PutRun(Box::new(run)));
            let mut lease = journal.append(start).await.unwrap().lease;
            for now in 1..200 {
                lease = journal.append(entry(To::Lease(lease), now)).await.unwrap().lease;
            }
            lease.head().seq
        });
    }
    let mut other = sqlx::PgConnection::connect(&place.url).await.unwrap();
    let mut ended = 0;
    while ended < 6 {
        let sql = "select count(pg_terminate_backend(pid)) from pg_stat_activity
             where application_name = 'beistand' and datname = current_database()
             and pid <> pg_backend_pid() and state = 'active'";
        let (now,): (i64,) = sqlx::query_as(sql).fetch_one(&mut other).await.unwrap();
        if now > 0 {
            ended += 1;
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
        if let Some(done) = running.try_join_next() {
            assert_eq!(done.unwrap(), 200);
        }
        if running.is_empty() {
            break;
        }
        tokio::task::yield_now().await;
        if journal.metrics().entries >= 16 * 200 {
            break;
        }
    }
    assert!(ended > 0, "no session was ended in the middle");
    while let Some(seq) = running.join_next().await {
        assert_eq!(seq.unwrap(), 200);
    }
    assert_eq!(store(journal.reader(), None).await.unwrap().entries, 16 * 200);
    assert!(journal.reader().run(run_id(16)).await.unwrap().is_some());
    journal.close(super::at(9)).await.unwrap();
}
