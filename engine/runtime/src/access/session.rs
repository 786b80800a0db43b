//! Sessions: who logged in stays so for a while, on this browser, until they leave.
//!
//! The browser holds 256 random bits; the store holds their digest, so that who reads the store can
//! be nobody. A session says how somebody proved who they are and when; what they may do is asked
//! anew with each request.

use beistand_connector_api::Secret;
use beistand_core::access::{CredentialKind, SEALED_LASTS};
use beistand_core::model::{Millis, Span};
use beistand_core::run::Proof;
use beistand_journal::{Credential, Session, StoreError};
use serde::{Deserialize, Serialize};

use super::holders::ShownBy;
use super::identify::{Caller, Denied};
use super::secret::{new_token, token_lookup};
use crate::engine::Engine;

/// How long a session lasts at the most: a shift.
const SESSION_LASTS: Span = Span::from_secs(12 * 3600);

/// For so long after somebody proved who they are, what destroys is let through.
pub const FRESH_FOR: Span = Span::from_secs(5 * 60);

/// What the store keeps of a session.
#[derive(Debug, Serialize, Deserialize)]
struct Kept {
    proof: Proof,
    /// Absent where an identity provider vouched for them: they have proved nothing here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    proved_at: Option<Millis>,
    /// When it began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    began_at: Option<Millis>,
    /// On which device, in a few words.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    device: String,
}

/// A session of somebody's own, as they are shown it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnSession {
    /// What it is ended by; it opens nothing.
    pub id: String,
    /// On which device, in a few words; empty where nobody said.
    pub device: String,
    /// When it began, where that was kept.
    pub began_at: Option<Millis>,
    /// When it was shown last, as far as this program remembers.
    pub used_at: Option<Millis>,
    /// Until when it lasts.
    pub until: Millis,
    /// Whether it is the one that asks.
    pub this: bool,
}

/// A session that began.
#[derive(Debug)]
pub struct Begun {
    /// What the browser holds. Shown once.
    pub cookie: Secret,
    /// When it ends.
    pub until: Millis,
}

impl Caller {
    /// Whether they proved a moment ago who they are.
    pub fn is_fresh(&self, now: Millis) -> bool {
        self.proved_at.is_some_and(|at| now.since(at) <= FRESH_FOR)
    }
}

impl Engine {
    /// Begins a session of somebody who just proved it, or for whom an identity provider vouched. It
    /// has a new cookie, whatever the browser held before.
    ///
    /// # Errors
    /// [`Denied::Wrong`] where the passphrase was changed meanwhile; [`Denied::Internal`] for
    /// somebody without an account, and without randomness.
    pub async fn begin_session(&self, caller: &Caller) -> Result<Begun, Denied> {
        self.begin_session_on(caller, "").await
    }

    /// The same on a device, in a few words.
    ///
    /// # Errors
    /// As [`Self::begin_session`].
    pub async fn begin_session_on(&self, caller: &Caller, device: &str) -> Result<Begun, Denied> {
        let lasts = match caller.actor.proof {
            Some(Proof::BreakGlass) => SEALED_LASTS,
            Some(
                Proof::Passphrase
                | Proof::SecondFactor
                | Proof::SingleSignOn
                | Proof::Token
                | Proof::Machine
                | Proof::Telephone
                | Proof::Paper,
            )
            | None => SESSION_LASTS,
        };
        let cookie = new_token(self.0.random)?;
        let now = self.0.clock.now();
        let until = now.plus(lasts);
        let of = (until, Some(now), device.to_owned());
        self.keep_session(&token_lookup(&cookie), caller, of).await?;
        Ok(Begun { cookie, until })
    }

    /// Who stands behind a session's cookie now.
    ///
    /// # Errors
    /// [`Denied::Wrong`] where it is over, or its account is locked or gone.
    pub async fn caller_by_session(&self, cookie: &Secret) -> Result<Caller, Denied> {
        let shown = ShownBy::Session(token_lookup(cookie));
        let found = self.0.holders.find(&self.0.journal, shown, self.0.clock.now()).await?;
        let holder = found.ok_or(Denied::Wrong)?;
        let kept: Kept = serde_json::from_str(&holder.body).map_err(|_| Denied::Wrong)?;
        self.as_caller(&holder, kept.proof, kept.proved_at)
    }

    /// Goes on with a session whose person proved who they are once more, under another cookie: a copy
    /// of the one before is worth nothing. Only the same account may.
    ///
    /// # Errors
    /// [`Denied::Wrong`] where the session is over or another's.
    pub async fn renew_session(&self, cookie: &Secret, caller: &Caller) -> Result<Begun, Denied> {
        let id = token_lookup(cookie);
        let now = self.0.clock.now();
        let found = self.0.journal.doors().session(&id, now).await?.ok_or(Denied::Wrong)?;
        // Whoever ended it meanwhile has ended it.
        if found.account != caller.account || !self.0.journal.drop_session(&id).await? {
            return Err(Denied::Wrong);
        }
        let cookie = new_token(self.0.random)?;
        let kept: Option<Kept> = serde_json::from_str(&found.body).ok();
        let (began_at, device) = kept.map(|kept| (kept.began_at, kept.device)).unwrap_or_default();
        let of = (found.until, began_at, device);
        self.keep_session(&token_lookup(&cookie), caller, of).await?;
        Ok(Begun { cookie, until: found.until })
    }

    /// Ends a session; its cookie is dead at once.
    ///
    /// # Errors
    /// [`StoreError`] when it can not be written.
    pub async fn end_session(&self, cookie: &Secret) -> Result<(), StoreError> {
        self.end_session_found_by(&token_lookup(cookie)).await
    }

    /// The same by what the store finds it by, [`token_lookup`] of its cookie.
    ///
    /// # Errors
    /// [`StoreError`] when it can not be written.
    pub async fn end_session_found_by(&self, lookup: &str) -> Result<(), StoreError> {
        self.0.journal.drop_session(lookup).await.map(drop)
    }

    /// The sessions of who asks, that of this cookie marked.
    ///
    /// # Errors
    /// [`StoreError`] when they can not be read.
    pub async fn own_sessions(
        &self,
        caller: &Caller,
        cookie: &Secret,
    ) -> Result<Vec<OwnSession>, StoreError> {
        let Some(account) = &caller.account else { return Ok(Vec::new()) };
        let own = token_lookup(cookie);
        let all = self.0.journal.doors().sessions_of(account, self.0.clock.now()).await?;
        let shown = all.into_iter().map(|one| {
            let kept: Option<Kept> = serde_json::from_str(&one.body).ok();
            let (began_at, device) =
                kept.map(|kept| (kept.began_at, kept.device)).unwrap_or_default();
            let (used_at, this) = (self.0.holders.last_shown(&one.id), one.id == own);
            OwnSession { id: one.id, device, began_at, used_at, until: one.until, this }
        });
        Ok(shown.collect())
    }

    /// Ends a session of who asks; `false` where they have none of this name.
    ///
    /// # Errors
    /// [`StoreError`] when it can not be written.
    pub async fn end_own_session(&self, caller: &Caller, id: &str) -> Result<bool, StoreError> {
        let Some(account) = &caller.account else { return Ok(false) };
        self.0.journal.drop_session_of(account, id).await
    }

    /// Ends all sessions of who asks but that of this cookie; how many.
    ///
    /// # Errors
    /// [`StoreError`] when it can not be written.
    pub async fn end_other_sessions(
        &self,
        caller: &Caller,
        cookie: &Secret,
    ) -> Result<usize, StoreError> {
        let Some(account) = &caller.account else { return Ok(0) };
        self.0.journal.drop_other_sessions(account, &token_lookup(cookie)).await
    }

    async fn keep_session(
        &self,
        id: &str,
        caller: &Caller,
        (until, began_at, device): (Millis, Option<Millis>, String),
    ) -> Result<(), Denied> {
        let nobody = || Denied::Internal(crate::EngineError::Internal("nobody logs in".to_owned()));
        let account = caller.account.clone().ok_or_else(nobody)?;
        let proof = caller.actor.proof.ok_or_else(nobody)?;
        let proved_at = caller.proved_at;
        // Who changes a passphrase, or takes a link back, ends what began by it; nothing slips in
        // between.
        let _one = self.0.access.lock().await;
        let credentials = self.0.journal.doors().credentials(&account).await?;
        let of = |kind| credentials.iter().filter(move |one: &&Credential| one.kind == kind);
        let holds = match proved_at {
            Some(at) => of(CredentialKind::Passphrase).all(|one| one.made_at <= at),
            None => of(CredentialKind::SingleSignOn).next().is_some(),
        };
        if !holds {
            return Err(Denied::Wrong);
        }
        let body = serde_json::to_string(&Kept { proof, proved_at, began_at, device });
        let body = body.map_err(|error| crate::EngineError::Internal(error.to_string()))?;
        let id = id.to_owned();
        self.0.journal.put_session(Session { id, account: Some(account), until, body }).await?;
        Ok(())
    }
}
