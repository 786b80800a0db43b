//! Who is on call, and calling them to what waits for people.
//!
//! * [`Roster`]: who is on call for which role, from when until when
//! * [`called`]: who is to be called to what, as a pure function of what waits, the roster, what was
//!   sent before, and the time
//!
//! The words of the mail are [`crate::timeline::CallOutMail`]'s. Nothing in here sends anything. A call is written down before it goes out and is never sent again
//! without proof that nobody can have it: where the outcome is not known, it stays that way, and
//! calling whom it is escalated to goes its own way.

mod plan;
mod roster;
#[cfg(test)]
mod tests;

pub use plan::{
    CALLED_MAX, CallOut, CallOutEnd, CallOutStep, CallOuts, LOST_AFTER, Waiting, Wanted,
    WantedPart, called,
};
pub use roster::{Roster, Shift, instant};
