//! A run on a desk: every input by hand, every effect in sight, and after each decision the check
//! that what was written folds to what was decided.

use std::collections::BTreeMap;
use std::sync::Arc;

use beistand_core::model::{
    ActionName, Answer as Given, CallError, Catalogue, ConnectorName, EffectClass, Guard,
    GuardIdentity, IncidentId, Inventory, Limits, Millis, Mode, Offer, Path, PlaybookName, Probed,
    Reached, Role, RunId, Span, StoreId, Target, TargetKind,
};
use beistand_core::playbook::{CheckRequest, Plan, ScriptKind, SourceText, check};
use beistand_core::run::{
    Actor, Answered, Binding, Chance, Connectors, Decision, Earlier, Effect, Event, Head, Input,
    Launch, Legacy, Parent, Permits, RunState, Setup, Shared, StepStatus, World, decide, launch,
};
use beistand_script::Scripts;
use serde_json::{Value, json};

/// One run and everything around it.
pub(super) struct Desk {
    pub(super) plan: Arc<Plan>,
    pub(super) state: RunState,
    pub(super) entries: Vec<(Millis, Vec<Event>)>,
    pub(super) shared: Shared,
    pub(super) setup: Setup,
    pub(super) now: Millis,
    pub(super) places: usize,
    /// What is out: sent and not answered.
    pub(super) out: Vec<Effect>,
    catalogue: Catalogue,
    scripts: Scripts,
    chance: Chance,
}

struct Product;

impl Connectors for Product {
    fn offer(&self, _: &ConnectorName, action: &ActionName, _: &Value) -> Option<Offer> {
        let class = match action.as_str() {
            "network.isolate" | "network.release" => EffectClass::Idempotent,
            "network.state" => EffectClass::Read,
            "ticket.open" => EffectClass::Checkable,
            _ => EffectClass::Once,
        };
        let (reach, settle) = (Reached::Verified, Span::from_secs(2));
        Some(Offer { action: action.clone(), class, reach, settle })
    }
    fn destructive(&self, _: &ConnectorName, action: &ActionName, _: &Value) -> bool {
        action.as_str() == "ssh.run"
    }
    /// One host is all it knows, as the console.
    fn goes_to(&self, _: &ConnectorName, _: &ActionName, arguments: &Value) -> Option<Target> {
        let other = arguments.get("host").is_some_and(|host| *host != "console");
        let (name, addresses) = ("console".to_owned(), ["192.0.2.9".parse().unwrap()].into());
        let (kind, macs) = (TargetKind::Host, [].into());
        (!other).then_some(Target { kind, name, addresses, macs, organisation: None })
    }
}

struct Places<'a>(&'a mut usize);

impl Permits for Places<'_> {
    fn take(&mut self, _: &ConnectorName) -> bool {
        let left = self.0.checked_sub(1);
        *self.0 = left.unwrap_or(0);
        left.is_some()
    }
}

/// A path from its text.
pub(super) fn at(path: &str) -> Path {
    path.parse().unwrap()
}

pub(super) fn person(name: &str) -> Actor {
    Actor::asserted(name.parse().unwrap())
}

/// A plan from steps; inputs are `hosts`, `yes` (true) and `no` (false).
pub(super) fn plan(steps: &str) -> Arc<Plan> {
    plan_with(steps, &BTreeMap::new())
}

pub(super) fn plan_with(steps: &str, library: &BTreeMap<PlaybookName, SourceText>) -> Arc<Plan> {
    let text = format!(
        "playbook: on-the-desk\nlanguage: 1\ntitle: On the desk\ninputs:\n  \
         hosts: {{ type: array, items: {{ type: string, format: host }}, default: [pc-1, pc-2, pc-3] }}\n  \
         yes: {{ type: boolean, default: true }}\n  no: {{ type: boolean, default: false }}\n{steps}\n"
    );
    let source = SourceText::new("desk.yaml", text);
    let (catalogue, scripts) = (Catalogue::first(), Scripts::without_budget());
    let (plan, findings) = check(CheckRequest {
        source: &source,
        catalogue: &catalogue,
        library,
        expressions: &scripts,
    });
    Arc::new(plan.unwrap_or_else(|| panic!("{findings:#?}")))
}

impl Desk {
    pub(super) fn of(steps: &str) -> Self {
        Self::new(&plan(&format!("steps:\n{steps}")), json!({}))
    }

    pub(super) fn new(plan: &Arc<Plan>, inputs: Value) -> Self {
        let catalogue = Catalogue::first();
        let mut chance = Chance::new([3; 32]);
        let now = Millis::parse("2026-03-02T03:00:00Z").unwrap();
        let bound = |capability: &str, slot: Option<&str>, connector: &str| Binding {
            capability: capability.to_owned(),
            slot: slot.map(str::to_owned),
            organisation: None,
            range: None,
            connector: connector.parse().unwrap(),
        };
        let bindings = [
            bound("network", None, "product"),
            bound("mail", None, "product"),
            bound("ticket", None, "product"),
            bound("ssh", None, "product"),
            bound("network", Some("annex"), "router-of-the-annex"),
        ];
        let event = launch(
            plan,
            &catalogue,
            &Launch {
                run: chance.run_id(now),
                incident: IncidentId::new(1, &[2; 10]),
                mode: Mode::Live,
                incident_facts: json!({}),
                by: person("requester"),
                inputs,
                bindings: bindings.to_vec(),
                by_hand_ok: true,
                guarded: true,
                parent: None,
                more_of: None,
                supersedes: None,
                legacy: Legacy::default(),
                trace: None,
            },
        )
        .unwrap();
        Self {
            plan: Arc::clone(plan),
            state: RunState::open(&event, now).unwrap(),
            entries: vec![(now, vec![event])],
            shared: Shared::default(),
            setup: Setup {
                store: StoreId::new(1, &[1; 10]),
                guarded: true,
                guard: Guard::default(),
                limits: Limits::NONE,
                policy: None,
                inventory: Inventory::of_names(),
                escalation: Role::Deputy,
            },
            now,
            places: 1_000_000,
            out: Vec::new(),
            catalogue,
            scripts: Scripts::without_budget(),
            chance,
        }
    }

    /// Becomes another run of the same incident.
    pub(super) fn renamed(&mut self) {
        self.chance = Chance::new([4; 32]);
        let run = self.chance.run_id(self.now);
        self.reopened(|id, _| *id = run);
    }

    /// Becomes a sub-playbook whose caller came back from a backup before it opened this.
    pub(super) fn called_after_a_restore(&mut self) -> &mut Self {
        let (caller, path) = (self.chance.run_id(self.now), at("sub"));
        let restored = Some("second".to_owned());
        let of = Parent { run: caller, path, root: caller, generation: 0, restored, tree: None };
        self.reopened(|_, parent| *parent = Some(of));
        self
    }

    /// Becomes a sub-playbook that a run called.
    pub(super) fn called_by(&mut self, caller: RunId) {
        let (path, restored) = (at("sub"), None);
        let of = Parent { run: caller, path, root: caller, generation: 0, restored, tree: None };
        self.reopened(|_, parent| *parent = Some(of));
    }

    /// Becomes a run for more items of another one.
    pub(super) fn more_of(&mut self, first: RunId) {
        self.renamed();
        let Some((_, events)) = self.entries.first_mut() else { return };
        if let Head::RunOpened { more_of, .. } = &mut events[0].head {
            *more_of = Some(Box::new(Earlier { run: first, tree: first, restored: None }));
        }
        self.state = self.fold();
    }

    fn reopened(&mut self, change: impl FnOnce(&mut RunId, &mut Option<Parent>)) {
        let Some((_, events)) = self.entries.first_mut() else { return };
        if let Head::RunOpened { run, parent, .. } = &mut events[0].head {
            change(run, parent);
        }
        self.state = self.fold();
    }

    /// The state before, as it goes out with a call.
    pub(super) fn previous_of(&self, path: &str) -> Value {
        let found = self.out.iter().find_map(|effect| {
            let Effect::Call { path: at, call, .. } = effect else { return None };
            if at.as_str() == path { call.previous.clone() } else { None }
        });
        found.unwrap_or_default()
    }

    pub(super) fn guarded(mut self, name: &str) -> Self {
        self.setup.guard = Guard::new(vec![GuardIdentity::from_text(name)]);
        self
    }

    pub(super) fn with_policy(mut self) -> Self {
        self.setup.policy = Some(Vec::new());
        self
    }

    pub(super) fn run(&self) -> RunId {
        self.state.opened().run
    }

    /// Decides on these inputs; what is sent goes to `out`, scripts are answered at once.
    pub(super) fn take(&mut self, inputs: Vec<Input>) -> Decision {
        let world = World {
            now: self.now,
            plan: &self.plan,
            scripts: &self.scripts,
            catalogue: &self.catalogue,
            setup: &self.setup,
            connectors: &Product,
            shared: &self.shared,
            assets: &Value::Array(Vec::new()),
        };
        let mut places = Places(&mut self.places);
        let decision =
            decide(&world, &mut self.state, inputs, &mut places, &mut self.chance).unwrap();
        if !decision.events.is_empty() {
            self.entries.push((self.now, decision.events.clone()));
        }
        for change in &decision.shared {
            self.shared.apply(change, self.now);
        }
        self.out.extend(decision.effects.iter().cloned());
        self.folds_alike();
        decision
    }

    fn folds_alike(&self) {
        let mut decided = self.state.clone();
        decided.refresh();
        assert_eq!(self.fold(), decided, "what was written folds to what was decided");
    }

    fn fold(&self) -> RunState {
        let entries = self.entries.iter().map(|(at, events)| (*at, events.as_slice()));
        RunState::fold(&self.plan, entries).unwrap()
    }

    pub(super) fn tick(&mut self) -> &mut Self {
        self.take(vec![Input::Tick]);
        while let Some(at) = self.out.iter().position(|out| matches!(out, Effect::Script { .. })) {
            let Effect::Script { path, script, values } = self.out.remove(at) else {
                unreachable!()
            };
            let result = beistand_core::playbook::Expressions::evaluate(
                &self.scripts,
                &script.text,
                ScriptKind::Script,
                &values,
            );
            self.take(vec![Input::Answered(Answered::Script { path, result })]);
        }
        self
    }

    /// Time passes, and the run looks at it.
    pub(super) fn after(&mut self, span: &str) -> &mut Self {
        self.now = self.now.plus(Span::parse(span).unwrap());
        self.tick()
    }

    /// The engine dies: what is out is lost, and another one takes over.
    pub(super) fn crash(&mut self) -> &mut Self {
        self.state = self.fold();
        self.out.clear();
        self.take(vec![Input::Recovered]);
        self
    }

    fn taken_out(&mut self, path: &str) -> Effect {
        let is_at = |effect: &Effect| match effect {
            Effect::Call { path: at, .. }
            | Effect::Probe { path: at, .. }
            | Effect::Previous { path: at, .. } => at.as_str() == path,
            Effect::Script { .. }
            | Effect::OpenChild { .. }
            | Effect::OpenSuccessor { .. }
            | Effect::ToChild { .. } => false,
        };
        let found = self.out.iter().position(is_at);
        let found = found.unwrap_or_else(|| panic!("nothing is out at {path}: {:?}", self.sent()));
        self.places += 1;
        self.out.remove(found)
    }

    /// Answers what is out at a step.
    pub(super) fn answer(&mut self, path: &str, result: Result<Value, CallError>) -> &mut Self {
        let result = result.map(|output| Given { output, reached: Reached::Verified });
        let answered = match self.taken_out(path) {
            Effect::Call { path, attempt, .. } => Answered::Call { path, attempt, result },
            Effect::Previous { path, .. } => Answered::Previous { path, result },
            other @ (Effect::Probe { .. }
            | Effect::Script { .. }
            | Effect::OpenChild { .. }
            | Effect::OpenSuccessor { .. }
            | Effect::ToChild { .. }) => panic!("{other:?} is no call"),
        };
        self.take(vec![Input::Answered(answered)]);
        self.tick()
    }

    pub(super) fn probed(&mut self, path: &str, result: Probed) -> &mut Self {
        let Effect::Probe { path, attempt, .. } = self.taken_out(path) else { panic!("no probe") };
        self.take(vec![Input::Answered(Answered::Probe { path, attempt, result })]);
        self.tick()
    }

    /// Every look and call that is out succeeds, until nothing is out.
    pub(super) fn all_succeed(&mut self) -> &mut Self {
        for _ in 0..1_000 {
            let Some(path) = self.sent().first().map(|(path, _)| path.clone()) else { break };
            self.succeeds(&path);
        }
        self
    }

    /// What is out at a step succeeds, with the output a working product would give.
    pub(super) fn succeeds(&mut self, path: &str) -> &mut Self {
        let action = self.sent().into_iter().find(|(at, _)| at == path).map(|(_, action)| action);
        let output = match action.as_deref() {
            Some("network.isolate") => json!({"state": "isolated"}),
            Some("network.release" | "network.state") => json!({"state": "open"}),
            Some("mail.send") => json!({"message_id": "m"}),
            _ => json!({"id": "t"}),
        };
        self.answer(path, Ok(output))
    }

    /// What is out: paths and actions.
    pub(super) fn sent(&self) -> Vec<(String, String)> {
        let one = |effect: &Effect| match effect {
            Effect::Call { path, call, .. } | Effect::Previous { path, call, .. } => {
                Some((path.to_string(), call.action.to_string()))
            }
            Effect::Probe { path, .. } => Some((path.to_string(), "probe".to_owned())),
            Effect::Script { .. }
            | Effect::OpenChild { .. }
            | Effect::OpenSuccessor { .. }
            | Effect::ToChild { .. } => None,
        };
        self.out.iter().filter_map(one).collect()
    }

    pub(super) fn paths_out(&self) -> Vec<String> {
        self.sent().into_iter().map(|(path, _)| path).collect()
    }

    /// The key under which something is out at a step.
    pub(super) fn key(&self, path: &str) -> String {
        let found = self.out.iter().find_map(|effect| {
            let Effect::Call { path: at, call, .. } = effect else { return None };
            (at.as_str() == path).then(|| call.key.to_string())
        });
        found.unwrap_or_else(|| panic!("no call is out at {path}"))
    }

    /// A step's status as pages say it; `-` where it never became ready.
    pub(super) fn is(&self, path: &str) -> &'static str {
        self.state.step_at(&at(path)).map_or("-", |step| StepStatus::of(step).as_str())
    }

    /// Until when a step should end.
    pub(super) fn due(&self, path: &str) -> Option<Millis> {
        self.state.step_at(&at(path)).unwrap().due()
    }

    pub(super) fn error(&self, path: &str) -> String {
        let step = self.state.step_at(&at(path)).unwrap();
        step.error.as_ref().map_or_else(String::new, |error| error.kind.to_string())
    }

    pub(super) fn output(&self, path: &str) -> Value {
        let step = self.state.step_at(&at(path)).unwrap();
        step.output.as_deref().cloned().unwrap_or_default()
    }

    pub(super) fn status(&self) -> &'static str {
        self.state.status().as_str()
    }

    /// How often events of one kind stand in the journal.
    pub(super) fn count(&self, is: impl Fn(&Head) -> bool) -> usize {
        self.entries.iter().flat_map(|(_, events)| events).filter(|event| is(&event.head)).count()
    }
}

/// Surely nothing was done.
pub(super) fn unavailable() -> Result<Value, CallError> {
    Err(CallError::unavailable("not now"))
}

/// The service said no.
pub(super) fn refused() -> Result<Value, CallError> {
    Err(CallError::refused("no"))
}

/// It may have been done.
pub(super) fn unknown() -> Result<Value, CallError> {
    Err(CallError::unknown("no answer"))
}
