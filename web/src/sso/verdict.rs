//! What an identity provider's signed word is worth: a token, the keys and an instant in, a subject
//! or a reason out. It asks nobody.
//!
//! Of all that a token says this reads who signed it, for whom, until when, for which way and about
//! whom. Groups and roles that stand there have no type here, so that nothing can follow from them.

use beistand_core::model::Millis;
use chrono::DateTime;
use openidconnect::core::{
    CoreIdToken, CoreIdTokenVerifier, CoreJsonWebKeySet, CoreJwsSigningAlgorithm,
};
use openidconnect::{ClaimsVerificationError, ClientId, IssuerUrl, Nonce};

/// How a token may be signed: with a key that the identity provider alone has. Never with a secret
/// that others know, and never not at all (RFC 8725, sections 2.1 and 3.1).
const ALGORITHMS: [CoreJwsSigningAlgorithm; 9] = [
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha256,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha384,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha512,
    CoreJwsSigningAlgorithm::RsaSsaPssSha256,
    CoreJwsSigningAlgorithm::RsaSsaPssSha384,
    CoreJwsSigningAlgorithm::RsaSsaPssSha512,
    CoreJwsSigningAlgorithm::EcdsaP256Sha256,
    CoreJwsSigningAlgorithm::EcdsaP384Sha384,
    CoreJwsSigningAlgorithm::EdDsa,
];

/// Whose word counts, and for whom it must be meant.
#[derive(Debug, Clone)]
pub(super) struct Expected {
    pub(super) issuer: IssuerUrl,
    pub(super) client: ClientId,
    /// The identity provider's own, as it publishes them at this time.
    pub(super) keys: CoreJsonWebKeySet,
    pub(super) nonce: Nonce,
}

/// The subject of a token (OpenID Connect Core 1.0, section 3.1.3.7).
///
/// # Errors
/// What is wrong with the token; for the log.
pub(super) fn subject(
    token: &CoreIdToken,
    expected: &Expected,
    now: Millis,
) -> Result<String, ClaimsVerificationError> {
    let Expected { issuer, client, keys, nonce } = expected.clone();
    let now = DateTime::from_timestamp_millis(now.get())
        .ok_or_else(|| ClaimsVerificationError::Other("there is no such time".to_owned()))?;
    // As one without a secret: then there is nothing that a symmetric signature could be checked with.
    let verifier = CoreIdTokenVerifier::new_public_client(client.clone(), issuer, keys)
        .set_allowed_algs(ALGORITHMS)
        .set_time_fn(move || now);
    let claims = token.claims(&verifier, &nonce)?;
    // The library leaves it to its callers for whom a token was made that names such a party (step 5).
    if let Some(party) = claims.authorized_party().filter(|party| **party != client) {
        let text = format!("made for `{}`", party.as_str());
        return Err(ClaimsVerificationError::InvalidAudience(text));
    }
    Ok(claims.subject().as_str().to_owned())
}

#[cfg(test)]
mod tests;
