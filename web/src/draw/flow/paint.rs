//! Parts at places, drawn: what lies behind first, then lines, then what is read.

use super::layout::{END_RADIUS, INDENT, LINE_HEIGHT, Line, Part, Piece, Tip, title};
use super::{Block, Why, Words};
use crate::draw::Access;
use crate::draw::glyph::{Heading, Look, arrow_head};
use crate::draw::measure::Face;
use crate::draw::svg::{Area, Point, Sheet, at};

/// Draws what was laid out.
pub(super) fn paint(piece: Piece<'_>, words: &Words, access: &Access<'_>) -> String {
    let mut sheet = Sheet::new("draw-flow", (piece.width, piece.height), access);
    let parts = piece.parts;
    for part in &parts {
        match part {
            Part::Frame(area, block, head) => frame(&mut sheet, *area, block, *head),
            Part::Aside(area, why) => aside(&mut sheet, *area, (*why, words)),
            Part::Node(..) | Part::Edge(..) | Part::Label(..) | Part::Start(_) | Part::End(_) => {}
        }
    }
    for part in &parts {
        if let Part::Edge(points, line, tip) = part {
            edge(&mut sheet, points, (*line, *tip));
        }
    }
    for part in &parts {
        match part {
            Part::Node(area, block) => node(&mut sheet, *area, block, words),
            Part::Frame(area, block, height) => {
                head(&mut sheet, Area { height: *height, ..*area }, block, words);
            }
            Part::Label(area, text) => {
                sheet.rect("draw-label-box", *area, 10);
                let start = at(area.x + 8, area.y + 14);
                sheet.text(Face::Small, "draw-label", start, (text, area.width - 14));
            }
            Part::Start(centre) => sheet.circle("draw-start", *centre, END_RADIUS - 1),
            Part::End(centre) => {
                sheet.circle("draw-end", *centre, END_RADIUS - 1);
                sheet.circle("draw-start", *centre, END_RADIUS - 4);
            }
            Part::Aside(..) | Part::Edge(..) => {}
        }
    }
    sheet.finish()
}

fn frame(sheet: &mut Sheet, area: Area, block: &Block, head: i32) {
    let look = Look::of(block.status).class();
    sheet.rect(&format!("draw-frame {look}"), area, 6);
    let level = area.y + head;
    sheet.line("draw-rule", &[at(area.x, level), at(area.right(), level)]);
}

fn aside(sheet: &mut Sheet, area: Area, (why, words): (Why, &Words)) {
    let class = match why {
        Why::Always => "draw-aside draw-always",
        Why::OnError | Why::OnFailure | Why::Undo => "draw-aside",
    };
    sheet.rect(class, area, 6);
    let label = (words.why)(why);
    sheet.text(
        Face::Small,
        "draw-aside-label",
        at(area.x + 10, area.y + 17),
        (label, area.width - 20),
    );
}

fn edge(sheet: &mut Sheet, points: &[Point], (line, tip): (Line, Tip)) {
    let (class, head) = match line {
        Line::Plain => ("draw-edge", "draw-tip"),
        Line::Taken => ("draw-edge draw-taken", "draw-tip draw-taken"),
        Line::Aside => ("draw-edge draw-if", "draw-tip"),
    };
    sheet.line(class, points);
    let [.., before, last] = points else { return };
    if tip == Tip::Arrow {
        let heading = match () {
            () if last.x > before.x => Heading::Right,
            () if last.x < before.x => Heading::Left,
            () => Heading::Down,
        };
        arrow_head(sheet, head, *last, heading);
    }
}

fn node(sheet: &mut Sheet, area: Area, block: &Block, words: &Words) {
    let look = Look::of(block.status).class();
    sheet.link(&format!("draw-node {look}"), block.href.as_deref(), &told(block, words));
    sheet.rect("draw-box", area, 6);
    said(sheet, area, block, words);
    sheet.close();
}

/// The head of a frame.
fn head(sheet: &mut Sheet, area: Area, block: &Block, words: &Words) {
    let look = Look::of(block.status).class();
    sheet.link(&format!("draw-head {look}"), block.href.as_deref(), &told(block, words));
    sheet.rect("draw-hit", area, 6);
    said(sheet, area, block, words);
    sheet.close();
}

/// What is said of a step.
fn said(sheet: &mut Sheet, area: Area, block: &Block, words: &Words) {
    let Area { x, y, width, .. } = area;
    Look::of(block.status).draw(sheet, at(x + 8, y + 8));
    block.kind.draw(sheet, at(x + width - 24, y + 8));
    let (lines, _) = title(block, width);
    sheet.lines(Face::Title, at(x + INDENT, y + 21), (&lines, LINE_HEIGHT));
    let room = width - INDENT - 8;
    let further = i32::try_from(lines.len()).unwrap_or(1) - 1;
    let mut level = y + 38 + further * LINE_HEIGHT;
    sheet.text(Face::Small, "draw-status", at(x + INDENT, level), (&state(block, words), room));
    for line in &block.lines {
        level += LINE_HEIGHT;
        sheet.text(Face::Small, "", at(x + INDENT, level), (line, room));
    }
}

/// Status and kind in words, the status first: that is what is looked for.
fn state(block: &Block, words: &Words) -> String {
    let kind = (words.kind)(block.kind);
    match block.status {
        Some(status) => format!("{} · {kind}", (words.status)(status)),
        None => kind.to_owned(),
    }
}

/// All of it on one line, for who asks or listens.
fn told(block: &Block, words: &Words) -> String {
    let mut text = format!("{}: {}", block.title, state(block, words));
    for line in &block.lines {
        text.push_str(" · ");
        text.push_str(line);
    }
    text
}
