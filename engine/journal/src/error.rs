//! What can go wrong, by what the caller can do about it.

use std::path::PathBuf;

use thiserror::Error;

use crate::guard::Refusal;

/// Why a store could not be opened.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The URL names no kind of store.
    #[error("`{0}` is no store: write `sqlite:PATH` or `postgres://…`")]
    Url(String),
    /// Somebody else owns it. Verbs go through the mailbox.
    #[error("the store is owned by another process{0}")]
    Owned(String),
    /// The database file has more than one name, and SQLite's log and our lock go by the name.
    #[error(
        "`{path}` is one of {names} names (hard links) of one file, and under each it would be another store; keep one of them, and make the others copies with `beistand backup`"
    )]
    Linked {
        /// The name it was opened by.
        path: PathBuf,
        /// How many it has.
        names: u64,
    },
    /// There is no store there, and a reader makes none.
    #[error("there is no store at `{0}`")]
    Missing(String),
    /// A file or database that belongs to something else.
    #[error("`{0}` is not a store of beistand; give another path")]
    Foreign(String),
    /// Made by a newer program.
    #[error(
        "the store has schema {found}, this program knows up to {known}; use the newer program"
    )]
    Newer {
        /// Of the store.
        found: i64,
        /// Of this program.
        known: i64,
    },
    /// Made by an older program, and a reader migrates nothing.
    #[error(
        "the store has schema {found}, this program needs {known}; a verb that writes brings it up to date"
    )]
    Outdated {
        /// Of the store.
        found: i64,
        /// Of this program.
        known: i64,
    },
    /// The witness has seen more than the store knows.
    #[error(
        "the store is older than its witness `{witness}` ({why}); use `beistand restore`, which knows that effects may have been sent since"
    )]
    Older {
        /// The witness file.
        witness: PathBuf,
        /// What does not fit.
        why: String,
    },
    /// The witness could not be kept.
    #[error("the store's witness `{path}` can not be written")]
    Witness {
        /// The witness file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The chain of a backup is broken.
    #[error("the backup is not in order: {0}")]
    Broken(String),
    /// The library or server can not be trusted with this.
    #[error("the store is not safe to use: {0}")]
    Unsafe(String),
    /// The store can not be reached or read.
    #[error("could not open the store")]
    Store(#[from] StoreError),
    /// A file beside the store.
    #[error("could not use `{path}`")]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
}

/// Why a store could not be read, or work on it could not be done.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The database said no.
    #[error("could not {what}")]
    Database {
        /// The operation.
        what: &'static str,
        /// The database's own words.
        source: sqlx::Error,
    },
    /// A row does not have the shape it was written with.
    #[error("`{what}` in the store is damaged: {why}")]
    Damaged {
        /// Table or column.
        what: &'static str,
        /// What is wrong.
        why: String,
    },
    /// The writer has stopped; the process should end with 70.
    #[error("the store could not be written and the writer has stopped")]
    Dead,
    /// Nothing was written.
    #[error("the disk of the store is full")]
    Full,
    /// A file beside the store.
    #[error("could not use `{path}`")]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
}

/// Why an append was not acknowledged.
#[derive(Debug, Error)]
pub enum AppendError {
    /// The stream changed hands or moved on: stop, send nothing, report nothing.
    #[error("the stream `{stream}` is not ours any more")]
    LostOwnership {
        /// `kind:public-id`.
        stream: String,
    },
    /// The stop switch is on. Nothing was written; outcomes are still recorded.
    #[error("the stop switch is on")]
    Stopped,
    /// A guard did not hold. Nothing was written; the lease is still good.
    #[error("{0}")]
    Refused(Refusal),
    /// The disk is full. Nothing was written; it may work later, the lease is still good.
    #[error("the disk of the store is full; nothing was written, free some space")]
    Full,
    /// The writer has stopped after an error; it is not known whether this was written. The process
    /// should end with 70 and begin again from what is durable.
    #[error("the store could not be written and the writer has stopped: {0}")]
    Dead(String),
    /// The append itself can not be written. Nothing was; the lease is still good.
    #[error("the entry can not be written: {0}")]
    Invalid(String),
}
