//! The machine that drives a run.
//!
//! [`decide`] looks at a run, an input and an instant and says what happens next: events to write
//! down, and effects to do once they are durable. `RunState::apply` is the one place where the
//! state changes. Neither knows time, randomness or the world except by argument.

mod apply;
mod claims;
mod codec;
mod decide;
mod event;
mod legacy;
mod missing;
mod more;
mod outlook;
mod planned;
mod scope;
mod state;
mod struck;
mod view;
mod world;

pub use apply::Contradiction;
pub(crate) use claims::family_of;
pub use claims::{Claim, Standing};
pub use codec::{decode, encode};
pub use decide::{
    Answer, AnswerError, Answered, Command, Decision, Effect, Input, Launch, LaunchError, Reply,
    decide, launch, never_sent, requester, touched,
};
pub use event::{
    Actor, AnswerKind, AttemptEnd, Body, Earlier, Event, Head, Intent, NeedKind, Parent, ProbeEnd,
    Proof, RunEnd, Section, StepEnd, Successor, UndoCall,
};
pub use legacy::{Legacy, Offer, OldGate};
pub use missing::{Missing, Remedy, by_hand, missing, remedy};
pub use more::{LeftOut, More, MoreError, more};
pub use outlook::{Outlook, OutlookLine, outlook};
pub use planned::{PlannedBy, PlannedEffect, PlannedStep, PlannedTargets, PlannedUndo, planned};
pub use state::{
    Approved, Binding, Cause, Flow, LoopState, Need, Opened, Phase, RunState, RunStatus, Sent,
    Step, StepError, StepIx, Timer, UndoMark,
};
pub use struck::{Struck, Yes};
pub use view::{StepStatus, item_text, kind_word, with_words};
pub use world::{
    Chance, Connectors, HOUR, HoldKey, HoldState, Holder, Holds, Means, Permits, Setup, Shared,
    SharedChange, World,
};
