//! A store, engines that die, and everything that happens to a run between its intents.

use std::collections::BTreeMap;
use std::sync::Arc;

use beistand_core::model::{
    ActionName, Answer, Call, CallError, Catalogue, ConnectorName, Digest, EffectClass, Guard,
    IncidentId, Inventory, Limits, Millis, Mode, Offer, Path, Reached, Role, RunId, Span, StoreId,
    Target,
};
use beistand_core::playbook::{Expressions, Kind, OnUnknown, Plan, ScriptKind};
use beistand_core::run::{
    Actor, Answered, Binding, Chance, Command, Connectors, Decision, Earlier, Effect, Event, Head,
    Input, Launch, Legacy, Parent, Permits, RunState, Setup, Shared, Successor, World as View,
    decide, launch, more,
};
use beistand_script::Scripts;
use serde_json::{Value, json};

use super::chance::Dice;
use super::outside::Outside;

/// What is done wrong on purpose, to see whether anybody notices.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Planted {
    Nothing,
    /// Effects are sent before their commit, which may fail.
    AckBeforeCommit,
    /// A repeated call gets a key of its own.
    NewKeyOnRetry,
    /// The intent is not written.
    NoIntent,
}

/// What a run comes from.
pub(super) enum From {
    Nowhere,
    Caller(RunId, Parent, Legacy),
    Earlier(Earlier),
    Superseded(RunId, Earlier, Legacy),
}

/// One engine that believes it owns a run.
pub(super) struct Driver {
    fence: u64,
    pub(super) state: RunState,
    pub(super) inbox: Vec<Input>,
}

/// A run as the store has it, and who drives it.
pub(super) struct Run {
    pub(super) id: RunId,
    pub(super) plan: Arc<Plan>,
    pub(super) entries: Vec<(Millis, Vec<Event>)>,
    fence: u64,
    pub(super) drivers: Vec<Driver>,
}

/// An answer on its way.
struct Flight {
    run: RunId,
    fence: u64,
    permit: bool,
    input: Input,
}

/// Everything.
pub(super) struct World<'a> {
    catalogue: &'a Catalogue,
    scripts: &'a Scripts,
    setup: Setup,
    pub(super) dice: Dice,
    chance: Chance,
    pub(super) now: Millis,
    pub(super) shared: Shared,
    pub(super) runs: Vec<Run>,
    flights: Vec<Flight>,
    /// Playbooks that runs give way to.
    corrected: BTreeMap<Digest, Arc<Plan>>,
    places: usize,
    pub(super) outside: Outside,
    planted: Planted,
    /// Engines die and writes are refused.
    pub(super) unkind: bool,
    pub(super) faults: Vec<String>,
}

struct Offers;

impl Connectors for Offers {
    fn offer(&self, _: &ConnectorName, action: &ActionName, _: &Value) -> Option<Offer> {
        let class = match action.as_str() {
            "network.state" => EffectClass::Read,
            "network.isolate" | "network.release" => EffectClass::Idempotent,
            "ticket.open" => EffectClass::Checkable,
            _ => EffectClass::Once,
        };
        let (reach, settle) = (Reached::Verified, Span::from_secs(2));
        Some(Offer { action: action.clone(), class, reach, settle })
    }
    fn destructive(&self, _: &ConnectorName, _: &ActionName, _: &Value) -> bool {
        false
    }
    fn goes_to(&self, _: &ConnectorName, _: &ActionName, _: &Value) -> Option<Target> {
        None
    }
}

struct Places(usize);

impl Permits for Places {
    fn take(&mut self, _: &ConnectorName) -> bool {
        self.0 = match self.0.checked_sub(1) {
            Some(left) => left,
            None => return false,
        };
        true
    }
}

pub(super) fn actor(name: &str) -> Actor {
    Actor::asserted(name.parse().unwrap())
}

impl<'a> World<'a> {
    pub(super) fn new(
        (catalogue, scripts): (&'a Catalogue, &'a Scripts),
        mut dice: Dice,
        planted: Planted,
    ) -> Self {
        let policy = if dice.once_in(2) { None } else { Some(Vec::new()) };
        Self {
            catalogue,
            scripts,
            setup: Setup {
                store: StoreId::new(1, &[1; 10]),
                guarded: true,
                guard: Guard::default(),
                limits: Limits::NONE,
                policy,
                inventory: Inventory::of_names(),
                escalation: Role::Commander,
            },
            chance: dice.engine(),
            places: if dice.once_in(2) { 100 } else { 1 + dice.below(2) },
            dice,
            now: Millis::new(1_700_000_000_000),
            shared: Shared::default(),
            runs: Vec::new(),
            flights: Vec::new(),
            corrected: BTreeMap::new(),
            outside: Outside::default(),
            planted,
            unkind: true,
            faults: Vec::new(),
        }
    }

    pub(super) fn has_policy(&self) -> bool {
        self.setup.policy.is_some()
    }

    pub(super) fn open(&mut self, plan: &Arc<Plan>, inputs: Value, of: From) {
        let (mut parent, mut more_of, mut supersedes) = (None, None, None);
        let mut legacy = Legacy::default();
        let id = match of {
            From::Nowhere => self.chance.run_id(self.now),
            From::Caller(id, caller, inherited) => {
                (parent, legacy) = (Some(caller), inherited);
                id
            }
            From::Earlier(earlier) => {
                more_of = Some(earlier);
                self.chance.run_id(self.now)
            }
            From::Superseded(id, earlier, inherited) => {
                (supersedes, legacy) = (Some(earlier), inherited);
                id
            }
        };
        let bindings = ["network", "mail", "ticket"]
            .map(|capability| Binding::any(capability, "product".parse().unwrap()));
        let event = launch(
            plan,
            self.catalogue,
            &Launch {
                run: id,
                incident: IncidentId::new(1, &[2; 10]),
                mode: Mode::Live,
                incident_facts: json!({}),
                by: actor("requester"),
                inputs,
                bindings: bindings.to_vec(),
                by_hand_ok: true,
                guarded: true,
                parent,
                more_of,
                supersedes,
                legacy,
                trace: None,
            },
        )
        .unwrap();
        let entries = vec![(self.now, vec![event])];
        self.runs.push(Run { id, plan: Arc::clone(plan), entries, fence: 0, drivers: Vec::new() });
        self.claim(self.runs.len() - 1);
    }

    /// More items are found for a run that nobody called.
    pub(super) fn more(&mut self, at: usize) {
        let Some(driver) = self.runs[at].drivers.last() else { return };
        let (first, plan) = (driver.state.opened().clone(), Arc::clone(&self.runs[at].plan));
        if first.parent.is_some() || first.more_of.is_some() {
            return;
        }
        let tree = driver.state.tree();
        let with =
            self.runs.iter().filter_map(|run| run.drivers.last()).map(|driver| &driver.state);
        let with = with.filter(|state| state.tree() == tree && state.opened().run != first.run);
        let with = with.map(|state| (state.opened().run, state.opened().inputs.as_ref()));
        let earlier: Vec<(RunId, &Value)> =
            std::iter::once((first.run, first.inputs.as_ref())).chain(with).collect();
        let given = json!({"hosts": ["pc-1", "pc-4", "pc-5"]});
        let given = given.as_object().cloned().unwrap_or_default();
        // Nothing is new the second time.
        let Ok(found) = more(&plan.parts().inputs, &earlier, &given) else { return };
        self.open(
            &plan,
            found.inputs,
            From::Earlier(Earlier { run: first.run, tree, restored: None }),
        );
    }

    /// Somebody wants a corrected playbook to take over: the same one, or another.
    pub(super) fn supersede(&mut self, at: usize, plan: &Arc<Plan>) {
        self.corrected.insert(plan.digest(), Arc::clone(plan));
        let next = Successor {
            run: self.chance.run_id(self.now),
            playbook: plan.name().clone(),
            digest: plan.digest(),
            sources: Digest::ZERO,
            by_hand_ok: true,
            by: actor("requester"),
        };
        let command = Command::Supersede { next, reason: "a wrong host".to_owned() };
        let run = self.runs[at].id;
        self.send(run, &Input::Command(5, command));
    }

    /// The run that takes over is opened, once.
    fn give_way(&mut self, at: usize, next: &Successor) {
        let before = self.runs[at].id;
        if !self.runs.iter().any(|run| run.id == next.run) {
            let Some(driver) = self.runs[at].drivers.last() else { return };
            let tree = driver.state.tree();
            let inputs = driver.state.opened().inputs.as_ref().clone();
            let mut legacy = Legacy::default();
            legacy.learn_gates(&self.runs[at].plan);
            let mut open = vec![before];
            while let Some(id) = open.pop() {
                for run in &self.runs {
                    let opening = run.entries.first().and_then(|(_, events)| events.first());
                    let Some(Head::RunOpened { parent, .. }) = opening.map(|event| &event.head)
                    else {
                        continue;
                    };
                    if run.id == id {
                        legacy.learn(run.entries.iter().flat_map(|(_, events)| events));
                    } else if parent.as_ref().is_some_and(|parent| parent.run == id) {
                        open.push(run.id);
                    }
                }
            }
            let plan = Arc::clone(&self.corrected[&next.digest]);
            let earlier = Earlier { run: before, tree, restored: None };
            self.open(&plan, inputs, From::Superseded(next.run, earlier, legacy));
        }
        self.send(before, &Input::Successor { run: next.run, refused: None });
    }

    /// An engine takes a run over; whoever had it does not know yet.
    pub(super) fn claim(&mut self, at: usize) {
        let run = &mut self.runs[at];
        run.fence += 1;
        match fold(run) {
            Ok(state) => {
                let inbox = vec![Input::Recovered, Input::Tick];
                run.drivers.push(Driver { fence: run.fence, state, inbox });
            }
            Err(error) => self.faults.push(format!("the journal does not fit: {error}")),
        }
    }

    /// All engines die: answers on their way are lost with them.
    pub(super) fn crash(&mut self) {
        self.flights.clear();
        for at in 0..self.runs.len() {
            self.runs[at].drivers.clear();
            self.claim(at);
        }
    }

    pub(super) fn send(&mut self, run: RunId, input: &Input) {
        if let Some(run) = self.runs.iter_mut().find(|known| known.id == run) {
            run.drivers.iter_mut().for_each(|driver| driver.inbox.push(input.clone()));
        }
    }

    /// One engine decides once on what waits for it.
    pub(super) fn turn(&mut self, at: usize, driver: usize) {
        let Some(engine) = self.runs[at].drivers.get_mut(driver) else { return };
        let mut inputs = std::mem::take(&mut engine.inbox);
        if inputs.is_empty() {
            inputs.push(Input::Tick);
        }
        let (run, fence) = (self.runs[at].id, self.runs[at].drivers[driver].fence);
        let Some(decision) = self.decide(at, driver, inputs) else { return };
        let owner = self.runs[at].fence == fence;
        if self.planted == Planted::AckBeforeCommit {
            self.send_effects((at, run, fence), &decision);
            if self.unkind && self.dice.once_in(20) {
                return self.crash();
            }
        } else if self.unkind && self.dice.once_in(25) {
            return self.crash();
        }
        if !decision.events.is_empty() {
            if !owner {
                // Ownership is lost: it stops, sends nothing, reports nothing.
                self.runs[at].drivers.remove(driver);
                return;
            }
            self.commit(at, &decision);
            if self.unkind && self.dice.once_in(25) {
                return self.crash();
            }
        }
        if self.planted != Planted::AckBeforeCommit {
            self.send_effects((at, run, fence), &decision);
        }
        self.tell_parent(at);
    }

    fn decide(&mut self, at: usize, driver: usize, inputs: Vec<Input>) -> Option<Decision> {
        let taken = self.flights.iter().filter(|flight| flight.permit).count();
        let mut places = Places(self.places.saturating_sub(taken));
        let run = &mut self.runs[at];
        let view = View {
            now: self.now,
            plan: &run.plan,
            scripts: self.scripts,
            catalogue: self.catalogue,
            setup: &self.setup,
            connectors: &Offers,
            shared: &self.shared,
            assets: &Value::Array(Vec::new()),
        };
        let state = &mut run.drivers[driver].state;
        match decide(&view, state, inputs, &mut places, &mut self.chance) {
            Ok(decision) => Some(decision),
            Err(error) => {
                self.faults.push(format!("a decision contradicts itself: {error}"));
                run.drivers.remove(driver);
                None
            }
        }
    }

    fn commit(&mut self, at: usize, decision: &Decision) {
        let run = &mut self.runs[at];
        let mut events = decision.events.clone();
        if self.planted == Planted::NoIntent {
            events.retain(|event| !matches!(event.head, Head::AttemptStarted(_)));
        }
        self.outside.committed(run.id, &events);
        for event in &events {
            if let Head::AttemptStarted(intent) = &event.head
                && intent.action.as_str() == "network.isolate"
                && event.body.undo.is_none()
            {
                let targets = event.body.targets.iter();
                targets.for_each(|target| self.outside.taint(&target.name));
            }
        }
        run.entries.push((self.now, events));
        for change in &decision.shared {
            self.shared.apply(change, self.now);
        }
    }

    fn send_effects(&mut self, (at, run, fence): (usize, RunId, u64), decision: &Decision) {
        for effect in &decision.effects {
            self.effect((at, run, fence), effect.clone());
            if self.unkind && self.planted == Planted::Nothing && self.dice.once_in(40) {
                return self.crash();
            }
        }
    }

    fn effect(&mut self, (at, run, fence): (usize, RunId, u64), effect: Effect) {
        let (permit, answered) = match effect {
            Effect::Call { path, attempt, call, .. } => {
                (true, self.call((at, run), path, attempt, *call))
            }
            Effect::Probe { path, attempt, call, .. } => {
                let result = self.outside.probe(&call, &mut self.dice);
                (true, Answered::Probe { path, attempt, result })
            }
            Effect::Previous { path, call, .. } => {
                let result = self.outside.look(&call, &mut self.dice);
                (true, Answered::Previous { path, result })
            }
            Effect::Script { path, script, values } => {
                let result = self.scripts.evaluate(&script.text, ScriptKind::Script, &values);
                (false, Answered::Script { path, result })
            }
            Effect::OpenChild { path, run: child, playbook, inputs } => {
                if let Some(there) = self.runs.iter().position(|known| known.id == child) {
                    return self.tell_parent(there);
                }
                let plan = Arc::clone(&self.runs[at].plan.parts().children[&playbook]);
                let Some(driver) = self.runs[at].drivers.last() else { return };
                let state = &driver.state;
                let from = From::Caller(child, state.parent_at(&path), state.legacy_of(&path));
                return self.open(&plan, inputs, from);
            }
            Effect::OpenSuccessor { next } => return self.give_way(at, &next),
            Effect::ToChild { run: child, command } => {
                return self.send(child, &Input::Command(0, command));
            }
        };
        self.flights.push(Flight { run, fence, permit, input: Input::Answered(answered) });
    }

    fn call(
        &mut self,
        (at, run): (usize, RunId),
        path: Path,
        attempt: u32,
        mut call: Call,
    ) -> Answered {
        let node =
            self.runs[at].plan.by_id(path.id()).map(|node| &self.runs[at].plan.node(node).kind);
        let repeats = match node {
            Some(Kind::Call(call)) => call.on_unknown == OnUnknown::Repeat,
            _ => false,
        };
        if self.planted == Planted::NewKeyOnRetry && attempt > 1 {
            let text = format!("{attempt:032x}");
            call.key = text.try_into().unwrap();
        }
        let result: Result<Answer, CallError> =
            self.outside.call((run, &path, attempt), &call, repeats, &mut self.dice);
        Answered::Call { path, attempt, result }
    }

    /// An answer arrives, perhaps twice.
    pub(super) fn deliver(&mut self) -> bool {
        if self.flights.is_empty() {
            return false;
        }
        let at = self.dice.below(self.flights.len());
        let again = self.unkind && self.dice.once_in(10);
        let flight = &mut self.flights[at];
        let run = self.runs.iter_mut().find(|run| run.id == flight.run).unwrap();
        let driver = run.drivers.iter_mut().find(|driver| driver.fence == flight.fence);
        if let Some(driver) = driver {
            driver.inbox.push(flight.input.clone());
        }
        if again {
            flight.permit = false;
        } else {
            self.flights.swap_remove(at);
        }
        true
    }

    /// Whoever called a run is told that it ended.
    fn tell_parent(&mut self, at: usize) {
        let Some(driver) = self.runs[at].drivers.last() else { return };
        let state = &driver.state;
        let (Some(parent), Some(end)) = (state.opened().parent.clone(), state.status().end())
        else {
            return;
        };
        let input = Input::ChildEnded {
            path: parent.path,
            run: state.opened().run,
            end,
            outputs: state.outputs().map(|outputs| outputs.as_ref().clone()).unwrap_or_default(),
            error: state.error().cloned(),
        };
        self.send(parent.run, &input);
    }
}

/// A run's state from its entries.
pub(super) fn fold(run: &Run) -> Result<RunState, beistand_core::run::Contradiction> {
    RunState::fold(&run.plan, run.entries.iter().map(|(at, events)| (*at, events.as_slice())))
}
