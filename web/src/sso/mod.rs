//! Single sign-on by OpenID Connect (Core 1.0): an identity provider says who somebody is, and
//! nothing else.
//!
//! ```text
//!  browser ─► GET …/sso ──────────► 303 to the identity provider; cookie of the way, SameSite=Lax
//!     └─────► the identity provider ───────► 303 back with code and state
//!             GET …/sso/return ───► state of this browser? code for a token; is it to be believed?
//!                                   200, cookie of the session, SameSite=Strict; the page goes on
//! ```
//!
//! A browser that comes from the identity provider's page sends no cookie that is `Strict` (RFC
//! 6265bis, section 5.6.7.1), and none after a redirect of that answer either. So the way back
//! finds its browser by a cookie that is `Lax`, lives ten minutes and opens nothing, and answers
//! with a page of ours that goes on by itself: what that page asks for comes from this server and
//! brings the session.
//!
//! No account is made here and no role is given: [`beistand_runtime::Engine::caller_by_subject`]
//! finds the account that somebody linked before. Who the identity provider vouched for has proved
//! nothing here, and is not fresh until they do.

mod flow;
mod provider;
mod verdict;

use std::collections::BTreeMap;
use std::error::Error;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use beistand_core::model::{Millis, Span};
use beistand_runtime::Secret;
use openidconnect::url::{Host, Url};
use tokio::sync::Semaphore;
use tokio::time::timeout;

pub(crate) use flow::{FLOW_LASTS, Flow, Place};
pub use provider::{Question, Replied, Reply, Unreachable, Wire};

use flow::Key;
use provider::Published;

/// Where the identity provider sends people back to.
pub(crate) const WAY_BACK: &str = "/api/v1/session/sso/return";

/// How long it counts what the identity provider published of itself, keys too: one question for
/// all who come to work at eight, and a key that was taken back is gone before anybody has called
/// anybody.
const KNOWN_FOR: Span = Span::from_secs(10);

/// Talks with the identity provider at once. One that hangs takes no more places than this, and
/// what is left is for those who type a passphrase.
const TALKS_AT_ONCE: usize = 8;

/// Who sets out while it is asked what it publishes, at once: one asks, and the others wait for that.
/// Each holds one of the server's ordinary places, and anybody may set out.
const SETTING_OUT_AT_ONCE: usize = 8;

/// How long they wait: an answer that is on its way is there by then.
const WAITS_WITHIN: Duration = Duration::from_secs(1);

/// When it is worth setting out anew for who was turned away: it has answered by then, or is known to
/// be gone.
pub(crate) const AGAIN_AFTER: Span = Span::from_secs(5);

/// Ways that are remembered as walked, each for as long as it could be walked again.
const WALKED_MAX: usize = 10_000;

/// What the configuration says of an identity provider.
#[derive(Debug)]
pub struct Settings {
    issuer: Url,
    /// The issuer letter by letter: that is how it is compared.
    issuer_text: String,
    client_id: String,
    client_secret: Secret,
    /// The host with its port, as browsers write it.
    host: String,
    way_back: Url,
}

/// Why an identity provider can not be used, by the key that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    /// No address, or not over TLS.
    #[error(
        "`{0}` is no issuer: it is the address `https://…` under which the identity provider names \
         itself"
    )]
    Issuer(String),
    /// No address, or not over TLS, or more than a host.
    #[error("`{0}` is no server's address: it is `https://HOST` or `https://HOST:PORT`")]
    Server(String),
    /// Nothing.
    #[error("the identity provider knows this server by a name, and none is given")]
    Client,
}

/// Why nobody is let in.
#[derive(Debug)]
pub(crate) enum Refused {
    /// This is no way that set out from this browser, or it is over, or it was walked before.
    Astray,
    /// The identity provider let nobody in.
    ByProvider(String),
    /// What it says is not to be believed.
    Unbelievable(Box<dyn Error + Send + Sync>),
    /// It does not answer, or not as an identity provider does.
    Gone(Box<dyn Error + Send + Sync>),
    /// Too many at once.
    Busy,
}

/// What the identity provider sent back with the browser.
#[derive(Debug)]
pub(crate) struct Answer {
    /// What this server gave the browser on its way.
    pub(crate) state: String,
    /// The code, or the word for why there is none.
    pub(crate) code: Result<String, String>,
    /// Who says so, where it says so (RFC 9207).
    pub(crate) issuer: Option<String>,
}

/// Says what time it is: who waits for an identity provider is later afterwards.
pub(crate) type Clock<'c> = &'c (dyn Fn() -> Millis + Send + Sync);

/// Single sign-on with one identity provider.
#[derive(Debug)]
pub struct SingleSignOn {
    settings: Settings,
    wire: Box<dyn Wire>,
    key: Key,
    /// What the identity provider published, or that it was asked in vain, and when.
    known: Mutex<Option<Result<Arc<Published>, Millis>>>,
    /// Held by who asks what it publishes.
    asking: tokio::sync::Mutex<()>,
    waits_within: Duration,
    setting_out: Semaphore,
    talks: Semaphore,
    /// Ways by their states, until they are over.
    walked: Mutex<BTreeMap<String, Millis>>,
}

impl Settings {
    /// Of an issuer, as it names itself, of this server's name and secret there, and of the address
    /// under which people open this server: `https://lage.example:8443`.
    ///
    /// # Errors
    /// [`Unfit`].
    pub fn new(
        issuer: &str,
        (client_id, client_secret): (&str, Secret),
        server: &str,
    ) -> Result<Self, Unfit> {
        let wrong = || Unfit::Issuer(issuer.to_owned());
        let url: Url = issuer.parse().map_err(|_| wrong())?;
        // RFC 8414, section 2: neither query nor fragment. A name in it would go into every log.
        let plain = url.query().is_none() && url.fragment().is_none() && is_anonymous(&url);
        if !plain || !(url.scheme() == "https" || is_on_loopback(&url)) {
            return Err(wrong());
        }
        if client_id.is_empty() {
            return Err(Unfit::Client);
        }
        let (host, way_back) =
            own_address(server).ok_or_else(|| Unfit::Server(server.to_owned()))?;
        let client_id = client_id.to_owned();
        let issuer_text = issuer.to_owned();
        Ok(Self { issuer: url, issuer_text, client_id, client_secret, host, way_back })
    }

    /// What people are led back to, without its port: a name, or an address without brackets.
    pub fn server_name(&self) -> &str {
        self.way_back.host_str().unwrap_or_default().trim_matches(['[', ']'])
    }
}

impl SingleSignOn {
    /// With an identity provider that is asked over this wire; the bits are random and of this
    /// process alone.
    pub fn new(settings: Settings, wire: Box<dyn Wire>, bits: [u8; 32]) -> Self {
        let (known, walked) = (Mutex::default(), Mutex::default());
        let (asking, talks) = (tokio::sync::Mutex::default(), Semaphore::new(TALKS_AT_ONCE));
        let setting_out = Semaphore::new(SETTING_OUT_AT_ONCE);
        let (key, waits_within) = (Key::new(bits), WAITS_WITHIN);
        Self { settings, wire, key, known, asking, waits_within, setting_out, talks, walked }
    }

    /// The issuer, as accounts are linked to it.
    pub(crate) fn issuer(&self) -> &str {
        &self.settings.issuer_text
    }

    /// The address that people open, where they asked for another host: the cookie of a way is of one.
    pub(crate) fn elsewhere(&self, host: Option<&str>) -> Option<String> {
        let other = host != Some(self.settings.host.as_str());
        other.then(|| self.settings.way_back.origin().ascii_serialization())
    }

    /// Sets out: what the browser keeps, and where it goes.
    ///
    /// # Errors
    /// [`Refused::Gone`] and [`Refused::Busy`].
    pub(crate) async fn set_out(
        &self,
        flow: &Flow,
        clock: Clock<'_>,
    ) -> Result<(String, String), Refused> {
        let known = if let Some(known) = self.published(clock()) {
            known?
        } else {
            let _place = self.setting_out.try_acquire().map_err(|_| Refused::Busy)?;
            self.known(clock).await?
        };
        let address = provider::address(&self.settings, &known, (flow, &self.key));
        Ok((flow.sealed(&self.key), address))
    }

    /// Comes back: the subject that the identity provider vouches for, and the way that was walked. It
    /// is walked once, whatever the provider says; only who was told to come again, because there was
    /// no place or the provider could not be reached, may.
    ///
    /// # Errors
    /// [`Refused`].
    pub(crate) async fn come_back(
        &self,
        kept: Option<&str>,
        answer: Answer,
        clock: Clock<'_>,
    ) -> Result<(String, Flow), Refused> {
        let now = clock();
        let flow = kept.and_then(|kept| Flow::open(&self.key, kept, now)).ok_or(Refused::Astray)?;
        let ours = answer.issuer.is_none_or(|issuer| issuer == self.settings.issuer_text);
        if !ours || !flow.is_answered_by(&self.key, &answer.state) {
            return Err(Refused::Astray);
        }
        let code = match answer.code {
            Ok(code) => code,
            Err(why) => {
                self.walk(&flow, now)?;
                return Err(Refused::ByProvider(why));
            }
        };
        if self.walks().contains_key(&flow.state(&self.key)) {
            return Err(Refused::Astray);
        }
        let _place = self.talks.try_acquire().map_err(|_| Refused::Busy)?;
        let known = self.known(clock).await?;
        // Not before there is a place: who is told to come again may.
        self.walk(&flow, now)?;
        let with = (self.wire.as_ref(), known.as_ref());
        let subject =
            provider::subject(&self.settings, with, (&flow, &self.key), code, clock).await?;
        Ok((subject, flow))
    }

    /// What the identity provider published a moment ago. One that was asked in vain a moment ago is
    /// not asked again.
    fn published(&self, now: Millis) -> Option<Result<Arc<Published>, Refused>> {
        let recent = |at: Millis| now.since(at).max(at.since(now)) < KNOWN_FOR;
        let before = self.known.lock().unwrap_or_else(PoisonError::into_inner).clone()?;
        match before {
            Ok(known) => recent(known.at).then_some(Ok(known)),
            Err(at) => recent(at).then(|| {
                let text = "it was asked in vain a moment ago".to_owned();
                Err(Refused::Gone(Box::new(Unreachable(text))))
            }),
        }
    }

    /// The same, or what it publishes now. One asks, and the others wait for a while for what it
    /// hears: who waits for one that hangs would hold a place each. What is heard counts from when
    /// it was heard.
    async fn known(&self, clock: Clock<'_>) -> Result<Arc<Published>, Refused> {
        let asking = timeout(self.waits_within, self.asking.lock()).await;
        let _asking = asking.map_err(|_| Refused::Busy)?;
        if let Some(known) = self.published(clock()) {
            return known;
        }
        let found = provider::discovered(&self.settings, self.wire.as_ref()).await;
        let at = clock();
        let found = found.map(|metadata| Arc::new(Published { at, metadata }));
        let kept = found.as_ref().map(Arc::clone).map_err(|_| at);
        *self.known.lock().unwrap_or_else(PoisonError::into_inner) = Some(kept);
        found
    }

    fn walks(&self) -> MutexGuard<'_, BTreeMap<String, Millis>> {
        self.walked.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes that a way is walked; once.
    fn walk(&self, flow: &Flow, now: Millis) -> Result<(), Refused> {
        let mut walked = self.walks();
        walked.retain(|_, ends| now < *ends);
        if walked.len() >= WALKED_MAX {
            // Whoever fills it keeps nobody out: an identity provider's code counts once there,
            // too.
            let first =
                walked.iter().min_by_key(|(_, ends)| **ends).map(|(state, _)| state.clone());
            first.and_then(|state| walked.remove(&state));
        }
        match walked.insert(flow.state(&self.key), flow.ends()) {
            None => Ok(()),
            Some(_) => Err(Refused::Astray),
        }
    }
}

/// The host as browsers write it, and the way back, of `https://HOST[:PORT]`.
fn own_address(server: &str) -> Option<(String, Url)> {
    let url: Url = server.parse().ok()?;
    let bare = url.path() == "/" && url.query().is_none() && url.fragment().is_none();
    let safe = url.scheme() == "https" || is_on_loopback(&url);
    if !bare || !safe || !is_anonymous(&url) {
        return None;
    }
    let host = url.host_str()?;
    let host = url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
    Some((host, url.join(WAY_BACK).ok()?))
}

/// Whether an address may be asked or opened: over TLS, or on this machine where the issuer is too.
fn is_safe(url: &Url, issuer: &Url) -> bool {
    let here = is_on_loopback(issuer) && is_on_loopback(url);
    is_anonymous(url) && (url.scheme() == "https" || here)
}

fn is_anonymous(url: &Url) -> bool {
    url.username().is_empty() && url.password().is_none()
}

/// By its address, not by a name that somebody could give to another.
fn is_on_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => url.scheme() == "http" && address.is_loopback(),
        Some(Host::Ipv6(address)) => url.scheme() == "http" && address.is_loopback(),
        Some(Host::Domain(_)) | None => false,
    }
}

#[cfg(test)]
mod tests;
