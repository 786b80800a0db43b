//! Reading secrets from their references, and the net: exact values of secrets are taken out of
//! every text and output that goes back, in each form in which a service may echo them.

use std::collections::BTreeSet;
use std::fmt::{self, Write as _};
use std::path::PathBuf;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
use beistand_connector_api::{CallError, Secret, SecretError, SecretReference, Secrets, Value};

use super::excerpt;

/// Larger than any key file; a device that never ends must not fill the memory.
const SECRET_BYTES_MAX: u64 = 64 * 1024;
/// Shorter texts occur by chance: taking them out would make answers unreadable.
const SECRET_CHARS_MIN: usize = 6;
/// What stands where a secret was.
const MARK: &str = "•••";

/// Secrets of this machine: files, environment, and the service manager's credentials.
#[derive(Clone)]
pub struct SystemSecrets {
    environment: fn(&str) -> Option<String>,
    credentials: Option<PathBuf>,
}

impl fmt::Debug for SystemSecrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SystemSecrets")
    }
}

impl SystemSecrets {
    /// `environment` looks up a variable; `credentials` is systemd's `$CREDENTIALS_DIRECTORY`.
    pub fn new(environment: fn(&str) -> Option<String>, credentials: Option<PathBuf>) -> Self {
        Self { environment, credentials }
    }

    fn text(&self, reference: &SecretReference) -> Result<String, String> {
        match reference {
            SecretReference::File(path) => read(path.as_ref()),
            SecretReference::Env(name) => {
                (self.environment)(name).ok_or_else(|| "it is not set".to_owned())
            }
            SecretReference::Credential(name) => {
                if name.contains(['/', '\\']) || name.starts_with('.') {
                    return Err("a credential is a plain name".to_owned());
                }
                let folder = self.credentials.as_ref().ok_or_else(|| {
                    "there is no $CREDENTIALS_DIRECTORY; start with systemd's LoadCredential="
                        .to_owned()
                })?;
                read(&folder.join(name))
            }
        }
    }
}

fn read(path: &std::path::Path) -> Result<String, String> {
    use std::io::Read as _;
    let mut text = String::new();
    std::fs::File::open(path)
        .and_then(|file| file.take(SECRET_BYTES_MAX + 1).read_to_string(&mut text))
        .map_err(|error| error.to_string())?;
    if text.len() as u64 > SECRET_BYTES_MAX {
        return Err(format!("it is larger than {} KiB", SECRET_BYTES_MAX / 1024));
    }
    Ok(text)
}

impl Secrets for SystemSecrets {
    fn read(&self, reference: &SecretReference) -> Result<Secret, SecretError> {
        let wrong = |reason: String| SecretError { reference: reference.clone(), reason };
        let text = self.text(reference).map_err(wrong)?;
        // An editor's last line break is not part of a password.
        let text = text.trim_end_matches(['\r', '\n']);
        if text.chars().count() < SECRET_CHARS_MIN {
            return Err(wrong(format!("it has fewer than {SECRET_CHARS_MIN} characters")));
        }
        Ok(Secret::new(text))
    }
}

/// The exact texts that must not come back, longest first.
#[derive(Default, Clone)]
pub struct Net {
    forms: BTreeSet<Form>,
}

#[derive(Clone, PartialEq, Eq)]
struct Form(String);

impl Ord for Form {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        other.0.len().cmp(&self.0.len()).then_with(|| self.0.cmp(&other.0))
    }
}

impl PartialOrd for Form {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Debug for Net {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Net({} forms)", self.forms.len())
    }
}

impl Net {
    /// Catches this secret from now on. Of a key of several lines each line counts.
    pub fn add(&mut self, secret: &str) {
        let lines = secret.lines().filter(|line| !line.starts_with("-----"));
        for part in std::iter::once(secret).chain(lines) {
            if part.chars().count() >= SECRET_CHARS_MIN {
                self.forms.extend(forms(part).into_iter().map(Form));
            }
        }
    }

    /// The text without secrets.
    pub fn clean(&self, text: &str) -> String {
        self.forms.iter().fold(text.to_owned(), |text, Form(form)| {
            if text.contains(form.as_str()) { text.replace(form.as_str(), MARK) } else { text }
        })
    }

    /// The beginning of what a service said, fit to be shown.
    ///
    /// Cleaned before it is cut: of a secret that the cut goes through, a beginning would be left
    /// that the net no longer knows.
    pub fn excerpt(&self, bytes: &[u8], chars_max: usize) -> String {
        excerpt(self.clean(&String::from_utf8_lossy(bytes)).as_bytes(), chars_max)
    }

    /// The value without secrets, in names too.
    pub fn clean_value(&self, value: Value) -> Value {
        match value {
            Value::String(text) => Value::String(self.clean(&text)),
            Value::Array(items) => {
                items.into_iter().map(|item| self.clean_value(item)).collect::<Vec<_>>().into()
            }
            Value::Object(fields) => fields
                .into_iter()
                .map(|(name, value)| (self.clean(&name), self.clean_value(value)))
                .collect::<serde_json::Map<_, _>>()
                .into(),
            other @ (Value::Null | Value::Bool(_) | Value::Number(_)) => other,
        }
    }

    /// The error without secrets.
    pub fn clean_error(&self, error: CallError) -> CallError {
        match error {
            CallError::Unavailable { message, retry_after } => {
                CallError::Unavailable { message: self.clean(&message), retry_after }
            }
            CallError::Refused { message } => CallError::refused(self.clean(&message)),
            CallError::Unknown { message } => CallError::unknown(self.clean(&message)),
            CallError::Invalid { message } => CallError::invalid(self.clean(&message)),
        }
    }
}

/// The forms in which a value travels: raw, in JSON, in base64, in URLs, in hexadecimal.
fn forms(text: &str) -> Vec<String> {
    let json = serde_json::to_string(text).unwrap_or_default();
    let percent = |keep: &str, upper: bool| {
        text.bytes().fold(String::new(), |mut out, byte| {
            if byte.is_ascii_alphanumeric() || keep.as_bytes().contains(&byte) {
                out.push(char::from(byte));
            } else {
                let code = format!("%{byte:02x}");
                out.push_str(&if upper { code.to_uppercase() } else { code });
            }
            out
        })
    };
    let hexadecimal = text.bytes().fold(String::new(), |mut out, byte| {
        // Writing to a String can not fail.
        if write!(out, "{byte:02x}").is_err() {
            out.clear();
        }
        out
    });
    vec![
        text.to_owned(),
        json.trim_matches('"').to_owned(),
        STANDARD.encode(text),
        STANDARD_NO_PAD.encode(text),
        URL_SAFE.encode(text),
        URL_SAFE_NO_PAD.encode(text),
        url::form_urlencoded::byte_serialize(text.as_bytes()).collect(),
        percent("-._~", true),
        percent("-._~", false),
        percent("", true),
        hexadecimal,
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_secret_is_caught_in_every_form_and_nothing_else_is_touched() {
        let secret = "gar/ten \"zwerg\"+7ü";
        let mut net = Net::default();
        net.add(secret);
        for form in forms(secret) {
            let shown = net.clean(&format!("before {form} after"));
            assert_eq!(shown, format!("before {MARK} after"));
        }
        let value = json!({ "a": [format!("x{secret}")], secret: 1, "free": "garten" });
        assert_eq!(net.clean_value(value), json!({ "a": ["x•••"], "•••": 1, "free": "garten" }));
    }

    #[test]
    fn a_secret_that_a_cut_goes_through_leaves_no_beginning() {
        let mut net = Net::default();
        net.add("gartenzwerg");
        for chars in 0..20 {
            let shown = net.excerpt(b"token gartenzwerg is wrong", chars);
            assert!(!shown.contains("ga"), "{shown}");
        }
    }

    #[test]
    fn a_secret_that_is_missing_or_too_short_is_named_by_its_reference() {
        let secrets = SystemSecrets::new(|name| (name == "SHORT").then(|| "ab\n".to_owned()), None);
        let read = |reference| secrets.read(&reference).unwrap_err().to_string();
        assert!(read(SecretReference::Env("SHORT".into())).contains("variable SHORT"));
        assert!(read(SecretReference::Env("NONE".into())).contains("not set"));
        assert!(read(SecretReference::File("/nowhere".into())).contains("file /nowhere"));
        assert!(read(SecretReference::Credential("../x".into())).contains("plain name"));
    }
}
