//! Codes on paper: how a printed need is found again by somebody who types it in.
//!
//! A code is made from what is asked, so a sheet that is out of date finds nothing. It proves nothing:
//! who answers with it is asked who they are as with the id.

use std::fmt;
use std::str::FromStr;

use serde_json::json;

use super::{Digest, IdError, NeedId, digest_of};

/// What a code is written in: 29 digits and letters, none of which is read as another one. Left out
/// are 0, O, 1, I, L, U and V.
const ALPHABET: &[u8; 29] = b"23456789ABCDEFGHJKMNPQRSTWXYZ";

/// Characters that say which need; 29^6 are 594 million.
const LENGTH: usize = 6;

/// Where a code is parted for the eye.
const GROUP: usize = 3;

/// A code like `K7M-4QX-P`: six characters, and one that finds a typing error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NeedCode([u8; LENGTH]);

/// Why a text is no code.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CodeError {
    /// It does not look like one.
    #[error(transparent)]
    Shape(#[from] IdError),
    /// It looks like one, and the last character does not fit the others.
    #[error("the code `{0}` is mistyped: its last character does not fit the others")]
    Mistyped(String),
}

impl NeedCode {
    /// The code of a need as it is asked: another digest is another code.
    pub fn of(need: NeedId, digest: Option<Digest>) -> Self {
        let parts = json!([need, digest.map(|digest| digest.hex())]);
        // An array of two texts has one canonical form.
        let hash = digest_of("need-code", &parts).unwrap_or(Digest::ZERO);
        let mut number = hash
            .as_bytes()
            .iter()
            .take(8)
            .fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
        let mut code = [0; LENGTH];
        for place in &mut code {
            let value = number % 29;
            number /= 29;
            *place = u8::try_from(value).unwrap_or(0);
        }
        Self(code)
    }

    /// The sum of places times values modulo 29, which is prime: one wrong character and any two
    /// that changed places give another one.
    fn check(self) -> u8 {
        let weighed = self.0.iter().zip(1_u32..).map(|(value, weight)| u32::from(*value) * weight);
        u8::try_from(weighed.sum::<u32>() % 29).unwrap_or(0)
    }
}

fn letter(value: u8) -> char {
    ALPHABET.get(usize::from(value)).map_or('?', |byte| char::from(*byte))
}

impl fmt::Display for NeedCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let checked = self.0.iter().copied().chain([self.check()]);
        for (at, value) in checked.enumerate() {
            if at > 0 && at % GROUP == 0 {
                f.write_str("-")?;
            }
            write!(f, "{}", letter(value))?;
        }
        Ok(())
    }
}

impl FromStr for NeedCode {
    type Err = CodeError;

    /// Reads a code however it is grouped, in small letters too.
    fn from_str(text: &str) -> Result<Self, CodeError> {
        let hint = "seven letters and digits like K7M-4QX-P, without 0, 1, I, L, O, U and V";
        let wrong = || IdError::new("code", text, hint);
        let value = |c: char| {
            let found =
                ALPHABET.iter().position(|byte| char::from(*byte) == c.to_ascii_uppercase());
            found.and_then(|at| u8::try_from(at).ok()).ok_or_else(wrong)
        };
        let characters = text.chars().filter(|c| !matches!(c, '-' | ' '));
        let values: Vec<u8> = characters.map(value).collect::<Result<_, _>>()?;
        let Some((check, code)) = values.split_last() else { return Err(wrong().into()) };
        let code = Self(code.try_into().map_err(|_| wrong())?);
        if code.check() == *check {
            Ok(code)
        } else {
            Err(CodeError::Mistyped(text.trim().to_uppercase()))
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn need() -> NeedId {
        NeedId::new(7, &[7; 10])
    }

    #[test]
    fn a_code_is_read_as_it_is_written_and_however_it_is_grouped() {
        let code = NeedCode::of(need(), Some(Digest::ZERO));
        assert_eq!(code.to_string(), "TJ5-K59-J");
        assert_eq!(code.to_string().parse(), Ok(code));
        assert_eq!(code.to_string().to_lowercase().replace('-', " ").parse(), Ok(code));
        assert_eq!(code.to_string().replace('-', "").parse(), Ok(code));
    }

    #[test]
    fn what_is_asked_anew_has_another_code() {
        let other = Digest::from_bytes([1; 32]);
        let codes =
            [None, Some(Digest::ZERO), Some(other)].map(|digest| NeedCode::of(need(), digest));
        assert!(codes[0] != codes[1] && codes[1] != codes[2] && codes[0] != codes[2]);
    }

    #[test]
    fn what_is_no_code_is_said_apart_from_what_is_mistyped() {
        for wrong in ["", "-", "K7M-4QX", "K7M-4QX-PP", "K0M-4QX-P", "ä", "0199a3f2"] {
            assert!(matches!(wrong.parse::<NeedCode>(), Err(CodeError::Shape(_))), "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn one_wrong_character_or_two_that_changed_places_are_found(
            number in any::<[u8; 10]>(), at in 0..7_usize, with in 0..7_usize, letter in 0..29_usize,
        ) {
            let code = NeedCode::of(NeedId::new(1, &number), None);
            let plain: Vec<u8> = code.to_string().bytes().filter(|byte| *byte != b'-').collect();
            let mut wrong = plain.clone();
            wrong[at] = ALPHABET[letter];
            let mut swapped = plain.clone();
            // The weight of the last place is that of none of the others.
            swapped.swap(at, with);
            for changed in [wrong, swapped] {
                let read = String::from_utf8(changed.clone()).unwrap().parse::<NeedCode>();
                prop_assert_eq!(read.is_ok(), changed == plain, "{:?}", changed);
            }
        }
    }
}
