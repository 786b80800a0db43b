//! Tokens as an identity provider signs them, and as others would like to.

use openidconnect::core::{
    CoreEdDsaPrivateSigningKey, CoreHmacKey, CoreIdTokenClaims, CoreJsonWebKey,
};
use openidconnect::{
    Audience, EmptyAdditionalClaims, JsonWebKeyId, PrivateSigningKey, StandardClaims,
    SubjectIdentifier,
};

use super::*;

const NOW: Millis = Millis::new(1_700_000_000_000);

/// Ed25519 keys whose private halves are 32 times the byte 1, and 32 times the byte 2 (RFC 8410).
const OURS: &str = "MC4CAQAwBQYDK2VwBCIEIAEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEB";
const THEIRS: &str = "MC4CAQAwBQYDK2VwBCIEIAICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIC";

/// What a token says, and until when before or after now, in seconds.
struct Said {
    issuer: &'static str,
    audiences: &'static [&'static str],
    nonce: Option<&'static str>,
    party: Option<&'static str>,
    lasts: i64,
}

const RIGHT: Said = Said {
    issuer: "https://login.example",
    audiences: &["beistand"],
    nonce: Some("n"),
    party: None,
    lasts: 60,
};

fn key(private: &str) -> CoreEdDsaPrivateSigningKey {
    let pem = format!("-----BEGIN PRIVATE KEY-----\n{private}\n-----END PRIVATE KEY-----\n");
    CoreEdDsaPrivateSigningKey::from_ed25519_pem(&pem, Some(JsonWebKeyId::new("k".to_owned())))
        .unwrap()
}

fn claims(said: &Said) -> CoreIdTokenClaims {
    let at = |seconds: i64| DateTime::from_timestamp_millis(NOW.get() + seconds * 1_000).unwrap();
    CoreIdTokenClaims::new(
        IssuerUrl::new(said.issuer.to_owned()).unwrap(),
        said.audiences.iter().map(|one| Audience::new((*one).to_owned())).collect(),
        at(said.lasts),
        at(0),
        StandardClaims::new(SubjectIdentifier::new("s-1".to_owned())),
        EmptyAdditionalClaims {},
    )
    .set_nonce(said.nonce.map(|nonce| Nonce::new(nonce.to_owned())))
    .set_authorized_party(said.party.map(|party| ClientId::new(party.to_owned())))
}

fn signed<K>(said: &Said, key: &K, algorithm: CoreJwsSigningAlgorithm) -> CoreIdToken
where
    K: PrivateSigningKey<VerificationKey = CoreJsonWebKey>,
{
    CoreIdToken::new(claims(said), key, algorithm, None, None).unwrap()
}

fn expected() -> Expected {
    Expected {
        issuer: IssuerUrl::new("https://login.example".to_owned()).unwrap(),
        client: ClientId::new("beistand".to_owned()),
        keys: CoreJsonWebKeySet::new(vec![key(OURS).as_verification_key()]),
        nonce: Nonce::new("n".to_owned()),
    }
}

/// What comes of a token: who it is about, or why it is about nobody.
fn judged(token: &CoreIdToken) -> Result<String, String> {
    subject(token, &expected(), NOW).map_err(|error| format!("{error}: {error:?}"))
}

#[test]
fn what_the_provider_signed_for_this_way_is_believed() {
    let right = signed(&RIGHT, &key(OURS), CoreJwsSigningAlgorithm::EdDsa);
    assert_eq!(judged(&right), Ok("s-1".to_owned()));
    let own = Said { party: Some("beistand"), ..RIGHT };
    assert_eq!(judged(&signed(&own, &key(OURS), CoreJwsSigningAlgorithm::EdDsa)).unwrap(), "s-1");
}

#[test]
fn what_is_of_another_for_another_too_late_or_of_another_way_is_not() {
    for (said, why) in [
        (Said { issuer: "https://login.example/", ..RIGHT }, "InvalidIssuer"),
        (Said { issuer: "https://evil.example", ..RIGHT }, "InvalidIssuer"),
        (Said { audiences: &["wiki"], ..RIGHT }, "InvalidAudience"),
        (Said { audiences: &[], ..RIGHT }, "InvalidAudience"),
        (Said { audiences: &["beistand", "wiki"], ..RIGHT }, "InvalidAudience"),
        (Said { party: Some("wiki"), ..RIGHT }, "InvalidAudience"),
        (Said { nonce: Some("m"), ..RIGHT }, "InvalidNonce"),
        (Said { nonce: None, ..RIGHT }, "InvalidNonce"),
        (Said { lasts: 0, ..RIGHT }, "Expired"),
        (Said { lasts: -3_600, ..RIGHT }, "Expired"),
    ] {
        let refused = judged(&signed(&said, &key(OURS), CoreJwsSigningAlgorithm::EdDsa));
        assert!(refused.as_ref().is_err_and(|text| text.contains(why)), "{why}: {refused:?}");
    }
}

#[test]
fn what_others_signed_or_nobody_did_is_not_believed() {
    let public = serde_json::to_value(key(OURS).as_verification_key()).unwrap();
    let public = public["x"].as_str().unwrap().to_owned();
    let others = signed(&RIGHT, &key(THEIRS), CoreJwsSigningAlgorithm::EdDsa);
    let symmetric = signed(&RIGHT, &CoreHmacKey::new(public), CoreJwsSigningAlgorithm::HmacSha256);
    // The header `{"alg":"none"}` and no signature.
    let right = signed(&RIGHT, &key(OURS), CoreJwsSigningAlgorithm::EdDsa).to_string();
    let payload = right.split('.').nth(1).unwrap();
    let nobodys: CoreIdToken = format!("eyJhbGciOiJub25lIn0.{payload}.").parse().unwrap();
    for (token, why) in
        [(others, "CryptoError"), (symmetric, "DisallowedAlg"), (nobodys, "NoSignature")]
    {
        let refused = judged(&token);
        assert!(refused.as_ref().is_err_and(|text| text.contains(why)), "{why}: {refused:?}");
    }
}
