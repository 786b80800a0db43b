//! Effects on the same thing: holds, limits, and what happens once in an incident.

use std::sync::Arc;

use serde_json::{Value, json};

use super::super::claims::Exclusive;
use super::super::event::{Event, Head, StepEnd};
use super::super::state::{Cause, Home, StepIx};
use super::super::struck::Yes;
use super::super::world::{HoldKey, Holder, Means, SharedChange};
use super::prepare::Prepared;
use super::shared::hold_key;
use super::{Contradiction, Decided, Decider};
use crate::model::{ActionName, Digest, Direction, Path, Span, Target, digest_of};
use crate::playbook::Kind;

/// How targets stand towards a new effect.
enum Hold {
    Free,
    Busy(HoldKey),
    Held { by: Holder, output: Option<Arc<Value>> },
}

impl Decider<'_, '_> {
    /// `once_per_incident`: another run's step with this effect makes this one skipped.
    pub(super) fn is_first(
        &mut self,
        ix: StepIx,
        prepared: &Prepared,
    ) -> Result<bool, Contradiction> {
        let key = self.once_key(&prepared.path, &prepared.action, &prepared.targets);
        let other = self.shared.once(&key).map(|(run, _)| *run);
        match other.filter(|run| *run != self.state.opened.run) {
            Some(run) => {
                let text = format!("done by run {run} of this incident");
                let path = self.path(ix)?;
                self.emit(super::outcome::ended(path, StepEnd::Skipped, None, Some(text)))?;
                Ok(false)
            }
            None => Ok(true),
        }
    }

    /// The effect is this step's, for the whole incident, from its intent on.
    pub(super) fn claim(&mut self, ix: StepIx, prepared: &Prepared) -> Decided {
        if !self.happens_once(ix)? {
            return Ok(());
        }
        let key = self.once_key(&prepared.path, &prepared.action, &prepared.targets);
        if self.shared.once(&key).is_none() {
            let (run, path) = (self.state.opened.run, prepared.path.clone());
            self.share(SharedChange::Claimed { key, run, path });
        }
        Ok(())
    }

    /// What was definitely not done, or was taken back, may be done by another run.
    pub(super) fn give_up_claim(&mut self, event: &Event) -> Decided {
        let (Head::StepEnded {
            path,
            end: StepEnd::Failed | StepEnd::Skipped | StepEnd::Cancelled,
            ..
        }
        | Head::UndoEnded { path, undone: true, .. }) = &event.head
        else {
            return Ok(());
        };
        let Some(ix) = self.state.by_path.get(path).copied() else { return Ok(()) };
        if !self.happens_once(ix)? {
            return Ok(());
        }
        let Some(sent) = self.step(ix)?.sent.as_deref() else { return Ok(()) };
        let key = self.once_key(path, &sent.intent.action, &sent.targets);
        let own = (self.state.opened.run, path.clone());
        // What was taken over stands there as the superseded run's.
        let before = self.step(ix)?.taken_from.map(|run| (run, path.clone()));
        let known = self.shared.once(&key);
        let whose = [Some(own), before].into_iter().flatten().find(|one| known == Some(one));
        if let Some((run, path)) = whose {
            self.share(SharedChange::Unclaimed { key, run, path });
        }
        Ok(())
    }

    fn happens_once(&self, ix: StepIx) -> Result<bool, Contradiction> {
        let Kind::Call(call) = &self.node(ix)?.kind else { return Ok(false) };
        Ok(call.once_per_incident && self.step(ix)?.home.is_do())
    }

    fn once_key(&self, path: &Path, action: &ActionName, targets: &[Target]) -> String {
        let opened = &self.state.opened;
        let targets: Vec<String> = targets.iter().map(Target::identity).collect();
        let parts = json!([
            opened.incident.to_string(),
            opened.playbook.as_str(),
            path.as_str(),
            action.as_str(),
            targets
        ]);
        digest_of("once", &parts).unwrap_or(Digest::ZERO).hex()
    }

    /// Holds: an effect on a held target adds a hold and is not sent; effects on one target run one
    /// after the other.
    pub(super) fn is_free(
        &mut self,
        ix: StepIx,
        prepared: &Prepared,
    ) -> Result<bool, Contradiction> {
        let Some(means) = prepared.means() else { return Ok(true) };
        let holds = prepared.undo.is_some() && !prepared.is_release();
        match self.hold_on(ix, prepared, &means)? {
            Hold::Busy(key) => {
                self.hold_back(ix, Cause::Hold(key));
                Ok(false)
            }
            Hold::Held { by, output } if holds && !self.step(ix)?.unknown => {
                self.join_hold(ix, prepared, (means, &by, output))?;
                Ok(false)
            }
            Hold::Free | Hold::Held { .. } => Ok(true),
        }
    }

    fn join_hold(
        &mut self,
        ix: StepIx,
        prepared: &Prepared,
        (effect, by, output): (Means, &Holder, Option<Arc<Value>>),
    ) -> Decided {
        let path = self.path(ix)?;
        self.claim(ix, prepared)?;
        let mut intent = self.intent(ix, prepared, Direction::Do, Span::ZERO)?;
        intent.attempt = 0;
        let mut event = Event::new(Head::AlreadyHeld { intent, run: by.run, by: by.path.clone() });
        event.body.value.clone_from(&output);
        event.body.targets.clone_from(&prepared.targets);
        event.body.undo.clone_from(&prepared.undo);
        self.emit(event)?;
        let what = prepared.what(self.world.catalogue);
        let by = Holder { run: self.state.opened.run, path, since: self.now(), what };
        self.share(SharedChange::Held {
            targets: prepared.targets.iter().map(Target::identity).collect(),
            effect,
            by,
            previous: None,
            output,
        });
        Ok(())
    }

    /// A target that another effect is out on; what this very step sent before does not count.
    pub(super) fn busy(
        &self,
        ix: StepIx,
        targets: &[Target],
        effect: &Means,
    ) -> Result<Option<HoldKey>, Contradiction> {
        let own = (self.state.opened.run, &self.step(ix)?.path);
        Ok(targets.iter().map(|target| hold_key(target, effect)).find(|key| {
            let busy = self.shared.hold(key).and_then(|state| state.busy.as_ref());
            busy.is_some_and(|(run, path)| (*run, path) != own)
        }))
    }

    /// Whether all targets are held already, one is busy, or something is to be done.
    fn hold_on(
        &self,
        ix: StepIx,
        prepared: &Prepared,
        effect: &Means,
    ) -> Result<Hold, Contradiction> {
        let targets = &prepared.targets;
        if let Some(key) = self.busy(ix, targets, effect)? {
            return Ok(Hold::Busy(key));
        }
        let what = prepared.what(self.world.catalogue);
        let mut first = None;
        for target in targets {
            let key = hold_key(target, effect);
            let held = self.shared.hold(&key).and_then(|state| {
                let same = state.holders.iter().find(|holder| holder.what == what)?;
                Some((same.clone(), state.output(what).cloned()))
            });
            match held {
                Some(held) => first = first.or(Some(held)),
                None => return Ok(Hold::Free),
            }
        }
        Ok(first.map_or(Hold::Free, |(by, output)| Hold::Held { by, output }))
    }

    pub(super) fn limit_reached(&self, targets: &[Target]) -> Option<String> {
        let limits = &self.world.setup.limits;
        if let Some(max) = limits.targets_per_run {
            let touched = &self.state.targets;
            let new = targets.iter().filter(|target| !touched.contains(&target.identity())).count();
            let own = touched.len() + new;
            if new > 0 && own > max as usize {
                return Some(format!(
                    "this run would touch {own} targets, the limit is {max} a run"
                ));
            }
        }
        self.shared.limit_of_hour(limits, targets, self.now())
    }

    /// An effect begins: its targets are busy.
    pub(super) fn make_busy(&mut self, prepared: &Prepared, path: &Path, yes: Option<Yes>) {
        if let Some(effect) = prepared.means() {
            let what = prepared.what(self.world.catalogue);
            let (run, path) = (self.state.opened.run, path.clone());
            let by = Holder { run, path, since: self.now(), what };
            let targets = prepared.targets.clone();
            self.share(SharedChange::Busy { targets, effect, by, yes });
        }
    }

    /// The effect left nothing: its targets are free for others.
    pub(super) fn free(&mut self, ix: StepIx) -> Decided {
        let Some(sent) = self.exclusive(ix)? else { return Ok(()) };
        let own = (self.state.opened.run, self.path(ix)?);
        let is_own = |target: &&Target| {
            let key = hold_key(target, &sent.effect);
            self.shared.hold(&key).is_some_and(|state| state.busy.as_ref() == Some(&own))
        };
        let targets: Vec<String> =
            sent.targets.iter().filter(is_own).map(Target::identity).collect();
        if !targets.is_empty() {
            self.share(SharedChange::Freed { targets, effect: sent.effect });
        }
        Ok(())
    }

    /// What a step sent, where effects on a target exclude each other.
    fn exclusive(&self, ix: StepIx) -> Result<Option<Exclusive>, Contradiction> {
        Ok(self.state.exclusive(self.step(ix)?, self.world.catalogue))
    }

    /// A step's hold is given up, because what it did was taken back by something else.
    fn let_go(&mut self, of: StepIx) -> Decided {
        let Some(sent) = self.exclusive(of)? else { return Ok(()) };
        let (targets, effect) = (sent.identities(), sent.effect);
        let (run, path) = (self.state.opened.run, self.path(of)?);
        self.share(SharedChange::Released { targets, effect, run, path });
        Ok(())
    }

    /// The effect succeeded: its run holds the targets, or a release gave them up.
    pub(super) fn hold(&mut self, ix: StepIx, output: Option<Arc<Value>>) -> Decided {
        let Some(sent) = self.exclusive(ix)? else { return Ok(()) };
        let (targets, release, what) = (sent.identities(), sent.release, sent.what);
        let effect = sent.effect;
        let step = self.step(ix)?;
        let run = self.state.opened.run;
        let change = match step.home {
            Home::Undo(of) if release => {
                let path = self.path(of)?;
                self.free(ix)?;
                SharedChange::Released { targets, effect, run, path }
            }
            Home::Undo(of) => {
                self.free(ix)?;
                return self.let_go(of);
            }
            Home::Seq(_) if release => SharedChange::Cleared { targets, effect },
            Home::Seq(_) => match step.sent.as_deref() {
                Some(sent) if sent.undo.is_some() => {
                    let by = Holder { run, path: step.path.clone(), since: self.now(), what };
                    SharedChange::Held {
                        targets,
                        effect,
                        by,
                        previous: sent.previous.clone(),
                        output,
                    }
                }
                Some(_) | None => return self.free(ix),
            },
        };
        self.share(change);
        Ok(())
    }
}
