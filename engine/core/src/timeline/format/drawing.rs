//! A timeline's lanes as SVG, for a page that opens without anything else. It repeats what the table
//! beside it says, so it is hidden from screen readers; colours are those of the page around it.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::html::escape;
use crate::timeline::review::{Bar, DeadlineState, Review, ReviewLane};
use crate::timeline::{BarEnd, BarKind};

/// Room for the lanes' names, left of position 0.
const MARGIN: u16 = 130;

/// The whole width: 1000 positions and a little beside them.
const WIDTH: u16 = MARGIN + 1000 + 20;

/// More bars over each other are drawn in the last row: they are all in the table.
const ROWS_MAX: usize = 16;

/// How high a row of bars is, and a row of points.
const BAR: usize = 9;
const POINTS: usize = 16;

/// Above the lanes: days, times, and what is collapsed.
const HEAD: usize = 44;

/// Where a text that begins at its tick would stick out on the right; it ends there instead.
const LATE: u16 = 900;

/// Characters of a text that shows up beside the pointer.
const TITLE_CHARS_MAX: usize = 200;

/// The lanes as one `<svg>` element on lines of its own, for the style of the page around it.
pub fn drawing(review: &Review) -> String {
    let heights: Vec<usize> = review.lanes.iter().map(height).collect();
    let all: usize = HEAD + heights.iter().sum::<usize>() + 8;
    let mut out = format!(
        "<svg class=\"lanes\" viewBox=\"0 0 {WIDTH} {all}\" aria-hidden=\"true\" focusable=\"false\">\n"
    );
    head(&mut out, review, all);
    let mut top = HEAD;
    for (lane, height) in review.lanes.iter().zip(&heights) {
        draw(&mut out, lane, (top, *height));
        for deadline in review.deadlines.iter().filter(|one| one.lane == lane.lane) {
            let class = match deadline.state {
                DeadlineState::Kept => "due kept",
                DeadlineState::Missed => "due missed",
                DeadlineState::Open => "due open",
            };
            let (x, bottom) = (MARGIN + deadline.left, top + height);
            let text = titled(&deadline.text);
            add(
                &mut out,
                format_args!(
                    "<g class=\"{class}\"><line x1=\"{x}\" x2=\"{x}\" y1=\"{top}\" y2=\"{bottom}\"/>"
                ),
            );
            if deadline.state == DeadlineState::Missed {
                // A flag: not by colour alone.
                add(&mut out, format_args!("<path d=\"M{x} {top}h9l-3 4l3 4h-9z\"/>"));
            }
            add(&mut out, format_args!("<title>{text}</title></g>\n"));
        }
        top += height;
    }
    out.push_str("</svg>\n");
    out
}

/// Writing to a string does not fail.
fn add(out: &mut String, text: std::fmt::Arguments<'_>) {
    let _written = out.write_fmt(text);
}

fn height(lane: &ReviewLane) -> usize {
    POINTS + lane.rows.min(ROWS_MAX) * BAR + 6
}

fn titled(text: &str) -> String {
    escape(&text.chars().take(TITLE_CHARS_MAX).collect::<String>())
}

/// Times, collapsed stretches, and when the program was down.
fn head(out: &mut String, review: &Review, bottom: usize) {
    for tick in &review.ticks {
        let x = MARGIN + tick.left;
        let text = escape(&tick.text);
        let anchor = if tick.left > LATE { " text-anchor=\"end\"" } else { "" };
        add(
            out,
            format_args!(
                "<line class=\"tick\" x1=\"{x}\" x2=\"{x}\" y1=\"32\" y2=\"{bottom}\"/><text x=\"{x}\" y=\"28\"{anchor}>{text}</text>"
            ),
        );
        if let Some(day) = &tick.day {
            let day = escape(day);
            add(out, format_args!("<text x=\"{x}\" y=\"13\"{anchor}>{day}</text>"));
        }
        out.push('\n');
    }
    for gap in &review.gaps {
        let (x, width) = (MARGIN + gap.left, gap.right.saturating_sub(gap.left).max(1));
        let text = titled(&gap.text);
        add(
            out,
            format_args!(
                "<g class=\"gap\"><rect x=\"{x}\" y=\"32\" width=\"{width}\" height=\"{}\"/><title>{text}</title></g>\n",
                bottom.saturating_sub(32)
            ),
        );
    }
    for down in &review.breaks {
        let (x, width) = (MARGIN + down.left, down.right.saturating_sub(down.left).max(2));
        let text = titled(&down.length);
        add(
            out,
            format_args!(
                "<g class=\"down\"><rect x=\"{x}\" y=\"36\" width=\"{width}\" height=\"6\"/><title>{text}</title></g>\n"
            ),
        );
    }
}

fn draw(out: &mut String, lane: &ReviewLane, (top, height): (usize, usize)) {
    let (bottom, name) = (top + height, escape(lane.title));
    let right = WIDTH - 10;
    add(
        out,
        format_args!(
            "<line class=\"edge\" x1=\"0\" x2=\"{right}\" y1=\"{bottom}\" y2=\"{bottom}\"/><text class=\"name\" x=\"4\" y=\"{}\">{name}</text>\n",
            top + 14
        ),
    );
    for bar in &lane.bars {
        bar_of(out, bar, top);
    }
    // Points of one position are one mark; which ones, the table says.
    let mut marks: BTreeMap<(u16, bool, bool), usize> = BTreeMap::new();
    for point in &lane.points {
        *marks.entry((point.left, point.failed, point.starred)).or_default() += 1;
    }
    let y = top + 10;
    for ((left, failed, starred), count) in marks {
        let x = MARGIN + left;
        let size = if count > 1 { 5 } else { 4 };
        let shape = if failed {
            format!(
                "<path class=\"failed\" d=\"M{} {}l{s} {s}m0 -{s}l-{s} {s}\"/>",
                x - 4,
                y - 4,
                s = 8
            )
        } else {
            format!("<circle cx=\"{x}\" cy=\"{y}\" r=\"{size}\"/>")
        };
        out.push_str(&shape);
        if starred {
            add(out, format_args!("<path class=\"star\" d=\"M{x} {}l4 4l-4 4l-4 -4z\"/>", y - 4));
        }
    }
    out.push('\n');
}

fn bar_of(out: &mut String, bar: &Bar, top: usize) {
    let kind = match bar.kind {
        BarKind::Run => "run",
        BarKind::Attempt => "attempt",
        BarKind::Need => "need",
        BarKind::Hold => "hold",
    };
    let end = match bar.end {
        None => "lasts",
        Some(BarEnd::Well) => "well",
        Some(BarEnd::Badly) => "badly",
        Some(BarEnd::Unknown) => "unknown",
        Some(BarEnd::Gone) => "gone",
    };
    let (x, width) = (MARGIN + bar.left, bar.right.saturating_sub(bar.left).max(2));
    let y = top + POINTS + bar.row.min(ROWS_MAX - 1) * BAR;
    let (text, length) = (titled(&bar.text), escape(&bar.length));
    add(
        out,
        format_args!(
            "<g class=\"bar {kind} {end}\"><rect x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"7\"/>"
        ),
    );
    for at in &bar.went_on {
        let x = MARGIN + at;
        add(
            out,
            format_args!("<line class=\"on\" x1=\"{x}\" x2=\"{x}\" y1=\"{y}\" y2=\"{}\"/>", y + 7),
        );
    }
    add(out, format_args!("<title>{text} ({length})</title></g>\n"));
}
