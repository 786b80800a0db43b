//! The kinds of credential as they are kept: what each is found by, what it is checked against, and
//! what people see of it. A link to single sign-on stands beside what judges it.

use beistand_connector_api::Secret;
use beistand_core::access::{CredentialKind, Permission};
use beistand_core::model::{Label, Millis};
use serde_json::{Value, json};

use super::act::NewCredential;
use super::secret::token_lookup;

impl NewCredential {
    /// The one passphrase of an account, by what [`super::digested`] made of its words.
    pub fn passphrase(digest: String) -> Self {
        Self::checked(CredentialKind::Passphrase, "passphrase".to_owned(), digest)
    }

    /// A printed code, by its number on the sheet and what [`super::digested`] made of it.
    pub fn code(number: u32, digest: String) -> Self {
        Self::checked(CredentialKind::Code, number.to_string(), digest)
    }

    /// A token for programs: it names itself by what can not be guessed, and there is nothing more to
    /// check it against. It may this, and never more than its account.
    pub fn token(token: &Secret, title: Label, may: &[Permission], until: Option<Millis>) -> Self {
        let lookup = Some(token_lookup(token));
        let body = json!({"permissions": may});
        let token = Self::checked(CredentialKind::Token, title.into(), String::new());
        Self { lookup, until, body, ..token }
    }

    /// A passkey, by its device's own id: the same device is never a proof of two accounts.
    pub(super) fn passkey(title: String, device: &[u8], kept: String) -> Self {
        let lookup = Some(format!("passkey/{}", hex::encode(device)));
        Self { lookup, ..Self::checked(CredentialKind::Passkey, title, kept) }
    }

    fn checked(kind: CredentialKind, label: String, secret: String) -> Self {
        let body = Value::Object(serde_json::Map::new());
        Self { kind, label, lookup: None, secret, until: None, body }
    }
}
