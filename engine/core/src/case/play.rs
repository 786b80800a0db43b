//! The player: decides, answers and moves the clock until nothing more can happen.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value, json};
use thiserror::Error;

use super::answers::{PretendedConnectors, Said};
use super::judge;
use super::people::{CasePeople, Wants};
use super::stage::{bindings, count, fold};
use crate::model::{
    ActionName, Catalogue, ConnectorName, Guard, IncidentId, Inventory, Limits, Millis, Mode, Path,
    Person, PlaybookName, Role, RunId, StoreId,
};
use crate::playbook::{Case, CaseSignal, Expressions, Plan, ScriptKind};
use crate::run::{
    Actor, Answered, Chance, Command, Contradiction, Effect, Event, Input, Launch, LaunchError,
    Legacy, Parent, Permits, RunState, Setup, Shared, World, decide, launch,
};

/// When every case begins: a Monday night, like most of them.
const START: Millis = Millis::new(1_767_580_200_000);

/// More decisions than any case needs; beyond that a playbook goes round in circles.
const DECISIONS_MAX: usize = 200_000;

/// Why a case could not be played to its end. Differences are no errors.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum PlayError {
    /// The run could not be opened.
    #[error("the case can not be launched: {0}")]
    Launch(#[from] LaunchError),
    /// A fault of this program.
    #[error(transparent)]
    Contradiction(#[from] Contradiction),
    /// It never came to rest.
    #[error("the case does not come to rest within {DECISIONS_MAX} decisions")]
    Endless,
}

/// What came of a case.
#[derive(Debug)]
pub struct Played {
    /// The run and its sub-playbooks, in the order of their opening.
    pub runs: Vec<PlayedRun>,
    /// Attempts by action, over all runs.
    pub calls: BTreeMap<ActionName, u32>,
    /// What is not as expected, one sentence each.
    pub differences: Vec<String>,
}

/// One run of a case.
#[derive(Debug)]
pub struct PlayedRun {
    /// Its plan.
    pub plan: Arc<Plan>,
    /// How it stands at the end.
    pub state: RunState,
    /// Its entries, in order.
    pub entries: Vec<PlayedEntry>,
}

/// What one commit would have written.
#[derive(Debug, Clone, PartialEq)]
pub struct PlayedEntry {
    /// When.
    pub at: Millis,
    /// What.
    pub events: Vec<Event>,
}

/// Plays a case of a plan to its end or until it rests.
///
/// # Errors
/// [`PlayError`]: it can not be launched, or the machine contradicts itself.
pub fn play(
    plan: &Arc<Plan>,
    case: &Case,
    catalogue: &Catalogue,
    scripts: &dyn Expressions,
) -> Result<Played, PlayError> {
    let mut player = Player::new(case, catalogue, scripts);
    player.open(plan, case.inputs.clone().into(), None)?;
    player.signals(|at| at == START)?;
    let mut left = DECISIONS_MAX;
    while player.turn()? || player.crash()? || player.ask()? || player.time_passes()? {
        left = left.checked_sub(1).ok_or(PlayError::Endless)?;
    }
    Ok(player.finish(case))
}

struct Playing {
    run: PlayedRun,
    inbox: Vec<Input>,
    told: bool,
}

struct Player<'a> {
    catalogue: &'a Catalogue,
    scripts: &'a dyn Expressions,
    setup: Setup,
    connectors: PretendedConnectors,
    people: CasePeople,
    signals: Vec<CaseSignal>,
    facts: Value,
    incident: IncidentId,
    shared: Shared,
    chance: Chance,
    now: Millis,
    crashed: bool,
    runs: Vec<Playing>,
    problems: Vec<String>,
}

/// Nobody else needs a place.
struct Unlimited;

impl Permits for Unlimited {
    fn take(&mut self, _: &ConnectorName) -> bool {
        true
    }
}

#[expect(clippy::expect_used, reason = "literal names, read by every case")]
fn person(name: &str) -> Person {
    name.parse().expect("a literal name")
}

impl<'a> Player<'a> {
    fn new(case: &Case, catalogue: &'a Catalogue, scripts: &'a dyn Expressions) -> Self {
        let mut chance = Chance::new([7; 32]);
        let incident = IncidentId::at(START, &chance.ten());
        let facts = json!({
            "id": incident.to_string(), "number": "CASE-2026-0001", "title": case.title,
            "severity": 3, "tlp": "AMBER", "mode": "live", "opened_at": START.to_string(),
        });
        Self {
            catalogue,
            scripts,
            setup: Setup {
                store: StoreId::at(START, &chance.ten()),
                guarded: true,
                guard: Guard::default(),
                limits: Limits::NONE,
                policy: None,
                inventory: Inventory::of_names(),
                escalation: Role::Commander,
            },
            connectors: PretendedConnectors::new(catalogue, case),
            people: CasePeople::new(case, person("somebody")),
            signals: case.signals.clone(),
            facts,
            incident,
            shared: Shared::default(),
            chance,
            now: START,
            crashed: false,
            runs: Vec::new(),
            problems: Vec::new(),
        }
    }

    fn open(
        &mut self,
        plan: &Arc<Plan>,
        inputs: Value,
        of: Option<(RunId, Parent)>,
    ) -> Result<(), PlayError> {
        let (run, parent) = match of {
            Some((run, parent)) => (run, Some(parent)),
            None => (self.chance.run_id(self.now), None),
        };
        let event = launch(
            plan,
            self.catalogue,
            &Launch {
                run,
                incident: self.incident,
                mode: Mode::Live,
                incident_facts: self.facts.clone(),
                by: Actor::asserted(person("case")),
                inputs,
                bindings: bindings(plan, self.catalogue),
                by_hand_ok: true,
                guarded: true,
                parent,
                more_of: None,
                supersedes: None,
                legacy: Legacy::default(),
                trace: None,
            },
        )?;
        let state = RunState::open(&event, self.now)?;
        let entries = vec![PlayedEntry { at: self.now, events: vec![event] }];
        let run = PlayedRun { plan: Arc::clone(plan), state, entries };
        self.runs.push(Playing { run, inbox: vec![Input::Tick], told: false });
        Ok(())
    }

    fn position(&self, run: RunId) -> Option<usize> {
        self.runs.iter().position(|playing| playing.run.state.opened().run == run)
    }

    fn send(&mut self, run: RunId, input: Input) {
        if let Some(playing) = self.position(run).and_then(|at| self.runs.get_mut(at)) {
            playing.inbox.push(input);
        }
    }

    /// Every run with something to react to decides once; says whether one did.
    fn turn(&mut self) -> Result<bool, PlayError> {
        let mut any = false;
        for at in 0.. {
            let Some(playing) = self.runs.get_mut(at) else { break };
            let inputs = std::mem::take(&mut playing.inbox);
            if !inputs.is_empty() {
                any = true;
                self.decide(at, inputs)?;
            }
        }
        Ok(any)
    }

    fn decide(&mut self, at: usize, inputs: Vec<Input>) -> Result<(), PlayError> {
        let Some(playing) = self.runs.get_mut(at) else { return Ok(()) };
        let world = World {
            now: self.now,
            plan: &playing.run.plan,
            scripts: self.scripts,
            catalogue: self.catalogue,
            setup: &self.setup,
            connectors: &self.connectors,
            shared: &self.shared,
            assets: &Value::Array(Vec::new()),
        };
        let state = &mut playing.run.state;
        let decision = decide(&world, state, inputs, &mut Unlimited, &mut self.chance)?;
        if !decision.events.is_empty() {
            let entry = PlayedEntry { at: self.now, events: decision.events };
            playing.run.entries.push(entry);
        }
        let run = state.opened().run;
        for change in &decision.shared {
            self.shared.apply(change, self.now);
        }
        if !decision.shared.is_empty() {
            self.runs.iter_mut().for_each(|playing| playing.inbox.push(Input::Tick));
        }
        for (number, reply) in decision.replies {
            if let Err(error) = reply {
                self.problems.push(format!("people {number}: {error}"));
            }
        }
        for effect in decision.effects {
            self.effect(at, run, effect)?;
        }
        self.tell_parent(at);
        Ok(())
    }

    fn effect(&mut self, at: usize, run: RunId, effect: Effect) -> Result<(), PlayError> {
        let answered = match effect {
            Effect::Call { path, attempt, call, .. } => match self.connectors.answer(&call) {
                Said::Answer(result) => Answered::Call { path, attempt, result },
                Said::Crash => {
                    self.crashed = true;
                    return Ok(());
                }
            },
            Effect::Probe { path, attempt, call, .. } => {
                Answered::Probe { path, attempt, result: self.connectors.probe(&call) }
            }
            Effect::Previous { path, call, .. } => {
                Answered::Previous { path, result: self.connectors.look(&call) }
            }
            Effect::Script { path, script, values } => {
                let result = self.scripts.evaluate(&script.text, ScriptKind::Script, &values);
                Answered::Script { path, result }
            }
            Effect::OpenChild { path, run: child, playbook, inputs } => {
                return self.open_child(at, (path, child), &playbook, inputs);
            }
            // Nobody supersedes the run of a case.
            Effect::OpenSuccessor { .. } => return Ok(()),
            Effect::ToChild { run: child, command } => {
                self.send(child, Input::Command(0, command));
                return Ok(());
            }
        };
        self.send(run, Input::Answered(answered));
        Ok(())
    }

    fn open_child(
        &mut self,
        at: usize,
        (path, child): (Path, RunId),
        playbook: &PlaybookName,
        inputs: Value,
    ) -> Result<(), PlayError> {
        if let Some(there) = self.position(child) {
            if let Some(playing) = self.runs.get_mut(there) {
                playing.told = false;
            }
            self.tell_parent(there);
            return Ok(());
        }
        let Some(caller) = self.runs.get(at) else { return Ok(()) };
        let parent = caller.run.state.parent_at(&path);
        let Some(plan) = caller.run.plan.parts().children.get(playbook).cloned() else {
            return Err(Contradiction::new(format!("playbook `{playbook}` is not pinned")).into());
        };
        self.open(&plan, inputs, Some((child, parent)))
    }

    /// The run that called is told once that a run ended.
    fn tell_parent(&mut self, at: usize) {
        let Some(playing) = self.runs.get_mut(at) else { return };
        let state = &playing.run.state;
        let Some(end) = state.status().end() else {
            playing.told = false;
            return;
        };
        let Some(parent) = state.opened().parent.clone().filter(|_| !playing.told) else { return };
        playing.told = true;
        let input = Input::ChildEnded {
            path: parent.path,
            run: state.opened().run,
            end,
            outputs: state.outputs().map(|outputs| outputs.as_ref().clone()).unwrap_or_default(),
            error: state.error().cloned(),
        };
        self.send(parent.run, input);
    }

    /// The engine dies: what was in memory is folded anew from what was written.
    fn crash(&mut self) -> Result<bool, PlayError> {
        if !std::mem::take(&mut self.crashed) {
            return Ok(false);
        }
        for playing in &mut self.runs {
            let run = &mut playing.run;
            run.state = fold(&run.plan, &run.entries)?;
            playing.inbox.push(Input::Recovered);
        }
        Ok(true)
    }

    /// Somebody decides something; says whether anybody did.
    fn ask(&mut self) -> Result<bool, PlayError> {
        for at in 0..self.runs.len() {
            let elapsed = self.now.since(START);
            let Some(playing) = self.runs.get(at) else { continue };
            let Some(Wants::Now(commands)) = self.people.wants(&playing.run.state, elapsed) else {
                continue;
            };
            for command in commands {
                self.decide(at, vec![Input::Command(1, command)])?;
            }
            return Ok(true);
        }
        Ok(false)
    }

    /// Signals that are due now go to the run that waits for them, or to the first one.
    fn signals(&mut self, due: impl Fn(Millis) -> bool) -> Result<bool, PlayError> {
        let mut any = false;
        for (signal, number) in self.signals.clone().into_iter().zip(1..) {
            if !due(START.plus(signal.at.unwrap_or_default())) {
                continue;
            }
            any = true;
            let waits = |playing: &Playing| playing.run.state.awaits(&signal.name);
            let at = self.runs.iter().position(waits).unwrap_or(0);
            let command = Command::Signal {
                name: signal.name.clone(),
                form: signal.form.into(),
                key: format!("signal-{number}"),
                by: Actor::asserted(person("outside")),
            };
            self.decide(at, vec![Input::Tick, Input::Command(number, command)])?;
        }
        Ok(any)
    }

    /// The clock moves on to what is due next; says whether anything is. Deadlines alone keep no
    /// case going: they would be said again for ever.
    fn time_passes(&mut self) -> Result<bool, PlayError> {
        let elapsed = self.now.since(START);
        let mut goal: Option<Millis> = None;
        let mut sooner = |at: Millis| goal = Some(goal.map_or(at, |goal: Millis| goal.min(at)));
        for playing in &self.runs {
            playing.run.state.next_step_due().into_iter().for_each(&mut sooner);
            if let Some(Wants::At(at)) = self.people.wants(&playing.run.state, elapsed) {
                sooner(START.plus(at));
            }
        }
        let signals = self.signals.iter().filter_map(|signal| signal.at).map(|at| START.plus(at));
        signals.filter(|at| *at > self.now).for_each(&mut sooner);
        let Some(goal) = goal else { return Ok(false) };
        let due = self.runs.iter().filter_map(|playing| playing.run.state.next_due());
        let next = due.fold(goal, Millis::min).max(self.now);
        let moved = next > self.now;
        self.now = next;
        for playing in &mut self.runs {
            playing.inbox.push(Input::Tick);
        }
        if moved {
            self.signals(|at| at == next)?;
        }
        Ok(true)
    }

    fn finish(self, case: &Case) -> Played {
        let runs: Vec<PlayedRun> = self.runs.into_iter().map(|playing| playing.run).collect();
        let calls = count(&runs);
        let mut differences = Vec::new();
        if let Some(root) = runs.first() {
            differences.extend(judge::differences(&case.expect, &root.state, &calls));
        }
        differences.extend(self.problems);
        let unused = self.people.unused();
        differences.extend(unused.map(|(number, decision)| judge::never_asked(number, decision)));
        Played { runs, calls, differences }
    }
}
