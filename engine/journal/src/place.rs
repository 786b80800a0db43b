//! Where a store is, and how it is connected to.

use std::path::{Path, PathBuf};
use std::str::FromStr as _;
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions as _, Connection as _};

use crate::error::{OpenError, StoreError};
use crate::lock::{beside, take_session};
use crate::sql::{Connection, Pool, params};

/// Connections for questions.
pub(crate) const READERS_MAX: u32 = 4;
/// Connections to find out who asks and what they may: each such question is short.
pub(crate) const DOORS_MAX: u32 = 2;
/// How long a connection waits for another process's write: a mailbox posts in milliseconds.
const BUSY: Duration = Duration::from_secs(5);
/// How often a lost server is looked for again.
const RECONNECTS_MAX: u32 = 20;
/// Between two of these.
const RECONNECT_AFTER: Duration = Duration::from_millis(500);
/// From here on a log can be reset while another connection writes it back, without harm
/// (<https://www.sqlite.org/wal.html#walresetbug>).
const SQLITE_MIN: (u32, u32, u32) = (3, 51, 3);

/// A store's address.
#[derive(Debug, Clone)]
pub(crate) enum Place {
    Sqlite(PathBuf),
    Postgres { options: Box<PgConnectOptions>, name: String },
}

/// The one path of a database, whatever links lead to it. Its lock, witness and reserve are named
/// after it: under a second name there would be a second lock, and two owners of one store.
fn resolved(path: &Path) -> Result<PathBuf, OpenError> {
    match path.canonicalize() {
        Ok(path) => Ok(path),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            if path.is_symlink() {
                return Err(OpenError::File { path: path.to_owned(), source: error });
            }
            let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
            let folder = folder.unwrap_or_else(|| Path::new("."));
            // Where the folder is missing too, opening says so.
            Ok(match (folder.canonicalize(), path.file_name()) {
                (Ok(folder), Some(name)) => folder.join(name),
                (Ok(_) | Err(_), _) => path.to_owned(),
            })
        }
        Err(source) => Err(OpenError::File { path: path.to_owned(), source }),
    }
}

impl Place {
    /// Reads `sqlite:PATH` or `postgres://…`.
    pub(crate) fn parse(url: &str) -> Result<Self, OpenError> {
        if let Some(path) = url.strip_prefix("sqlite:") {
            let path = path.strip_prefix("//").unwrap_or(path);
            if path.is_empty() || path.starts_with(':') || path.contains('?') {
                return Err(OpenError::Url(url.to_owned()));
            }
            return resolved(Path::new(path)).map(Self::Sqlite);
        }
        if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            // The URL may hold a password: it is not repeated.
            let options = PgConnectOptions::from_str(url)
                .map_err(|_| OpenError::Url("postgres://…".to_owned()))?
                .application_name("beistand")
                .disable_statement_logging();
            let name = format!(
                "postgres://{}/{}",
                options.get_host(),
                options.get_database().unwrap_or_default()
            );
            return Ok(Self::Postgres { options: Box::new(options), name });
        }
        Err(OpenError::Url(url.to_owned()))
    }

    /// For messages; without a password.
    pub(crate) fn name(&self) -> String {
        match self {
            Self::Sqlite(path) => path.display().to_string(),
            Self::Postgres { name, .. } => name.clone(),
        }
    }

    /// Whether there is something to open.
    pub(crate) fn exists(&self) -> bool {
        match self {
            Self::Sqlite(path) => path.metadata().is_ok_and(|file| file.len() > 0),
            Self::Postgres { .. } => true,
        }
    }

    /// A connection for the owner, or for a mailbox.
    pub(crate) async fn connect(&self) -> Result<Connection, sqlx::Error> {
        match self {
            Self::Sqlite(path) => {
                let options = SqliteConnectOptions::new()
                    .filename(path)
                    .create_if_missing(true)
                    .journal_mode(SqliteJournalMode::Wal)
                    .synchronous(SqliteSynchronous::Full)
                    .foreign_keys(true)
                    .busy_timeout(BUSY)
                    // The writer writes the log back itself, so that a failed sync is seen.
                    .pragma("wal_autocheckpoint", "0")
                    .pragma("journal_size_limit", "67108864")
                    .pragma("cache_size", "-32768")
                    .pragma("temp_store", "memory")
                    .pragma("trusted_schema", "off")
                    .thread_name(|_| "journal".to_owned())
                    .row_buffer_size(512)
                    .disable_statement_logging();
                Ok(Connection::Sqlite(Box::new(options.connect().await?)))
            }
            Self::Postgres { options, .. } => {
                let connection = sqlx::PgConnection::connect_with(options).await?;
                Ok(Connection::Postgres(Box::new(connection)))
            }
        }
    }

    /// A connection that can only read, for a look before anything is touched.
    pub(crate) async fn look(&self) -> Result<Connection, sqlx::Error> {
        match self {
            Self::Sqlite(path) => {
                // A rollback journal is there only where a program was killed while it made the
                // store: SQLite takes it back on opening, which needs a connection that may.
                let killed = beside(path, "-journal").exists();
                let connection = reading(path).read_only(!killed).connect().await?;
                Ok(Connection::Sqlite(Box::new(connection)))
            }
            Self::Postgres { .. } => self.connect().await,
        }
    }

    /// At most so many connections for questions; made when they are needed.
    pub(crate) fn readers(&self, most: u32) -> Pool {
        match self {
            Self::Sqlite(path) => Pool::Sqlite(
                SqlitePoolOptions::new()
                    .max_connections(most)
                    .test_before_acquire(false)
                    .connect_lazy_with(reading(path)),
            ),
            Self::Postgres { options, .. } => {
                let options =
                    options.as_ref().clone().options([("default_transaction_read_only", "on")]);
                Pool::Postgres(
                    PgPoolOptions::new().max_connections(most).connect_lazy_with(options),
                )
            }
        }
    }

    /// The writer's connection again, after the server was lost; owned as before.
    pub(crate) async fn reconnect(&self) -> Result<Connection, OpenError> {
        let mut tries = 0;
        loop {
            tries += 1;
            match self.taken().await {
                Ok(connection) => return Ok(connection),
                // The server may still hold the lock for the lost session.
                Err(error) if tries >= RECONNECTS_MAX => return Err(error),
                Err(_) => tokio::time::sleep(RECONNECT_AFTER).await,
            }
        }
    }

    async fn taken(&self) -> Result<Connection, OpenError> {
        let failed = |source| StoreError::Database { what: "connect to the store", source };
        let mut connection = self.connect().await.map_err(failed)?;
        if let Self::Postgres { .. } = self {
            take_session(&mut connection).await?;
        }
        connection.made_writer().await.map_err(failed)?;
        Ok(connection)
    }
}

fn reading(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .read_only(true)
        .busy_timeout(BUSY)
        .pragma("query_only", "on")
        .pragma("trusted_schema", "off")
        .thread_name(|_| "journal-reader".to_owned())
        .row_buffer_size(512)
        .disable_statement_logging()
}

/// Refuses a library or a server that could lose or spoil what it acknowledged.
pub(crate) async fn check_safety(connection: &mut Connection) -> Result<(), OpenError> {
    let what = "ask the store for its settings";
    let failed = |source| StoreError::Database { what, source };
    match connection {
        Connection::Sqlite(_) => {
            let row =
                connection.row("select sqlite_version()", Vec::new()).await.map_err(failed)?;
            let version = row.map(|mut row| row.text("sqlite_version")).transpose()?;
            let version = version.unwrap_or_default();
            if parts(&version) < SQLITE_MIN {
                let (major, minor, patch) = SQLITE_MIN;
                return Err(OpenError::Unsafe(format!(
                    "SQLite {version} can corrupt its log; {major}.{minor}.{patch} or newer is needed"
                )));
            }
        }
        Connection::Postgres(_) => {
            let sql = "select name, setting from pg_settings where setting = $1
                 and name in ('fsync', 'full_page_writes', 'synchronous_commit')";
            let off = connection.row(sql, params!["off"]).await.map_err(failed)?;
            if let Some(mut row) = off {
                let name = row.text("pg_settings.name")?;
                return Err(OpenError::Unsafe(format!(
                    "`{name}` is off: what was acknowledged could be lost; set it to on"
                )));
            }
        }
    }
    Ok(())
}

fn parts(version: &str) -> (u32, u32, u32) {
    let mut parts = version.split('.').map(|part| part.parse().unwrap_or(0));
    let mut next = || parts.next().unwrap_or(0);
    (next(), next(), next())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_names_its_store_and_never_its_password() {
        assert_eq!(Place::parse("sqlite:a/b.db").unwrap().name(), "a/b.db");
        assert_eq!(Place::parse("sqlite:///var/b.db").unwrap().name(), "/var/b.db");
        let postgres = Place::parse("postgres://me:secret@db.example/journal").unwrap();
        assert_eq!(postgres.name(), "postgres://db.example/journal");
        for wrong in ["", "b.db", "sqlite:", "sqlite::memory:", "mysql://x", "sqlite:a?mode=rw"] {
            assert!(Place::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn versions_are_compared_as_numbers() {
        assert!(parts("3.51.3") >= SQLITE_MIN);
        assert!(parts("3.100.0") >= SQLITE_MIN);
        assert!(parts("3.51.2") < SQLITE_MIN);
        assert!(parts("3.6.21") < SQLITE_MIN);
    }
}
