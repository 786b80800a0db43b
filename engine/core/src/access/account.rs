//! Accounts: what somebody, or something, logs in with. A person may have several.

use serde::{Deserialize, Serialize};

use crate::model::{AccountName, Millis, Person};

/// What kind of account it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AccountKind {
    /// A person's.
    Person,
    /// A program's: it has tokens alone, and its votes do not count.
    Service,
    /// Sealed for the day on which nothing else works; each use is told to everybody.
    BreakGlass,
}

impl AccountKind {
    /// Every kind.
    pub const ALL: &'static [Self] = &[Self::Person, Self::Service, Self::BreakGlass];

    /// The word in the store, in JSON and on the command line.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Person => "person",
            Self::Service => "service",
            Self::BreakGlass => "break-glass",
        }
    }
}

/// How an account proves itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CredentialKind {
    /// Words that somebody knows; one an account.
    Passphrase,
    /// A key in a device (`WebAuthn` level 3).
    Passkey,
    /// A printed code that counts once.
    Code,
    /// A token for programs.
    Token,
    /// Somebody's subject at the identity provider.
    SingleSignOn,
}

impl CredentialKind {
    /// Every kind.
    pub const ALL: &'static [Self] =
        &[Self::Passphrase, Self::Passkey, Self::Code, Self::Token, Self::SingleSignOn];

    /// The word in the store, in JSON and on the command line.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Passphrase => "passphrase",
            Self::Passkey => "passkey",
            Self::Code => "code",
            Self::Token => "token",
            Self::SingleSignOn => "single-sign-on",
        }
    }
}

/// An account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// What is typed when logging in; of no other account.
    pub name: AccountName,
    /// What kind.
    pub kind: AccountKind,
    /// Whose: votes count by this. Of a service account it is the account's own name, which is no
    /// person's.
    pub person: Person,
    /// When it was made.
    pub made_at: Millis,
    /// Since when it can not be used; absent while it can.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub locked_at: Option<Millis>,
}
