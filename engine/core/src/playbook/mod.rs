//! The playbook language: YAML text in, a [`Plan`] out.
//!
//! The way: [`SourceText`] → `Draft` (right shape, no unknown keys) → `check` → `(Option<Plan>,
//! Vec<Finding>)`. Only `check` makes a plan, so whoever holds one need not look again.

mod expression;
mod finding;
mod plan;
mod source;

pub use expression::{
    Checked, EvalError, Expression, Expressions, Fault, FaultCode, Field, Names, Piece, ReadPath,
    ScriptKind, Template, Type,
};
pub use finding::{Finding, Severity};
pub use plan::{
    Block, CallNode, ForEach, Gate, Join, Kind, Length, ListSource, Node, NodeId, OnError,
    OnUnknown, Plan, PlanParts, Repeat, Retry, Shows, Slot, SwitchCase, Tolerance, Undo, Wait,
};
pub use source::{Place, SourceText};
