//! Instants and lengths of time; the only arithmetic on them.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// An instant: milliseconds since 1970-01-01T00:00:00Z, leap seconds not counted.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Millis(i64);

/// A length of time in milliseconds, never negative.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Span(u64);

/// Why a text is no time or no duration.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{text}` is no {what}")]
pub struct TimeError {
    /// The text as it was given.
    pub text: String,
    /// What was expected, with an example.
    pub what: &'static str,
}

/// Ten years: a longer wait in a playbook is a slip of the pen.
const SPAN_MAX: u64 = 10 * 366 * 24 * 3_600_000;

/// So far apart lie clocks that go right.
const CLOCKS_DIFFER: Span = Span::from_secs(60);

impl Millis {
    /// From milliseconds since 1970.
    pub const fn new(millis: i64) -> Self {
        Self(millis)
    }
    /// Milliseconds since 1970.
    pub const fn get(self) -> i64 {
        self.0
    }
    /// The instant `span` later; stays at the end of time instead of wrapping.
    #[must_use]
    pub fn plus(self, span: Span) -> Self {
        Self(self.0.saturating_add(i64::try_from(span.0).unwrap_or(i64::MAX)))
    }
    /// The instant `span` earlier.
    #[must_use]
    pub fn minus(self, span: Span) -> Self {
        Self(self.0.saturating_sub(i64::try_from(span.0).unwrap_or(i64::MAX)))
    }
    /// How long after `earlier` this is; nothing if it is before.
    pub fn since(self, earlier: Self) -> Span {
        Span(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }
    /// Whether something can have happened at this instant, for a clock that says `now`: what is yet to
    /// come did not happen. Whose clock goes before ours by no more than a minute is believed.
    pub fn can_have_been(self, now: Self) -> bool {
        self <= now.plus(CLOCKS_DIFFER)
    }
    /// Reads RFC 3339 with an offset.
    pub fn parse(text: &str) -> Result<Self, TimeError> {
        let wrong =
            || TimeError { text: text.to_owned(), what: "time like 2026-11-21T03:00:00+01:00" };
        text.parse::<Timestamp>().map(|t| Self(t.as_millisecond())).map_err(|_| wrong())
    }
}

/// RFC 3339 in UTC with milliseconds: `2026-11-21T02:11:04.120Z`.
impl fmt::Display for Millis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match Timestamp::from_millisecond(self.0) {
            Ok(at) => f.write_str(&at.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()),
            Err(_) => write!(f, "{} ms", self.0),
        }
    }
}

impl fmt::Debug for Millis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Span {
    /// No time at all.
    pub const ZERO: Self = Self(0);

    /// From milliseconds.
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis)
    }
    /// From seconds.
    pub const fn from_secs(seconds: u64) -> Self {
        Self(seconds * 1000)
    }
    /// In milliseconds.
    pub const fn millis(self) -> u64 {
        self.0
    }
    /// Reads `90s`, `15m`, `4h`, `3d`, `250ms`, or several joined: `1h30m`. At most ten years.
    pub fn parse(text: &str) -> Result<Self, TimeError> {
        let wrong =
            || TimeError { text: text.to_owned(), what: "duration like 90s, 15m, 4h or 3d" };
        let mut total: u64 = 0;
        let mut rest = text.trim();
        if rest.is_empty() {
            return Err(wrong());
        }
        while !rest.is_empty() {
            let digits = rest.find(|c: char| !c.is_ascii_digit()).ok_or_else(wrong)?;
            let (number, tail) = rest.split_at(digits);
            let unit_end = tail.find(|c: char| c.is_ascii_digit()).unwrap_or(tail.len());
            let (unit, tail) = tail.split_at(unit_end);
            let factor = match unit {
                "ms" => 1,
                "s" => 1000,
                "m" => 60_000,
                "h" => 3_600_000,
                "d" => 86_400_000,
                _ => return Err(wrong()),
            };
            let number: u64 = number.parse().map_err(|_| wrong())?;
            total = number
                .checked_mul(factor)
                .and_then(|part| total.checked_add(part))
                .filter(|total| *total <= SPAN_MAX)
                .ok_or_else(wrong)?;
            rest = tail;
        }
        Ok(Self(total))
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 == 0 {
            return f.write_str("0s");
        }
        let mut rest = self.0;
        for (unit, size) in
            [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1)]
        {
            if rest >= size {
                write!(f, "{}{unit}", rest / size)?;
                rest %= size;
            }
        }
        Ok(())
    }
}

impl fmt::Debug for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_and_written_in_one_form() {
        for (text, millis, again) in [
            ("90s", 90_000, "1m30s"),
            ("15m", 900_000, "15m"),
            ("1h30m", 5_400_000, "1h30m"),
            ("250ms", 250, "250ms"),
            ("0s", 0, "0s"),
        ] {
            let span = Span::parse(text).unwrap();
            assert_eq!((span.millis(), span.to_string().as_str()), (millis, again));
        }
        for wrong in ["", "5", "h", "-4h", "4 h", "1y", "99999999999d", "4h x"] {
            assert!(Span::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn times_need_an_offset_and_are_shown_in_utc() {
        let at = Millis::parse("2026-11-21T03:11:04.12+01:00").unwrap();
        assert_eq!(at.to_string(), "2026-11-21T02:11:04.120Z");
        assert!(Millis::parse("2026-11-21T03:11:04").is_err());
    }

    #[test]
    fn what_is_yet_to_come_has_not_been() {
        let now = Millis::new(1_000_000);
        for (at, can) in
            [(i64::MIN, true), (1_000_000, true), (1_060_000, true), (1_060_001, false)]
        {
            assert_eq!(Millis::new(at).can_have_been(now), can, "{at}");
        }
    }
}
