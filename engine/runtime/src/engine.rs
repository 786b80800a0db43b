//! The engine: owns the store, drives its runs, answers commands.
//!
//! ```text
//!   mailbox ─┐                       ┌─ a task per run in memory: decide → append → effects
//!   verbs ───┼─► Engine ── inbox ──► │      ▲                                     │
//!   timers ──┘      │                └──────┴──────── answers ◄────────────────────┘
//!                   └─ loops: claim what is due, answer commands, seal, see the stop file
//! ```
//!
//! A run that waits is a row, not a task. It decides nothing: no `if` about the domain here.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use beistand_core::entry::StreamKind;
use beistand_core::model::{
    ActionName, Catalogue, GuardHit, Millis, Mode, RunId, TargetKind, Value,
};
use beistand_core::on_call::CallOutEnd;
use beistand_core::playbook::Plan;
use beistand_core::run::{
    Chance, Input, Missing, PlannedBy, PlannedStep, RunStatus, Shared, by_hand, missing, planned,
};
use beistand_journal::{Journal, Lease};
use beistand_script::Scripts;
use tokio::sync::{Notify, Semaphore, broadcast, mpsc};

use crate::access::{Holders, InUse, UnderWay};
use crate::alert::Alerts;
use crate::clock::Clock;
use crate::drive::{self, Job};
use crate::effects::SCRIPTS_AT_ONCE;
use crate::error::EngineError;
use crate::incidents::Incidents;
use crate::modes::Modes;
use crate::permits::Places;
use crate::plans::Plans;
use crate::rows::holds_of;
use crate::views::Views;

/// Messages that may wait for one run: more than it can have effects out at once.
pub(crate) const INBOX_MAX: usize = 4_096;

/// How often a delivery is tried while a run is between two tasks.
const DELIVERIES_MAX: u32 = 100;

/// Between two tries.
const BETWEEN_DELIVERIES: std::time::Duration = std::time::Duration::from_millis(5);

/// Watchers that lag behind by more than this begin anew.
const NEWS_MAX: usize = 1_024;

/// Whether effects are started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Drive {
    /// Runs are driven.
    Yes,
    /// Commands are answered and leave again; "continues with `beistand resume`".
    No,
}

/// What an engine needs from outside.
#[derive(Debug)]
pub struct Parts {
    /// The owned store.
    pub journal: Journal,
    /// Where the time comes from.
    pub clock: Arc<dyn Clock>,
    /// Connectors, guard, limits, policy for both modes.
    pub modes: Modes,
    /// The script engine.
    pub scripts: Arc<Scripts>,
    /// Whether effects are started.
    pub drive: Drive,
    /// Fills a buffer with random bytes.
    pub random: beistand_journal::Random,
    /// Called at named places, so that a test can end the process exactly there.
    pub crash_point: Option<fn(&'static str)>,
}

/// Something that happened to a run, for whoever watches.
#[derive(Debug, Clone)]
pub struct News {
    /// The run.
    pub run: RunId,
    /// Its status after it.
    pub status: RunStatus,
}

/// A handle to the engine. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Engine(pub(crate) Arc<Inner>);

#[derive(Debug)]
pub(crate) struct Inner {
    pub(crate) journal: Journal,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) modes: Modes,
    pub(crate) scripts: Arc<Scripts>,
    pub(crate) catalogue: Catalogue,
    pub(crate) drive: Drive,
    pub(crate) random: beistand_journal::Random,
    pub(crate) crash_point: Option<fn(&'static str)>,
    pub(crate) plans: Plans,
    pub(crate) incidents: Incidents,
    pub(crate) places: Arc<Places>,
    pub(crate) script_pool: Arc<Semaphore>,
    live: Mutex<Arc<Shared>>,
    drill: Mutex<Arc<Shared>>,
    /// Told when a hold changed or the stop switch went off.
    pub(crate) shared_changed: Notify,
    pub(crate) runs: Mutex<BTreeMap<RunId, mpsc::Sender<Job>>>,
    pub(crate) news: broadcast::Sender<News>,
    /// Told when a run's task ended, or the store died.
    pub(crate) left: Notify,
    pub(crate) leaving: AtomicBool,
    pub(crate) leave: Notify,
    /// Held while an alert from outside is taken in: two of one thing open one incident.
    pub(crate) alerts: tokio::sync::Mutex<Alerts>,
    /// Who stood behind what was shown.
    pub(crate) holders: Holders,
    /// Held while accounts and grants change.
    pub(crate) access: tokio::sync::Mutex<()>,
    /// Tries at accounts whose words are looked at.
    pub(crate) guesses: UnderWay,
    /// Printed codes that votes by telephone are about to use up.
    pub(crate) codes: InUse,
    /// Held while the stop switch is turned: memory ends as the store does.
    pub(crate) switch: tokio::sync::Mutex<()>,
    /// Held while runs are claimed.
    pub(crate) claiming: tokio::sync::Mutex<()>,
    /// Held while a run is opened that counts on what runs before it were given.
    pub(crate) following: tokio::sync::Mutex<()>,
    pub(crate) dead: Mutex<Option<String>>,
    pub(crate) counters: Counters,
}

/// What the engine did so far, for `/metrics`.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) decisions: AtomicU64,
    pub(crate) effects: AtomicU64,
    pub(crate) runs_ended: AtomicU64,
    /// Mails that call somebody: sent, not sent, and of unknown outcome.
    pub(crate) call_outs: [AtomicU64; 3],
}

impl Counters {
    /// Counts calls that ended.
    pub(crate) fn called(&self, end: CallOutEnd, count: usize) {
        let [sent, unsent, unknown] = &self.call_outs;
        let counter = match end {
            CallOutEnd::Sent => sent,
            CallOutEnd::Unavailable | CallOutEnd::Refused => unsent,
            CallOutEnd::Unknown => unknown,
        };
        counter.fetch_add(count as u64, Ordering::Relaxed);
    }
}

impl Engine {
    /// Takes up a store: what is held and what is stopped is read; nothing is driven yet.
    ///
    /// # Errors
    /// [`EngineError::Store`] when it can not be read.
    pub async fn new(parts: Parts) -> Result<Self, EngineError> {
        let (news, _) = broadcast::channel(NEWS_MAX);
        let inner = Inner {
            journal: parts.journal,
            clock: parts.clock,
            modes: parts.modes,
            scripts: parts.scripts,
            catalogue: Catalogue::first(),
            drive: parts.drive,
            random: parts.random,
            crash_point: parts.crash_point,
            plans: Plans::default(),
            incidents: Incidents::default(),
            places: Arc::default(),
            script_pool: Arc::new(Semaphore::new(SCRIPTS_AT_ONCE)),
            live: Mutex::default(),
            drill: Mutex::default(),
            shared_changed: Notify::new(),
            runs: Mutex::default(),
            news,
            left: Notify::new(),
            leaving: AtomicBool::new(false),
            leave: Notify::new(),
            alerts: tokio::sync::Mutex::default(),
            holders: Holders::default(),
            access: tokio::sync::Mutex::new(()),
            guesses: UnderWay::default(),
            codes: InUse::default(),
            switch: tokio::sync::Mutex::new(()),
            claiming: tokio::sync::Mutex::new(()),
            following: tokio::sync::Mutex::new(()),
            dead: Mutex::default(),
            counters: Counters::default(),
        };
        let engine = Self(Arc::new(inner));
        engine.0.load_shared().await?;
        for connector in engine.0.journal.reader().paused().await? {
            engine.0.places.pause(connector, true);
        }
        Ok(engine)
    }

    /// The store.
    pub fn journal(&self) -> &Journal {
        &self.0.journal
    }
    /// What is read of its store, with a memory of its own: who asks often keeps it.
    pub fn views(&self) -> Views {
        Views::of_writer(&self.0.journal, Arc::clone(&self.0.scripts))
    }
    /// The actions of a plan, and of those it calls, that nothing is bound for: they fall to people.
    pub fn by_hand(&self, plan: &Plan, mode: Mode) -> BTreeSet<ActionName> {
        let calls = by_hand(plan, &self.0.modes.of(mode).bindings);
        calls.into_iter().map(|call| call.action.clone()).collect()
    }
    /// What a plan would do with these inputs, step by step.
    pub fn planned<'p>(&self, plan: &'p Plan, mode: Mode, inputs: &Value) -> Vec<PlannedStep<'p>> {
        let setup = self.0.modes.of(mode);
        let policy = setup.setup.policy.as_deref().filter(|_| mode == Mode::Live);
        let by = PlannedBy { catalogue: &self.0.catalogue, bindings: &setup.bindings, policy };
        planned(plan, by, inputs)
    }
    /// Of targets that something destructive would be done to, those that are never touched, and how
    /// many one run may touch where these are more.
    pub fn kept_back(
        &self,
        mode: Mode,
        targets: &[(TargetKind, String)],
    ) -> (Vec<GuardHit>, Option<u32>) {
        let setup = &self.0.modes.of(mode).setup;
        let known =
            targets.iter().filter_map(|(kind, name)| setup.inventory.resolve(*kind, name).ok());
        let guarded = known.filter_map(|target| setup.guard.hit(&[target])).collect();
        let count = u32::try_from(targets.len()).unwrap_or(u32::MAX);
        (guarded, setup.limits.targets_per_run.filter(|most| count > *most))
    }
    /// What keeps a plan from being carried out live by connectors alone with these inputs.
    pub fn missing(&self, plan: &Plan, inputs: &Value) -> Vec<Missing> {
        let live = &self.0.modes.live;
        missing(plan, &self.0.catalogue, inputs, (&live.setup, &live.bindings))
    }
    /// The actions that there are.
    pub fn catalogue(&self) -> &Catalogue {
        &self.0.catalogue
    }
    /// The instant now.
    pub fn now(&self) -> Millis {
        self.0.clock.now()
    }
    /// What happens to runs, from now on.
    pub fn news(&self) -> broadcast::Receiver<News> {
        self.0.news.subscribe()
    }
    /// How many effects may be out at once at a connector.
    pub fn limit_places(&self, connector: beistand_core::model::ConnectorName, places: u32) {
        self.0.places.limit(connector, places);
    }
    /// What ended the writer, if it did: the process should end with 70.
    pub fn dead(&self) -> Option<String> {
        lock(&self.0.dead).clone()
    }
    /// How many runs are in memory.
    pub fn in_memory(&self) -> usize {
        lock(&self.0.runs).len()
    }
}

impl Inner {
    /// What runs share, as it is now. Nobody waits for who reads it: a decision may take long, and
    /// the stop switch must not.
    pub(crate) fn shared(&self, mode: Mode) -> Arc<Shared> {
        Arc::clone(&lock(self.place_of(mode)))
    }

    /// Changes what runs share.
    pub(crate) fn share(&self, mode: Mode, change: impl FnOnce(&mut Shared)) {
        change(Arc::make_mut(&mut lock(self.place_of(mode))));
    }

    const fn place_of(&self, mode: Mode) -> &Mutex<Arc<Shared>> {
        match mode {
            Mode::Live => &self.live,
            Mode::Drill => &self.drill,
        }
    }

    /// Reads anew what runs share; after a guard refused something, memory was behind.
    pub(crate) async fn load_shared(&self) -> Result<(), EngineError> {
        let reader = self.journal.reader();
        let holds = reader.holds(None).await?;
        let uses = reader.target_uses(self.clock.now().minus(beistand_core::run::HOUR)).await?;
        let stopped = reader.meta().await?.stopped_at.is_some();
        let accounts = reader.has_accounts().await?;
        // A key names its incident, and an incident has one mode.
        let once: BTreeMap<_, _> =
            reader.once().await?.into_iter().map(|o| (o.key.hex(), (o.run, o.path))).collect();
        let strikes = reader.strikes().await?;
        for mode in [Mode::Live, Mode::Drill] {
            let mut fresh = Shared { stopped, accounts, once: once.clone(), ..Shared::default() };
            for (key, state) in holds_of(holds.clone(), mode) {
                fresh.holds.restore(key, state);
            }
            for one in uses.iter().filter(|one| one.mode == mode) {
                fresh.touched.insert(one.target.clone(), (one.at, one.organisation.clone()));
            }
            // A run has one mode, and so have those it calls.
            for one in &strikes {
                let struck = fresh.struck.entry((one.root, one.action.clone())).or_default();
                struck.add(&one.target, one.run, one.votes);
            }
            self.share(mode, |shared| *shared = fresh);
        }
        Ok(())
    }

    /// Reads what a tree of runs destroyed: of one that had ended when the program began, memory
    /// knows nothing.
    pub(crate) async fn load_tree(&self, mode: Mode, tree: RunId) -> Result<(), EngineError> {
        let strikes = self.journal.reader().strikes_of(tree).await?;
        self.share(mode, |shared| {
            for one in &strikes {
                let struck = shared.struck.entry((tree, one.action.clone())).or_default();
                struck.add(&one.target, one.run, one.votes);
            }
        });
        Ok(())
    }

    pub(crate) fn chance(&self) -> Result<Chance, EngineError> {
        let mut seed = [0; 32];
        (self.random)(&mut seed)
            .map_err(|error| EngineError::Internal(format!("no randomness: {error}")))?;
        Ok(Chance::new(seed))
    }

    pub(crate) fn crash_at(&self, point: &'static str) {
        if let Some(crash) = self.crash_point {
            crash(point);
        }
    }

    pub(crate) fn is_leaving(&self) -> bool {
        self.leaving.load(Ordering::SeqCst)
    }

    pub(crate) fn die(&self, why: String) {
        tracing::error!(%why, "The store can not be written any more; the program ends.");
        lock(&self.dead).get_or_insert(why);
        self.leaving.store(true, Ordering::SeqCst);
        self.leave.notify_waiters();
        self.left.notify_waiters();
    }

    /// Hands something to a run: to its task if it is in memory, otherwise it is taken up. `false`
    /// if there is no such run, or another process drives it.
    pub(crate) async fn deliver(
        self: &Arc<Self>,
        run: RunId,
        job: Job,
    ) -> Result<bool, EngineError> {
        let mut job = job;
        for _ in 0..DELIVERIES_MAX {
            let sender = lock(&self.runs).get(&run).cloned();
            if let Some(sender) = sender {
                match sender.send(job).await {
                    Ok(()) => return Ok(true),
                    // The task ended in this very moment: it is taken up anew.
                    Err(back) => job = back.0,
                }
            } else if let Some(lease) =
                self.journal.claim_stream(StreamKind::Run, &run.to_string()).await?
            {
                self.spawn(run, lease, vec![job]);
                return Ok(true);
            } else if self.journal.reader().run(run).await?.is_none() {
                return Ok(false);
            }
            // Between a claim and its task, or a release and its end, there is a moment.
            tokio::time::sleep(BETWEEN_DELIVERIES).await;
        }
        Ok(false)
    }

    /// A claimed run's task begins.
    pub(crate) fn spawn(self: &Arc<Self>, run: RunId, lease: Lease, jobs: Vec<Job>) {
        let (own, inbox) = mpsc::channel(INBOX_MAX);
        lock(&self.runs).insert(run, own.clone());
        self.watch(run, drive::drive(Arc::clone(self), (run, lease, own), (inbox, jobs)));
    }

    /// Runs a run's task.
    pub(crate) fn watch(
        self: &Arc<Self>,
        run: RunId,
        task: impl Future<Output = ()> + Send + 'static,
    ) {
        let inner = Arc::clone(self);
        tokio::spawn(async move {
            if let Err(error) = tokio::spawn(task).await
                && error.is_panic()
            {
                // A panic in a decision is caught where it happens; this one is the shell's own, and
                // its run may be half way: begin again from what is durable.
                inner.die(format!("the task of run {run} broke: {error}"));
            }
            inner.left.notify_waiters();
        });
    }

    /// Tells a run that something happened, if it is in memory or can be claimed.
    pub(crate) async fn tell(self: &Arc<Self>, run: RunId, input: Input) {
        if let Err(error) = self.deliver(run, Job::Input(Box::new(input))).await {
            tracing::warn!(%run, %error, "A run could not be told.");
        }
    }
}

/// A lock whose holder panicked is still good: state in it is replaced as a whole.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
