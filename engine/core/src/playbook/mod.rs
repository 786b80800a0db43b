//! The playbook language: YAML text in, a [`Plan`] out.
//!
//! The way: [`SourceText`] → tree (YAML with places) → `Draft` (right shape, no unknown keys) →
//! [`check`](check()) → `(Option<Plan>, Vec<Finding>)`. Only `check` makes a plan, so whoever holds
//! one need not look again.
//!
//! * `yaml`, `tree`, `scalar`, `hidden`: text to tree; the one place that knows YAML libraries
//! * `draft`: what the author wrote, typed, nothing resolved
//! * `template`, `ids`: `${…}`, and what things may be called
//! * `check`: names, types, actions, gates, sub-playbooks
//! * `codes`, `finding`, `report`: what is wrong, in stable words
//! * `places`: where things stand in a YAML file that is no playbook
//! * `case`: a playbook's unit tests, read with the same care

mod case;
mod check;
mod codes;
#[cfg(test)]
mod double;
mod draft;
mod expression;
mod finding;
mod gates;
mod hidden;
mod ids;
mod places;
mod plan;
mod report;
mod scalar;
mod schema_json;
mod source;
mod template;
mod tree;
mod yaml;

pub use case::{
    Case, CaseAnswer, CaseChoice, CaseDecision, CaseError, CaseExpectation, CaseGives, CaseProbe,
    CaseResolution, CaseSignal,
};
pub use check::{CheckRequest, Library, NoLibrary, check};
pub use codes::Code;
pub(crate) use expression::same_named;
pub use expression::{
    Checked, EvalError, Expression, Expressions, Fault, FaultCode, Field, Names, Piece, ReadPath,
    ScriptKind, Template, Type,
};
pub use finding::{Finding, Severity};
pub use gates::CallGate;
pub use places::Places;
pub use plan::{
    Block, CallNode, ForEach, Gate, Join, Kind, Length, ListSource, Node, NodeId, OnError,
    OnUnknown, Plan, PlanParts, Repeat, Retry, Shows, Slot, SwitchCase, Tolerance, Undo, Wait,
};
pub use schema_json::playbook_schema;
pub use source::{Place, SourceText};
