//! Accounts: what somebody, or something, logs in with. A person may have several.

use serde::{Deserialize, Serialize};

use crate::model::{AccountName, Millis, Person, Span, words};

/// How long a session of a sealed account lasts at the most: each use is to be seen.
pub const SEALED_LASTS: Span = Span::from_secs(3_600);

words! {
    /// What kind of account it is.
    AccountKind = "kind of account" {
        /// A person's.
        Person = "person",
        /// A program's: it has tokens alone, and its votes do not count.
        Service = "service",
        /// Sealed for the day on which nothing else works; each use is told to everybody.
        BreakGlass = "break-glass",
    }
    /// How an account proves itself.
    CredentialKind = "kind of credential" {
        /// Words that somebody knows; one an account.
        Passphrase = "passphrase",
        /// A key in a device (`WebAuthn` level 3).
        Passkey = "passkey",
        /// A printed code that counts once.
        Code = "code",
        /// A token for programs.
        Token = "token",
        /// Somebody's subject at the identity provider.
        SingleSignOn = "single-sign-on",
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
