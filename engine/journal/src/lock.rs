//! Ownership: one process writes to a store.
//!
//! SQLite: a lock on `<db>.lock`, which the operating system gives back when the process ends,
//! however it ends. The database file itself is never opened here: closing it would drop SQLite's
//! own locks. PostgreSQL: an advisory lock of the writer's session.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use crate::error::{OpenError, StoreError};
use crate::sql::{Connection, params};

/// The key of the advisory lock, per database: "Beistand" as bytes.
const ADVISORY: i64 = 0x4265_6973_7461_6e64;

/// A file beside the database: its name with `suffix` at the end.
pub(crate) fn beside(database: &Path, suffix: &str) -> PathBuf {
    let mut name = database.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// Refuses a database file with a second name: a hard link is no way to the same lock, as a symbolic
/// link is, nor to the same log of SQLite (<https://www.sqlite.org/howtocorrupt.html>, section 2.5).
pub(crate) fn one_name(database: &Path) -> Result<(), OpenError> {
    let path = || database.to_owned();
    match database.metadata() {
        Ok(file) if file.nlink() > 1 => {
            Err(OpenError::Linked { path: path(), names: file.nlink() })
        }
        Ok(_) => Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(source) => Err(OpenError::File { path: path(), source }),
    }
}

/// Holds the lock as long as it lives.
#[derive(Debug)]
pub(crate) struct FileLock {
    _file: File,
}

impl FileLock {
    pub(crate) fn take(database: &Path) -> Result<Self, OpenError> {
        let path = beside(database, ".lock");
        let failed = |source| OpenError::File { path: path.clone(), source };
        let mut file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .read(true)
            .write(true)
            .open(&path)
            .map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut who = String::new();
                // For people only: who could not be read is still an owner.
                let known = file.read_to_string(&mut who).is_ok() && !who.trim().is_empty();
                return Err(OpenError::Owned(if known {
                    format!(" ({})", who.trim())
                } else {
                    String::new()
                }));
            }
            Err(TryLockError::Error(source)) => return Err(failed(source)),
        }
        one_name(database)?;
        file.set_len(0).map_err(failed)?;
        file.write_all(format!("process {}\n", std::process::id()).as_bytes()).map_err(failed)?;
        Ok(Self { _file: file })
    }
}

/// Takes the advisory lock for the session of this connection.
pub(crate) async fn take_session(connection: &mut Connection) -> Result<(), OpenError> {
    let what = "ask for the lock of the store";
    let sql = "select pg_try_advisory_lock($1)";
    let row = connection
        .row(sql, params![ADVISORY])
        .await
        .map_err(|source| StoreError::Database { what, source })?;
    let taken = row.map(|mut row| row.int("pg_try_advisory_lock")).transpose()?;
    if taken == Some(1) { Ok(()) } else { Err(OpenError::Owned(String::new())) }
}
