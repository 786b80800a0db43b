//! Who may do what, in English.

use super::words::role;
use crate::access::{AccountKind, Changed, CredentialKind, Grant, Reach};
use crate::model::AccountName;

/// The sentence of a change of accounts and grants.
pub(crate) fn sentence(changed: &Changed, by: &str) -> String {
    match changed {
        Changed::AccountMade { account, kind, person } => {
            let whose = if person.as_str() == account.as_str() {
                String::new()
            } else {
                format!(" of {person}")
            };
            format!("{} {account}{whose} made by {by}", account_kind(*kind))
        }
        Changed::AccountLocked { account } => format!("Account {account} locked by {by}"),
        Changed::AccountUnlocked { account } => format!("Account {account} unlocked by {by}"),
        Changed::CredentialAdded { account, credential, kind } => {
            format!("{} {credential} given to account {account} by {by}", credential_kind(*kind))
        }
        Changed::CredentialRemoved { account, credential, kind } => {
            format!("{} {credential} taken from account {account} by {by}", credential_kind(*kind))
        }
        Changed::Granted { grant } => {
            let end = grant.until.map_or_else(String::new, |until| format!(" until {until}"));
            format!("{}: {}{end}, granted by {by}", held(grant), reach(&grant.reach))
        }
        Changed::Revoked { grant } => {
            format!("{}: no longer {}, revoked by {by}", held(grant), reach(&grant.reach))
        }
        Changed::BreakGlassUsed { account } => {
            format!("Sealed account {account} used by {by}")
        }
        Changed::Refused { act, about } => {
            let about = about.as_ref().map_or_else(String::new, |about| format!(" ({about})"));
            format!("Refused: {by} may not {act}{about}")
        }
    }
}

/// The sentence of a sheet of printed codes.
pub(crate) fn sheet((account, codes): (&AccountName, usize), by: &str) -> String {
    format!("{codes} printed codes given to account {account} by {by}")
}

fn held(grant: &Grant) -> String {
    format!("{} is {}", grant.person, role(grant.role))
}

fn reach(reach: &Reach) -> String {
    match reach {
        Reach::Instance => "everywhere".to_owned(),
        Reach::Organisation(organisation) => format!("for {organisation}"),
        Reach::Incident(incident) => format!("in incident {incident}"),
    }
}

const fn account_kind(kind: AccountKind) -> &'static str {
    match kind {
        AccountKind::Person => "Account",
        AccountKind::Service => "Service account",
        AccountKind::BreakGlass => "Sealed account",
    }
}

const fn credential_kind(kind: CredentialKind) -> &'static str {
    match kind {
        CredentialKind::Passphrase => "Passphrase",
        CredentialKind::Passkey => "Passkey",
        CredentialKind::Code => "Printed code",
        CredentialKind::Token => "Token",
        CredentialKind::SingleSignOn => "Single sign-on",
    }
}
