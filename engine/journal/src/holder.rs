//! Whoever shows something, and all that says what they may do.
//!
//! One question each, because it is asked before every answer: by a token's digest, by a session's,
//! by a name.

use beistand_core::access::{Account, Grant};
use beistand_core::model::{AccountName, Millis, Person};

use crate::access::{account, grant};
use crate::error::StoreError;
use crate::read::Reader;
use crate::sql::{Param, Row, params};

/// An account with what its person may do, as something that was shown leads to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    /// The account; it may be locked.
    pub account: Account,
    /// The grants of its person, ended ones too, and their roles in incidents.
    pub grants: Vec<Grant>,
    /// Until when what was shown can be used; for good where absent.
    pub until: Option<Millis>,
    /// What is kept of what was shown, JSON; empty for a name.
    pub body: String,
}

/// The account comes in each row, with a grant, a role in an incident or neither of them.
macro_rules! holder {
    ($shown:literal) => {
        concat!(
            "with holder as (",
            $shown,
            ") select h.*, g.person, g.role, g.reach, g.until
                 from holder h join access_grant g on g.person = h.person
             union all select h.*, r.person, r.role, 'incident:' || r.incident, null
                 from holder h join incident_role r on r.person = h.person
             union all select h.*, null, null, null, null from holder h"
        )
    };
}

impl Holder {
    /// Whether what was shown can still be used.
    pub fn holds(&self, now: Millis) -> bool {
        self.until.is_none_or(|until| now < until)
    }
}

impl Reader {
    /// Whoever holds the token of this digest; it may have ended.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn holder_of_token(&self, lookup: &str) -> Result<Option<Holder>, StoreError> {
        let sql = holder!(
            "select c.until as good, c.body, a.name, a.kind, a.person, a.made_at, a.locked_at
             from credential c join account a on a.name = c.account
             where c.lookup = $1 and c.kind = 'token'"
        );
        self.holder_by(sql, params![lookup]).await
    }

    /// Whoever logged in with the session of this digest; it may have ended.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn holder_of_session(&self, id: &str) -> Result<Option<Holder>, StoreError> {
        let sql = holder!(
            "select s.until as good, s.body, a.name, a.kind, a.person, a.made_at, a.locked_at
             from session s join account a on a.name = s.account
             where s.id = $1"
        );
        self.holder_by(sql, params![id]).await
    }

    /// Whoever has the account of this name.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn holder(&self, name: &AccountName) -> Result<Option<Holder>, StoreError> {
        let sql = holder!(
            "select cast(null as bigint) as good, cast('' as text) as body,
                 a.name, a.kind, a.person, a.made_at, a.locked_at
             from account a where a.name = $1"
        );
        self.holder_by(sql, params![name.as_str()]).await
    }

    async fn holder_by(
        &self,
        sql: &'static str,
        params: Vec<Param>,
    ) -> Result<Option<Holder>, StoreError> {
        let mut found: Option<Holder> = None;
        for mut row in self.pool().rows("find out who asks", sql, params).await? {
            let until = row.maybe_int("holder.until")?.map(Millis::new);
            let body = row.text("holder.body")?;
            let account = account(&mut row)?;
            let holder = found.get_or_insert(Holder { account, grants: Vec::new(), until, body });
            holder.grants.extend(granted(&mut row)?);
        }
        Ok(found)
    }
}

/// The grant or the role of a row.
fn granted(row: &mut Row) -> Result<Option<Grant>, StoreError> {
    let Some(person) = row.maybe_parse::<Person>("holder.person")? else { return Ok(None) };
    grant(person, row).map(Some)
}
