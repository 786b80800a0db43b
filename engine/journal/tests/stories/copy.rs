//! Backup and restore.

use beistand_core::access::CredentialKind;
use beistand_core::entry::StreamKind;
use beistand_core::model::Millis;
use beistand_journal::{
    AppendError, Change, CodesAndTokens, Credential, Journal, Next, OpenError, Page, Reader,
    RunFilter, Session, To, backup, restore,
};

use super::{Place, at, entry, new_run, put_run, run_id};

pub(crate) async fn a_backup_is_restored_with_a_new_epoch(place: Place) {
    let journal = place.open(0).await;
    let lease = journal.append(entry(new_run(1), 0).change(put_run(1))).await.unwrap().lease;
    let mut ended = super::run(2);
    ended.ended_at = Some(at(1));
    let end = entry(new_run(2), 1).next(Next::Release { due: None });
    journal.append(end.change(Change::PutRun(Box::new(ended)))).await.unwrap();
    journal.put_blob(b"large".to_vec()).await.unwrap();
    let (id, body) = ("s".to_owned(), "{}".to_owned());
    let session = Session { id, account: None, until: at(9_000), body };
    journal.put_session(session).await.unwrap();
    journal.seal(at(2)).await.unwrap();
    let file = place.directory.path().join("backup.db");
    let verified = backup(journal.reader(), &file).await.unwrap();
    assert_eq!((verified.entries, verified.anchored_until), (3, Some(at(2))));
    assert!(backup(journal.reader(), &file).await.is_err(), "nothing is overwritten");
    for suffix in ["-wal", "-shm", ".part"] {
        assert!(!place.directory.path().join(format!("backup.db{suffix}")).exists(), "{suffix}");
    }
    // The store goes on; what it does now is not in the backup.
    journal.append(entry(To::Lease(lease), 3)).await.unwrap();
    let before = journal.meta().clone();
    let owned = restore(&file, &place.url, place.options(10), CodesAndTokens::Void).await;
    assert!(matches!(owned, Err(OpenError::Owned(_))), "{owned:?}");
    journal.close(at(4)).await.unwrap();

    let restored =
        restore(&file, &place.url, place.options(10), CodesAndTokens::Void).await.unwrap();
    assert_eq!((restored.unfinished, restored.newest), (1, Some(at(2))));
    check(&place, &before.store.to_string(), &before.epoch).await;

    // The backup also moves the store: to a new SQLite file.
    let other = Place::sqlite();
    restore(&file, &other.url, other.options(20), CodesAndTokens::Void).await.unwrap();
    check(&other, &before.store.to_string(), &before.epoch).await;
    if place.url.starts_with("postgres") {
        let again = place.directory.path().join("again.db");
        let reader = Reader::open(&other.url).await.unwrap();
        backup(&reader, &again).await.unwrap();
        restore(&again, &place.url, place.options(30), CodesAndTokens::Void).await.unwrap();
    }
}

pub(crate) async fn a_backup_brings_no_code_and_no_token_back_to_life(place: Place) {
    let journal = place.open(0).await;
    let credential = |id: &str, kind, until| Credential {
        id: id.to_owned(),
        account: "anna".parse().unwrap(),
        kind,
        label: "7".to_owned(),
        lookup: None,
        secret: "$argon2id$…".to_owned(),
        made_at: at(0),
        until,
        used_at: None,
        body: "{}".to_owned(),
    };
    let kept = credential("passphrase-of-anna", CredentialKind::Passphrase, None);
    let ended = credential("token-2", CredentialKind::Token, Some(at(5)));
    let all = [
        credential("code-1", CredentialKind::Code, None),
        credential("code-2", CredentialKind::Code, None),
        credential("token-1", CredentialKind::Token, None),
        ended.clone(),
        kept.clone(),
    ];
    let id = journal.meta().store.to_string();
    let mut append = entry(To::End { kind: StreamKind::Store, id }, 1);
    append.changes = all.map(|one| Change::PutCredential(Box::new(one))).into();
    journal.append(append).await.unwrap();
    let file = place.directory.path().join("backup.db");
    backup(journal.reader(), &file).await.unwrap();
    assert!(journal.use_up("code-1", at(2)).await.unwrap());
    journal.close(at(3)).await.unwrap();

    let restored =
        restore(&file, &place.url, place.options(10), CodesAndTokens::Kept).await.unwrap();
    assert_eq!(restored.voided, None);
    let journal = place.open(11).await;
    assert!(journal.use_up("code-1", at(12)).await.unwrap(), "whoever keeps them is told of it");
    journal.close(at(13)).await.unwrap();

    let restored =
        restore(&file, &place.url, place.options(20), CodesAndTokens::Void).await.unwrap();
    assert_eq!(restored.voided, Some(3));
    let journal = place.open(21).await;
    for code in ["code-1", "code-2"] {
        assert!(!journal.use_up(code, at(22)).await.unwrap(), "{code}");
    }
    let read = async |id: &str| journal.reader().credential(id).await.unwrap().unwrap();
    // Whatever a clock says that is set back later: also of what had ended by this one.
    let zero = Some(Millis::new(0));
    assert_eq!(read("token-1").await.until, zero);
    assert_eq!(read("token-2").await, Credential { until: zero, ..ended });
    assert_eq!(read("passphrase-of-anna").await, kept);
    beistand_journal::verify::store(journal.reader(), None).await.unwrap();
    journal.close(at(23)).await.unwrap();
}

async fn check(place: &Place, store: &str, epoch: &str) {
    let journal = place.open(30).await;
    let meta = journal.reader().meta().await.unwrap();
    assert_eq!(meta.store.to_string(), store);
    assert_ne!(meta.epoch, epoch);
    assert!(meta.restored_at.is_some() && meta.stopped_at.is_some());
    let runs = journal.reader().runs(&RunFilter::default(), Page::first(9)).await.unwrap();
    let session = journal.reader().session("s", at(30)).await.unwrap();
    assert_eq!(session, None, "a backup lets nobody in again");
    let marks: Vec<_> = runs.iter().map(|(_, run)| (run.id, run.restored)).collect();
    assert_eq!(marks, [(run_id(2), true), (run_id(1), true)]);
    // The unfinished one is claimable; nothing starts before `go-on`.
    let claimed = journal.claim(at(40), 9).await.unwrap();
    assert_eq!(claimed.len(), 1);
    assert_eq!((claimed[0].stream().id(), claimed[0].head().seq), (&*run_id(1).to_string(), 1));
    let intent = entry(To::Lease(claimed[0].clone()), 41).unless_stopped();
    assert!(matches!(journal.append(intent).await, Err(AppendError::Stopped)));
    let new = To::New { kind: StreamKind::Incident, id: "i-9".to_owned() };
    journal.append(entry(new, 41).change(put_run(3))).await.unwrap();
    journal.seal(at(42)).await.unwrap();
    beistand_journal::verify::store(journal.reader(), None).await.unwrap();
    let twice = Journal::open(&place.url, place.options(43)).await;
    assert!(matches!(twice, Err(OpenError::Owned(_))));
    journal.close(at(44)).await.unwrap();
}
