//! Texts that people and other systems write: how long they are, and what may stand in them.
//!
//! One rule a kind of text, for the command line and HTTP alike, which read each of them once, where
//! it comes in. How a text is shown, and what of it is hidden from whom, is not decided here.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Why a text is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum TextError {
    /// There is nothing in it.
    #[error("it is empty")]
    Empty,
    /// It has more characters than this.
    #[error("it has more than {0} characters")]
    Long(usize),
    /// It is not of one line.
    #[error("it is one line without control characters")]
    Lines,
    /// Characters that nobody sees.
    #[error("it has control characters other than line breaks and tabs")]
    Hidden,
    /// No database takes it.
    #[error("it has a NUL in it")]
    Nul,
    /// It is no key.
    #[error("it has printable ASCII alone, and no blanks")]
    Key,
}

/// A text of one line with something in it; the blanks around it are no part of it.
const LINE: &str = r"^[^\x00-\x1f\x7f-\x9f]*[^\x00-\x20\x7f-\xa0][^\x00-\x1f\x7f-\x9f]*$";

fn line(text: &str) -> Result<&str, TextError> {
    match text.trim() {
        "" => Err(TextError::Empty),
        _ if text.chars().any(char::is_control) => Err(TextError::Lines),
        trimmed => Ok(trimmed),
    }
}

/// Sentences, perhaps of several lines: what stands in a timeline for ever has no character that is
/// not seen.
const SENTENCES: &str = r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]*[^\x00-\x20\x7f-\xa0][^\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]*$";

fn sentences(text: &str) -> Result<&str, TextError> {
    let hidden = |c: char| c.is_control() && !matches!(c, '\n' | '\r' | '\t');
    match text {
        text if text.trim().is_empty() => Err(TextError::Empty),
        text if text.chars().any(hidden) => Err(TextError::Hidden),
        text => Ok(text),
    }
}

/// What may be copied from elsewhere, and stays as it was there: everything but NUL.
const COPIED: &str = r"^[^\x00]+$";

fn copied(text: &str) -> Result<&str, TextError> {
    match text {
        "" => Err(TextError::Empty),
        text if text.contains('\0') => Err(TextError::Nul),
        text => Ok(text),
    }
}

/// What programs say again letter by letter.
const KEY: &str = "^[!-~]+$";

fn key(text: &str) -> Result<&str, TextError> {
    match text {
        "" => Err(TextError::Empty),
        text if text.bytes().all(|byte| byte.is_ascii_graphic()) => Ok(text),
        _ => Err(TextError::Key),
    }
}

macro_rules! texts {
    ($($(#[$doc:meta])* $name:ident: $read:ident, $pattern:ident, $chars_max:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// The most characters; the fewest are one.
            pub const CHARS_MAX: usize = $chars_max;
            /// What may stand in it, as a regular expression of ECMA-262.
            pub const PATTERN: &'static str = $pattern;

            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }
        impl FromStr for $name {
            type Err = TextError;
            fn from_str(text: &str) -> Result<Self, TextError> {
                if text.chars().count() > $chars_max {
                    return Err(TextError::Long($chars_max));
                }
                $read(text).map(|read| Self(read.to_owned()))
            }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
        impl TryFrom<String> for $name {
            type Error = TextError;
            fn try_from(text: String) -> Result<Self, TextError> {
                text.parse()
            }
        }
        impl From<$name> for String {
            fn from(text: $name) -> Self {
                text.0
            }
        }
    )*};
}

texts! {
    /// What an incident is called.
    Title: line, LINE, 300;
    /// What a token or a passkey is called by whom it belongs to.
    Label: line, LINE, 100;
    /// Why. Where nothing need be said there is none, not an empty one.
    Reason: sentences, SENTENCES, 4_096;
    /// What somebody writes down.
    NoteText: copied, COPIED, 20_000;
    /// What a file is called, wherever it came from: it names nothing here.
    FileName: copied, COPIED, 1_000;
    /// The name or address of something that an incident is about: a distinguished name of a
    /// directory is long.
    AssetName: line, LINE, 300;
    /// What is looked for.
    Sought: copied, COPIED, 200;
    /// A key or a name that a caller chose: who says it again means the same.
    ChosenKey: key, KEY, 200;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_title_is_one_line_with_something_in_it() {
        assert_eq!(" Nacht ".parse::<Title>().unwrap().as_str(), "Nacht");
        for hostile in ["${7*7}", "{{7*7}}", "$(id)", "'; DROP TABLE run; --", "=1+1"] {
            assert_eq!(hostile.parse::<Title>().unwrap().as_str(), hostile);
        }
        for wrong in ["", "  ", "a\nb", "a\0b", "\u{85}", &"x".repeat(301)] {
            assert!(wrong.parse::<Title>().is_err(), "{wrong:?}");
        }
        assert!("ä".repeat(300).parse::<Title>().is_ok());
    }

    #[test]
    fn a_reason_says_something_and_hides_nothing() {
        assert_eq!("a\r\n\tb".parse::<Reason>().unwrap().as_str(), "a\r\n\tb");
        for (wrong, why) in [
            ("", TextError::Empty),
            (" \n", TextError::Empty),
            ("a\u{1b}[31m", TextError::Hidden),
            ("a\0", TextError::Hidden),
            (&"x".repeat(4_097), TextError::Long(4_096)),
        ] {
            assert_eq!(wrong.parse::<Reason>(), Err(why), "{wrong:?}");
        }
    }

    #[test]
    fn what_is_copied_stays_as_it_was() {
        let note = |text: &str| text.parse::<NoteText>();
        assert_eq!(note(" a\u{1b}[0m\n").unwrap().as_str(), " a\u{1b}[0m\n");
        assert_eq!(note("a\0b"), Err(TextError::Nul));
        assert_eq!(note(""), Err(TextError::Empty));
    }

    #[test]
    fn a_key_has_no_blanks() {
        assert!("alert-7".parse::<ChosenKey>().is_ok());
        for wrong in ["", "alert 7", "k\u{e4}", "a\n", &"x".repeat(201)] {
            assert!(wrong.parse::<ChosenKey>().is_err(), "{wrong:?}");
        }
    }
}
