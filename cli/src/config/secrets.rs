//! Secrets by reference: read just before they go on the wire, never kept in the configuration.

use std::path::Path;

use beistand_connector_api::{Secret, SecretError, SecretReference, Secrets};

/// Reads files, variables of the environment and credentials of the service manager.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Resolver;

/// A secret is a line, not a document.
pub(super) const SECRET_BYTES_MAX: u64 = 64 * 1024;

impl Secrets for Resolver {
    fn read(&self, reference: &SecretReference) -> Result<Secret, SecretError> {
        let failed = |reason: String| SecretError { reference: reference.clone(), reason };
        match reference {
            SecretReference::File(path) => file(Path::new(path)).map_err(failed),
            SecretReference::Env(name) => variable(name)
                .map(Secret::new)
                .ok_or_else(|| failed("the variable is not set".to_owned())),
            SecretReference::Credential(name) => {
                let folder = variable("CREDENTIALS_DIRECTORY").ok_or_else(|| {
                    failed(
                        "the service manager handed over no credentials (LoadCredential=)"
                            .to_owned(),
                    )
                })?;
                if name.contains(['/', '\\']) {
                    return Err(failed("a credential's name has no slashes".to_owned()));
                }
                file(&Path::new(&folder).join(name)).map_err(failed)
            }
        }
    }
}

fn file(path: &Path) -> Result<Secret, String> {
    let length = std::fs::metadata(path).map_err(|error| error.to_string())?.len();
    if length > SECRET_BYTES_MAX {
        return Err(format!("it has {length} bytes, at most {SECRET_BYTES_MAX} are a secret"));
    }
    let text = std::fs::read_to_string(path).map_err(|error| error.to_string())?;
    // Keys need their last line end; passwords have one by accident.
    let secret = if text.contains("PRIVATE KEY") {
        text.as_str()
    } else {
        text.trim_end_matches(['\n', '\r'])
    };
    if secret.is_empty() { Err("it is empty".to_owned()) } else { Ok(Secret::new(secret)) }
}

/// The one reader of the environment.
#[expect(
    clippy::disallowed_methods,
    reason = "the configuration reads the environment, nobody else"
)]
pub(crate) fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}
