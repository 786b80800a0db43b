//! What is true of a run: a fold of its events, nothing else.
//!
//! Steps and lists stand in maps by rising numbers; a path leads to its step. Queues and counters
//! are kept up to date by `apply`, so that `decide` never scans the children of a block.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::event::{present, Actor, Intent, NeedKind, Parent, RunEnd, Section, StepEnd, UndoCall};
use crate::model::{
    ConnectorName, Digest, ErrorKind, IncidentId, Millis, Mode, NeedId, Path, PlaybookName,
    Reached, Role, RunId, Span, Target,
};
use crate::playbook::NodeId;

/// The number of a step in its run; rises in the order of becoming ready.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct StepIx(pub(crate) u32);

/// The number of a list of steps in its run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SeqIx(pub(crate) u32);

/// What a run was launched with.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Opened {
    /// The run.
    pub run: RunId,
    /// Of which playbook.
    pub playbook: PlaybookName,
    /// The plan digest.
    pub digest: Digest,
    /// Real or not.
    pub mode: Mode,
    /// In which incident.
    pub incident: IncidentId,
    /// Who launched it.
    pub by: Actor,
    /// Steps without a connector may fall to people.
    pub by_hand_ok: bool,
    /// The run that called this one.
    pub parent: Option<Parent>,
    /// W3C trace context.
    pub trace: Option<String>,
    /// When.
    pub at: Millis,
    /// Inputs, with defaults filled in.
    pub inputs: Arc<Value>,
    /// The incident's facts, frozen at launch.
    pub incident_facts: Arc<Value>,
    /// Which connector does what, pinned at launch.
    pub bindings: Vec<Binding>,
}

/// Which connector does what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Binding {
    /// The capability.
    pub capability: String,
    /// Only for this slot.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slot: Option<String>,
    /// Only for targets of this organisation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organisation: Option<crate::model::Organisation>,
    /// Only for targets with an address in this range.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub range: Option<String>,
    /// Who does it.
    pub connector: ConnectorName,
}

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
    #[serde(
        default,
        deserialize_with = "present",
        skip_serializing_if = "Option::is_none"
    )]
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
    #[serde(
        default,
        deserialize_with = "present",
        skip_serializing_if = "Option::is_none"
    )]
    pub previous: Option<Arc<Value>>,
    /// What it gave.
    #[serde(
        default,
        deserialize_with = "present",
        skip_serializing_if = "Option::is_none"
    )]
    pub output: Option<Arc<Value>>,
    /// Why it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<StepError>,
    /// How far its effect came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reached: Option<Reached>,
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
            | Self::OnError => false,
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

/// Something that waits for a person.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Need {
    /// Its id.
    pub id: NeedId,
    /// What kind.
    pub kind: NeedKind,
    /// The step.
    pub step: Option<StepIx>,
    /// Who may answer.
    pub role: Role,
    /// Votes needed.
    pub votes_needed: u32,
    /// Who said yes so far; one vote a person.
    pub votes: Vec<Actor>,
    /// What exactly is shown.
    pub digest: Digest,
    /// Equal needs have equal groups.
    pub group: String,
    /// Since when.
    pub since: Millis,
    /// When it is escalated.
    pub until: Option<Millis>,
    /// When it was.
    pub escalated_at: Option<Millis>,
    /// Its title.
    pub title: String,
    /// What is shown: lines of a gate, instructions, the error.
    pub shows: Option<Arc<Value>>,
    /// What is filled in: an object schema.
    pub form: Option<Arc<Value>>,
}

/// What wakes a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Timer {
    /// The end of a backoff, a settle time or a wait.
    Step(StepIx),
    /// A step's deadline.
    Deadline(StepIx),
    /// A need's deadline.
    Need(NeedId),
}

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

/// A run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunState {
    pub(crate) opened: Opened,
    pub(crate) flow: Flow,
    pub(crate) paused: bool,
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
    pub(crate) timers: BTreeSet<(Millis, Timer)>,
    /// Steps that `decide` must look at.
    pub(crate) agenda: BTreeSet<StepIx>,
    /// Steps whose effect, probe, read or child is out.
    pub(crate) out: BTreeSet<StepIx>,
    /// Steps that move by themselves.
    pub(crate) moving: u32,
    /// Signals that nobody has waited for yet, by name, oldest first.
    pub(crate) signals: BTreeMap<String, Vec<(String, Option<Arc<Value>>)>>,
    /// Keys of all signals, against repeats.
    pub(crate) signal_keys: BTreeSet<String>,
    /// Distinct targets that were touched.
    pub(crate) targets: BTreeSet<String>,
    /// The undo that is going on, with the steps that are wanted.
    pub(crate) undo_open: u32,
    pub(crate) undo_by: Option<Actor>,
    pub(crate) undo_failed: bool,
    pub(crate) undo_approved: Option<Box<Approved>>,
    /// `undo:` steps that wait for the undo to finish.
    pub(crate) undo_steps: BTreeSet<StepIx>,
    /// Steps to look at now; a cache of the agenda that shrinks while permits or holds lack.
    #[serde(skip)]
    pub(crate) fresh: BTreeSet<StepIx>,
    /// Steps that were looked at and wait for a permit, a hold or the end of a pause.
    #[serde(skip)]
    pub(crate) held_back: BTreeMap<Cause, BTreeSet<StepIx>>,
}

/// What keeps a ready step from starting.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cause {
    /// The connector has no free place.
    Permit(ConnectorName),
    /// Another effect on its target is out.
    Hold,
    /// The run is paused, or the stop switch is on.
    Paused,
}

/// A run's status, as pages and commands say it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RunStatus {
    /// Something is in flight, ready or in backoff.
    Running,
    /// All open steps wait for people, time, signals, children.
    Waiting,
    /// A person paused it.
    Paused,
    /// It is being ended.
    Cancelling,
    /// It is being taken back.
    Undoing,
    /// All went as written.
    Succeeded,
    /// It did not.
    Failed,
    /// A person ended it.
    Cancelled,
    /// It was taken back.
    Undone,
    /// A corrected playbook took over.
    Superseded,
}

impl From<RunEnd> for RunStatus {
    fn from(end: RunEnd) -> Self {
        match end {
            RunEnd::Succeeded => Self::Succeeded,
            RunEnd::Failed => Self::Failed,
            RunEnd::Cancelled => Self::Cancelled,
            RunEnd::Undone => Self::Undone,
            RunEnd::Superseded => Self::Superseded,
        }
    }
}

impl RunStatus {
    /// The word in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Waiting => "waiting",
            Self::Paused => "paused",
            Self::Cancelling => "cancelling",
            Self::Undoing => "undoing",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::Undone => "undone",
            Self::Superseded => "superseded",
        }
    }
    /// Whether it ended for good (it may still be undone).
    pub const fn is_ended(self) -> bool {
        match self {
            Self::Succeeded | Self::Failed | Self::Cancelled | Self::Undone | Self::Superseded => {
                true
            }
            Self::Running | Self::Waiting | Self::Paused | Self::Cancelling | Self::Undoing => false,
        }
    }
}

impl RunState {
    /// What it was launched with.
    pub fn opened(&self) -> &Opened {
        &self.opened
    }
    /// The root run's id; its own where nobody called it.
    pub fn root(&self) -> RunId {
        self.opened.parent.as_ref().map_or(self.opened.run, |parent| parent.root)
    }
    /// Its status now.
    pub fn status(&self) -> RunStatus {
        match &self.flow {
            Flow::Ended(end) => (*end).into(),
            Flow::Undoing { .. } => RunStatus::Undoing,
            Flow::Section { .. } if self.paused => RunStatus::Paused,
            Flow::Section { closing: Some(_), .. } if self.moving > 0 || self.needs.is_empty() => {
                RunStatus::Cancelling
            }
            Flow::Section { .. } if self.moving > 0 => RunStatus::Running,
            Flow::Section { .. } => RunStatus::Waiting,
        }
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
    /// Children that have not ended.
    pub fn children(&self) -> impl Iterator<Item = (&Step, RunId)> {
        self.out.iter().filter_map(|ix| self.steps.get(ix)).filter_map(|step| match step.phase {
            Phase::Child(run) => Some((step, run)),
            Phase::Ready | Phase::Gated(_) | Phase::Reading | Phase::Running | Phase::Backoff(_)
            | Phase::Settling(_) | Phase::Probing | Phase::Asked(_) | Phase::Person(_)
            | Phase::Signal(..) | Phase::Time(_) | Phase::Block | Phase::Handling
            | Phase::Concluding(..) | Phase::Ended(_) => None,
        })
    }
    /// The next instant at which it must be looked at. What is due but held back is left out:
    /// it is looked at when its cause is gone.
    pub fn next_due(&self) -> Option<Millis> {
        let held = |timer: &Timer| match timer {
            Timer::Step(ix) => self.held_back.values().any(|steps| steps.contains(ix)),
            Timer::Deadline(_) | Timer::Need(_) => false,
        };
        self.timers.iter().find(|(_, timer)| !held(timer)).map(|(at, _)| *at)
    }
    /// What keeps ready steps from starting.
    pub fn waits_for(&self) -> impl Iterator<Item = (&Cause, &Step)> {
        self.held_back.iter().flat_map(move |(cause, steps)| {
            steps.iter().filter_map(move |ix| self.steps.get(ix).map(|step| (cause, step)))
        })
    }
    /// Whether a ready step waits for something that others give back.
    pub fn is_held_back(&self) -> bool {
        self.held_back.values().any(|steps| !steps.is_empty())
    }
    /// After loading a snapshot: everything on the agenda is looked at anew.
    pub fn refresh(&mut self) {
        self.held_back.clear();
        self.fresh = self.agenda.clone();
    }
    /// The steps of one cause are looked at again.
    pub fn release_held(&mut self, cause: &Cause) {
        if let Some(steps) = self.held_back.remove(cause) {
            self.fresh.extend(steps);
        }
    }
}
