//! Steps and lists of steps.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::super::event::{Actor, Intent, Section, StepEnd, UndoCall, present};
use super::{SeqIx, StepIx};
use crate::model::{Digest, ErrorKind, Millis, NeedId, Path, Reached, RunId, Span, Target};
use crate::playbook::NodeId;

/// Why a step failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepError {
    /// What kind.
    pub kind: ErrorKind,
    /// A sentence.
    pub message: String,
}

/// Where a step is in its life.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Phase {
    /// Its turn has come.
    Ready,
    /// People must say yes.
    Gated(NeedId),
    /// A script runs, or the state before the effect is read.
    Reading,
    /// An attempt is out.
    Running,
    /// It will be tried again.
    Backoff(Millis),
    /// Its outcome is not known; a probe comes when the effect has settled.
    Settling(Millis),
    /// A probe is out.
    Probing,
    /// A person settles an unknown outcome or decides what to do about a failure.
    Asked(NeedId),
    /// A person does something.
    Person(NeedId),
    /// It waits for a signal; a person may give it by answering the need.
    Signal(String, Option<NeedId>),
    /// It waits for time.
    Time(Millis),
    /// A sub-playbook runs.
    Child(RunId),
    /// Its insides run.
    Block,
    /// Its `on_error` steps run.
    Handling,
    /// Its `always` steps run; then it ends so, its failure handled or not.
    Concluding(StepEnd, bool),
    /// It ended.
    Ended(StepEnd),
}

/// Whether a step can be, is being, or was taken back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum UndoMark {
    /// There is nothing to take back.
    #[default]
    Nothing,
    /// It can be taken back.
    Possible,
    /// It was asked for and its turn has not come.
    Wanted,
    /// It is being taken back.
    Undoing,
    /// It was taken back.
    Undone,
    /// It was tried.
    Failed,
}

/// What a step last sent, kept for settling and undo.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Sent {
    /// The intent.
    pub intent: Intent,
    /// The arguments.
    pub arguments: Arc<Value>,
    /// The resolved targets.
    pub targets: Vec<Target>,
    /// The state before.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub previous: Option<Arc<Value>>,
    /// What takes it back.
    pub undo: Option<Arc<UndoCall>>,
    /// When the attempt began.
    pub at: Millis,
}

/// What a step belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Home {
    /// A list of steps.
    Seq(SeqIx),
    /// It takes back this step.
    Undo(StepIx),
}

impl Home {
    /// Whether the step does something, and does not take something back.
    pub(crate) const fn is_do(self) -> bool {
        matches!(self, Self::Seq(_))
    }
}

/// Yes to exactly these lines.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Approved {
    /// The last vote.
    pub at: Millis,
    /// Who said yes.
    pub by: Vec<Actor>,
    /// Why, where they said so.
    #[serde(default)]
    pub why: Vec<String>,
    /// The digest of each bound effect by path; lines that became void are taken out.
    pub lines: BTreeMap<Path, Digest>,
}

/// How a loop stands.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct LoopState {
    /// What it runs over.
    pub items: Arc<Value>,
    /// How many.
    pub total: u64,
    /// The next that was not started.
    pub next: u64,
    /// Items that hold a place of `max_parallel`.
    pub places: u64,
    /// Items that are open.
    pub open: u64,
    /// Ended so.
    pub succeeded: u64,
    /// Ended so.
    pub failed: u64,
    /// Ended so.
    pub skipped: u64,
    /// Ended so.
    pub cancelled: u64,
    /// Which failed.
    pub failed_items: BTreeSet<u64>,
}

/// One step of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[expect(clippy::struct_excessive_bools, reason = "marks of a step are independent of each other")]
pub struct Step {
    /// In the plan.
    pub node: NodeId,
    /// In the run.
    pub path: Path,
    /// What it belongs to.
    pub home: Home,
    /// Where it is in its life.
    pub phase: Phase,
    /// When its turn came.
    pub ready_at: Millis,
    /// When it began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_at: Option<Millis>,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Millis>,
    /// When it is late, and how often that is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deadline: Option<(Millis, Span)>,
    /// It is late.
    #[serde(default)]
    pub late: bool,
    /// A person did it.
    #[serde(default)]
    pub by_hand: bool,
    /// Its failure was handled.
    #[serde(default)]
    pub handled: bool,
    /// `when` held and the gate was opened: they are not asked again.
    #[serde(default)]
    pub entered: bool,
    /// Its gate's yes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approved: Option<Box<Approved>>,
    /// Attempts of this generation, for the retry policy.
    #[serde(default)]
    pub attempts: u32,
    /// All attempts.
    #[serde(default)]
    pub attempts_total: u32,
    /// Grows only by a person.
    #[serde(default)]
    pub generation: u32,
    /// One of its attempts of this generation ended unknown and was not settled.
    #[serde(default)]
    pub unknown: bool,
    /// What it last sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sent: Option<Box<Sent>>,
    /// The state before the effect.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub previous: Option<Arc<Value>>,
    /// What it gave.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub output: Option<Arc<Value>>,
    /// Why it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<StepError>,
    /// How far its effect came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reached: Option<Reached>,
    /// The superseded run that did it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub taken_from: Option<RunId>,
    /// Runs that held the target before.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub already_held_by: Vec<RunId>,
    /// Runs that hold it after the undo.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub still_held_by: Vec<RunId>,
    /// Whether it can be taken back.
    #[serde(default)]
    pub undo: UndoMark,
    /// Steps with [`UndoMark::Wanted`] or [`UndoMark::Undoing`] at or below it.
    #[serde(default)]
    pub undo_open: u32,
    /// Lists inside it, in the order they began.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub seqs: Vec<SeqIx>,
    /// Lists inside it that have not ended.
    #[serde(default)]
    pub open_seqs: u32,
    /// Its loop.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub looping: Option<Box<LoopState>>,
    /// Its round, for `repeat`.
    #[serde(default)]
    pub round: u64,
    /// The round its limit is counted from: a person may let it go on.
    #[serde(default)]
    pub round_base: u64,
    /// The sub-playbook's run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub child: Option<RunId>,
    /// What the sub-playbook is given, while it runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub child_inputs: Option<Arc<Value>>,
    /// Its chosen case, for `switch`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub case: Option<u32>,
    /// Its insides start nothing more.
    #[serde(default)]
    pub stopped: bool,
}

/// Which list of a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Slot {
    /// A part of the playbook.
    Section(Section),
    /// A group's steps.
    Body,
    /// A branch of a parallel.
    Branch(u32),
    /// An item of a loop.
    Item(u64),
    /// A case of a switch.
    Case(u32),
    /// A round of a repeat.
    Round(u64),
    /// `on_error` steps.
    OnError,
    /// `always` steps.
    Always,
    /// `undo` steps.
    Undo,
    /// What it did before it was begun anew; kept for what can be taken back.
    Past,
}

impl Slot {
    /// Whether the list runs although what encloses it is being ended.
    pub(crate) fn is_shielded(self) -> bool {
        match self {
            Self::Always | Self::Undo | Self::Section(Section::OnFailure | Section::Always) => true,
            Self::Section(Section::Steps)
            | Self::Body
            | Self::Branch(_)
            | Self::Item(_)
            | Self::Case(_)
            | Self::Round(_)
            | Self::OnError
            | Self::Past => false,
        }
    }
}

/// A list of steps that run one after the other.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Seq {
    /// The block; absent for a part of the playbook.
    pub owner: Option<StepIx>,
    /// Which list of it.
    pub slot: Slot,
    /// What the paths of its steps begin with.
    pub prefix: Path,
    /// How many of its nodes were begun.
    pub begun: u32,
    /// Its steps so far.
    pub steps: Vec<StepIx>,
    /// How it ended.
    pub end: Option<StepEnd>,
    /// Leaves inside it that move by themselves (not waiting for people).
    pub moving: u32,
}

impl Step {
    /// Until when it should have ended, where `within` says so and it has not.
    pub fn due(&self) -> Option<Millis> {
        let (next, every) = self.deadline.filter(|_| self.ended_at.is_none())?;
        // Who is late is reminded again and again; what they are late for stays what it was.
        Some(if self.late { self.ready_at.plus(every) } else { next })
    }

    /// A step whose turn has come.
    pub(crate) fn new(node: NodeId, path: Path, home: Home, at: Millis) -> Self {
        Self {
            node,
            path,
            home,
            phase: Phase::Ready,
            ready_at: at,
            started_at: None,
            ended_at: None,
            deadline: None,
            late: false,
            by_hand: false,
            handled: false,
            entered: false,
            approved: None,
            attempts: 0,
            attempts_total: 0,
            generation: 0,
            unknown: false,
            sent: None,
            previous: None,
            output: None,
            error: None,
            reached: None,
            taken_from: None,
            already_held_by: Vec::new(),
            still_held_by: Vec::new(),
            undo: UndoMark::Nothing,
            undo_open: 0,
            seqs: Vec::new(),
            open_seqs: 0,
            looping: None,
            round: 0,
            round_base: 0,
            child: None,
            child_inputs: None,
            case: None,
            stopped: false,
        }
    }
}
