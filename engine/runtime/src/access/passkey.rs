//! Passkeys: a second factor that nobody can read out, and that answers to this server's name alone
//! (W3C Web Authentication, level 3).
//!
//! What is asked is kept in memory and counts once: after a restart it is asked anew. The keys
//! themselves are credentials of an account like others.

use std::sync::{Arc, Mutex};

use beistand_connector_api::Secret;
use beistand_core::access::{Account, CredentialKind};
use beistand_core::model::{AccountName, Millis, Span, digest_of};
use beistand_journal::Credential;
use serde_json::{Value, json};
use thiserror::Error;
use webauthn_rs::prelude::{
    Passkey, PasskeyAuthentication, PasskeyRegistration, PublicKeyCredential,
    RegisterPublicKeyCredential, Url, Uuid, WebauthnError,
};
use webauthn_rs::{DEFAULT_AUTHENTICATOR_TIMEOUT, Webauthn, WebauthnBuilder};

use super::act::{AccessAct, NewCredential};
use super::identify::{Caller, Denied, account_of_words};
use super::question::Questions;
use super::secret::{new_name, token_lookup};
use crate::engine::{Engine, lock};
use crate::error::EngineError;
use crate::verbs::Verb;

/// How long an answer may take, as browsers are told.
const ANSWER_WITHIN: Span = Span::from_secs(DEFAULT_AUTHENTICATOR_TIMEOUT.as_secs());

/// Passkeys of one account: a person's devices, and no list that fills a store.
const PASSKEYS_MAX: usize = 20;

/// Passkeys for one name of a server, and what was asked under it. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Passkeys(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    webauthn: Webauthn,
    questions: Mutex<Questions<What>>,
}

#[derive(Debug)]
enum What {
    Adds(Box<PasskeyRegistration>),
    Proves(Box<PasskeyAuthentication>),
}

/// A question to a device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Challenge {
    /// Its name; it comes back with the answer.
    pub id: String,
    /// The argument of `navigator.credentials.create()` or `.get()`, in JSON.
    pub options: Value,
}

/// The answer of a device.
#[derive(Debug)]
pub struct Shown {
    /// Whom it was asked by.
    pub passkeys: Passkeys,
    /// What it answers.
    pub challenge: String,
    /// What the browser gave, in JSON.
    pub answer: Value,
}

/// Why a passkey was not added.
#[derive(Debug, Error)]
pub enum NotAdded {
    /// Nothing was asked that this answers: it is too late, answered already, or another's.
    #[error("nothing waits for this answer: it came too late, or was given already")]
    Unasked,
    /// The device's answer is none.
    #[error("the answer of the device does not fit what was asked")]
    Wrong(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// It was refused, or could not be written.
    #[error(transparent)]
    Refused(#[from] EngineError),
}

/// A name under which no browser makes passkeys: an address, or none at all.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{0}` is no name that passkeys could be for")]
pub struct Nameless(String);

impl Passkeys {
    /// Those of the server that is reached under this name, `beistand.sit.example`, at any port.
    ///
    /// # Errors
    /// [`Nameless`] for an address.
    pub fn of(name: &str) -> Result<Self, Nameless> {
        let nameless = || Nameless(name.to_owned());
        let origin = Url::parse(&format!("https://{name}")).map_err(|_| nameless())?;
        let built = WebauthnBuilder::new(name, &origin).and_then(|builder| {
            // Behind a proxy the port is another one; the name is what a passkey is bound to.
            builder.rp_name("Beistand").allow_any_port(true).build()
        });
        let webauthn = built.map_err(|_| nameless())?;
        Ok(Self(Arc::new(Inner { webauthn, questions: Mutex::default() })))
    }

    /// What was asked, once, and only of this account.
    fn asked(&self, id: &str, account: &AccountName, now: Millis) -> Option<What> {
        lock(&self.0.questions).take(id, account, now)
    }

    /// Which of these passkeys answered, and what is to be kept of it from now on. A device that
    /// counts backwards is a copy and answers nothing.
    fn verified(&self, answer: &Value, asked: &What, held: &[Held]) -> Option<(String, String)> {
        let What::Proves(state) = asked else { return None };
        let answer: PublicKeyCredential = serde_json::from_value(answer.clone()).ok()?;
        let result = self.0.webauthn.finish_passkey_authentication(&answer, state).ok()?;
        held.iter().find_map(|one| {
            let mut passkey = one.passkey.clone();
            passkey.update_credential(&result)?;
            Some((one.id.clone(), serde_json::to_string(&passkey).ok()?))
        })
    }
}

/// A passkey of an account.
struct Held {
    id: String,
    passkey: Passkey,
}

/// Those that can be used. One that can not be read opens nothing.
fn held(credentials: Vec<Credential>) -> Vec<Held> {
    let passkeys = credentials.into_iter().filter(|one| one.kind == CredentialKind::Passkey);
    let read = passkeys.filter_map(|one| {
        let passkey = serde_json::from_str(&one.secret).ok()?;
        Some(Held { id: one.id, passkey })
    });
    read.collect()
}

impl Engine {
    /// Asks for a passkey of somebody who gives their passphrase; `None` where they have none, and
    /// need none.
    ///
    /// # Errors
    /// [`Denied`]; wrong words are counted as with a login.
    pub async fn ask_for_passkey(
        &self,
        passkeys: &Passkeys,
        name: &AccountName,
        passphrase: Secret,
        from: &str,
    ) -> Result<Option<Challenge>, Denied> {
        let tried = self.tries(name, from).await?;
        let reader = self.0.journal.doors();
        if account_of_words(reader, name, passphrase).await?.is_none() {
            return Err(tried.was_wrong().await?);
        }
        let Some((challenge, what)) = self.ask_devices(passkeys, name).await? else {
            return Ok(None);
        };
        let now = self.0.clock.now();
        let (named, kept) = ((challenge.id.clone(), name.clone()), (now.plus(ANSWER_WITHIN), what));
        let put = lock(&passkeys.0.questions).by_words(named, kept, now);
        put.map_err(|until| Denied::TooManyQuestions { until })?;
        Ok(Some(challenge))
    }

    /// Asks for a passkey of who is logged in, in the session of this cookie; `None` where they have
    /// none. However many questions others asked by their words, there is room for this one.
    ///
    /// # Errors
    /// [`Denied`].
    pub async fn ask_in_session(
        &self,
        passkeys: &Passkeys,
        caller: &Caller,
        cookie: &Secret,
    ) -> Result<Option<Challenge>, Denied> {
        let name = own(caller)?;
        let Some((challenge, what)) = self.ask_devices(passkeys, &name).await? else {
            return Ok(None);
        };
        self.keep_in_session(passkeys, (challenge.id.clone(), name), cookie, what);
        Ok(Some(challenge))
    }

    /// What to ask the devices of an account, and what their answer is held against.
    async fn ask_devices(
        &self,
        passkeys: &Passkeys,
        name: &AccountName,
    ) -> Result<Option<(Challenge, What)>, Denied> {
        let held = held(self.0.journal.doors().credentials(name).await?);
        let keys: Vec<Passkey> = held.into_iter().map(|one| one.passkey).collect();
        if keys.is_empty() {
            return Ok(None);
        }
        let started = passkeys.0.webauthn.start_passkey_authentication(&keys);
        let (options, state) = started.map_err(ours)?;
        let id = new_name("challenge", self.0.random)?;
        let challenge = Challenge { id, options: shown(&options)? };
        Ok(Some((challenge, What::Proves(Box::new(state)))))
    }

    /// Asks a device of who is logged in, in the session of this cookie, for a new passkey.
    ///
    /// # Errors
    /// [`NotAdded`]: without an account, with too many passkeys.
    pub async fn new_passkey(
        &self,
        passkeys: &Passkeys,
        caller: &Caller,
        cookie: &Secret,
    ) -> Result<Challenge, NotAdded> {
        let name = own(caller)?;
        let credentials = self.0.journal.doors().credentials(&name).await;
        let held = held(credentials.map_err(EngineError::from)?);
        if held.len() >= PASSKEYS_MAX {
            let text = format!("an account has {PASSKEYS_MAX} passkeys at most; remove one before");
            return Err(EngineError::Conflict(text).into());
        }
        let known = held.iter().map(|one| one.passkey.cred_id().clone()).collect();
        let person = caller.actor.person.as_str();
        let user = user(&name)?;
        let started = passkeys.0.webauthn.start_passkey_registration(
            user,
            name.as_str(),
            person,
            Some(known),
        );
        let (options, state) = started.map_err(ours)?;
        let id = new_name("challenge", self.0.random)?;
        let challenge = Challenge { id, options: shown(&options)? };
        let what = What::Adds(Box::new(state));
        self.keep_in_session(passkeys, (challenge.id.clone(), name), cookie, what);
        Ok(challenge)
    }

    /// Adds the passkey that a device answered with; its name. From then on it is asked for.
    ///
    /// # Errors
    /// [`NotAdded`].
    pub async fn add_passkey(
        &self,
        caller: &Caller,
        title: String,
        shown: Shown,
    ) -> Result<String, NotAdded> {
        let account = own(caller)?;
        let asked = shown.passkeys.asked(&shown.challenge, &account, self.0.clock.now());
        let Some(What::Adds(state)) = asked else { return Err(NotAdded::Unasked) };
        let answer: RegisterPublicKeyCredential =
            serde_json::from_value(shown.answer).map_err(|error| NotAdded::Wrong(error.into()))?;
        let passkey = shown.passkeys.0.webauthn.finish_passkey_registration(&answer, &state);
        let passkey = passkey.map_err(|error| NotAdded::Wrong(error.into()))?;
        let kept = serde_json::to_string(&passkey)
            .map_err(|error| EngineError::Internal(error.to_string()))?;
        let credential = NewCredential::passkey(title, passkey.cred_id(), kept);
        let act = AccessAct::AddCredentials { account, credentials: vec![credential] };
        let verb = Verb::Access { act, by: caller.actor.clone() };
        let answer = self.execute_as(caller, verb).await?;
        let id = answer.pointer("/credentials/0").and_then(Value::as_str);
        Ok(id.unwrap_or_default().to_owned())
    }

    /// The passkeys of somebody's own account, without what they are checked against.
    ///
    /// # Errors
    /// [`EngineError`] where the store can not say.
    pub async fn own_passkeys(&self, caller: &Caller) -> Result<Vec<Credential>, EngineError> {
        let all = self.0.journal.doors().credentials(&own(caller)?).await?;
        let passkeys = all.into_iter().filter(|one| one.kind == CredentialKind::Passkey);
        Ok(passkeys.map(|one| Credential { secret: String::new(), ..one }).collect())
    }

    /// Takes a passkey of somebody's own account back. Every session of the account is over.
    ///
    /// # Errors
    /// [`EngineError::NotFound`], also where it is another's.
    pub async fn remove_passkey(&self, caller: &Caller, id: &str) -> Result<(), EngineError> {
        let mine = self.own_passkeys(caller).await?;
        if !mine.iter().any(|one| one.id == id) {
            return Err(EngineError::NotFound("you have no passkey of this name".to_owned()));
        }
        let act = AccessAct::RemoveCredential { credential: id.to_owned() };
        let verb = Verb::Access { act, by: caller.actor.clone() };
        self.execute_as(caller, verb).await.map(|_| ())
    }

    /// Whether this is the answer of a device of the account to what was asked.
    pub(super) async fn use_passkey(
        &self,
        account: &Account,
        shown: Shown,
    ) -> Result<bool, Denied> {
        let now = self.0.clock.now();
        let held = held(self.0.journal.doors().credentials(&account.name).await?);
        let asked = shown.passkeys.asked(&shown.challenge, &account.name, now);
        let verified =
            asked.and_then(|asked| shown.passkeys.verified(&shown.answer, &asked, &held));
        let Some((id, secret)) = verified else { return Ok(false) };
        self.0.journal.note_use(&id, secret, now).await?;
        Ok(true)
    }

    fn keep_in_session(
        &self,
        passkeys: &Passkeys,
        named: (String, AccountName),
        cookie: &Secret,
        what: What,
    ) {
        let now = self.0.clock.now();
        let kept = (now.plus(ANSWER_WITHIN), what);
        lock(&passkeys.0.questions).in_session(named, token_lookup(cookie), kept, now);
    }
}

fn own(caller: &Caller) -> Result<AccountName, EngineError> {
    let nobody = || EngineError::NotAllowed("a passkey is of an account, and there is none".into());
    caller.account.clone().ok_or_else(nobody)
}

/// What a device knows an account by; it is the same each time, and says nothing.
fn user(account: &AccountName) -> Result<Uuid, EngineError> {
    let digest = digest_of("passkey-user", &json!(account));
    let digest = digest.map_err(|error| EngineError::Internal(error.to_string()))?;
    let digits = digest.hex().chars().take(32).collect::<String>();
    Uuid::parse_str(&digits).map_err(|error| EngineError::Internal(error.to_string()))
}

fn shown(options: &impl serde::Serialize) -> Result<Value, EngineError> {
    serde_json::to_value(options).map_err(|error| EngineError::Internal(error.to_string()))
}

#[expect(clippy::needless_pass_by_value, reason = "it is what `map_err` hands over")]
fn ours(error: WebauthnError) -> EngineError {
    EngineError::Internal(error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passkeys_are_for_names_and_never_for_addresses() {
        for name in ["localhost", "beistand.sit.example"] {
            assert!(Passkeys::of(name).is_ok(), "{name}");
        }
        for name in ["127.0.0.1", "[::1]", "", "a b"] {
            assert_eq!(Passkeys::of(name).unwrap_err(), Nameless(name.to_owned()), "{name}");
        }
    }
}
