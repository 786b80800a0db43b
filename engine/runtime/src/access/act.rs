//! Changing accounts, credentials and grants.

use std::collections::BTreeSet;

use beistand_core::access::{Account, AccountKind, Changed, CredentialKind, Grant, Reach};
use beistand_core::incident::store;
use beistand_core::model::{AccountName, Millis, Person, Role};
use beistand_core::run::Actor;
use beistand_journal::{Change, Credential};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::secret::new_name;
use crate::engine::Engine;
use crate::error::EngineError;

/// What is done to accounts, credentials and grants.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "act", rename_all = "kebab-case")]
pub enum AccessAct {
    /// Makes an account, with how it proves itself and what its person may do.
    AddAccount {
        /// Its name.
        account: AccountName,
        /// What kind.
        kind: AccountKind,
        /// Whose; of the same name where absent.
        #[serde(default)]
        person: Option<Person>,
        /// How it proves itself.
        credentials: Vec<NewCredential>,
        /// What its person is given.
        grants: Vec<Grant>,
    },
    /// Locks an account: its sessions end and its tokens are dead.
    Lock {
        /// Which.
        account: AccountName,
    },
    /// Lets it be used again.
    Unlock {
        /// Which.
        account: AccountName,
    },
    /// Gives an account ways to prove itself; a passphrase takes the place of the one before, and
    /// what began with that one is over.
    AddCredentials {
        /// Which account.
        account: AccountName,
        /// What.
        credentials: Vec<NewCredential>,
    },
    /// Takes one back.
    RemoveCredential {
        /// Its name.
        credential: String,
    },
    /// Gives a role.
    Grant(Grant),
    /// Takes it back.
    Revoke(Grant),
}

/// A way to prove oneself, already digested: what opens the door itself never comes here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewCredential {
    /// What kind.
    pub kind: CredentialKind,
    /// For people: what it is for, which device, which number.
    pub label: String,
    /// What it is found by, where it names itself.
    #[serde(default)]
    pub lookup: Option<String>,
    /// What it is checked against.
    pub secret: String,
    /// Until when it can be used.
    #[serde(default)]
    pub until: Option<Millis>,
    /// What else belongs to it.
    #[serde(default)]
    pub body: Value,
}

/// What is written of a change: its events and its rows.
#[derive(Debug, Default)]
struct Written {
    events: Vec<Changed>,
    changes: Vec<Change>,
    names: Vec<String>,
}

impl Engine {
    /// Does it; durable on return.
    pub(crate) async fn access(&self, act: AccessAct, by: Actor) -> Result<Value, EngineError> {
        // One after the other: two administrators must not lock each other out at once.
        let _one = self.0.access.lock().await;
        let written = match act {
            AccessAct::AddAccount { account, kind, person, credentials, grants } => {
                let person = match person {
                    Some(person) => person,
                    None => account.as_str().parse().map_err(usage)?,
                };
                self.add_account((account, kind, person), credentials, grants).await?
            }
            AccessAct::Lock { account } => self.locked(&account, Some(self.0.clock.now())).await?,
            AccessAct::Unlock { account } => self.locked(&account, None).await?,
            AccessAct::AddCredentials { account, credentials } => {
                let found = self.account(&account).await?;
                self.nobody_is_linked(&credentials).await?;
                let mut written = Written::default();
                if credentials.iter().any(|one| one.kind == CredentialKind::Passphrase) {
                    written.changes.push(Change::EndSessions { account });
                }
                self.add_credentials(&found, credentials, &mut written)?;
                written
            }
            AccessAct::RemoveCredential { credential } => self.removed(credential).await?,
            AccessAct::Grant(grant) => self.granted(grant, &by).await?,
            AccessAct::Revoke(grant) => self.revoked(grant).await?,
        };
        let names = written.names.clone();
        self.write_access(written, by).await?;
        Ok(json!({"credentials": names}))
    }

    async fn account(&self, name: &AccountName) -> Result<Account, EngineError> {
        let found = self.0.journal.doors().account(name).await?;
        found.ok_or_else(|| EngineError::NotFound(format!("there is no account `{name}`")))
    }

    async fn add_account(
        &self,
        (name, kind, person): (AccountName, AccountKind, Person),
        credentials: Vec<NewCredential>,
        grants: Vec<Grant>,
    ) -> Result<Written, EngineError> {
        let accounts = self.0.journal.doors().accounts().await?;
        if accounts.iter().any(|one| one.name == name) {
            return Err(EngineError::Conflict(format!("there is an account `{name}` already")));
        }
        // A machine that is called like a person could be given a vote by mistake.
        let machine = kind == AccountKind::Service;
        let same =
            |one: &&Account| one.person == person && (machine || one.kind == AccountKind::Service);
        if let Some(one) = accounts.iter().find(same) {
            let text = format!("`{person}` is a {} already; take another name", one.kind.as_str());
            return Err(EngineError::Conflict(text));
        }
        let manages = |grant: &Grant| grant.role == Role::Admin && grant.reach == Reach::Instance;
        if accounts.is_empty() && (machine || !grants.iter().any(manages)) {
            let text = "the first account must be an admin's, or nobody could make another";
            return Err(EngineError::Usage(text.to_owned()));
        }
        if grants.iter().any(|grant| grant.person != person) {
            let text = "an account comes with what its own person is given".to_owned();
            return Err(EngineError::Usage(text));
        }
        self.nobody_is_linked(&credentials).await?;
        let made_at = self.0.clock.now();
        let account =
            Account { name: name.clone(), kind, person: person.clone(), made_at, locked_at: None };
        let mut written = Written::default();
        written.events.push(Changed::AccountMade { account: name, kind, person });
        written.changes.push(Change::PutAccount(Box::new(account.clone())));
        self.add_credentials(&account, credentials, &mut written)?;
        for grant in grants {
            written.events.push(Changed::Granted { grant: grant.clone() });
            written.changes.push(Change::PutGrant(Box::new(grant)));
        }
        Ok(written)
    }

    fn add_credentials(
        &self,
        account: &Account,
        credentials: Vec<NewCredential>,
        written: &mut Written,
    ) -> Result<(), EngineError> {
        for new in credentials {
            let token = new.kind == CredentialKind::Token;
            if account.kind == AccountKind::Service && !token {
                let text = "a service account has tokens, and nothing that a person types";
                return Err(EngineError::Usage(text.to_owned()));
            }
            if account.kind == AccountKind::BreakGlass && token {
                let text = "a sealed account is for people at a keyboard; it has no tokens";
                return Err(EngineError::Usage(text.to_owned()));
            }
            if account.kind == AccountKind::BreakGlass && new.kind == CredentialKind::SingleSignOn {
                let text =
                    "a sealed account opens when no identity provider does; it is linked to none";
                return Err(EngineError::Usage(text.to_owned()));
            }
            let id = match new.kind {
                CredentialKind::Passphrase => format!("passphrase-of-{}", account.name),
                CredentialKind::Passkey
                | CredentialKind::Code
                | CredentialKind::Token
                | CredentialKind::SingleSignOn => new_name(new.kind.as_str(), self.0.random)?,
            };
            let credential = Credential {
                id: id.clone(),
                account: account.name.clone(),
                kind: new.kind,
                label: new.label,
                lookup: new.lookup,
                secret: new.secret,
                made_at: self.0.clock.now(),
                until: new.until,
                used_at: None,
                body: new.body.to_string(),
            };
            let (account, kind) = (account.name.clone(), new.kind);
            let event = Changed::CredentialAdded { account, credential: id.clone(), kind };
            written.events.push(event);
            written.changes.push(Change::PutCredential(Box::new(credential)));
            written.names.push(id);
        }
        Ok(())
    }

    /// Refuses a link to somebody at an identity provider who is linked to an account already.
    async fn nobody_is_linked(&self, new: &[NewCredential]) -> Result<(), EngineError> {
        let links = new.iter().filter(|one| one.kind == CredentialKind::SingleSignOn);
        let mut seen = BTreeSet::new();
        for lookup in links.filter_map(|one| one.lookup.as_ref()) {
            if !seen.insert(lookup) {
                let text = "the same link is given twice";
                return Err(EngineError::Usage(text.to_owned()));
            }
            if let Some(one) = self.0.journal.doors().credential_of(lookup).await? {
                let text = format!("{} is linked to `{}` already", one.label, one.account);
                return Err(EngineError::Conflict(text));
            }
        }
        Ok(())
    }

    async fn locked(
        &self,
        name: &AccountName,
        locked_at: Option<Millis>,
    ) -> Result<Written, EngineError> {
        let account = self.account(name).await?;
        let mut written = Written::default();
        if account.locked_at.is_some() == locked_at.is_some() {
            return Ok(written);
        }
        if locked_at.is_some() {
            self.somebody_manages(|one, _| one.name != *name).await?;
            written.changes.push(Change::EndSessions { account: name.clone() });
        }
        written.events.push(match locked_at {
            Some(_) => Changed::AccountLocked { account: name.clone() },
            None => Changed::AccountUnlocked { account: name.clone() },
        });
        written.changes.push(Change::PutAccount(Box::new(Account { locked_at, ..account })));
        Ok(written)
    }

    async fn removed(&self, id: String) -> Result<Written, EngineError> {
        let found = self.0.journal.doors().credential(&id).await?;
        let found =
            found.ok_or_else(|| EngineError::NotFound(format!("there is no credential `{id}`")))?;
        let (account, kind) = (found.account, found.kind);
        // Whoever proved themselves by it does so anew; a printed code began nothing by itself.
        let mut changes = vec![Change::EndSessions { account: account.clone() }];
        changes.push(Change::RemoveCredential { id: id.clone() });
        let events = vec![Changed::CredentialRemoved { account, credential: id, kind }];
        Ok(Written { events, changes, names: Vec::new() })
    }

    async fn granted(&self, grant: Grant, by: &Actor) -> Result<Written, EngineError> {
        if grant.person == by.person && !by.asserted {
            let text = "nobody gives a role to themselves; another admin does it";
            return Err(EngineError::NotAllowed(text.to_owned()));
        }
        let accounts = self.0.journal.doors().accounts().await?;
        if !accounts.iter().any(|account| account.person == grant.person) {
            let text = format!("`{}` has no account", grant.person);
            return Err(EngineError::NotFound(text));
        }
        Ok(Written {
            events: vec![Changed::Granted { grant: grant.clone() }],
            changes: vec![Change::PutGrant(Box::new(grant))],
            names: Vec::new(),
        })
    }

    async fn revoked(&self, grant: Grant) -> Result<Written, EngineError> {
        let held = self.0.journal.doors().grants_of(&grant.person).await?;
        let same = |one: &&Grant| one.role == grant.role && one.reach == grant.reach;
        let Some(held) = held.iter().find(same).cloned() else {
            let text = format!("`{}` is not {} for {}", grant.person, grant.role, grant.reach);
            return Err(EngineError::NotFound(text));
        };
        let gone = held.clone();
        self.somebody_manages(|_, one| *one != gone).await?;
        Ok(Written {
            events: vec![Changed::Revoked { grant: held.clone() }],
            changes: vec![Change::RemoveGrant(Box::new(held))],
            names: Vec::new(),
        })
    }

    /// Refuses what would leave nobody who can make an account.
    async fn somebody_manages(
        &self,
        stays: impl Fn(&Account, &Grant) -> bool,
    ) -> Result<(), EngineError> {
        let reader = self.0.journal.doors();
        let (accounts, grants) = (reader.accounts().await?, reader.grants().await?);
        let now = self.0.clock.now();
        let manages = |account: &Account| {
            account.locked_at.is_none()
                && account.kind != AccountKind::Service
                && grants.iter().any(|grant| {
                    grant.person == account.person
                        && grant.role == Role::Admin
                        && grant.reach == Reach::Instance
                        && grant.holds(now)
                        && stays(account, grant)
                })
        };
        if accounts.iter().any(manages) {
            return Ok(());
        }
        let text = "nobody would be left who can make an account; make another admin before";
        Err(EngineError::Conflict(text.to_owned()))
    }

    /// Writes one change that has no rows of its own.
    pub(crate) async fn access_changed(
        &self,
        change: Changed,
        by: Actor,
    ) -> Result<(), EngineError> {
        self.write_access(Written { events: vec![change], ..Written::default() }, by).await
    }

    async fn write_access(&self, written: Written, by: Actor) -> Result<(), EngineError> {
        if written.events.is_empty() {
            return Ok(());
        }
        let event =
            |change| store::Event::new(store::Head::AccessChanged { change }, Some(by.clone()));
        let events = written.events.into_iter().map(event).collect();
        self.store_events(events, written.changes).await?;
        self.0.accounts_exist(self.0.journal.doors().has_accounts().await?);
        Ok(())
    }
}

fn usage(error: impl std::fmt::Display) -> EngineError {
    EngineError::Usage(error.to_string())
}
