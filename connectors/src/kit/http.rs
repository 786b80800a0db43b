//! The one HTTP client of the program.
//!
//! No redirects, no proxy from the environment, no cookies, no decompression (so no bombs), no
//! kept connections: a request that finds its connection closed would have an unknown outcome for
//! nothing. Answers are bounded in size, headers and time. Names are looked up here, checked, and
//! connected to in one go, so that a name can not change its mind in between.

use std::collections::BTreeMap;
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use beistand_connector_api::{CallError, Span, causes};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::header::HeaderMap;
use reqwest::{Method, redirect, retry};
use url::Url;

use super::{allow, text::excerpt, tls};

/// As large as the output of a step may be.
const BODY_BYTES_MAX: usize = 1024 * 1024;
/// Real services send about twenty.
const HEADERS_MAX: usize = 100;
/// A host that does not take a connection in this time is not there.
const CONNECT_MAX: Duration = Duration::from_secs(10);

/// What distinguishes the client of one connector from another's.
#[derive(Debug, Default)]
pub struct ClientSettings {
    /// PEM certificates of the only authorities to trust; `None` for those of the system.
    pub authority: Option<Vec<u8>>,
    /// Addresses of names that are never given to DNS.
    pub addresses: BTreeMap<String, Vec<IpAddr>>,
}

/// One request, ready for the wire.
pub struct Request {
    /// The method.
    pub method: Method,
    /// Where to; on the allow list.
    pub url: Url,
    /// All headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Option<Vec<u8>>,
    /// For all of it, to the last byte of the answer.
    pub timeout: Span,
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method, allow::shown(&self.url))
    }
}

/// An answer.
#[derive(Debug)]
pub struct Response {
    /// The status code.
    pub status: u16,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body, or why it could not be read to the end.
    pub body: Result<Vec<u8>, String>,
}

/// The client. Cheap to share.
#[derive(Debug, Clone)]
pub struct Client(reqwest::Client);

impl Client {
    /// Builds it.
    ///
    /// # Errors
    /// A sentence, where the certificates can not be used.
    pub fn new(settings: ClientSettings) -> Result<Self, String> {
        tls::choose_ring();
        let mut builder = reqwest::Client::builder()
            .redirect(redirect::Policy::none())
            .retry(retry::never())
            .no_proxy()
            .referer(false)
            .http1_only()
            .http1_max_headers(HEADERS_MAX)
            .pool_max_idle_per_host(0)
            .connect_timeout(CONNECT_MAX)
            .user_agent(concat!("beistand/", env!("CARGO_PKG_VERSION")))
            .dns_resolver(GuardedResolver { addresses: settings.addresses });
        if let Some(pem) = settings.authority {
            let bundle = reqwest::Certificate::from_pem_bundle(&pem)
                .map_err(|error| format!("the certificate can not be used: {error}"))?;
            builder = builder.tls_certs_only(bundle);
        }
        builder.build().map(Self).map_err(|error| {
            format!(
                "no HTTP client could be made: {}; is `ca-certificates` installed?",
                told(error)
            )
        })
    }

    /// Sends a request and reads the answer.
    ///
    /// # Errors
    /// `Unavailable` where no connection came about; `Refused` where a name leads to a forbidden
    /// address; `Unknown` for everything after that; `Invalid` where no request could be built.
    pub async fn send(&self, request: Request) -> Result<Response, CallError> {
        let shown = format!("{request:?}");
        let timeout = request.timeout;
        let mut builder = self
            .0
            .request(request.method, request.url)
            .headers(request.headers)
            .timeout(Duration::from_millis(timeout.millis()));
        if let Some(body) = request.body {
            builder = builder.body(body);
        }
        let mut response = builder.send().await.map_err(|error| failure(&shown, timeout, error))?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let mut body = Vec::new();
        let body = loop {
            match response.chunk().await {
                Ok(None) => break Ok(body),
                Ok(Some(chunk)) if body.len() + chunk.len() <= BODY_BYTES_MAX => {
                    body.extend_from_slice(&chunk);
                }
                Ok(Some(_)) => {
                    break Err(format!("its body is larger than {} KiB", BODY_BYTES_MAX / 1024));
                }
                Err(error) if error.is_timeout() => {
                    break Err(format!("its body did not end within {timeout}"));
                }
                Err(error) => break Err(format!("its body broke off: {}", told(error))),
            }
        };
        Ok(Response { status, headers, body })
    }
}

fn failure(shown: &str, timeout: Span, error: reqwest::Error) -> CallError {
    if let Some(forbidden) = find::<Forbidden>(&error) {
        return CallError::refused(format!("{shown}: {}", forbidden.0));
    }
    if error.is_builder() {
        CallError::invalid(format!("{shown} is no request: {}", told(error)))
    } else if error.is_connect() {
        CallError::unavailable(format!("{shown}: no connection: {}", told(error)))
    } else if error.is_timeout() {
        CallError::unknown(format!("{shown}: no answer within {timeout}; it may have been done"))
    } else {
        let told = told(error);
        CallError::unknown(format!("{shown}: the connection broke; it may have been done: {told}"))
    }
}

/// The whole chain of an error in one line, without the URL, whose query may be personal.
fn told(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut text = error.to_string();
    for cause in causes(&error).skip(1).map(ToString::to_string) {
        if !text.contains(&cause) {
            text = format!("{text}: {cause}");
        }
    }
    excerpt(text.as_bytes(), 300)
}

fn find<E: std::error::Error + 'static>(error: &reqwest::Error) -> Option<&E> {
    causes(error).find_map(|cause| cause.downcast_ref::<E>())
}

/// A name that leads where no request may go.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Forbidden(String);

/// Looks names up and lets only harmless addresses through. One bad address among several is a
/// sign of an attack, so all are refused.
struct GuardedResolver {
    addresses: BTreeMap<String, Vec<IpAddr>>,
}

impl Resolve for GuardedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let host = name.as_str().to_owned();
        let pinned = self.addresses.get(host.trim_end_matches('.')).cloned();
        Box::pin(async move {
            let found: Vec<SocketAddr> = match pinned {
                // The configuration names these addresses itself.
                Some(addresses) => {
                    let found = addresses.into_iter().map(|address| SocketAddr::new(address, 0));
                    return Ok(Box::new(found.collect::<Vec<_>>().into_iter()) as Addrs);
                }
                None => tokio::net::lookup_host((host.as_str(), 0)).await?.collect(),
            };
            for address in &found {
                if let Some(why) = allow::refuse_address(address.ip()) {
                    return Err(Forbidden(format!("`{host}` leads to {why}")).into());
                }
            }
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_name_that_leads_to_this_machine_is_refused_where_it_is_looked_up() {
        let resolver = |addresses| GuardedResolver { addresses };
        let looked_up = resolver(BTreeMap::new()).resolve("localhost".parse().unwrap()).await;
        let error = looked_up.err().unwrap().to_string();
        assert!(error.contains("`localhost` leads to"), "{error}");
        // What the configuration pins it has named itself.
        let pinned = BTreeMap::from([("x.example".to_owned(), vec!["127.0.0.1".parse().unwrap()])]);
        let found = resolver(pinned).resolve("x.example".parse().unwrap()).await.unwrap();
        assert_eq!(found.count(), 1);
    }
}
