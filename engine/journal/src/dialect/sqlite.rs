//! The hot write on SQLite: one query string, one hop to the connection's thread.
//!
//! Rows do not travel as JSON: taking numbers out of JSON cost a third of the write. Each row is a
//! record of [`RECORD`] bytes in one blob, numbers as digits, hashes as they are; heads and bodies
//! are pieces of a second blob. `json_each` only counts the rows.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::LazyLock;
use std::task::Poll;
use std::time::Duration;

use futures_util::TryStreamExt as _;
use sqlx::{AssertSqlSafe, Either, Executor as _, Row as _, SqliteConnection};
use tokio::time::Instant;

use super::Transaction;
use crate::chain::Write;
use crate::sql::{Failure, Param, Statement, bind, params};

/// Ten numbers of 16 digits, the hash before and the hash after.
const RECORD: usize = 224;
/// How long a lone commit is waited for awake: on the disks of today most are done by then.
const AWAKE: Duration = Duration::from_micros(250);
/// On a single core, whoever waits awake holds up what it waits for.
static SPARE_CORE: LazyLock<bool> =
    LazyLock::new(|| std::thread::available_parallelism().is_ok_and(|cores| cores.get() > 1));

// A number of the record, by its place; a blob is cast by way of its text.
macro_rules! number {
    ($place:literal) => {
        concat!("cast(substr($2, w.key * 224 + ", $place, ", 16) as integer)")
    };
}

/// An entry moves its stream on. A trigger of the writer's connection and not of the file: a restore
/// copies the rows of both by itself.
pub(super) const MOVES: &str = "
    create temp trigger entry_moves_stream after insert on entry begin
        update stream set seq = new.seq, head = new.hash where no = new.stream;
    end";

/// $1: as many elements as rows; $2: the records; $3: head, body, salt, body hash of each. Where
/// nothing else is to be written it commits by itself, without `begin` and `commit`.
#[rustfmt::skip]
const WRITE: &str = concat!(
    "insert into entry (stream, seq, at, head, body, salt, body_hash, hash)
     select s.no, s.seq + 1, ", number!(97), ",
         substr($3, ", number!(113), ", ", number!(129), "),
         case when ", number!(145), " >= 0
             then substr($3, ", number!(113), " + ", number!(129), ", ", number!(145), ") end,
         case when ", number!(145), " >= 0
             then substr($3, ", number!(113), " + ", number!(129), " + ", number!(145), ", 32) end,
         substr($3, ", number!(113), " + ", number!(129), " + max(", number!(145), " + 32, 0), 32),
         substr($2, w.key * 224 + 193, 32)
     from json_each($1) w cross join stream s
     where s.no = ", number!(1), " and s.fence = ", number!(17), " and s.seq = ", number!(33), "
         and s.head = substr($2, w.key * 224 + 161, 32)
         and (", number!(81), " = 0
             or not exists (select 1 from meta where stopped_at is not null))"
);

/// Those that are released, of those that were written. By itself, because a row whose owner is set
/// to what it was is taken out of its index and put back: one page more in each commit.
#[rustfmt::skip]
const RELEASE: &str = concat!(
    "update stream set fence = fence + 1, owner = null,
         due = case when substr($2, w.key * 224 + 65, 1) = x'2d' then due
             else min(coalesce(due, ", number!(65), "), ", number!(65), ") end
     from json_each($1) as w
     where ", number!(49), " = 1 and stream.no = ", number!(1), "
         and stream.fence = ", number!(17), "
         and stream.head = substr($2, w.key * 224 + 193, 32)"
);

/// Which of them were written, where not all were: their streams stand where they were to go.
#[rustfmt::skip]
const WRITTEN: &str = concat!(
    "select s.no from json_each($1) w cross join stream s
     where s.no = ", number!(1), " and s.head = substr($2, w.key * 224 + 193, 32)"
);

/// All of it in one question: each one more would be two hops between threads, and between them
/// the disk would idle.
pub(super) async fn commit(
    connection: &mut SqliteConnection,
    transaction: Transaction<'_>,
) -> Result<Vec<i64>, Failure> {
    let Transaction { begun, before, writes, after } = transaction;
    let releases = writes.iter().any(|write| write.released() == 1);
    let alone = !begun && before.is_empty() && after.is_empty() && !releases;
    let mut script = Script::default();
    if !begun && !alone {
        script.add(super::SQLITE.begin, Vec::new());
    }
    for Statement { sql, params } in before {
        script.add(sql, params);
    }
    // What the insert into `entry` changed; a row that comes back for each would cost as much.
    let insert = script.statements;
    if !writes.is_empty() {
        let (records, bytes) = packed(writes)?;
        let params = params![count(writes), records, bytes];
        if releases {
            script.add(&format!("{WRITE};\n{RELEASE}"), params);
        } else {
            script.add(WRITE, params);
        }
    }
    for Statement { sql, params } in after {
        script.add(sql, params);
    }
    if !alone {
        script.add("commit", Vec::new());
    }
    // Where several are written, others work meanwhile, and nobody sleeps.
    let done = if writes.len() == 1 && *SPARE_CORE {
        awake(script.run(connection)).await?
    } else {
        script.run(connection).await?
    };
    let inserted = done.get(insert).copied().unwrap_or_default();
    if writes.is_empty() || usize::try_from(inserted) == Ok(writes.len()) {
        return Ok(writes.iter().map(|write| write.stream).collect());
    }
    // Nobody else writes this store: it still is as the transaction left it.
    let (records, _) = packed(writes)?;
    let rows = bind!(WRITTEN, params![count(writes), records]).fetch_all(connection).await;
    // It is committed: who would try it again would take its own entries for somebody else's.
    let rows = rows.map_err(|error| Failure::Fatal(error.to_string()))?;
    rows.iter().map(|row| Ok(row.try_get_unchecked::<i64, _>(0)?)).collect()
}

/// Waits without going to sleep at first: being woken takes a sixth of the time of a lone step.
/// Others get their turn between. It gives up nothing: after that it waits as usual.
async fn awake<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    let until = Instant::now() + AWAKE;
    while Instant::now() < until {
        let polled = poll_fn(|context| Poll::Ready(future.as_mut().poll(context))).await;
        if let Poll::Ready(done) = polled {
            return done;
        }
        tokio::task::yield_now().await;
    }
    future.await
}

/// A JSON array of so many elements.
fn count(writes: &[Write<'_>]) -> String {
    format!("[0{}]", ",0".repeat(writes.len().saturating_sub(1)))
}

/// Statements one after the other, each with its own values.
#[derive(Debug, Default)]
struct Script {
    text: String,
    params: Vec<Param>,
    statements: usize,
}

impl Script {
    /// Adds statements that count their values from `$1`. None of ours holds `$` or `;` in a text;
    /// texts of others are values.
    fn add(&mut self, sql: &str, params: Vec<Param>) {
        let before = self.params.len();
        for (at, piece) in sql.split('$').enumerate() {
            let digits = piece.bytes().take_while(u8::is_ascii_digit).count();
            let (number, rest) = piece.split_at(digits);
            match number.parse::<usize>() {
                Ok(number) if at > 0 => {
                    self.text.push('$');
                    self.text.push_str(&(number + before).to_string());
                    self.text.push_str(rest);
                }
                Ok(_) | Err(_) => self.text.push_str(piece),
            }
        }
        self.text.push_str(";\n");
        self.statements += sql.split(';').filter(|sql| !sql.trim().is_empty()).count();
        self.params.extend(params);
    }

    /// How many rows each of them changed.
    #[expect(clippy::disallowed_methods, reason = "joined from statements that are static texts")]
    async fn run(self, connection: &mut SqliteConnection) -> Result<Vec<u64>, Failure> {
        let query = bind!(AssertSqlSafe(self.text), self.params);
        let mut done = Vec::with_capacity(self.statements);
        let mut results = connection.fetch_many(query);
        // To the last result and not to the end behind it: that would be one hop more. A result
        // comes after its statement has committed.
        while done.len() < self.statements {
            match results.try_next().await? {
                Some(Either::Left(result)) => done.push(result.rows_affected()),
                Some(Either::Right(_)) => {}
                None => break,
            }
        }
        Ok(done)
    }
}

/// Records and pieces. A row without a body says −32 for its length: no body, no salt.
fn packed(writes: &[Write<'_>]) -> Result<(Vec<u8>, Vec<u8>), Failure> {
    let mut records = Vec::with_capacity(writes.len() * RECORD);
    let room = writes.iter().map(|write| write.content.len() + 64).sum();
    let mut bytes = Vec::with_capacity(room);
    for write in writes {
        let content = write.content;
        let place = bytes.len() + 1; // substr counts from 1
        let body = content.body.as_deref();
        let body_len = body.map_or(Ok(-32), |body| length(body.len()))?;
        for number in [write.stream, write.fence, length(write.prev.seq)?, write.released()] {
            digits(&mut records, number)?;
        }
        match write.due() {
            Some(due) => digits(&mut records, due)?,
            None => records.extend_from_slice(b"-               "),
        }
        let content_at = [write.gated(), content.at.get()];
        let pieces = [length(place)?, length(content.head.len())?, body_len];
        for number in content_at.into_iter().chain(pieces) {
            digits(&mut records, number)?;
        }
        records.extend_from_slice(write.prev.hash.as_bytes());
        records.extend_from_slice(write.new.hash.as_bytes());
        bytes.extend_from_slice(&content.head);
        bytes.extend_from_slice(body.unwrap_or_default());
        if let Some(salt) = &content.salt {
            bytes.extend_from_slice(salt);
        }
        bytes.extend_from_slice(content.body_hash.as_bytes());
    }
    Ok((records, bytes))
}

fn length(length: impl TryInto<i64>) -> Result<i64, Failure> {
    length.try_into().map_err(|_| too_long())
}

/// Sixteen digits, the first a sign where it is negative.
fn digits(records: &mut Vec<u8>, number: i64) -> Result<(), Failure> {
    let mut text = [b'0'; 16];
    let mut left = number.unsigned_abs();
    for place in text.iter_mut().rev() {
        *place = b'0' + u8::try_from(left % 10).unwrap_or_default();
        left /= 10;
    }
    if number < 0 {
        left += u64::from(text[0] != b'0');
        text[0] = b'-';
    }
    if left > 0 {
        return Err(too_long());
    }
    records.extend_from_slice(&text);
    Ok(())
}

fn too_long() -> Failure {
    Failure::Bad("a number has more than sixteen digits".to_owned())
}

#[cfg(test)]
mod tests {
    use super::{Script, digits, params};

    #[test]
    fn statements_keep_their_values_behind_those_of_others() {
        let mut script = Script::default();
        script.add("begin", Vec::new());
        script.add("select $1, $2; delete from t where a = $2", params![1, 2]);
        let many = (0..10).map(i64::from).map(super::Param::from).collect();
        script.add("insert into t values ($1, $10)", many);
        script.add("update t set a = $1", params![3]);
        assert_eq!(
            script.text,
            "begin;\nselect $1, $2; delete from t where a = $2;\n\
             insert into t values ($3, $12);\nupdate t set a = $13;\n"
        );
        assert_eq!((script.statements, script.params.len()), (5, 13));
    }

    #[test]
    fn a_number_takes_sixteen_places_or_is_refused() {
        let written = |number| {
            let mut records = Vec::new();
            digits(&mut records, number).ok().map(|()| String::from_utf8(records).unwrap())
        };
        assert_eq!(written(1_795_305_600_123).as_deref(), Some("0001795305600123"));
        assert_eq!(written(-32).as_deref(), Some("-000000000000032"));
        assert_eq!(written(9_999_999_999_999_999).as_deref(), Some("9999999999999999"));
        assert_eq!(written(10_000_000_000_000_000), None);
        assert_eq!(written(-1_000_000_000_000_000), None);
        assert_eq!(written(i64::MIN), None);
    }
}
