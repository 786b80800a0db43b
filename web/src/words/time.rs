//! Instants and spans as people read them on a page: where they are, and in UTC beside it.

use beistand_core::model::{Millis, Span};
use beistand_core::timeline::{Lang, Zone};
use jiff::civil::Weekday;
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned as Moment};

use super::Words;
use crate::report::Problem;

/// Light or dark, where somebody chose; otherwise as their system has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Theme {
    /// As the system has it.
    #[default]
    System,
    /// Light.
    Light,
    /// Dark.
    Dark,
}

/// An instant on a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Stamp {
    /// For machines, RFC 3339 in UTC.
    pub(crate) iso: String,
    /// `Sa 21.11.2026, 14:41:09 MEZ`.
    pub(crate) full: String,
    /// `14:41`, with the day where that is not today.
    pub(crate) short: String,
    /// `13:41:09 UTC`.
    pub(crate) utc: String,
}

/// A zone and a language to say times in, and the instant that is now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Zoned {
    pub(crate) zone: Zone,
    pub(crate) words: Words,
    pub(crate) now: Millis,
}

impl Zoned {
    /// The zone itself.
    pub(crate) fn place(self) -> TimeZone {
        // The zones are part of the program; without this one UTC is right, and says so.
        TimeZone::get(&self.zone.to_string()).unwrap_or(TimeZone::UTC)
    }

    fn moment(self, at: Millis) -> Option<Moment> {
        Timestamp::from_millisecond(at.get()).ok().map(|stamp| stamp.to_zoned(self.place()))
    }

    /// An instant. One beyond the calendar is shown as it is kept.
    pub(crate) fn stamp(self, at: Millis) -> Stamp {
        let iso = at.to_string();
        let (Some(there), Some(today)) = (self.moment(at), self.moment(self.now)) else {
            return Stamp { full: iso.clone(), short: iso.clone(), utc: iso.clone(), iso };
        };
        let day = self.day(&there);
        let clock = there.strftime("%H:%M:%S");
        let full = format!("{day}, {clock} {}", self.zone_word(&there));
        let minutes = there.strftime("%H:%M");
        let short = if there.date() == today.date() {
            minutes.to_string()
        } else {
            format!("{}, {minutes}", self.short_day(&there))
        };
        let utc = there.with_time_zone(TimeZone::UTC).strftime("%H:%M:%S UTC").to_string();
        Stamp { iso, full, short, utc }
    }

    /// `Sa 21.11.2026`, `Sat 21 Nov 2026`.
    fn day(self, there: &Moment) -> String {
        match self.words.0 {
            Lang::De => format!("{} {}", german(there.weekday()), there.strftime("%d.%m.%Y")),
            Lang::En => there.strftime("%a %-d %b %Y").to_string(),
        }
    }

    /// `Sa 21.11.`, `Sat 21 Nov`.
    pub(crate) fn short_day(self, there: &Moment) -> String {
        match self.words.0 {
            Lang::De => format!("{} {}", german(there.weekday()), there.strftime("%d.%m.")),
            Lang::En => there.strftime("%a %-d %b").to_string(),
        }
    }

    /// `MEZ`, `MESZ`, `CET`, `CEST` or `UTC`: in the night when the clocks go back, 02:30 is twice.
    pub(crate) fn zone_word(self, there: &Moment) -> String {
        let own = there.strftime("%Z").to_string();
        match (self.words.0, own.as_str()) {
            (Lang::De, "CET") => "MEZ".to_owned(),
            (Lang::De, "CEST") => "MESZ".to_owned(),
            (Lang::De | Lang::En, _) => own,
        }
    }

    /// How long: `1 Std. 12 Min.`; the two largest parts, so that a tired reader sees the size.
    pub(crate) fn span(self, span: Span) -> String {
        let seconds = span.millis() / 1000;
        let (days, hours) = (seconds / 86_400, seconds / 3_600 % 24);
        let (minutes, seconds) = (seconds / 60 % 60, seconds % 60);
        let parts = [("days", days), ("hours", hours), ("minutes", minutes), ("seconds", seconds)];
        let first = parts.iter().position(|(_, n)| *n > 0).unwrap_or(parts.len() - 1);
        let shown = parts.iter().skip(first).take(2).filter(|(_, n)| *n > 0);
        let said: Vec<String> = shown.map(|(unit, n)| self.unit(unit, *n)).collect();
        if said.is_empty() { self.unit("seconds", 0) } else { said.join(" ") }
    }

    fn unit(self, unit: &str, n: u64) -> String {
        self.words.count(&format!("span-{unit}"), usize::try_from(n).unwrap_or(usize::MAX))
    }

    /// How long since an instant.
    pub(crate) fn since(self, at: Millis) -> String {
        self.span(self.now.since(at))
    }

    /// What a person typed into a field, where they are; nothing where they left it empty.
    ///
    /// # Errors
    /// 400 with the field where it is no time.
    pub(crate) fn typed(self, text: Option<&str>, field: &str) -> Result<Option<Millis>, Problem> {
        let wrong = || Problem::malformed("a time is `14:41`, or a date with a time").place(field);
        text.map(|text| self.read(text).ok_or_else(wrong)).transpose()
    }

    /// A time as a person writes it, where they are.
    pub(crate) fn read(self, text: &str) -> Option<Millis> {
        self.zone.read(text, self.now)
    }
}

const fn german(day: Weekday) -> &'static str {
    match day {
        Weekday::Monday => "Mo",
        Weekday::Tuesday => "Di",
        Weekday::Wednesday => "Mi",
        Weekday::Thursday => "Do",
        Weekday::Friday => "Fr",
        Weekday::Saturday => "Sa",
        Weekday::Sunday => "So",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn zoned(zone: Zone, lang: Lang, now: &str) -> Zoned {
        Zoned { zone, words: Words(lang), now: Millis::parse(now).unwrap() }
    }

    #[test]
    fn an_instant_is_said_where_people_are_and_in_utc() {
        let at = Millis::parse("2026-11-21T13:41:09Z").unwrap();
        let german = zoned(Zone::Berlin, Lang::De, "2026-11-21T20:00:00Z").stamp(at);
        assert_eq!(german.full, "Sa 21.11.2026, 14:41:09 MEZ");
        assert_eq!((german.short.as_str(), german.utc.as_str()), ("14:41", "13:41:09 UTC"));
        let english = zoned(Zone::Berlin, Lang::En, "2026-11-22T20:00:00Z").stamp(at);
        assert_eq!(english.full, "Sat 21 Nov 2026, 14:41:09 CET");
        assert_eq!(english.short, "Sat 21 Nov, 14:41");
        let utc = zoned(Zone::Utc, Lang::De, "2026-11-21T20:00:00Z").stamp(at);
        assert_eq!(utc.full, "Sa 21.11.2026, 13:41:09 UTC");
    }

    #[test]
    fn a_span_has_its_two_largest_parts() {
        let zoned = zoned(Zone::Berlin, Lang::De, "2026-11-21T20:00:00Z");
        for (seconds, said) in [
            (0, "0 Sek."),
            (45, "45 Sek."),
            (72 * 60, "1 Std. 12 Min."),
            (3_600, "1 Std."),
            (2 * 86_400 + 7 * 60, "2 Tage"),
            (86_400 + 3_600, "1 Tag 1 Std."),
        ] {
            assert_eq!(zoned.span(Span::from_secs(seconds)), said);
        }
    }

    #[test]
    fn a_time_is_read_as_people_and_browsers_write_it() {
        let zoned = zoned(Zone::Berlin, Lang::De, "2026-11-21T20:00:00Z");
        let wanted = Millis::parse("2026-11-21T13:41:00Z").unwrap();
        for text in ["14:41", "2026-11-21T14:41", "2026-11-21T13:41:00Z", "2026-11-21 14:41:00"] {
            assert_eq!(zoned.read(text), Some(wanted), "{text}");
        }
        assert_eq!(zoned.read("gestern"), None);
        // 02:30 is twice in this night, and not at all in that one.
        let twice = zoned.read("2026-10-25T02:30").unwrap();
        assert_eq!(twice, Millis::parse("2026-10-25T00:30:00Z").unwrap());
        assert!(zoned.read("2026-03-29T02:30").is_some());
    }
}
