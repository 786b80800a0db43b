//! One transaction of the writer.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::{Job, Target, Verdict, Writer, digest};
use crate::append::Gate;
use crate::apply::Changes;
use crate::chain::Write;
use crate::dialect::Transaction;
use crate::guards::refused;
use crate::migrate::read_meta;
use crate::sql::{Connection, Failure, Statement, params};
use crate::stream::{Head, Lease, Stream};

/// Where the first entry of a new stream finds it: empty, ours, fence 1.
const OPEN_STREAMS: &str = "
    insert into stream (no, kind, id, owner, fence, seq, head, due)
    select cast(w.value ->> 'no' as bigint), w.value ->> 'kind', w.value ->> 'id', $2, 1, 0,
        unhex('0000000000000000000000000000000000000000000000000000000000000000'), null
    from json_each($1) w where true on conflict (kind, id) do nothing";

/// A new stream whose first entry was not written is taken out again. `$1` to `$2` are the numbers
/// given out for this transaction; what else lies between has entries, for only the store's own
/// stream, number 1, is ever committed without.
const CLOSE_STREAMS: &str = "delete from stream where seq = 0 and no between $1 and $2";

const FIND_END: &str =
    "select no, fence, seq, head from stream where kind = $1 and id = $2 and owner is null";

/// Where each append stands while its transaction is made.
enum Plan {
    Write { lease: Lease, new: Head },
    Settled(Verdict),
}

impl Writer {
    /// Writes a batch in one transaction. On success it is committed.
    pub(super) async fn transact(&mut self, batch: &mut [Job]) -> Result<Vec<Verdict>, Failure> {
        self.at("before_commit");
        let begun = !batch.iter().all(Job::asks_nothing);
        if begun {
            self.connection.script(self.connection.dialect().begin).await?;
        }
        let plans = self.planned(batch).await?;
        let (before, after) = self.around(batch, &plans);
        let written = {
            let writes = writes(batch, &plans);
            let transaction = Transaction { begun, before, writes: &writes, after };
            self.connection.commit(transaction).await?
        };
        self.verdicts(batch, plans, written).await
    }

    /// Asks the guards, finds the ends of streams, numbers new ones.
    async fn planned(&mut self, batch: &mut [Job]) -> Result<Vec<Plan>, Failure> {
        let mut plans = Vec::with_capacity(batch.len());
        for job in batch {
            if let Some(refusal) = refused(&mut self.connection, &job.guards).await? {
                plans.push(Plan::Settled(Verdict::Refused(refusal)));
                continue;
            }
            plans.push(match &mut job.target {
                Target::Known { lease, new } => Plan::Write { lease: lease.clone(), new: *new },
                Target::New { stream, new } => {
                    stream.no = self.number().await?;
                    let lease = Lease { stream: stream.clone(), fence: 1, head: Head::START };
                    Plan::Write { lease, new: *new }
                }
                Target::End { stream, tried } => {
                    let found = end(&mut self.connection, stream).await?;
                    match found.map(|lease| (job.content.after(&stream.name, lease.head), lease)) {
                        Some((Ok(new), lease)) => {
                            *tried = Some(new);
                            Plan::Write { lease, new }
                        }
                        Some((Err(error), _)) => Plan::Settled(Verdict::Invalid(error.to_string())),
                        None => Plan::Settled(Verdict::Lost),
                    }
                }
            });
        }
        Ok(plans)
    }

    /// What comes before the entries and what follows from them. A change whose entry is not
    /// written does nothing.
    fn around(&self, batch: &[Job], plans: &[Plan]) -> (Vec<Statement>, Vec<Statement>) {
        let mut changes = Changes::default();
        let mut opened = Vec::new();
        let (mut first, mut last) = (i64::MAX, 0);
        for (job, plan) in batch.iter().zip(plans) {
            let Plan::Write { lease: Lease { stream, .. }, new } = plan else { continue };
            changes.add(stream.no, new.hash, &job.changes);
            if let Target::New { .. } = job.target {
                opened.push(
                    json!({"no": stream.no, "kind": stream.kind.as_str(), "id": stream.id()}),
                );
                (first, last) = (first.min(stream.no), last.max(stream.no));
            }
        }
        let mut after = changes.statements();
        if opened.is_empty() {
            return (Vec::new(), after);
        }
        let rows = Value::Array(opened).to_string();
        after.push(Statement { sql: CLOSE_STREAMS, params: params![first, last] });
        (vec![Statement { sql: OPEN_STREAMS, params: params![rows, self.node] }], after)
    }

    /// What became of each. Where an intent was not written, the stop switch is asked for.
    async fn verdicts(
        &mut self,
        batch: &[Job],
        plans: Vec<Plan>,
        written: Vec<i64>,
    ) -> Result<Vec<Verdict>, Failure> {
        let written: BTreeSet<i64> = written.into_iter().collect();
        let mut stopped = None;
        let mut verdicts = Vec::with_capacity(plans.len());
        for (job, plan) in batch.iter().zip(plans) {
            verdicts.push(match plan {
                Plan::Settled(verdict) => verdict,
                Plan::Write { lease, new } if written.contains(&lease.stream.no) => {
                    Verdict::Written(Lease { head: new, ..lease })
                }
                Plan::Write { .. } if job.gate == Gate::UnlessStopped => {
                    let stopped = match stopped {
                        Some(stopped) => stopped,
                        None => *stopped.insert(is_stopped(&mut self.connection).await?),
                    };
                    if stopped { Verdict::Stopped } else { Verdict::Lost }
                }
                Plan::Write { .. } => Verdict::Lost,
            });
        }
        Ok(verdicts)
    }

    /// A number for a new stream; rising, never used twice.
    async fn number(&mut self) -> Result<i64, Failure> {
        if self.numbers.0 >= self.numbers.1 {
            let dialect = self.connection.dialect();
            let row = self.connection.row(dialect.stream_number, Vec::new()).await?;
            let from = match row {
                Some(mut row) => {
                    row.int("stream.no").map_err(|error| Failure::Bad(error.to_string()))?
                }
                None => 1,
            };
            self.numbers = (from, from.saturating_add(dialect.stream_block));
        }
        let number = self.numbers.0;
        self.numbers.0 += 1;
        Ok(number)
    }

    /// The connection again, if the store is still the one that was opened.
    pub(super) async fn reconnected(&mut self) -> Result<(), String> {
        self.connection = self.place.reconnect().await.map_err(|error| error.to_string())?;
        let meta = read_meta(&mut self.connection).await.map_err(|error| error.to_string())?;
        match meta {
            Some(meta) if meta.epoch == self.meta.epoch => Ok(()),
            Some(_) | None => Err("the store was restored meanwhile".to_owned()),
        }
    }

    /// After a lost connection: takes the store again and reads back whether the batch was
    /// committed. `None`: surely not.
    pub(super) async fn settle(&mut self, batch: &[Job]) -> Result<Option<Vec<Verdict>>, String> {
        self.reconnected().await?;
        let sql = "select s.no, s.fence, e.hash from stream s join entry e on e.stream = s.no
             where s.kind = $1 and s.id = $2 and e.seq = $3";
        let mut found = BTreeMap::new();
        for (index, job) in batch.iter().enumerate() {
            let (Target::Known { new, .. }
            | Target::New { new, .. }
            | Target::End { tried: Some(new), .. }) = &job.target
            else {
                continue;
            };
            let stream = job.stream();
            let seq = i64::try_from(new.seq).unwrap_or(i64::MAX);
            let params = params![stream.kind.as_str(), stream.id(), seq];
            let row = self.connection.row(sql, params).await.map_err(|error| error.to_string())?;
            let Some(mut row) = row else { continue };
            let read = |row: &mut crate::sql::Row| {
                let no = row.int("stream.no")?;
                let fence = row.int("stream.fence")?;
                let hash = digest(&row.bytes("entry.hash")?, "entry.hash")?;
                Ok::<_, crate::error::StoreError>((no, fence, hash))
            };
            let (no, fence, hash) = read(&mut row).map_err(|error| error.to_string())?;
            if hash == new.hash {
                let stream = Stream { no, ..stream.clone() };
                found.insert(index, Lease { stream, fence, head: *new });
            }
        }
        if found.is_empty() {
            return Ok(None);
        }
        // One transaction: what is not there was not ours, or was refused; both must stop.
        Ok(Some(
            (0..batch.len())
                .map(|index| found.remove(&index).map_or(Verdict::Lost, Verdict::Written))
                .collect(),
        ))
    }
}

fn writes<'a>(batch: &'a [Job], plans: &[Plan]) -> Vec<Write<'a>> {
    let mut writes: Vec<Write<'a>> = batch
        .iter()
        .zip(plans)
        .filter_map(|(job, plan)| match plan {
            Plan::Write { lease, new } => Some(Write {
                stream: lease.stream.no,
                fence: lease.fence,
                prev: lease.head,
                new: *new,
                next: job.next,
                gate: job.gate,
                content: &job.content,
            }),
            Plan::Settled(_) => None,
        })
        .collect();
    // Rows in one order everywhere: two writers can not wait for each other in a circle.
    writes.sort_by_key(|write| write.stream);
    writes
}

async fn end(connection: &mut Connection, stream: &Stream) -> Result<Option<Lease>, Failure> {
    let params = params![stream.kind.as_str(), stream.id()];
    let Some(mut row) = connection.row(FIND_END, params).await? else { return Ok(None) };
    let mut read = || {
        let stream = Stream { no: row.int("stream.no")?, ..stream.clone() };
        let fence = row.int("stream.fence")?;
        let seq = u64::try_from(row.int("stream.seq")?).unwrap_or(0);
        let hash = digest(&row.bytes("stream.head")?, "stream.head")?;
        Ok::<_, crate::error::StoreError>(Lease { stream, fence, head: Head { seq, hash } })
    };
    read().map(Some).map_err(|error| Failure::Bad(error.to_string()))
}

/// Asked after the commit: nobody else writes this store, so it still is as it was within.
async fn is_stopped(connection: &mut Connection) -> Result<bool, Failure> {
    let sql = "select no from meta where stopped_at is not null";
    match connection.row(sql, Vec::new()).await.map_err(Failure::from) {
        Ok(row) => Ok(row.is_some()),
        // After a lost connection it is read back what was written.
        Err(Failure::Lost(why)) => Err(Failure::Lost(why)),
        // Tried again it would take its own entries for somebody else's.
        Err(Failure::Bad(why) | Failure::Fatal(why)) => Err(Failure::Fatal(why)),
        Err(Failure::Full | Failure::Busy) => Err(Failure::Fatal("it can not be read".to_owned())),
    }
}
