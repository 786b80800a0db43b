//! Many streams, one timeline.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::entry::{Events, Lang, Recorded, Scope, TimelineEntry};
use super::incident;
use super::run::Teller;
use super::seen::Called;
use crate::incident::Head as IncidentHead;
use crate::model::{Digest, IncidentId, RunId, Tlp};
use crate::playbook::Plan;
use crate::run::{Event, Head};

/// The lines of these entries, in the order of (at, stream, seq).
///
/// Entries may come in any order; each stream's should be complete, because earlier events give
/// later ones their words. `plans` are those that the runs pinned, by digest; what a run without
/// its plan says is told without texts and values, because nobody knows which are sensitive.
pub fn timeline<'e>(
    entries: impl IntoIterator<Item = &'e Recorded>,
    plans: &BTreeMap<Digest, Arc<Plan>>,
    scope: &Scope,
    lang: Lang,
) -> Vec<TimelineEntry> {
    let mut streams: BTreeMap<&str, Vec<&Recorded>> = BTreeMap::new();
    for recorded in entries {
        streams.entry(&recorded.stream).or_default().push(recorded);
    }
    let markings = markings(streams.values().flatten().copied());
    for stream in streams.values_mut() {
        stream.sort_by_key(|recorded| recorded.seq);
        stream.dedup_by_key(|recorded| recorded.seq);
    }
    let view = (scope, lang);
    let mut lines = Vec::new();
    for stream in streams.values() {
        lines.extend(tell_other(view, stream, &markings));
    }
    let mut called: BTreeMap<RunId, Called> = BTreeMap::new();
    for stream in runs_in_order(streams.into_values()) {
        let plan = plan_of(&stream, plans);
        let from = stream.run.and_then(|run| called.remove(&run)).unwrap_or_default();
        let mut teller = Teller::new(view, plan, from, stream.events().map(|(_, event)| event));
        let readable = stream.is_readable(scope, plan, &markings);
        for (recorded, event, number) in stream.numbered() {
            let line = teller.tell(recorded, event).filter(|_| readable);
            lines.extend(line.map(|line| TimelineEntry { event: number, ..line }));
        }
        called.extend(teller.called());
    }
    // Stable: the events of one entry stay in their order.
    lines.sort_by(|a, b| (a.at, &a.stream, a.seq).cmp(&(b.at, &b.stream, b.seq)));
    lines
}

/// The marking of each incident, as its newest entry has it; entries come in any order.
fn markings<'e>(entries: impl Iterator<Item = &'e Recorded>) -> BTreeMap<IncidentId, Tlp> {
    let mut ids: BTreeMap<&str, IncidentId> = BTreeMap::new();
    let mut newest: BTreeMap<&str, (u64, Tlp)> = BTreeMap::new();
    for recorded in entries {
        let Events::Incident(events) = &recorded.events else { continue };
        for event in events {
            let tlp = match &event.head {
                IncidentHead::IncidentOpened { incident, tlp, .. } => {
                    ids.insert(&recorded.stream, *incident);
                    Some(*tlp)
                }
                IncidentHead::IncidentChanged { tlp, .. } => *tlp,
                IncidentHead::IncidentClosed
                | IncidentHead::PlaybookProposed { .. }
                | IncidentHead::NoteAdded { .. }
                | IncidentHead::NoteCopied { .. }
                | IncidentHead::TurnedReal { .. }
                | IncidentHead::RoleAssigned { .. }
                | IncidentHead::CommandOffered { .. }
                | IncidentHead::OfferWithdrawn
                | IncidentHead::CommandTaken { .. }
                | IncidentHead::OrganisationLinked
                | IncidentHead::AssetChanged { .. }
                | IncidentHead::EvidenceAdded { .. }
                | IncidentHead::CalledOut { .. }
                | IncidentHead::CallOutEnded { .. }
                | IncidentHead::LineCorrected { .. }
                | IncidentHead::LineStarred { .. }
                | IncidentHead::StarRemoved { .. }
                | IncidentHead::StoryTold { .. }
                | IncidentHead::StoryLeftOut { .. } => None,
            };
            let Some(tlp) = tlp else { continue };
            let known = newest.entry(&recorded.stream).or_insert((recorded.seq, tlp));
            if recorded.seq >= known.0 {
                *known = (recorded.seq, tlp);
            }
        }
    }
    let marking = |(stream, id)| newest.get(stream).map(|(_, tlp)| (id, *tlp));
    ids.into_iter().filter_map(marking).collect()
}

fn tell_other(
    (scope, lang): (&Scope, Lang),
    stream: &[&Recorded],
    markings: &BTreeMap<IncidentId, Tlp>,
) -> Vec<TimelineEntry> {
    let mut lines = Vec::new();
    // A stream of one incident: its marking is known from its first entry, or not at all.
    let marking = |event: &crate::incident::Event| {
        let IncidentHead::IncidentOpened { incident, .. } = &event.head else { return None };
        markings.get(incident).copied()
    };
    let own = stream.iter().find_map(|recorded| match &recorded.events {
        Events::Incident(events) => events.iter().find_map(marking),
        Events::Run(_) | Events::Store(_) => None,
    });
    for recorded in stream {
        match &recorded.events {
            Events::Incident(events) if may_read(scope, own) => {
                let told = events.iter().zip(1..).filter_map(|(event, number)| {
                    let line = incident::tell((scope, lang), recorded, event)?;
                    Some(TimelineEntry { event: number, ..line })
                });
                lines.extend(told);
            }
            Events::Run(_) | Events::Incident(_) => {}
            Events::Store(events) => {
                lines.extend(incident::tell_store((scope, lang), recorded, events));
            }
        }
    }
    lines
}

/// Whether something with this marking may be read; what has no known marking counts as the highest.
fn may_read(scope: &Scope, marking: Option<Tlp>) -> bool {
    marking.unwrap_or(Tlp::Red) <= scope.tlp
}

/// The entries of one run.
struct RunStream<'e> {
    entries: Vec<&'e Recorded>,
    run: Option<RunId>,
    parent: Option<RunId>,
    incident: Option<IncidentId>,
    digest: Option<Digest>,
}

impl<'e> RunStream<'e> {
    fn new(entries: Vec<&'e Recorded>) -> Self {
        let mut stream = Self { entries, run: None, parent: None, incident: None, digest: None };
        let opened = stream.events().find_map(|(_, event)| {
            let Head::RunOpened { run, parent, incident, digest, .. } = &event.head else {
                return None;
            };
            Some((*run, parent.as_ref().map(|parent| parent.run), *incident, *digest))
        });
        if let Some((run, parent, incident, digest)) = opened {
            stream.run = Some(run);
            stream.parent = parent;
            stream.incident = Some(incident);
            stream.digest = Some(digest);
        }
        stream
    }

    fn events(&self) -> impl Iterator<Item = (&'e Recorded, &'e Event)> {
        self.numbered().map(|(recorded, event, _)| (recorded, event))
    }

    /// Each event with its number in its entry, from 1.
    fn numbered(&self) -> impl Iterator<Item = (&'e Recorded, &'e Event, u16)> {
        self.entries.iter().flat_map(|recorded| {
            let events: &[Event] = match &recorded.events {
                Events::Run(events) => events,
                Events::Incident(_) | Events::Store(_) => &[],
            };
            events.iter().zip(1..).map(|(event, number)| (*recorded, event, number))
        })
    }

    fn is_readable(
        &self,
        scope: &Scope,
        plan: Option<&Plan>,
        markings: &BTreeMap<IncidentId, Tlp>,
    ) -> bool {
        let of_incident = self.incident.and_then(|incident| markings.get(&incident).copied());
        may_read(scope, of_incident.max(plan.map(|plan| plan.parts().tlp)))
    }
}

fn plan_of<'p>(stream: &RunStream<'_>, plans: &'p BTreeMap<Digest, Arc<Plan>>) -> Option<&'p Plan> {
    plans.get(&stream.digest?).map(AsRef::as_ref)
}

/// Callers before the runs they call: these take over the items around the call.
fn runs_in_order<'e>(streams: impl Iterator<Item = Vec<&'e Recorded>>) -> Vec<RunStream<'e>> {
    let is_run = |entries: &Vec<&Recorded>| {
        entries.iter().any(|recorded| matches!(recorded.events, Events::Run(_)))
    };
    let mut waiting: Vec<RunStream<'e>> = streams.filter(is_run).map(RunStream::new).collect();
    let mut ordered: Vec<RunStream<'e>> = Vec::with_capacity(waiting.len());
    while !waiting.is_empty() {
        let open: Vec<RunId> = waiting.iter().filter_map(|stream| stream.run).collect();
        let waits = |stream: &RunStream<'_>| {
            stream.parent.is_some_and(|parent| stream.run != Some(parent) && open.contains(&parent))
        };
        let (later, now): (Vec<_>, Vec<_>) = waiting.into_iter().partition(waits);
        if now.is_empty() {
            // Runs that call each other in a circle: no journal of ours. Told as they are.
            ordered.extend(later);
            break;
        }
        ordered.extend(now);
        waiting = later;
    }
    ordered
}
