//! TLS: rustls with ring, and certificate authorities of one's own.

use std::path::Path;

/// No bundle of authorities is larger.
const BUNDLE_BYTES_MAX: u64 = 4 * 1024 * 1024;

/// Chooses ring for this process, once; whoever chose before keeps the choice.
pub(super) fn choose_ring() {
    if rustls::crypto::CryptoProvider::get_default().is_none() {
        // Losing a race against another thread means that a backend is there: all is well.
        drop(rustls::crypto::ring::default_provider().install_default());
    }
}

/// Reads the PEM file of a private authority.
///
/// # Errors
/// A sentence with the file's name.
pub fn private_authority(path: &Path) -> Result<Vec<u8>, String> {
    let wrong = |reason: String| format!("could not read {}: {reason}", path.display());
    let size = std::fs::metadata(path).map_err(|error| wrong(error.to_string()))?.len();
    if size > BUNDLE_BYTES_MAX {
        return Err(wrong("it is too large for a list of certificates".to_owned()));
    }
    let pem = std::fs::read(path).map_err(|error| wrong(error.to_string()))?;
    if pem.windows(27).any(|window| window == b"-----BEGIN CERTIFICATE-----") {
        Ok(pem)
    } else {
        Err(wrong("there is no PEM certificate in it".to_owned()))
    }
}
