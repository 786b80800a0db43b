//! One schedule: what happens to some programs, from one number, and the verdict on it.

use beistand_core::model::{Catalogue, IdempotencyKey, Millis, RunId, Span};
use beistand_core::playbook::Plan;
use beistand_core::run::{
    Answer, AnswerKind, Command, Input, Need, NeedKind, Phase, RunState, RunStatus,
};
use beistand_script::Scripts;
use serde_json::{Value, json};

use super::chance::Dice;
use super::judge;
use super::program::Program;
use super::world::{From, Planted, World, actor};

/// What came of a schedule.
#[derive(Debug)]
pub(super) struct Verdict {
    pub(super) effects: u64,
    /// Effects that runs took over from those they supersede.
    pub(super) taken: usize,
    pub(super) faults: Vec<String>,
    /// The journal of each run, for whoever reads a failure.
    pub(super) story: String,
}

/// Moves in the unkind part of a schedule.
const MOVES: usize = 30;

/// Rounds in which a kind world must bring every run to its end.
const ROUNDS_MAX: usize = 400;

/// Plays the schedule of a seed.
pub(super) fn play(
    programs: &[Program],
    tools: (&Catalogue, &Scripts),
    seed: u64,
    planted: Planted,
) -> Verdict {
    let mut dice = Dice::new(seed);
    let first = dice.pick(programs).clone();
    let corrected = dice.pick(programs).clone();
    let second = dice.once_in(3).then(|| dice.pick(programs).clone());
    let mut world = World::new(tools, dice, planted);
    for program in [Some(&first), second.as_ref()].into_iter().flatten() {
        let hosts = if world.dice.once_in(8) { json!([]) } else { json!(["pc-1", "pc-2"]) };
        world.open(&program.plan, json!({"hosts": hosts}), From::Nowhere);
    }
    for _ in 0..MOVES {
        if !world.faults.is_empty() || !world.outside.faults.is_empty() {
            break;
        }
        step(&mut world, &corrected.plan);
    }
    if world.faults.is_empty() && world.outside.faults.is_empty() {
        come_to_rest(&mut world);
    }
    let mut faults = std::mem::take(&mut world.faults);
    faults.extend(std::mem::take(&mut world.outside.faults));
    if faults.is_empty() {
        faults.extend(judge::faults(&world));
    }
    let story = if faults.is_empty() { String::new() } else { judge::story(&world, &first.text) };
    Verdict { effects: world.outside.effects, taken: judge::taken(&world), faults, story }
}

fn step(world: &mut World<'_>, other: &std::sync::Arc<Plan>) {
    let at = world.dice.below(world.runs.len());
    match world.dice.below(24) {
        0..=9 => {
            let drivers = world.runs[at].drivers.len().max(1);
            let driver = world.dice.below(drivers);
            world.turn(at, driver);
            look(world, at);
        }
        10..=14 => {
            world.deliver();
        }
        15..=16 => pass_time(world, at),
        17..=19 => somebody(world, at, false),
        20 if world.dice.once_in(12) => world.more(at),
        20 if world.dice.once_in(6) => {
            let own = std::sync::Arc::clone(&world.runs[at].plan);
            let plan = if world.dice.once_in(3) { other } else { &own };
            world.supersede(at, plan);
        }
        20 => outside_command(world, at),
        21 if world.dice.once_in(2) => world.claim(at),
        22 if world.dice.once_in(3) => world.crash(),
        23 if world.dice.once_in(4) => world.shared.stopped = !world.shared.stopped,
        _ => {
            let driver = world.runs[at].drivers.len().saturating_sub(1);
            world.turn(at, driver);
        }
    }
}

/// The clock runs, jumps ahead, or is put back.
fn pass_time(world: &mut World<'_>, at: usize) {
    let due = world.runs[at].drivers.last().and_then(|driver| driver.state.next_due());
    let jump = Span::from_millis(world.dice.draw() % 30_000);
    world.now = match (world.dice.below(8), due) {
        (0, _) => world.now.minus(jump),
        (1, _) => world.now.plus(Span::from_secs(5 * 3600)),
        (2..=4, Some(due)) => due.max(world.now),
        _ => world.now.plus(jump),
    };
}

/// Nothing may be left without a reason to wake.
fn look(world: &mut World<'_>, at: usize) {
    let Some(driver) = world.runs[at].drivers.last() else { return };
    if driver.inbox.is_empty()
        && !world.shared.stopped
        && let Some(why) = stuck(&driver.state)
    {
        world.faults.push(why);
    }
}

fn stuck(state: &RunState) -> Option<String> {
    let status = state.status();
    let signals = state.steps().any(|step| matches!(step.phase, Phase::Signal(..)));
    let reason = status.is_ended()
        || status == RunStatus::Paused
        || state.needs().next().is_some()
        || state.next_due().is_some()
        || state.has_work_out()
        || state.is_held_back()
        || signals;
    let open = || -> Vec<String> {
        let open = state.steps().filter(|step| !matches!(step.phase, Phase::Ended(_)));
        open.map(|step| format!("{} {:?}", step.path, step.phase)).collect()
    };
    (!reason)
        .then(|| format!("a run is {} without a reason to wake: {:?}", status.as_str(), open()))
}

/// Somebody answers something, truthfully.
fn somebody(world: &mut World<'_>, at: usize, finishing: bool) {
    let Some(driver) = world.runs[at].drivers.last() else { return };
    let needs: Vec<Need> = driver.state.needs().cloned().collect();
    if needs.is_empty() {
        return;
    }
    let need = world.dice.pick(&needs).clone();
    let answer = choose(world, &need, finishing);
    let names = ["anna", "ben", "cleo", "requester"];
    let name = *world.dice.pick(&names[..if finishing { 3 } else { 4 }]);
    let form = match (need.kind, answer) {
        (NeedKind::Task, _) => sample(&need),
        _ => Value::Null,
    };
    let answers = vec![Answer {
        need: need.id,
        answer,
        reason: "because".to_owned(),
        form,
        digest: Some(need.digest),
        done_at: None,
    }];
    let input = Input::Command(1, Command::Answer { answers, by: actor(name), roles: None });
    let run = world.runs[at].id;
    world.send(run, &input);
    if world.unkind && world.dice.once_in(8) {
        world.send(run, &input);
    }
}

fn choose(world: &mut World<'_>, need: &Need, finishing: bool) -> AnswerKind {
    match (need.kind, need.step) {
        (NeedKind::Approval, _) if !finishing && world.dice.once_in(8) => AnswerKind::Deny,
        (NeedKind::Approval, _) => AnswerKind::Approve,
        (NeedKind::Task, _) => AnswerKind::Done,
        (NeedKind::Decision, None) => AnswerKind::Retry,
        (NeedKind::Decision, Some(_)) if finishing => AnswerKind::Skip,
        (NeedKind::Decision, Some(_)) => match world.dice.below(8) {
            0..=4 => AnswerKind::Retry,
            5 | 6 => AnswerKind::Skip,
            _ => AnswerKind::Abort,
        },
        (NeedKind::Unknown, _) => {
            let shows = need.shows.as_deref().cloned().unwrap_or_default();
            let key = shows["key"].as_str().unwrap().to_owned();
            let key = IdempotencyKey::try_from(key).unwrap();
            if world.outside.was_done(&key) {
                AnswerKind::Done
            } else if world.dice.once_in(3) {
                AnswerKind::SendAgain
            } else {
                AnswerKind::NotDone
            }
        }
    }
}

fn sample(need: &Need) -> Value {
    let form = need.form.as_deref().cloned().unwrap_or_default();
    let schema = serde_json::from_value(form).unwrap_or_default();
    beistand_core::model::sample(&schema)
}

fn outside_command(world: &mut World<'_>, at: usize) {
    let run = world.runs[at].id;
    let by = actor("anna");
    let reason = "because".to_owned();
    let command = match world.dice.below(10) {
        0..=3 => {
            let key = format!("key-{}", world.dice.below(6));
            Command::Signal { name: "go".to_owned(), form: json!({}), key, by }
        }
        4 | 5 => Command::Pause { by, reason, with_caller: false },
        6 | 7 => Command::Unpause { by, with_caller: false },
        8 => Command::Undo { by, paths: Vec::new(), reason },
        _ if world.dice.once_in(2) => Command::Cancel { by, reason },
        _ => Command::Park { by, reason, restored: None },
    };
    world.send(run, &Input::Command(2, command));
}

/// The world becomes kind: every run must come to its end.
fn come_to_rest(world: &mut World<'_>) {
    world.unkind = false;
    world.shared.stopped = false;
    world.crash();
    for round in 0..ROUNDS_MAX {
        let mut open: Vec<RunId> = Vec::new();
        for at in 0..world.runs.len() {
            while world.runs[at].drivers.len() > 1 {
                world.runs[at].drivers.remove(0);
            }
            world.turn(at, 0);
            look(world, at);
            let Some(driver) = world.runs[at].drivers.last() else { return };
            let ended = driver.state.status().is_ended();
            if !ended || !driver.inbox.is_empty() {
                open.push(world.runs[at].id);
            }
            if !ended {
                encourage(world, at, round);
            }
        }
        while world.deliver() {}
        if open.is_empty() || !world.faults.is_empty() || !world.outside.faults.is_empty() {
            return;
        }
        let due = world.runs.iter().filter_map(|run| run.drivers.last()?.state.next_due());
        let due: Option<Millis> = due.min();
        world.now = due.map_or(world.now, |due| due.max(world.now));
    }
    world.faults.push(format!("runs did not end within {ROUNDS_MAX} kind rounds"));
}

fn encourage(world: &mut World<'_>, at: usize, round: usize) {
    let run = world.runs[at].id;
    let Some(driver) = world.runs[at].drivers.last() else { return };
    if driver.state.status() == RunStatus::Paused {
        world.send(
            run,
            &Input::Command(3, Command::Unpause { by: actor("anna"), with_caller: false }),
        );
    }
    let Some(driver) = world.runs[at].drivers.last() else { return };
    if driver.state.steps().any(|step| matches!(step.phase, Phase::Signal(..))) {
        let key = format!("end-{round}");
        let command =
            Command::Signal { name: "go".to_owned(), form: json!({}), key, by: actor("anna") };
        world.send(run, &Input::Command(4, command));
    }
    somebody(world, at, true);
}
