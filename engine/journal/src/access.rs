//! Accounts, credentials, grants; sessions and tallies.
//!
//! Accounts, credentials and grants change with an entry that says who changed them
//! ([`crate::Change`]). Sessions and tallies come and go by themselves: nobody reads in a timeline
//! that a page was loaded. No secret is kept as it is: a passphrase, a code and a token are digests
//! that only the one who knows them can make again.

use beistand_core::access::{Account, AccountKind, CredentialKind, Grant, Reach};
use beistand_core::model::{AccountName, Millis, Person};

use crate::error::StoreError;
use crate::open::Journal;
use crate::read::Reader;
use crate::sql::{Param, Row, params};
use crate::version::Touches;
use crate::writer::Work;

/// Most accounts, credentials or grants in one answer: a provider has hundreds.
const ROWS_MAX: i64 = 100_000;

/// One of the ways in which an account proves itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credential {
    /// Names it in commands and in the journal; of no other credential.
    pub id: String,
    /// Whose.
    pub account: AccountName,
    /// What kind.
    pub kind: CredentialKind,
    /// For people: what a token is for, which device a passkey is in, the number of a code.
    pub label: String,
    /// What it is found by, where it names itself: the digest of a token, the id of a passkey, a
    /// subject. Of no other credential.
    pub lookup: Option<String>,
    /// What it is checked against: a PHC string, a public key. Nothing that opens a door by itself.
    pub secret: String,
    /// When it was made.
    pub made_at: Millis,
    /// Until when it can be used; for good where absent.
    pub until: Option<Millis>,
    /// When it was used; what counts once is used up by it.
    pub used_at: Option<Millis>,
    /// What else belongs to it, JSON: a token's permissions.
    pub body: String,
}

impl Credential {
    /// Whether it is good at an instant, as far as it is up to it: it has not ended, and what counts
    /// once was not used.
    pub fn holds(&self, now: Millis) -> bool {
        let used_up = self.kind == CredentialKind::Code && self.used_at.is_some();
        !used_up && self.until.is_none_or(|until| now < until)
    }
}

/// A session, as the store keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// The digest of the id in the cookie.
    pub id: String,
    /// Whose; nobody has logged in yet where absent.
    pub account: Option<AccountName>,
    /// Until when.
    pub until: Millis,
    /// What is kept in it, JSON.
    pub body: String,
}

macro_rules! account_columns {
    ($rest:literal) => {
        concat!("select name, kind, person, made_at, locked_at from account ", $rest)
    };
}

macro_rules! credential_columns {
    ($rest:literal) => {
        concat!(
            "select id, account, kind, label, lookup, secret, made_at, until, used_at, body
             from credential ",
            $rest
        )
    };
}

impl Reader {
    /// Whether anybody has an account. From then on a name alone proves nothing.
    pub async fn has_accounts(&self) -> Result<bool, StoreError> {
        let sql = "select no from account order by no limit 1";
        Ok(self.pool().row("look for accounts", sql, Vec::new()).await?.is_some())
    }

    /// All accounts, by name.
    pub async fn accounts(&self) -> Result<Vec<Account>, StoreError> {
        let sql = account_columns!("order by name limit $1");
        let rows = self.pool().rows("list accounts", sql, params![ROWS_MAX]).await?;
        rows.into_iter().map(|mut row| account(&mut row)).collect()
    }

    /// An account by its name.
    pub async fn account(&self, name: &AccountName) -> Result<Option<Account>, StoreError> {
        let sql = account_columns!("where name = $1");
        let row = self.pool().row("read an account", sql, params![name.as_str()]).await?;
        row.map(|mut row| account(&mut row)).transpose()
    }

    /// The credentials of an account, oldest first; the used ones too.
    pub async fn credentials(&self, of: &AccountName) -> Result<Vec<Credential>, StoreError> {
        let sql = credential_columns!("where account = $1 order by no limit $2");
        let rows =
            self.pool().rows("list credentials", sql, params![of.as_str(), ROWS_MAX]).await?;
        rows.into_iter().map(credential).collect()
    }

    /// A credential by its id.
    pub async fn credential(&self, id: &str) -> Result<Option<Credential>, StoreError> {
        let sql = credential_columns!("where id = $1");
        let row = self.pool().row("read a credential", sql, params![id]).await?;
        row.map(credential).transpose()
    }

    /// The credential that names itself so.
    pub async fn credential_of(&self, lookup: &str) -> Result<Option<Credential>, StoreError> {
        let sql = credential_columns!("where lookup = $1");
        let row = self.pool().row("find a credential", sql, params![lookup]).await?;
        row.map(credential).transpose()
    }

    /// The grants of a person or a service account; ended ones too.
    pub async fn grants_of(&self, person: &Person) -> Result<Vec<Grant>, StoreError> {
        let sql =
            "select person, role, reach, until from access_grant where person = $1 order by no
             limit $2";
        let params = params![person.as_str(), ROWS_MAX];
        let rows = self.pool().rows("read grants", sql, params).await?;
        rows.into_iter().map(listed).collect()
    }

    /// The roles of a person in incidents, as grants that reach there.
    pub async fn roles_of(&self, person: &Person) -> Result<Vec<Grant>, StoreError> {
        let sql = "select incident, role from incident_role where person = $1 order by no limit $2";
        let params = params![person.as_str(), ROWS_MAX];
        let rows = self.pool().rows("read roles in incidents", sql, params).await?;
        let grant = |mut row: Row| {
            let reach = Reach::Incident(row.parse("incident_role.incident")?);
            let role = row.parse("incident_role.role")?;
            Ok(Grant { person: person.clone(), role, reach, until: None })
        };
        rows.into_iter().map(grant).collect()
    }

    /// All grants, by person.
    pub async fn grants(&self) -> Result<Vec<Grant>, StoreError> {
        let sql =
            "select person, role, reach, until from access_grant order by person, no limit $1";
        let rows = self.pool().rows("list grants", sql, params![ROWS_MAX]).await?;
        rows.into_iter().map(listed).collect()
    }

    /// A session by the digest of its id; `None` too where it is over.
    pub async fn session(&self, id: &str, now: Millis) -> Result<Option<Session>, StoreError> {
        let sql = "select id, account, until, body from session where id = $1 and until > $2";
        let row = self.pool().row("read a session", sql, params![id, now.get()]).await?;
        row.map(session).transpose()
    }

    /// The sessions of an account that are not over, the one that lasts longest first.
    pub async fn sessions_of(
        &self,
        account: &AccountName,
        now: Millis,
    ) -> Result<Vec<Session>, StoreError> {
        let sql = "select id, account, until, body from session
             where account = $1 and until > $2 order by until desc, id limit $3";
        let params = params![account.as_str(), now.get(), ROWS_MAX];
        let rows = self.pool().rows("list sessions", sql, params).await?;
        rows.into_iter().map(session).collect()
    }

    /// How often something was counted, and until when that is remembered.
    pub async fn tally(&self, key: &str, now: Millis) -> Result<(u64, Millis), StoreError> {
        let sql = "select count, until from tally where key = $1 and until > $2";
        let row = self.pool().row("read a tally", sql, params![key, now.get()]).await?;
        let Some(mut row) = row else { return Ok((0, now)) };
        let count = u64::try_from(row.int("tally.count")?).unwrap_or(u64::MAX);
        Ok((count, Millis::new(row.int("tally.until")?)))
    }
}

fn session(mut row: Row) -> Result<Session, StoreError> {
    Ok(Session {
        id: row.text("session.id")?,
        account: row.maybe_parse("session.account")?,
        until: Millis::new(row.int("session.until")?),
        body: row.text("session.body")?,
    })
}

impl Journal {
    /// Keeps a session, or what is new of it.
    pub async fn put_session(&self, session: Session) -> Result<(), StoreError> {
        let sql = "insert into session (id, account, until, body) values ($1, $2, $3, $4)
             on conflict (id) do update set account = excluded.account, until = excluded.until,
                 body = excluded.body";
        let account = session.account.map(|name| name.as_str().to_owned());
        let params = params![session.id, account, session.until.get(), session.body];
        self.direct("keep a session", Touches::Access, sql, params).await.map(|_| ())
    }

    /// Ends a session of an account; `false` if it has none of this id.
    pub async fn drop_session_of(
        &self,
        account: &AccountName,
        id: &str,
    ) -> Result<bool, StoreError> {
        let sql = "delete from session where id = $1 and account = $2 returning no";
        let params = params![id, account.as_str()];
        Ok(!self.direct("end an own session", Touches::Access, sql, params).await?.is_empty())
    }

    /// Ends all sessions of an account but this one; how many.
    pub async fn drop_other_sessions(
        &self,
        account: &AccountName,
        id: &str,
    ) -> Result<usize, StoreError> {
        let sql = "delete from session where account = $1 and id <> $2 returning no";
        let params = params![account.as_str(), id];
        Ok(self.direct("end other sessions", Touches::Access, sql, params).await?.len())
    }

    /// Ends a session; `false` if it was over already.
    pub async fn drop_session(&self, id: &str) -> Result<bool, StoreError> {
        let sql = "delete from session where id = $1 returning no";
        Ok(!self.direct("end a session", Touches::Access, sql, params![id]).await?.is_empty())
    }

    /// Uses up what counts once; `false` if that was done before, or there is no such credential.
    pub async fn use_up(&self, credential: &str, now: Millis) -> Result<bool, StoreError> {
        let sql = "update credential set used_at = $2
             where id = $1 and used_at is null and (until is null or until > $2) returning no";
        let params = params![credential, now.get()];
        Ok(!self.direct("use up a credential", Touches::Access, sql, params).await?.is_empty())
    }

    /// Notes what a passkey's device says of itself and when it was used last.
    pub async fn note_use(
        &self,
        credential: &str,
        secret: String,
        now: Millis,
    ) -> Result<(), StoreError> {
        let sql = "update credential set used_at = $2, secret = $3 where id = $1";
        let params = params![credential, now.get(), secret];
        self.direct("note the use of a credential", Touches::Access, sql, params).await.map(|_| ())
    }

    /// Counts something once more and remembers it until then; the new count.
    pub async fn count(&self, key: &str, now: Millis, until: Millis) -> Result<u64, StoreError> {
        let sql = "insert into tally (key, count, until) values ($1, 1, $3)
             on conflict (key) do update set until = excluded.until,
                 count = case when tally.until <= $2 then 1 else tally.count + 1 end
             returning count";
        let rows = self
            .direct("count", Touches::Tallies, sql, params![key, now.get(), until.get()])
            .await?;
        let count = rows.into_iter().next().map(|mut row| row.int("tally.count")).transpose()?;
        Ok(count.and_then(|count| u64::try_from(count).ok()).unwrap_or(u64::MAX))
    }

    /// Remembers that something was seen; `false` if it was already, and is not forgotten yet.
    pub async fn see(&self, key: &str, now: Millis, until: Millis) -> Result<bool, StoreError> {
        let sql = "insert into tally (key, count, until) values ($1, 1, $3)
             on conflict (key) do update set until = excluded.until, count = 1
                 where tally.until <= $2 returning no";
        let params = params![key, now.get(), until.get()];
        Ok(!self.direct("remember", Touches::Tallies, sql, params).await?.is_empty())
    }

    /// Forgets what was counted.
    pub async fn forget(&self, key: &str) -> Result<(), StoreError> {
        let sql = "delete from tally where key = $1";
        self.direct("forget a tally", Touches::Tallies, sql, params![key]).await.map(|_| ())
    }

    /// Takes away sessions and tallies that are over.
    pub async fn sweep(&self, now: Millis) -> Result<(), StoreError> {
        let sql = "delete from session where until <= $1";
        self.direct("take away ended sessions", Touches::Access, sql, params![now.get()]).await?;
        let sql = "delete from tally where until <= $1";
        self.direct("take away ended tallies", Touches::Tallies, sql, params![now.get()])
            .await
            .map(|_| ())
    }

    async fn direct(
        &self,
        what: &'static str,
        touches: Touches,
        sql: &'static str,
        params: Vec<Param>,
    ) -> Result<Vec<Row>, StoreError> {
        self.ask(|answer| Work::Direct { what, sql, params, touches, answer }).await
    }
}

pub(crate) fn account(row: &mut Row) -> Result<Account, StoreError> {
    Ok(Account {
        name: row.parse("account.name")?,
        kind: word(
            &row.text("account.kind")?,
            "account.kind",
            AccountKind::ALL,
            AccountKind::as_str,
        )?,
        person: row.parse("account.person")?,
        made_at: Millis::new(row.int("account.made_at")?),
        locked_at: row.maybe_int("account.locked_at")?.map(Millis::new),
    })
}

fn credential(mut row: Row) -> Result<Credential, StoreError> {
    Ok(Credential {
        id: row.text("credential.id")?,
        account: row.parse("credential.account")?,
        kind: word(
            &row.text("credential.kind")?,
            "credential.kind",
            CredentialKind::ALL,
            CredentialKind::as_str,
        )?,
        label: row.text("credential.label")?,
        lookup: row.maybe_text("credential.lookup")?,
        secret: row.text("credential.secret")?,
        made_at: Millis::new(row.int("credential.made_at")?),
        until: row.maybe_int("credential.until")?.map(Millis::new),
        used_at: row.maybe_int("credential.used_at")?.map(Millis::new),
        body: row.text("credential.body")?,
    })
}

fn listed(mut row: Row) -> Result<Grant, StoreError> {
    let person = row.parse("access_grant.person")?;
    grant(person, &mut row)
}

/// What a person was given.
pub(crate) fn grant(person: Person, row: &mut Row) -> Result<Grant, StoreError> {
    Ok(Grant {
        person,
        role: row.parse("access_grant.role")?,
        reach: row.parse("access_grant.reach")?,
        until: row.maybe_int("access_grant.until")?.map(Millis::new),
    })
}

fn word<T: Copy>(
    text: &str,
    what: &'static str,
    all: &[T],
    said: impl Fn(T) -> &'static str,
) -> Result<T, StoreError> {
    let found = all.iter().copied().find(|one| said(*one) == text);
    found.ok_or_else(|| StoreError::Damaged { what, why: text.to_owned() })
}
