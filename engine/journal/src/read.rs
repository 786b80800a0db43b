//! Questions: read-only, beside an owner, without a lock.
//!
//! One function a statement; each names its columns and its limit.

mod feed;
mod heads;
mod incidents;
mod rows;
mod seen;
mod steady;
mod waiting;

use beistand_core::entry::StreamKind;
use beistand_core::model::{ConnectorName, Digest, IncidentId, Millis, NeedId, RunId};
use beistand_core::timeline::Scope;

use crate::command::Command;
use crate::error::{OpenError, StoreError};
use crate::migrate::{Found, inspect};
use crate::place::{Place, READERS_MAX};
use crate::schema::VERSION;
use crate::seal::{NEWEST_SEAL, SEAL_END, Seal};
use crate::sql::{Pool, params};
use crate::stream::{Entry, Snapshot, Stream};
use crate::table::{Hold, Meta, Need, Once, Run, Signal, Strike, TargetUse};
use crate::writer::digest;

pub use feed::Fed;
pub use heads::{Below, RunVersion};
pub(crate) use rows::meta;

/// What the store says of itself.
pub(crate) const META: &str = "select store, epoch, created_at, restored_at, stopped_at, stop_body
    from meta";

/// Open needs in one answer: more is a page nobody reads. Who must know of all asks for
/// [`Reader::open_needs`].
const NEEDS_MAX: i64 = 10_000;

use seen::seen;

macro_rules! run_columns {
    ($rest:literal) => {
        concat!(
            "select no, id, incident, playbook, plan, mode, status, root, parent, parent_path,
                start_key, requested_by, organisation, superseded_by, started_at, ended_at,
                restored, body from run ",
            $rest
        )
    };
}
macro_rules! need_columns {
    ($rest:literal) => {
        concat!(
            "select id, run, root, incident, mode, kind, step, batch, role, organisation, digest,
                since, until, escalated_at, closed_at, body from need ",
            $rest
        )
    };
}
/// Which runs.
#[derive(Debug, Clone, Default)]
pub struct RunFilter {
    /// Only of this status.
    pub status: Option<String>,
    /// Only of this incident.
    pub incident: Option<IncidentId>,
    /// Only those that did not end.
    pub unfinished: bool,
    /// Only children of this run.
    pub parent: Option<RunId>,
    /// Only those of incidents that may be seen through it; everybody's where absent.
    pub eyes: Option<Scope>,
}

/// Which open needs.
#[derive(Debug, Clone, Default)]
pub struct NeedFilter {
    /// Of this run and, if it is a root, of everything below it.
    pub run: Option<RunId>,
    /// Of this incident.
    pub incident: Option<IncidentId>,
    /// Of this group.
    pub group: Option<String>,
    /// Only those of incidents that may be seen through it; everybody's where absent.
    pub eyes: Option<Scope>,
}

/// Where a page begins and how long it is.
#[derive(Debug, Clone, Copy)]
pub struct Page {
    /// After this row of the page before; `None` for the first page.
    pub cursor: Option<i64>,
    /// At most so many rows.
    pub limit: u32,
}

impl Page {
    /// The first so many.
    pub const fn first(limit: u32) -> Self {
        Self { cursor: None, limit }
    }
}

/// Asks a store. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Reader {
    pool: Pool,
    opened: Meta,
}

impl Reader {
    pub(crate) const fn new(pool: Pool, opened: Meta) -> Self {
        Self { pool, opened }
    }
    pub(crate) const fn pool(&self) -> &Pool {
        &self.pool
    }
    pub(crate) const fn opened(&self) -> &Meta {
        &self.opened
    }

    /// Opens the store for reading alone. Makes nothing, migrates nothing, takes no lock.
    pub async fn open(url: &str) -> Result<Self, OpenError> {
        let place = Place::parse(url)?;
        if !place.exists() {
            return Err(OpenError::Missing(place.name()));
        }
        let failed = |source| StoreError::Database { what: "open the store", source };
        let mut look = place.look().await.map_err(failed)?;
        let found = inspect(&mut look, &place).await;
        look.close().await.map_err(failed)?;
        match found? {
            Found::Nothing => return Err(OpenError::Missing(place.name())),
            Found::Store { version } if version < VERSION => {
                return Err(OpenError::Outdated { found: version, known: VERSION });
            }
            Found::Store { .. } => {}
        }
        let pool = place.readers(READERS_MAX);
        let row = pool.row("read the store's identity", META, Vec::new()).await?;
        let opened = row.map(meta).transpose()?;
        let opened = opened.ok_or_else(|| OpenError::Missing(place.name()))?;
        Ok(Self { pool, opened })
    }

    /// Closes its connections; also those of its clones.
    pub async fn close(&self) {
        self.pool.close().await;
    }

    /// What the store says of itself now; the stop switch stands here.
    pub async fn meta(&self) -> Result<Meta, StoreError> {
        let row = self.pool.row("read the store's identity", META, Vec::new()).await?;
        row.map(meta)
            .transpose()?
            .ok_or_else(|| StoreError::Damaged { what: "meta", why: "it is empty".to_owned() })
    }

    /// The earliest time at which a stream that nobody owns is due.
    pub async fn next_due(&self) -> Result<Option<Millis>, StoreError> {
        let sql = "select min(due) from stream where owner is null and due is not null";
        let row = self.pool.row("find what is due next", sql, Vec::new()).await?;
        Ok(row.map(|mut row| row.maybe_int("stream.due")).transpose()?.flatten().map(Millis::new))
    }

    /// A stream by its public id.
    pub async fn stream(&self, kind: StreamKind, id: &str) -> Result<Option<Stream>, StoreError> {
        let sql = "select no from stream where kind = $1 and id = $2";
        let row = self.pool.row("find a stream", sql, params![kind.as_str(), id]).await?;
        row.map(|mut row| Ok(Stream::new(row.int("stream.no")?, kind, id))).transpose()
    }

    /// The number of a stream's newest entry; 0 where there is no such stream.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn newest(&self, kind: StreamKind, id: &str) -> Result<u64, StoreError> {
        let sql = "select seq from stream where kind = $1 and id = $2";
        let row =
            self.pool.row("find the end of a stream", sql, params![kind.as_str(), id]).await?;
        let seq = row.map(|mut row| row.int("stream.seq")).transpose()?;
        Ok(seq.and_then(|seq| u64::try_from(seq).ok()).unwrap_or(0))
    }

    /// The newest snapshot of a stream.
    pub async fn snapshot(&self, stream: &Stream) -> Result<Option<Snapshot>, StoreError> {
        let sql = "select seq, bytes from snapshot where stream = $1";
        let row = self.pool.row("read a snapshot", sql, params![stream.no]).await?;
        row.map(|mut row| {
            let seq = u64::try_from(row.int("snapshot.seq")?).unwrap_or(0);
            Ok(Snapshot { seq, bytes: row.bytes("snapshot.bytes")? })
        })
        .transpose()
    }

    /// Entries after `seq`, in order, at most `limit`.
    pub async fn entries(
        &self,
        stream: &Stream,
        after: u64,
        limit: u32,
    ) -> Result<Vec<Entry>, StoreError> {
        let sql = "select seq, at, head, body, body_hash, hash from entry
             where stream = $1 and seq > $2 order by seq limit $3";
        let after = i64::try_from(after).unwrap_or(i64::MAX);
        let params = params![stream.no, after, i64::from(limit)];
        let rows = self.pool.rows("read entries", sql, params).await?;
        rows.into_iter().map(rows::entry).collect()
    }

    /// Bytes by their digest.
    pub async fn blob(&self, digest: Digest) -> Result<Option<Vec<u8>>, StoreError> {
        let sql = "select bytes from blob where digest = $1";
        let row = self.pool.row("read a blob", sql, params![&digest.as_bytes()[..]]).await?;
        row.map(|mut row| row.bytes("blob.bytes")).transpose()
    }

    /// Runs, newest first, each with the cursor of its row.
    pub async fn runs(
        &self,
        filter: &RunFilter,
        page: Page,
    ) -> Result<Vec<(i64, Run)>, StoreError> {
        let sql = concat!(
            run_columns!(
                "where no < $1 and ($2 is null or status = $2) and ($3 is null or incident = $3)
                 and ($4 = 0 or ended_at is null) and ($5 is null or parent = $5) and "
            ),
            seen!("incident", "$6", "$7", "$8"),
            " order by no desc limit $9"
        );
        let eyes = seen::through(filter.eyes.as_ref());
        let params = params![
            page.cursor.unwrap_or(i64::MAX),
            filter.status.clone(),
            filter.incident.map(|id| id.to_string()),
            i64::from(filter.unfinished),
            filter.parent.map(|id| id.to_string()),
            eyes.markings,
            eyes.organisations,
            eyes.incidents,
            i64::from(page.limit),
        ];
        let rows = self.pool.rows("list runs", sql, params).await?;
        rows.into_iter().map(rows::run).collect()
    }

    /// A run by its id.
    pub async fn run(&self, id: RunId) -> Result<Option<Run>, StoreError> {
        let sql = run_columns!("where id = $1");
        let row = self.pool.row("read a run", sql, params![id.to_string()]).await?;
        Ok(row.map(rows::run).transpose()?.map(|(_, run)| run))
    }

    /// Runs whose id begins with this text, at most two: more than one is ambiguous.
    pub async fn runs_by_prefix(&self, prefix: &str) -> Result<Vec<Run>, StoreError> {
        let sql = run_columns!("where id >= $1 and id < $2 order by id limit 2");
        let rows = self.pool.rows("find a run", sql, between(prefix)).await?;
        rows.into_iter().map(|row| rows::run(row).map(|(_, run)| run)).collect()
    }

    /// The run that was started with this key.
    pub async fn run_by_start_key(&self, key: &str) -> Result<Option<Run>, StoreError> {
        let sql = run_columns!("where start_key = $1");
        let row = self.pool.row("find a run by its start key", sql, params![key]).await?;
        Ok(row.map(rows::run).transpose()?.map(|(_, run)| run))
    }

    /// Open needs, oldest first.
    pub async fn needs(&self, filter: &NeedFilter) -> Result<Vec<Need>, StoreError> {
        let sql = concat!(
            need_columns!(
                "where closed_at is null and ($1 is null or run = $1 or root = $1)
                 and ($2 is null or incident = $2) and ($3 is null or batch = $3) and "
            ),
            seen!("incident", "$4", "$5", "$6"),
            " order by no limit $7"
        );
        let eyes = seen::through(filter.eyes.as_ref());
        let params = params![
            filter.run.map(|id| id.to_string()),
            filter.incident.map(|id| id.to_string()),
            filter.group.clone(),
            eyes.markings,
            eyes.organisations,
            eyes.incidents,
            NEEDS_MAX,
        ];
        let rows = self.pool.rows("list needs", sql, params).await?;
        rows.into_iter().map(rows::need).collect()
    }

    /// A need by its id, open or not.
    pub async fn need(&self, id: NeedId) -> Result<Option<Need>, StoreError> {
        let sql = need_columns!("where id = $1");
        let row = self.pool.row("read a need", sql, params![id.to_string()]).await?;
        row.map(rows::need).transpose()
    }

    /// Needs whose id begins with this text, at most two.
    pub async fn needs_by_prefix(&self, prefix: &str) -> Result<Vec<Need>, StoreError> {
        let sql = need_columns!("where id >= $1 and id < $2 order by id limit 2");
        let rows = self.pool.rows("find a need", sql, between(prefix)).await?;
        rows.into_iter().map(rows::need).collect()
    }

    /// Signals that came to a run, in the order they came.
    pub async fn signals(&self, run: RunId) -> Result<Vec<Signal>, StoreError> {
        let sql = "select run, name, key, at, used_at, body from signal where run = $1 order by no";
        let rows = self.pool.rows("read signals", sql, params![run.to_string()]).await?;
        rows.into_iter().map(rows::signal).collect()
    }

    /// Holds, by target and age; of one target where it is given (`host:pc-17`).
    pub async fn holds(&self, target: Option<&str>) -> Result<Vec<Hold>, StoreError> {
        let sql = "select mode, target, effect, connector, run, path, state, since, organisation,
             body from hold where $1 is null or target = $1 order by target, no";
        let params = params![target.map(str::to_owned)];
        let rows = self.pool.rows("list holds", sql, params).await?;
        rows.into_iter().map(rows::hold).collect()
    }

    /// What was done, or is being done, once in its incident.
    pub async fn once(&self) -> Result<Vec<Once>, StoreError> {
        let sql = "select incident, key, run, path from once order by no";
        let rows = self.pool.rows("list what is done once", sql, params![]).await?;
        rows.into_iter().map(rows::once).collect()
    }

    /// Connectors through which no call starts.
    pub async fn paused(&self) -> Result<Vec<ConnectorName>, StoreError> {
        let sql = "select connector from pause order by connector";
        let rows = self.pool.rows("list paused connectors", sql, params![]).await?;
        rows.into_iter().map(|mut row| row.parse("pause.connector")).collect()
    }

    /// Targets that were touched at or after an instant, for the limits.
    pub async fn target_uses(&self, since: Millis) -> Result<Vec<TargetUse>, StoreError> {
        let sql = "select mode, run, target, organisation, at from target_use where at >= $1
             order by no";
        let rows = self.pool.rows("list touched targets", sql, params![since.get()]).await?;
        rows.into_iter().map(rows::target_use).collect()
    }

    /// What was destroyed by trees of runs that have not ended, for the policy.
    pub async fn strikes(&self) -> Result<Vec<Strike>, StoreError> {
        let sql = "select root, action, target, run, votes from strike
             where root in (select root from run where ended_at is null) order by no";
        let rows = self.pool.rows("list what was destroyed", sql, params![]).await?;
        rows.into_iter().map(rows::strike).collect()
    }

    /// What was destroyed by one tree of runs, also of runs that have all ended.
    pub async fn strikes_of(&self, root: RunId) -> Result<Vec<Strike>, StoreError> {
        let sql = "select root, action, target, run, votes from strike where root = $1 order by no";
        let rows =
            self.pool.rows("list what a tree destroyed", sql, params![root.to_string()]).await?;
        rows.into_iter().map(rows::strike).collect()
    }

    /// The runs that nobody called and whose targets are counted together with those of `root`,
    /// that one included; oldest first.
    pub async fn runs_with(&self, root: RunId) -> Result<Vec<Run>, StoreError> {
        let sql = run_columns!("where root = $1 and parent is null order by no");
        let rows = self.pool.rows("list runs of a tree", sql, params![root.to_string()]).await?;
        rows.into_iter().map(|row| rows::run(row).map(|(_, run)| run)).collect()
    }

    /// Commands that wait for an answer, oldest first. The owner asks every 50 ms.
    pub async fn commands(&self) -> Result<Vec<Command>, StoreError> {
        let sql = "select id, at, who, target, body from command where answered_at is null
             order by no limit 256";
        let rows = self.pool.rows("read commands", sql, Vec::new()).await?;
        rows.into_iter().map(rows::command).collect()
    }

    /// Runs by status, for metrics.
    pub async fn run_counts(&self) -> Result<Vec<(String, u64)>, StoreError> {
        let sql = "select status, count(*) from run group by status order by status";
        let rows = self.pool.rows("count runs", sql, Vec::new()).await?;
        rows.into_iter()
            .map(|mut row| {
                let status = row.text("run.status")?;
                Ok((status, u64::try_from(row.int("run")?).unwrap_or(0)))
            })
            .collect()
    }

    /// The newest seal; printed on pages and exports.
    pub async fn seal(&self) -> Result<Option<Seal>, StoreError> {
        let row = self.pool.row("read the newest seal", NEWEST_SEAL, params![SEAL_END]).await?;
        row.map(|mut row| {
            let seq = u64::try_from(row.int("entry.seq")?).unwrap_or(0);
            let at = Millis::new(row.int("entry.at")?);
            let hash = digest(&row.bytes("entry.hash")?, "entry.hash")?;
            Ok(Seal { seq, at, hash })
        })
        .transpose()
    }
}

/// From a prefix to what is behind everything that begins with it; ids and numbers are ASCII.
fn between(prefix: &str) -> Vec<crate::sql::Param> {
    params![prefix, format!("{prefix}\u{7f}")]
}
