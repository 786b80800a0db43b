//! A full disk: refused in words, nothing lost, votes still possible, goes on by itself.

use std::process::Command;
use std::time::Duration;

use beistand_journal::verify::store;
use beistand_journal::{AppendError, Journal, To};
use tempfile::TempDir;

use super::{Place, entry, opened};

/// A disk of 16 MiB.
struct Disk(TempDir);

impl Disk {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", "size=16m", "tmpfs"]).arg(directory.path());
        assert!(mount.status().unwrap().success(), "mounting needs root");
        Self(directory)
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let unmounted = Command::new("umount").arg("-l").arg(self.0.path()).status();
        assert!(unmounted.unwrap().success());
    }
}

pub(crate) async fn a_full_disk_is_refused_in_words_and_survived() {
    let disk = Disk::new();
    let mut place = Place::sqlite();
    place.url = format!("sqlite:{}/journal.db", disk.0.path().display());
    let journal = place.open(0).await;
    let mut lease = opened(&journal, 1).await;
    let ballast = disk.0.path().join("ballast");
    std::fs::write(&ballast, vec![1; 6 << 20]).unwrap();
    let mut written = 1;
    let full = loop {
        let append = entry(To::Lease(lease.clone()), 1).body(vec![b'x'; 100_000]);
        match journal.append(append).await {
            Ok(appended) => {
                lease = appended.lease;
                written += 1;
            }
            Err(error) => break error,
        }
    };
    assert!(matches!(full, AppendError::Full), "{full}");
    assert!(full.to_string().contains("disk"), "{full}");
    // Again at once, and still; a vote goes through, on the reserve.
    let again = journal.append(entry(To::Lease(lease.clone()), 2)).await;
    assert!(matches!(again, Err(AppendError::Full)), "{again:?}");
    lease = journal.append(entry(To::Lease(lease), 3).urgent()).await.unwrap().lease;
    written += 1;
    // Space returns: within a few seconds all goes on, with the same lease.
    std::fs::remove_file(&ballast).unwrap();
    lease = goes_on(&journal, lease).await;
    written += 1;
    assert_eq!(lease.head().seq, written);
    assert_eq!(store(journal.reader(), None).await.unwrap().entries, written);
    journal.close(super::at(9)).await.unwrap();
}

async fn goes_on(journal: &Journal, lease: beistand_journal::Lease) -> beistand_journal::Lease {
    for _ in 0..100 {
        match journal.append(entry(To::Lease(lease.clone()), 4)).await {
            Ok(appended) => return appended.lease,
            Err(AppendError::Full) => tokio::time::sleep(Duration::from_millis(100)).await,
            Err(other) => panic!("{other}"),
        }
    }
    panic!("ten seconds after space returned the store is still full");
}
