//! Who may do what, in German.

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
                format!(" von {person}")
            };
            format!("{} {account}{whose} angelegt von {by}", account_kind(*kind))
        }
        Changed::AccountLocked { account } => format!("Konto {account} gesperrt von {by}"),
        Changed::AccountUnlocked { account } => format!("Konto {account} entsperrt von {by}"),
        Changed::CredentialAdded { account, credential, kind } => {
            format!(
                "{} {credential} für Konto {account} eingetragen von {by}",
                credential_kind(*kind)
            )
        }
        Changed::CredentialRemoved { account, credential, kind } => {
            format!("{} {credential} von Konto {account} entfernt von {by}", credential_kind(*kind))
        }
        Changed::Granted { grant } => {
            let end = grant.until.map_or_else(String::new, |until| format!(" bis {until}"));
            format!("{} {}{end}, eingetragen von {by}", held(grant), reach(&grant.reach))
        }
        Changed::Revoked { grant } => {
            format!("{} {}: zurückgenommen von {by}", held(grant), reach(&grant.reach))
        }
        Changed::BreakGlassUsed { account } => {
            format!("Notzugang {account} benutzt von {by}")
        }
        Changed::Refused { act, about } => {
            let about = about.as_ref().map_or_else(String::new, |about| format!(" ({about})"));
            format!("Abgewiesen: {by} darf nicht {act}{about}")
        }
    }
}

/// The sentence of a sheet of printed codes.
pub(crate) fn sheet((account, codes): (&AccountName, usize), by: &str) -> String {
    format!("{codes} gedruckte Codes für Konto {account} eingetragen von {by}")
}

fn held(grant: &Grant) -> String {
    format!("{}: {}", grant.person, role(grant.role))
}

fn reach(reach: &Reach) -> String {
    match reach {
        Reach::Instance => "überall".to_owned(),
        Reach::Organisation(organisation) => format!("für {organisation}"),
        Reach::Incident(incident) => format!("im Vorfall {incident}"),
    }
}

const fn account_kind(kind: AccountKind) -> &'static str {
    match kind {
        AccountKind::Person => "Konto",
        AccountKind::Service => "Dienstkonto",
        AccountKind::BreakGlass => "Notzugang",
    }
}

const fn credential_kind(kind: CredentialKind) -> &'static str {
    match kind {
        CredentialKind::Passphrase => "Passphrase",
        CredentialKind::Passkey => "Passkey",
        CredentialKind::Code => "Gedruckter Code",
        CredentialKind::Token => "Token",
        CredentialKind::SingleSignOn => "Einmalanmeldung",
    }
}
