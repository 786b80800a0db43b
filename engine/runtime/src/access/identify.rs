//! From what somebody knows or holds to who they are.
//!
//! All wrong answers look alike and take as long: no such account, a locked one, other words. What
//! is guessed is counted (`guess.rs`).

use std::collections::BTreeSet;
use std::sync::LazyLock;

use beistand_connector_api::Secret;
use beistand_core::access::{Account, Changed, CredentialKind, Permission, Rights};
use beistand_core::model::{AccountName, Millis, Person};
use beistand_core::run::{Actor, Proof};
use beistand_journal::{Holder, Reader, StoreError};
use serde_json::Value;
use thiserror::Error;
use tokio::sync::Semaphore;

use super::holders::ShownBy;
use super::passkey::Shown;
use super::secret::{self, opens};
use crate::engine::Engine;
use crate::error::EngineError;

/// Digests at once: each takes 19 MiB and a core for tens of milliseconds.
const DIGESTS_AT_ONCE: usize = 2;

static DIGESTS: LazyLock<Semaphore> = LazyLock::new(|| Semaphore::new(DIGESTS_AT_ONCE));

/// Somebody who asks, and what they may do at this moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// Who, and how that was proved.
    pub actor: Actor,
    /// With which account; none in a store without accounts.
    pub account: Option<AccountName>,
    /// What they may do.
    pub rights: Rights,
    /// When they last proved it by something that only they know or hold; what destroys wants it to
    /// be a moment ago. Absent: never, as with a token.
    pub proved_at: Option<Millis>,
}

/// What is given beside a passphrase.
#[derive(Debug)]
pub enum SecondFactor {
    /// A printed code, by its number.
    Code {
        /// Its number on the sheet.
        number: String,
        /// The code.
        code: Secret,
    },
    /// The answer of a passkey to what was asked.
    Passkey(Box<Shown>),
}

/// Why somebody is not let in.
#[derive(Debug, Error)]
pub enum Denied {
    /// It does not fit. What exactly is nobody's business.
    #[error("this account and these words do not fit together")]
    Wrong,
    /// Too many wrong words: not before then.
    #[error("too many wrong words; try again after {until}")]
    Later {
        /// From when on it is worth trying.
        until: Millis,
    },
    /// So many questions wait for the account's devices: not before then.
    #[error("too many questions wait for devices of this account; try again after {until}")]
    TooManyQuestions {
        /// From when on there is room for one.
        until: Millis,
    },
    /// The account wants a second factor.
    #[error("this account wants a passkey or a printed code as well")]
    SecondFactorMissing,
    /// The store can not say.
    #[error("who you are could not be looked up")]
    Store(#[from] StoreError),
    /// Our fault.
    #[error("who you are could not be looked up")]
    Internal(#[from] EngineError),
}

impl Engine {
    /// Whether a name alone is enough: the store has no accounts.
    ///
    /// # Errors
    /// [`StoreError`] when it can not be read.
    pub async fn has_accounts(&self) -> Result<bool, StoreError> {
        self.0.journal.doors().has_accounts().await
    }

    /// What somebody may do now: their grants, and the roles they have in incidents.
    ///
    /// # Errors
    /// [`StoreError`] when it can not be read.
    pub async fn rights_of(&self, person: &Person) -> Result<Rights, StoreError> {
        let reader = self.0.journal.doors();
        let mut grants = reader.grants_of(person).await?;
        grants.extend(reader.roles_of(person).await?);
        Ok(Rights::of(grants, self.0.clock.now()))
    }

    /// Who holds an account now, proved some time ago: what a session asks with each request.
    ///
    /// # Errors
    /// [`Denied::Wrong`] where the account is gone or locked.
    pub async fn caller(
        &self,
        account: &AccountName,
        proof: Proof,
        proved_at: Option<Millis>,
    ) -> Result<Caller, Denied> {
        let holder = self.0.journal.doors().holder(account).await?.ok_or(Denied::Wrong)?;
        self.as_caller(&holder, proof, proved_at)
    }

    /// Somebody as what they showed has them.
    pub(super) fn as_caller(
        &self,
        holder: &Holder,
        proof: Proof,
        proved_at: Option<Millis>,
    ) -> Result<Caller, Denied> {
        let Holder { account, grants, .. } = holder;
        if account.locked_at.is_some() {
            return Err(Denied::Wrong);
        }
        let rights = Rights::of(grants.iter().cloned(), self.0.clock.now());
        let person = account.person.clone();
        let actor = Actor::proved(person, proof).with_account(account.name.clone());
        Ok(Caller { actor, account: Some(account.name.clone()), rights, proved_at })
    }

    /// Who holds a token: never more than its owner, never more than it was made for.
    ///
    /// # Errors
    /// [`Denied::Wrong`] for a token that is unknown, ended or taken back.
    pub async fn caller_by_token(&self, token: &Secret) -> Result<Caller, Denied> {
        let shown = ShownBy::Token(secret::token_lookup(token));
        let found = self.0.holders.find(&self.0.journal, shown, self.0.clock.now()).await?;
        let holder = found.ok_or(Denied::Wrong)?;
        let proof = Proof::by_token(holder.account.kind);
        let mut caller = self.as_caller(&holder, proof, None)?;
        caller.rights = caller.rights.only(made_for(&holder));
        Ok(caller)
    }

    /// Logs somebody in by their passphrase, and by a second factor where they have one. `from` is
    /// where they come from, as far as the connection shows it.
    ///
    /// # Errors
    /// [`Denied`]; each wrong try is counted.
    pub async fn log_in(
        &self,
        name: &AccountName,
        passphrase: Secret,
        second: Option<SecondFactor>,
        from: &str,
    ) -> Result<Caller, Denied> {
        let tried = self.tries(name, from).await?;
        // From before the words are looked up: one that is changed meanwhile begins no session.
        let proved_at = self.0.clock.now();
        let found = account_of_words(self.0.journal.doors(), name, passphrase).await?;
        let Some(account) = found else { return Err(tried.was_wrong().await?) };
        let alone = Proof::by_words(account.kind);
        let proof = match (self.second(&account, second).await?, alone) {
            (Some(false), _) => return Err(tried.was_wrong().await?),
            (Some(true), Proof::Passphrase) => Proof::SecondFactor,
            (Some(true) | None, proof) => proof,
        };
        tried.was_right().await?;
        if proof == Proof::BreakGlass {
            let by = Actor::proved(account.person.clone(), proof);
            let change = Changed::BreakGlassUsed { account: name.clone() };
            self.access_changed(change, by).await?;
        }
        self.caller(name, proof, Some(proved_at)).await
    }

    /// Whether a second factor was given: nothing where none was and none is wanted.
    async fn second(
        &self,
        account: &Account,
        given: Option<SecondFactor>,
    ) -> Result<Option<bool>, Denied> {
        match given {
            Some(SecondFactor::Passkey(shown)) => self.use_passkey(account, *shown).await.map(Some),
            Some(SecondFactor::Code { number, code }) => {
                self.use_code(&account.name, &number, code).await.map(Some)
            }
            None => {
                let credentials = self.0.journal.doors().credentials(&account.name).await?;
                let wants = credentials.iter().any(|one| one.kind == CredentialKind::Passkey);
                if wants { Err(Denied::SecondFactorMissing) } else { Ok(None) }
            }
        }
    }

    /// Uses a printed code up; whether it was one.
    async fn use_code(
        &self,
        name: &AccountName,
        number: &str,
        code: Secret,
    ) -> Result<bool, Denied> {
        let credentials = self.0.journal.doors().credentials(name).await?;
        let found = credentials.into_iter().find(|one| {
            one.kind == CredentialKind::Code && one.label == number && one.used_at.is_none()
        });
        let (id, kept) = found.map(|one| (one.id, one.secret)).unzip();
        let right = checked(secret::code_as_heard(code.expose()), kept).await;
        let Some(id) = id.filter(|_| right) else { return Ok(false) };
        Ok(self.0.journal.use_up(&id, self.0.clock.now()).await?)
    }
}

/// The account that these words open; one that is locked is opened by none. Guesses are not counted
/// here: this is for who can read the store as it is.
///
/// # Errors
/// [`StoreError`] when it can not be read.
pub async fn account_of_words(
    reader: &Reader,
    name: &AccountName,
    words: Secret,
) -> Result<Option<Account>, StoreError> {
    let account = reader.account(name).await?.filter(|found| found.locked_at.is_none());
    let credentials = reader.credentials(name).await?;
    let passphrase = credentials.into_iter().find(|one| one.kind == CredentialKind::Passphrase);
    let right = checked(words, passphrase.map(|one| one.secret)).await;
    Ok(account.filter(|_| right))
}

/// Whoever holds a token, and what the token was made for; nobody where it ended, or their account is
/// locked.
///
/// # Errors
/// [`StoreError`] when it can not be read.
pub async fn holder_of_token(
    reader: &Reader,
    token: &Secret,
    now: Millis,
) -> Result<Option<(Holder, BTreeSet<Permission>)>, StoreError> {
    let found = reader.holder_of_token(&secret::token_lookup(token)).await?;
    let holds = |one: &Holder| one.account.locked_at.is_none() && one.holds(now);
    let Some(holder) = found.filter(holds) else { return Ok(None) };
    let only = made_for(&holder);
    Ok(Some((holder, only)))
}

/// What a token was made for.
fn made_for(holder: &Holder) -> BTreeSet<Permission> {
    let body: Value = serde_json::from_str(&holder.body).unwrap_or_default();
    let only = body.get("permissions").and_then(Value::as_array).into_iter().flatten();
    only.filter_map(|word| word.as_str()?.parse().ok()).collect()
}

/// What is kept of words that nobody knows: what a wrong name is checked against.
static NOBODYS: LazyLock<String> = LazyLock::new(|| {
    let nobody = secret::new_token(getrandom::fill);
    nobody.and_then(|words| secret::digested(&words, getrandom::fill)).unwrap_or_default()
});

/// Checks words beside the runs, a few at once. Where there is nothing to check them against, the same
/// time is spent.
pub(super) async fn checked(words: Secret, kept: Option<String>) -> bool {
    let kept = kept.unwrap_or_else(|| NOBODYS.clone());
    beside_the_runs(move || opens(&words, &kept)).await.unwrap_or(false)
}

/// Does what takes a core for long where it holds up no run; nothing where that can not be had.
pub(super) async fn beside_the_runs<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Option<T> {
    let _place = DIGESTS.acquire().await.ok()?;
    tokio::task::spawn_blocking(work).await.ok()
}
