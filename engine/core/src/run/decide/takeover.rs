//! A corrected playbook takes over: what the superseded run did is not sent again, and the run that
//! gives way ends when nothing of it is open and the new one is there.

use super::super::claims::family_of;
use super::super::event::{Event, Head, RunEnd, Successor};
use super::super::legacy::Offer;
use super::super::scope::Scope;
use super::super::state::{Cause, RunState, StepIx};
use super::super::world::{Holder, Means, SharedChange, World};
use super::command::{AnswerError, Answered, Reply};
use super::prepare::{Prepared, prepare};
use super::shared::hold_key;
use super::{Contradiction, Decided, Decider, Effect};
use crate::model::{Catalogue, ErrorKind, NeedId, RunId, Target};
use crate::playbook::{Kind, Node};

/// The effect of a superseded run that a call would do once more.
///
/// It is the same where step, action and targets are. Where the action alone does not say what is
/// done to them, or nothing is named, the arguments must be the same too.
pub(super) fn offered<'s>(
    state: &'s RunState,
    catalogue: &Catalogue,
    prepared: &Prepared,
) -> Option<&'s Offer> {
    let offer = state.opened.legacy.offers.get(&prepared.path)?;
    is_same(offer, catalogue, prepared).then_some(offer)
}

/// Whether a call would do what was done.
fn is_same(offer: &Offer, catalogue: &Catalogue, prepared: &Prepared) -> bool {
    let says_all = catalogue.get(&prepared.action).is_some_and(|spec| spec.destructive);
    let names = |targets: &[Target]| targets.iter().map(Target::identity).collect::<Vec<_>>();
    offer.intent.action == prepared.action
        && names(&offer.targets) == names(&prepared.targets)
        && (says_all || offer.arguments == prepared.arguments)
}

/// Whether a step of a corrected playbook would do what was done, as far as the run that did it
/// knows the values.
pub(in super::super) fn would_do(
    world: &World<'_>,
    state: &RunState,
    offer: &Offer,
    node: &Node,
) -> bool {
    let Kind::Call(call) = &node.kind else { return false };
    let path = &offer.intent.path;
    let scope = match state.step_at(path) {
        Some(step) => Scope::of_step(world, state, step),
        None => Scope::of_seq(world, state, None),
    };
    let prepared = prepare(world, &scope, node, call, path.clone());
    prepared.is_ok_and(|prepared| is_same(offer, world.catalogue, &prepared))
}

impl Decider<'_, '_> {
    /// Takes over what the superseded run did at this step; says whether the step is done with, or
    /// waits for its target.
    pub(super) fn take_over(
        &mut self,
        ix: StepIx,
        prepared: &Prepared,
    ) -> Result<bool, Contradiction> {
        if self.step(ix)?.sent.is_some() {
            return Ok(false);
        }
        let Some(offer) = offered(self.state, self.world.catalogue, prepared).cloned() else {
            return Ok(false);
        };
        let family =
            family_of(self.world.catalogue, &offer.intent.action, offer.intent.destructive);
        let connector = offer.intent.connector.clone();
        let holding = offer.undo.is_some()
            && family.as_ref().is_some_and(|family| *family == offer.intent.action);
        let means = family.map(|action| Means { action, connector });
        if let Some(means) = &means
            && let Some(key) = self.busy(ix, &offer.targets, means)?
        {
            self.hold_back(ix, Cause::Hold(key));
            return Ok(true);
        }
        let means = means.filter(|_| holding);
        let holds = means.as_ref().map(|means| self.held_by(&offer, means));
        // What was taken back meanwhile, by whomever, is not done any more.
        let Some(holds) = holds.unwrap_or_else(|| Some(Vec::new())) else { return Ok(false) };
        self.emit_taken(ix, &offer, prepared)?;
        if let Some(means) = means {
            self.move_holds(ix, &offer, (&means, holds))?;
        }
        Ok(true)
    }

    fn emit_taken(&mut self, ix: StepIx, offer: &Offer, prepared: &Prepared) -> Decided {
        let own = self.intent(ix, prepared, offer.intent.direction, offer.intent.timeout)?;
        let mut intent = offer.intent.clone();
        (intent.key, intent.generation, intent.attempt) = (own.key, own.generation, 0);
        let (run, reached, by_hand) = (offer.run, offer.reached, offer.by_hand);
        let mut event = Event::new(Head::TakenOver { intent, run, reached, by_hand });
        event.organisation = offer.targets.iter().find_map(|target| target.organisation.clone());
        event.body.value.clone_from(&offer.output);
        event.body.form = Some(offer.arguments.clone());
        event.body.targets.clone_from(&offer.targets);
        event.body.previous.clone_from(&offer.previous);
        event.body.undo.clone_from(&offer.undo);
        self.emit(event)
    }

    /// The holds of the run that did it, one for each target; none where one is gone.
    fn held_by(&self, offer: &Offer, means: &Means) -> Option<Vec<Holder>> {
        let mut holds = Vec::new();
        for target in &offer.targets {
            let state = self.shared.hold(&hold_key(target, means))?;
            let own =
                |holder: &&Holder| holder.run == offer.run && holder.path == offer.intent.path;
            holds.push(state.holders.iter().find(own)?.clone());
        }
        Some(holds)
    }

    /// Who did it gives its hold to this run: in one transaction, so that nothing is free between.
    fn move_holds(
        &mut self,
        ix: StepIx,
        offer: &Offer,
        (means, holds): (&Means, Vec<Holder>),
    ) -> Decided {
        let path = self.path(ix)?;
        for (target, before) in offer.targets.iter().zip(holds) {
            let targets = vec![target.identity()];
            let by = Holder { run: self.state.opened.run, path: path.clone(), ..before };
            self.share(SharedChange::Held {
                targets: targets.clone(),
                effect: means.clone(),
                by,
                previous: offer.previous.clone(),
                output: offer.output.clone(),
            });
            self.share(SharedChange::Released {
                targets,
                effect: means.clone(),
                run: offer.run,
                path: offer.intent.path.clone(),
            });
        }
        Ok(())
    }

    /// A corrected playbook is to take over.
    pub(super) fn supersede(&mut self, next: Successor, reason: String) -> Answered {
        let refused = |text: String| Ok(Err(AnswerError::Conflict(text)));
        if self.is_ended() {
            return refused("the run has ended".to_owned());
        }
        if let Some(known) = &self.state.successor {
            return if known.digest == next.digest {
                Ok(Ok(Reply::Already))
            } else {
                refused(format!("the run gives way to run {} already", known.run))
            };
        }
        if let Some(parent) = &self.state.opened.parent {
            return refused(format!("the run was called by run {}: supersede that", parent.run));
        }
        if self.state.closing() == Some(RunEnd::Cancelled) {
            return refused("the run is being ended".to_owned());
        }
        if self.state.undo_open > 0 {
            return refused("the run is being taken back".to_owned());
        }
        self.emit(Event::new(Head::Superseding { next: Box::new(next) }).text(reason))?;
        if self.state.paused {
            let by = self.requester().clone();
            self.emit(Head::Unpaused { by })?;
        }
        self.cancel_all()?;
        Ok(Ok(Reply::Done))
    }

    /// Nothing of the run is open any more: the new one may begin.
    pub(super) fn give_way(&mut self) -> Result<bool, Contradiction> {
        if self.state.gave_way.is_some() || self.state.paused {
            return Ok(false);
        }
        let asked: Vec<NeedId> = self.state.needs().map(|need| need.id).collect();
        for need in asked {
            self.emit(Head::NeedVoid { need })?;
        }
        self.emit(Head::GaveWay)?;
        Ok(true)
    }

    /// Has the new run opened, if that is due and this decision can not know that it was.
    pub(super) fn open_successor(&mut self, unsure: bool) {
        if let Some(next) = self.state.successor.clone().filter(|_| unsure)
            && self.state.gave_way.is_some()
            && !self.state.paused
            && !self.is_ended()
        {
            self.out.effects.push(Effect::OpenSuccessor { next });
        }
    }

    /// The new run is there, or can not be.
    pub(super) fn succeeded_by(&mut self, run: RunId, refused: Option<String>) -> Decided {
        let awaited = self.state.successor.as_ref().is_some_and(|next| next.run == run);
        if !awaited || self.state.gave_way.is_none() || self.is_ended() {
            return Ok(());
        }
        let Some(why) = refused else {
            return self.end_run(RunEnd::Superseded);
        };
        let text = format!("the corrected playbook could not be launched: {why}");
        let error = Some(ErrorKind::Child);
        self.emit(Event::new(Head::Closing { end: RunEnd::Failed, by: None, error }).text(text))
    }
}
