//! What everybody may change of their own account, who proved it by what they know: the passphrase,
//! by the one before, and the passkeys.

use beistand_connector_api::Secret;
use beistand_core::access::{AccountKind, CredentialKind};
use beistand_core::run::{Actor, Proof};
use thiserror::Error;

use super::act::{AccessAct, NewCredential};
use super::identify::{Caller, beside_the_runs};
use super::secret::{Weak, digested, strong};
use crate::engine::Engine;
use crate::error::EngineError;
use crate::verbs::Verb;

/// Why a passphrase was not changed.
#[derive(Debug, Error)]
pub enum Unchanged {
    /// The new one is none.
    #[error(transparent)]
    Weak(#[from] Weak),
    /// It was refused, or could not be written.
    #[error(transparent)]
    Refused(#[from] EngineError),
}

impl Engine {
    /// Gives somebody who just gave their passphrase another one. Every session of the account is
    /// over, so that whoever else had one is out.
    ///
    /// # Errors
    /// [`Unchanged`]; nothing was changed then.
    pub async fn change_passphrase(&self, caller: &Caller, words: Secret) -> Result<(), Unchanged> {
        let nobody = || EngineError::NotAllowed("there is no account to change".to_owned());
        let account = caller.account.clone().ok_or_else(nobody)?;
        strong(&words, AccountKind::Person, account.as_str())?;
        let random = self.0.random;
        let secret = beside_the_runs(move || digested(&words, random)).await;
        let secret = secret.ok_or_else(|| EngineError::Internal("no digest".to_owned()))??;
        let credentials = vec![NewCredential::passphrase(secret)];
        let act = AccessAct::AddCredentials { account, credentials };
        let verb = Verb::Access { act, by: caller.actor.clone() };
        self.execute_as(caller, verb).await?;
        Ok(())
    }
}

impl Engine {
    /// Whether this is somebody's own passphrase or passkey. A token is not enough, and a sealed
    /// account is the admins' to seal again.
    pub(super) async fn is_own(&self, verb: &Verb, by: &Actor) -> Result<bool, EngineError> {
        let Verb::Access { act, .. } = verb else { return Ok(false) };
        if !matches!(by.proof, Some(Proof::Passphrase | Proof::SecondFactor)) {
            return Ok(false);
        }
        // An account that is called like its person is not named beside it.
        let theirs = by.account.clone().or_else(|| by.person.as_str().parse().ok());
        let own = |kind| matches!(kind, CredentialKind::Passphrase | CredentialKind::Passkey);
        Ok(match act {
            AccessAct::AddCredentials { account, credentials } => {
                theirs.as_ref() == Some(account) && credentials.iter().all(|one| own(one.kind))
            }
            AccessAct::RemoveCredential { credential } => {
                let found = self.0.journal.doors().credential(credential).await?;
                found.is_some_and(|found| {
                    theirs.as_ref() == Some(&found.account) && found.kind == CredentialKind::Passkey
                })
            }
            AccessAct::AddAccount { .. }
            | AccessAct::Lock { .. }
            | AccessAct::Unlock { .. }
            | AccessAct::Grant(_)
            | AccessAct::Revoke(_) => false,
        })
    }
}
