//! Ways beside each other: in one row between two buses, or in several rows along two rails.

use beistand_core::timeline::visible;

use super::Branch;
use super::layout::{BESIDE, Line, Part, Piece, RAIL, TITLE_CHARS_MAX, Tip};
use crate::draw::measure::{Face, width};
use crate::draw::svg::{Area, at};

/// From a bus to the branch below it: room for its label and an arrow.
const DROP: i32 = 44;

/// The height of a branch's label.
const LABEL_HEIGHT: i32 = 20;

/// Ways in one row between two buses.
pub(super) fn one_row<'a>(columns: Vec<(Piece<'a>, &'a Branch)>) -> Piece<'a> {
    let placed = places(&columns, 0);
    let (first, last) = (axis_of(placed.first()), axis_of(placed.last()));
    let axis = i32::midpoint(first, last);
    let ends = columns.iter().all(|(piece, _)| piece.ends);
    let mut all = Piece { axis, ends, ..Piece::default() };
    let bus = 8;
    all.edge(&[at(axis, 0), at(axis, bus)], Line::Plain, Tip::Bare);
    all.edge(&[at(first, bus), at(last, bus)], Line::Plain, Tip::Bare);
    let bottom = row(&mut all, columns, &placed, bus);
    let tails = all.parts.iter().filter_map(|part| match part {
        Part::Edge(points, _, Tip::Bare) => points.last().filter(|p| p.y == bottom).map(|p| p.x),
        Part::Edge(..)
        | Part::Node(..)
        | Part::Frame(..)
        | Part::Aside(..)
        | Part::Label(..)
        | Part::Start(_)
        | Part::End(_) => None,
    });
    let reached: Vec<i32> = tails.chain([axis]).collect();
    all.height = bottom + if ends { 0 } else { 8 };
    if !ends {
        let from = reached.iter().copied().min().unwrap_or(axis);
        let to = reached.iter().copied().max().unwrap_or(axis);
        all.edge(&[at(from, bottom), at(to, bottom)], Line::Plain, Tip::Bare);
        all.edge(&[at(axis, bottom), at(axis, all.height)], Line::Plain, Tip::Bare);
    }
    all
}

/// Ways in several rows: a line along the left side leads to them, one along the right away.
pub(super) fn rows<'a>(columns: Vec<(Piece<'a>, &'a Branch)>, room: i32) -> Piece<'a> {
    let mut all = Piece::default();
    let ends = columns.iter().all(|(piece, _)| piece.ends);
    let lines = lines_of(columns, room);
    let widest = lines.iter().map(|line| row_width(line)).max().unwrap_or_default();
    let right = RAIL + widest + RAIL - 4;
    let (left, axis) = (4, RAIL + widest / 2);
    let first_bus = 8;
    let (mut top, mut entry, mut exit) = (first_bus, first_bus, first_bus);
    for line in lines {
        let placed = places(&line, RAIL + (widest - row_width(&line)) / 2);
        let last = axis_of(placed.last());
        let end = if top == first_bus { last.max(axis) } else { last };
        all.edge(&[at(left, top), at(end, top)], Line::Plain, Tip::Bare);
        entry = top;
        let goes_on = line.iter().zip(&placed).find(|((piece, _), _)| !piece.ends);
        let first = goes_on.map(|(_, place)| axis_of(Some(place)));
        exit = row(&mut all, line, &placed, top);
        if let Some(first) = first {
            all.edge(&[at(first, exit), at(right, exit)], Line::Plain, Tip::Bare);
        }
        top = exit + 12;
    }
    all.edge(&[at(axis, 0), at(axis, first_bus)], Line::Plain, Tip::Bare);
    all.edge(&[at(left, first_bus), at(left, entry)], Line::Plain, Tip::Bare);
    let first_exit = all.parts.iter().filter_map(|part| match part {
        Part::Edge(points, ..) => points.last().filter(|p| p.x == right).map(|p| p.y),
        Part::Node(..)
        | Part::Frame(..)
        | Part::Aside(..)
        | Part::Label(..)
        | Part::Start(_)
        | Part::End(_) => None,
    });
    let first_exit = first_exit.min().unwrap_or(exit);
    let height = exit + if ends { 0 } else { 8 };
    if !ends {
        let points = [at(right, first_exit), at(right, exit), at(axis, exit), at(axis, height)];
        all.edge(&points, Line::Plain, Tip::Bare);
    }
    Piece { width: right + 4, height, axis, ends, parts: all.parts }
}

/// Draws one row of ways below a bus; answers where the bus below it is.
fn row<'a>(
    all: &mut Piece<'a>,
    columns: Vec<(Piece<'a>, &'a Branch)>,
    placed: &[(i32, i32)],
    bus: i32,
) -> i32 {
    let top = bus + DROP;
    let tallest = columns.iter().map(|(piece, _)| piece.height).max().unwrap_or_default();
    let bottom = top + tallest + 10;
    for ((piece, branch), (left, axis)) in columns.into_iter().zip(placed.iter().copied()) {
        let line = if branch.taken { Line::Taken } else { Line::Plain };
        all.edge(&[at(axis, bus), at(axis, top)], line, Tip::Arrow);
        let room = piece.width.max(2 * LABEL_HEIGHT);
        let label = (width(&visible(&branch.label, TITLE_CHARS_MAX), Face::Small) + 18).min(room);
        let corner = at((axis - label / 2).max(left), bus + 8);
        all.parts.push(Part::Label(Area::new(corner, label, LABEL_HEIGHT), &branch.label));
        all.width = all.width.max(left + piece.width);
        let (height, ends) = (piece.height, piece.ends);
        all.take(piece, at(left, top));
        if !ends {
            all.edge(&[at(axis, top + height), at(axis, bottom)], line, Tip::Bare);
        }
    }
    bottom
}

/// Left edge and axis of each of these beside each other.
fn places(columns: &[(Piece<'_>, &Branch)], from: i32) -> Vec<(i32, i32)> {
    let mut left = from;
    let place = |(piece, _): &(Piece<'_>, &Branch)| {
        let place = (left, left + piece.axis);
        left += piece.width + BESIDE;
        place
    };
    columns.iter().map(place).collect()
}

fn axis_of(place: Option<&(i32, i32)>) -> i32 {
    place.map_or(0, |(_, axis)| *axis)
}

pub(super) fn row_width(line: &[(Piece<'_>, &Branch)]) -> i32 {
    let widths: i32 = line.iter().map(|(piece, _)| piece.width + BESIDE).sum();
    (widths - BESIDE).max(0)
}

/// As many a row as fit.
fn lines_of<'a>(
    columns: Vec<(Piece<'a>, &'a Branch)>,
    room: i32,
) -> Vec<Vec<(Piece<'a>, &'a Branch)>> {
    let mut lines: Vec<Vec<_>> = Vec::new();
    for column in columns {
        match lines.last_mut() {
            Some(line) if row_width(line) + BESIDE + column.0.width <= room => line.push(column),
            Some(_) | None => lines.push(vec![column]),
        }
    }
    lines
}
