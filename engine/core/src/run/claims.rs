//! What a run's own entries say of the targets it holds.
//!
//! The table of holds is kept beside the entries, because it is asked by all runs. What must stand
//! there of one run follows from its fold, but for two things: a direct release, also another run's,
//! clears what was held before it, and a run that takes over from this one takes its holds.

use std::sync::Arc;

use serde_json::Value;

use super::event::StepEnd;
use super::state::{Home, Phase, RunState, Step, UndoMark};
use super::world::Means;
use crate::model::{ActionName, Catalogue, Digest, Millis, Path, Target, digest_of};

/// How a step stands towards its targets.
#[derive(Debug, Clone, PartialEq)]
pub enum Standing {
    /// Its effect, or what takes it back, is out: the targets are busy.
    Out,
    /// Its effect succeeded and nothing was begun to take it back: the targets are held. The state
    /// before the effect.
    Held(Option<Arc<Value>>),
    /// It is not settled whether something was done, it is between two attempts, or taking it back
    /// was asked for: they may be held or busy, or free already.
    Open,
    /// A direct release: it cleared what was held before this instant.
    Cleared(Millis),
}

/// What one step of a run says of targets.
#[derive(Debug, Clone, PartialEq)]
pub struct Claim {
    /// The step whose hold it is; for an undo, the step that is taken back.
    pub path: Path,
    /// What is held.
    pub effect: Means,
    /// Of which targets: their identities.
    pub targets: Vec<String>,
    /// How it stands.
    pub standing: Standing,
}

/// What a step sent and on what it excludes others.
pub(super) struct Exclusive {
    pub(super) effect: Means,
    pub(super) targets: Vec<Target>,
    pub(super) what: Option<Digest>,
    pub(super) release: bool,
}

impl Exclusive {
    pub(super) fn identities(&self) -> Vec<String> {
        self.targets.iter().map(Target::identity).collect()
    }
}

/// The destructive action that an action takes back, or the action itself where it is destructive.
pub(crate) fn family_of(
    catalogue: &Catalogue,
    action: &ActionName,
    destructive: bool,
) -> Option<ActionName> {
    let undone = catalogue.iter().find(|spec| {
        spec.destructive && spec.undo.as_ref().is_some_and(|undo| undo.action == *action)
    });
    undone.map(|spec| spec.name.clone()).or_else(|| destructive.then(|| action.clone()))
}

/// What a generic call does, as the digest of its arguments: that two commands went to one host
/// does not make them one effect. What the catalogue calls destructive is said by its action.
pub(super) fn what_of(
    catalogue: &Catalogue,
    (action, destructive): (&ActionName, bool),
    arguments: &Value,
) -> Option<Digest> {
    let generic = destructive && !catalogue.get(action).is_some_and(|spec| spec.destructive);
    // Arguments are exact: they were looked at when they were rendered.
    generic.then(|| digest_of("hold", arguments).unwrap_or(Digest::ZERO))
}

impl RunState {
    /// What a step sent, where effects on a target exclude each other.
    pub(super) fn exclusive(&self, step: &Step, catalogue: &Catalogue) -> Option<Exclusive> {
        let sent = step.sent.as_deref()?;
        let origin = match step.home {
            // An undo that destroys something itself is an effect of its own.
            Home::Undo(of) if !sent.intent.destructive => self.steps.get(&of)?.sent.as_deref(),
            Home::Undo(_) | Home::Seq(_) => None,
        };
        let intent = origin.map_or(&sent.intent, |origin| &origin.intent);
        let family = family_of(catalogue, &intent.action, intent.destructive)?;
        let (action, destructive) = (&sent.intent.action, sent.intent.destructive);
        Some(Exclusive {
            what: what_of(catalogue, (action, destructive), &sent.arguments),
            release: origin.is_some() || family != sent.intent.action,
            effect: Means { action: family, connector: intent.connector.clone() },
            targets: sent.targets.clone(),
        })
    }

    /// What must, and what may, stand of this run in the table of holds.
    pub fn claims(&self, catalogue: &Catalogue) -> Vec<Claim> {
        self.steps.values().filter_map(|step| self.claim_of(step, catalogue)).collect()
    }

    /// What the step at a path says of its targets now. A round of a `repeat` forgets its steps, so
    /// who wants to know of every direct release asks after each event.
    pub fn claim_at(&self, path: &Path, catalogue: &Catalogue) -> Option<Claim> {
        self.claim_of(self.step_at(path)?, catalogue)
    }

    fn claim_of(&self, step: &Step, catalogue: &Catalogue) -> Option<Claim> {
        let exclusive = self.exclusive(step, catalogue)?;
        let by_one_step = self.step_at(&step.path.child("undo")).is_some();
        let standing = standing(step, (exclusive.release, by_one_step))?;
        let of = match step.home {
            Home::Undo(of) => self.steps.get(&of)?,
            Home::Seq(_) => step,
        };
        let targets = exclusive.identities();
        Some(Claim { path: of.path.clone(), effect: exclusive.effect, targets, standing })
    }
}

fn standing(step: &Step, (release, by_one_step): (bool, bool)) -> Option<Standing> {
    let end = match &step.phase {
        Phase::Running | Phase::Settling(_) | Phase::Probing => return Some(Standing::Out),
        Phase::Ended(end) => *end,
        Phase::Ready
        | Phase::Gated(_)
        | Phase::Reading
        | Phase::Backoff(_)
        | Phase::Asked(_)
        | Phase::Person(_)
        | Phase::Signal(..)
        | Phase::Time(_)
        | Phase::Child(_)
        | Phase::Block
        | Phase::Handling
        | Phase::Concluding(..) => return Some(Standing::Open),
    };
    let sent = step.sent.as_deref()?;
    match (end, step.home) {
        (StepEnd::Succeeded, Home::Seq(_)) if release => step.ended_at.map(Standing::Cleared),
        (StepEnd::Succeeded, Home::Seq(_)) if sent.undo.is_some() => match step.undo {
            UndoMark::Possible => Some(Standing::Held(sent.previous.clone())),
            // What steps of the playbook's own take back, or stand among such steps, may stay held.
            UndoMark::Undone if by_one_step => None,
            UndoMark::Nothing
            | UndoMark::Wanted
            | UndoMark::Undoing
            | UndoMark::Undone
            | UndoMark::Failed => Some(Standing::Open),
        },
        (StepEnd::Succeeded, Home::Seq(_) | Home::Undo(_)) => None,
        (StepEnd::Failed | StepEnd::Skipped | StepEnd::Cancelled, _) => {
            step.unknown.then_some(Standing::Open)
        }
    }
}
