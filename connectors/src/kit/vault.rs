//! The vault of one connector: it reads secrets at the time of the call and remembers which values
//! must not come back.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use beistand_connector_api::{CallError, Secret, SecretReference, Secrets};

use super::Net;

/// Reads secrets just before the wire; every value it hands out goes into its net.
pub struct Vault {
    secrets: Arc<dyn Secrets>,
    net: Mutex<Net>,
}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Vault")
    }
}

impl Vault {
    /// A vault over a reader of secrets.
    pub fn new(secrets: Arc<dyn Secrets>) -> Self {
        Self { secrets, net: Mutex::default() }
    }

    /// The value behind a reference.
    ///
    /// # Errors
    /// `Unavailable`, with the reference in the message: nothing was sent, and a file can be
    /// mended while a step waits.
    pub async fn open(&self, reference: &SecretReference) -> Result<Secret, CallError> {
        let (secrets, wanted) = (Arc::clone(&self.secrets), reference.clone());
        // A file on a dead network share must not hold up the other calls.
        let secret = tokio::task::spawn_blocking(move || secrets.read(&wanted))
            .await
            .map_err(|_| CallError::unavailable(format!("reading {reference} was broken off")))?
            .map_err(|error| CallError::unavailable(error.to_string()))?;
        self.also(secret.expose());
        Ok(secret)
    }

    /// Catches a text made from a secret, for example `user:password`.
    pub fn also(&self, text: &str) {
        self.lock().add(text);
    }

    /// The net as it is now.
    pub fn net(&self) -> Net {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, Net> {
        // A net that a panic left behind still holds every secret that was added.
        self.net.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
