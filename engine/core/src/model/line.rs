//! What a line of a timeline is called, wherever it is shown: by its entry and its place in there.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{EntryId, IdError};

/// A line of a timeline: an event of an entry. As text the entry's id, and behind a dot the number of
/// the event where that is not the first: `01a1fbdf-…`, `01a1fbdf-….2`.
///
/// It is the same for every reader and in every language, whatever else of the entry they may see.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct LineId {
    entry: EntryId,
    event: u16,
}

impl LineId {
    /// The so manieth event of an entry, from 1; 0 counts as 1.
    pub fn new(entry: EntryId, event: u16) -> Self {
        Self { entry, event: event.max(1) }
    }
    /// The entry.
    pub const fn entry(self) -> EntryId {
        self.entry
    }
    /// The number of the event in it, from 1.
    pub const fn event(self) -> u16 {
        self.event
    }
}

impl fmt::Display for LineId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.event {
            1 => self.entry.fmt(f),
            event => write!(f, "{}.{event}", self.entry),
        }
    }
}

impl fmt::Debug for LineId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::str::FromStr for LineId {
    type Err = IdError;
    fn from_str(text: &str) -> Result<Self, IdError> {
        let wrong =
            || IdError::new("line of a timeline", text, "a UUID like 01a2b3c4-… or 01a2b3c4-….2");
        let (entry, event) = match text.split_once('.') {
            Some((entry, event)) => {
                // One line, one text.
                let one = |number: &u16| *number > 1 && number.to_string() == event;
                (entry, event.parse::<u16>().ok().filter(one).ok_or_else(wrong)?)
            }
            None => (text, 1),
        };
        entry.parse().map(|entry| Self { entry, event }).map_err(|_| wrong())
    }
}

impl TryFrom<String> for LineId {
    type Error = IdError;
    fn try_from(text: String) -> Result<Self, IdError> {
        text.parse()
    }
}

impl From<LineId> for String {
    fn from(id: LineId) -> Self {
        id.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_one_text() {
        let entry = EntryId::new(1_700_000_000_000, &[7; 10]);
        for (event, text) in [(0, ""), (1, ""), (2, ".2"), (65_535, ".65535")] {
            let line = LineId::new(entry, event);
            assert_eq!(line.to_string(), format!("{entry}{text}"));
            assert_eq!(line.to_string().parse(), Ok(line));
        }
        for wrong in [".0", ".1", ".02", ".+2", ".65536", ".", ".2.3", ".x"] {
            assert!(format!("{entry}{wrong}").parse::<LineId>().is_err(), "{wrong}");
        }
        assert!("7".parse::<LineId>().is_err());
    }
}
