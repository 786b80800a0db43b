//! What all runs share, as this decision leaves it: later parts of a decision see what earlier ones
//! changed.

use std::collections::BTreeSet;

use super::super::state::Cause;
use super::super::world::{HoldKey, HoldState, Means, Shared, SharedChange};
use super::Decider;
use crate::model::{ActionName, Limits, Millis, Organisation, Path, RunId, Target};

/// Changes of a decision on top of what was there before.
pub(super) struct Pending<'w> {
    base: &'w Shared,
    changed: Shared,
    holds: BTreeSet<HoldKey>,
    once: BTreeSet<String>,
}

impl<'w> Pending<'w> {
    pub(super) fn new(base: &'w Shared) -> Self {
        Self { base, changed: Shared::default(), holds: BTreeSet::new(), once: BTreeSet::new() }
    }

    pub(super) fn hold(&self, key: &HoldKey) -> Option<&HoldState> {
        let source = if self.holds.contains(key) { &self.changed } else { self.base };
        source.holds.get(&key.target, &key.effect)
    }

    /// Whether what a step read of a target still holds.
    pub(super) fn is_fresh(&self, key: &HoldKey, by: &(RunId, Path)) -> bool {
        let source = if self.holds.contains(key) { &self.changed } else { self.base };
        source.looks.get(key).is_some_and(|looks| looks.contains(by))
    }

    pub(super) fn once(&self, key: &str) -> Option<&(RunId, Path)> {
        let source = if self.once.contains(key) { &self.changed } else { self.base };
        source.once.get(key)
    }

    /// How many targets would stand under `votes` or fewer if these came too.
    pub(super) fn struck_with(
        &self,
        key: &(RunId, ActionName),
        votes: u32,
        targets: &[Target],
    ) -> u32 {
        let added = self.changed.struck.get(key).into_iter().flat_map(|struck| {
            let under = move |target: &&str| struck.is_under(target, votes);
            struck.iter().filter(under).map(str::to_owned)
        });
        let mut new: BTreeSet<String> = targets.iter().map(Target::identity).chain(added).collect();
        let Some(base) = self.base.struck.get(key) else { return count(new.len()) };
        new.retain(|target| !base.is_under(target, votes));
        base.under(votes).saturating_add(count(new.len()))
    }

    /// What other runs of the tree than this one destroyed, and this one with them.
    pub(super) fn struck_beside(
        &self,
        key: &(RunId, ActionName),
        run: RunId,
    ) -> impl Iterator<Item = &'w str> {
        self.base.struck.get(key).into_iter().flat_map(move |struck| struck.beside(run))
    }

    fn apply(&mut self, change: &SharedChange, keys: &[HoldKey], now: Millis) {
        for key in keys {
            if !self.holds.insert(key.clone()) {
                continue;
            }
            if let Some(state) = self.base.holds.get(&key.target, &key.effect) {
                self.changed.holds.restore(key.clone(), state.clone());
            }
            if let Some(looks) = self.base.looks.get(key) {
                self.changed.looks.insert(key.clone(), looks.clone());
            }
        }
        if let SharedChange::Claimed { key, .. } | SharedChange::Unclaimed { key, .. } = change {
            self.once.insert(key.clone());
        }
        self.changed.apply(change, now);
    }

    /// Why these targets may not be touched on top of those of the last hour.
    pub(super) fn limit_of_hour(
        &self,
        limits: &Limits,
        targets: &[Target],
        now: Millis,
    ) -> Option<String> {
        if limits.targets_per_hour.is_none() && limits.targets_per_organisation.is_none() {
            return None;
        }
        let mut all: Vec<Target> = targets.to_vec();
        all.extend(self.changed.touched.iter().filter_map(|(name, (_, organisation))| {
            let (kind, name) = name.split_once(':')?;
            let kind = serde_json::from_value(kind.into()).ok()?;
            let (addresses, macs) = (BTreeSet::new(), BTreeSet::new());
            let (name, organisation) = (name.to_owned(), organisation.clone());
            Some(Target { kind, name, addresses, macs, organisation })
        }));
        let organisations: BTreeSet<&Organisation> =
            targets.iter().filter_map(|target| target.organisation.as_ref()).collect();
        let (hour, _) = self.base.touched_with(&all, None, now);
        let of_each = organisations.into_iter().map(|organisation| {
            let (_, of_one) = self.base.touched_with(&all, Some(organisation), now);
            of_one
        });
        let of_one = of_each.max().unwrap_or(0);
        if let Some(max) = limits.targets_per_hour.filter(|max| hour > *max) {
            return Some(format!(
                "{hour} targets would be touched within an hour, the limit is {max}"
            ));
        }
        limits.targets_per_organisation.filter(|max| of_one > *max).map(|max| {
            format!("{of_one} targets of one organisation would be touched within an hour, the limit is {max}")
        })
    }
}

fn count(targets: usize) -> u32 {
    u32::try_from(targets).unwrap_or(u32::MAX)
}

/// The key of a target under an effect.
pub(super) fn hold_key(target: &Target, effect: &Means) -> HoldKey {
    HoldKey { target: target.identity(), effect: effect.clone() }
}

impl Decider<'_, '_> {
    /// Changes what runs share; whoever waited for these targets is looked at again.
    pub(super) fn share(&mut self, change: SharedChange) {
        let keys = keys_of(&change);
        self.shared.apply(&change, &keys, self.world.now);
        for key in keys {
            if self.shared.hold(&key).is_none_or(|state| state.busy.is_none()) {
                self.state.release_held(&Cause::Hold(key));
            }
        }
        self.out.shared.push(change);
    }
}

fn keys_of(change: &SharedChange) -> Vec<HoldKey> {
    let keys = |targets: &[String], effect: &Means| {
        let key = |target: &String| HoldKey { target: target.clone(), effect: effect.clone() };
        targets.iter().map(key).collect()
    };
    match change {
        SharedChange::Busy { targets, effect, .. } => {
            targets.iter().map(|target| hold_key(target, effect)).collect()
        }
        SharedChange::Looked { targets, effect, .. }
        | SharedChange::Freed { targets, effect }
        | SharedChange::Held { targets, effect, .. }
        | SharedChange::Released { targets, effect, .. }
        | SharedChange::Cleared { targets, effect } => keys(targets, effect),
        SharedChange::Claimed { .. } | SharedChange::Unclaimed { .. } => Vec::new(),
    }
}
