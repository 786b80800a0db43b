//! Places on this server that a browser is sent to, and nowhere else.

use axum::body::Body;
use axum::http::header::LOCATION;
use axum::http::{HeaderValue, StatusCode, Uri};
use axum::response::Response;

/// A path of this server, with its query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place(String);

impl Place {
    /// What somebody says that it is; the first page where it leads elsewhere. A browser takes `//host`
    /// and `/\host` for other servers (WHATWG URL, section 4.4).
    pub(crate) fn of(text: &str) -> Self {
        let ours = text.starts_with('/')
            && !text.starts_with("//")
            && text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\')
            && text.parse::<Uri>().is_ok_and(|uri| uri.authority().is_none());
        Self(if ours { text.to_owned() } else { "/".to_owned() })
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// The same place with what was done there: a key of `done-…` that the page says.
    #[must_use]
    pub(crate) fn done(self, what: &str) -> Self {
        let (path, fragment) = self.0.split_once('#').unwrap_or((&self.0, ""));
        let joint = if path.contains('?') { '&' } else { '?' };
        let fragment = if fragment.is_empty() { String::new() } else { format!("#{fragment}") };
        Self(format!("{path}{joint}done={what}{fragment}"))
    }

    /// Sends a browser there, to look (RFC 9110, section 15.4.4).
    pub(crate) fn seen(&self) -> Response {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::SEE_OTHER;
        // Only graphic ASCII stands in it.
        let line = HeaderValue::from_str(&self.0).unwrap_or(HeaderValue::from_static("/"));
        response.headers_mut().insert(LOCATION, line);
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_sent_to_another_server() {
        for ours in ["/", "/incidents/SIT-2026-0007", "/needs?mine=1#n-2"] {
            assert_eq!(Place::of(ours).as_str(), ours);
        }
        for theirs in [
            "",
            "//evil.example",
            "/\\evil.example",
            "https://evil.example",
            "/a\r\nx: y",
            "a",
            "/ä",
        ] {
            assert_eq!(Place::of(theirs).as_str(), "/", "{theirs}");
        }
    }

    #[test]
    fn what_was_done_goes_along() {
        assert_eq!(Place::of("/a?b=c#d").done("noted").as_str(), "/a?b=c&done=noted#d");
        assert_eq!(Place::of("/a").done("noted").as_str(), "/a?done=noted");
    }
}
