//! What a decision changes in the store beside its entry: rows of runs, needs, holds.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use beistand_core::model::{
    ConnectorName, Digest, Direction, Limits, Millis, Mode, NeedId, Organisation, Path, RunId,
    Target,
};
use beistand_core::run::{
    Decision, Event, HOUR, Head, Holder, Means, Need, RunState, Shared, SharedChange, Yes,
};
use beistand_journal::{self as journal, Append, Change, Guard};
use serde_json::{Value, json};

/// What is known of a run's rows, so that only what changed is written.
#[derive(Debug, Default, Clone)]
pub(crate) struct Written {
    pub(crate) needs: BTreeSet<NeedId>,
    pub(crate) status: String,
    pub(crate) superseded_by: Option<RunId>,
}

/// Adds the changes of a decision to its append.
pub(crate) fn changes(
    append: &mut Append,
    decision: &Decision,
    state: &RunState,
    written: &Written,
    (shared, limits): (&Shared, &Limits),
) {
    let at = append.at;
    for change in &decision.shared {
        shared_change(append, change, decision, state, (shared, limits));
    }
    needs(append, decision, state, written);
    let status = state.status().as_str();
    let superseded_by = state.superseded_by();
    if status != written.status || superseded_by != written.superseded_by {
        append.changes.push(Change::RunStatus {
            run: state.opened().run,
            status: status.to_owned(),
            ended_at: state.ended_at(),
            superseded_by,
        });
    }
    if let (true, Some(parent)) = (state.status().is_ended(), &state.opened().parent) {
        append.changes.push(Change::Wake {
            kind: beistand_core::entry::StreamKind::Run,
            id: parent.run.to_string(),
            at,
        });
    }
}

fn needs(append: &mut Append, decision: &Decision, state: &RunState, written: &Written) {
    let mut touched = BTreeSet::new();
    for event in &decision.events {
        if let Head::NeedOpened { id: need, .. }
        | Head::Voted { need, .. }
        | Head::NeedEscalated { need, .. } = &event.head
        {
            touched.insert(*need);
        }
    }
    let open: BTreeSet<NeedId> = state.needs().map(|need| need.id).collect();
    let at = append.at;
    for need in written.needs.difference(&open) {
        append.changes.push(Change::CloseNeed { need: *need, at });
    }
    for need in
        state.needs().filter(|need| touched.contains(&need.id) || !written.needs.contains(&need.id))
    {
        append.changes.push(Change::PutNeed(Box::new(need_row(state, need))));
    }
}

pub(crate) fn need_row(state: &RunState, need: &Need) -> journal::Need {
    let opened = state.opened();
    let body = state.need_json(need);
    let step = need.step.and_then(|ix| state.step(ix)).map(|step| step.path.clone());
    journal::Need {
        id: need.id,
        run: Some(opened.run),
        root: Some(state.root()),
        incident: opened.incident,
        mode: opened.mode,
        kind: need.kind,
        step,
        group: Some(need.group.clone()),
        role: Some(need.role),
        organisation: None,
        digest: Some(need.digest),
        since: need.since,
        until: need.until,
        escalated_at: need.escalated_at,
        closed_at: None,
        body: body.to_string(),
    }
}

/// Which way the effect of a step goes, and whether it destroys.
struct Sent {
    direction: Direction,
    destructive: bool,
}

fn sent(decision: &Decision, path: &Path) -> Option<Sent> {
    decision.events.iter().find_map(|event| {
        let (Head::AttemptStarted(intent) | Head::AlreadyHeld { intent, .. }) = &event.head else {
            return None;
        };
        let (direction, destructive) = (intent.direction, intent.destructive);
        (intent.path == *path).then_some(Sent { direction, destructive })
    })
}

fn key(mode: Mode, target: &str, effect: &Means, (run, path): (RunId, &Path)) -> journal::HoldKey {
    journal::HoldKey {
        mode,
        target: target.to_owned(),
        effect: effect.action.as_str().to_owned(),
        connector: effect.connector.clone().unwrap_or_else(by_hand),
        run,
        path: path.clone(),
    }
}

/// The step whose hold an undo step gives up.
fn origin(path: &Path) -> Path {
    let text = path.as_str();
    text.strip_suffix("/undo").and_then(|text| text.parse().ok()).unwrap_or_else(|| path.clone())
}

fn shared_change(
    append: &mut Append,
    change: &SharedChange,
    decision: &Decision,
    state: &RunState,
    (shared, limits): (&Shared, &Limits),
) {
    let opened = state.opened();
    let mode = opened.mode;
    match change {
        SharedChange::Busy { targets, effect, by, yes } => {
            busy(append, (targets, effect, by), decision, state, (shared, limits));
            if let Some(yes) = yes {
                strike(append, (targets, effect, by), yes);
            }
        }
        SharedChange::Held { targets, effect, by, previous, output } => {
            for target in targets {
                let body = held_body(previous.as_ref(), output.as_ref(), by.what);
                let key = key(mode, target, effect, (by.run, &by.path));
                if joins(shared, target, effect) {
                    // Nothing is sent, so the hold it counts on must still be there.
                    append.guards.push(Guard::TargetFree { hold: key.clone() });
                    append.guards.push(Guard::Held { hold: key.clone() });
                }
                // Where it was sent, the row has it already; where nothing was, this is the first.
                let organisation = whose(decision, target);
                let hold = hold(key, journal::HoldState::Held, by.since);
                let hold = journal::Hold { body, organisation, ..hold };
                append.changes.push(Change::PutHold(Box::new(hold)));
            }
        }
        SharedChange::Freed { targets, effect } => {
            for target in targets {
                let Some(holding) = shared.holds.get(target, effect) else { continue };
                let Some((run, path)) = &holding.busy else { continue };
                let kept = holding.holders.iter().find(|h| h.run == *run && h.path == origin(path));
                let key = key(mode, target, effect, (*run, &origin(path)));
                append.changes.push(match kept {
                    // A release that did not happen: the target is held as before.
                    Some(holder) => {
                        let output = holding.output(holder.what);
                        let body = held_body(holding.previous.as_ref(), output, holder.what);
                        let hold = hold(key, journal::HoldState::Held, holder.since);
                        Change::PutHold(Box::new(journal::Hold { body, ..hold }))
                    }
                    None => Change::RemoveHold(key),
                });
            }
        }
        SharedChange::Released { targets, effect, run, path } => {
            for target in targets {
                append.changes.push(Change::RemoveHold(key(mode, target, effect, (*run, path))));
            }
        }
        SharedChange::Cleared { targets, effect } => {
            for target in targets {
                let Some(holding) = shared.holds.get(target, effect) else { continue };
                let holders = holding.holders.iter().map(|holder| (holder.run, &holder.path));
                let busy = holding.busy.iter().map(|(run, path)| (*run, path));
                for by in holders.chain(busy) {
                    append.changes.push(Change::RemoveHold(key(mode, target, effect, by)));
                }
            }
        }
        SharedChange::Claimed { key, run, path } => {
            let once = once(state, key, (*run, path));
            append.guards.push(Guard::OncePerIncident { once: once.clone() });
            append.changes.push(Change::Once(once));
        }
        SharedChange::Unclaimed { key, run, path } => {
            append.changes.push(Change::NotOnce(once(state, key, (*run, path))));
        }
        SharedChange::Looked { .. } => {}
    }
}

/// Whose target this is, as the events of the decision resolved it.
fn whose(decision: &Decision, target: &str) -> Option<Organisation> {
    let targets = decision.events.iter().flat_map(|event| &event.body.targets);
    let mut found = targets.filter(|found| found.identity() == target);
    found.find_map(|found| found.organisation.clone())
}

/// What a hold's row keeps beside its key.
fn held_body(
    previous: Option<&Arc<Value>>,
    output: Option<&Arc<Value>>,
    what: Option<Digest>,
) -> String {
    json!({"previous": previous, "output": output, "what": what}).to_string()
}

/// Whether a new hold stands on one that is there already.
fn joins(shared: &Shared, target: &str, effect: &Means) -> bool {
    let held = shared.holds.get(target, effect);
    held.is_some_and(|state| state.busy.is_none() && !state.holders.is_empty())
}

/// Whether it was decided in the belief that nobody else holds the target.
fn is_alone(shared: &Shared, target: &str, effect: &Means, own: (RunId, &Path)) -> bool {
    let held = shared.holds.get(target, effect);
    let is_own = |holder: &Holder| (holder.run, &holder.path) == own;
    held.is_none_or(|state| state.holders.iter().all(is_own))
}

fn once(state: &RunState, key: &str, (run, path): (RunId, &Path)) -> journal::Once {
    let key = Digest::from_hex(key).unwrap_or(Digest::ZERO);
    journal::Once { incident: state.opened().incident, key, run, path: path.clone() }
}

fn busy(
    append: &mut Append,
    (targets, effect, by): (&[Target], &Means, &Holder),
    decision: &Decision,
    state: &RunState,
    (shared, limits): (&Shared, &Limits),
) {
    let opened = state.opened();
    let sent = sent(decision, &by.path);
    let undo = sent.as_ref().is_some_and(|sent| sent.direction == Direction::Undo);
    let destructive = sent.as_ref().is_some_and(|sent| sent.destructive);
    let path = if undo { origin(&by.path) } else { by.path.clone() };
    for target in targets {
        let key = key(opened.mode, &target.identity(), effect, (by.run, &path));
        append.guards.push(Guard::TargetFree { hold: key.clone() });
        if is_alone(shared, &target.identity(), effect, (by.run, &path)) {
            append.guards.push(if undo {
                Guard::LastHold { hold: key.clone() }
            } else {
                Guard::NotHeld { hold: key.clone() }
            });
        }
        let state = if undo { journal::HoldState::Releasing } else { journal::HoldState::Taking };
        let mut hold = hold(key, state, by.since);
        hold.organisation.clone_from(&target.organisation);
        append.changes.push(Change::PutHold(Box::new(hold)));
        if destructive {
            append.changes.push(Change::UseTarget(journal::TargetUse {
                mode: opened.mode,
                run: opened.run,
                target: target.identity(),
                organisation: target.organisation.clone(),
                at: append.at,
            }));
        }
    }
    if destructive && *limits != Limits::NONE {
        let count = |target: &Target| journal::TargetCount {
            target: target.identity(),
            organisation: target.organisation.clone(),
        };
        let known = append.guards.iter_mut().find_map(|guard| {
            let Guard::DistinctTargets { targets, .. } = guard else { return None };
            Some(targets)
        });
        // What is written together is counted together.
        match known {
            Some(known) => known.extend(targets.iter().map(count)),
            None => append.guards.push(Guard::DistinctTargets {
                mode: opened.mode,
                run: opened.run,
                since: append.at.minus(HOUR),
                limits: *limits,
                targets: targets.iter().map(count).collect(),
            }),
        }
    }
}

/// An effect that a policy counts: what so few people let through may not have become too much
/// since it was decided.
fn strike(append: &mut Append, (targets, effect, by): (&[Target], &Means, &Holder), yes: &Yes) {
    let strikes = targets.iter().map(|target| journal::Strike {
        root: yes.root,
        action: effect.action.clone(),
        target: target.identity(),
        run: by.run,
        votes: yes.votes,
    });
    let strikes: Vec<journal::Strike> = strikes.collect();
    if let Some(most) = yes.carries {
        let (root, action, votes) = (yes.root, &effect.action, yes.votes);
        let alike = append.guards.iter_mut().find_map(|guard| {
            let Guard::VotesCarry { strikes, .. } = guard else { return None };
            let first = strikes.first()?;
            let same = (first.root, &first.action, first.votes) == (root, action, votes);
            same.then_some(strikes)
        });
        // What is written together is counted together.
        match alike {
            Some(known) => known.extend(strikes.iter().cloned()),
            None => append.guards.push(Guard::VotesCarry { strikes: strikes.clone(), most }),
        }
    }
    append.changes.extend(strikes.into_iter().map(Change::Strike));
}

fn hold(key: journal::HoldKey, state: journal::HoldState, since: Millis) -> journal::Hold {
    journal::Hold { key, state, since, organisation: None, body: "{}".to_owned() }
}

/// What stands for the connector where a person did it.
#[expect(clippy::expect_used, reason = "a literal name")]
pub(crate) fn by_hand() -> ConnectorName {
    "by-hand".parse().expect("a literal connector name")
}

/// The holds of a store, as an engine begins with them.
pub(crate) fn holds_of(
    rows: Vec<journal::Hold>,
    mode: Mode,
) -> BTreeMap<beistand_core::run::HoldKey, beistand_core::run::HoldState> {
    let mut holds: BTreeMap<_, beistand_core::run::HoldState> = BTreeMap::new();
    let mut rows: Vec<journal::Hold> =
        rows.into_iter().filter(|row| row.key.mode == mode).collect();
    rows.sort_by_key(|row| row.since);
    for row in rows {
        let Ok(action) = row.key.effect.parse() else { continue };
        let connector = Some(row.key.connector.clone()).filter(|name| *name != by_hand());
        let effect = Means { action, connector };
        let key = beistand_core::run::HoldKey { target: row.key.target.clone(), effect };
        let state = holds.entry(key).or_default();
        let body: Value = serde_json::from_str(&row.body).unwrap_or_default();
        let part = |name: &str| body.get(name).filter(|value| !value.is_null()).cloned();
        let what = part("what").and_then(|what| serde_json::from_value(what).ok());
        let (run, path) = (row.key.run, row.key.path.clone());
        let holder = Holder { run, path, since: row.since, what };
        match row.state {
            journal::HoldState::Taking => state.busy = Some((holder.run, holder.path)),
            journal::HoldState::Held => {
                if state.holders.is_empty() {
                    state.previous = part("previous").map(Arc::new);
                }
                state.outputs.entry(what).or_insert_with(|| part("output").map(Arc::new));
                state.holders.push(holder);
            }
            journal::HoldState::Releasing => {
                state.busy = Some((holder.run, holder.path.child("undo")));
                state.holders.push(holder);
            }
        }
    }
    holds
}

/// Whether an entry holds an intent: the stop switch and a full disk stand before those.
pub(crate) fn has_intent(events: &[Event]) -> bool {
    events
        .iter()
        .any(|event| matches!(event.head, Head::AttemptStarted(_) | Head::AttemptResumed { .. }))
}
