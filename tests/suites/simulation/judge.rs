//! The verdict on a schedule whose runs have ended: nothing lost, nothing done without leave,
//! nothing left behind. It reads journals and the ledger, not the machine.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use beistand_core::model::{
    Digest, Direction, EffectClass, EntryId, Millis, NeedId, Path, RunId, Span,
};
use beistand_core::run::{
    AttemptEnd, Event, Head, NeedKind, Phase, ProbeEnd, RunState, decode, encode,
};
use serde_json::Value;

use super::world::{Run, World, fold};

/// How long a vote lets effects start.
const VOTE_LASTS: Span = Span::from_secs(4 * 3600);

/// All faults of a world that has come to rest.
pub(super) fn faults(world: &World<'_>) -> Vec<String> {
    let mut faults = Vec::new();
    for run in &world.runs {
        faults.extend(ended(run));
        faults.extend(early(run));
        faults.extend(folds_alike(run));
        faults.extend(sent_though_taken(run));
        if world.has_policy() {
            faults.extend(unapproved(run));
        }
    }
    faults.extend(lost(world));
    faults.extend(holds(world));
    faults
}

fn state(run: &Run) -> Option<&RunState> {
    run.drivers.last().map(|driver| &driver.state)
}

fn events(run: &Run) -> impl Iterator<Item = (Millis, &Event)> {
    run.entries.iter().flat_map(|(at, events)| events.iter().map(|event| (*at, event)))
}

/// Whatever began has ended.
fn ended(run: &Run) -> Vec<String> {
    let Some(state) = state(run) else { return vec!["nobody drives a run".to_owned()] };
    let open = state.steps().filter(|step| !matches!(step.phase, Phase::Ended(_)));
    let mut faults: Vec<String> =
        open.map(|step| format!("the run ended and {} is {:?}", step.path, step.phase)).collect();
    if state.needs().next().is_some() {
        faults.push("the run ended and still asks".to_owned());
    }
    faults
}

/// How many effects runs took over from those they supersede.
pub(super) fn taken(world: &World<'_>) -> usize {
    let all = world.runs.iter().flat_map(events);
    all.filter(|(_, event)| matches!(event.head, Head::TakenOver { .. })).count()
}

/// What was taken over is not sent, unless a person had it done anew.
fn sent_though_taken(run: &Run) -> Vec<String> {
    let mut taken: BTreeSet<(Path, u32)> = BTreeSet::new();
    let mut faults = Vec::new();
    for (_, event) in events(run) {
        if let Head::TakenOver { intent, .. } = &event.head {
            taken.insert((intent.path.clone(), intent.generation));
        }
        if let Head::AttemptStarted(intent) = &event.head
            && taken.contains(&(intent.path.clone(), intent.generation))
        {
            faults.push(format!("{} was taken over and sent", intent.path));
        }
    }
    faults
}

/// The state that was decided is the fold of what was written, also by way of bytes.
fn folds_alike(run: &Run) -> Option<String> {
    let mut decided = state(run)?.clone();
    decided.refresh();
    let folded = fold(run);
    if folded.as_ref() != Ok(&decided) {
        return Some("the fold of the journal is another state than was decided".to_owned());
    }
    let mut kept = Vec::new();
    for ((at, events), number) in run.entries.iter().zip(0..) {
        let (head, body) = encode(EntryId::new(number, &[0; 10]), events);
        kept.push((*at, decode(&head, body.as_deref()).ok()?.1));
    }
    let kept = RunState::fold(&run.plan, kept.iter().map(|(at, events)| (*at, events.as_slice())));
    if kept != folded {
        return Some("what was kept as bytes folds to another state".to_owned());
    }
    let snapshot = serde_json::to_vec(&decided).unwrap();
    let mut restored: RunState = serde_json::from_slice(&snapshot).unwrap();
    restored.refresh();
    (restored != decided).then(|| "a snapshot comes back as another state".to_owned())
}

/// Timers never fire early.
#[expect(clippy::wildcard_enum_match_arm, reason = "these set a timer or go on after one")]
fn early(run: &Run) -> Vec<String> {
    let mut due: BTreeMap<Path, Millis> = BTreeMap::new();
    let mut faults = Vec::new();
    for (at, event) in events(run) {
        let is_early = |due: Option<Millis>| due.is_some_and(|due| at < due);
        match &event.head {
            Head::RetryScheduled { path, at }
            | Head::ProbeScheduled { path, at }
            | Head::TimerSet { path, at } => {
                due.insert(path.clone(), *at);
            }
            Head::AttemptStarted(intent) => {
                let early = is_early(due.remove(&intent.path));
                faults.extend(early.then(|| format!("{} was tried again too early", intent.path)));
            }
            Head::ReadStarted { path }
            | Head::ProbeStarted { path }
            | Head::RoundStarted { path, .. } => {
                let early = is_early(due.remove(path));
                faults.extend(early.then(|| format!("{path} went on too early")));
            }
            Head::StepEnded { path, end, .. } => {
                let early = is_early(due.remove(path));
                let by_itself = *end == beistand_core::run::StepEnd::Succeeded;
                faults.extend((by_itself && early).then(|| format!("{path} waited too short")));
            }
            Head::NeedOpened { path: Some(path), .. } => {
                due.remove(path);
            }
            _ => {}
        }
    }
    faults
}

/// Every destructive intent was shown to people who said yes to just that, not long ago.
#[expect(clippy::wildcard_enum_match_arm, reason = "the rest neither asks, votes nor begins")]
fn unapproved(run: &Run) -> Vec<String> {
    struct Asked {
        lines: Vec<(Path, Digest)>,
        needed: usize,
        voted: BTreeSet<String>,
    }
    let mut asked: BTreeMap<NeedId, Asked> = BTreeMap::new();
    let mut approved: BTreeMap<(Path, Digest), Millis> = BTreeMap::new();
    let mut faults = Vec::new();
    for (at, event) in events(run) {
        match &event.head {
            Head::NeedOpened { id, kind: NeedKind::Approval, votes, .. } => {
                let lines = event.body.value.as_deref().map(lines).unwrap_or_default();
                let asks = Asked { lines, needed: *votes as usize, voted: BTreeSet::new() };
                asked.insert(*id, asks);
            }
            Head::Voted { need, by } => {
                let Some(asks) = asked.get_mut(need) else { continue };
                if !asks.voted.insert(by.person.as_str().to_owned()) {
                    faults.push("one person voted twice".to_owned());
                }
                if asks.voted.len() == asks.needed {
                    approved.extend(asks.lines.iter().cloned().map(|line| (line, at)));
                }
            }
            Head::AttemptStarted(intent) if intent.effect.is_some() => {
                let line = (intent.path.clone(), intent.effect.unwrap_or(Digest::ZERO));
                let fresh = |voted: &Millis| at.since(*voted) <= VOTE_LASTS;
                if !approved.get(&line).is_some_and(fresh) {
                    faults.push(format!("{} was begun without a yes", intent.path));
                }
            }
            Head::AttemptStarted(intent) if intent.destructive => {
                faults.push(format!("{} hurts and was shown to nobody", intent.path));
            }
            _ => {}
        }
    }
    faults
}

fn lines(shows: &Value) -> Vec<(Path, Digest)> {
    let lines = shows["lines"].as_array().cloned().unwrap_or_default();
    let line = |line: &Value| {
        let path = serde_json::from_value(line["path"].clone()).unwrap();
        (path, line["digest"].as_str().unwrap().parse().unwrap())
    };
    lines.iter().map(line).collect()
}

/// What was done outside stands in the journal as done, and nothing else does.
fn lost(world: &World<'_>) -> Vec<String> {
    let mut written: BTreeSet<(RunId, Path, Direction)> = BTreeSet::new();
    for run in &world.runs {
        let mut intents = BTreeMap::new();
        for (_, event) in events(run) {
            if let Head::AttemptStarted(intent) = &event.head
                && intent.class != EffectClass::Read
            {
                intents.insert(intent.path.clone(), intent.direction);
            }
            if let Head::AttemptEnded { path, end: AttemptEnd::Succeeded, .. }
            | Head::ProbeEnded { path, end: ProbeEnd::Done, .. } = &event.head
                && let Some(direction) = intents.get(path)
            {
                written.insert((run.id, path.clone(), *direction));
            }
        }
    }
    let done: BTreeSet<_> = world.outside.done().cloned().collect();
    let lost = done.difference(&written).map(|(_, path, _)| format!("{path} was done and is lost"));
    let made_up = written.difference(&done).map(|(_, path, _)| format!("{path} was never done"));
    lost.chain(made_up).collect()
}

/// Nothing is busy, and a host is cut off exactly when somebody holds it.
fn holds(world: &World<'_>) -> Vec<String> {
    let mut faults = Vec::new();
    let mut held = BTreeSet::new();
    for (key, state) in world.shared.holds.iter() {
        if let Some((_, path)) = &state.busy {
            faults.push(format!("{} is still busy with {path}", key.target));
        }
        if !state.holders.is_empty() {
            held.insert(key.target.clone());
        }
    }
    for (host, cut) in world.outside.hosts() {
        let holds = held.contains(&format!("host:{host}"));
        if cut != holds {
            faults.push(format!("{host}: cut off {cut}, held {holds}"));
        }
    }
    faults
}

/// What happened, for whoever reads a failure.
pub(super) fn story(world: &World<'_>, text: &str) -> String {
    let mut story = format!("{text}\n");
    for run in &world.runs {
        writeln!(story, "run {} of {}", run.id, run.plan.name()).unwrap();
        for (at, event) in events(run) {
            let head = serde_json::to_string(&event.head).unwrap();
            let head: String = head.chars().take(260).collect();
            writeln!(story, "  {at} {head} {}", event.body.text.clone().unwrap_or_default())
                .unwrap();
        }
        writeln!(story, "  -- {:?}", state(run).map(RunState::status)).unwrap();
    }
    story
}
