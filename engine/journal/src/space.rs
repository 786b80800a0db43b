//! The reserve: space kept free beside a SQLite store, so that votes, notes and the stop switch
//! can still be written when the disk is full.

use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};

/// Enough for some thousand votes and notes with their log.
const RESERVE_BYTES: u64 = 16 << 20;
/// On a small disk, at most this part of it: the reserve must not be what fills it.
const PART_OF_DISK: u64 = 8;

/// A file that holds space.
#[derive(Debug)]
pub(crate) struct Reserve {
    path: PathBuf,
}

impl Reserve {
    /// Beside the database: `<db>.reserve`. Tries to make it; [`Reserve::is_held`] says whether it
    /// is there.
    pub(crate) fn new(database: &Path) -> Self {
        let reserve = Self { path: crate::lock::beside(database, ".reserve") };
        if let Err(error) = reserve.make() {
            tracing::warn!(%error, "no space could be reserved beside the store");
        }
        reserve
    }

    /// Whether the space is held.
    pub(crate) fn is_held(&self) -> bool {
        self.path.exists()
    }

    /// Gives the space free.
    pub(crate) fn release(&self) {
        match std::fs::remove_file(&self.path) {
            Ok(()) => {}
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => {
                tracing::warn!(%error, "the reserve beside the store could not be released");
            }
        }
    }

    /// Takes the space again. Success is the proof that there is space.
    pub(crate) fn make(&self) -> std::io::Result<()> {
        let directory = self.path.parent().filter(|d| !d.as_os_str().is_empty());
        let disk = rustix::fs::statvfs(directory.unwrap_or_else(|| Path::new(".")))?;
        let bytes = RESERVE_BYTES.min(disk.f_blocks.saturating_mul(disk.f_frsize) / PART_OF_DISK);
        if self.path.metadata().is_ok_and(|found| found.len() >= bytes) {
            return Ok(());
        }
        let made = File::create(&self.path).and_then(|file| fill(&file, bytes));
        if made.is_err() {
            self.release();
        }
        made
    }
}

/// Blocks that are really there: a file that is only long holds no space.
fn fill(file: &File, bytes: u64) -> std::io::Result<()> {
    match rustix::fs::fallocate(file, rustix::fs::FallocateFlags::empty(), 0, bytes) {
        Ok(()) => Ok(()),
        Err(rustix::io::Errno::OPNOTSUPP | rustix::io::Errno::NOSYS) => {
            let zeros = vec![0; 1 << 20];
            let mut file = file;
            let mut left = bytes;
            while left > 0 {
                let now = usize::try_from(left).unwrap_or(usize::MAX).min(zeros.len());
                file.write_all(zeros.get(..now).unwrap_or_default())?;
                left = left.saturating_sub(now as u64);
            }
            file.sync_all()
        }
        Err(error) => Err(error.into()),
    }
}

/// Replaces a file so that a crash leaves the old one or the new one, never a half.
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let next = crate::lock::beside(path, ".next");
    match std::fs::remove_file(&next) {
        Ok(()) => {}
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    // Only a new file: what lies there under this name may be a link to any other file.
    let mut file = OpenOptions::new().create_new(true).write(true).open(&next)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    std::fs::rename(&next, path)?;
    sync_directory(path)
}

/// Makes a rename in the directory of `path` durable.
pub(crate) fn sync_directory(path: &Path) -> std::io::Result<()> {
    let directory = path.parent().filter(|directory| !directory.as_os_str().is_empty());
    File::open(directory.unwrap_or_else(|| Path::new(".")))?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_through_no_link_and_after_a_crash() {
        let folder = tempfile::tempdir().unwrap();
        let (path, other) = (folder.path().join("w"), folder.path().join("other"));
        std::fs::write(&other, "theirs").unwrap();
        std::os::unix::fs::symlink(&other, folder.path().join("w.next")).unwrap();
        replace(&path, b"one").unwrap();
        std::fs::write(folder.path().join("w.next"), "half").unwrap();
        replace(&path, b"two").unwrap();
        assert_eq!(std::fs::read(&other).unwrap(), b"theirs");
        assert_eq!(std::fs::read(&path).unwrap(), b"two");
        assert!(!path.is_symlink());
    }
}
