//! Who is asking: the credential of a request, and whoever knows what it is worth.
//!
//! This crate never looks at a passphrase or a token: it hands the credential to the [`Doorkeeper`]
//! and gets a [`Caller`] or a no.

use std::fmt::{self, Debug};
use std::future::Future;
use std::pin::Pin;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use beistand_core::access::{About, Permission};
use beistand_runtime::{self as access, Caller, Engine, Secret};

use crate::report::Problem;

/// The cookie of a session. The prefix binds it to this very host, to TLS and to every path
/// (RFC 6265bis, section 4.1.3.2).
pub const SESSION_COOKIE: &str = "__Host-beistand";

/// What a caller shows.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Credential<'a> {
    /// `Authorization: Bearer …`: a token of a machine, or of the command line.
    Bearer(&'a str),
    /// The cookie of a session in a browser.
    Session(&'a str),
}

impl Debug for Credential<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Bearer(_) => "Bearer(…)",
            Self::Session(_) => "Session(…)",
        })
    }
}

/// Why nobody was let in. What exactly was wrong with a credential is for the log alone.
#[derive(Debug, thiserror::Error)]
pub enum Denied {
    /// It is unknown, expired or taken back.
    #[error("the credential is not valid")]
    Invalid,
    /// Nobody can say: the store does not answer.
    #[error("whether the credential is valid can not be found out")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// The answer of a [`Doorkeeper`], on its way.
pub type Identified<'a> = Pin<Box<dyn Future<Output = Result<Caller, Denied>> + Send + 'a>>;

/// The engine's own: tokens and sessions of the store's accounts.
#[derive(Debug, Clone)]
pub struct Accounts(Engine);

impl Accounts {
    /// Of an engine that owns its store.
    pub fn new(engine: Engine) -> Self {
        Self(engine)
    }
}

impl Doorkeeper for Accounts {
    fn identify<'a>(&'a self, credential: Credential<'a>) -> Identified<'a> {
        Box::pin(async move {
            let found = match credential {
                Credential::Bearer(token) => {
                    self.0.caller_by_token(&Secret::new(token.to_owned())).await
                }
                Credential::Session(cookie) => {
                    self.0.caller_by_session(&Secret::new(cookie.to_owned())).await
                }
            };
            found.map_err(|denied| match denied {
                access::Denied::Wrong
                | access::Denied::Later { .. }
                | access::Denied::TooManyQuestions { .. }
                | access::Denied::SecondFactorMissing => Denied::Invalid,
                access::Denied::Store(_) | access::Denied::Internal(_) => {
                    Denied::Unavailable(Box::new(denied))
                }
            })
        })
    }
}

/// Knows who stands behind a credential.
pub trait Doorkeeper: Debug + Send + Sync {
    /// Who that is, and what they may do now.
    fn identify<'a>(&'a self, credential: Credential<'a>) -> Identified<'a>;
}

/// What a request shows, where it shows something that can be read. A token outdoes a cookie: who
/// sets that header is a program and not a page of somebody else's.
pub(crate) fn credential(headers: &HeaderMap) -> Option<Credential<'_>> {
    let mut shown = headers.get_all(header::AUTHORIZATION).iter();
    if let Some(value) = shown.next() {
        let (scheme, token) = value.to_str().ok()?.split_once(' ')?;
        let bearer = scheme.eq_ignore_ascii_case("bearer") && shown.next().is_none();
        return bearer.then(|| Credential::Bearer(token.trim())).filter(|_| !token.is_empty());
    }
    cookie(headers, SESSION_COOKIE).map(Credential::Session)
}

/// A cookie, where there is exactly one of this name: two are somebody's attempt to slip one in.
pub(crate) fn cookie<'h>(headers: &'h HeaderMap, wanted: &str) -> Option<&'h str> {
    let lines = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut values = lines.flat_map(|line| line.split(';')).filter_map(|pair| {
        let (name, value) = pair.split_once('=')?;
        (name.trim() == wanted).then(|| value.trim())
    });
    let value = values.next().filter(|value| !value.is_empty())?;
    values.next().is_none().then_some(value)
}

/// Who is asking, for handlers. Only a route whose right wants somebody has one.
#[derive(Debug, Clone)]
pub struct Who(pub Caller);

impl Who {
    /// Whether they may do something to what the request is about.
    ///
    /// # Errors
    /// 403 that names the permission.
    pub fn may(&self, permission: Permission, about: &About) -> Result<(), Problem> {
        let may = self.0.rights.may(permission, about);
        if may { Ok(()) } else { Err(Problem::lacks(permission)) }
    }
}

impl<S: Sync> FromRequestParts<S> for Who {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        parts.extensions.get::<Self>().cloned().ok_or_else(Problem::unauthorized)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(lines: &[(&'static str, &'static str)]) -> HeaderMap {
        let pair = |(name, value): &(&'static str, &'static str)| {
            (name.parse().unwrap(), value.parse().unwrap())
        };
        lines.iter().map(pair).collect()
    }

    #[test]
    fn a_token_outdoes_a_cookie_and_a_broken_one_is_none() {
        for (lines, wanted) in [
            (&[("authorization", "Bearer abc")][..], Some(Credential::Bearer("abc"))),
            (&[("authorization", "bearer abc")][..], Some(Credential::Bearer("abc"))),
            (&[("cookie", "a=b; __Host-beistand=s1")][..], Some(Credential::Session("s1"))),
            (
                &[("authorization", "Bearer abc"), ("cookie", "__Host-beistand=s1")][..],
                Some(Credential::Bearer("abc")),
            ),
            (&[("authorization", "Basic abc"), ("cookie", "__Host-beistand=s1")][..], None),
            (&[("authorization", "Bearer ")][..], None),
            (&[("authorization", "Bearer a"), ("authorization", "Bearer b")][..], None),
            (&[("cookie", "__Host-beistand=s1; __Host-beistand=s2")][..], None),
            (&[("cookie", "__host-beistand=s1")][..], None),
            (&[("cookie", "__Host-beistand=")][..], None),
            (&[("x-user", "anna")][..], None),
            (&[][..], None),
        ] {
            let headers: HeaderMap = shown(lines);
            assert_eq!(credential(&headers), wanted, "{lines:?}");
        }
    }

    #[test]
    fn a_credential_is_not_printed() {
        assert_eq!(format!("{:?}", Credential::Bearer("secret")), "Bearer(…)");
    }
}
