//! The words of the journal: how it ended, and what was intended.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Actor;
use crate::model::{
    ActionName, ConnectorName, Digest, Direction, EffectClass, IdempotencyKey, Path, PlaybookName,
    RunId, Span, words,
};

/// A rendered call that takes an effect back.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct UndoCall {
    /// What to do.
    pub action: ActionName,
    /// With what.
    pub arguments: Value,
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
    /// The epoch of the store, where it was restored while the caller was on its way: this run may
    /// have been opened before, and have done what it is about to do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub restored: Option<String>,
    /// The run with whose targets this one's are counted, where that is not the root.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tree: Option<RunId>,
}

/// An earlier run that nobody called this one from, and with which it belongs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Earlier {
    /// The run.
    pub run: RunId,
    /// The run with whose targets those of both are counted: a cut that is made in parts is as
    /// large as the whole.
    pub tree: RunId,
    /// The epoch of the store, where it was restored while the earlier run gave way: this one may
    /// have been opened before, and have done what it is about to do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub restored: Option<String>,
}

/// The run that is to take over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Successor {
    /// The run.
    pub run: RunId,
    /// Of which playbook.
    pub playbook: PlaybookName,
    /// Its plan digest.
    pub digest: Digest,
    /// Where the playbook's sources are kept.
    pub sources: Digest,
    /// Steps without a connector may fall to people.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub by_hand_ok: bool,
    /// Who wants it.
    pub by: Actor,
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

words! {
    /// What kind of thing waits for a person.
    NeedKind = "kind of need" {
        /// Approve or deny.
        Approval = "approval",
        /// Do something and fill in a form.
        Task = "task",
        /// Retry, skip, by hand or abort.
        Decision = "decision",
        /// Done, not done or send again.
        Unknown = "unknown",
    }
    /// A person's answer to a need.
    AnswerKind = "answer" {
        /// Yes, one vote.
        Approve = "approve",
        /// No.
        Deny = "deny",
        /// The task is done.
        Done = "done",
        /// Try again.
        Retry = "retry",
        /// Go on without it.
        Skip = "skip",
        /// A person did it.
        ByHand = "by-hand",
        /// The run fails.
        Abort = "abort",
        /// The effect was not done: send the same key again.
        NotDone = "not-done",
        /// Send it as a new effect.
        SendAgain = "send-again",
    }
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
    /// From 1; 0 where nothing is sent, because the effect may have been sent already.
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
pub(super) fn is_zero(number: &u32) -> bool {
    *number == 0
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
fn no_time(span: &Span) -> bool {
    *span == Span::ZERO
}
