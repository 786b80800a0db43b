//! What changed in who may do what: events of the store's own stream. They only grow.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{AccountKind, CredentialKind, Grant};
use crate::model::{AccountName, Person};

/// Something that changed. No secret is ever in it. The tag is `a`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "a", rename_all = "kebab-case")]
pub enum Changed {
    /// An account was made.
    AccountMade {
        /// Which.
        account: AccountName,
        /// What kind.
        kind: AccountKind,
        /// Whose.
        person: Person,
    },
    /// It can not be used any more.
    AccountLocked {
        /// Which.
        account: AccountName,
    },
    /// It can be used again.
    AccountUnlocked {
        /// Which.
        account: AccountName,
    },
    /// It was given a way to prove itself, in place of the one of this name.
    CredentialAdded {
        /// Which account.
        account: AccountName,
        /// Names the credential.
        credential: String,
        /// What kind.
        kind: CredentialKind,
    },
    /// It was taken back.
    CredentialRemoved {
        /// Which account.
        account: AccountName,
        /// Names the credential.
        credential: String,
        /// What kind.
        kind: CredentialKind,
    },
    /// Somebody was given a role, in place of the same one with another end.
    Granted {
        /// Which.
        grant: Grant,
    },
    /// It was taken back.
    Revoked {
        /// Which.
        grant: Grant,
    },
    /// Somebody logged in with a sealed account. Everybody is told.
    BreakGlassUsed {
        /// Which.
        account: AccountName,
    },
    /// Somebody asked for what they may not do; nothing was done.
    Refused {
        /// What: the word of the verb.
        act: String,
        /// With what, where that is one thing: the id of a run, an incident or a need.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        about: Option<String>,
    },
}

/// Who may do what, as the entries tell it: what the tables are held against.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Directory {
    /// Accounts by name, with kind, person, and whether they can be used.
    pub accounts: BTreeMap<AccountName, (AccountKind, Person, bool)>,
    /// Credentials by name, with account and kind.
    pub credentials: BTreeMap<String, (AccountName, CredentialKind)>,
    /// What was granted.
    pub grants: BTreeSet<Grant>,
}

impl Directory {
    /// After one more change.
    pub fn apply(&mut self, changed: Changed) {
        match changed {
            Changed::AccountMade { account, kind, person } => {
                self.accounts.insert(account, (kind, person, true));
            }
            Changed::AccountLocked { account } => self.usable(&account, false),
            Changed::AccountUnlocked { account } => self.usable(&account, true),
            Changed::CredentialAdded { account, credential, kind } => {
                self.credentials.insert(credential, (account, kind));
            }
            Changed::CredentialRemoved { credential, .. } => {
                self.credentials.remove(&credential);
            }
            Changed::Granted { grant } => {
                self.revoke(&grant);
                self.grants.insert(grant);
            }
            Changed::Revoked { grant } => self.revoke(&grant),
            Changed::BreakGlassUsed { .. } | Changed::Refused { .. } => {}
        }
    }

    fn usable(&mut self, account: &AccountName, usable: bool) {
        if let Some(known) = self.accounts.get_mut(account) {
            known.2 = usable;
        }
    }

    fn revoke(&mut self, grant: &Grant) {
        self.grants.retain(|one| {
            (&one.person, one.role, &one.reach) != (&grant.person, grant.role, &grant.reach)
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::Reach;
    use crate::model::{Millis, Role};

    #[test]
    fn the_same_role_with_another_end_takes_the_place_of_the_first() {
        let grant = |until| Grant {
            person: "anna".parse().unwrap(),
            role: Role::Deputy,
            reach: Reach::Instance,
            until,
        };
        let mut directory = Directory::default();
        directory.apply(Changed::Granted { grant: grant(None) });
        directory.apply(Changed::Granted { grant: grant(Some(Millis::new(9))) });
        assert_eq!(directory.grants, [grant(Some(Millis::new(9)))].into());
        directory.apply(Changed::Revoked { grant: grant(None) });
        assert!(directory.grants.is_empty());
    }

    #[test]
    fn an_account_is_locked_and_used_again() {
        let account: AccountName = "anna".parse().unwrap();
        let person = "anna".parse().unwrap();
        let mut directory = Directory::default();
        let kind = AccountKind::Person;
        directory.apply(Changed::AccountMade { account: account.clone(), kind, person });
        directory.apply(Changed::AccountLocked { account: account.clone() });
        assert!(!directory.accounts[&account].2);
        directory.apply(Changed::AccountUnlocked { account: account.clone() });
        assert!(directory.accounts[&account].2);
    }
}
