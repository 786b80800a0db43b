//! Comma-separated values (RFC 4180) that a spreadsheet can open without running anything.

use super::{About, Document};
use crate::timeline::TimelineEntry;
use crate::timeline::escape::visible;

/// The columns, in UTC but for `local_time`, and in words that do not change with the language.
const COLUMNS: [&str; 30] = [
    "recorded_at",
    "happened_at",
    "lane",
    "kind",
    "detail",
    "message",
    "organisation",
    "actor",
    "asserted",
    "playbook",
    "path",
    "item",
    "value",
    "run",
    "stream",
    "seq",
    "entry",
    "account",
    "proof",
    "through",
    "line",
    "late_by_ms",
    "failed",
    "targets",
    "roles",
    "about",
    "corrected_by",
    "starred_by",
    "local_time",
    "export",
];

/// A header and a row for each entry, ended by CR LF.
///
/// A cell that a spreadsheet would take for a formula begins with `'`
/// (<https://owasp.org/www-community/attacks/CSV_Injection>).
///
/// What the file says of itself stands in the last column of its first row, as JSON: a line of its own
/// would be one more to whoever counts them.
pub fn csv(lines: &[TimelineEntry], document: &Document<'_>) -> String {
    let mut out = String::new();
    let about = serde_json::to_string(&About::of(lines, document));
    // Texts and numbers always have a JSON form.
    let mut about = about.ok();
    row(&mut out, &COLUMNS.map(str::to_owned));
    for line in lines {
        let text = |value: Option<String>| value.unwrap_or_default();
        row(
            &mut out,
            &[
                line.at.to_string(),
                text(line.happened_at.map(|at| at.to_string())),
                line.lane.as_str().to_owned(),
                line.kind.to_owned(),
                line.detail.to_string(),
                line.text.clone(),
                text(line.organisation.as_ref().map(ToString::to_string)),
                text(line.actor.as_ref().map(ToString::to_string)),
                line.asserted.to_string(),
                text(line.playbook.as_ref().map(ToString::to_string)),
                text(line.path.as_ref().map(ToString::to_string)),
                text(line.item.clone()),
                text(line.value.as_ref().map(|value| visible(&value.to_string(), usize::MAX))),
                text(line.run.map(|run| run.to_string())),
                line.stream.clone(),
                line.seq.to_string(),
                text(line.entry.map(|entry| entry.to_string())),
                text(line.account.as_ref().map(ToString::to_string)),
                text(line.proof.map(|proof| proof.as_str().to_owned())),
                text(line.through.as_ref().map(ToString::to_string)),
                text(line.line().map(|line| line.to_string())),
                text(line.late_by().map(|late| late.millis().to_string())),
                line.failed.to_string(),
                line.targets.join("; "),
                line.roles.iter().map(|role| role.as_str()).collect::<Vec<_>>().join("; "),
                text(line.about.map(|line| line.to_string())),
                text(line.corrected_by.map(|line| line.to_string())),
                text(line.starred_by.as_ref().map(ToString::to_string)),
                document.zone.shown(line.when()),
                text(about.take()),
            ],
        );
    }
    out
}

fn row(out: &mut String, cells: &[String; COLUMNS.len()]) {
    let cells: Vec<String> = cells.iter().map(|cell| quoted(cell)).collect();
    out.push_str(&cells.join(","));
    out.push_str("\r\n");
}

fn quoted(cell: &str) -> String {
    let formula = cell.starts_with(['=', '+', '-', '@', '\t', '\r', '＝', '＋', '－', '＠']);
    let safe = if formula { format!("'{cell}") } else { cell.to_owned() };
    if safe.contains([',', '"', '\r', '\n', '\'']) {
        format!("\"{}\"", safe.replace('"', "\"\""))
    } else {
        safe
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_is_text_whatever_it_says() {
        for (cell, shown) in [
            ("plain", "plain"),
            ("a, b", "\"a, b\""),
            ("say \"no\"", "\"say \"\"no\"\"\""),
            ("=cmd|'/c calc'!A0", "\"'=cmd|'/c calc'!A0\""),
            ("+49 2331", "\"'+49 2331\""),
            ("-1", "\"'-1\""),
            ("@SUM(A1)", "\"'@SUM(A1)\""),
            ("\tx", "\"'\tx\""),
            ("\rx", "\"'\rx\""),
            ("a=1", "a=1"),
        ] {
            assert_eq!(quoted(cell), shown);
        }
    }
}
