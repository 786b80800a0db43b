//! Who is on call for which role, from when until when.

use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use serde::Serialize;

use crate::model::{Millis, Person, Role};

/// Somebody's time on call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Shift {
    /// For which role.
    pub role: Role,
    /// Who.
    pub person: Person,
    /// From when on; always where absent.
    pub from: Option<Millis>,
    /// Until when, this instant no more; without an end where absent.
    pub until: Option<Millis>,
    /// Where mail finds them; nowhere where empty.
    pub mail: Vec<String>,
    /// Where a telephone finds them: for print, nothing here dials.
    pub telephone: Option<String>,
}

impl Shift {
    /// Whether it is theirs at this instant.
    pub fn holds(&self, now: Millis) -> bool {
        self.from.is_none_or(|from| from <= now) && self.until.is_none_or(|until| now < until)
    }
}

/// All shifts, in the order of their files.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Roster {
    shifts: Vec<Shift>,
}

impl Roster {
    /// Of shifts in order.
    pub const fn new(shifts: Vec<Shift>) -> Self {
        Self { shifts }
    }

    /// Every shift.
    pub fn shifts(&self) -> &[Shift] {
        &self.shifts
    }

    /// Who is on call for a role now, in the order of the files; of two shifts of one person the
    /// first.
    pub fn at(&self, role: Role, now: Millis) -> impl Iterator<Item = &Shift> {
        let holds = move |shift: &&Shift| shift.role == role && shift.holds(now);
        self.shifts.iter().enumerate().filter(move |(_, shift)| holds(shift)).filter_map(
            move |(place, shift)| {
                let mut earlier = self.shifts.iter().take(place).filter(holds);
                earlier.all(|other| other.person != shift.person).then_some(shift)
            },
        )
    }
}

/// An instant as people write it into a roster: RFC 3339, or `2026-11-23 08:00`, or `2026-11-23` for
/// its first minute, in the time of Berlin. In the hour that comes twice the first is meant.
pub fn instant(text: &str) -> Option<Millis> {
    if let Ok(at) = Millis::parse(text) {
        return Some(at);
    }
    let text = text.replacen(' ', "T", 1);
    let local: DateTime = match text.parse::<Date>() {
        Ok(date) if !text.contains('T') => date.at(0, 0, 0, 0),
        Ok(_) | Err(_) => text.parse().ok()?,
    };
    // The zones are part of the program.
    let zone = TimeZone::get("Europe/Berlin").ok()?;
    let at = local.to_zoned(zone).ok()?;
    Some(Millis::new(at.timestamp().as_millisecond()))
}
