//! An engine on a store of its own, in this process: for tests of the shell without a command line.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex};

use beistand_connector_api::{BoxFuture, Connector};
use beistand_connectors::simulator::Simulator;
use beistand_core::model::{
    ActionName, Answer, Call, CallError, Catalogue, ConnectorName, ConnectorSpec, Guard, Inventory,
    Limits, Mode, Offer, Probed, Role, RunId, Target, Value, capabilities,
};
use beistand_core::playbook::SourceText;
use beistand_core::run::{Actor, Binding, Setup};
use beistand_journal::{Journal, Options};
use beistand_runtime::{Clock, Drive, Engine, ModeSetup, Modes, NewRun, Parts, WallClock};
use beistand_script::Scripts;

/// What everybody here is called.
pub(crate) fn anna() -> Actor {
    Actor::asserted("anna".parse().expect("a name"))
}

/// The simulator, and every call that it was given.
#[derive(Debug)]
pub(crate) struct Noting {
    simulator: Simulator,
    calls: Calls,
}

/// Calls as they came.
pub(crate) type Calls = Arc<Mutex<Vec<Call>>>;

/// A connector that notes its calls there.
pub(crate) fn noting(calls: &Calls) -> Arc<dyn Connector> {
    let simulator = Simulator::new(&Catalogue::first(), Vec::new());
    Arc::new(Noting { simulator, calls: Arc::clone(calls) })
}

impl Connector for Noting {
    fn spec(&self) -> &ConnectorSpec {
        self.simulator.spec()
    }
    fn offer(&self, action: &ActionName, arguments: &Value) -> Option<Offer> {
        self.simulator.offer(action, arguments)
    }
    fn destructive(&self, action: &ActionName, arguments: &Value) -> bool {
        self.simulator.destructive(action, arguments)
    }
    fn goes_to(&self, action: &ActionName, arguments: &Value) -> Option<Target> {
        self.simulator.goes_to(action, arguments)
    }
    fn call<'a>(&'a self, call: &'a Call) -> BoxFuture<'a, Result<Answer, CallError>> {
        self.calls.lock().expect("nobody panicked with it").push(call.clone());
        self.simulator.call(call)
    }
    fn probe<'a>(&'a self, call: &'a Call) -> BoxFuture<'a, Probed> {
        self.simulator.probe(call)
    }
    fn health(&self) -> BoxFuture<'_, Result<String, CallError>> {
        self.simulator.health()
    }
}

/// Connectors by name; every capability is bound to `simulator` unless another is given for it.
pub(crate) fn setup(store: &Journal, others: Vec<(&str, &str, Arc<dyn Connector>)>) -> ModeSetup {
    let catalogue = Catalogue::first();
    let name: ConnectorName = "simulator".parse().expect("a name");
    let simulator: Arc<dyn Connector> = Arc::new(Simulator::new(&catalogue, Vec::new()));
    let mut connectors = BTreeMap::from([(name.clone(), simulator)]);
    let mut bindings: Vec<Binding> = Vec::new();
    for capability in capabilities(&catalogue) {
        let other = others.iter().find(|(bound, _, _)| *bound == capability);
        let connector =
            other.map_or_else(|| name.clone(), |(_, name, _)| name.parse().expect("a name"));
        bindings.push(Binding::any(capability, connector));
    }
    for (_, name, connector) in others {
        connectors.insert(name.parse().expect("a name"), connector);
    }
    ModeSetup {
        setup: Setup {
            store: store.meta().store,
            guarded: true,
            guard: Guard::default(),
            limits: Limits::NONE,
            policy: None,
            inventory: Inventory::of_names(),
            escalation: Role::Deputy,
        },
        connectors,
        bindings,
    }
}

/// Opens an engine on a SQLite file; both modes answer alike.
pub(crate) async fn engine(path: &Path, others: Vec<(&str, &str, Arc<dyn Connector>)>) -> Engine {
    engine_with(path, others, |parts| parts).await
}

/// The same, with something about it changed.
pub(crate) async fn engine_with(
    path: &Path,
    others: Vec<(&str, &str, Arc<dyn Connector>)>,
    change: impl FnOnce(Parts) -> Parts,
) -> Engine {
    let url = format!("sqlite:{}", path.display());
    let journal = Journal::open(&url, Options::new(WallClock.now())).await.expect("a store");
    let modes = Modes { live: setup(&journal, others), drill: setup(&journal, Vec::new()) };
    let parts = Parts {
        journal,
        clock: Arc::new(WallClock),
        modes,
        scripts: Arc::new(Scripts::without_budget()),
        drive: Drive::Yes,
        random: getrandom::fill,
        crash_point: None,
    };
    Engine::new(change(parts)).await.expect("an engine")
}

/// A run of a playbook given as text.
pub(crate) fn new_run(text: &str, inputs: Value) -> NewRun {
    let line = text.lines().find_map(|line| line.strip_prefix("playbook: "));
    let name: beistand_core::model::PlaybookName =
        line.and_then(|name| name.trim().parse().ok()).expect("a playbook's name");
    NewRun {
        sources: BTreeMap::from([(name.clone(), SourceText::new("test.yaml", text))]),
        playbook: name,
        inputs,
        incident: None,
        title: None,
        mode: Mode::Live,
        short: "SIT".to_owned(),
        start_key: None,
        by_hand_ok: false,
        case: None,
        by: anna(),
    }
}

/// The status of a run, as its row says it.
pub(crate) async fn status(engine: &Engine, run: RunId) -> String {
    let row = engine.journal().reader().run(run).await.expect("a readable store");
    row.expect("a run").status
}
