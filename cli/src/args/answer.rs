//! Words for answers to what waits for people, votes aside. Nothing here does anything.

use beistand_core::model::{ChosenKey, Reason};
use clap::{Args, ValueEnum};

#[derive(Debug, Args)]
pub(crate) struct DoneArgs {
    /// The need, as `beistand needs` lists it
    pub(crate) need: String,
    /// A field of its form: k=v, k:=JSON, k=@file; repeat for others
    #[arg(long, value_name = "K=V")]
    pub(crate) form: Vec<String>,
    /// When it was done: 04:12 of today, 2026-11-23 04:12, or RFC 3339
    #[arg(long)]
    pub(crate) at: Option<String>,
    /// Who did it and wrote it on paper, where that is not who types it in
    #[arg(long, value_name = "PERSON")]
    pub(crate) by: Option<String>,
    /// What is to be remembered of it
    #[arg(long)]
    pub(crate) reason: Option<Reason>,
    /// All equal needs, with the same form
    #[arg(long)]
    pub(crate) group: bool,
}

/// An answer to a decision.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum Choice {
    /// Once more
    Retry,
    /// Go on without it
    Skip,
    /// A person did it
    ByHand,
    /// End the run
    Abort,
}

#[derive(Debug, Args)]
pub(crate) struct DecideArgs {
    /// Needs, then retry, skip, by-hand or abort
    #[arg(required = true, num_args = 2..)]
    pub(crate) words: Vec<String>,
    /// Why; it stands in the timeline
    #[arg(long)]
    pub(crate) reason: Reason,
    /// With by-hand, what came of it: a field of the need's form, k=v, k:=JSON, k=@file
    #[arg(long, value_name = "K=V")]
    pub(crate) form: Vec<String>,
    /// Each need together with all that are equal to it
    #[arg(long)]
    pub(crate) group: bool,
}

/// How an unknown outcome is settled.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum Settled {
    /// It was done, as somebody saw there
    Done,
    /// It was not done, as somebody saw there
    NotDone,
    /// Whatever became of it, it may be sent once more
    SendAgain,
}

#[derive(Debug, Args)]
pub(crate) struct ResolveArgs {
    /// The run, by its id or the beginning of it
    pub(crate) run: String,
    /// The step, `contain[pc-2]/cut` where that is unique
    pub(crate) path: String,
    /// What became of it
    pub(crate) how: Settled,
    /// How that is known; it stands in the timeline
    #[arg(long)]
    pub(crate) reason: Reason,
    /// With done, what it answered: a field of the need's form, k=v, k:=JSON, k=@file
    #[arg(long, value_name = "K=V")]
    pub(crate) form: Vec<String>,
}

#[derive(Debug, Args)]
pub(crate) struct SignalArgs {
    /// The run, by its id or the beginning of it
    pub(crate) run: String,
    /// The signal that its playbook waits for
    pub(crate) name: ChosenKey,
    /// A field of what comes with it: k=v, k:=JSON, k=@file
    #[arg(long, value_name = "K=V")]
    pub(crate) form: Vec<String>,
    /// The same key is the same signal
    #[arg(long)]
    pub(crate) key: Option<ChosenKey>,
}
