//! The incident's number for people: `SIT-2026-0007`, in a drill `SIT-UEB-2026-0003`.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::model::{IdError, Mode};

/// What stands between short name and year in a drill (Übung).
const DRILL: &str = "UEB";

/// Longest short name: it stands in every subject line.
const SHORT_LENGTH_MAX: usize = 16;

/// The number of an incident, as people say it. Each mode of a year has its own counter.
///
/// Small letters become capitals and a counter is filled up to four digits, so that what was heard
/// on the telephone finds the incident: `sit-2026-7` is `SIT-2026-0007`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct IncidentNumber {
    short: String,
    year: u16,
    counter: u32,
    mode: Mode,
}

impl IncidentNumber {
    /// From the provider's short name, the year, the counter of that year and mode, and the mode.
    ///
    /// # Errors
    /// [`IdError`] unless the short name is 1 to 16 letters or digits other than `UEB`, the year
    /// has four digits and the counter begins at 1.
    pub fn new(short: &str, year: u16, counter: u32, mode: Mode) -> Result<Self, IdError> {
        let named = (1..=SHORT_LENGTH_MAX).contains(&short.len())
            && short.bytes().all(|b| b.is_ascii_alphanumeric())
            && !short.eq_ignore_ascii_case(DRILL);
        if named && (1000..=9999).contains(&year) && counter > 0 {
            Ok(Self { short: short.to_ascii_uppercase(), year, counter, mode })
        } else {
            Err(wrong(&format!("{short}-{year}-{counter}")))
        }
    }
    /// The provider's short name, in capitals.
    pub fn short(&self) -> &str {
        &self.short
    }
    /// The year it was opened in.
    pub const fn year(&self) -> u16 {
        self.year
    }
    /// From 1 in each year and mode.
    pub const fn counter(&self) -> u32 {
        self.counter
    }
    /// Live or drill.
    pub const fn mode(&self) -> Mode {
        self.mode
    }
}

fn wrong(text: &str) -> IdError {
    IdError {
        what: "incident number",
        text: text.chars().take(80).collect(),
        hint: "a short name of letters and digits, a year and a counter from 1, like \
               `SIT-2026-0007` or, in a drill, `SIT-UEB-2026-0003`",
    }
}

impl fmt::Display for IncidentNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.short)?;
        if self.mode == Mode::Drill {
            write!(f, "-{DRILL}")?;
        }
        write!(f, "-{}-{:04}", self.year, self.counter)
    }
}

impl FromStr for IncidentNumber {
    type Err = IdError;
    fn from_str(text: &str) -> Result<Self, IdError> {
        let number = |digits: &str| {
            let only_digits = digits.bytes().all(|b| b.is_ascii_digit());
            only_digits.then(|| digits.parse::<u32>().ok()).flatten()
        };
        let parts: Vec<&str> = text.trim().split('-').collect();
        let (short, mode, year, counter) = match *parts {
            [short, year, counter] => (short, Mode::Live, year, counter),
            [short, drill, year, counter] if drill.eq_ignore_ascii_case(DRILL) => {
                (short, Mode::Drill, year, counter)
            }
            _ => return Err(wrong(text)),
        };
        let year = number(year).and_then(|year| u16::try_from(year).ok());
        match (year, number(counter)) {
            (Some(year), Some(counter)) => {
                Self::new(short, year, counter, mode).map_err(|_| wrong(text))
            }
            _ => Err(wrong(text)),
        }
    }
}

impl TryFrom<String> for IncidentNumber {
    type Error = IdError;
    fn try_from(text: String) -> Result<Self, IdError> {
        text.parse()
    }
}

impl From<IncidentNumber> for String {
    fn from(number: IncidentNumber) -> String {
        number.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_read_as_it_is_written() {
        for (short, counter, mode, text) in [
            ("SIT", 7, Mode::Live, "SIT-2026-0007"),
            ("SIT", 3, Mode::Drill, "SIT-UEB-2026-0003"),
            ("ekom21", 12_345, Mode::Live, "EKOM21-2026-12345"),
        ] {
            let number = IncidentNumber::new(short, 2026, counter, mode).unwrap();
            assert_eq!(number.to_string(), text);
            assert_eq!(text.parse(), Ok(number.clone()));
            assert_eq!(serde_json::to_value(&number).unwrap(), text);
        }
    }

    #[test]
    fn what_was_heard_on_the_telephone_finds_the_incident() {
        let number: IncidentNumber = " sit-ueb-2026-3 ".parse().unwrap();
        assert_eq!(number.to_string(), "SIT-UEB-2026-0003");
        assert_eq!(number.mode(), Mode::Drill);
    }

    #[test]
    fn what_could_be_two_numbers_is_none() {
        for wrong in [
            "",
            "SIT",
            "SIT-2026",
            "SIT-26-1",
            "SIT-2026-0",
            "SIT-2026-+7",
            "UEB-2026-1",
            "A-B-2026-1",
        ] {
            assert!(wrong.parse::<IncidentNumber>().is_err(), "{wrong}");
        }
        assert!(IncidentNumber::new("ueb", 2026, 1, Mode::Live).is_err());
        assert!(IncidentNumber::new("S-I-T", 2026, 1, Mode::Live).is_err());
    }
}
