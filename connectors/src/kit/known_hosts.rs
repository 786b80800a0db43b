//! Pinned host keys. What is not in the file is not trusted, and nothing is ever learned.

use std::path::Path;

use russh::keys::PublicKey;
use russh::keys::known_hosts::known_host_keys_path;

/// A list of all of a provider's devices is far smaller.
const FILE_BYTES_MAX: u64 = 1024 * 1024;

/// The keys pinned for a host, in OpenSSH's `known_hosts` form (hashed names too).
///
/// # Errors
/// A sentence with the way out: no file, no line for this host, or lines this program can not
/// honour (`@cert-authority`, `@revoked`).
pub(super) fn pinned(path: &Path, host: &str, port: u16) -> Result<Vec<PublicKey>, String> {
    let shown = path.display();
    let size = std::fs::metadata(path)
        .map_err(|error| format!("could not read the host keys in {shown}: {error}"))?
        .len();
    if size > FILE_BYTES_MAX {
        return Err(format!("{shown} is too large for a list of host keys"));
    }
    let text = std::fs::read_to_string(path)
        .map_err(|error| format!("could not read the host keys in {shown}: {error}"))?;
    if text.lines().any(|line| line.trim_start().starts_with('@')) {
        return Err(format!(
            "{shown} holds lines with @cert-authority or @revoked, which are not supported; pin \
             the keys themselves in a file of their own"
        ));
    }
    let keys = known_host_keys_path(host, port, path)
        .map_err(|error| format!("could not read a host key in {shown}: {error}"))?;
    if keys.is_empty() {
        return Err(format!(
            "no key of {host} port {port} is pinned in {shown}; get it with `ssh-keyscan -p {port} \
             {host}`, compare its fingerprint with the device's own, and add it"
        ));
    }
    Ok(keys.into_iter().map(|(_, key)| key).collect())
}
