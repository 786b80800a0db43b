//! The expected text of a case: what people would read, without anything that differs by chance.

use crate::model::Millis;
use crate::timeline::TimelineEntry;

/// One line for each entry that is no detail: the time since the first entry and the sentence.
///
/// No ids and no absolute times; what happens at one instant stands in the order of the plan,
/// whatever came first. Run and called runs may be told together.
pub fn golden(lines: &[TimelineEntry]) -> String {
    let start = lines.iter().map(|line| line.at).min().unwrap_or_default();
    let mut told: Vec<&TimelineEntry> = lines.iter().filter(|line| !line.detail).collect();
    // Stable: where the plan does not say, the journal's order stays.
    told.sort_by(|a, b| (a.at, &a.order).cmp(&(b.at, &b.order)));
    let rows = told.into_iter().map(|line| format!("{} {}", since(start, line.at), line.text));
    rows.chain([String::new()]).collect::<Vec<_>>().join("\n")
}

/// `+00:05`, `+1:00:00`, `+00:00.250`.
fn since(start: Millis, at: Millis) -> String {
    let millis = at.since(start).millis();
    let seconds = millis / 1000;
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    let hours = if hours > 0 { format!("{hours}:") } else { String::new() };
    let rest = match millis % 1000 {
        0 => String::new(),
        rest => format!(".{rest:03}"),
    };
    format!("+{hours}{minutes:02}:{seconds:02}{rest}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_told_from_the_start() {
        let at = |millis: i64| since(Millis::new(7), Millis::new(7 + millis));
        assert_eq!(at(5_000), "+00:05");
        assert_eq!(at(3_600_000), "+1:00:00");
        assert_eq!(at(250), "+00:00.250");
        assert_eq!(at(-9), "+00:00");
    }
}
