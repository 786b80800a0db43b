//! What an HTTP status means for the effect: done, surely not done, refused, or unknown.

use beistand_connector_api::{CallError, SecretReference, Span};

use super::{Net, Response};

/// A service may ask for an hour at most; beyond that our own back-off knows better.
const RETRY_AFTER_MAX_SECONDS: u64 = 3600;
/// Enough of an error body to see what was wrong.
const EXCERPT_CHARS_MAX: usize = 300;

/// Judges an answer that did come; `net` takes secrets out of what it says.
///
/// # Errors
/// 429 and 503 with `Retry-After` are `Unavailable`; other 4xx `Refused`, where 401 and 403 name
/// the secret's reference; everything else outside `expected` is `Unknown`.
pub fn judge(
    request: &str,
    response: &Response,
    expected: impl Fn(u16) -> bool,
    secret: Option<&SecretReference>,
    net: &Net,
) -> Result<(), CallError> {
    let status = response.status;
    if expected(status) {
        return Ok(());
    }
    let said = match &response.body {
        Ok(body) if body.is_empty() => String::new(),
        Ok(body) => format!(": {}", net.excerpt(body, EXCERPT_CHARS_MAX)),
        Err(trouble) => format!(", and {trouble}"),
    };
    let message = format!("{request} was answered with {status}{said}");
    let retry_after = response.headers.get("retry-after");
    match (status, secret) {
        (429 | 503, _) if retry_after.is_some() => Err(CallError::Unavailable {
            message,
            // A date instead of seconds needs a clock that agrees with theirs: left to our back-off.
            retry_after: retry_after
                .and_then(|value| value.to_str().ok()?.trim().parse::<u64>().ok())
                .map(|seconds| Span::from_secs(seconds.min(RETRY_AFTER_MAX_SECONDS))),
        }),
        (401 | 403, Some(reference)) => Err(CallError::refused(format!(
            "{message}; is the secret from {reference} right, and may it do this?"
        ))),
        (400..=499, _) => Err(CallError::refused(message)),
        _ => Err(CallError::unknown(format!("{message}; it may have been done"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_says_what_may_be_done_next() {
        let said = |status: u16, after: Option<&str>| {
            let mut headers = reqwest::header::HeaderMap::new();
            if let Some(after) = after {
                headers.insert("retry-after", after.parse().unwrap());
            }
            let response = Response { status, headers, body: Ok(b"no".to_vec()) };
            judge("POST x", &response, |code| code == 200, None, &Net::default())
        };
        let seconds = |span: u64| Some(Span::from_secs(span));
        assert_eq!(said(200, None), Ok(()));
        for status in [429, 503] {
            let Err(CallError::Unavailable { retry_after, .. }) = said(status, Some("7")) else {
                panic!("{status}")
            };
            assert_eq!(retry_after, seconds(7));
        }
        let date = said(503, Some("Sat, 21 Nov 2026 10:00:00 GMT"));
        assert!(matches!(date, Err(CallError::Unavailable { retry_after: None, .. })));
        for status in [400, 401, 403, 404, 408, 409, 418, 429] {
            assert!(matches!(said(status, None), Err(CallError::Refused { .. })), "{status}");
        }
        for status in [204, 301, 307, 500, 502, 503, 504, 599] {
            assert!(matches!(said(status, None), Err(CallError::Unknown { .. })), "{status}");
        }
    }

    #[test]
    fn a_body_that_echoes_a_secret_where_it_is_cut_tells_none_of_it() {
        let mut net = Net::default();
        net.add("gartenzwerg");
        let body = format!("{}gartenzwerg", "x".repeat(EXCERPT_CHARS_MAX - 8));
        let headers = reqwest::header::HeaderMap::new();
        let response = Response { status: 400, headers, body: Ok(body.into_bytes()) };
        let said = judge("POST x", &response, |_| false, None, &net).unwrap_err().to_string();
        assert!(!said.contains("gar"), "{said}");
    }
}
