//! Where everything stands: from the tree of a flow to parts at places. It draws nothing.
//!
//! A piece is a part of the drawing with a line that runs through it from its upper edge to its lower
//! one, `axis` pixels from its left. Pieces are put below each other on their axes, and beside each
//! other without touching, so boxes never overlap.

use beistand_core::timeline::visible;

use super::ways::{one_row, row_width, rows};
use super::{Aside, Block, Branch, Flow, Inside, Why, Words};
use crate::draw::measure::{Face, broken, width};
use crate::draw::svg::{Area, Point, at};

/// Longest title that is set, in characters.
pub(super) const TITLE_CHARS_MAX: usize = 200;

/// How wide a node is: what most titles need.
pub(super) const NODE_WIDTH: i32 = 220;

/// From a node's upper edge to below its second line.
const NODE_HEIGHT: i32 = 46;

/// What each further line needs.
pub(super) const LINE_HEIGHT: i32 = 16;

/// Between what stands below each other: room for an arrow.
const GAP: i32 = 22;

/// Between a frame and what stands in it.
const PAD: i32 = 10;

/// Between branches.
pub(super) const BESIDE: i32 = 14;

/// From a box's left edge to its texts: the badge of its status stands before them.
pub(super) const INDENT: i32 = 32;

/// For the sign of its kind at the right.
pub(super) const SIGN: i32 = 32;

/// Lines of a title in a node.
pub(super) const TITLE_LINES: usize = 2;

/// For a line that runs along a side.
pub(super) const RAIL: i32 = 16;

/// Between a step and what stands aside.
const ASIDE: i32 = 28;

/// The height of the label over what stands aside.
const ASIDE_HEAD: i32 = 26;

/// How far below its upper edge a line leaves a node sideways.
const SIDEWAYS: i32 = 23;

/// Around everything.
const MARGIN: i32 = 2;

/// The radius of where it begins and ends.
pub(super) const END_RADIUS: i32 = 7;

/// A part of the drawing at its place.
#[derive(Debug, Clone)]
pub(super) enum Part<'a> {
    /// A step that acts itself.
    Node(Area, &'a Block),
    /// A step with others inside, its head so high.
    Frame(Area, &'a Block, i32),
    /// Around steps that stand aside.
    Aside(Area, Why),
    /// A line; with an arrow's head at its end or without.
    Edge(Vec<Point>, Line, Tip),
    /// What a branch is called, on its line.
    Label(Area, &'a str),
    /// Where it begins.
    Start(Point),
    /// Where it ends.
    End(Point),
}

/// What kind of line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Line {
    /// As it goes.
    Plain,
    /// As it went.
    Taken,
    /// As it goes if something happens.
    Aside,
}

/// How a line ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tip {
    Arrow,
    Bare,
}

/// A part of the drawing with a line through it.
#[derive(Debug, Clone, Default)]
pub(super) struct Piece<'a> {
    pub(super) width: i32,
    pub(super) height: i32,
    pub(super) axis: i32,
    /// Nothing comes after it.
    pub(super) ends: bool,
    pub(super) parts: Vec<Part<'a>>,
}

impl<'a> Piece<'a> {
    pub(super) fn edge(&mut self, points: &[Point], line: Line, tip: Tip) {
        self.parts.push(Part::Edge(points.to_vec(), line, tip));
    }

    /// Takes in what another one consists of, moved.
    pub(super) fn take(&mut self, other: Piece<'a>, by: Point) {
        let moved = |point: &mut Point| *point = point.moved(by);
        self.parts.extend(other.parts.into_iter().map(|mut part| {
            match &mut part {
                Part::Node(area, _)
                | Part::Frame(area, ..)
                | Part::Aside(area, _)
                | Part::Label(area, _) => *area = area.moved(by),
                Part::Edge(points, ..) => points.iter_mut().for_each(moved),
                Part::Start(point) | Part::End(point) => moved(point),
            }
            part
        }));
    }
}

/// Lays a whole flow out in so much width.
pub(super) fn layout<'a>(flow: &'a Flow, words: &Words, width: i32) -> Piece<'a> {
    let room = (width - 2 * MARGIN).max(NODE_WIDTH);
    let layout = Layout { words };
    let mut pieces = vec![end(Part::Start(at(END_RADIUS, END_RADIUS)))];
    pieces.extend(flow.blocks.iter().map(|block| layout.block(block, room)));
    let mut main = stack(pieces);
    main.ends = false;
    if !flow.on_failure.is_empty() {
        let aside = layout.aside(Why::OnFailure, &flow.on_failure, room - ASIDE);
        main = below(main, vec![aside]);
    }
    let mut pieces = vec![main];
    if !flow.always.is_empty() {
        pieces.push(layout.aside(Why::Always, &flow.always, room));
    }
    pieces.push(end(Part::End(at(END_RADIUS, END_RADIUS))));
    let all = stack(pieces);
    let (width, height) = (all.width + 2 * MARGIN, all.height + 2 * MARGIN);
    let mut whole = Piece { width, height, ..Piece::default() };
    whole.take(all, at(MARGIN, MARGIN));
    whole
}

/// A step's title as it is set in a box so wide; whether it was cut.
pub(super) fn title(block: &Block, width: i32) -> (Vec<String>, bool) {
    let title = visible(&block.title, TITLE_CHARS_MAX);
    broken(&title, Face::Title, (width - INDENT - SIGN, TITLE_LINES))
}

/// The height of what is said of a step in a box so wide.
fn head_height(block: &Block, width: i32) -> i32 {
    let lines = block.lines.len() + title(block, width).0.len() - 1;
    let lines = i32::try_from(lines).unwrap_or(i32::MAX);
    lines.saturating_mul(LINE_HEIGHT).saturating_add(NODE_HEIGHT)
}

struct Layout<'w> {
    words: &'w Words,
}

impl Layout<'_> {
    fn block<'a>(&self, block: &'a Block, room: i32) -> Piece<'a> {
        let core = match &block.inside {
            Inside::Nothing => node(block),
            Inside::Sequence(_) | Inside::Branches(_) | Inside::Rounds(_) => {
                self.frame(block, room)
            }
        };
        let asides = block.asides.iter().filter(|aside| aside.why != Why::Always);
        // Laid out once, for where there is less room: twice a level would be forever.
        let asides: Vec<Piece<'a>> =
            asides.map(|Aside { why, blocks }| self.aside(*why, blocks, room - ASIDE)).collect();
        let Some(widest) = asides.iter().map(|piece| piece.width).max() else { return core };
        if core.width + ASIDE + widest <= room { beside(core, asides) } else { below(core, asides) }
    }

    fn sequence<'a>(&self, blocks: &'a [Block], room: i32) -> Piece<'a> {
        stack(blocks.iter().map(|block| self.block(block, room)).collect())
    }

    /// A step with others inside.
    fn frame<'a>(&self, block: &'a Block, room: i32) -> Piece<'a> {
        let inner = (room - 2 * PAD).max(NODE_WIDTH);
        let body = match &block.inside {
            Inside::Nothing => Piece::default(),
            Inside::Sequence(blocks) => led(self.sequence(blocks, inner)),
            Inside::Branches(branches) => self.branches(branches, inner),
            Inside::Rounds(blocks) => rounds(self.sequence(blocks, inner - 2 * RAIL)),
        };
        let always = block.asides.iter().filter(|aside| aside.why == Why::Always);
        let always = always.map(|aside| self.aside(Why::Always, &aside.blocks, inner));
        let ends = body.ends;
        let body = stack(std::iter::once(body).chain(always).collect());
        let width = (body.width + 2 * PAD).max(NODE_WIDTH);
        let head = head_height(block, width);
        let left = (width - body.width) / 2;
        let mut frame = Piece {
            width,
            height: head + body.height + PAD,
            axis: left + body.axis,
            ends,
            parts: Vec::new(),
        };
        frame.parts.push(Part::Frame(Area::new(at(0, 0), width, frame.height), block, head));
        if !ends {
            let (axis, bottom) = (frame.axis, head + body.height);
            frame.edge(&[at(axis, bottom), at(axis, frame.height)], Line::Plain, Tip::Bare);
        }
        frame.take(body, at(left, head));
        frame
    }

    /// Steps that stand aside, or run at the end.
    fn aside<'a>(&self, why: Why, blocks: &'a [Block], room: i32) -> Piece<'a> {
        let body = self.sequence(blocks, (room - 2 * PAD).max(NODE_WIDTH));
        let label = width((self.words.why)(why), Face::Small);
        let width = (body.width + 2 * PAD).max(label + 2 * PAD);
        let left = (width - body.width) / 2;
        let height = ASIDE_HEAD + body.height + PAD;
        let mut piece = Piece { width, height, axis: left + body.axis, ..Piece::default() };
        piece.parts.push(Part::Aside(Area::new(at(0, 0), width, height), why));
        if why == Why::Always {
            let (axis, bottom) = (piece.axis, ASIDE_HEAD + body.height);
            piece.edge(&[at(axis, bottom), at(axis, height)], Line::Plain, Tip::Bare);
        }
        piece.take(body, at(left, ASIDE_HEAD));
        piece
    }

    /// Ways beside each other, in as many rows as they need.
    fn branches<'a>(&self, branches: &'a [Branch], room: i32) -> Piece<'a> {
        // In rows the lines along both sides need room too.
        let inner = (room - 2 * RAIL).max(NODE_WIDTH);
        let piece = |branch: &'a Branch| (self.sequence(&branch.blocks, inner), branch);
        let columns: Vec<(Piece<'a>, &'a Branch)> = branches.iter().map(piece).collect();
        if row_width(&columns) <= room { one_row(columns) } else { rows(columns, inner) }
    }
}

fn node(block: &Block) -> Piece<'_> {
    let height = head_height(block, NODE_WIDTH);
    let area = Area::new(at(0, 0), NODE_WIDTH, height);
    Piece {
        width: NODE_WIDTH,
        height,
        axis: NODE_WIDTH / 2,
        ends: block.kind.is_last(),
        parts: vec![Part::Node(area, block)],
    }
}

fn end(part: Part<'_>) -> Piece<'_> {
    let (width, axis) = (2 * END_RADIUS, END_RADIUS);
    Piece { width, height: width, axis, ends: false, parts: vec![part] }
}

/// Pieces below each other on their axes, with arrows between them.
fn stack(pieces: Vec<Piece<'_>>) -> Piece<'_> {
    let axis = pieces.iter().map(|piece| piece.axis).max().unwrap_or_default();
    let right = pieces.iter().map(|piece| piece.width - piece.axis).max().unwrap_or_default();
    let mut all = Piece { width: axis + right, axis, ..Piece::default() };
    let mut before: Option<bool> = None;
    for piece in pieces {
        if let Some(ended) = before {
            let top = all.height;
            all.height += GAP;
            if !ended {
                all.edge(&[at(axis, top), at(axis, all.height)], Line::Plain, Tip::Arrow);
            }
        }
        before = Some(piece.ends);
        let (by, height) = (at(axis - piece.axis, all.height), piece.height);
        all.take(piece, by);
        all.height += height;
    }
    all.ends = before.unwrap_or_default();
    all
}

/// A piece with an arrow that leads into it.
fn led(body: Piece<'_>) -> Piece<'_> {
    let arrow = GAP - 4;
    let mut led = Piece {
        width: body.width,
        height: body.height + arrow,
        axis: body.axis,
        ends: body.ends,
        parts: Vec::new(),
    };
    led.edge(&[at(led.axis, 0), at(led.axis, arrow)], Line::Plain, Tip::Arrow);
    led.take(body, at(0, arrow));
    led
}

/// A piece that is gone through again and again: a line leads back along its right side.
fn rounds(body: Piece<'_>) -> Piece<'_> {
    let (lead, tail) = (GAP, 14);
    let mut all = Piece {
        // As wide on the left, so that its axis stays in the middle.
        width: body.width + 2 * RAIL,
        height: lead + body.height + tail,
        axis: RAIL + body.axis,
        ends: false,
        parts: Vec::new(),
    };
    let (axis, bottom, right) = (all.axis, lead + body.height, all.width - 4);
    all.edge(&[at(axis, 0), at(axis, lead)], Line::Plain, Tip::Arrow);
    all.edge(&[at(axis, bottom), at(axis, all.height)], Line::Plain, Tip::Bare);
    let back = [at(axis, bottom + 8), at(right, bottom + 8), at(right, 7), at(axis, 7)];
    all.edge(&back, Line::Plain, Tip::Arrow);
    all.take(body, at(RAIL, lead));
    all
}

/// What stands aside, to the right.
fn beside<'a>(core: Piece<'a>, asides: Vec<Piece<'a>>) -> Piece<'a> {
    let (axis, right) = (core.axis, core.width);
    let mut all = Piece { axis, ..Piece::default() };
    let mut top = SIDEWAYS - ASIDE_HEAD / 2;
    let (core_height, ends) = (core.height, core.ends);
    all.take(core, at(0, 0));
    for piece in asides {
        let (from, to) = (at(right, SIDEWAYS), at(right + ASIDE, top + ASIDE_HEAD / 2));
        let elbow = right + ASIDE / 2;
        let points = [from, at(elbow, from.y), at(elbow, to.y), to];
        all.edge(&points, Line::Aside, Tip::Arrow);
        all.width = all.width.max(to.x + piece.width);
        let height = piece.height;
        all.take(piece, at(to.x, top));
        top += height + BESIDE;
    }
    all.height = core_height.max(top - BESIDE);
    all.ends = ends;
    if all.height > core_height && !ends {
        all.edge(&[at(axis, core_height), at(axis, all.height)], Line::Plain, Tip::Bare);
    }
    all
}

/// What stands aside, below; the line goes on around its left side.
fn below<'a>(core: Piece<'a>, asides: Vec<Piece<'a>>) -> Piece<'a> {
    let (axis, bottom, ends) = (core.axis, core.height, core.ends);
    let mut all = Piece { width: core.width, axis, ends, ..Piece::default() };
    all.take(core, at(0, 0));
    // As near to its axis as what stands aside allows.
    let widest = asides.iter().map(|piece| piece.width).max().unwrap_or_default();
    let rail = (axis - ASIDE - widest / 2).max(4);
    let mut top = bottom + GAP;
    let (mut last, left) = (top, rail + ASIDE - 4);
    for piece in asides {
        let level = top + ASIDE_HEAD / 2;
        all.edge(&[at(rail, level), at(left, level)], Line::Aside, Tip::Arrow);
        all.width = all.width.max(left + piece.width);
        let height = piece.height;
        all.take(piece, at(left, top));
        last = level;
        top += height + BESIDE;
    }
    all.height = top + 8;
    let out = at(axis, bottom);
    let turn = [out, at(axis, bottom + 10), at(rail, bottom + 10)];
    if ends {
        let points = [turn.as_slice(), &[at(rail, last)]].concat();
        all.edge(&points, Line::Plain, Tip::Bare);
    } else {
        let rest = [at(rail, top - 2), at(axis, top - 2), at(axis, all.height)];
        all.edge(&[turn, rest].concat(), Line::Plain, Tip::Bare);
    }
    all
}
