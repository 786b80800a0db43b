//! Backup and restore: a SQLite file on both stores.
//!
//! A backup of SQLite is made by SQLite itself; one of PostgreSQL is a copy of all rows in one
//! snapshot. A restore copies the same rows back, so a backup also moves a store between the two.

mod copy;

use std::path::{Path, PathBuf};

use beistand_core::entry::{Link, StreamKind, stream_name};
use beistand_core::incident::store;
use beistand_core::model::{Digest, EntryId, Millis};
use serde_json::json;

use crate::error::{OpenError, StoreError};
use crate::lock::{FileLock, beside, take_session};
use crate::migrate::{Found, inspect, migrate, new_epoch, read_meta};
use crate::open::Options;
use crate::place::{Place, check_safety};
use crate::read::Reader;
use crate::seal::{Seal, write_witness};
use crate::space::sync_directory;
use crate::sql::{Connection, params};
use crate::stream::Head;
use crate::table::Meta;
use crate::verify::{Broken, Verified};
use crate::writer::lease;

/// What a restore brought back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restored {
    /// The new epoch.
    pub epoch: String,
    /// Runs that had not ended; each is marked.
    pub unfinished: u64,
    /// What stood in the backup.
    pub verified: Verified,
    /// The time of its newest entry.
    pub newest: Option<Millis>,
    /// Where the store that was there is now.
    pub replaced: Option<PathBuf>,
    /// Printed codes and tokens that were good in the backup and are void now; absent where they were
    /// kept.
    pub voided: Option<u64>,
}

/// What becomes of the printed codes and tokens in a backup. It does not know which of them were used
/// up or taken back after it was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CodesAndTokens {
    /// None of them opens a door any more.
    Void,
    /// They are as good as they were: nothing was done since.
    Kept,
}

/// What [`mark`] made of a store.
struct Marked {
    meta: Meta,
    unfinished: u64,
    newest: Option<Millis>,
    voided: Option<u64>,
    seal: Seal,
}

fn file(path: &Path) -> impl Fn(std::io::Error) -> StoreError {
    move |source| StoreError::File { path: path.to_owned(), source }
}

fn failed(what: &'static str) -> impl Fn(sqlx::Error) -> StoreError {
    move |source| StoreError::Database { what, source }
}

/// Writes a consistent copy of the store to a new SQLite file, while it is used, and verifies it.
/// Seal before, so that the copy is anchored to its end. Refuses a file that is there.
pub async fn backup(reader: &Reader, to: &Path) -> Result<Verified, Broken> {
    let exists = || std::io::Error::from(std::io::ErrorKind::AlreadyExists);
    if to.exists() {
        return Err(Broken::Store(file(to)(exists())));
    }
    let part = beside(to, ".part");
    remove(&part)?;
    match reader.pool().own().await.map_err(failed("copy the store"))? {
        from @ Connection::Sqlite(_) => {
            vacuum(from, &part).await.map_err(failed("copy the store"))?;
        }
        mut from @ Connection::Postgres(_) => {
            let mut into = fresh(&part).await?;
            copy::all(&mut from, &mut into).await.map_err(failed("copy the store"))?;
            from.close().await.map_err(failed("copy the store"))?;
            single_file(into).await?;
        }
    }
    let verified = check_file(&part).await?;
    std::fs::File::open(&part).and_then(|part| part.sync_all()).map_err(file(&part))?;
    std::fs::rename(&part, to).map_err(file(to))?;
    sync_directory(to).map_err(file(to))?;
    Ok(verified)
}

/// Puts a backup in the place of the store at `url`. Refuses an owned store; sets a new epoch;
/// marks every run; leaves the stop switch on; ends all sessions. A SQLite store that was there is kept
/// beside it, as `<db>.replaced-1` or with the first number that is free.
pub async fn restore(
    from: &Path,
    url: &str,
    mut options: Options,
    codes_and_tokens: CodesAndTokens,
) -> Result<Restored, OpenError> {
    let place = Place::parse(url)?;
    if !from.exists() {
        return Err(OpenError::Missing(from.display().to_string()));
    }
    // Another kind of file is told from a backup that was changed.
    Reader::open(&format!("sqlite:{}", from.display())).await?.close().await;
    let verified = check_file(from).await.map_err(|broken| match broken {
        Broken::Store(error) => OpenError::Store(error),
        Broken::Entry { .. } | Broken::NotFound(_) => OpenError::Broken(broken.to_string()),
    })?;
    let mut replaced = None;
    let marked = match &place {
        Place::Sqlite(path) => {
            let _lock = FileLock::take(path)?;
            options.witness.get_or_insert_with(|| beside(path, ".witness"));
            let next = beside(path, ".restoring");
            remove(&next)?;
            copy_file(from, &next).await?;
            let mut connection = Place::Sqlite(next.clone())
                .connect()
                .await
                .map_err(failed("open the restored store"))?;
            let marked = mark(&mut connection, &options, codes_and_tokens).await?;
            single_file(connection).await?;
            replaced = put_in_place(&next, path)?;
            marked
        }
        Place::Postgres { .. } => {
            let mut connection =
                place.connect().await.map_err(failed("open the store to restore"))?;
            take_session(&mut connection).await?;
            check_safety(&mut connection).await?;
            let found = inspect(&mut connection, &place).await?;
            migrate(&mut connection, found, options.now).await?;
            let source = Place::Sqlite(from.to_owned());
            let mut source = source.look().await.map_err(failed("open the backup"))?;
            copy::replace(&mut source, &mut connection).await.map_err(failed("restore"))?;
            source.close().await.map_err(failed("close the backup"))?;
            let marked = mark(&mut connection, &options, codes_and_tokens).await?;
            connection.script("commit").await.map_err(failed("restore"))?;
            connection.close().await.map_err(failed("close the restored store"))?;
            marked
        }
    };
    let Marked { meta, unfinished, newest, voided, seal } = marked;
    if let Some(witness) = &options.witness {
        write_witness(witness, &meta, &seal)?;
    }
    Ok(Restored { epoch: meta.epoch, unfinished, verified, newest, replaced, voided })
}

/// A new epoch, every unfinished run marked, nobody owns anything, the stop switch on, and an entry
/// that says so. On SQLite in a file that nobody knows yet, on PostgreSQL in the transaction that
/// copied the rows.
async fn mark(
    connection: &mut Connection,
    options: &Options,
    codes_and_tokens: CodesAndTokens,
) -> Result<Marked, OpenError> {
    let failed = failed("mark the restored store");
    let now = options.now.get();
    let row = connection.row("select max(at) from entry", Vec::new()).await.map_err(&failed)?;
    let newest = row.map(|mut row| row.maybe_int("entry.at")).transpose()?.flatten();
    let epoch = new_epoch(options.random)?;
    let sql = "select count(*) from run where ended_at is null";
    let row = connection.row(sql, Vec::new()).await.map_err(&failed)?;
    let unfinished = row.map(|mut row| row.int("run.count")).transpose()?.unwrap_or(0);
    let unfinished = u64::try_from(unfinished).unwrap_or(0);
    // Those that have ended too: what is taken back of them may have been taken back already.
    connection.execute("update run set restored = 1", Vec::new()).await.map_err(&failed)?;
    let sql = "update stream set owner = null, fence = fence + 1, due = $1
         where owner is not null or (kind = 'run'
             and id in (select id from run where ended_at is null))";
    connection.execute(sql, params![now]).await.map_err(&failed)?;
    let body = json!({"restored": true, "unfinished": unfinished}).to_string();
    let sql = "update meta set epoch = $1, restored_at = $2, stopped_at = coalesce(stopped_at, $2),
         stop_body = $3";
    connection.execute(sql, params![epoch.as_str(), now, body]).await.map_err(&failed)?;
    let meta = read_meta(connection).await?.ok_or_else(|| StoreError::Damaged {
        what: "meta",
        why: "the backup has no identity".to_owned(),
    })?;
    let mut random = [0; 10];
    (options.random)(&mut random).map_err(|error| OpenError::Unsafe(error.to_string()))?;
    let id = EntryId::at(options.now, &random);
    // Who had logged out since the backup must not be let in by it.
    connection.execute("delete from session", Vec::new()).await.map_err(&failed)?;
    let voided = match codes_and_tokens {
        CodesAndTokens::Void => Some(void(connection, options.now).await.map_err(&failed)?),
        CodesAndTokens::Kept => None,
    };
    let restored = store::Head::Restored { epoch: epoch.clone(), voided };
    let event = store::Event::new(restored, None);
    let (bytes, _) = store::encode(id, &[event]);
    let head = append(connection, &meta, options.now, bytes).await?;
    let seal = Seal { seq: head.seq, at: options.now, hash: head.hash };
    Ok(Marked { meta, unfinished, newest: newest.map(Millis::new), voided, seal })
}

/// Uses up every printed code and ends every token: one that was used, read by others or taken back
/// since the backup must not come to life again. Says how many still were good.
async fn void(connection: &mut Connection, now: Millis) -> Result<u64, sqlx::Error> {
    let sql = "update credential set used_at = $1 where kind = 'code' and used_at is null";
    let codes = connection.execute(sql, params![now.get()]).await?;
    // They end before all time: this machine's clock may be ahead, and once it is set right a token
    // that ends by it is good again. What had ended by it already ends anew, and is not counted.
    let sql = "update credential set until = 0
         where kind = 'token' and (until is null or until > $1)";
    let tokens = connection.execute(sql, params![now.get()]).await?;
    let sql = "update credential set until = 0 where kind = 'token' and until > 0";
    connection.execute(sql, Vec::new()).await?;
    Ok(codes + tokens)
}

/// An entry at the end of the store's own stream; nobody else is there.
async fn append(
    connection: &mut Connection,
    meta: &Meta,
    at: Millis,
    bytes: Vec<u8>,
) -> Result<Head, OpenError> {
    let failed = failed("write down the restore");
    let store = meta.store.to_string();
    let sql = "select no, kind, id, fence, seq, head from stream where kind = 'store' and id = $1";
    let row = connection.row(sql, params![store.as_str()]).await.map_err(&failed)?;
    let missing = || StoreError::Damaged { what: "stream", why: "the store has none".to_owned() };
    let end = lease(row.ok_or_else(missing)?)?;
    let seq = end.head.seq.saturating_add(1);
    let link = Link {
        prev: end.head.hash,
        stream: &stream_name(StreamKind::Store, &store),
        seq,
        at,
        head: &bytes,
        body_hash: Digest::ZERO,
    };
    let hash = link
        .hash()
        .map_err(|error| StoreError::Damaged { what: "entry.at", why: error.to_string() })?;
    let number = i64::try_from(seq).unwrap_or(i64::MAX);
    let sql = "insert into entry (stream, seq, at, head, body_hash, hash)
         values ($1, $2, $3, $4, $5, $6)";
    let params = params![
        end.stream.no,
        number,
        at.get(),
        bytes,
        &Digest::ZERO.as_bytes()[..],
        &hash.as_bytes()[..],
    ];
    connection.execute(sql, params).await.map_err(&failed)?;
    let sql = "update stream set seq = $2, head = $3 where no = $1";
    let params = params![end.stream.no, number, &hash.as_bytes()[..]];
    connection.execute(sql, params).await.map_err(&failed)?;
    Ok(Head { seq, hash })
}

/// A new store file with tables and without rows.
async fn fresh(path: &Path) -> Result<Connection, StoreError> {
    let place = Place::Sqlite(path.to_owned());
    let mut connection = place.connect().await.map_err(failed("make a store file"))?;
    match migrate(&mut connection, Found::Nothing, Millis::new(0)).await {
        Ok(()) => Ok(connection),
        Err(OpenError::Store(error)) => Err(error),
        Err(error) => {
            Err(StoreError::Damaged { what: "the new store file", why: error.to_string() })
        }
    }
}

/// All of it in the one file: no log beside it.
async fn single_file(mut connection: Connection) -> Result<(), StoreError> {
    let failed = failed("finish a store file");
    connection.rows("pragma journal_mode = delete", Vec::new()).await.map_err(&failed)?;
    connection.close().await.map_err(&failed)
}

/// The full check: SQLite's own, and every chain.
async fn check_file(path: &Path) -> Result<Verified, Broken> {
    let damaged = |why: String| StoreError::Damaged { what: "the file", why };
    let url = format!("sqlite:{}", path.display());
    let reader = Reader::open(&url).await.map_err(|error| damaged(error.to_string()))?;
    let rows = reader.pool().rows("check the file", "pragma integrity_check", Vec::new()).await?;
    for mut row in rows {
        let words = row.text("integrity_check")?;
        if words != "ok" {
            return Err(Broken::Store(damaged(words)));
        }
    }
    let verified = crate::verify::store(&reader, None).await;
    reader.close().await;
    verified
}

/// SQLite's own consistent copy. The connection can only read; the copy is another file.
async fn vacuum(mut from: Connection, to: &Path) -> Result<(), sqlx::Error> {
    from.script("pragma query_only = off").await?;
    let name = to.to_string_lossy().into_owned();
    from.rows("vacuum into $1", params![name]).await?;
    from.close().await
}

async fn copy_file(from: &Path, to: &Path) -> Result<(), StoreError> {
    let failed = failed("copy the backup");
    let look = Place::Sqlite(from.to_owned()).look().await.map_err(&failed)?;
    vacuum(look, to).await.map_err(&failed)?;
    std::fs::File::open(to).and_then(|copy| copy.sync_all()).map_err(file(to))
}

/// The old store is kept. Its log goes first: SQLite would play it into the file that takes its
/// place.
fn put_in_place(next: &Path, path: &Path) -> Result<Option<PathBuf>, StoreError> {
    let free = |number: &u32| !beside(path, &format!(".replaced-{number}")).exists();
    let number = (1..u32::MAX).find(free).unwrap_or(u32::MAX);
    let replaced = beside(path, &format!(".replaced-{number}"));
    for suffix in ["-wal", "-shm", ""] {
        let old = beside(path, suffix);
        if old.exists() {
            let kept = beside(&replaced, suffix);
            std::fs::rename(&old, &kept).map_err(file(&kept))?;
        }
    }
    sync_directory(path).map_err(file(path))?;
    std::fs::rename(next, path).map_err(file(path))?;
    sync_directory(path).map_err(file(path))?;
    Ok(replaced.exists().then_some(replaced))
}

fn remove(path: &Path) -> Result<(), StoreError> {
    for path in [path.to_owned(), beside(path, "-wal"), beside(path, "-shm")] {
        let path: PathBuf = path;
        match std::fs::remove_file(&path) {
            Ok(()) => {}
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => return Err(file(&path)(error)),
        }
    }
    Ok(())
}
