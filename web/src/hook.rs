//! Hooks: who outside may send alerts, and how one is known to be theirs.
//!
//! A signature is over the time and the body, under a secret that only the sender and this server
//! have: `Beistand-Timestamp` in seconds since 1970, and `Beistand-Signature: v1=` with the
//! HMAC-SHA-256 (RFC 2104) over `v1:TIMESTAMP:BODY` in hex. An old one is no good, and one that was
//! used is known. What an alert does is not decided here.

use std::collections::BTreeMap;
use std::fmt;

use axum::http::HeaderMap;
use beistand_core::incident::AlertRule;
use beistand_core::model::{Digest, Millis, Span};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

/// The header with the time of signing.
const TIMESTAMP: &str = "beistand-timestamp";

/// The header with the signature.
const SIGNATURE: &str = "beistand-signature";

/// How far the sender's clock may be off, either way: an alert that took longer is sent anew.
pub(crate) const SKEW_MAX: Span = Span::from_secs(5 * 60);

/// Shortest secret: what HMAC-SHA-256 is worth its name with (RFC 2104, section 3, wants 32).
pub const SECRET_BYTES_MIN: usize = 32;

/// One sender.
pub struct Hook {
    /// Known to the sender and to this server.
    secret: Vec<u8>,
    /// What becomes of its alerts.
    pub(crate) rule: AlertRule,
    /// How many are taken in within a minute.
    pub(crate) quota: u64,
}

impl fmt::Debug for Hook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hook").field("rule", &self.rule).finish_non_exhaustive()
    }
}

/// All senders, by the name in the path.
pub type Hooks = BTreeMap<String, Hook>;

/// What was signed, and when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Signed {
    /// The signature itself: it makes the alert one.
    pub(crate) signature: Digest,
    /// When.
    pub(crate) at: Millis,
}

impl Hook {
    /// A sender with its secret; none where that is shorter than [`SECRET_BYTES_MIN`].
    pub fn new(secret: &[u8], rule: AlertRule, quota: u32) -> Option<Self> {
        let long = secret.len() >= SECRET_BYTES_MIN;
        long.then(|| Self { secret: secret.to_vec(), rule, quota: u64::from(quota) })
    }

    /// Whether this signature is one of this sender's.
    fn made(&self, shown: &Shown<'_>, body: &[u8]) -> bool {
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&self.secret) else { return false };
        for part in [b"v1:", shown.timestamp.as_bytes(), b":", body] {
            mac.update(part);
        }
        // In constant time.
        mac.verify_slice(&shown.signature).is_ok()
    }
}

/// Why something is no alert. All but [`Unsigned::Wrong`] can be seen without any secret, and are
/// looked at before it is known whether there is such a sender.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unsigned {
    /// The time of signing is not there, or more than once.
    NoTime,
    /// It is no time.
    NotATime,
    /// It is too long ago, or too far ahead.
    NotNow,
    /// The signature is not there, or more than once.
    NoSignature,
    /// It has not the form of one.
    NotASignature,
    /// It is not made with this sender's secret over this body, or there is no such sender.
    Wrong,
}

/// A signature as it is shown.
struct Shown<'h> {
    timestamp: &'h str,
    at: Millis,
    signature: [u8; 32],
}

/// Whether this is an alert of this sender, signed about now.
///
/// # Errors
/// [`Unsigned`], which tells nothing of secrets and of who has one.
pub(crate) fn signed<'h>(
    hook: Option<&'h Hook>,
    (headers, body): (&HeaderMap, &[u8]),
    now: Millis,
) -> Result<(&'h Hook, Signed), Unsigned> {
    let shown = shown(headers, now)?;
    let hook = hook.filter(|hook| hook.made(&shown, body)).ok_or(Unsigned::Wrong)?;
    Ok((hook, Signed { signature: Digest::from_bytes(shown.signature), at: shown.at }))
}

fn shown(headers: &HeaderMap, now: Millis) -> Result<Shown<'_>, Unsigned> {
    let timestamp = only(headers, TIMESTAMP).ok_or(Unsigned::NoTime)?;
    let digits =
        (1..=12).contains(&timestamp.len()) && timestamp.bytes().all(|byte| byte.is_ascii_digit());
    let seconds: Option<i64> = timestamp.parse().ok().filter(|_| digits);
    let millis = seconds.and_then(|seconds| seconds.checked_mul(1_000));
    let at = Millis::new(millis.ok_or(Unsigned::NotATime)?);
    if now.since(at).max(at.since(now)) > SKEW_MAX {
        return Err(Unsigned::NotNow);
    }
    let mut signature = [0; 32];
    let text = only(headers, SIGNATURE).ok_or(Unsigned::NoSignature)?;
    let hex = text.strip_prefix("v1=").ok_or(Unsigned::NotASignature)?;
    hex::decode_to_slice(hex, &mut signature).map_err(|_| Unsigned::NotASignature)?;
    Ok(Shown { timestamp, at, signature })
}

/// A header that is there once.
fn only<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?.to_str().ok()?;
    values.next().is_none().then_some(value)
}

#[cfg(test)]
mod tests {
    use beistand_core::model::{Mode, Severity};

    use super::*;

    const SECRET: &[u8] = b"0123456789abcdef0123456789abcdef";
    const NOW: Millis = Millis::new(1_700_000_000_000);
    /// Made with `printf 'v1:1700000000:{}' | openssl dgst -sha256 -hmac SECRET`.
    const RIGHT: &str = "v1=748cb9099dea32dbcdffd1ba82be70e1209551786bcf7ab5d0629b05c70e1fb6";

    fn hook() -> Hook {
        let rule = AlertRule {
            title: "x".to_owned().try_into().unwrap(),
            severity: Severity::default(),
            mode: Mode::Live,
            organisation: None,
            key: None,
            assets: Vec::new(),
            proposal: None,
        };
        Hook::new(SECRET, rule, 10).unwrap()
    }

    fn signed(
        hook: Option<&Hook>,
        headers: &[(&'static str, &str)],
        body: &[u8],
        now: Millis,
    ) -> Result<Signed, Unsigned> {
        let pair =
            |(name, value): &(&'static str, &str)| (name.parse().unwrap(), value.parse().unwrap());
        let mut all = HeaderMap::new();
        for (name, value) in headers.iter().map(pair) {
            let name: axum::http::HeaderName = name;
            all.append(name, value);
        }
        super::signed(hook, (&all, body), now).map(|(_, signed)| signed)
    }

    #[test]
    fn only_what_was_signed_about_now_with_the_secret_is_an_alert() {
        let (time, sign) = ((TIMESTAMP, "1700000000"), (SIGNATURE, RIGHT));
        let hook = Some(&hook());
        let found = signed(hook, &[time, sign], b"{}", NOW).unwrap();
        assert_eq!((found.at, found.signature.hex().as_str()), (NOW, &RIGHT[3..]));
        let off = |seconds: i64| Millis::new(NOW.get() + seconds * 1_000);
        for (seconds, right) in [(300, true), (-300, true), (301, false), (-301, false)] {
            let found = signed(hook, &[time, sign], b"{}", off(seconds));
            assert_eq!(found.err(), (!right).then_some(Unsigned::NotNow), "{seconds}");
        }
        let zeros = format!("v1={}", "0".repeat(64));
        for (headers, body, wrong) in [
            (&[time][..], &b"{}"[..], Unsigned::NoSignature),
            (&[sign][..], b"{}", Unsigned::NoTime),
            (&[][..], b"{}", Unsigned::NoTime),
            (&[time, sign, sign][..], b"{}", Unsigned::NoSignature),
            (&[time, time, sign][..], b"{}", Unsigned::NoTime),
            (&[time, sign][..], b"{ }", Unsigned::Wrong),
            (&[time, (SIGNATURE, &RIGHT[3..])][..], b"{}", Unsigned::NotASignature),
            (&[time, (SIGNATURE, "v1=")][..], b"{}", Unsigned::NotASignature),
            (&[time, (SIGNATURE, &zeros)][..], b"{}", Unsigned::Wrong),
            (&[(TIMESTAMP, "1700000001"), sign][..], b"{}", Unsigned::Wrong),
            (&[(TIMESTAMP, "+1700000000"), sign][..], b"{}", Unsigned::NotATime),
            (&[(TIMESTAMP, "01700000000"), sign][..], b"{}", Unsigned::Wrong),
            (&[(TIMESTAMP, "99999999999999999999"), sign][..], b"{}", Unsigned::NotATime),
            (&[(TIMESTAMP, ""), sign][..], b"{}", Unsigned::NotATime),
        ] {
            assert_eq!(signed(hook, headers, body, NOW), Err(wrong), "{headers:?}");
            // A sender that nobody knows hears the same as one whose secret is another.
            assert_eq!(signed(None, headers, body, NOW), Err(wrong), "{headers:?}");
        }
        assert_eq!(signed(None, &[time, sign], b"{}", NOW), Err(Unsigned::Wrong));
    }

    #[test]
    fn a_short_secret_is_none_and_no_secret_is_printed() {
        let Hook { rule, .. } = hook();
        assert!(Hook::new(&SECRET[1..], rule, 1).is_none());
        assert!(!format!("{:?}", hook()).contains("secret"));
    }
}
