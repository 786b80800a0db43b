//! The section `serve`: where the server listens, what it shows, whom it believes.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use beistand_core::model::{Millis, chain};
use beistand_web::Proxies;
use beistand_web::certificate::Certificate;
use serde::Deserialize;

use crate::modes::Fault;

/// Where the server listens when nobody says otherwise: on this machine alone.
const LISTEN: &str = "127.0.0.1:8443";

/// `beistand serve`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Serve {
    /// Address and port.
    pub(crate) listen: String,
    /// A certificate of one's own; one is self-made without it.
    pub(crate) tls: Option<TlsFiles>,
    /// Names and addresses that the server is reached by: a self-made certificate is for them, beside
    /// this machine's own, and passkeys are for the first name.
    pub(crate) name: Vec<String>,
    /// Addresses and ranges of proxies that are believed about whom they ask for.
    pub(crate) trusted_proxies: Vec<String>,
}

/// A certificate and its key, in PEM.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TlsFiles {
    /// The server's own certificate first, then those that vouch for it.
    pub(crate) cert: PathBuf,
    /// Its key, which only its owner may read.
    pub(crate) key: PathBuf,
}

impl Default for Serve {
    fn default() -> Self {
        Self { listen: LISTEN.to_owned(), tls: None, name: Vec::new(), trusted_proxies: Vec::new() }
    }
}

impl Serve {
    /// Where to listen.
    pub(crate) fn address(&self) -> Result<SocketAddr, Fault> {
        self.listen.parse().map_err(|_| {
            let text = format!("`{}` is no address with a port", self.listen);
            Fault::new("serve.listen", text)
                .hint("for example 127.0.0.1:8443, or [::]:8443 for all")
        })
    }

    /// Whom to believe.
    pub(crate) fn proxies(&self) -> Result<Proxies, Fault> {
        Proxies::new(self.trusted_proxies.iter().map(String::as_str)).map_err(|text| {
            let number = self.trusted_proxies.iter().position(|one| *one == text).unwrap_or(0);
            let what = format!("`{text}` is neither an address nor a range");
            Fault::new(format!("serve.trusted_proxies[{number}]"), what)
                .hint("names are not looked up: write 192.0.2.10 or 10.0.0.0/24")
        })
    }

    /// Everything that is wrong with the section.
    pub(crate) fn faults(&self, now: Millis) -> Vec<Fault> {
        let certificate = match &self.tls {
            Some(files) => files.read(now).map(drop),
            None => Ok(()),
        };
        let parts = [self.address().map(drop), self.proxies().map(drop), certificate];
        parts.into_iter().filter_map(Result::err).collect()
    }

    /// Paths in the file are relative to it.
    pub(super) fn relative_to(&mut self, folder: &Path) {
        if let Some(files) = &mut self.tls {
            files.cert = folder.join(&files.cert);
            files.key = folder.join(&files.key);
        }
    }
}

impl TlsFiles {
    /// The certificate, if it can be shown now.
    pub(crate) fn read(&self, now: Millis) -> Result<Certificate, Fault> {
        Certificate::given(&self.cert, &self.key, now).map_err(|error| {
            let fault = Fault::new("serve.tls", chain(&error));
            match error.hint() {
                Some(hint) => fault.hint(hint),
                None => fault,
            }
        })
    }
}
