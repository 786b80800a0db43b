//! Everything `decide` may look at besides the run itself: arguments, not ambient things.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::struck::{Struck, Yes};
use crate::model::{
    ActionName, Catalogue, ConnectorName, Digest, EntryId, Guard, Inventory, Limits, Millis,
    NeedId, Offer, Organisation, Path, PolicyRule, Role, RunId, Span, StoreId, Target,
};
use crate::playbook::{Expressions, Plan};

/// What a decision is made from.
#[derive(Clone, Copy)]
pub struct World<'a> {
    /// The instant of this decision.
    pub now: Millis,
    /// The run's plan.
    pub plan: &'a Plan,
    /// The script engine.
    pub scripts: &'a dyn Expressions,
    /// What actions there are.
    pub catalogue: &'a Catalogue,
    /// What the configuration says.
    pub setup: &'a Setup,
    /// What the configured connectors say of single calls.
    pub connectors: &'a dyn Connectors,
    /// What all runs share.
    pub shared: &'a Shared,
    /// The incident's assets now.
    pub assets: &'a Value,
}

impl std::fmt::Debug for World<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("World")
            .field("now", &self.now)
            .field("setup", self.setup)
            .finish_non_exhaustive()
    }
}

/// What the configuration says, for one mode.
#[derive(Debug, Clone)]
pub struct Setup {
    /// The store, part of every key.
    pub store: StoreId,
    /// Whether somebody thought about what must never be touched: without it nothing destructive
    /// goes out live.
    pub guarded: bool,
    /// What is never touched.
    pub guard: Guard,
    /// How many targets.
    pub limits: Limits,
    /// Gates beside those of the playbooks; `None` in cases: no policy at all.
    pub policy: Option<Vec<PolicyRule>>,
    /// Where names become identities.
    pub inventory: Inventory,
    /// Who is told when something is late.
    pub escalation: Role,
}

/// What connectors say of a concrete call.
pub trait Connectors {
    /// How it may be treated; `None` where the connector does not offer the action or is gone.
    fn offer(
        &self,
        connector: &ConnectorName,
        action: &ActionName,
        arguments: &Value,
    ) -> Option<Offer>;
    /// Whether its configuration calls this call destructive.
    fn destructive(
        &self,
        connector: &ConnectorName,
        action: &ActionName,
        arguments: &Value,
    ) -> bool;
    /// The host that this call goes to and acts on, as its configuration knows it; `None` for what
    /// acts on its targets from afar.
    fn goes_to(
        &self,
        connector: &ConnectorName,
        action: &ActionName,
        arguments: &Value,
    ) -> Option<Target>;
}

/// Places at connectors: taken before an intent, given back when the effect ended.
pub trait Permits {
    /// Takes a place, if one is free and the connector is not paused.
    fn take(&mut self, connector: &ConnectorName) -> bool;
}

/// What all runs of a store share.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Shared {
    /// The stop switch is on: nothing starts.
    pub stopped: bool,
    /// The store has accounts: a name that is only said is no vote.
    pub accounts: bool,
    /// What is held.
    pub holds: Holds,
    /// Who looked at a target and found it as it still is: nobody touched it since. Kept in memory
    /// alone; who is not in it looks again.
    pub looks: BTreeMap<HoldKey, BTreeSet<(RunId, Path)>>,
    /// Effects that may happen once in an incident: who has them.
    pub once: BTreeMap<String, (RunId, Path)>,
    /// When a target was last touched, and whose it is; kept for an hour and a little.
    pub touched: BTreeMap<String, (Millis, Option<Organisation>)>,
    /// What was destroyed in a run and all that belongs with it, by the id at the top and the action;
    /// of trees that have not ended when the program begins, and of all that run while it does.
    pub struck: BTreeMap<(RunId, ActionName), Struck>,
    /// When the targets of more than an hour ago were forgotten.
    pub forgotten: Millis,
}

/// Targets that effects hold: what is cut off, by whom, since when.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Holds {
    by_key: BTreeMap<HoldKey, HoldState>,
}

/// What is done to a target, and by what. One name may stand for two things: the same account in
/// two directories, the same host behind two routers. A hold on one is none on the other.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Means {
    /// The destructive action, `network.isolate`.
    pub action: ActionName,
    /// Who does it; nobody where a person does it by hand.
    pub connector: Option<ConnectorName>,
}

/// A target and the effect on it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct HoldKey {
    /// The target's identity, `host:pc-17`.
    pub target: String,
    /// The effect on it.
    pub effect: Means,
}

/// Who holds a target.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Holder {
    /// The run.
    pub run: RunId,
    /// The step.
    pub path: Path,
    /// Since when.
    pub since: Millis,
    /// What a generic call does, as the digest of its arguments: two commands on one host are two
    /// effects. Absent where the action says it.
    pub what: Option<Digest>,
}

/// How a target stands under one effect.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct HoldState {
    /// An effect on it is out: others wait.
    pub busy: Option<(RunId, Path)>,
    /// Who holds it, the first one first.
    pub holders: Vec<Holder>,
    /// The state before the first one, for the last release.
    pub previous: Option<Arc<Value>>,
    /// What the effect of the first one gave, for each thing that was done.
    pub outputs: BTreeMap<Option<Digest>, Option<Arc<Value>>>,
}

impl HoldState {
    /// What the effect of the first one gave that did `what`.
    pub fn output(&self, what: Option<Digest>) -> Option<&Arc<Value>> {
        self.outputs.get(&what)?.as_ref()
    }
}

/// How a decision changes what runs share; goes into the transaction of its entry.
#[derive(Debug, Clone, PartialEq)]
pub enum SharedChange {
    /// A step begins to read the state before its effect; it counts until somebody else's effect
    /// on one of these targets begins.
    Looked {
        /// The targets' identities.
        targets: Vec<String>,
        /// The effect.
        effect: Means,
        /// The run.
        run: RunId,
        /// The step.
        path: Path,
    },
    /// An effect on these targets begins: free before, out now. Counts against the limits.
    Busy {
        /// The targets.
        targets: Vec<Target>,
        /// The effect.
        effect: Means,
        /// Who.
        by: Holder,
        /// Under which yes, where a policy counts what is destroyed.
        yes: Option<Yes>,
    },
    /// The effect is not out any more and left nothing.
    Freed {
        /// The targets' identities.
        targets: Vec<String>,
        /// The effect.
        effect: Means,
    },
    /// The effect succeeded: its run holds the targets.
    Held {
        /// The targets' identities.
        targets: Vec<String>,
        /// The effect.
        effect: Means,
        /// Who.
        by: Holder,
        /// The state before; only the first holder's counts.
        previous: Option<Arc<Value>>,
        /// What it gave.
        output: Option<Arc<Value>>,
    },
    /// A holder gave up its hold.
    Released {
        /// The targets' identities.
        targets: Vec<String>,
        /// The effect.
        effect: Means,
        /// The run.
        run: RunId,
        /// The step.
        path: Path,
    },
    /// A direct release freed the targets of all holds.
    Cleared {
        /// The targets' identities.
        targets: Vec<String>,
        /// The effect.
        effect: Means,
    },
    /// An effect that may happen once in its incident is this step's.
    Claimed {
        /// Incident, playbook, path, action and targets, digested.
        key: String,
        /// The run.
        run: RunId,
        /// The step.
        path: Path,
    },
    /// It definitely did not happen.
    Unclaimed {
        /// The key.
        key: String,
        /// The run that had it.
        run: RunId,
        /// Its step.
        path: Path,
    },
}

impl Holds {
    /// How one target stands.
    pub fn get(&self, target: &str, effect: &Means) -> Option<&HoldState> {
        self.by_key.get(&HoldKey { target: target.to_owned(), effect: effect.clone() })
    }
    /// All that is held or busy.
    pub fn iter(&self) -> impl Iterator<Item = (&HoldKey, &HoldState)> {
        self.by_key.iter()
    }
    /// Puts a row of the store in place, when an engine starts.
    pub fn restore(&mut self, key: HoldKey, state: HoldState) {
        self.by_key.insert(key, state);
    }
    fn at(&mut self, target: &str, effect: &Means) -> &mut HoldState {
        let key = HoldKey { target: target.to_owned(), effect: effect.clone() };
        self.by_key.entry(key).or_default()
    }
    fn tidy(&mut self, target: &str, effect: &Means) {
        let key = HoldKey { target: target.to_owned(), effect: effect.clone() };
        if self
            .by_key
            .get(&key)
            .is_some_and(|state| state.busy.is_none() && state.holders.is_empty())
        {
            self.by_key.remove(&key);
        }
    }
}

impl Shared {
    /// The shared state after a committed change.
    pub fn apply(&mut self, change: &SharedChange, now: Millis) {
        match change {
            SharedChange::Looked { targets, effect, run, path } => {
                for target in targets {
                    let key = HoldKey { target: target.clone(), effect: effect.clone() };
                    self.looks.entry(key).or_default().insert((*run, path.clone()));
                }
            }
            SharedChange::Busy { targets, effect, by, yes } => {
                if let Some(yes) = yes {
                    let key = (yes.root, effect.action.clone());
                    let struck = self.struck.entry(key).or_default();
                    let identities = targets.iter().map(Target::identity);
                    identities.for_each(|target| struck.add(&target, by.run, yes.votes));
                }
                for target in targets {
                    let identity = target.identity();
                    self.looks
                        .remove(&HoldKey { target: identity.clone(), effect: effect.clone() });
                    self.holds.at(&identity, effect).busy = Some((by.run, by.path.clone()));
                    self.touched.insert(identity, (now, target.organisation.clone()));
                }
                self.forget(now);
            }
            SharedChange::Freed { targets, effect } => {
                for target in targets {
                    self.holds.at(target, effect).busy = None;
                    self.holds.tidy(target, effect);
                }
            }
            SharedChange::Held { targets, effect, by, previous, output } => {
                for target in targets {
                    let state = self.holds.at(target, effect);
                    state.busy = None;
                    if state.holders.is_empty() {
                        state.previous.clone_from(previous);
                        state.outputs.clear();
                    }
                    state.outputs.entry(by.what).or_insert_with(|| output.clone());
                    state.holders.push(by.clone());
                }
            }
            SharedChange::Released { targets, effect, run, path } => {
                for target in targets {
                    let state = self.holds.at(target, effect);
                    state.holders.retain(|holder| holder.run != *run || holder.path != *path);
                    let HoldState { holders, outputs, .. } = &mut *state;
                    outputs.retain(|what, _| holders.iter().any(|holder| holder.what == *what));
                    if state.busy.as_ref().is_some_and(|(by, _)| by == run) {
                        state.busy = None;
                    }
                    self.holds.tidy(target, effect);
                }
            }
            SharedChange::Cleared { targets, effect } => {
                for target in targets {
                    let state = self.holds.at(target, effect);
                    state.holders.clear();
                    state.busy = None;
                    self.holds.tidy(target, effect);
                }
            }
            SharedChange::Claimed { key, run, path } => {
                self.once.insert(key.clone(), (*run, path.clone()));
            }
            SharedChange::Unclaimed { key, .. } => {
                self.once.remove(key);
            }
        }
    }

    /// Forgets what was touched more than an hour ago.
    fn forget(&mut self, now: Millis) {
        if now.since(self.forgotten) >= FORGET_EVERY {
            self.forgotten = now;
            self.touched.retain(|_, (at, _)| now.since(*at) < HOUR);
        }
    }

    /// Distinct targets touched within the hour, of everybody and of one organisation, if `more`
    /// were touched too.
    pub fn touched_with(
        &self,
        more: &[Target],
        organisation: Option<&Organisation>,
        now: Millis,
    ) -> (u32, u32) {
        let recent = |at: &Millis| now.since(*at) < HOUR;
        let mut all: BTreeSet<&str> = BTreeSet::new();
        let mut of_one: BTreeSet<&str> = BTreeSet::new();
        for (name, (at, whose)) in &self.touched {
            if recent(at) {
                all.insert(name);
                if organisation.is_some() && whose.as_ref() == organisation {
                    of_one.insert(name);
                }
            }
        }
        let names: Vec<String> = more.iter().map(Target::identity).collect();
        for (target, name) in more.iter().zip(&names) {
            all.insert(name);
            if organisation.is_some() && target.organisation.as_ref() == organisation {
                of_one.insert(name);
            }
        }
        let count = |set: &BTreeSet<&str>| u32::try_from(set.len()).unwrap_or(u32::MAX);
        (count(&all), count(&of_one))
    }
}

/// How often old targets are forgotten: each time would cost a walk over all of them.
const FORGET_EVERY: Span = Span::from_secs(60);

/// The window of `targets_per_hour`.
pub const HOUR: Span = Span::from_secs(3600);

/// Randomness as an argument: a stream of numbers from one seed.
#[derive(Debug, Clone)]
pub struct Chance {
    seed: [u8; 32],
    drawn: u64,
}

impl Chance {
    /// From 32 bytes, random in the world, chosen in a simulation.
    pub const fn new(seed: [u8; 32]) -> Self {
        Self { seed, drawn: 0 }
    }

    fn draw(&mut self) -> [u8; 32] {
        self.drawn += 1;
        let mut hash = Sha256::new();
        hash.update(self.seed);
        hash.update(self.drawn.to_be_bytes());
        hash.finalize().into()
    }

    /// Ten random bytes, for an id.
    pub fn ten(&mut self) -> [u8; 10] {
        let mut ten = [0; 10];
        ten.copy_from_slice(self.draw().get(..10).unwrap_or(&[0; 10]));
        ten
    }

    /// A fresh need id.
    pub fn need_id(&mut self, now: Millis) -> NeedId {
        NeedId::at(now, &self.ten())
    }

    /// A fresh run id.
    pub fn run_id(&mut self, now: Millis) -> RunId {
        RunId::at(now, &self.ten())
    }

    /// A fresh entry id.
    pub fn entry_id(&mut self, now: Millis) -> EntryId {
        EntryId::at(now, &self.ten())
    }

    /// A number from 0 to `below` − 1; 0 where `below` is 0.
    pub fn below(&mut self, below: u64) -> u64 {
        let mut eight = [0; 8];
        eight.copy_from_slice(self.draw().get(..8).unwrap_or(&[0; 8]));
        u64::from_be_bytes(eight).checked_rem(below).unwrap_or(0)
    }
}
