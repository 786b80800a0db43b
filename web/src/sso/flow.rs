//! One way to the identity provider and back: what binds it to the browser that set out, kept in
//! that browser.
//!
//! Whoever reaches the port may set out, so the server keeps nothing of it: the browser holds 256
//! random bits, the time, which session it had and where it wants to go, under the seal of a key that
//! this process made. What the identity provider is told (state, nonce and the verifier behind PKCE's
//! challenge) is made from those bits with the same key. Only that a way was walked is remembered, by
//! [`super::SingleSignOn`].

use std::fmt;

use beistand_core::model::{Millis, Span};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use crate::strict::is_plain_path;

/// How long somebody may take to log in at the identity provider: to find a second factor, too.
pub(crate) const FLOW_LASTS: Span = Span::from_secs(10 * 60);

/// Longest place to go to afterwards.
const PLACE_BYTES_MAX: usize = 200;

/// What flows are sealed with. Made at each start: who is under way then sets out once more.
pub(crate) struct Key([u8; 32]);

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key")
    }
}

/// A place on this very server, in the one spelling of paths: no host, no query, nothing that a
/// browser or a proxy could take for either.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place(String);

/// One way.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Flow {
    /// 256 random bits in hex.
    bits: String,
    begun: Millis,
    /// What the store finds the session by that the browser had when it set out. Its cookie does not
    /// come back with it: another server's page leads here then.
    before: Option<String>,
    to: Place,
}

impl Key {
    /// Of 256 random bits.
    pub(crate) const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    fn mac(&self, parts: &[&str]) -> Option<Hmac<Sha256>> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).ok()?;
        for part in parts {
            mac.update(part.as_bytes());
            // No part holds it, so no two lists of parts are the same bytes.
            mac.update(b"\n");
        }
        Some(mac)
    }

    fn of(&self, parts: &[&str]) -> String {
        self.mac(parts).map_or_else(String::new, |mac| hex::encode(mac.finalize().into_bytes()))
    }

    fn is(&self, parts: &[&str], shown: &str) -> bool {
        let mut bytes = [0; 32];
        // In constant time.
        hex::decode_to_slice(shown, &mut bytes).is_ok()
            && self.mac(parts).is_some_and(|mac| mac.verify_slice(&bytes).is_ok())
    }
}

impl Place {
    /// A place as somebody wrote it, if it is one of this server.
    pub(crate) fn new(text: &str) -> Option<Self> {
        let here = text.len() <= PLACE_BYTES_MAX && is_plain_path(text);
        here.then(|| Self(text.to_owned()))
    }

    /// The path. Nothing in it has a meaning in HTML or in a header.
    pub(crate) fn path(&self) -> &str {
        &self.0
    }
}

impl Flow {
    /// Sets out at an instant.
    pub(crate) fn new(random: [u8; 32], begun: Millis, to: Place) -> Self {
        Self { bits: hex::encode(random), begun, before: None, to }
    }

    /// The same of a browser that has a session, by what the store finds it by.
    pub(crate) fn after(self, session: Option<String>) -> Self {
        Self { before: session, ..self }
    }

    /// What the browser keeps.
    pub(crate) fn sealed(&self, key: &Key) -> String {
        let Self { bits, begun, before, to } = self;
        let (begun, before) = (begun.get().to_string(), before.as_deref().unwrap_or_default());
        let seal = key.of(&["seal", bits, &begun, before, to.path()]);
        format!("{bits}.{begun}.{before}.{seal}.{}", to.path())
    }

    /// The same again, if it was sealed here and is not over.
    pub(crate) fn open(key: &Key, kept: &str, now: Millis) -> Option<Self> {
        let mut parts = kept.splitn(5, '.');
        let (bits, begun, before) = (parts.next()?, parts.next()?, parts.next()?);
        let (seal, to) = (parts.next()?, parts.next()?);
        if !key.is(&["seal", bits, begun, before, to], seal) {
            return None;
        }
        let flow = Self {
            bits: bits.to_owned(),
            begun: Millis::new(begun.parse().ok()?),
            before: Some(before.to_owned()).filter(|before| !before.is_empty()),
            to: Place::new(to)?,
        };
        (now < flow.ends() && now >= flow.begun).then_some(flow)
    }

    /// What the identity provider gives back with its answer (RFC 6749, section 10.12).
    pub(crate) fn state(&self, key: &Key) -> String {
        key.of(&["state", &self.bits])
    }

    /// Whether an answer is the one to this way.
    pub(crate) fn is_answered_by(&self, key: &Key, state: &str) -> bool {
        key.is(&["state", &self.bits], state)
    }

    /// What the identity provider puts into what it signs (OpenID Connect Core 1.0, section
    /// 15.5.2).
    pub(crate) fn nonce(&self, key: &Key) -> String {
        key.of(&["nonce", &self.bits])
    }

    /// What shows the identity provider that who brings the code is who set out (RFC 7636). 64
    /// letters.
    pub(crate) fn verifier(&self, key: &Key) -> String {
        key.of(&["verifier", &self.bits])
    }

    /// When it is over.
    pub(crate) fn ends(&self) -> Millis {
        self.begun.plus(FLOW_LASTS)
    }

    /// What the store finds the session by that the browser had when it set out.
    pub(crate) fn before(&self) -> Option<&str> {
        self.before.as_deref()
    }

    /// Where the browser wanted to go.
    pub(crate) fn to(&self) -> &Place {
        &self.to
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Millis = Millis::new(1_700_000_000_000);

    fn key() -> Key {
        Key::new([7; 32])
    }

    fn flow() -> Flow {
        Flow::new([1; 32], NOW, Place::new("/api/v1/me").unwrap())
    }

    #[test]
    fn only_what_was_sealed_here_and_is_not_over_is_a_way() {
        let sealed = flow().sealed(&key());
        assert_eq!(Flow::open(&key(), &sealed, NOW), Some(flow()));
        let last = Millis::new(flow().ends().get() - 1);
        assert!(Flow::open(&key(), &sealed, last).is_some());
        assert_eq!(Flow::open(&key(), &sealed, flow().ends()), None);
        assert_eq!(Flow::open(&key(), &sealed, Millis::new(NOW.get() - 1)), None);
        assert_eq!(Flow::open(&Key::new([8; 32]), &sealed, NOW), None);
        for (before, after) in [
            ("/api/v1/me", "/api/v1/mf"),
            ("/api/v1/me", "//evil.example"),
            (&"01".repeat(32), &"02".repeat(32)),
            ("1700000000000", "1700000000001"),
        ] {
            let other = sealed.replace(before, after);
            assert_ne!(other, sealed, "{before}");
            assert_eq!(Flow::open(&key(), &other, NOW), None, "{other}");
        }
        let logged_in = flow().after(Some("5e".repeat(32)));
        let sealed = logged_in.sealed(&key());
        assert_eq!(Flow::open(&key(), &sealed, NOW), Some(logged_in));
        // Whose session ends is not for whoever holds the cookie to say.
        let other = sealed.replace(&"5e".repeat(32), &"5f".repeat(32));
        assert_eq!(Flow::open(&key(), &other, NOW), None);
        for rubbish in ["", ".", "....", "a.b.c.d./e"] {
            assert_eq!(Flow::open(&key(), rubbish, NOW), None, "{rubbish}");
        }
    }

    #[test]
    fn what_the_provider_is_told_is_of_this_way_alone_and_each_is_another() {
        let (key, flow) = (key(), flow());
        let other = Flow::new([2; 32], NOW, Place::new("/api/v1/me").unwrap());
        let told = [flow.state(&key), flow.nonce(&key), flow.verifier(&key), other.state(&key)];
        for (number, one) in told.iter().enumerate() {
            assert_eq!(one.len(), 64);
            assert!(told.iter().skip(number + 1).all(|another| another != one));
            assert!(!flow.sealed(&key).contains(one.as_str()), "the browser holds none of them");
        }
        assert!(flow.is_answered_by(&key, &told[0]));
        for wrong in [&told[1], &told[3], &String::new(), &told[0][1..].to_owned()] {
            assert!(!flow.is_answered_by(&key, wrong), "{wrong}");
        }
    }

    #[test]
    fn a_place_is_one_of_this_server() {
        for text in ["/", "/api/v1/me", "/incidents/SIT-2026-0007", "/a"] {
            assert_eq!(Place::new(text).unwrap().path(), text);
        }
        let long = format!("/{}", "x".repeat(200));
        for text in [
            "",
            "a",
            "//evil.example",
            "/\\evil.example",
            "https://evil.example",
            "/a//b",
            "/..",
            "/a?b",
            "/a#b",
            "/%2f/evil",
            "/a b",
            "/a\r\nb",
            "javascript:x",
            "/a/",
            long.as_str(),
        ] {
            assert_eq!(Place::new(text), None, "{text}");
        }
    }
}
