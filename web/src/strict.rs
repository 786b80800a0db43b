//! Paths exactly as they are declared: no other way of writing one means the same.
//!
//! A path that some server in front reads one way and this one another is how guards are walked
//! around (`//`, `/./`, `..;`, `%2e%2e`, `;x=1`, a slash too many). So there is one spelling, and
//! whatever is not written in it is not there.

use axum::http::Uri;

/// Whether a path is in the one spelling: `/healthz`, `/api/v1/runs/0199a3f2-…`.
///
/// Segments are of letters, digits, `-`, `_` and `.`, and are not only dots. What a route wants to
/// be told in other characters stands in the query or in the body.
pub(crate) fn is_plain(uri: &Uri) -> bool {
    // An absolute form names a host of its own, beside the one of the header.
    uri.authority().is_none() && uri.scheme().is_none() && is_plain_path(uri.path())
}

/// The same of a path alone, as it is written.
pub(crate) fn is_plain_path(path: &str) -> bool {
    path == "/" || path.strip_prefix('/').is_some_and(|path| path.split('/').all(is_segment))
}

fn is_segment(segment: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    segment.bytes().all(plain) && segment.bytes().any(|byte| byte != b'.')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_one_spelling_of_a_path() {
        for path in ["/", "/healthz", "/api/v1/openapi.json", "/api/v1/runs/0199a3f2-51c0-7d99"] {
            assert!(is_plain(&path.parse().unwrap()), "{path}");
        }
        for path in [
            "//healthz",
            "/api//v1/me",
            "/api/v1/me/",
            "/api/./v1/me",
            "/api/../healthz",
            "/api/v1/..;/me",
            "/api/v1/%2e%2e/me",
            "/api/v1/%6de",
            "/api/v1/me;x=1",
            "/api/v1/me%00",
            "/api/v1/m\u{e9}",
            "*",
            "http://other.example/healthz",
        ] {
            let uri: Result<Uri, _> = path.parse();
            assert!(uri.is_err() || uri.is_ok_and(|uri| !is_plain(&uri)), "{path}");
        }
    }
}
