//! Who stood behind what was shown, kept while nothing about accounts was written since.
//!
//! Each request asks it first. The store says it in one question; where nobody else can have written
//! meanwhile, memory says it without. What is not true of anybody is not kept: who tries out tokens
//! pays for each.

use std::sync::{Arc, Mutex};

use beistand_core::model::Millis;
use beistand_journal::{Holder, Journal, StoreError};

use crate::engine::lock;
use crate::recent::{Bounds, Recent};

/// As many as are logged in at once, and their machines; some kilobytes each.
const KEPT: Bounds = Bounds { count: 4_096, bytes: 4_096 };

/// What was shown: by its digest, so that a session's secret is no token.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum ShownBy {
    Token(String),
    Session(String),
}

/// Those who were asked for last, and the version of the accounts of which that was true.
#[derive(Debug)]
pub(crate) struct Holders {
    kept: Mutex<Recent<ShownBy, (u64, Arc<Holder>)>>,
    /// When each session was shown last.
    shown: Mutex<Recent<String, Millis>>,
}

impl Default for Holders {
    fn default() -> Self {
        Self { kept: Mutex::new(Recent::new(KEPT)), shown: Mutex::new(Recent::new(KEPT)) }
    }
}

impl Holders {
    /// Whoever showed this, where it still holds at `now`; their account may be locked.
    ///
    /// # Errors
    /// [`StoreError`].
    pub(super) async fn find(
        &self,
        journal: &Journal,
        shown: ShownBy,
        now: Millis,
    ) -> Result<Option<Arc<Holder>>, StoreError> {
        let session = if let ShownBy::Session(id) = &shown { Some(id.clone()) } else { None };
        let found = self.look(journal, shown, now).await?;
        if let (Some(id), true) = (session, found.is_some()) {
            lock(&self.shown).put(id, now, 1);
        }
        Ok(found)
    }

    /// When a session was shown last, as far as this program remembers.
    pub(super) fn last_shown(&self, session: &str) -> Option<Millis> {
        lock(&self.shown).get(&session.to_owned())
    }

    async fn look(
        &self,
        journal: &Journal,
        shown: ShownBy,
        now: Millis,
    ) -> Result<Option<Arc<Holder>>, StoreError> {
        // Asked before the store is: what is written in between makes what was read a thing of before.
        let version = journal.access_version();
        if let Some((of, holder)) = lock(&self.kept).get(&shown)
            && version == Some(of)
        {
            return Ok(Some(holder).filter(|holder| holder.holds(now)));
        }
        let reader = journal.doors();
        let found = match &shown {
            ShownBy::Token(lookup) => reader.holder_of_token(lookup).await?,
            ShownBy::Session(id) => reader.holder_of_session(id).await?,
        };
        let Some(holder) = found.map(Arc::new) else { return Ok(None) };
        if let Some(version) = version {
            lock(&self.kept).put(shown, (version, Arc::clone(&holder)), 1);
        }
        Ok(Some(holder).filter(|holder| holder.holds(now)))
    }
}
