//! Votes by telephone: somebody reads out a printed code, somebody else types it in.
//!
//! The code says who is at the other end; what was read aloud to them is not known here. A code never
//! comes through the mailbox: who can read the store looks at it where it was typed, and its owner
//! only uses it up. That is done in the transaction of the vote: a vote that does not count takes no
//! code of anybody, and no code counts for two.

use std::collections::BTreeSet;
use std::sync::Mutex;

use beistand_connector_api::Secret;
use beistand_core::access::{CredentialKind, Rights};
use beistand_core::model::{AccountName, Millis, Person, RunId};
use beistand_core::run::{Actor, Command, Proof};
use beistand_journal::{Credential, Reader};
use serde_json::Value;

use super::authorize::of_command;
use super::guess::Counted;
use super::identify::checked;
use super::secret;
use super::{Caller, Denied};
use crate::engine::{Engine, lock};
use crate::error::EngineError;
use crate::verbs::Verb;

/// A printed code that fits, not used up yet, and whose it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OnTelephone {
    /// Who reads it out, and through whom.
    pub actor: Actor,
    /// With which account.
    pub account: AccountName,
    /// Names the code.
    pub credential: String,
}

/// Why a vote with a code that counted before is none.
pub(crate) const USED_UP: &str = "this code is not theirs, or was used already";

/// Printed codes that votes are about to use up: two at once in one run would be decided together.
#[derive(Debug, Default)]
pub(crate) struct InUse(Mutex<BTreeSet<String>>);

/// A code that one vote is about to use up; let go of when dropped.
#[derive(Debug)]
struct Taken<'u> {
    in_use: &'u InUse,
    code: String,
}

impl InUse {
    /// Takes a code; nothing where another vote is about to use it.
    fn take(&self, code: &str) -> Option<Taken<'_>> {
        let free = lock(&self.0).insert(code.to_owned());
        free.then(|| Taken { in_use: self, code: code.to_owned() })
    }
}

impl Drop for Taken<'_> {
    fn drop(&mut self) {
        lock(&self.in_use.0).remove(&self.code);
    }
}

/// The key under which guesses of who types are counted.
fn place_of(typed_by: &Person) -> String {
    format!("telephone of {typed_by}")
}

/// Looks at a printed code that somebody reads out on the telephone, for who can read the store as it
/// is. Nothing is written: a wrong one is counted by [`Verb::Misheard`], a right one is used up by
/// [`Verb::Telephone`].
///
/// # Errors
/// [`Denied`].
pub async fn on_telephone(
    reader: &Reader,
    name: &AccountName,
    (number, code): (&str, &Secret),
    (typed_by, now): (&Person, Millis),
) -> Result<OnTelephone, Denied> {
    let counted = Counted::of(reader, name, &place_of(typed_by)).await?;
    counted.is_time(reader, [0, 0], now).await?;
    heard(reader, name, (number, code), typed_by).await
}

/// Whose code this is, if it is one that was not used yet.
async fn heard(
    reader: &Reader,
    name: &AccountName,
    (number, code): (&str, &Secret),
    typed_by: &Person,
) -> Result<OnTelephone, Denied> {
    let account = reader.account(name).await?;
    // Nobody is on the telephone with themselves.
    let account = account.filter(|one| one.locked_at.is_none() && one.person != *typed_by);
    let found = reader.credentials(name).await?.into_iter().find(|one| {
        one.kind == CredentialKind::Code && one.label == number && one.used_at.is_none()
    });
    let (credential, kept) = found.map(|one| (one.id, one.secret)).unzip();
    let right = checked(secret::code_as_heard(code.expose()), kept).await;
    match (account, credential) {
        (Some(account), Some(credential)) if right => {
            let actor = Actor::proved(account.person, Proof::Telephone).with_account(account.name);
            let actor = actor.through(typed_by.clone());
            Ok(OnTelephone { actor, account: name.clone(), credential })
        }
        (Some(_) | None, Some(_) | None) => Err(Denied::Wrong),
    }
}

impl Engine {
    /// Somebody on the telephone, by a printed code that they read out, and the name of that code:
    /// [`Verb::Telephone`] uses it up. `typed_by` is who hears it.
    ///
    /// # Errors
    /// [`Denied`]; each wrong try is counted against who types.
    pub async fn by_telephone(
        &self,
        name: &AccountName,
        (number, code): (&str, Secret),
        typed_by: &Person,
    ) -> Result<(Caller, String), Denied> {
        let tried = self.tries(name, &place_of(typed_by)).await?;
        let now = self.0.clock.now();
        let heard = match heard(self.0.journal.doors(), name, (number, &code), typed_by).await {
            Ok(heard) => heard,
            Err(Denied::Wrong) => return Err(tried.was_wrong().await?),
            Err(denied) => return Err(denied),
        };
        let rights = self.rights_of(&heard.actor.person).await?;
        let (actor, account) = (heard.actor, Some(heard.account));
        Ok((Caller { actor, account, rights, proved_at: Some(now) }, heard.credential))
    }

    /// Counts a code that was none against who typed it.
    pub(crate) async fn misheard(
        &self,
        name: &AccountName,
        typed_by: &Person,
    ) -> Result<Denied, Denied> {
        let reader = self.0.journal.doors();
        let counted = Counted::of(reader, name, &place_of(typed_by)).await?;
        self.guessed(&counted).await
    }

    /// An answer of somebody on the telephone, whose code was looked at where it was typed. The run
    /// uses it up with what follows from the answer, and not where nothing does.
    pub(crate) async fn telephoned(
        &self,
        credential: &str,
        (run, command): (RunId, Command),
        mailbox: Option<&str>,
    ) -> Result<Value, EngineError> {
        let taken = self.0.codes.take(credential);
        let code = self.0.journal.doors().credential(credential).await?;
        let unused =
            |code: &Credential| code.kind == CredentialKind::Code && code.used_at.is_none();
        let account = match code.filter(unused) {
            Some(code) => self.0.journal.doors().account(&code.account).await?,
            None => None,
        };
        let by = command.by().clone();
        let is_theirs =
            account.is_some_and(|one| one.locked_at.is_none() && one.person == by.person);
        if !is_theirs || taken.is_none() {
            self.refused(&by, of_command(&command).as_str(), Some(run.to_string())).await?;
            return Err(EngineError::NotAllowed(USED_UP.to_owned()));
        }
        let code = Some(credential.to_owned());
        self.run_command((run, command), (mailbox, code)).await
    }

    /// Whether who types in what is said on the telephone may do that; nobody typed where it is no
    /// telephone.
    pub(super) async fn typist_of(&self, verb: &Verb) -> Result<Option<Rights>, EngineError> {
        let by = verb.by();
        match (&by.through, by.proof) {
            (Some(typed_by), Some(Proof::Telephone)) => Ok(Some(self.rights_of(typed_by).await?)),
            (Some(_) | None, _) => Ok(None),
        }
    }
}
