//! What lasted, what was due, and when the program was down: from the strokes of lines, in real time.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{Millis, Span};
use crate::timeline::stroke::Edge;
use crate::timeline::{BarEnd, BarKind, TimelineEntry};

/// Something that lasted, or lasts still.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::timeline) struct Lasted {
    /// What.
    pub(in crate::timeline) kind: BarKind,
    /// The place of the line that began it.
    pub(in crate::timeline) begins: usize,
    /// From when.
    pub(in crate::timeline) from: Millis,
    /// Until when; `now` while it lasts.
    pub(in crate::timeline) to: Millis,
    /// The place of the line that ended it, and how; absent while it lasts.
    pub(in crate::timeline) ended: Option<(usize, BarEnd)>,
    /// When it went on after the program was down.
    pub(in crate::timeline) went_on: Vec<Millis>,
}

/// Something that should have ended by an instant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Due {
    /// The place of the line that says so.
    pub(super) line: usize,
    /// When.
    pub(super) at: Millis,
    /// It was said that it did not.
    pub(super) missed: bool,
    /// When it ended.
    pub(super) ended: Option<Millis>,
}

/// All of it, in the order in which it began.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(in crate::timeline) struct Lasting {
    /// What lasted.
    pub(in crate::timeline) bars: Vec<Lasted>,
    /// What was due.
    pub(super) due: Vec<Due>,
    /// When the program was down, and went on with what it had begun.
    pub(super) down: Vec<(Millis, Millis)>,
}

/// A standstill shorter than this is none.
const DOWN_MIN: Span = Span::from_secs(1);

#[derive(Default)]
struct Collecting<'l> {
    lasting: Lasting,
    open: BTreeMap<(BarKind, &'l str), usize>,
    due: BTreeMap<&'l str, usize>,
    /// The hold that began last, and on which targets each of them is.
    newest: &'l str,
    grips: BTreeMap<&'l str, BTreeSet<&'l str>>,
}

/// What the strokes of these lines make, until `now`.
pub(in crate::timeline) fn lasting(lines: &[TimelineEntry], now: Millis) -> Lasting {
    let mut written: Vec<(usize, &TimelineEntry)> = lines.iter().enumerate().collect();
    // As it was written down: an answer on paper is typed in after it was given.
    written.sort_by(|(_, a), (_, b)| {
        (a.at, &a.stream, a.seq, a.event).cmp(&(b.at, &b.stream, b.seq, b.event))
    });
    let mut all = Collecting::default();
    let mut before = None;
    for (place, line) in written {
        for stroke in &line.strokes {
            all.take((place, line), (&stroke.key, stroke.what));
            if let (Edge::GoesOn, Some(before)) = (stroke.what, before) {
                all.was_down(before, line.at);
            }
        }
        before = Some(line.at);
    }
    let Collecting { mut lasting, open, .. } = all;
    for place in open.into_values() {
        if let Some(bar) = lasting.bars.get_mut(place) {
            bar.to = bar.from.max(now);
        }
    }
    lasting
}

impl<'l> Collecting<'l> {
    fn take(&mut self, (place, line): (usize, &TimelineEntry), (key, what): (&'l str, Edge)) {
        let at = line.when();
        match what {
            // A hold that is there stays the one it is.
            Edge::Begins(BarKind::Hold) if self.open.contains_key(&(BarKind::Hold, key)) => {
                self.newest = key;
            }
            Edge::Begins(kind) => {
                self.end((kind, key), (at, place, BarEnd::Gone));
                self.open.insert((kind, key), self.lasting.bars.len());
                let (went_on, ended) = (Vec::new(), None);
                let bar = Lasted { kind, begins: place, from: at, to: at, ended, went_on };
                self.lasting.bars.push(bar);
                if kind == BarKind::Hold {
                    self.newest = key;
                }
            }
            Edge::Grips => drop(self.grips.entry(self.newest).or_default().insert(key)),
            Edge::LetsGo => self.let_go(key, (at, place)),
            Edge::Ends(kind, how) => {
                self.end((kind, key), (at, place, how));
                let due = self.due.remove(key).and_then(|due| self.lasting.due.get_mut(due));
                if let Some(due) = due {
                    due.ended = Some(at);
                }
            }
            Edge::GoesOn => {
                let open = self.open.get(&(BarKind::Attempt, key)).copied();
                if let Some(bar) = open.and_then(|open| self.lasting.bars.get_mut(open)) {
                    bar.went_on.push(at);
                }
            }
            Edge::Due(due) => self.is_due(key, (place, due)),
            Edge::Missed => {
                let due = self.due.get(key).copied();
                if let Some(due) = due.and_then(|due| self.lasting.due.get_mut(due)) {
                    due.missed = true;
                }
            }
        }
    }

    fn end(&mut self, of: (BarKind, &'l str), (at, place, how): (Millis, usize, BarEnd)) {
        let open = self.open.remove(&of);
        if let Some(bar) = open.and_then(|open| self.lasting.bars.get_mut(open)) {
            bar.to = bar.from.max(at);
            bar.ended = Some((place, how));
        }
    }

    /// A hold ends with the last of its targets that is let go.
    fn let_go(&mut self, target: &'l str, (at, place): (Millis, usize)) {
        let mut free = Vec::new();
        for (hold, targets) in &mut self.grips {
            if targets.remove(target) && targets.is_empty() {
                free.push(*hold);
            }
        }
        for hold in free {
            self.end((BarKind::Hold, hold), (at, place, BarEnd::Gone));
        }
    }

    /// After one was missed, later ones only say it again.
    fn is_due(&mut self, key: &'l str, (line, at): (usize, Millis)) {
        let before = self.due.get(key).copied();
        let before = before.and_then(|before| self.lasting.due.get_mut(before));
        match before {
            Some(due) if due.missed => {}
            Some(due) => (due.line, due.at) = (line, at),
            None => {
                self.due.insert(key, self.lasting.due.len());
                self.lasting.due.push(Due { line, at, missed: false, ended: None });
            }
        }
    }

    fn was_down(&mut self, before: Millis, until: Millis) {
        if until.since(before) >= DOWN_MIN {
            self.lasting.down.push((before, until));
        }
    }
}
