//! From what somebody knows or holds to who they are.
//!
//! All wrong answers look alike and take as long: no such account, a locked one, other words. What
//! is guessed is counted by account and by where it comes from, so that who guesses waits, and who
//! is guessed at from elsewhere does not.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use beistand_connector_api::Secret;
use beistand_core::access::{Account, AccountKind, Changed, CredentialKind, Permission, Rights};
use beistand_core::model::{AccountName, Millis, Person, Span, digest_of_bytes};
use beistand_core::run::{Actor, Proof};
use beistand_journal::{Credential, Reader, StoreError};
use serde_json::Value;
use thiserror::Error;
use tokio::sync::Semaphore;

use super::passkey::Shown;
use super::secret::{self, opens};
use crate::engine::Engine;
use crate::error::EngineError;

/// Wrong words after which an account waits for who gave them: a bad night's typing errors.
const GUESSES_FREE: u64 = 5;

/// Wrong words from one place, whatever the account: an office behind one address.
const GUESSES_FROM_ONE_PLACE: u64 = 50;

/// How long wrong words are remembered.
const GUESSES_FOR: Span = Span::from_secs(3600);

/// The first wait; each further one is twice as long.
const WAIT_FIRST: Span = Span::from_secs(15);

/// The longest wait: who comes back to it must still be able to help.
const WAIT_MAX: Span = Span::from_secs(15 * 60);

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
        self.0.journal.reader().has_accounts().await
    }

    /// What somebody may do now: their grants, and the roles they have in incidents.
    ///
    /// # Errors
    /// [`StoreError`] when it can not be read.
    pub async fn rights_of(&self, person: &Person) -> Result<Rights, StoreError> {
        let reader = self.0.journal.reader();
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
        let found = self.0.journal.reader().account(account).await?;
        let account = found.filter(|found| found.locked_at.is_none()).ok_or(Denied::Wrong)?;
        let rights = self.rights_of(&account.person).await?;
        let actor = Actor::proved(account.person, proof).with_account(account.name.clone());
        Ok(Caller { actor, account: Some(account.name), rights, proved_at })
    }

    /// Who holds a token: never more than its owner, never more than it was made for.
    ///
    /// # Errors
    /// [`Denied::Wrong`] for a token that is unknown, ended or taken back.
    pub async fn caller_by_token(&self, token: &Secret) -> Result<Caller, Denied> {
        let found = account_of_token(self.0.journal.reader(), token, self.0.clock.now()).await?;
        let (account, only) = found.ok_or(Denied::Wrong)?;
        let proof = match account.kind {
            AccountKind::Person | AccountKind::BreakGlass => Proof::Token,
            AccountKind::Service => Proof::Machine,
        };
        let mut caller = self.caller(&account.name, proof, None).await?;
        caller.rights = caller.rights.only(only);
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
        self.may_guess(name, from).await?;
        // From before the words are looked up: one that is changed meanwhile begins no session.
        let proved_at = self.0.clock.now();
        let found = account_of_words(self.0.journal.reader(), name, passphrase).await?;
        let Some(account) = found else {
            return Err(self.guessed(name, from).await?);
        };
        let proof = match self.second(&account, second).await? {
            Some(true) => Proof::SecondFactor,
            Some(false) => return Err(self.guessed(name, from).await?),
            None => Proof::Passphrase,
        };
        self.0.journal.forget(&of_account(name, from)).await?;
        let proof = match account.kind {
            AccountKind::Person | AccountKind::Service => proof,
            AccountKind::BreakGlass => {
                let by = Actor::proved(account.person.clone(), Proof::BreakGlass);
                let change = Changed::BreakGlassUsed { account: name.clone() };
                self.access_changed(change, by).await?;
                Proof::BreakGlass
            }
        };
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
                let credentials = self.0.journal.reader().credentials(&account.name).await?;
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
        let credentials = self.0.journal.reader().credentials(name).await?;
        let found = credentials.into_iter().find(|one| {
            one.kind == CredentialKind::Code && one.label == number && one.used_at.is_none()
        });
        let (id, kept) = found.map(|one| (one.id, one.secret)).unzip();
        let right = checked(secret::code_as_heard(code.expose()), kept).await;
        let Some(id) = id.filter(|_| right) else { return Ok(false) };
        Ok(self.0.journal.use_up(&id, self.0.clock.now()).await?)
    }

    /// Whether it is time to try again.
    pub(super) async fn may_guess(&self, name: &AccountName, from: &str) -> Result<(), Denied> {
        may_guess(self.0.journal.reader(), (name, from), self.0.clock.now()).await
    }

    /// Counts a wrong try.
    pub(super) async fn guessed(&self, name: &AccountName, from: &str) -> Result<Denied, Denied> {
        let now = self.0.clock.now();
        for (key, _) in limits(name, from) {
            self.0.journal.count(&key, now, now.plus(GUESSES_FOR)).await?;
        }
        Ok(Denied::Wrong)
    }
}

/// Whether it is time to try again, for who can read the store as it is.
pub(super) async fn may_guess(
    reader: &Reader,
    (name, from): (&AccountName, &str),
    now: Millis,
) -> Result<(), Denied> {
    for (key, free) in limits(name, from) {
        let (count, until) = reader.tally(&key, now).await?;
        let since = until.minus(GUESSES_FOR);
        let next = since.plus(wait_after(count, free));
        if count >= free && now < next {
            return Err(Denied::Later { until: next });
        }
    }
    Ok(())
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

/// The account that a token is of, and what the token was made for.
///
/// # Errors
/// [`StoreError`] when it can not be read.
pub async fn account_of_token(
    reader: &Reader,
    token: &Secret,
    now: Millis,
) -> Result<Option<(Account, BTreeSet<Permission>)>, StoreError> {
    let found = reader.credential_of(&secret::token_lookup(token)).await?;
    let holds = |one: &Credential| {
        one.kind == CredentialKind::Token && one.until.is_none_or(|until| now < until)
    };
    let Some(credential) = found.filter(holds) else { return Ok(None) };
    let account = reader.account(&credential.account).await?;
    let Some(account) = account.filter(|account| account.locked_at.is_none()) else {
        return Ok(None);
    };
    let body: Value = serde_json::from_str(&credential.body).unwrap_or_default();
    let only = body.get("permissions").and_then(Value::as_array).into_iter().flatten();
    let only = only.filter_map(|word| word.as_str()?.parse::<Permission>().ok()).collect();
    Ok(Some((account, only)))
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

/// What was typed as an account's name may be a passphrase, on the wrong line. So what is kept names
/// it by 32 bits: enough to tell accounts apart, too few to find the words out by.
fn of_account(name: &AccountName, from: &str) -> String {
    let digest = digest_of_bytes(name.as_str().as_bytes()).hex();
    format!("login/{digest:.8}/{from}")
}

fn limits(name: &AccountName, from: &str) -> [(String, u64); 2] {
    [(of_account(name, from), GUESSES_FREE), (format!("login-from/{from}"), GUESSES_FROM_ONE_PLACE)]
}

/// How long to wait after so many wrong tries.
fn wait_after(count: u64, free: u64) -> Span {
    let doublings = u32::try_from(count.saturating_sub(free)).unwrap_or(u32::MAX).min(10);
    let wait = WAIT_FIRST.millis().saturating_mul(1 << doublings);
    Span::from_millis(wait.min(WAIT_MAX.millis()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_guesses_waits_longer_each_time_and_never_for_ever() {
        let waits: Vec<u64> = (5..14).map(|count| wait_after(count, 5).millis() / 1000).collect();
        assert_eq!(waits, [15, 30, 60, 120, 240, 480, 900, 900, 900]);
        assert_eq!(wait_after(u64::MAX, 5), WAIT_MAX);
    }
}
