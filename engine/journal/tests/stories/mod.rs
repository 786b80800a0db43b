//! Where stories are told, and the nouns they share.

pub(crate) mod access;
pub(crate) mod append;
pub(crate) mod claim;
pub(crate) mod copy;
pub(crate) mod disk;
pub(crate) mod guard;
pub(crate) mod proof;
pub(crate) mod same;
pub(crate) mod seen;
pub(crate) mod server;
pub(crate) mod table;

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};

use beistand_core::entry::StreamKind;
use beistand_core::model::{Digest, IncidentId, Millis, Mode, RunId, digest_of_bytes};
use beistand_journal::{Append, Change, Journal, Lease, Options, Run, To};
use sqlx::Connection as _;
use tempfile::TempDir;

/// A place of its own for one story.
pub(crate) struct Place {
    pub(crate) url: String,
    pub(crate) directory: TempDir,
    pub(crate) witness: PathBuf,
}

static NUMBER: AtomicU64 = AtomicU64::new(1);

impl Place {
    pub(crate) fn sqlite() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", directory.path().join("journal.db").display());
        let witness = directory.path().join("journal.db.witness");
        Self { url, directory, witness }
    }

    #[expect(clippy::disallowed_methods, reason = "the server is named by the environment")]
    pub(crate) async fn postgres() -> Self {
        let server = std::env::var("BEISTAND_TEST_POSTGRES")
            .expect("BEISTAND_TEST_POSTGRES must name a PostgreSQL server for tests");
        let name =
            format!("story_{}_{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
        let mut connection = sqlx::PgConnection::connect(&server).await.unwrap();
        let sql = format!("create database {name}");
        #[expect(clippy::disallowed_methods, reason = "a name made here")]
        sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).execute(&mut connection).await.unwrap();
        // The folder of a socket stands behind the question mark, slashes and all.
        let (address, query) = server.split_once('?').unwrap_or((&server, ""));
        let (base, _) = address.rsplit_once('/').unwrap();
        let directory = tempfile::tempdir().unwrap();
        let witness = directory.path().join("witness");
        Self { url: format!("{base}/{name}?{query}"), directory, witness }
    }

    pub(crate) fn is_sqlite(&self) -> bool {
        self.url.starts_with("sqlite:")
    }

    pub(crate) fn options(&self, now: i64) -> Options {
        Options { witness: Some(self.witness.clone()), ..Options::new(at(now)) }
    }

    pub(crate) async fn open(&self, now: i64) -> Journal {
        Journal::open(&self.url, self.options(now)).await.unwrap()
    }

    /// A file of somebody else.
    pub(crate) async fn tamper_new(&self, statements: &'static [&'static str]) {
        std::fs::write(self.directory.path().join("journal.db"), b"").unwrap();
        self.tamper(statements).await;
    }

    /// Statements behind the journal's back.
    pub(crate) async fn tamper(&self, statements: &'static [&'static str]) {
        if let Some(path) = self.url.strip_prefix("sqlite:") {
            let options = sqlx::sqlite::SqliteConnectOptions::new().filename(path);
            let mut connection = sqlx::SqliteConnection::connect_with(&options).await.unwrap();
            for statement in statements {
                sqlx::raw_sql(*statement).execute(&mut connection).await.unwrap();
            }
            connection.close().await.unwrap();
        } else {
            let mut connection = sqlx::PgConnection::connect(&self.url).await.unwrap();
            for statement in statements {
                sqlx::raw_sql(*statement).execute(&mut connection).await.unwrap();
            }
            connection.close().await.unwrap();
        }
    }
}

pub(crate) fn at(millis: i64) -> Millis {
    Millis::new(1_790_000_000_000 + millis)
}

pub(crate) fn run_id(number: u64) -> RunId {
    RunId::new(1_790_000_000_000 + number, &number_bytes(number))
}

pub(crate) fn incident_id(number: u64) -> IncidentId {
    IncidentId::new(1_790_000_000_000 + number, &number_bytes(number))
}

fn number_bytes(number: u64) -> [u8; 10] {
    let mut bytes = [0; 10];
    bytes[2..].copy_from_slice(&number.to_be_bytes());
    bytes
}

pub(crate) fn plan() -> Digest {
    digest_of_bytes(b"plan")
}

pub(crate) fn new_run(number: u64) -> To {
    To::New { kind: StreamKind::Run, id: run_id(number).to_string() }
}

pub(crate) fn entry(to: To, now: i64) -> Append {
    Append::new(to, at(now), format!(r#"{{"kind":"test","now":{now}}}"#).into_bytes())
        .body(format!(r#"{{"value":{now}}}"#).into_bytes())
}

pub(crate) async fn opened(journal: &Journal, number: u64) -> Lease {
    journal.append(entry(new_run(number), 0)).await.unwrap().lease
}

pub(crate) fn run(number: u64) -> Run {
    Run {
        id: run_id(number),
        incident: incident_id(1),
        playbook: "ransomware-containment".to_owned(),
        plan: plan(),
        mode: Mode::Live,
        status: "running".to_owned(),
        root: run_id(number),
        parent: None,
        start_key: None,
        requested_by: "anna".parse().unwrap(),
        organisation: None,
        superseded_by: None,
        started_at: at(0),
        ended_at: None,
        restored: false,
        body: "{}".to_owned(),
    }
}

pub(crate) fn put_run(number: u64) -> Change {
    Change::PutRun(Box::new(run(number)))
}
