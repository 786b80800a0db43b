//! One run, one task: inputs → decide → append → effects, until the run ends or only waits.
//!
//! The order is fixed: append, then effects. When an append is refused the state is thrown away,
//! loaded anew, and the same inputs are decided on again; an answer is never lost that way. Whoever
//! opens a run has its first turn written with the opening.

mod aside;
mod opening;
mod setback;
mod write;

pub(crate) use opening::{Opening, open};

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use beistand_core::model::{Millis, RunId, Span};
use beistand_core::playbook::Plan;
use beistand_core::run::{
    Actor, AnswerError, Command, Decision, Effect, Input, Reply, RunState, World, decide,
};
use beistand_journal::{Lease, StoreError};
use serde_json::{Value, json};
use tokio::sync::{mpsc, oneshot};

use self::aside::Aside;
use crate::children;
use crate::effects;
use crate::engine::{Drive, Inner, News, lock};
use crate::error::EngineError;
use crate::load::{Loaded, load};
use crate::permits::{Permit, Taken};
use crate::rows::Written;
use crate::successor;

/// So often may a decision panic before its run is parked with a need.
pub(crate) const PANICS_MAX: u32 = 3;

/// Refusals in a row after which a run waits a little before it looks again.
const REFUSED_MAX: u32 = 3;

/// The number of commands that the engine gives a run itself: nobody waits for an answer, and they
/// are kept until they are written.
const OWN: u64 = u64::MAX;

/// A run that waits no longer than this stays in memory.
const STAY: Span = Span::from_secs(2);

/// While something is held back, the run looks again after this at the latest.
const LOOK_AGAIN: Duration = Duration::from_millis(50);

/// A run that the store gave no answer about is looked at again after this.
const READ_AGAIN: Span = Span::from_secs(5);

/// Wall clocks jump: no sleep is longer than this.
const SLEEP_MAX: Duration = Duration::from_secs(1);

/// A snapshot is written when a run leaves memory after so many entries.
const ENTRIES_WITHOUT_SNAPSHOT: u64 = 32;

/// What a run's task is given.
#[derive(Debug)]
pub(crate) enum Job {
    /// An answer, or a tick.
    Input(Box<Input>),
    /// A command, from this process or through the mailbox.
    Command(Box<Order>),
}

/// A command with where its answer goes.
#[derive(Debug)]
pub(crate) struct Order {
    pub(crate) command: Command,
    /// The row of the mailbox, answered in the transaction of what follows from it.
    pub(crate) mailbox: Option<String>,
    /// The printed code that it uses up, in the same transaction; not where it is refused.
    pub(crate) code: Option<String>,
    pub(crate) reply: Option<oneshot::Sender<Answer>>,
}

/// What became of a command.
#[derive(Debug)]
pub(crate) enum Answer {
    /// The run answered; where it came by mailbox, the answer is written.
    Written(Result<Reply, AnswerError>),
    /// The run could not write anything; the mailbox still waits for an answer.
    Unwritten(String),
    /// Its code was used for something else in that very moment; the mailbox still waits.
    UsedUp,
}

/// What a turn came to.
enum Turn {
    /// Go on.
    On,
    /// The stream was given back.
    Released,
    /// The stream is somebody else's: send nothing, report nothing.
    Lost,
}

/// Whose the run's stream is.
enum Ownership {
    /// It begins with the next entry.
    Opening(Arc<Opening>),
    /// Ours.
    Owned(Lease),
    /// Given back.
    Released,
}

struct Driver {
    inner: Arc<Inner>,
    run: RunId,
    ownership: Ownership,
    plan: Arc<Plan>,
    state: RunState,
    written: Written,
    entries: u64,
    out: usize,
    refused: u32,
    panics: u32,
    inputs: Vec<Input>,
    orders: BTreeMap<u64, Order>,
    next_order: u64,
    own: mpsc::Sender<Job>,
    /// Few playbooks name the incident's assets; the others never cost a query.
    reads_assets: bool,
}

/// Takes up a run whose stream was claimed, and drives it until it ends, waits or is lost.
pub(crate) async fn drive(
    inner: Arc<Inner>,
    (run, lease, own): (RunId, Lease, mpsc::Sender<Job>),
    (inbox, jobs): (mpsc::Receiver<Job>, Vec<Job>),
) {
    let loaded = match load(&inner, run, lease.stream()).await {
        Ok(loaded) => loaded,
        Err(error) => return left_alone(&inner, (run, lease, &own), (inbox, jobs), &error).await,
    };
    let parked = after_restore(&inner, &loaded);
    let mut driver = Driver::new(Arc::clone(&inner), (run, Ownership::Owned(lease), own), loaded);
    driver.inputs.extend(parked);
    if inner.drive == Drive::Yes {
        driver.inputs.push(Input::Recovered);
    }
    driver.inputs.push(Input::Tick);
    for job in jobs {
        driver.take(job);
    }
    driver.go_on(inbox).await;
}

/// A run that can not be read: where the store did not answer it is taken up again in a while, with
/// what came for it; where its entries make no sense it stays for whoever looks into them.
async fn left_alone(
    inner: &Arc<Inner>,
    (run, lease, own): (RunId, Lease, &mpsc::Sender<Job>),
    (mut inbox, mut jobs): (mpsc::Receiver<Job>, Vec<Job>),
    error: &EngineError,
) {
    tracing::error!(%run, %error, "A run could not be read; it is left as it is.");
    forget(inner, run, own);
    if !error.is_passing() {
        return;
    }
    jobs.extend(drained(&mut inbox).await);
    let due = inner.clock.now().plus(READ_AGAIN);
    if let Err(error) = inner.journal.release(lease, Some(due)).await {
        tracing::warn!(%run, %error, "A run could not be given back.");
    }
    // At once it would only be read in vain again.
    deliver_anew(inner, run, (jobs, READ_AGAIN));
}

/// What came for a run while it was given back is delivered anew, which claims it.
fn deliver_anew(inner: &Arc<Inner>, run: RunId, (left, after): (Vec<Job>, Span)) {
    if left.is_empty() {
        return;
    }
    let inner = Arc::clone(inner);
    tokio::spawn(async move {
        tokio::time::sleep(Duration::from_millis(after.millis())).await;
        for job in left {
            if let Err(error) = inner.deliver(run, job).await {
                tracing::warn!(%run, %error, "A message for a run was lost.");
            }
        }
    });
}

/// Nothing is delivered to this inbox any more; who took the run up meanwhile keeps theirs.
fn forget(inner: &Inner, run: RunId, own: &mpsc::Sender<Job>) {
    let mut runs = lock(&inner.runs);
    if runs.get(&run).is_some_and(|sender| sender.same_channel(own)) {
        runs.remove(&run);
    }
}

/// A run that came back from a backup asks a person before it goes on, once for each restore.
fn after_restore(inner: &Inner, loaded: &Loaded) -> Option<Input> {
    let epoch = &inner.journal.meta().epoch;
    if !loaded.restored || loaded.state.restored() == Some(epoch) {
        return None;
    }
    let by = Actor::asserted(loaded.state.opened().by.person.clone());
    let reason = "the store came back from a backup; what this run was about to do may have been \
                  done already"
        .to_owned();
    let restored = Some(epoch.clone());
    Some(Input::Command(OWN, Command::Park { by, reason, restored }))
}

impl Driver {
    fn new(
        inner: Arc<Inner>,
        (run, ownership, own): (RunId, Ownership, mpsc::Sender<Job>),
        loaded: Loaded,
    ) -> Self {
        let written = Written {
            needs: loaded.state.needs().map(|need| need.id).collect(),
            superseded_by: loaded.state.superseded_by(),
            status: loaded.status,
        };
        let reads_assets = loaded.plan.parts().source.text().contains("assets");
        Self {
            inner,
            run,
            reads_assets,
            ownership,
            plan: loaded.plan,
            state: loaded.state,
            written,
            entries: loaded.entries,
            out: 0,
            refused: 0,
            panics: 0,
            inputs: Vec::new(),
            orders: BTreeMap::new(),
            next_order: 0,
            own,
        }
    }

    /// Turn after turn, until the run ends, only waits or is lost.
    async fn go_on(mut self, mut inbox: mpsc::Receiver<Job>) {
        loop {
            if self.inputs.is_empty() {
                self.wait(&mut inbox).await;
            }
            while let Ok(job) = inbox.try_recv() {
                self.take(job);
            }
            match self.turn(inbox.is_empty()).await {
                Turn::On => {}
                Turn::Lost => break,
                Turn::Released => {
                    self.leave(&mut inbox).await;
                    break;
                }
            }
        }
        forget(&self.inner, self.run, &self.own);
    }

    fn take(&mut self, job: Job) {
        match job {
            Job::Input(input) => {
                if matches!(*input, Input::Answered(_)) {
                    self.out = self.out.saturating_sub(1);
                }
                self.inputs.push(*input);
            }
            Job::Command(order) => {
                let number = self.next_order;
                self.next_order += 1;
                self.inputs.push(Input::Command(number, order.command.clone()));
                self.orders.insert(number, *order);
            }
        }
    }

    /// Decides on everything that waits, writes it down, does it.
    async fn turn(&mut self, quiet: bool) -> Turn {
        let inputs = std::mem::take(&mut self.inputs);
        let kept = inputs.clone();
        let assets = match self.assets().await {
            Ok(assets) => assets,
            Err(error) => {
                // A loop over assets that could not be read would do nothing, and call it done.
                tracing::warn!(run.id = %self.run, %error, "The incident's assets could not be read.");
                tokio::time::sleep(LOOK_AGAIN).await;
                return self.again(kept).await;
            }
        };
        let now = self.inner.clock.now();
        let mut taken = Taken::new(&self.inner.places, self.starts_effects());
        let decided = self.decide(inputs, &assets, now, &mut taken);
        let decision = match decided {
            Ok(decision) => decision,
            Err(why) => return self.broken(kept, &why).await,
        };
        let leaves = quiet && self.leaves(&decision, now);
        if decision.events.is_empty() {
            return self.without_events(decision, leaves).await;
        }
        match self.append(&decision, now, leaves).await {
            Ok(()) => {
                (self.refused, self.panics) = (0, 0);
                self.done(decision, taken, now);
                if leaves { Turn::Released } else { Turn::On }
            }
            Err(error) => self.not_written(kept, error).await,
        }
    }

    /// Effects begin only while the engine drives and does not leave.
    fn starts_effects(&self) -> bool {
        self.inner.drive == Drive::Yes && !self.inner.is_leaving()
    }

    async fn assets(&self) -> Result<Value, StoreError> {
        if !self.reads_assets {
            return Ok(Value::Array(Vec::new()));
        }
        let assets = self.inner.journal.reader().assets(self.state.opened().incident).await?;
        let shown = assets.iter().map(|asset| {
            json!({
                "kind": asset.kind, "value": asset.value, "state": asset.state,
                "organisation": asset.organisation,
            })
        });
        Ok(shown.collect())
    }

    fn decide(
        &mut self,
        inputs: Vec<Input>,
        assets: &Value,
        now: Millis,
        taken: &mut Taken,
    ) -> Result<Decision, String> {
        let mode = self.inner.modes.of(self.state.opened().mode);
        let mut chance = self.inner.chance().map_err(|error| error.to_string())?;
        let shared = self.inner.shared(self.state.opened().mode);
        let clock = self.inner.clock.as_ref();
        let scripts = Aside { scripts: self.inner.scripts.as_ref(), clock, began: clock.now() };
        let world = World {
            now,
            plan: &self.plan,
            scripts: &scripts,
            catalogue: &self.inner.catalogue,
            setup: &mode.setup,
            connectors: mode,
            shared: &shared,
            assets,
        };
        self.inner.counters.decisions.fetch_add(1, Ordering::Relaxed);
        let state = &mut self.state;
        // A panic in here must end this decision, not the lock's other users; the state is thrown away.
        let decided =
            catch_unwind(AssertUnwindSafe(|| decide(&world, state, inputs, taken, &mut chance)));
        match decided {
            Ok(Ok(decision)) => Ok(decision),
            Ok(Err(contradiction)) => Err(contradiction.to_string()),
            Err(_) => Err("a decision panicked".to_owned()),
        }
    }

    /// Whether nothing keeps the run in memory after this decision.
    fn leaves(&self, decision: &Decision, now: Millis) -> bool {
        if !decision.effects.is_empty() || self.out > 0 {
            return false;
        }
        if self.state.status().is_ended() || !self.starts_effects() {
            return true;
        }
        !self.state.is_held_back() && self.state.next_due().is_none_or(|due| due > now.plus(STAY))
    }

    fn due(&self, now: Millis) -> Option<Millis> {
        if self.state.status().is_ended() {
            return None;
        }
        // What could go on but may not now is taken up by the next who drives.
        let state = &self.state;
        let ready = state.is_held_back() || state.has_work_out() || !state.has_decided();
        let ready = ready || state.gives_way();
        let now = ready.then_some(now);
        now.or_else(|| self.state.next_due())
    }

    /// The decision is durable: what runs share changes, effects begin, askers are answered.
    fn done(&mut self, decision: Decision, mut taken: Taken, now: Millis) {
        let mode = self.state.opened().mode;
        if !decision.shared.is_empty() {
            self.inner.share(mode, |shared| {
                for change in &decision.shared {
                    shared.apply(change, now);
                }
            });
            self.inner.shared_changed.notify_waiters();
        }
        self.written.needs = self.state.needs().map(|need| need.id).collect();
        self.state.status().as_str().clone_into(&mut self.written.status);
        self.written.superseded_by = self.state.superseded_by();
        for (number, reply) in decision.replies {
            self.reply(number, reply);
        }
        for effect in decision.effects {
            let permit = effects::connector_of(&effect).and_then(|connector| taken.give(connector));
            self.begin(effect, permit);
        }
        let status = self.state.status();
        // Nobody watching is the usual case, and no fault.
        drop(self.inner.news.send(News { run: self.run, status }));
        if status.is_ended() {
            self.inner.counters.runs_ended.fetch_add(1, Ordering::Relaxed);
            children::tell_parent(&self.inner, &self.state);
        }
    }

    fn reply(&mut self, number: u64, reply: Result<Reply, AnswerError>) {
        if let Some(sender) = self.orders.remove(&number).and_then(|order| order.reply) {
            // Whoever asked may have gone.
            drop(sender.send(Answer::Written(reply)));
        }
    }

    fn begin(&mut self, effect: Effect, permit: Option<Permit>) {
        let inner = Arc::clone(&self.inner);
        let own = self.own.clone();
        let mode = inner.modes.of(self.state.opened().mode);
        let connector =
            effects::connector_of(&effect).and_then(|name| mode.connectors.get(name)).cloned();
        self.inner.counters.effects.fetch_add(1, Ordering::Relaxed);
        match effect {
            Effect::OpenChild { path, run, playbook, inputs } => {
                children::open(&inner, &self.state, &self.plan, (path, run, playbook, inputs));
            }
            Effect::OpenSuccessor { next } => {
                successor::open(&inner, &self.state, &self.plan, next);
            }
            Effect::ToChild { run, command } => {
                let order = Order { command, mailbox: None, code: None, reply: None };
                tokio::spawn(async move {
                    if let Err(error) = inner.deliver(run, Job::Command(Box::new(order))).await {
                        tracing::warn!(%run, %error, "A sub-playbook could not be told.");
                    }
                });
            }
            Effect::Call { path, attempt, call, .. } => {
                let mut effect = Box::pin(async move {
                    inner.crash_at("before_effect");
                    let input = effects::call(connector, path, attempt, *call).await;
                    inner.crash_at("after_effect");
                    drop(permit);
                    input
                });
                // What is answered at once costs no task; whatever waits is polled anew in its own.
                match effect.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
                    Poll::Ready(input) => self.inputs.push(input),
                    Poll::Pending => {
                        self.out += 1;
                        tokio::spawn(async move { answer(&own, effect.await).await });
                    }
                }
            }
            Effect::Probe { path, attempt, call, .. } => {
                self.out += 1;
                tokio::spawn(async move {
                    let input = effects::probe(connector, path, attempt, *call).await;
                    drop(permit);
                    answer(&own, input).await;
                });
            }
            Effect::Previous { path, call, .. } => {
                self.out += 1;
                tokio::spawn(async move {
                    let input = effects::previous(connector, path, *call).await;
                    drop(permit);
                    answer(&own, input).await;
                });
            }
            Effect::Script { path, script, values } => {
                self.out += 1;
                let (scripts, pool) = (Arc::clone(&inner.scripts), Arc::clone(&inner.script_pool));
                tokio::spawn(async move {
                    let input = effects::script(scripts, pool, path, (script, values)).await;
                    answer(&own, input).await;
                });
            }
        }
    }

    /// The stream was given back. What came in that very moment is delivered anew, which claims it.
    async fn leave(&mut self, inbox: &mut mpsc::Receiver<Job>) {
        forget(&self.inner, self.run, &self.own);
        let left = drained(inbox).await;
        deliver_anew(&self.inner, self.run, (left, Span::ZERO));
    }

    async fn wait(&mut self, inbox: &mut mpsc::Receiver<Job>) {
        let now = self.inner.clock.now();
        let mut sleep = match self.state.next_due() {
            Some(due) => Duration::from_millis(due.since(now).millis()).min(SLEEP_MAX),
            None => SLEEP_MAX,
        };
        if self.state.is_held_back() || self.inner.is_leaving() {
            sleep = sleep.min(LOOK_AGAIN);
        }
        let inner = Arc::clone(&self.inner);
        // Each arm may be cut: a message stays in its channel, the others carry nothing.
        tokio::select! {
            job = inbox.recv() => {
                if let Some(job) = job {
                    self.take(job);
                }
            }
            () = tokio::time::sleep(sleep) => self.inputs.push(Input::Tick),
            () = inner.places.freed.notified(), if self.state.is_held_back() => self.inputs.push(Input::Tick),
            () = inner.shared_changed.notified(), if self.state.is_held_back() => self.inputs.push(Input::Tick),
            () = inner.leave.notified() => self.inputs.push(Input::Tick),
        }
    }
}

/// All that was sent until now. Whoever was let in before the close may still be putting theirs down:
/// an inbox that looks empty then is not.
async fn drained<T>(inbox: &mut mpsc::Receiver<T>) -> Vec<T> {
    inbox.close();
    let mut left = Vec::new();
    while let Some(job) = inbox.recv().await {
        left.push(job);
    }
    left
}

async fn answer(own: &mpsc::Sender<Job>, input: Input) {
    // A closed inbox means that the run went to another owner, who takes up what is open.
    drop(own.send(Job::Input(Box::new(input))).await);
}

/// How a run that could not be taken up is reported.
pub(crate) fn missing(run: RunId) -> EngineError {
    EngineError::NotFound(format!("there is no run {run}, or another process drives it"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_is_being_put_into_an_inbox_that_closes_is_not_lost() {
        let (sender, mut inbox) = mpsc::channel(4);
        sender.send(1).await.unwrap();
        let let_in = sender.reserve().await.unwrap();
        let (left, ()) = tokio::join!(drained(&mut inbox), async {
            tokio::task::yield_now().await;
            let_in.send(2);
        });
        assert_eq!(left, [1, 2]);
        assert!(sender.send(3).await.is_err(), "who comes later delivers anew");
    }
}
