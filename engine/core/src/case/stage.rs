//! What a case is played with: pretended connectors for all, and how runs are folded and counted.

use std::collections::BTreeMap;

use super::play::{PlayedEntry, PlayedRun};
use crate::model::{ActionName, Catalogue, EntryId, capabilities};
use crate::playbook::Plan;
use crate::run::{Binding, Contradiction, Head, RunState, decode, encode};

/// The state that a run's entries give, by way of their bytes.
pub(super) fn fold(plan: &Plan, entries: &[PlayedEntry]) -> Result<RunState, Contradiction> {
    let mut kept = Vec::new();
    for (entry, number) in entries.iter().zip(0..) {
        let (head, body) = encode(EntryId::new(number, &[0; 10]), &entry.events);
        let (_, events) = decode(&head, body.as_deref())?;
        kept.push((entry.at, events));
    }
    RunState::fold(plan, kept.iter().map(|(at, events)| (*at, events.as_slice())))
}

/// Attempts that connectors made, by action.
pub(super) fn count(runs: &[PlayedRun]) -> BTreeMap<ActionName, u32> {
    let mut calls = BTreeMap::new();
    let events = runs.iter().flat_map(|run| &run.entries).flat_map(|entry| &entry.events);
    for event in events {
        if let Head::AttemptStarted(intent) = &event.head
            && intent.connector.is_some()
        {
            *calls.entry(intent.action.clone()).or_default() += 1;
        }
    }
    calls
}

/// A pretended connector for every capability and every slot.
pub(super) fn bindings(plan: &Plan, catalogue: &Catalogue) -> Vec<Binding> {
    let own = capabilities(catalogue).into_iter().map(|capability| (capability, None));
    let slots = plan.parts().slots.iter();
    let slots = slots.map(|(name, slot)| (slot.capability.clone(), Some(name.to_string())));
    own.chain(slots)
        .filter_map(|(capability, slot)| {
            let text = slot.as_ref().map_or_else(|| capability.clone(), |s| s.replace('_', "-"));
            let connector = format!("pretended-{text}").parse().ok()?;
            Some(Binding { capability, slot, organisation: None, range: None, connector })
        })
        .collect()
}
