//! Proof: seals, witness, tampering, exports.

use beistand_core::entry::{Link, StreamKind};
use beistand_core::model::{Digest, digest_of_bytes};
use beistand_core::timeline::{Chain, ChainError};
use beistand_journal::verify::{Broken, store};
use beistand_journal::{Journal, OpenError, Reader, Stream, To};

use super::{Place, at, entry, opened, run_id};

pub(crate) async fn seals_anchor_what_was_written(place: Place) {
    let journal = place.open(0).await;
    assert_eq!(journal.seal(at(1)).await.unwrap(), None);
    let lease = opened(&journal, 1).await;
    let seal = journal.seal(at(10)).await.unwrap().unwrap();
    assert_eq!(journal.reader().seal().await.unwrap(), Some(seal.clone()));
    assert_eq!(journal.seal(at(11)).await.unwrap(), None, "nothing changed");
    let witness = std::fs::read_to_string(&place.witness).unwrap();
    assert!(witness.contains(&seal.hash.hex()), "{witness}");
    let lease = journal.append(entry(To::Lease(lease), 12)).await.unwrap().lease;
    let verified = store(journal.reader(), Some(seal.hash)).await.unwrap();
    assert_eq!((verified.anchored_until, verified.anchor), (Some(at(10)), Some(seal.hash)));
    assert_eq!((verified.streams, verified.entries), (2, 3));
    let strange = digest_of_bytes(b"paper of another store");
    assert!(matches!(store(journal.reader(), Some(strange)).await, Err(Broken::NotFound(_))));
    // Erasing a body keeps it green.
    assert!(journal.erase_body(StreamKind::Run, lease.stream().id(), 1).await.unwrap());
    assert!(!journal.erase_body(StreamKind::Run, lease.stream().id(), 1).await.unwrap());
    assert_eq!(store(journal.reader(), None).await.unwrap().erased, 1);
    // Without an end in order, what was not sealed is sealed by the next owner.
    drop(journal);
    let journal = reopened(&place).await;
    let next = journal.seal(at(21)).await.unwrap().unwrap();
    assert_eq!(next.seq, 2);
    journal.close(at(22)).await.unwrap();
}

/// After a journal was dropped its writer ends by itself, soon.
async fn reopened(place: &Place) -> Journal {
    for _ in 0..500 {
        match Journal::open(&place.url, place.options(20)).await {
            Ok(journal) => return journal,
            Err(OpenError::Owned(_)) => tokio::task::yield_now().await,
            Err(other) => panic!("{other}"),
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    panic!("the store was not given back");
}

/// Another last entry, in order with all before it: only a seal can tell.
async fn last_written_anew(journal: &Journal, stream: &Stream) -> String {
    let entries = journal.reader().entries(stream, 0, 9).await.unwrap();
    let [.., before, last] = &entries[..] else { panic!("{entries:?}") };
    let link = Link {
        prev: before.hash,
        stream: stream.name(),
        seq: last.seq,
        at: last.at,
        head: b"{}",
        body_hash: last.body_hash,
    };
    let hash = link.hash().unwrap().hex();
    format!(
        "update entry set head = unhex('7b7d'), hash = unhex('{hash}') where stream = TWO and seq = 4;
         update stream set head = unhex('{hash}') where no = TWO"
    )
}

/// Three streams of four entries, sealed; then each tampering by itself, found and undone.
pub(crate) async fn every_kind_of_tampering_is_found(place: Place) {
    let journal = place.open(0).await;
    let mut first = None;
    for number in 1..=3 {
        let mut lease = opened(&journal, number).await;
        for now in 1..4 {
            lease = journal.append(entry(To::Lease(lease), now)).await.unwrap().lease;
        }
        first.get_or_insert(lease);
    }
    let anew = last_written_anew(&journal, first.unwrap().stream()).await;
    journal.close(at(9)).await.unwrap();
    let reader = Reader::open(&place.url).await.unwrap();
    assert_eq!(store(&reader, None).await.unwrap().entries, 13);
    reader.close().await;
    // Row 2 is stream 2 on SQLite; its number differs on PostgreSQL, so streams are named by id.
    let keep: &[&str] = &[
        "create table kept_entry as select * from entry",
        "create table kept_stream as select * from stream",
    ];
    place.tamper(Box::leak(Box::new(keep.to_vec()))).await;
    let two = "(select no from kept_stream where kind = 'run' order by no limit 1)";
    let cases: [(&str, &str, u64, &str); 10] = [
        ("a changed head", "update entry set head = unhex('7b7d') where stream = TWO and seq = 2", 2, "it was changed"),
        ("a changed body", "update entry set body = unhex('7b7d') where stream = TWO and seq = 3", 3, "its body was changed"),
        ("a changed hash", "update entry set hash = (select hash from kept_entry where stream = TWO and seq = 1) where stream = TWO and seq = 4", 4, "its hash does not follow"),
        ("a tail written anew", &anew, 4, "with another hash"),
        ("the second and the last", "update entry set head = unhex('7b7d') where stream = TWO and seq in (2, 4); update entry set hash = (select hash from kept_entry where stream = TWO and seq = 1) where stream = TWO and seq = 4", 2, "it was changed"),
        ("a changed time", "update entry set at = at + 1 where stream = TWO and seq = 1", 1, "it was changed"),
        ("a deleted middle", "delete from entry where stream = TWO and seq = 2", 2, "it is missing"),
        ("a cut tail", "delete from entry where stream = TWO and seq = 4;
            update stream set seq = 3, head = (select hash from entry where stream = TWO and seq = 3) where no = TWO", 4, "has seen it, and it is gone"),
        ("a deleted stream", "delete from entry where stream = TWO; delete from stream where no = TWO", 4, "has seen it, and it is gone"),
        ("two swapped entries", "update entry set seq = 9 where stream = TWO and seq = 2; update entry set seq = 2 where stream = TWO and seq = 3; update entry set seq = 3 where stream = TWO and seq = 9", 2, "it was changed"),
    ];
    for (what, sql, seq, why) in cases {
        let sql: &'static str = Box::leak(sql.replace("TWO", two).into_boxed_str());
        place.tamper(Box::leak(Box::new([sql]))).await;
        let reader = Reader::open(&place.url).await.unwrap();
        match store(&reader, None).await {
            Err(Broken::Entry { stream, seq: found, why: words }) => {
                assert_eq!((stream, found), (format!("run:{}", run_id(1)), seq), "{what}: {words}");
                assert!(words.contains(why), "{what}: {words}");
            }
            other => panic!("{what}: {other:?}"),
        }
        reader.close().await;
        place
            .tamper(&[
                "delete from entry",
                "insert into entry select * from kept_entry",
                "delete from stream",
                "insert into stream select * from kept_stream",
            ])
            .await;
    }
    let reader = Reader::open(&place.url).await.unwrap();
    assert_eq!(store(&reader, None).await.unwrap().entries, 13, "all was undone");
}

pub(crate) async fn an_export_verifies_without_bodies(place: Place) {
    let journal = place.open(0).await;
    let mut lease = opened(&journal, 1).await;
    for now in 1..5 {
        lease = journal.append(entry(To::Lease(lease), now)).await.unwrap().lease;
    }
    journal.erase_body(StreamKind::Run, lease.stream().id(), 2).await.unwrap();
    let mut prev = Digest::ZERO;
    let mut chain = Vec::new();
    for entry in journal.reader().entries(lease.stream(), 0, 9).await.unwrap() {
        chain.push(entry.chained(lease.stream(), prev).unwrap());
        prev = entry.hash;
    }
    assert_eq!(prev, lease.head().hash);
    let chain = Chain::new(chain);
    let text = serde_json::to_string(&chain).unwrap();
    let read: Chain = serde_json::from_str(&text).unwrap();
    assert_eq!((read.check(), read.entries.len()), (Ok(0), 5), "nothing was sealed");
    for wrong in [2_u64, 4, 5] {
        let mut changed = chain.clone();
        changed.entries[usize::try_from(wrong).unwrap() - 1].head = "{}".to_owned();
        let Err(ChainError::Broken { seq, .. }) = changed.check() else { panic!("{wrong}") };
        assert_eq!(seq, wrong);
    }
    for missing in [3_u64, 5] {
        let mut without = chain.clone();
        without.entries.remove(usize::try_from(missing).unwrap() - 1);
        let Err(ChainError::Broken { .. }) = without.check() else { panic!("{missing}") };
    }
    journal.close(at(3)).await.unwrap();
}

pub(crate) async fn an_older_database_put_in_place_by_hand_is_refused() {
    let place = Place::sqlite();
    let path = place.directory.path().join("journal.db");
    let old = place.directory.path().join("old.db");
    let journal = place.open(0).await;
    let lease = opened(&journal, 1).await;
    journal.close(at(1)).await.unwrap();
    std::fs::copy(&path, &old).unwrap();
    let journal = place.open(2).await;
    let lease = journal.claim_stream(StreamKind::Run, lease.stream().id()).await.unwrap().unwrap();
    journal.append(entry(To::Lease(lease), 3)).await.unwrap();
    journal.close(at(4)).await.unwrap();
    std::fs::copy(&old, &path).unwrap();
    let refused = Journal::open(&place.url, place.options(5)).await;
    assert!(matches!(refused, Err(OpenError::Older { .. })), "{refused:?}");
    std::fs::remove_file(&path).unwrap();
    let refused = Journal::open(&place.url, place.options(5)).await;
    assert!(matches!(refused, Err(OpenError::Older { .. })), "{refused:?}");
}

pub(crate) async fn files_of_something_else_and_of_newer_programs_are_refused() {
    let place = Place::sqlite();
    place.tamper_new(&["create table address (name text)"]).await;
    let path = place.directory.path().join("journal.db");
    let before = std::fs::read(&path).unwrap();
    for _ in 0..2 {
        let refused = Journal::open(&place.url, place.options(5)).await;
        assert!(matches!(refused, Err(OpenError::Foreign(_))), "{refused:?}");
        assert!(matches!(Reader::open(&place.url).await, Err(OpenError::Foreign(_))));
    }
    assert_eq!(std::fs::read(&path).unwrap(), before, "it is as it was");
    std::fs::write(&path, b"this is no database, it is a text of some length, and that is all.")
        .unwrap();
    let refused = Journal::open(&place.url, place.options(5)).await;
    assert!(matches!(refused, Err(OpenError::Foreign(_))), "{refused:?}");

    let place = Place::sqlite();
    let journal = place.open(0).await;
    journal.close(at(1)).await.unwrap();
    place.tamper(&["insert into migration values (99, 'from the future', 0)"]).await;
    let refused = Journal::open(&place.url, place.options(5)).await;
    assert!(matches!(refused, Err(OpenError::Newer { found: 99, known: 3 })), "{refused:?}");
    let refused = Reader::open(&place.url).await;
    assert!(matches!(refused, Err(OpenError::Newer { .. })), "{refused:?}");
}

pub(crate) async fn a_store_of_the_first_schema_is_brought_up_to_date(place: Place) {
    let journal = place.open(0).await;
    opened(&journal, 1).await;
    journal.close(at(1)).await.unwrap();
    place.tamper(LATER).await;
    let refused = Reader::open(&place.url).await;
    assert!(matches!(refused, Err(OpenError::Outdated { found: 1, known: 3 })), "{refused:?}");
    let journal = place.open(2).await;
    assert!(journal.reader().strikes().await.unwrap().is_empty());
    assert!(!journal.reader().has_accounts().await.unwrap());
    let stream = journal.reader().stream(StreamKind::Run, &run_id(1).to_string()).await.unwrap();
    assert_eq!(journal.reader().entries(&stream.unwrap(), 0, 9).await.unwrap().len(), 1);
    journal.close(at(3)).await.unwrap();
}

/// What came with the later schemas.
const LATER: &[&str] = &[
    "drop table strike",
    "drop table account",
    "drop table credential",
    "drop table access_grant",
    "drop table session",
    "drop table tally",
    "drop index incident_role_person",
    "delete from migration where no > 1",
];
