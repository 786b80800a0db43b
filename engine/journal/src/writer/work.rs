//! What the writer does besides appending: claims, blobs, answers, seals.

use std::ops::ControlFlow;

use beistand_core::entry::StreamKind;
use beistand_core::model::{Digest, Millis};
use tokio::sync::oneshot;

use super::{Job, TRIES_MAX, Target, Writer, digest};
use crate::append::{Gate, Next, Urgency};
use crate::chain::Content;
use crate::error::{AppendError, StoreError};
use crate::seal::{self, Seal};
use crate::sql::{Failure, Param, Row, params};
use crate::stream::{Head, Lease, Stream};
use crate::version::Touches;

/// Where an answer goes.
type Answer<T> = oneshot::Sender<Result<T, StoreError>>;

/// Asked of the writer by [`crate::Journal`].
#[derive(Debug)]
pub(crate) enum Work {
    Claim {
        now: Millis,
        limit: u32,
        answer: Answer<Vec<Lease>>,
    },
    ClaimStream {
        kind: StreamKind,
        id: String,
        answer: Answer<Option<Lease>>,
    },
    Release {
        lease: Lease,
        due: Option<Millis>,
        answer: Answer<bool>,
    },
    PutBlob {
        digest: Digest,
        bytes: Vec<u8>,
        answer: Answer<()>,
    },
    AnswerCommand {
        id: String,
        text: String,
        at: Millis,
        answer: Answer<()>,
    },
    Erase {
        kind: StreamKind,
        id: String,
        seq: u64,
        answer: Answer<bool>,
    },
    /// A statement that commits by itself and tells no story.
    Direct {
        what: &'static str,
        sql: &'static str,
        params: Vec<Param>,
        touches: Touches,
        answer: Answer<Vec<Row>>,
    },
    Seal {
        now: Millis,
        answer: Answer<Option<Seal>>,
    },
    Close {
        now: Millis,
        answer: Answer<()>,
    },
}

impl Writer {
    /// Does one piece of work; breaks after the last one.
    pub(super) async fn work(&mut self, work: Work) -> ControlFlow<()> {
        match work {
            Work::Claim { now, limit, answer } => {
                let claim = self.connection.dialect().claim;
                let params = params![now.get(), self.node, i64::from(limit)];
                let rows = self.tried("claim streams", claim, params).await;
                told(answer, rows.and_then(|rows| rows.into_iter().map(lease).collect()));
            }
            Work::ClaimStream { kind, id, answer } => {
                let sql = "update stream set owner = $3, fence = fence + 1, due = null
                     where kind = $1 and id = $2 and owner is null
                     returning no, kind, id, fence, seq, head";
                let params = params![kind.as_str(), id, self.node];
                let rows = self.tried("claim a stream", sql, params).await;
                told(answer, rows.and_then(|rows| rows.into_iter().next().map(lease).transpose()));
            }
            Work::Release { lease, due, answer } => {
                // As in the hot write: the earlier of a wake-up in the meantime and `due`.
                let sql = "update stream set owner = null, fence = fence + 1,
                         due = case when $3 is null or due < $3 then due else $3 end
                     where no = $1 and fence = $2 and owner is not null returning no";
                let params = params![lease.stream.no, lease.fence, due.map(Millis::get)];
                let rows = self.tried("release a stream", sql, params).await;
                told(answer, rows.map(|rows| !rows.is_empty()));
            }
            Work::PutBlob { digest, bytes, answer } => {
                let sql = "insert into blob (digest, bytes) values ($1, $2)
                     on conflict (digest) do nothing";
                self.log_pages += bytes.len() as u64 / 4096;
                let params = params![&digest.as_bytes()[..], bytes];
                told(answer, self.tried("keep a blob", sql, params).await.map(|_| ()));
            }
            Work::AnswerCommand { id, text, at, answer } => {
                let sql = "update command set answer = $2, answered_at = $3
                     where id = $1 and answered_at is null";
                let params = params![id, text, at.get()];
                told(answer, self.tried("answer a command", sql, params).await.map(|_| ()));
            }
            Work::Erase { kind, id, seq, answer } => {
                let sql = "update entry set body = null, salt = null where body is not null
                         and stream = (select no from stream where kind = $1 and id = $2)
                         and seq = $3 returning no";
                let seq = i64::try_from(seq).unwrap_or(i64::MAX);
                let params = params![kind.as_str(), id, seq];
                let rows = self.tried("erase a body", sql, params).await;
                told(answer, rows.map(|rows| !rows.is_empty()));
            }
            Work::Direct { what, sql, params, touches, answer } => {
                let done = self.tried(what, sql, params).await;
                // Whatever became of it, and before whoever asked hears of it.
                if touches.moves_version() {
                    self.versions.access_moves();
                }
                told(answer, done);
            }
            Work::Seal { now, answer } => {
                let sealed = self.seal(now).await;
                told(answer, sealed);
            }
            Work::Close { now, answer } => {
                let sealed = self.seal(now).await;
                self.requests.close();
                told(answer, sealed.map(|_| ()));
                return ControlFlow::Break(());
            }
        }
        ControlFlow::Continue(())
    }

    /// One statement that commits by itself. Each may be repeated: after a lost connection it
    /// is sent again.
    async fn tried(
        &mut self,
        what: &'static str,
        sql: &'static str,
        params: Vec<Param>,
    ) -> Result<Vec<Row>, StoreError> {
        let mut tries = 0;
        loop {
            if self.dead.is_some() {
                return Err(StoreError::Dead);
            }
            tries += 1;
            let source = match self.connection.rows(sql, params.clone()).await {
                Ok(rows) => {
                    self.log_pages += 2;
                    return Ok(rows);
                }
                Err(source) => source,
            };
            match Failure::of(&source) {
                Failure::Full => return Err(StoreError::Full),
                Failure::Busy if tries < TRIES_MAX => {}
                Failure::Lost(_) if tries < TRIES_MAX => {
                    if let Err(why) = self.reconnected().await {
                        self.die(&why);
                    }
                }
                Failure::Bad(_) | Failure::Busy => {
                    return Err(StoreError::Database { what, source });
                }
                Failure::Lost(why) | Failure::Fatal(why) => self.die(&why),
            }
        }
    }

    /// Seals all heads that changed, renews the witness.
    async fn seal(&mut self, now: Millis) -> Result<Option<Seal>, StoreError> {
        let own = self.meta.store.to_string();
        let changed = std::mem::take(&mut self.changed);
        if changed.is_empty() {
            return Ok(None);
        }
        let heads: Vec<(&Stream, Head)> = changed
            .values()
            // The chain of the store's own stream binds what came before the seal.
            .filter(|(stream, _)| stream.kind != StreamKind::Store)
            .map(|(stream, head)| (stream, *head))
            .collect();
        let mut sealed = None;
        for head in seal::heads(&self.meta.epoch, &heads) {
            match self.append_to_store(&own, now, head).await {
                Ok(lease) => {
                    sealed = Some(Seal { seq: lease.head.seq, at: now, hash: lease.head.hash });
                    self.changed.remove(&lease.stream.no);
                }
                Err(error) => {
                    self.changed.extend(changed);
                    return Err(error);
                }
            }
        }
        self.at("after_seal");
        if let (Some(seal), Some(path)) = (&sealed, &self.options.witness) {
            seal::write_witness(path, &self.meta, seal)?;
        }
        Ok(sealed)
    }

    async fn append_to_store(
        &mut self,
        store: &str,
        at: Millis,
        head: Vec<u8>,
    ) -> Result<Lease, StoreError> {
        let invalid = |error: AppendError| StoreError::Damaged {
            what: "the store's stream",
            why: error.to_string(),
        };
        let content = Content::new(at, head, None, self.options.random).map_err(invalid)?;
        let (answer, answered) = oneshot::channel();
        let stream = Stream::new(0, StreamKind::Store, store);
        self.append(vec![Job {
            target: Target::End { stream, tried: None },
            content,
            next: Next::Keep,
            gate: Gate::Open,
            // Seals come again: the reserve is for people.
            urgency: Urgency::Normal,
            guards: Vec::new(),
            changes: Vec::new(),
            answer,
        }])
        .await;
        match answered.await {
            Ok(Ok(lease)) => Ok(lease),
            Ok(Err(AppendError::Full)) => Err(StoreError::Full),
            Ok(Err(AppendError::Dead(_))) | Err(_) => Err(StoreError::Dead),
            Ok(Err(
                error @ (AppendError::LostOwnership { .. }
                | AppendError::Stopped
                | AppendError::Refused(_)
                | AppendError::Invalid(_)),
            )) => Err(invalid(error)),
        }
    }
}

/// An asker that does not wait any more is not told.
fn told<T>(answer: Answer<T>, result: Result<T, StoreError>) {
    if answer.send(result).is_err() {
        tracing::debug!("nobody waits for this answer any more");
    }
}

/// A row `no, kind, id, fence, seq, head`.
pub(crate) fn lease(mut row: Row) -> Result<Lease, StoreError> {
    let no = row.int("stream.no")?;
    let kind = kind(&row.text("stream.kind")?)?;
    let stream = Stream::new(no, kind, &row.text("stream.id")?);
    let fence = row.int("stream.fence")?;
    let seq = u64::try_from(row.int("stream.seq")?).unwrap_or(0);
    let hash = digest(&row.bytes("stream.head")?, "stream.head")?;
    Ok(Lease { stream, fence, head: Head { seq, hash } })
}

/// The kind behind its word.
pub(crate) fn kind(word: &str) -> Result<StreamKind, StoreError> {
    let unknown = |_| StoreError::Damaged { what: "stream.kind", why: word.to_owned() };
    word.parse().map_err(unknown)
}
