//! What happened in a run: the journal's vocabulary. It only grows.
//!
//! An event has a head (kinds, paths, keys, digests, actor) and a body (values). Both are kept in
//! one entry of the run's stream, apart from each other, so that a body can be erased.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::model::{
    ActionName, ConnectorName, Digest, Direction, EffectClass, ErrorKind, IdempotencyKey,
    IncidentId, Millis, Mode, NeedId, Organisation, Path, Person, PlaybookName, Reached, Role,
    RunId, Span, Target,
};

/// One event of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// What happened, without values.
    #[serde(flatten)]
    pub head: Head,
    /// Whose data the body holds, where it is one organisation's.
    #[serde(rename = "org", default, skip_serializing_if = "Option::is_none")]
    pub organisation: Option<Organisation>,
    /// The values.
    #[serde(skip)]
    pub body: Body,
}

/// The values of an event; which ones are there follows from the head.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Body {
    /// Inputs, outputs, items, forms, lines of a gate.
    #[serde(
        rename = "v",
        default,
        deserialize_with = "present",
        skip_serializing_if = "Option::is_none"
    )]
    pub value: Option<Arc<Value>>,
    /// A sentence: error, reason, note, title.
    #[serde(rename = "t", default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Resolved targets.
    #[serde(rename = "g", default, skip_serializing_if = "Vec::is_empty")]
    pub targets: Vec<Target>,
    /// The state before the effect.
    #[serde(
        rename = "p",
        default,
        deserialize_with = "present",
        skip_serializing_if = "Option::is_none"
    )]
    pub previous: Option<Arc<Value>>,
    /// What takes the effect back.
    #[serde(rename = "u", default, skip_serializing_if = "Option::is_none")]
    pub undo: Option<Arc<UndoCall>>,
    /// What a person fills in.
    #[serde(
        rename = "f",
        default,
        deserialize_with = "present",
        skip_serializing_if = "Option::is_none"
    )]
    pub form: Option<Arc<Value>>,
}

/// A null that was given is a value; serde alone would read it as none.
pub(crate) fn present<'de, D: serde::Deserializer<'de>>(
    from: D,
) -> Result<Option<Arc<Value>>, D::Error> {
    Value::deserialize(from).map(|value| Some(Arc::new(value)))
}

/// A rendered call that takes an effect back.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct UndoCall {
    /// What to do.
    pub action: ActionName,
    /// With what.
    pub arguments: Value,
}

/// Who acts.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Actor {
    /// The name.
    pub person: Person,
    /// The name was given and not proved: the store has no accounts.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub asserted: bool,
}

/// The run that called this one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parent {
    /// The run.
    pub run: RunId,
    /// The step that called.
    pub path: Path,
    /// The run at the top.
    pub root: RunId,
    /// How often people had the calling step done again; keys below it are new each time.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub generation: u32,
}

/// How a step ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StepEnd {
    /// It did what it should.
    Succeeded,
    /// It did not.
    Failed,
    /// It was not to be done.
    Skipped,
    /// The run or its block was ended before.
    Cancelled,
}

/// How an attempt ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AttemptEnd {
    /// With an answer.
    Succeeded,
    /// Definitely not done.
    Failed,
    /// It may have been done.
    Unknown,
    /// Surely never sent: the program stopped between intent and wire.
    Withdrawn,
}

/// What a probe found out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ProbeEnd {
    /// It was done.
    Done,
    /// It was not done.
    NotDone,
    /// It can not be told.
    Unknown,
}

/// What kind of thing waits for a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum NeedKind {
    /// Approve or deny.
    Approval,
    /// Do something and fill in a form.
    Task,
    /// Retry, skip, by hand or abort.
    Decision,
    /// Done, not done or send again.
    Unknown,
}

/// A person's answer to a need.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AnswerKind {
    /// Yes, one vote.
    Approve,
    /// No.
    Deny,
    /// The task is done.
    Done,
    /// Try again.
    Retry,
    /// Go on without it.
    Skip,
    /// A person did it.
    ByHand,
    /// The run fails.
    Abort,
    /// The effect was not done: send the same key again.
    NotDone,
    /// Send it as a new effect.
    SendAgain,
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RunEnd {
    /// All went as written.
    Succeeded,
    /// It did not.
    Failed,
    /// A person ended it.
    Cancelled,
    /// All that can be undone was undone.
    Undone,
    /// A corrected playbook took over.
    Superseded,
}

/// A part of a playbook that runs on its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Section {
    /// The steps.
    Steps,
    /// When the run failed.
    OnFailure,
    /// At the end, however it came.
    Always,
}

/// The intent of one attempt, durable before its effect.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Intent {
    /// The step.
    pub path: Path,
    /// Done or taken back.
    #[serde(rename = "dir")]
    pub direction: Direction,
    /// The same for every attempt of one generation.
    pub key: IdempotencyKey,
    /// Grows only by a person.
    #[serde(rename = "gen", default, skip_serializing_if = "is_zero")]
    pub generation: u32,
    /// From 1.
    #[serde(rename = "no")]
    pub attempt: u32,
    /// Who does it; absent: a person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connector: Option<ConnectorName>,
    /// What is done.
    pub action: ActionName,
    /// May it be sent again?
    pub class: EffectClass,
    /// How long after a lost answer a probe may be believed.
    #[serde(default, skip_serializing_if = "no_time")]
    pub settle: Span,
    /// How long it may take.
    pub timeout: Span,
    /// Whether it hurts: holds and gates apply.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub destructive: bool,
    /// The digest of the fully rendered effect, where it hurts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub effect: Option<Digest>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
fn is_zero(number: &u32) -> bool {
    *number == 0
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
fn no_time(span: &Span) -> bool {
    *span == Span::ZERO
}

/// What happened, without values. The tag is `k`; tags and fields only grow.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "k", rename_all = "kebab-case")]
pub enum Head {
    /// A run was launched. Body: inputs, incident facts, bindings.
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
    /// A person paused the run.
    Paused {
        /// Who.
        by: Actor,
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

impl Event {
    /// An event without values.
    pub fn new(head: Head) -> Self {
        Self { head, organisation: None, body: Body::default() }
    }
    /// The same with a value.
    #[must_use]
    pub fn value(mut self, value: Value) -> Self {
        self.body.value = Some(Arc::new(value));
        self
    }
    /// The same with a sentence.
    #[must_use]
    pub fn text(mut self, text: impl Into<String>) -> Self {
        self.body.text = Some(text.into());
        self
    }
}

impl From<Head> for Event {
    fn from(head: Head) -> Self {
        Self::new(head)
    }
}
