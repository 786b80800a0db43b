//! Who is on call, and calling them to what waits for people.
//!
//! * [`Roster`]: who is on call for which role, from when until when
//! * [`CallOuts`]: who was called in an incident, as its entries tell it
//! * [`called`]: who is to be called to what, as a pure function of what waits, the roster, what was
//!   sent before, and the time
//!
//! The words of the mail are [`crate::timeline::CallOutMail`]'s; nothing in here sends anything.
//!
//! A call is written down before it goes out, and is never sent again without proof that nobody can
//! have it. Where the outcome is not known it stays that way, and calling whom it is escalated to goes
//! its own way.

mod call_outs;
mod called;
mod roster;
#[cfg(test)]
mod tests;

pub use call_outs::{CallOut, CallOutEnd, CallOutStep, CallOuts};
pub use called::{Waiting, Wanted, WantedPart, called};
pub use roster::{Roster, Shift, instant};
