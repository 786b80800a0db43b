//! Brings a store up to date, and gives a new one its identity.

use beistand_core::model::{Digest, Millis, StoreId};

use crate::error::{OpenError, StoreError};
use crate::open::{Options, Random};
use crate::place::Place;
use crate::read::META;
use crate::schema::{APPLICATION_ID, MIGRATIONS, VERSION};
use crate::sql::{Connection, params};
use crate::table::Meta;

/// What is at a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Found {
    Nothing,
    Store { version: i64 },
}

fn failed(what: &'static str) -> impl Fn(sqlx::Error) -> OpenError {
    move |source| OpenError::Store(StoreError::Database { what, source })
}

/// Looks, and changes nothing. Refuses what belongs to something else or to a newer program.
pub(crate) async fn inspect(
    connection: &mut Connection,
    place: &Place,
) -> Result<Found, OpenError> {
    let foreign = || OpenError::Foreign(place.name());
    let tables = connection.dialect().tables;
    let row = connection.row(tables, Vec::new()).await;
    let row = match row {
        Ok(row) => row,
        Err(error) if is_no_database(&error) => return Err(foreign()),
        Err(error) => return Err(failed("look at the store")(error)),
    };
    let Some(mut row) = row else { return Err(foreign()) };
    let (all, migrations) = (row.int("tables")?, row.int("tables")?);
    if all == 0 {
        return Ok(Found::Nothing);
    }
    if let Connection::Sqlite(_) = connection {
        let sql = "pragma application_id";
        let id = connection.row(sql, Vec::new()).await.map_err(failed("look at the store"))?;
        let id = id.map(|mut row| row.int("application_id")).transpose()?;
        if id != Some(APPLICATION_ID) {
            return Err(foreign());
        }
    }
    if migrations == 0 {
        return Err(foreign());
    }
    let row = connection.row("select max(no) from migration", Vec::new()).await;
    let version = match row.map_err(failed("look at the store"))? {
        Some(mut row) => row.maybe_int("migration.no")?.unwrap_or(0),
        None => 0,
    };
    if version > VERSION {
        return Err(OpenError::Newer { found: version, known: VERSION });
    }
    Ok(Found::Store { version })
}

/// `SQLITE_NOTADB`: some other kind of file.
fn is_no_database(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(sqlx::error::DatabaseError::code);
    code.is_some_and(|code| code == "26")
}

/// Goes forward from `found` to [`VERSION`], all in one transaction.
pub(crate) async fn migrate(
    connection: &mut Connection,
    found: Found,
    now: Millis,
) -> Result<(), OpenError> {
    let from = match found {
        Found::Nothing => 0,
        Found::Store { version } => version,
    };
    if from == VERSION {
        return Ok(());
    }
    let failed = failed("bring the store up to date");
    let begin = connection.dialect().begin;
    connection.script(begin).await.map_err(&failed)?;
    for migration in MIGRATIONS.iter().filter(|migration| migration.version > from) {
        let script = match connection {
            Connection::Sqlite(_) => migration.sqlite,
            Connection::Postgres(_) => migration.postgres,
        };
        connection.script(script).await.map_err(&failed)?;
        let sql = "insert into migration (no, why, at) values ($1, $2, $3)";
        let params = params![migration.version, migration.why, now.get()];
        connection.execute(sql, params).await.map_err(&failed)?;
    }
    if let Connection::Sqlite(_) = connection {
        // APPLICATION_ID as a number: pragmas take no parameters.
        connection.script("pragma application_id = 1114862692").await.map_err(&failed)?;
    }
    connection.script("commit").await.map_err(&failed)
}

/// The store's identity; made if it has none.
pub(crate) async fn identity(
    connection: &mut Connection,
    options: &Options,
) -> Result<Meta, OpenError> {
    if let Some(meta) = read_meta(connection).await? {
        return Ok(meta);
    }
    let store = new_store_id(options.now, options.random)?;
    let epoch = new_epoch(options.random)?;
    let failed = failed("give the store its identity");
    let begin = connection.dialect().begin;
    connection.script(begin).await.map_err(&failed)?;
    let sql =
        "insert into meta (no, store, epoch, created_at, stop_body) values (1, $1, $2, $3, '')";
    let params = params![store.to_string(), epoch, options.now.get()];
    connection.execute(sql, params).await.map_err(&failed)?;
    // Its own stream, for seals, the stop switch and restores; nobody claims it.
    let sql =
        "insert into stream (no, kind, id, fence, seq, head) values (1, 'store', $1, 0, 0, $2)";
    let params = params![store.to_string(), &Digest::ZERO.as_bytes()[..]];
    connection.execute(sql, params).await.map_err(&failed)?;
    connection.script("commit").await.map_err(&failed)?;
    let made = read_meta(connection).await?;
    made.ok_or_else(|| {
        OpenError::Store(StoreError::Damaged { what: "meta", why: "it is empty".to_owned() })
    })
}

pub(crate) async fn read_meta(connection: &mut Connection) -> Result<Option<Meta>, OpenError> {
    let row =
        connection.row(META, Vec::new()).await.map_err(failed("read the store's identity"))?;
    Ok(row.map(crate::read::meta).transpose()?)
}

fn new_store_id(now: Millis, random: Random) -> Result<StoreId, OpenError> {
    let mut bytes = [0; 10];
    random(&mut bytes).map_err(no_random)?;
    Ok(StoreId::new(u64::try_from(now.get()).unwrap_or(0), &bytes))
}

/// 128 random bits as 32 hex digits.
pub(crate) fn new_epoch(random: Random) -> Result<String, OpenError> {
    let mut bytes = [0; 16];
    random(&mut bytes).map_err(no_random)?;
    Ok(hex::encode(bytes))
}

fn no_random(error: getrandom::Error) -> OpenError {
    OpenError::Unsafe(format!("the operating system gives no random bytes: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn migrations_are_numbered_from_one_without_a_gap() {
        for (index, migration) in MIGRATIONS.iter().enumerate() {
            assert_eq!(migration.version, i64::try_from(index).unwrap() + 1);
            assert!(!migration.why.is_empty());
        }
        assert_eq!(MIGRATIONS.last().unwrap().version, VERSION);
        assert_eq!(APPLICATION_ID, 1_114_862_692, "the pragma in `migrate` says the same");
    }
}
