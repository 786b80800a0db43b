//! Every kind of event, without its values.

use serde::{Deserialize, Serialize};

use super::Actor;
use super::words::{
    AnswerKind, AttemptEnd, Earlier, Intent, NeedKind, Parent, ProbeEnd, RunEnd, Section, StepEnd,
    Successor, is_zero,
};
use crate::model::{
    Digest, ErrorKind, IncidentId, Millis, Mode, NeedId, Path, PlaybookName, Reached, Role, RunId,
    Span,
};

/// What happened, without values. The tag is `k`; tags and fields only grow.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "k", rename_all = "kebab-case")]
pub enum Head {
    /// A run was launched. Body: inputs, incident facts, bindings; the case that a drill plays.
    RunOpened {
        /// The run.
        run: RunId,
        /// Of which playbook.
        playbook: PlaybookName,
        /// The plan digest.
        digest: Digest,
        /// The language version it is read by, for ever.
        language: u32,
        /// Real or not.
        mode: Mode,
        /// In which incident.
        incident: IncidentId,
        /// Who launched it.
        by: Actor,
        /// Steps without a connector may fall to people.
        by_hand_ok: bool,
        /// The run that called this one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        parent: Option<Parent>,
        /// The run of the same plan that this one is for more items of.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        more_of: Option<Box<Earlier>>,
        /// The run that this one supersedes; its body then has what is taken over.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        supersedes: Option<Box<Earlier>>,
        /// W3C trace context, so that a trace survives a restart.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        trace: Option<String>,
    },
    /// A part of the playbook began.
    SectionStarted {
        /// Which.
        section: Section,
    },
    /// A step is late at this instant.
    DeadlineSet {
        /// The step.
        path: Path,
        /// When.
        at: Millis,
        /// How often it is said again.
        every: Span,
    },
    /// A step's deadline passed. It is marked and escalated; nothing else happens.
    DeadlinePassed {
        /// The step.
        path: Path,
        /// To whom it was escalated.
        role: Role,
    },
    /// A group or parallel began.
    BlockStarted {
        /// The step.
        path: Path,
    },
    /// A switch chose.
    CaseChosen {
        /// The step.
        path: Path,
        /// Which case; absent: none held.
        case: Option<u32>,
    },
    /// A loop's list was evaluated, once. Body: the items.
    ListFixed {
        /// The step.
        path: Path,
        /// How many.
        count: u64,
    },
    /// Items of a loop began.
    ItemsStarted {
        /// The step.
        path: Path,
        /// The first.
        from: u64,
        /// One after the last.
        to: u64,
    },
    /// A round of a `repeat` began.
    RoundStarted {
        /// The step.
        path: Path,
        /// From 0.
        index: u64,
    },
    /// A script or a look at the previous state was begun; it may be done again.
    ReadStarted {
        /// The step.
        path: Path,
    },
    /// The state before the effect. Body: previous.
    PreviousRead {
        /// The step.
        path: Path,
    },
    /// An attempt's intent. Body: arguments, targets, previous, undo.
    AttemptStarted(Intent),
    /// The same attempt goes out again with the same key after its owner died.
    AttemptResumed {
        /// The step.
        path: Path,
    },
    /// An attempt ended. Body: output or sentence.
    AttemptEnded {
        /// The step.
        path: Path,
        /// How.
        end: AttemptEnd,
        /// What kind of error.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        error: Option<ErrorKind>,
        /// How far it came.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reached: Option<Reached>,
    },
    /// It will be tried again.
    RetryScheduled {
        /// The step.
        path: Path,
        /// When.
        at: Millis,
    },
    /// A probe will be sent when the effect has settled.
    ProbeScheduled {
        /// The step.
        path: Path,
        /// When.
        at: Millis,
    },
    /// A probe was begun; it may be done again.
    ProbeStarted {
        /// The step.
        path: Path,
    },
    /// A probe ended. Body: output where it found the effect done.
    ProbeEnded {
        /// The step.
        path: Path,
        /// What it found.
        end: ProbeEnd,
        /// How far the effect came.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reached: Option<Reached>,
    },
    /// A person did what attempts had failed to do.
    DoneByHand {
        /// The step.
        path: Path,
    },
    /// The target was held already: nothing was sent. Body: output, targets, undo.
    AlreadyHeld {
        /// What would have been sent; its attempt is 0.
        intent: Intent,
        /// The run that holds it.
        run: RunId,
        /// The step that holds it.
        by: Path,
    },
    /// The run that this one supersedes did it: nothing was sent. Body: output, targets, previous,
    /// undo; its arguments as the form.
    TakenOver {
        /// What was sent then, under this run's key; its attempt is 0.
        intent: Intent,
        /// The run that did it.
        run: RunId,
        /// How far it came.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reached: Option<Reached>,
        /// A person did it.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        by_hand: bool,
    },
    /// A step waits for time.
    TimerSet {
        /// The step.
        path: Path,
        /// Until when.
        at: Millis,
    },
    /// A step waits for a signal.
    SignalAwaited {
        /// The step.
        path: Path,
        /// Its name.
        name: String,
    },
    /// A signal came. Body: its form.
    SignalReceived {
        /// Its name.
        name: String,
        /// The sender's key against repeats.
        key: String,
        /// Who sent it.
        by: Actor,
    },
    /// A step that waited takes a signal. Body: none; its output has the form.
    SignalTaken {
        /// The step.
        path: Path,
        /// The signal's name.
        name: String,
    },
    /// A step failed and a person is asked what to do. Body: the sentence of its error.
    StepFailed {
        /// The step.
        path: Path,
        /// What kind of error.
        error: ErrorKind,
    },
    /// Something waits for a person. Body: title, what is shown, form.
    NeedOpened {
        /// The need.
        id: NeedId,
        /// What kind.
        kind: NeedKind,
        /// The step; the run itself where absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        path: Option<Path>,
        /// Who may answer.
        role: Role,
        /// Votes needed; 0 for other kinds.
        #[serde(default, skip_serializing_if = "is_zero")]
        votes: u32,
        /// What exactly is shown and answered.
        digest: Digest,
        /// Equal needs have equal groups.
        group: String,
        /// When it is escalated.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        until: Option<Millis>,
    },
    /// A person said yes, and more are needed or it is enough.
    Voted {
        /// The need.
        need: NeedId,
        /// Who.
        by: Actor,
    },
    /// A need was answered for good. Body: reason, form.
    NeedAnswered {
        /// The need.
        need: NeedId,
        /// How.
        answer: AnswerKind,
        /// By whom.
        by: Actor,
        /// When it was done, where that is not when it was written down.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        done_at: Option<Millis>,
    },
    /// A need is no longer asked.
    NeedVoid {
        /// The need.
        need: NeedId,
    },
    /// A need was escalated.
    NeedEscalated {
        /// The need.
        need: NeedId,
        /// To whom.
        role: Role,
    },
    /// A gate's votes lapsed or what they covered changed: that step asks again.
    ApprovalVoid {
        /// The step whose line is void.
        path: Path,
    },
    /// A sub-playbook was launched.
    ChildOpened {
        /// The step.
        path: Path,
        /// The run.
        run: RunId,
        /// Its playbook.
        playbook: PlaybookName,
    },
    /// A line for the timeline. Body: text.
    Noted {
        /// The step.
        path: Path,
    },
    /// A step's error is being handled by its `on_error` steps.
    HandlerStarted {
        /// The step.
        path: Path,
        /// The error.
        error: ErrorKind,
    },
    /// A block's `always` steps began.
    AlwaysStarted {
        /// The step.
        path: Path,
        /// How the block ended before them. Body: the sentence of its error.
        end: StepEnd,
        /// Why it failed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        error: Option<ErrorKind>,
        /// Its failure is handled: the run goes on.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        handled: bool,
    },
    /// A step ended. Body: output, or the sentence of its error.
    StepEnded {
        /// The step.
        path: Path,
        /// How.
        end: StepEnd,
        /// What kind of error.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        error: Option<ErrorKind>,
        /// A person did it or decided it.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        by_hand: bool,
        /// Its failure was handled: the run goes on.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        handled: bool,
    },
    /// A failed step is tried again by a person's decision.
    StepReopened {
        /// The step.
        path: Path,
        /// A new generation: the effect gets a new key.
        renew: bool,
    },
    /// The rest of a block starts nothing more: another branch succeeded, or its loop gave up.
    BlockStopped {
        /// The step.
        path: Path,
    },
    /// The store came back from a backup: what this run was about to do, or to take back, may have
    /// been done already.
    Restored {
        /// The store's new epoch, 32 hex digits.
        epoch: String,
    },
    /// A person paused the run.
    Paused {
        /// Who.
        by: Actor,
        /// Because the run that called it was paused: it goes on with that one.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        with_caller: bool,
    },
    /// A person let it go on.
    Unpaused {
        /// Who.
        by: Actor,
    },
    /// The run is coming to its end: the rest is cancelled, open effects are settled first.
    Closing {
        /// What it will be.
        end: RunEnd,
        /// Who ended it, where it was a person.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        by: Option<Actor>,
        /// The error that ended it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        error: Option<ErrorKind>,
    },
    /// A corrected playbook is to take over: nothing begins any more, open effects are settled
    /// first. Body: reason.
    Superseding {
        /// The run that takes over.
        next: Box<Successor>,
    },
    /// Nothing of the run is open any more: the one that takes over may begin.
    GaveWay,
    /// Undo was asked for. Body: reason.
    UndoRequested {
        /// Who asked; a step where absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        by: Option<Actor>,
        /// The `undo:` step that asked.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        step: Option<Path>,
        /// What is taken back, as it was resolved.
        paths: Vec<Path>,
    },
    /// The call that takes a step back is due.
    UndoStarted {
        /// The step that is taken back.
        path: Path,
    },
    /// A step's undo steps began.
    UndoStepsStarted {
        /// The step.
        path: Path,
    },
    /// A step was taken back, or was not.
    UndoEnded {
        /// The step.
        path: Path,
        /// Whether it was taken back.
        undone: bool,
        /// What kind of error.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        error: Option<ErrorKind>,
        /// Who still holds the target.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        still_held_by: Vec<RunId>,
    },
    /// All that was asked to be undone has been tried.
    UndoFinished {
        /// Whether everything was undone.
        complete: bool,
    },
    /// The run ended. Body: outputs.
    RunEnded {
        /// How.
        end: RunEnd,
    },
}
