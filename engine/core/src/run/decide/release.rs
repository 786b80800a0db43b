//! The call that takes one step back: its receipt, its gate, and whether anything is sent at all.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::Value;

use super::super::claims::{family_of, what_of};
use super::super::event::{Head, StepEnd, UndoCall};
use super::super::state::{Cause, Home, StepIx};
use super::super::world::{HoldState, Means, SharedChange};
use super::outcome::ended;
use super::place::{choose, targets_of, touched};
use super::prepare::{Prepared, is_destructive, line_digest, offer};
use super::shared::hold_key;
use super::{Contradiction, Decided, Decider};
use crate::model::{ActionName, ConnectorName, Digest, Direction, ErrorKind, RunId, Span, Target};
use crate::playbook::Undo;

/// What is needed to take a step back: of its own effect, or of the one that held the target.
pub(super) struct Receipt {
    undo: UndoCall,
    connector: Option<ConnectorName>,
    targets: Vec<Target>,
    /// The destructive effect that is taken back.
    family: Option<ActionName>,
    /// What that effect does, where its action does not say it.
    what: Option<Digest>,
}

impl Receipt {
    /// What its targets are held by.
    fn means(&self) -> Option<Means> {
        let connector = self.connector.clone();
        self.family.clone().map(|action| Means { action, connector })
    }
}

impl Decider<'_, '_> {
    /// What takes a step back by a call; nothing for sub-playbooks and for undo steps.
    pub(super) fn receipt(&self, of: StepIx) -> Result<Option<Receipt>, Contradiction> {
        let step = self.step(of)?;
        if matches!(self.world.plan.node(step.node).undo, Undo::Steps(_)) {
            return Ok(None);
        }
        Ok(step.sent.as_deref().and_then(|sent| {
            let intent = &sent.intent;
            Some(Receipt {
                undo: sent.undo.as_deref()?.clone(),
                connector: intent.connector.clone(),
                targets: sent.targets.clone(),
                family: family_of(self.world.catalogue, &intent.action, intent.destructive),
                what: what_of(
                    self.world.catalogue,
                    (&intent.action, intent.destructive),
                    &sent.arguments,
                ),
            })
        }))
    }

    pub(super) fn prepare_undo(
        &self,
        of: StepIx,
        receipt: Receipt,
    ) -> Result<Prepared, Contradiction> {
        let Receipt { undo, mut connector, mut targets, mut family, what: _ } = receipt;
        let written = matches!(self.node(of)?.undo, Undo::Call { .. });
        let mut destructive = false;
        if let Some(spec) = self.world.catalogue.get(&undo.action).filter(|_| written) {
            let own = targets_of(self.world, spec, &undo.arguments).unwrap_or_default();
            let bindings = &self.state.opened.bindings;
            if spec.name.capability() != self.action_of(of)?.capability() {
                connector = choose(bindings, (&undo.action, None), &own);
            }
            destructive = is_destructive(self.world, spec, connector.as_ref(), &undo.arguments);
            if destructive {
                // What an author calls an undo is an effect of its own, on what it names itself.
                targets = touched(
                    (self.world.setup, self.world.connectors),
                    spec,
                    connector.as_ref(),
                    (&undo.arguments, own),
                );
                family = Some(undo.action.clone());
            }
        }
        let mut prepared = Prepared {
            path: self.step(of)?.path.child("undo"),
            offer: offer(self.world, connector.as_ref(), &undo.action, &undo.arguments),
            action: undo.action,
            arguments: Arc::new(undo.arguments),
            targets,
            connector,
            destructive,
            undo: None,
            family,
            effect: None,
        };
        prepared.effect = Some(line_digest(&self.scope(of)?, &prepared));
        Ok(prepared)
    }

    /// Whether a person must let a parked run go on first.
    pub(super) fn is_parked(&self) -> bool {
        self.state.needs().any(|need| need.step.is_none() && need.votes_needed == 0)
    }

    /// The step that takes another one back is due.
    pub(super) fn undo_call(&mut self, ix: StepIx) -> Decided {
        let Home::Undo(of) = self.step(ix)?.home else { return Ok(()) };
        if self.is_paused(ix)? {
            self.hold_back(ix, Cause::Paused);
            return Ok(());
        }
        if let Some(run) = self.step(of)?.child {
            return self.start_child_undo(ix, run);
        }
        let Some(receipt) = self.receipt(of)? else {
            let text = "there is nothing to take back".to_owned();
            return self.undo_failed(ix, of, ErrorKind::Internal, text);
        };
        if let Some(effect) = receipt.means()
            && !self.step(ix)?.unknown
            && self.gives_up_hold(ix, of, (&receipt, &effect))?
        {
            return Ok(());
        }
        let previous = self.first_previous(&receipt);
        let prepared = self.prepare_undo(of, receipt)?;
        if let Some((kind, text)) = self.forbidden(&prepared) {
            return self.undo_failed(ix, of, kind, text);
        }
        if let Some(votes) = self.votes_for_undo(self.step(of)?.node, &prepared)
            && !self.has_votes(ix, &prepared, votes)?
        {
            return Ok(());
        }
        if let Some(effect) = prepared.means()
            && let Some(key) = self.busy(ix, &prepared.targets, &effect)?
        {
            self.hold_back(ix, Cause::Hold(key));
            return Ok(());
        }
        self.intend(ix, (prepared, previous), Direction::Undo, UNDO_TIMEOUT)
    }

    fn action_of(&self, of: StepIx) -> Result<ActionName, Contradiction> {
        let sent = self.step(of)?.sent.as_deref();
        let action = sent.map(|sent| sent.intent.action.clone());
        action.ok_or_else(|| Contradiction::new("what was never sent has no action"))
    }

    /// The state before the first of all holders, which the last release restores.
    fn first_previous(&self, receipt: &Receipt) -> Option<Arc<Value>> {
        let key = hold_key(receipt.targets.first()?, &receipt.means()?);
        self.shared.hold(&key)?.previous.clone()
    }

    /// Nothing is sent where others still hold the target, or where it was like that before; says
    /// whether that is so.
    fn gives_up_hold(
        &mut self,
        ix: StepIx,
        of: StepIx,
        (receipt, effect): (&Receipt, &Means),
    ) -> Result<bool, Contradiction> {
        let targets = &receipt.targets;
        let origin = self.path(of)?;
        let run = self.state.opened.run;
        let held = |target: &Target| self.shared.hold(&hold_key(target, effect));
        let others: BTreeSet<RunId> = targets
            .iter()
            .filter_map(held)
            .flat_map(|state| &state.holders)
            .filter(|holder| holder.what == receipt.what)
            .filter(|holder| holder.run != run || holder.path != origin)
            .map(|holder| holder.run)
            .collect();
        let first = targets.first().and_then(held);
        if others.is_empty() && !first.is_some_and(|state| was_so_before(state, receipt.what)) {
            return Ok(false);
        }
        self.share(SharedChange::Released {
            targets: targets.iter().map(Target::identity).collect(),
            effect: effect.clone(),
            run,
            path: origin.clone(),
        });
        let path = self.path(ix)?;
        self.emit(ended(path, StepEnd::Skipped, None, None))?;
        let (path, still_held_by) = (origin, others.into_iter().collect());
        self.emit(Head::UndoEnded { path, undone: true, error: None, still_held_by })?;
        self.undo_before(of)?;
        Ok(true)
    }
}

/// The target was as the effect made it before anything was done: a release would change it.
fn was_so_before(state: &HoldState, what: Option<Digest>) -> bool {
    state.previous.is_some() && state.previous.as_ref() == state.output(what)
}

/// How long one attempt of an undo may take.
const UNDO_TIMEOUT: Span = Span::from_secs(30);
