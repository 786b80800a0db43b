//! Who somebody is at an identity provider, and which account that is here.
//!
//! An account is linked to one subject of one issuer by somebody who keeps the accounts. A login
//! makes no account, gives no role, and is no proof of the kind that what destroys wants: for that
//! the same person proves once more who they are by what this store knows of them.

use beistand_core::access::{AccountKind, CredentialKind};
use beistand_core::model::digest_of;
use beistand_core::run::Proof;
use serde_json::json;

use super::act::NewCredential;
use super::identify::{Caller, Denied};
use crate::engine::Engine;
use crate::error::EngineError;

/// Longest subject (OpenID Connect Core 1.0, section 2: 255 characters of ASCII).
const SUBJECT_BYTES_MAX: usize = 255;

impl NewCredential {
    /// The link between an account and a subject of an issuer, each letter as the issuer writes it.
    ///
    /// # Errors
    /// [`EngineError::Usage`] for what can be no subject.
    pub fn single_sign_on(issuer: &str, subject: &str) -> Result<Self, EngineError> {
        let plain = |byte: u8| byte.is_ascii_graphic() || byte == b' ';
        if !(1..=SUBJECT_BYTES_MAX).contains(&subject.len()) || !subject.bytes().all(plain) {
            let text = format!("a subject has 1 to {SUBJECT_BYTES_MAX} characters of ASCII");
            return Err(EngineError::Usage(text));
        }
        Ok(Self {
            kind: CredentialKind::SingleSignOn,
            label: format!("{subject} at {issuer}"),
            lookup: Some(lookup(issuer, subject)?),
            // There is nothing to check: the identity provider's signature was.
            secret: String::new(),
            until: None,
            body: json!({"issuer": issuer, "subject": subject}),
        })
    }
}

impl Engine {
    /// The account that a subject of an issuer is linked to, proved by single sign-on and never
    /// fresh.
    ///
    /// # Errors
    /// [`Denied::Wrong`] where there is none, or it is locked, or no person's.
    pub async fn caller_by_subject(&self, issuer: &str, subject: &str) -> Result<Caller, Denied> {
        let reader = self.0.journal.doors();
        let found = reader.credential_of(&lookup(issuer, subject)?).await?;
        let found = found.filter(|one| one.kind == CredentialKind::SingleSignOn);
        let account = found.ok_or(Denied::Wrong)?.account;
        let found = reader.account(&account).await?.ok_or(Denied::Wrong)?;
        match found.kind {
            AccountKind::Person => self.caller(&account, Proof::SingleSignOn, None).await,
            AccountKind::Service | AccountKind::BreakGlass => Err(Denied::Wrong),
        }
    }
}

/// What the link is found by: issuer and subject together, since a subject is one of its issuer.
fn lookup(issuer: &str, subject: &str) -> Result<String, EngineError> {
    let digest = digest_of("single-sign-on", &json!([issuer, subject]));
    digest.map(|digest| digest.hex()).map_err(|error| EngineError::Internal(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_is_of_one_subject_at_one_issuer() {
        let link = |issuer, subject| NewCredential::single_sign_on(issuer, subject).unwrap().lookup;
        let anna = link("https://a.example", "anna");
        assert_eq!(anna, link("https://a.example", "anna"));
        for (issuer, subject) in [
            ("https://a.example/", "anna"),
            ("https://b.example", "anna"),
            ("https://a.example", "Anna"),
            ("https://a.exampl", "eanna"),
        ] {
            assert_ne!(anna, link(issuer, subject), "{issuer} {subject}");
        }
    }

    #[test]
    fn what_no_provider_calls_anybody_is_no_subject() {
        let long = "x".repeat(256);
        for subject in ["", "an\nna", "jürgen", long.as_str()] {
            assert!(NewCredential::single_sign_on("https://a.example", subject).is_err());
        }
        assert!(NewCredential::single_sign_on("https://a.example", &long[1..]).is_ok());
    }
}
