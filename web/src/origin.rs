//! Whose page a request comes from. A browser says so itself; what changes something is taken from
//! our own pages alone.
//!
//! A request with a token may come from nowhere: a program has no origin, and no page of somebody
//! else's can make a browser send that header without asking first.

use axum::http::header::{AUTHORIZATION, COOKIE, HeaderName, ORIGIN};
use axum::http::{HeaderMap, Method};

use crate::peer::Peer;
use crate::report::Problem;

const SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Refuses what another page lets a browser send.
///
/// # Errors
/// 403.
pub(crate) fn check(method: &Method, headers: &HeaderMap, peer: &Peer) -> Result<(), Problem> {
    if method.is_safe() {
        return Ok(());
    }
    let own = own_origin(peer);
    let foreign = || {
        Problem::forbidden("this request was sent by a page that is not this server's").hint(format!(
            "open the page on this server itself and try again there; a program sends `Origin: {own}`, \
             or a token and no `Origin`"
        ))
    };
    let nowhere = || {
        let text = "with a cookie, what changes something says in `Origin` where it comes from";
        Problem::forbidden(text).hint(format!(
            "a browser does so by itself; a program sends `Origin: {own}`, or in place of the cookie a \
             token: `Authorization: Bearer TOKEN`"
        ))
    };
    for site in headers.get_all(SITE) {
        if site != "same-origin" && site != "none" {
            return Err(foreign());
        }
    }
    let mut origins = headers.get_all(ORIGIN).iter();
    match (origins.next(), origins.next()) {
        (None, _) if headers.contains_key(AUTHORIZATION) => Ok(()),
        // A browser that sends a session and hides where it comes from.
        (None, _) if headers.contains_key(COOKIE) => Err(nowhere()),
        (None, _) => Ok(()),
        (Some(origin), None) if origin.to_str().is_ok_and(|origin| is_own(origin, peer)) => Ok(()),
        (Some(_), _) => Err(foreign()),
    }
}

/// Whether an origin (RFC 6454, section 6.2) is the host that was asked.
fn is_own(origin: &str, peer: &Peer) -> bool {
    let Some((scheme, host)) = origin.split_once("://") else { return false };
    scheme == scheme_of(peer) && peer.host.as_deref() == Some(host.to_ascii_lowercase().as_str())
}

/// What a page of ours says of itself.
fn own_origin(peer: &Peer) -> String {
    format!("{}://{}", scheme_of(peer), peer.host.as_deref().unwrap_or("HOST"))
}

const fn scheme_of(peer: &Peer) -> &'static str {
    if peer.tls { "https" } else { "http" }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(method: &Method, lines: &[(&str, &str)]) -> u16 {
        checked(method, lines).map_or_else(|problem| problem.status().as_u16(), |()| 200)
    }

    fn checked(method: &Method, lines: &[(&str, &str)]) -> Result<(), Problem> {
        let pair = |(name, value): &(&str, &str)| {
            (name.parse::<HeaderName>().unwrap(), value.parse().unwrap())
        };
        let headers: HeaderMap = lines.iter().map(pair).collect();
        let peer = Peer {
            address: "192.0.2.1".parse().unwrap(),
            host: Some("lage.example:8443".to_owned()),
            tls: true,
        };
        check(method, &headers, &peer)
    }

    #[test]
    fn a_program_with_a_cookie_is_told_what_to_send() {
        let cookie = ("cookie", "__Host-beistand=s");
        for lines in [&[cookie][..], &[cookie, ("origin", "https://lage.example")][..]] {
            let said = format!("{:?}", checked(&Method::POST, lines).unwrap_err());
            assert!(said.contains("`Origin: https://lage.example:8443`"), "{said}");
            assert!(said.contains("a token"), "{said}");
        }
    }

    #[test]
    fn what_changes_something_comes_from_our_own_pages_or_from_a_program() {
        let token = ("authorization", "Bearer x");
        let cookie = ("cookie", "__Host-beistand=s");
        let own = ("origin", "https://lage.example:8443");
        for (lines, wanted) in [
            (&[cookie, own][..], 200),
            (&[cookie, own, ("sec-fetch-site", "same-origin")][..], 200),
            (&[token][..], 200),
            (&[][..], 200),
            (&[cookie][..], 403),
            (&[cookie, ("origin", "null")][..], 403),
            (&[token, ("origin", "null")][..], 403),
            (&[token, ("origin", "https://evil.example")][..], 403),
            (&[cookie, ("origin", "https://lage.example")][..], 403),
            (&[cookie, ("origin", "http://lage.example:8443")][..], 403),
            (&[cookie, ("origin", "https://lage.example:8443.evil.example")][..], 403),
            (&[cookie, own, ("origin", "https://evil.example")][..], 403),
            (&[cookie, ("sec-fetch-site", "cross-site")][..], 403),
            (&[token, ("sec-fetch-site", "cross-site")][..], 403),
            (&[cookie, own, ("sec-fetch-site", "same-site")][..], 403),
        ] {
            assert_eq!(asked(&Method::POST, lines), wanted, "{lines:?}");
            assert_eq!(asked(&Method::GET, lines), 200, "{lines:?}");
        }
        assert_eq!(asked(&Method::DELETE, &[cookie]), 403);
    }
}
