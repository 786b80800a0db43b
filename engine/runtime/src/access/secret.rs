//! Secrets: made here, kept nowhere, checked against what only they can make again.
//!
//! A passphrase and a code are kept as Argon2id (RFC 9106) with the parameters OWASP's password
//! storage cheat sheet names first; a token is 256 random bits, for which a plain digest is enough.

use std::fmt::Write as _;

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
use beistand_connector_api::Secret;
use beistand_core::access::AccountKind;
use beistand_core::model::digest_of;
use beistand_journal::Random;
use serde_json::json;
use thiserror::Error;

use crate::error::EngineError;

/// Shortest passphrase of a person (NIST SP 800-63B-4, 3.1.1.2 wants 15 where it is the only factor).
const PASSPHRASE_CHARS_MIN: usize = 15;

/// Shortest passphrase of a sealed account: it is printed and never typed from memory.
const SEALED_CHARS_MIN: usize = 20;

/// Longest: what hashing takes of a stranger is bounded.
const PASSPHRASE_CHARS_MAX: usize = 256;

/// What a token begins with, so that one that leaked is found by who looks for it.
const TOKEN_MARK: &str = "bst_";

/// Letters and digits of a printed code: none that is taken for another on paper or on the telephone.
const CODE_ALPHABET: &[u8; 24] = b"ACDEFGHJKMNPQRTVWXYZ3479";

/// How many of them: 45 bits, behind a limit on guesses.
const CODE_CHARS: usize = 10;

/// Why a passphrase is none.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Weak {
    /// Too short or too long.
    #[error(
        "a passphrase has {least} to {PASSPHRASE_CHARS_MAX} characters; take four or more words"
    )]
    Length {
        /// The least for this kind of account.
        least: usize,
    },
    /// It names the account.
    #[error("a passphrase does not hold the name of its account")]
    Name,
    /// One character again and again.
    #[error("a passphrase has more than a few different characters")]
    Uniform,
}

/// Whether words may be the passphrase of an account.
pub fn strong(words: &Secret, kind: AccountKind, account: &str) -> Result<(), Weak> {
    let least = match kind {
        AccountKind::Person | AccountKind::Service => PASSPHRASE_CHARS_MIN,
        AccountKind::BreakGlass => SEALED_CHARS_MIN,
    };
    let count = words.expose().chars().count();
    if count < least || count > PASSPHRASE_CHARS_MAX {
        return Err(Weak::Length { least });
    }
    if words.expose().to_lowercase().contains(&account.to_lowercase()) {
        return Err(Weak::Name);
    }
    let different: std::collections::BTreeSet<char> = words.expose().chars().collect();
    if different.len() < 5 { Err(Weak::Uniform) } else { Ok(()) }
}

/// What is kept of a passphrase or a code, a PHC string. Takes tens of milliseconds and 19 MiB.
///
/// # Errors
/// [`EngineError::Internal`] without randomness.
pub fn digested(secret: &Secret, random: Random) -> Result<String, EngineError> {
    let mut salt = [0; 16];
    random(&mut salt).map_err(no_randomness)?;
    let hash = Argon2::default().hash_password_with_salt(secret.expose().as_bytes(), &salt);
    hash.map(|hash| hash.to_string()).map_err(|error| EngineError::Internal(error.to_string()))
}

/// Whether this is the secret that was digested. Takes as long, right or wrong.
pub(crate) fn opens(secret: &Secret, kept: &str) -> bool {
    PasswordHash::new(kept).is_ok_and(|kept| {
        Argon2::default().verify_password(secret.expose().as_bytes(), &kept).is_ok()
    })
}

/// A new token.
///
/// # Errors
/// [`EngineError::Internal`] without randomness.
pub fn new_token(random: Random) -> Result<Secret, EngineError> {
    use base64::Engine as _;
    let mut bytes = [0; 32];
    random(&mut bytes).map_err(no_randomness)?;
    let text = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(bytes);
    Ok(Secret::new(format!("{TOKEN_MARK}{text}")))
}

/// What a token is found by, 64 hex digits.
pub fn token_lookup(token: &Secret) -> String {
    digest_of("token", &json!(token.expose())).map_or_else(|_| String::new(), |digest| digest.hex())
}

/// A new printed code, in groups as people read them: `K3FQ9-ZTMAX`.
///
/// # Errors
/// [`EngineError::Internal`] without randomness.
pub fn new_code(random: Random) -> Result<Secret, EngineError> {
    let mut text = String::new();
    while text.chars().filter(char::is_ascii_alphanumeric).count() < CODE_CHARS {
        let mut byte = [0; 1];
        random(&mut byte).map_err(no_randomness)?;
        // Bytes beyond the last whole multiple would make some letters more frequent.
        let letter = CODE_ALPHABET.get(usize::from(byte[0] & 31));
        if let Some(letter) = letter {
            if text.len() == CODE_CHARS / 2 {
                text.push('-');
            }
            text.push(char::from(*letter));
        }
    }
    Ok(Secret::new(text))
}

/// A code as it was heard or typed is the code that was printed: small letters, blanks and dashes do
/// not matter. A passphrase is taken as it is.
pub fn code_as_heard(text: &str) -> Secret {
    let mut heard = String::new();
    for letter in text.chars().filter(char::is_ascii_alphanumeric) {
        if heard.len() == CODE_CHARS / 2 {
            heard.push('-');
        }
        heard.push(letter.to_ascii_uppercase());
    }
    Secret::new(heard)
}

/// A random name for something in the store.
pub(crate) fn new_name(mark: &str, random: Random) -> Result<String, EngineError> {
    let mut bytes = [0; 8];
    random(&mut bytes).map_err(no_randomness)?;
    let mut name = format!("{mark}-");
    for byte in bytes {
        // Writing to a text does not fail.
        write!(name, "{byte:02x}").map_err(|error| EngineError::Internal(error.to_string()))?;
    }
    Ok(name)
}

fn no_randomness(error: getrandom::Error) -> EngineError {
    EngineError::Internal(format!("no randomness: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(text: &str) -> Secret {
        Secret::new(text)
    }

    #[test]
    fn only_the_same_words_open() {
        let kept = digested(&secret("vier Wörter im Flur"), getrandom::fill).unwrap();
        assert!(kept.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{kept}");
        assert!(opens(&secret("vier Wörter im Flur"), &kept));
        for other in ["vier wörter im Flur", "", "vier Wörter im Flur "] {
            assert!(!opens(&secret(other), &kept), "{other}");
        }
        assert!(!opens(&secret(""), "no such string"));
        let again = digested(&secret("vier Wörter im Flur"), getrandom::fill).unwrap();
        assert_ne!(kept, again, "each has a salt of its own");
    }

    #[test]
    fn a_weak_passphrase_is_refused_with_the_way_out() {
        let strong = |words: &str, kind| strong(&secret(words), kind, "anna");
        assert_eq!(strong("grüner Zaun am Fluss", AccountKind::Person), Ok(()));
        assert!(strong("kurz", AccountKind::Person).is_err());
        assert!(strong("sechzehn Zeichen", AccountKind::Person).is_ok());
        assert!(strong("sechzehn Zeichen", AccountKind::BreakGlass).is_err());
        assert_eq!(strong("Anna und ihr Passwort", AccountKind::Person), Err(Weak::Name));
        assert_eq!(strong("aaaaaaaaaaaaaaaaaaaa", AccountKind::Person), Err(Weak::Uniform));
        assert!(strong(&"x1y2z ".repeat(60), AccountKind::Person).is_err());
    }

    #[test]
    fn a_code_is_the_same_however_it_was_heard() {
        let code = new_code(getrandom::fill).unwrap();
        let text = code.expose();
        assert_eq!(text.len(), CODE_CHARS + 1, "{text}");
        let heard = text.to_lowercase().replace('-', " ");
        assert_eq!(code_as_heard(&heard).expose(), text);
        let kept = digested(&code, getrandom::fill).unwrap();
        assert!(opens(&code_as_heard(&heard), &kept));
    }

    #[test]
    fn a_token_is_found_by_its_digest_and_never_shown() {
        let token = new_token(getrandom::fill).unwrap();
        assert!(token.expose().starts_with("bst_") && token.expose().len() > 40);
        assert_eq!(token_lookup(&token).len(), 64);
        assert_ne!(token_lookup(&token), token_lookup(&new_token(getrandom::fill).unwrap()));
        assert!(!format!("{token:?}").contains(token.expose()));
    }
}
