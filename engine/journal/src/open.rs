//! Opening a store: ownership, safety checks, migration, identity, witness.

use std::collections::{BTreeMap, VecDeque};
use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};

use beistand_core::entry::StreamKind;
use beistand_core::model::{Digest, Millis, digest_of_bytes};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

use crate::append::{Append, Appended};
use crate::counters::{Counters, Metrics};
use crate::error::{AppendError, OpenError, StoreError};
use crate::lock::{FileLock, beside, take_session};
use crate::migrate::{identity, inspect, migrate};
use crate::place::{DOORS_MAX, Place, READERS_MAX, check_safety};
use crate::read::Reader;
use crate::seal::{NEWEST_SEAL, SEAL_END, Seal, check_witness, check_writable};
use crate::space::Reserve;
use crate::sql::{Connection, Pool, params};
use crate::stream::{Head, Lease, Stream};
use crate::table::Meta;
use crate::version::{RunChanges, Versions};
use crate::writer::{QUEUE_MAX, Request, Work, Writer, job, lease};

/// Fills a buffer with random bytes for salts, ids and the epoch.
pub type Random = fn(&mut [u8]) -> Result<(), getrandom::Error>;

/// What opening needs from outside.
#[derive(Debug, Clone)]
pub struct Options {
    /// Now, for what is made at opening.
    pub now: Millis,
    /// Where salts and ids come from.
    pub random: Random,
    /// Where the newest seal is kept; see [`crate::witness_of`]. Default for SQLite: `<db>.witness`;
    /// for PostgreSQL none.
    pub witness: Option<PathBuf>,
    /// Called at named places of the writer, so that a test can end the process exactly there:
    /// `before_commit`, `after_commit`, `after_seal`.
    pub crash_point: Option<fn(&'static str)>,
}

impl Options {
    /// Randomness from the operating system, the default witness.
    pub fn new(now: Millis) -> Self {
        Self { now, random: getrandom::fill, witness: None, crash_point: None }
    }
}

/// An owned store. Cheap to clone; [`Journal::close`], or the end of the last clone, gives the
/// store back.
#[derive(Debug, Clone)]
pub struct Journal {
    requests: mpsc::Sender<Request>,
    reader: Reader,
    doors: Reader,
    pages: Reader,
    random: Random,
    counters: Arc<Counters>,
    versions: Arc<Versions>,
    writer: Arc<Mutex<Option<JoinHandle<()>>>>,
}

impl Journal {
    /// Takes ownership of the store at `url`, `sqlite:PATH` or `postgres://…`; makes it if there is
    /// none, migrates it forward, checks it against its witness. All streams of a former owner
    /// become claimable at once.
    pub async fn open(url: &str, mut options: Options) -> Result<Self, OpenError> {
        let place = Place::parse(url)?;
        let lock = match &place {
            Place::Sqlite(path) => {
                options.witness.get_or_insert_with(|| beside(path, ".witness"));
                Some(FileLock::take(path)?)
            }
            Place::Postgres { .. } => None,
        };
        let (mut connection, meta) = ready(&place, &options).await?;
        if let Some(witness) = &options.witness {
            check_writable(witness)?;
            check_witness(&mut connection, witness, &meta).await?;
        }
        let failed = |source| StoreError::Database { what: "take over the store", source };
        let node = boot(&mut connection, &meta, &options).await.map_err(failed)?;
        connection.made_writer().await.map_err(failed)?;
        let changed = unsealed(&mut connection).await?;
        let reserve = match &place {
            Place::Sqlite(path) => Some(Reserve::new(path)),
            Place::Postgres { .. } => None,
        };
        let counters = Arc::new(Counters::default());
        let versions = Arc::new(Versions::default());
        let (sender, requests) = mpsc::channel(QUEUE_MAX);
        let reader = Reader::new(place.readers(READERS_MAX), meta.clone());
        let doors = Reader::new(place.readers(DOORS_MAX), meta.clone());
        let pages = Reader::new(place.readers(READERS_MAX), meta.clone());
        let random = options.random;
        let writer = Writer {
            connection,
            place,
            options,
            meta,
            node,
            counters: Arc::clone(&counters),
            versions: Arc::clone(&versions),
            requests,
            later: VecDeque::new(),
            changed,
            numbers: (0, 0),
            reserve,
            full: None,
            dead: None,
            log_pages: 0,
            _lock: lock,
        };
        let writer = Arc::new(Mutex::new(Some(tokio::spawn(writer.run()))));
        Ok(Self { requests: sender, reader, doors, pages, random, counters, versions, writer })
    }

    /// Every question that can be asked.
    pub const fn reader(&self) -> &Reader {
        &self.reader
    }

    /// The same, asked who somebody is and what they may: with connections of its own, so that nobody
    /// waits there behind what others read.
    pub const fn doors(&self) -> &Reader {
        &self.doors
    }

    /// The same, for what people look at: however many they are, what goes on reads beside them.
    pub const fn pages(&self) -> &Reader {
        &self.pages
    }

    /// Who the store is, as it was when it was opened.
    pub fn meta(&self) -> &Meta {
        self.reader.opened()
    }

    /// Whether nobody else can have written since this was opened: a file's lock is never lost, the
    /// session of a server may be.
    pub const fn is_alone(&self) -> bool {
        matches!(self.reader.pool(), Pool::Sqlite(_))
    }

    /// Changes with everything that may change what accounts may do, before whoever asked for it hears
    /// that it is done: what [`Reader`] says of them after this was asked for is true as long as it
    /// stays the same. None where somebody else may write.
    pub fn access_version(&self) -> Option<u64> {
        self.is_alone().then(|| self.versions.access())
    }

    /// The same for each run, of what [`Reader::run_version`] says.
    pub fn run_changes(&self) -> Option<RunChanges> {
        self.is_alone().then(|| RunChanges::new(Arc::clone(&self.versions)))
    }

    /// Writes one entry and what follows from it. Returns when it is durable.
    ///
    /// Whoever stops waiting does not take it back: it may be written all the same.
    pub async fn append(&self, append: Append) -> Result<Appended, AppendError> {
        let (answer, answered) = oneshot::channel();
        let job = job(append, self.random, answer)?;
        let stopped = || AppendError::Dead("it was closed".to_owned());
        self.requests.send(Request::Append(Box::new(job))).await.map_err(|_| stopped())?;
        let lease = answered.await.map_err(|_| stopped())??;
        Ok(Appended { lease })
    }

    /// Takes up to `limit` streams that are due and that nobody owns; the longest due first.
    pub async fn claim(&self, now: Millis, limit: u32) -> Result<Vec<Lease>, StoreError> {
        self.ask(|answer| Work::Claim { now, limit, answer }).await
    }

    /// Takes this one, due or not. `None` if it is owned or does not exist.
    pub async fn claim_stream(
        &self,
        kind: StreamKind,
        id: &str,
    ) -> Result<Option<Lease>, StoreError> {
        self.ask(|answer| Work::ClaimStream { kind, id: id.to_owned(), answer }).await
    }

    /// Gives a stream back without an entry; claimable from `due` on. `false` if the lease was void.
    pub async fn release(&self, lease: Lease, due: Option<Millis>) -> Result<bool, StoreError> {
        self.ask(|answer| Work::Release { lease, due, answer }).await
    }

    /// Keeps bytes under their digest, durable on return. The same bytes twice are kept once.
    pub async fn put_blob(&self, bytes: Vec<u8>) -> Result<Digest, StoreError> {
        let digest = digest_of_bytes(&bytes);
        self.ask(|answer| Work::PutBlob { digest, bytes, answer }).await?;
        Ok(digest)
    }

    /// Answers a command without an entry.
    pub async fn answer(
        &self,
        command: &str,
        answer: String,
        at: Millis,
    ) -> Result<(), StoreError> {
        let (id, text) = (command.to_owned(), answer);
        self.ask(|answer| Work::AnswerCommand { id, text, at, answer }).await
    }

    /// Erases the body of an entry without an entry that says so; prefer
    /// [`crate::Change::EraseBody`]. `false` if there was none.
    pub async fn erase_body(
        &self,
        kind: StreamKind,
        id: &str,
        seq: u64,
    ) -> Result<bool, StoreError> {
        self.ask(|answer| Work::Erase { kind, id: id.to_owned(), seq, answer }).await
    }

    /// Seals all heads that changed since the last seal and renews the witness. `None` if nothing
    /// changed. Call it every 10 s.
    pub async fn seal(&self, now: Millis) -> Result<Option<Seal>, StoreError> {
        self.ask(|answer| Work::Seal { now, answer }).await
    }

    /// What the writer did so far.
    pub fn metrics(&self) -> Metrics {
        let read = |counter: &std::sync::atomic::AtomicU64| counter.load(Ordering::Relaxed);
        Metrics {
            commits: read(&self.counters.commits),
            entries: read(&self.counters.entries),
            batch_max: read(&self.counters.batch_max),
            refused: read(&self.counters.refused),
            full: read(&self.counters.full),
            queue: (QUEUE_MAX - self.requests.capacity()) as u64,
            queue_max: QUEUE_MAX as u64,
        }
    }

    /// Seals, stops the writer and gives the store back. Appends that still wait are answered
    /// before.
    pub async fn close(self, now: Millis) -> Result<(), StoreError> {
        // Readers first: the last connection writes the log back and takes it away.
        self.reader.close().await;
        self.doors.close().await;
        self.pages.close().await;
        let sealed = self.ask(|answer| Work::Close { now, answer }).await;
        let writer = self.writer.lock().ok().and_then(|mut writer| writer.take());
        if let Some(writer) = writer {
            writer.await.map_err(|_| StoreError::Dead)?;
        }
        sealed
    }

    pub(crate) async fn ask<T>(
        &self,
        work: impl FnOnce(oneshot::Sender<Result<T, StoreError>>) -> Work,
    ) -> Result<T, StoreError> {
        let (answer, answered) = oneshot::channel();
        let request = Request::Work(Box::new(work(answer)));
        self.requests.send(request).await.map_err(|_| StoreError::Dead)?;
        answered.await.map_err(|_| StoreError::Dead)?
    }
}

/// Connects as owner: checked, migrated, with an identity.
pub(crate) async fn ready(
    place: &Place,
    options: &Options,
) -> Result<(Connection, Meta), OpenError> {
    let failed = |source| StoreError::Database { what: "open", source };
    if place.exists() {
        // A look first: connecting as owner would turn a foreign file into our kind.
        let mut look = place.look().await.map_err(failed)?;
        let found = inspect(&mut look, place).await;
        look.close().await.map_err(failed)?;
        found?;
    }
    let mut connection = place.connect().await.map_err(failed)?;
    if let Place::Postgres { .. } = place {
        take_session(&mut connection).await?;
    }
    check_safety(&mut connection).await?;
    let found = inspect(&mut connection, place).await?;
    migrate(&mut connection, found, options.now).await?;
    let meta = identity(&mut connection, options).await?;
    Ok((connection, meta))
}

/// Writes down who owns the store now, and frees what a former owner held: we have the lock, so
/// nobody else can still be driving.
async fn boot(
    connection: &mut Connection,
    meta: &Meta,
    options: &Options,
) -> Result<i64, sqlx::Error> {
    let sql = "insert into node (boot, epoch, opened_at) values ($1, $2, $3) returning no";
    let boot = format!("process {}", std::process::id());
    let row = connection.row(sql, params![boot, meta.epoch.as_str(), options.now.get()]).await?;
    let node = row.and_then(|mut row| row.int("node.no").ok()).unwrap_or(0);
    let sql = "update stream set owner = null, fence = fence + 1, due = $1 where owner is not null";
    connection.execute(sql, params![options.now.get()]).await?;
    Ok(node)
}

/// Heads that changed after the newest seal.
async fn unsealed(
    connection: &mut Connection,
) -> Result<BTreeMap<i64, (Stream, Head)>, StoreError> {
    let failed = |source| StoreError::Database { what: "find what is not sealed", source };
    let row = connection.row(NEWEST_SEAL, params![SEAL_END]).await.map_err(failed)?;
    let after = match row {
        Some(row) => match row.cells().pop() {
            Some(crate::sql::Cell::Int(no)) => no,
            Some(_) | None => 0,
        },
        None => 0,
    };
    let sql = "select no, kind, id, fence, seq, head from stream
         where no in (select stream from entry where no > $1)";
    let rows = connection.rows(sql, params![after]).await.map_err(failed)?;
    rows.into_iter()
        .map(lease)
        .map(|lease| lease.map(|lease| (lease.stream.no, (lease.stream, lease.head))))
        .collect()
}
