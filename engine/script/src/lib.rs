//! Rhai behind the core's [`Expressions`](beistand_core::playbook::Expressions): the only crate
//! that knows the script language.
//!
//! Values in, a value out. A script can not read a clock, a file or the network, write anywhere,
//! wait, or take more than its share: operations, time, memory, text, lists, nesting and source all
//! have a limit in `limits`, and a script that reaches one, panics or loops fails its step and
//! nothing else.
//!
//! ```text
//! text ──► size ──► Rhai's parser ──► check: names, types, skipped steps ──► Checked
//!                         │
//!                         ▼
//! JSON ──► value ──► a fresh scope ──► watch ⟲ every operation ──► value ──► JSON
//! ```
//!
//! `check` and `evaluate` compile alike; small expressions are evaluated on the caller's own
//! thread, what has loops or closures on a thread with a deep stack.

mod bounded;
mod cache;
mod captures;
mod check;
mod engine;
mod error;
mod functions;
mod limits;
mod memory;
mod texts;
mod value;

#[cfg(test)]
mod tests;

pub use engine::{NoMemoryBudget, Scripts};
pub use memory::{CountingAllocator, budget_is_enforced};
