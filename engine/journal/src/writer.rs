//! The writer: one task that owns the one writing connection.
//!
//! It takes what waits, up to [`BATCH_MAX`], without waiting for more; writes all of it in one
//! transaction; commits; then acknowledges. A commit is never inside `select!` or a timeout. After
//! an I/O error nobody is acknowledged any more.

mod batch;
mod work;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use beistand_core::model::Digest;
use tokio::sync::{mpsc, oneshot};

use crate::append::{Append, Gate, Next, Urgency};
use crate::chain::Content;
use crate::change::Change;
use crate::counters::Counters;
use crate::error::AppendError;
use crate::guard::{Guard, Refusal};
use crate::lock::FileLock;
use crate::open::Options;
use crate::place::Place;
use crate::space::Reserve;
use crate::sql::{Connection, Failure};
use crate::stream::{Head, Lease, Stream};
use crate::table::Meta;
use crate::version::Versions;

pub(crate) use work::{Work, kind, lease};

/// Appends in one transaction. Larger ones cost more waiting than they save in commits.
const BATCH_MAX: usize = 256;
/// Bytes in one transaction: bounds the writer's memory when outputs are large.
const BATCH_BYTES_MAX: usize = 8 << 20;
/// Appends that wait; a full queue makes appenders wait.
pub(crate) const QUEUE_MAX: usize = 1024;
/// How often a transaction that met another process's lock or a lost server is tried again.
const TRIES_MAX: u32 = 10;
/// Pages in SQLite's log after which it is written back and begun anew: a sync while the log grows
/// takes twice as long as one that writes over it. As many as SQLite's own default.
const CHECKPOINT_PAGES: u64 = 1000;
/// Pages that a commit was seen to write, and how many more with each of its entries.
const PAGES_PER_COMMIT: u64 = 3;
const PAGES_PER_ENTRY: u64 = 1;

/// Where an append goes, as far as it is known before the transaction.
#[derive(Debug)]
pub(crate) enum Target {
    /// Its head is known, and so is the new one.
    Known { lease: Lease, new: Head },
    /// A new stream; the number comes in the transaction.
    New { stream: Stream, new: Head },
    /// After whatever is there; all comes in the transaction.
    End {
        stream: Stream,
        /// What was tried last, to be read back if the answer is lost.
        tried: Option<Head>,
    },
}

/// An append that waits.
#[derive(Debug)]
pub(crate) struct Job {
    pub(crate) target: Target,
    pub(crate) content: Content,
    pub(crate) next: Next,
    pub(crate) gate: Gate,
    pub(crate) urgency: Urgency,
    pub(crate) guards: Vec<Guard>,
    pub(crate) changes: Vec<Change>,
    pub(crate) answer: oneshot::Sender<Result<Lease, AppendError>>,
}

impl Job {
    pub(crate) fn stream(&self) -> &Stream {
        match &self.target {
            Target::Known { lease, .. } => &lease.stream,
            Target::New { stream, .. } | Target::End { stream, .. } => stream,
        }
    }
    /// All of it is known before the transaction.
    fn asks_nothing(&self) -> bool {
        self.guards.is_empty()
            && match self.target {
                Target::Known { .. } | Target::New { .. } => true,
                Target::End { .. } => false,
            }
    }
}

/// What became of an append in a transaction that was committed.
#[derive(Debug)]
pub(crate) enum Verdict {
    Written(Lease),
    Lost,
    Stopped,
    Refused(Refusal),
    Invalid(String),
}

/// What the writer is asked.
#[derive(Debug)]
pub(crate) enum Request {
    Append(Box<Job>),
    Work(Box<Work>),
}

/// The writer's own.
#[derive(Debug)]
pub(crate) struct Writer {
    pub(crate) connection: Connection,
    pub(crate) place: Place,
    pub(crate) options: Options,
    pub(crate) meta: Meta,
    /// Our row in `node`: owner of what we claim.
    pub(crate) node: i64,
    pub(crate) counters: Arc<Counters>,
    pub(crate) versions: Arc<Versions>,
    pub(crate) requests: mpsc::Receiver<Request>,
    /// Taken from the queue, but not in the batch they met.
    pub(crate) later: VecDeque<Request>,
    /// Heads that changed since the last seal.
    pub(crate) changed: BTreeMap<i64, (Stream, Head)>,
    /// Stream numbers that may be given out: from, until.
    pub(crate) numbers: (i64, i64),
    pub(crate) reserve: Option<Reserve>,
    /// While the disk is full: when it is looked at again.
    pub(crate) full: Option<tokio::time::Instant>,
    pub(crate) dead: Option<String>,
    /// Pages in SQLite's log since it was written back, estimated.
    pub(crate) log_pages: u64,
    /// Last, so that it is given back last.
    pub(crate) _lock: Option<FileLock>,
}

impl Writer {
    /// Works until it is told to close or nobody can ask any more.
    pub(crate) async fn run(mut self) {
        while let Some(request) = self.next().await {
            match request {
                Request::Append(first) => {
                    let batch = self.collect(*first);
                    self.append(batch).await;
                }
                Request::Work(work) => {
                    if self.work(*work).await.is_break() {
                        break;
                    }
                }
            }
            self.write_back().await;
        }
        if let Err(error) = self.connection.close().await {
            tracing::warn!(%error, "the store did not close in order");
        }
    }

    async fn next(&mut self) -> Option<Request> {
        match self.later.pop_front() {
            Some(request) => Some(request),
            None => self.requests.recv().await,
        }
    }

    /// What waits and can share a transaction: one append a stream, none that could contradict
    /// another's guards. What can not stays in order for the next one.
    fn collect(&mut self, first: Job) -> Vec<Job> {
        let mut streams = BTreeSet::from([first.stream().name.clone()]);
        let mut keys: BTreeSet<String> = first.guards.iter().map(Guard::key).collect();
        let mut bytes = first.content.len();
        let mut batch = vec![first];
        let mut left = std::mem::take(&mut self.later);
        let mut barred = false;
        while batch.len() < BATCH_MAX && bytes < BATCH_BYTES_MAX && !barred {
            let Some(request) = left.pop_front().or_else(|| self.requests.try_recv().ok()) else {
                break;
            };
            match request {
                Request::Append(job) => {
                    let theirs: Vec<String> = job.guards.iter().map(Guard::key).collect();
                    if streams.contains(&job.stream().name)
                        || theirs.iter().any(|key| keys.contains(key))
                    {
                        // Its stream and keys are taken for those behind it too: order is kept.
                        streams.insert(job.stream().name.clone());
                        keys.extend(theirs);
                        self.later.push_back(Request::Append(job));
                        barred = self.later.len() >= BATCH_MAX;
                    } else {
                        streams.insert(job.stream().name.clone());
                        keys.extend(theirs);
                        bytes += job.content.len();
                        batch.push(*job);
                    }
                }
                Request::Work(work) => {
                    self.later.push_back(Request::Work(work));
                    barred = true;
                }
            }
        }
        self.later.append(&mut left);
        batch
    }

    /// Writes a batch and answers each append in it.
    async fn append(&mut self, batch: Vec<Job>) {
        let (mut batch, refused) = self.admitted(batch);
        for job in refused {
            self.counters.full.fetch_add(1, Ordering::Relaxed);
            reply(job, Err(AppendError::Full));
        }
        let mut tries = 0;
        while !batch.is_empty() {
            if let Some(why) = &self.dead {
                let why = why.clone();
                batch.drain(..).for_each(|job| reply(job, Err(AppendError::Dead(why.clone()))));
                return;
            }
            tries += 1;
            let failure = match self.transact(&mut batch).await {
                Ok(verdicts) => return self.acknowledge(batch, verdicts),
                Err(failure) => failure,
            };
            self.roll_back().await;
            match failure {
                Failure::Full => batch = self.disk_is_full(batch),
                Failure::Busy if tries < TRIES_MAX => {}
                Failure::Bad(_) if batch.len() > 1 => {
                    // One of them spoils it for all: each by itself.
                    for job in std::mem::take(&mut batch) {
                        Box::pin(self.append(vec![job])).await;
                    }
                }
                Failure::Bad(why) => batch
                    .drain(..)
                    .for_each(|job| reply(job, Err(AppendError::Invalid(why.clone())))),
                Failure::Lost(why) if tries < TRIES_MAX => match self.settle(&batch).await {
                    Ok(Some(verdicts)) => return self.acknowledge(batch, verdicts),
                    Ok(None) => tracing::warn!(why, "the store was lost and found again"),
                    Err(why) => self.die(&why),
                },
                Failure::Lost(why) | Failure::Fatal(why) => self.die(&why),
                Failure::Busy => self.die("another process keeps the store locked"),
            }
        }
    }

    /// Those that may be written, and those that are refused because the disk is full.
    fn admitted(&mut self, batch: Vec<Job>) -> (Vec<Job>, Vec<Job>) {
        let Some(again) = self.full else { return (batch, Vec::new()) };
        let now = tokio::time::Instant::now();
        if now >= again {
            if self.reserve.as_ref().is_none_or(|reserve| reserve.make().is_ok()) {
                tracing::info!("the disk of the store has space again");
                self.full = None;
                return (batch, Vec::new());
            }
            self.full = Some(now + Duration::from_secs(1));
        }
        batch.into_iter().partition(|job| job.urgency == Urgency::Urgent)
    }

    /// Refuses what is not urgent; gives the reserve free for what is.
    fn disk_is_full(&mut self, batch: Vec<Job>) -> Vec<Job> {
        tracing::error!("the disk of the store is full");
        self.full = Some(tokio::time::Instant::now() + Duration::from_secs(1));
        let held = self.reserve.as_ref().is_some_and(Reserve::is_held);
        let (urgent, refused): (Vec<Job>, Vec<Job>) =
            batch.into_iter().partition(|job| held && job.urgency == Urgency::Urgent);
        if let (Some(reserve), false) = (&self.reserve, urgent.is_empty()) {
            reserve.release();
        }
        for job in refused {
            self.counters.full.fetch_add(1, Ordering::Relaxed);
            reply(job, Err(AppendError::Full));
        }
        urgent
    }

    fn acknowledge(&mut self, batch: Vec<Job>, verdicts: Vec<Verdict>) {
        self.at("after_commit");
        for job in &batch {
            self.versions.tried(job.stream(), &job.changes);
        }
        let mut written = 0;
        for (job, verdict) in batch.into_iter().zip(verdicts) {
            let result = match verdict {
                Verdict::Written(lease) => {
                    written += 1;
                    self.log_pages += PAGES_PER_ENTRY + job.content.len() as u64 / 4096;
                    self.changed.insert(lease.stream.no, (lease.stream.clone(), lease.head));
                    Ok(lease)
                }
                Verdict::Lost => {
                    Err(AppendError::LostOwnership { stream: job.stream().name().to_owned() })
                }
                Verdict::Stopped => Err(AppendError::Stopped),
                Verdict::Refused(refusal) => Err(AppendError::Refused(refusal)),
                Verdict::Invalid(why) => Err(AppendError::Invalid(why)),
            };
            if result.is_err() {
                self.counters.refused.fetch_add(1, Ordering::Relaxed);
            }
            reply(job, result);
        }
        if written > 0 {
            self.log_pages += PAGES_PER_COMMIT;
            self.counters.committed(written);
        }
    }

    /// After this nobody is acknowledged any more.
    pub(crate) fn die(&mut self, why: &str) {
        tracing::error!(why, "the store could not be written; the writer has stopped");
        self.dead = Some(why.to_owned());
        // Whether what was to be written stands there nobody knows.
        self.versions.all_move();
    }

    pub(crate) async fn roll_back(&mut self) {
        // SQLite has rolled back by itself after some errors; then there is nothing to do.
        if let Err(error) = self.connection.script("rollback").await {
            tracing::debug!(%error, "nothing to roll back");
        }
    }

    pub(crate) fn at(&self, place: &'static str) {
        if let Some(crash_point) = self.options.crash_point {
            crash_point(place);
        }
    }

    /// Writes SQLite's log back into the file. Done here and not by SQLite itself, which would
    /// ignore a failed sync and drop the log after the next one.
    async fn write_back(&mut self) {
        if self.log_pages < CHECKPOINT_PAGES || self.dead.is_some() {
            return;
        }
        self.log_pages = 0;
        if let Connection::Sqlite(_) = self.connection {
            let sql = "pragma wal_checkpoint(passive)";
            match self.connection.rows(sql, Vec::new()).await.map_err(Failure::from) {
                Ok(_) | Err(Failure::Full | Failure::Busy) => {}
                Err(Failure::Bad(why) | Failure::Lost(why) | Failure::Fatal(why)) => self.die(&why),
            }
        }
    }
}

/// An appender that does not wait any more is not told; its entry stands all the same.
fn reply(job: Job, result: Result<Lease, AppendError>) {
    if job.answer.send(result).is_err() {
        tracing::debug!("nobody waits for this append any more");
    }
}

/// What an [`Append`] becomes before it is queued.
pub(crate) fn job(
    append: Append,
    random: crate::open::Random,
    answer: oneshot::Sender<Result<Lease, AppendError>>,
) -> Result<Job, AppendError> {
    crate::apply::check(&append.changes)?;
    let content = Content::new(append.at, append.head, append.body, random)?;
    let target = match append.to {
        crate::append::To::Lease(lease) => {
            let new = content.after(&lease.stream.name, lease.head)?;
            Target::Known { lease, new }
        }
        crate::append::To::New { kind, id } => {
            let stream = Stream::new(0, kind, &id);
            let new = content.after(&stream.name, Head::START)?;
            Target::New { stream, new }
        }
        crate::append::To::End { kind, id } => {
            Target::End { stream: Stream::new(0, kind, &id), tried: None }
        }
    };
    Ok(Job {
        target,
        content,
        next: append.next,
        gate: append.gate,
        urgency: append.urgency,
        guards: append.guards,
        changes: append.changes,
        answer,
    })
}

/// A hash as the store keeps it.
pub(crate) fn digest(bytes: &[u8], what: &'static str) -> Result<Digest, crate::error::StoreError> {
    let bytes: [u8; 32] = bytes.try_into().map_err(|_| crate::error::StoreError::Damaged {
        what,
        why: format!("{} bytes instead of 32", bytes.len()),
    })?;
    Ok(Digest::from_bytes(bytes))
}
