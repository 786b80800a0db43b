//! The marks of a lane, put into tracks: nothing lies on anything else.
//!
//! One pass from left to right. A mark goes where there is room beside the text before it; otherwise
//! where that text has the most to give; and where not even a mark would fit, it joins the one before.

use super::{Mark, Shape};
use crate::draw::measure::{Face, width};

/// Tracks of points, and of bars, in one lane: more is no overview any more.
const TRACKS_MAX: usize = 3;

/// Between things in a track.
const APART: i32 = 4;

/// From a point to both its sides.
pub(super) const RADIUS: i32 = 6;

/// A bar is never shorter, or it could not be hit.
pub(super) const BAR_MIN: i32 = 6;

/// A star before a text, and the arrow of what goes on.
pub(super) const STAR: i32 = 14;
pub(super) const ARROW: i32 = 6;

/// The longest text beside a mark, in pixels.
const TEXT_MAX: i32 = 240;

/// A shorter one says nothing.
pub(super) const TEXT_MIN: i32 = 48;

/// What stands at one place: a mark, or several that stood too close.
#[derive(Debug, Clone)]
pub(super) struct Item<'a> {
    /// The one that is shown, the worst of all.
    pub(super) mark: &'a Mark,
    /// How many they are.
    pub(super) count: u32,
    /// Its left and right edge.
    pub(super) left: i32,
    pub(super) right: i32,
    /// How far its text may go.
    pub(super) room: i32,
    /// From the top, 0.
    pub(super) track: usize,
}

/// The items of a lane.
#[derive(Debug, Default)]
pub(super) struct Packed<'a> {
    pub(super) points: Vec<Item<'a>>,
    pub(super) bars: Vec<Item<'a>>,
}

impl Packed<'_> {
    /// How many tracks bars need, and points.
    pub(super) fn tracks(&self) -> (usize, usize) {
        let most = |items: &[Item<'_>]| items.iter().map(|item| item.track + 1).max();
        (most(&self.bars).unwrap_or_default(), most(&self.points).unwrap_or_default())
    }
}

/// Puts marks into tracks. `x` says where a place is; nothing goes beyond `end`.
pub(super) fn pack<'a>(marks: &'a [Mark], x: &dyn Fn(super::Place) -> i32, end: i32) -> Packed<'a> {
    let mut sorted: Vec<&Mark> = marks.iter().collect();
    sorted.sort_by_key(|mark| mark.at);
    let (mut points, mut bars) = (Tracks::default(), Tracks::default());
    for mark in sorted {
        let at = x(mark.at);
        match mark.shape {
            Shape::Point | Shape::Decision | Shape::Failure => {
                points.put(mark, (at - RADIUS, at + RADIUS), end);
            }
            Shape::Bar(to) | Shape::Onward(to) | Shape::Broken(to) => {
                bars.put(mark, (at, x(to).max(at + BAR_MIN)), end);
            }
        }
    }
    Packed { points: points.items, bars: bars.items }
}

/// The tracks of one kind, with the last item of each.
#[derive(Default)]
struct Tracks<'a> {
    items: Vec<Item<'a>>,
    last: Vec<usize>,
}

impl<'a> Tracks<'a> {
    fn put(&mut self, mark: &'a Mark, (left, right): (i32, i32), end: i32) {
        let wanted = text_width(mark).min(TEXT_MAX);
        let room = if is_bar(mark) && fits_inside(mark, right - left) {
            right
        } else {
            (right + APART + ARROW + wanted).min(end).max(right)
        };
        let item = |track| Item { mark, count: 1, left, right, room, track };
        let free = |index: &usize| self.items.get(*index).is_some_and(|i| i.room + APART <= left);
        if let Some(track) = self.last.iter().position(free) {
            return self.push(item(track));
        }
        if self.last.len() < TRACKS_MAX {
            return self.push(item(self.last.len()));
        }
        // The text before gives way, where only that is in it.
        let fits = |(_, index): &(usize, &usize)| {
            self.items.get(**index).is_some_and(|before| before.right + APART <= left)
        };
        let room_of = |(_, index): &(usize, &usize)| self.items.get(**index).map(|item| item.room);
        let found = self.last.iter().enumerate().filter(fits).min_by_key(room_of);
        let found = found.map(|(track, index)| (track, *index));
        if let Some((track, before)) = found {
            if let Some(before) = self.items.get_mut(before) {
                before.room = left - APART;
            }
            return self.push(item(track));
        }
        self.join(mark, right);
    }

    fn push(&mut self, item: Item<'a>) {
        let index = self.items.len();
        match self.last.get_mut(item.track) {
            Some(last) => *last = index,
            None => self.last.push(index),
        }
        self.items.push(item);
    }

    /// Becomes one with those that are several already, otherwise with what ends first.
    fn join(&mut self, mark: &'a Mark, right: i32) {
        let end_of =
            |index: &usize| self.items.get(*index).map(|item| (item.count == 1, item.right));
        let Some(index) = self.last.iter().copied().min_by_key(end_of) else { return };
        let Some(item) = self.items.get_mut(index) else { return };
        item.count = item.count.saturating_add(1);
        if is_bar(mark) {
            item.right = item.right.max(right);
            item.room = item.room.max(right);
        } else {
            // Room for the number.
            item.right = item.right.max(item.left + number_width(item.count));
            item.room = item.room.max(item.right);
        }
        if weight(mark) > weight(item.mark) {
            item.mark = mark;
        }
    }
}

/// What its text needs, with the star before it.
fn text_width(mark: &Mark) -> i32 {
    width(&mark.text, Face::Small) + if mark.starred { STAR } else { 0 }
}

/// Whether a bar so wide has room for its text.
pub(super) fn fits_inside(mark: &Mark, room: i32) -> bool {
    text_width(mark) + 12 <= room
}

/// How wide a mark with a number is.
fn number_width(count: u32) -> i32 {
    width(&count.to_string(), Face::Small) + 18
}

const fn is_bar(mark: &Mark) -> bool {
    match mark.shape {
        Shape::Bar(_) | Shape::Onward(_) | Shape::Broken(_) => true,
        Shape::Point | Shape::Decision | Shape::Failure => false,
    }
}

/// Which of several is shown.
const fn weight(mark: &Mark) -> u8 {
    let shape = match mark.shape {
        Shape::Failure | Shape::Broken(_) => 3,
        Shape::Decision | Shape::Onward(_) => 2,
        Shape::Point | Shape::Bar(_) => 1,
    };
    if mark.starred { shape + 4 } else { shape }
}
