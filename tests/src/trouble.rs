//! Why a rig could not be set up, told so that a person can put it right.
//!
//! A rig never steps aside: a server, a right or a program that is missing is an error, and the
//! test that needs it fails.

use std::fmt;
use std::io;

/// What every rig answers.
pub type Rig<T> = Result<T, Trouble>;

/// One sentence: what could not be done, on what, and the way out.
#[derive(Clone, PartialEq, Eq)]
pub struct Trouble(String);

impl Trouble {
    /// From a sentence.
    pub fn new(sentence: impl Into<String>) -> Self {
        Self(sentence.into())
    }
}

// `unwrap` in a test shows the Debug form: a person is to read the sentence there.
impl fmt::Debug for Trouble {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl std::error::Error for Trouble {}

/// Adds to an error what was being done.
pub trait While<T> {
    /// Says what could not be done.
    ///
    /// # Errors
    /// The error it was called on, as a sentence.
    fn or_trouble(self, what: &str) -> Rig<T>;
}

impl<T> While<T> for io::Result<T> {
    fn or_trouble(self, what: &str) -> Rig<T> {
        self.map_err(|error| Trouble(format!("{what}: {error}")))
    }
}

impl<T> While<T> for serde_json::Result<T> {
    fn or_trouble(self, what: &str) -> Rig<T> {
        self.map_err(|error| Trouble(format!("{what}: {error}")))
    }
}

impl<T> While<T> for rustix::io::Result<T> {
    fn or_trouble(self, what: &str) -> Rig<T> {
        self.map_err(|error| Trouble(format!("{what}: {error}")))
    }
}

impl<T> While<T> for Option<T> {
    fn or_trouble(self, what: &str) -> Rig<T> {
        self.ok_or_else(|| Trouble(what.to_owned()))
    }
}
