//! The certificate that the server shows: a given one, or one that it makes for itself once.
//!
//! A self-made one proves nothing by itself. Its fingerprint does, once two people have compared it;
//! so it stays the same from one start to the next.

use std::fmt;
use std::fs::{self, File};
use std::io::Write as _;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use beistand_core::model::{Digest, Millis, digest_of_bytes};
use rcgen::{CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::sign::CertifiedKey;
use rustls::{ServerConfig, SupportedProtocolVersion};
use thiserror::Error;
use webpki::{EndEntityCert, KeyUsage};

/// Years that a self-made certificate is valid. Nobody renews one in the middle of an incident.
const OWN_YEARS: i16 = 10;

/// Names that a self-made certificate is for, whatever else it is for.
const OWN_NAMES: [&str; 3] = ["localhost", "127.0.0.1", "::1"];

/// What others may not do with a key that they did not make: read or write it (chmod(2)).
const OTHERS: u32 = 0o006;

/// Hex digits of a fingerprint that are read aloud in one breath.
const GROUP: usize = 4;

const VERSIONS: &[&SupportedProtocolVersion] = &[&rustls::version::TLS13, &rustls::version::TLS12];

/// Why a certificate can not be shown.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum CertificateError {
    /// A file can not be read or written.
    #[error("could not {what} `{}`", path.display())]
    File {
        /// What was tried.
        what: &'static str,
        /// With which file.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// A file holds none.
    #[error("`{}` holds no {what} in PEM", path.display())]
    Empty {
        /// What was looked for.
        what: &'static str,
        /// Where.
        path: PathBuf,
    },
    /// Everybody on the machine may read the key.
    #[error("everybody on this machine may read or change the key `{}`", .0.display())]
    Open(PathBuf),
    /// The certificate is another key's.
    #[error("the certificate `{}` does not belong to the key `{}`", certificate.display(), key.display())]
    NoPair {
        /// The certificate.
        certificate: PathBuf,
        /// The key.
        key: PathBuf,
    },
    /// It was valid once.
    #[error("the certificate `{}` has expired", .0.display())]
    Expired(PathBuf),
    /// It will be valid; or the machine's clock is wrong.
    #[error("the certificate `{}` is not valid yet, by this machine's clock", .0.display())]
    Early(PathBuf),
    /// It can not be used.
    #[error("the certificate or the key in `{}` can not be used", path.display())]
    Unusable {
        /// Which file.
        path: PathBuf,
        /// Why not.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl CertificateError {
    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Open(path) => Some(format!("chmod 600 {}", path.display())),
            Self::Expired(_) => Some(
                "put a new one in its place; a self-made one is made anew once it is gone"
                    .to_owned(),
            ),
            Self::NoPair { .. } => {
                Some("the file of the certificate begins with the server's own".to_owned())
            }
            Self::File { .. } | Self::Empty { .. } | Self::Early(_) | Self::Unusable { .. } => None,
        }
    }
}

/// A certificate with its key, ready to be shown.
#[derive(Clone)]
pub struct Certificate {
    config: Arc<ServerConfig>,
    fingerprint: Digest,
    unnamed: Vec<String>,
}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Certificate")
            .field("fingerprint", &self.fingerprint)
            .finish_non_exhaustive()
    }
}

impl Certificate {
    /// One that was given, with its chain, the server's own first.
    ///
    /// # Errors
    /// When it can not be read, has expired, or is another key's.
    pub fn given(certificate: &Path, key: &Path, now: Millis) -> Result<Self, CertificateError> {
        let mode = fs::metadata(key).map_err(failed("read", key))?.mode();
        if mode & OTHERS != 0 {
            return Err(CertificateError::Open(key.to_owned()));
        }
        Self::read(certificate, key, &[], now)
    }

    /// The self-made one in this file, which is made if it is not there yet.
    ///
    /// # Errors
    /// When it can not be made or read, or has expired.
    pub fn own(file: &Path, names: &[String], now: Millis) -> Result<Self, CertificateError> {
        let exists = file.try_exists().map_err(failed("look for", file))?;
        if !exists {
            make(file, names, now)?;
        }
        let mode = fs::metadata(file).map_err(failed("read", file))?.mode();
        if mode & OTHERS != 0 {
            return Err(CertificateError::Open(file.to_owned()));
        }
        Self::read(file, file, names, now)
    }

    fn read(
        certificate: &Path,
        key: &Path,
        names: &[String],
        now: Millis,
    ) -> Result<Self, CertificateError> {
        let chain = chain(certificate)?;
        let Some(first) = chain.first() else {
            let path = certificate.to_owned();
            return Err(CertificateError::Empty { what: "certificate", path });
        };
        let fingerprint = digest_of_bytes(first);
        let unnamed = valid(first, certificate, names, now)?;
        let secret = secret(key)?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let pair = CertifiedKey::from_der(chain.clone(), secret.clone_key(), &provider);
        pair.map_err(|error| {
            if matches!(error, rustls::Error::InconsistentKeys(_)) {
                let (certificate, key) = (certificate.to_owned(), key.to_owned());
                CertificateError::NoPair { certificate, key }
            } else {
                unusable(key, error)
            }
        })?;
        let config = ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(VERSIONS)
            .and_then(|config| config.with_no_client_auth().with_single_cert(chain, secret));
        let mut config = config.map_err(|error| unusable(certificate, error))?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self { config: Arc::new(config), fingerprint, unnamed })
    }

    /// SHA-256 over its DER form, 64 hex digits: what a client pins.
    pub fn fingerprint(&self) -> String {
        self.fingerprint.hex()
    }

    /// The same in groups of four, to be compared by telephone with what a browser shows.
    pub fn spoken(&self) -> String {
        let digits: Vec<char> = self.fingerprint.hex().to_uppercase().chars().collect();
        let groups: Vec<String> =
            digits.chunks(GROUP).map(|group| group.iter().collect()).collect();
        groups.join(" ")
    }

    /// Wanted names that it is not for: it was made before they were wanted.
    pub fn unnamed(&self) -> &[String] {
        &self.unnamed
    }

    pub(crate) fn config(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.config)
    }
}

fn chain(path: &Path) -> Result<Vec<CertificateDer<'static>>, CertificateError> {
    let text = fs::read(path).map_err(failed("read", path))?;
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&text).collect();
    chain.map_err(|error| unusable(path, error))
}

fn secret(path: &Path) -> Result<PrivateKeyDer<'static>, CertificateError> {
    let text = fs::read(path).map_err(failed("read", path))?;
    PrivateKeyDer::from_pem_slice(&text)
        .map_err(|_| CertificateError::Empty { what: "private key", path: path.to_owned() })
}

/// Whether a certificate is valid now; answers the wanted names that it is not for.
fn valid(
    certificate: &CertificateDer<'_>,
    path: &Path,
    names: &[String],
    now: Millis,
) -> Result<Vec<String>, CertificateError> {
    let parsed = EndEntityCert::try_from(certificate).map_err(|error| unusable(path, error))?;
    let since = Duration::from_millis(u64::try_from(now.get()).unwrap_or_default());
    let (time, usage) = (UnixTime::since_unix_epoch(since), KeyUsage::server_auth());
    let algorithms = webpki::ALL_VERIFICATION_ALGS;
    // Whom it is signed by is the client's affair; without anybody to trust, the time comes first.
    match parsed.verify_for_usage(algorithms, &[], &[], time, usage, None, None) {
        Err(webpki::Error::CertExpired { .. }) => Err(CertificateError::Expired(path.to_owned())),
        Err(webpki::Error::CertNotValidYet { .. }) => Err(CertificateError::Early(path.to_owned())),
        Ok(_) | Err(_) => Ok(names.iter().filter(|name| !is_for(&parsed, name)).cloned().collect()),
    }
}

fn is_for(certificate: &EndEntityCert<'_>, name: &str) -> bool {
    ServerName::try_from(name)
        .is_ok_and(|name| certificate.verify_is_valid_for_subject_name(&name).is_ok())
}

/// Makes a certificate with its key in one file, which is there as a whole or not at all.
fn make(file: &Path, names: &[String], now: Millis) -> Result<(), CertificateError> {
    let pem = signed(names, now).map_err(|error| unusable(file, error))?;
    let mut name = file.file_name().unwrap_or_default().to_owned();
    name.push(".new");
    let begun = file.with_file_name(name);
    match fs::remove_file(&begun) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            return Err(failed("replace", &begun)(error));
        }
        Ok(()) | Err(_) => {}
    }
    let written = File::options().write(true).create_new(true).mode(0o600).open(&begun);
    let written = written.and_then(|mut open| {
        open.write_all(pem.as_bytes())?;
        open.sync_all()
    });
    written.map_err(failed("write", &begun))?;
    fs::rename(&begun, file).map_err(failed("write", file))
}

fn signed(names: &[String], now: Millis) -> Result<String, rcgen::Error> {
    let own = OWN_NAMES.iter().map(|name| (*name).to_owned());
    let mut all: Vec<String> = own.chain(names.iter().cloned()).collect();
    all.sort();
    all.dedup();
    let mut params = CertificateParams::new(all)?;
    params.distinguished_name.push(DnType::CommonName, "Beistand");
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.is_ca = IsCa::ExplicitNoCa;
    let today = jiff::Timestamp::from_millisecond(now.get()).unwrap_or_default();
    let today = today.to_zoned(jiff::tz::TimeZone::UTC).date();
    // A day of grace for clients whose clock is behind.
    let first = today.yesterday().unwrap_or(today);
    let day = |date: jiff::civil::Date, years: i16| {
        let (month, day) = (date.month().unsigned_abs(), date.day().unsigned_abs());
        // A day that each month of each year has.
        rcgen::date_time_ymd(i32::from(date.year() + years), month, day.min(28))
    };
    params.not_before = day(first, 0);
    params.not_after = day(first, OWN_YEARS);
    let key = KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256)?;
    let certificate = params.self_signed(&key)?;
    Ok(format!("{}{}", certificate.pem(), key.serialize_pem()))
}

fn failed<'p>(
    what: &'static str,
    path: &'p Path,
) -> impl FnOnce(std::io::Error) -> CertificateError + 'p {
    move |source| CertificateError::File { what, path: path.to_owned(), source }
}

fn unusable(
    path: &Path,
    source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
) -> CertificateError {
    CertificateError::Unusable { path: path.to_owned(), source: source.into() }
}

#[cfg(test)]
mod tests;
