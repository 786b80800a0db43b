//! What lines say of each other: which corrects which, which is starred, and as what somebody acted.
//!
//! It takes lines that one reader may see, and drops what is about a line that they may not: who
//! corrects something hidden tells nobody that it is there.

use std::collections::BTreeMap;

use super::entry::TimelineEntry;
use crate::model::{LineId, Person, Role};

/// The words of the lines that mark others.
pub(super) const CORRECTED: &str = "line-corrected";
pub(super) const STARRED: &str = "line-starred";
const STAR_REMOVED: &str = "star-removed";
pub(super) const TOLD: &str = "story-told";
pub(super) const LEFT_OUT: &str = "story-left-out";

/// The lines of one timeline in the order in which they are read, each with what the others say of
/// it: by when it happened, then as the journal has it.
pub fn bound(mut lines: Vec<TimelineEntry>) -> Vec<TimelineEntry> {
    // As they were written down: a mark comes after what it marks.
    lines.sort_by(|a, b| (a.at, &a.stream, a.seq, a.event).cmp(&(b.at, &b.stream, b.seq, b.event)));
    let places: BTreeMap<LineId, usize> =
        lines.iter().zip(0..).filter_map(|(line, place)| Some((line.line()?, place))).collect();
    let mut kept: Vec<bool> = Vec::with_capacity(lines.len());
    let mut holders: BTreeMap<Role, Person> = BTreeMap::new();
    for place in 0..lines.len() {
        let about = lines.get(place).and_then(|line| line.about);
        let of = about.and_then(|about| places.get(&about).copied());
        // What is about nothing stays; so does what is about a line that stays.
        let stays = about.is_none() || of.is_some_and(|of| kept.get(of) != Some(&false));
        if let Some(of) = of.filter(|_| stays)
            && let Ok([line, of]) = lines.get_disjoint_mut([place, of])
        {
            mark(line, of);
        }
        if let Some(line) = lines.get_mut(place).filter(|_| stays) {
            act_as(line, &mut holders);
        }
        kept.push(stays);
    }
    let mut kept = kept.into_iter();
    lines.retain(|_| kept.next().unwrap_or(false));
    lines.sort_by(TimelineEntry::in_order);
    lines
}

/// What a line that marks another one does to it.
fn mark(line: &mut TimelineEntry, of: &mut TimelineEntry) {
    match line.kind {
        CORRECTED => {
            of.corrected_by = line.line();
            line.lane = of.lane;
            // Words alone are about the same moment.
            line.happened_at = line.happened_at.or_else(|| Some(of.when()));
        }
        STARRED => of.starred_by.clone_from(&line.actor),
        STAR_REMOVED => of.starred_by = None,
        _ => {}
    }
}

/// As what somebody acted, by the roles that were given until then.
fn act_as(line: &mut TimelineEntry, holders: &mut BTreeMap<Role, Person>) {
    let held = holders.iter().filter(|(_, person)| Some(*person) == line.actor.as_ref());
    line.roles.extend(held.map(|(role, _)| *role));
    line.roles.sort_unstable();
    line.roles.dedup();
    match &line.given {
        Some((role, Some(person))) => drop(holders.insert(*role, person.clone())),
        Some((role, None)) => drop(holders.remove(role)),
        None => {}
    }
}
