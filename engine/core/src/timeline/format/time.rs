//! Instants as people read them.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::model::Millis;
use crate::timeline::Lang;

/// A time zone that people read in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Zone {
    /// Europe/Berlin.
    #[default]
    Berlin,
    /// UTC.
    Utc,
}

/// An instant in a zone, in words of a language.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Local {
    /// `Sa 21.11.2026` or `Sat 2026-11-21`.
    pub(super) date: String,
    /// `03:11:04`.
    pub(super) time: String,
    /// `MEZ`, `MESZ`, `CET`, `CEST` or `UTC`: in the night when the clocks go back, 02:30 is twice.
    pub(super) zone: String,
}

impl Zone {
    /// An instant on one line of a list: `2026-11-21 03:11:04 CET`.
    pub fn shown(self, at: Millis) -> String {
        let local = self.local(at, Lang::En);
        let day = local.date.split(' ').next_back().unwrap_or_default();
        [day, &local.time, &local.zone].join(" ").trim().to_owned()
    }

    /// An instant in this zone. One beyond the calendar is shown as it is kept.
    pub(super) fn local(self, at: Millis, lang: Lang) -> Local {
        let zone = match self {
            Self::Utc => TimeZone::UTC,
            // The zones are part of the program; without this one UTC is right, and says so.
            Self::Berlin => TimeZone::get("Europe/Berlin").unwrap_or(TimeZone::UTC),
        };
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
    pub(super) fn full(&self) -> String {
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
