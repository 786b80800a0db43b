//! What is true of a run: a fold of its events, nothing else.
//!
//! Steps and lists stand in maps by rising numbers; a path leads to its step. Queues and counters
//! are kept up to date by `apply`, so that `decide` never scans the children of a block.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;

mod opened;
mod queues;
mod status;
mod step;

use super::event::{Actor, Parent, RunEnd, Section, Successor};
use super::legacy::Legacy;
use crate::model::{ActionName, Millis, NeedId, Path, RunId};

pub(crate) use opened::SeqIx;
pub use opened::{Binding, Opened, StepIx};
pub use status::{Cause, Need, RunStatus, Timer};
pub(crate) use step::Home;
pub use step::{Approved, LoopState, Phase, Sent, Step, StepError, UndoMark};
pub(crate) use step::{Seq, Slot};

/// More often than this nobody lets one step of a sub-playbook be done again.
const GENERATIONS_OF_A_CALL: u32 = 1_000;

/// Where the run as a whole is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Flow {
    /// A part of the playbook runs; when it ends early, this is how the run will end.
    Section {
        /// Which part.
        section: Section,
        /// Known from the moment the run is closing.
        closing: Option<RunEnd>,
    },
    /// It ended.
    Ended(RunEnd),
    /// It ended and is being undone.
    Undoing {
        /// How it had ended.
        before: RunEnd,
    },
}

/// A signal that nobody has taken yet: its key and its form.
type Waiting = (String, Option<Arc<Value>>);

/// A run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunState {
    pub(crate) opened: Opened,
    pub(crate) flow: Flow,
    pub(crate) paused: bool,
    /// It was paused with the run that called it, and goes on with that one.
    #[serde(default)]
    pub(crate) paused_with_caller: bool,
    /// The run that takes over, from the moment that is wanted.
    #[serde(default)]
    pub(crate) successor: Option<Successor>,
    /// Since when nothing of it is open any more: the run that takes over is to be opened.
    #[serde(default)]
    pub(crate) gave_way: Option<Millis>,
    /// The epoch of the newest restore, and when: effects whose intent is older, or not there yet,
    /// may have been sent.
    #[serde(default)]
    pub(crate) restored: Option<(String, Millis)>,
    pub(crate) error: Option<StepError>,
    pub(crate) outputs: Option<Arc<Value>>,
    pub(crate) ended_at: Option<Millis>,
    pub(crate) steps: BTreeMap<StepIx, Step>,
    pub(crate) seqs: BTreeMap<SeqIx, Seq>,
    pub(crate) roots: Vec<SeqIx>,
    pub(crate) by_path: BTreeMap<Path, StepIx>,
    pub(crate) next_step: u32,
    pub(crate) next_seq: u32,
    pub(crate) needs: BTreeMap<NeedId, Need>,
    /// Steps that `decide` must look at.
    pub(crate) agenda: BTreeSet<StepIx>,
    /// Steps whose effect, probe, read or child is out.
    pub(crate) out: BTreeSet<StepIx>,
    /// Steps that move by themselves.
    pub(crate) moving: u32,
    /// Signals that nobody has waited for yet, by name, oldest first.
    pub(crate) signals: BTreeMap<String, Vec<Waiting>>,
    /// Keys of all signals, against repeats.
    pub(crate) signal_keys: BTreeSet<String>,
    /// Distinct targets that were touched.
    pub(crate) targets: BTreeSet<String>,
    /// Distinct targets that people were asked about or that were touched, by action. What was
    /// denied stays counted: it was asked for.
    #[serde(default)]
    pub(crate) asked: BTreeMap<ActionName, BTreeSet<String>>,
    /// The undo that is going on, with the steps that are wanted.
    pub(crate) undo_open: u32,
    pub(crate) undo_by: Option<Actor>,
    pub(crate) undo_failed: bool,
    pub(crate) undo_approved: Vec<Approved>,
    /// `undo:` steps that wait for the undo to finish.
    pub(crate) undo_steps: BTreeSet<StepIx>,
    /// Lists with something to take back inside, and in each the steps.
    pub(crate) undo_lists: BTreeMap<SeqIx, BTreeSet<StepIx>>,
    /// Steps that wait for a signal, by its name.
    pub(crate) awaiting: BTreeMap<String, BTreeSet<StepIx>>,
    /// What wakes steps, from what they wait for; a due one that was looked at is taken out.
    #[serde(skip)]
    pub(crate) timers: BTreeSet<(Millis, Timer)>,
    /// Steps to look at now; a cache of the agenda that shrinks while permits or holds lack.
    #[serde(skip)]
    pub(crate) fresh: BTreeSet<StepIx>,
    /// Steps that were looked at and wait for a permit, a hold or the end of a pause.
    #[serde(skip)]
    pub(crate) held_back: BTreeMap<Cause, BTreeSet<StepIx>>,
    /// Why each of them waits.
    #[serde(skip)]
    pub(crate) held_for: BTreeMap<StepIx, Cause>,
}

impl RunState {
    /// What it was launched with.
    pub fn opened(&self) -> &Opened {
        &self.opened
    }
    /// The epoch of the newest restore it knows of.
    pub fn restored(&self) -> Option<&str> {
        self.restored.as_ref().map(|(epoch, _)| epoch.as_str())
    }
    /// The root run's id; its own where nobody called it.
    pub fn root(&self) -> RunId {
        self.opened.parent.as_ref().map_or(self.opened.run, |parent| parent.root)
    }
    /// What a sub-playbook that a step of this run calls knows of its caller.
    pub fn parent_at(&self, path: &Path) -> Parent {
        let generation = self.step_at(path).map_or(0, |step| step.generation);
        let restored = self.restored().map(str::to_owned);
        let root = self.root();
        let tree = Some(self.tree()).filter(|tree| *tree != root);
        Parent { run: self.opened.run, path: path.clone(), root, generation, restored, tree }
    }
    /// The run with whose targets this one's are counted; its own where it belongs with none.
    pub fn tree(&self) -> RunId {
        let Opened { run, parent, more_of, supersedes, .. } = &self.opened;
        match (parent, more_of.as_ref().or(supersedes.as_ref())) {
            (Some(parent), _) => parent.tree.unwrap_or(parent.root),
            (None, Some(earlier)) => earlier.tree,
            (None, None) => *run,
        }
    }
    /// Where the generations of this run's steps begin: those of a sub-playbook that is called
    /// again must not meet those of its first run.
    pub(crate) fn first_generation(&self) -> u32 {
        let called = self.opened.parent.as_ref().map_or(0, |parent| parent.generation);
        called.saturating_mul(GENERATIONS_OF_A_CALL)
    }
    /// The run that takes over, from the moment that is wanted.
    pub fn superseded_by(&self) -> Option<RunId> {
        self.successor.as_ref().map(|next| next.run)
    }
    /// Whether it only waits for the run that takes over to be opened.
    pub fn gives_way(&self) -> bool {
        self.gave_way.is_some() && matches!(self.flow, Flow::Section { .. })
    }
    /// What a sub-playbook that a step of this run calls takes over of the run that it supersedes.
    pub fn legacy_of(&self, path: &Path) -> Legacy {
        self.opened.legacy.within(path)
    }
    /// Its status now.
    pub fn status(&self) -> RunStatus {
        match &self.flow {
            Flow::Ended(end) => (*end).into(),
            Flow::Undoing { .. } => RunStatus::Undoing,
            Flow::Section { .. } if self.paused => RunStatus::Paused,
            Flow::Section { closing: Some(RunEnd::Cancelled | RunEnd::Superseded), .. }
                if self.moving > 0 || self.needs.is_empty() =>
            {
                RunStatus::Cancelling
            }
            Flow::Section { .. } if self.moving > 0 || self.is_only_opened() => RunStatus::Running,
            Flow::Section { .. } => RunStatus::Waiting,
        }
    }
    /// Whether nothing was decided yet: it waits for nobody, its first turn comes.
    fn is_only_opened(&self) -> bool {
        self.roots.is_empty() && self.needs.is_empty()
    }
    /// Ended, paused, or waiting with a need.
    pub fn is_at_rest(&self) -> bool {
        let status = self.status();
        status.is_ended()
            || status == RunStatus::Paused
            || (!self.needs.is_empty() && self.moving == 0 && self.out.is_empty())
    }
    /// What waits for people.
    pub fn needs(&self) -> impl Iterator<Item = &Need> {
        self.needs.values()
    }
    /// One need.
    pub fn need(&self, id: NeedId) -> Option<&Need> {
        self.needs.get(&id)
    }
    /// All steps, in the order of becoming ready.
    pub fn steps(&self) -> impl Iterator<Item = &Step> {
        self.steps.values()
    }
    /// A step by its path.
    pub fn step_at(&self, path: &Path) -> Option<&Step> {
        self.by_path.get(path).and_then(|ix| self.steps.get(ix))
    }
    /// A step by its number.
    pub fn step(&self, ix: StepIx) -> Option<&Step> {
        self.steps.get(&ix)
    }
    /// What it gave.
    pub fn outputs(&self) -> Option<&Arc<Value>> {
        self.outputs.as_ref()
    }
    /// The error that ended it.
    pub fn error(&self) -> Option<&StepError> {
        self.error.as_ref()
    }
    /// When it ended.
    pub fn ended_at(&self) -> Option<Millis> {
        self.ended_at
    }
    /// Whether something of it is out in the world or being computed.
    pub fn has_work_out(&self) -> bool {
        !self.out.is_empty()
    }
    /// Whether anything was decided since the run was opened.
    pub fn has_decided(&self) -> bool {
        !self.roots.is_empty() || self.closing().is_some()
    }
    /// Children that have not ended.
    pub fn children(&self) -> impl Iterator<Item = (&Step, RunId)> {
        self.out.iter().filter_map(|ix| self.steps.get(ix)).filter_map(|step| match step.phase {
            Phase::Child(run) => Some((step, run)),
            Phase::Ready
            | Phase::Gated(_)
            | Phase::Reading
            | Phase::Running
            | Phase::Backoff(_)
            | Phase::Settling(_)
            | Phase::Probing
            | Phase::Asked(_)
            | Phase::Person(_)
            | Phase::Signal(..)
            | Phase::Time(_)
            | Phase::Block
            | Phase::Handling
            | Phase::Concluding(..)
            | Phase::Ended(_) => None,
        })
    }
}
