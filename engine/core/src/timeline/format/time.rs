//! Instants as people read them.

use jiff::Timestamp;
use jiff::civil::{DateTime, Time};
use jiff::tz::TimeZone;

use crate::model::{IdError, Millis};
use crate::timeline::Lang;

/// A time zone that people read in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Zone {
    /// Europe/Berlin.
    #[default]
    Berlin,
    /// UTC.
    Utc,
    /// Another one of the IANA time zone database.
    Other(ZoneName),
}

/// The name of a zone, in place: a zone stays a plain value.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct ZoneName {
    bytes: [u8; ZONE_BYTES_MAX],
    length: usize,
}

/// The longest name there is has 32 bytes.
const ZONE_BYTES_MAX: usize = 40;

impl ZoneName {
    fn as_str(&self) -> &str {
        let bytes = self.bytes.get(..self.length).unwrap_or_default();
        std::str::from_utf8(bytes).unwrap_or_default()
    }
}

impl std::fmt::Debug for ZoneName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// As the database names it: `Europe/Berlin`, `UTC`.
impl std::fmt::Display for Zone {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Berlin => BERLIN,
            Self::Utc => "UTC",
            Self::Other(name) => name.as_str(),
        })
    }
}

impl std::str::FromStr for Zone {
    type Err = IdError;
    fn from_str(text: &str) -> Result<Self, IdError> {
        let wrong = || IdError::new("time zone", text, "a name like Europe/Berlin or UTC");
        if text.eq_ignore_ascii_case("utc") {
            return Ok(Self::Utc);
        }
        let found = TimeZone::get(text).map_err(|_| wrong())?;
        let name = found.iana_name().ok_or_else(wrong)?;
        if name == BERLIN {
            return Ok(Self::Berlin);
        }
        let mut bytes = [0; ZONE_BYTES_MAX];
        bytes.get_mut(..name.len()).ok_or_else(wrong)?.copy_from_slice(name.as_bytes());
        Ok(Self::Other(ZoneName { bytes, length: name.len() }))
    }
}

const BERLIN: &str = "Europe/Berlin";

/// An instant in a zone, in words of a language.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::timeline) struct Local {
    /// `Sa 21.11.2026` or `Sat 2026-11-21`.
    pub(in crate::timeline) date: String,
    /// `03:11:04`.
    pub(in crate::timeline) time: String,
    /// `MEZ`, `MESZ`, `CET`, `CEST` or `UTC`: in the night when the clocks go back, 02:30 is twice.
    pub(in crate::timeline) zone: String,
}

impl Zone {
    /// An instant on one line of a list: `2026-11-21 03:11:04 CET`.
    pub fn shown(self, at: Millis) -> String {
        let local = self.local(at, Lang::En);
        let day = local.date.split(' ').next_back().unwrap_or_default();
        [day, &local.time, &local.zone].join(" ").trim().to_owned()
    }

    /// What a person says: an instant with its offset, a date and a time as the clock shows them there
    /// (`2026-11-23 04:12`, or as a browser's field has it), or `4:12` of today. A day alone is none. An
    /// hour that the clock has twice is read as the earlier one.
    pub fn read(self, text: &str, now: Millis) -> Option<Millis> {
        if let Ok(at) = Millis::parse(text) {
            return Some(at);
        }
        text.contains(':').then_some(())?;
        let local = text.parse::<DateTime>().ok().or_else(|| {
            let time: Time = format!("{text:0>5}").parse().ok()?;
            let today = Timestamp::from_millisecond(now.get()).ok()?.to_zoned(self.time_zone());
            Some(today.date().to_datetime(time))
        })?;
        let there = self.time_zone().to_ambiguous_zoned(local).compatible().ok()?;
        Some(Millis::new(there.timestamp().as_millisecond()))
    }

    /// The zones are part of the program; without this one UTC is right, and says so.
    pub(in crate::timeline) fn time_zone(self) -> TimeZone {
        match self {
            Self::Utc => TimeZone::UTC,
            Self::Berlin => TimeZone::get(BERLIN).unwrap_or(TimeZone::UTC),
            Self::Other(name) => TimeZone::get(name.as_str()).unwrap_or(TimeZone::UTC),
        }
    }

    /// An instant in this zone. One beyond the calendar is shown as it is kept.
    pub(in crate::timeline) fn local(self, at: Millis, lang: Lang) -> Local {
        let zone = self.time_zone();
        let Ok(stamp) = Timestamp::from_millisecond(at.get()) else {
            let time = at.to_string();
            return Local { date: String::new(), time, zone: String::new() };
        };
        let zoned = stamp.to_zoned(zone);
        let date = match lang {
            Lang::De => {
                let day = match zoned.weekday() {
                    jiff::civil::Weekday::Monday => "Mo",
                    jiff::civil::Weekday::Tuesday => "Di",
                    jiff::civil::Weekday::Wednesday => "Mi",
                    jiff::civil::Weekday::Thursday => "Do",
                    jiff::civil::Weekday::Friday => "Fr",
                    jiff::civil::Weekday::Saturday => "Sa",
                    jiff::civil::Weekday::Sunday => "So",
                };
                zoned.strftime(&format!("{day} %d.%m.%Y")).to_string()
            }
            Lang::En => zoned.strftime("%a %Y-%m-%d").to_string(),
        };
        let zone = match (zoned.strftime("%Z").to_string().as_str(), lang) {
            ("CET", Lang::De) => "MEZ".to_owned(),
            ("CEST", Lang::De) => "MESZ".to_owned(),
            (other, _) => other.to_owned(),
        };
        Local { date, time: zoned.strftime("%H:%M:%S").to_string(), zone }
    }
}

impl Local {
    /// `Sa 21.11.2026, 03:11:04 MEZ`.
    pub(in crate::timeline) fn full(&self) -> String {
        format!("{}, {} {}", self.date, self.time, self.zone)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn full(at: &str, zone: Zone, lang: Lang) -> String {
        zone.local(Millis::parse(at).unwrap(), lang).full()
    }

    #[test]
    fn a_zone_is_read_by_its_name() {
        let at = Millis::parse("2026-07-01T10:00:00Z").unwrap();
        for (name, shown) in [
            ("Europe/Berlin", "2026-07-01 12:00:00 CEST"),
            ("utc", "2026-07-01 10:00:00 UTC"),
            ("America/New_York", "2026-07-01 06:00:00 EDT"),
            ("Asia/Kolkata", "2026-07-01 15:30:00 IST"),
        ] {
            let zone: Zone = name.parse().unwrap();
            assert_eq!(zone.shown(at), shown);
            assert_eq!(zone.to_string().parse(), Ok(zone));
        }
        for wrong in ["", "Mars/Base", "../etc/passwd", "MESZ"] {
            assert!(wrong.parse::<Zone>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_hour_that_comes_twice_is_told_apart() {
        let first = full("2026-10-25T00:30:00Z", Zone::Berlin, Lang::De);
        let second = full("2026-10-25T01:30:00Z", Zone::Berlin, Lang::De);
        assert_eq!(first, "So 25.10.2026, 02:30:00 MESZ");
        assert_eq!(second, "So 25.10.2026, 02:30:00 MEZ");
        let utc = full("2026-10-25T01:30:00Z", Zone::Utc, Lang::En);
        assert_eq!(utc, "Sun 2026-10-25, 01:30:00 UTC");
        let at = Millis::parse("2026-10-25T01:30:00Z").unwrap();
        assert_eq!(Zone::Berlin.shown(at), "2026-10-25 02:30:00 CET");
        assert_eq!(Zone::Utc.shown(at), "2026-10-25 01:30:00 UTC");
    }
}
