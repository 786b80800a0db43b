//! Aligned text for a terminal or a mail.

use super::{Document, recorded};
use crate::timeline::TimelineEntry;
use crate::timeline::escape::visible;
use crate::timeline::sentence::{tlp, words};

/// Narrower than this a sentence would be a column of words.
const TEXT_WIDTH_MIN: usize = 24;

/// The lines as aligned text, `width` characters wide, with a heading for every day and zone.
pub fn table(lines: &[TimelineEntry], document: &Document<'_>, width: usize) -> String {
    let words = words(document.lang);
    let mut out = Vec::new();
    if document.mode == crate::model::Mode::Drill {
        out.push(format!("*** {} ***", words.drill));
    }
    out.push(format!("{} ({})", visible(document.title, 200), tlp(document.tlp)));
    let lane_width = words.lanes.iter().map(|lane| lane.chars().count()).max().unwrap_or(0);
    let indent = 8 + 2 + lane_width + 2;
    let text_width = width.saturating_sub(indent).max(TEXT_WIDTH_MIN);
    let mut heading = String::new();
    for line in lines {
        let local = document.zone.local(line.when(), document.lang);
        let day = format!("{}, {}", local.date, local.zone);
        if day != heading {
            out.extend([String::new(), day.clone()]);
            heading = day;
        }
        let mut text = line.text.clone();
        if line.corrected_by.is_some() {
            text = format!("[{}] {text}", words.corrected);
        }
        if line.starred_by.is_some() {
            text = format!("* {text}");
        }
        if let Some(at) = recorded(line) {
            let at = document.zone.local(at, document.lang).full();
            text = format!("{text} ({} {at})", words.recorded);
        }
        let lane = line.lane.said(document.lang);
        let pad = lane_width.saturating_sub(lane.chars().count());
        let mut first = format!("{}  {lane}{}  ", local.time, " ".repeat(pad));
        for row in wrap(&text, text_width) {
            out.push(format!("{first}{row}"));
            first = " ".repeat(indent);
        }
    }
    out.push(String::new());
    out.join("\n")
}

/// A text in rows of at most `width` characters, broken at spaces where there are any.
fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut rows = Vec::new();
    let mut row = String::new();
    let mut used = 0;
    for word in text.split(' ') {
        let mut word: Vec<char> = word.chars().collect();
        if used > 0 && used + 1 + word.len() > width {
            rows.push(std::mem::take(&mut row));
            used = 0;
        } else if used > 0 {
            row.push(' ');
            used += 1;
        }
        while word.len() > width {
            let rest = word.split_off(width);
            rows.push(word.iter().collect());
            word = rest;
        }
        row.extend(&word);
        used += word.len();
    }
    rows.push(row);
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_never_wider_than_asked() {
        assert_eq!(wrap("one two three", 7), ["one two", "three"]);
        assert_eq!(wrap("abcdefghij k", 4), ["abcd", "efgh", "ij k"]);
        assert_eq!(wrap("", 4), [""]);
    }
}
