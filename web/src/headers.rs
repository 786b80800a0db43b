//! Headers that every answer has, so that no handler can forget one.

use axum::http::HeaderMap;
use axum::http::header::{self, Entry, HeaderName, HeaderValue};

/// Nothing is loaded, framed, sniffed, shared with other origins or told to other servers.
/// (OWASP ASVS 5.0, 3.4; OWASP Secure Headers.)
const ALWAYS: [(HeaderName, &str); 8] = [
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    ),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (header::REFERRER_POLICY, "no-referrer"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-embedder-policy"), "require-corp"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    (header::CACHE_CONTROL, "no-store"),
];

/// A year: browsers come back by TLS alone.
const TRANSPORT: &str = "max-age=31536000";

/// Adds what is missing; a page may say more exactly what it loads.
pub(crate) fn secure(headers: &mut HeaderMap, tls: bool) {
    let transport = tls.then_some((header::STRICT_TRANSPORT_SECURITY, TRANSPORT));
    for (name, value) in ALWAYS.into_iter().chain(transport) {
        if let Entry::Vacant(place) = headers.entry(name) {
            place.insert(HeaderValue::from_static(value));
        }
    }
}
