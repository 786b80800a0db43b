//! What the author wrote: typed and placed, but nothing resolved.
//!
//! A draft has the right shape: known keys, one kind per step, words and numbers where words and
//! numbers belong. Whether its names mean anything is for `check` to find out. Where a part is
//! broken, a finding says so and the draft has the best that is left, so that one fault does not
//! hide the others.

mod block;
mod fields;
mod kind;
mod playbook;
mod schema;
mod step;
pub(super) mod value;

use super::tree::{Text, Yaml};
use super::{Join, OnUnknown, Place, Retry, Slot, Tolerance};
use crate::model::{ActionName, PlaybookName, Reached, Role, Schema, Span, StepId, Tlp};

pub(super) use fields::Fields;
pub(super) use kind::TIMEOUT;
pub(super) use playbook::read;
pub(super) use schema::form;
pub(super) use value::literal_id;

/// A value and where it stands.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Spanned<T> {
    pub(super) value: T,
    pub(super) place: Place,
}

/// A playbook as it was written.
#[derive(Debug)]
pub(super) struct Draft<'y> {
    pub(super) name: Option<PlaybookName>,
    pub(super) title: String,
    pub(super) language: u32,
    pub(super) tlp: Tlp,
    pub(super) references: Vec<String>,
    pub(super) inputs: Vec<(Spanned<StepId>, Schema)>,
    pub(super) slots: Vec<(Spanned<StepId>, Slot)>,
    pub(super) steps: Vec<Step<'y>>,
    pub(super) on_failure: Vec<Step<'y>>,
    pub(super) always: Vec<Step<'y>>,
    pub(super) outputs: Vec<(Spanned<StepId>, &'y Text)>,
}

/// A step as it was written.
#[derive(Debug)]
pub(super) struct Step<'y> {
    /// Its id; where it has none that is good, one that no file can have.
    pub(super) id: Option<StepId>,
    /// Where its id stands, or the step itself.
    pub(super) place: Place,
    pub(super) title: Option<String>,
    pub(super) when: Option<&'y Text>,
    pub(super) approval: Option<Gate<'y>>,
    pub(super) within: Option<Length<'y>>,
    pub(super) on_error: Option<OnError<'y>>,
    pub(super) undo: Option<Undo<'y>>,
    pub(super) always: Vec<Step<'y>>,
    pub(super) kind: Kind<'y>,
}

/// What a step does.
#[derive(Debug)]
pub(super) enum Kind<'y> {
    Call(Call<'y>),
    Script(&'y Text),
    Task {
        role: Role,
        instructions: Option<&'y Text>,
        form: Schema,
    },
    Approve {
        gate: Gate<'y>,
        shows: Shows<'y>,
    },
    Wait(Wait<'y>),
    Group(Vec<Step<'y>>),
    Parallel {
        branches: Vec<(Spanned<StepId>, Vec<Step<'y>>)>,
        join: Join,
    },
    ForEach(ForEach<'y>),
    Switch(Vec<Case<'y>>),
    Repeat(Repeat<'y>),
    Playbook {
        name: Option<Spanned<PlaybookName>>,
        with: Arguments<'y>,
    },
    UndoSteps(Vec<Spanned<&'y str>>),
    Note(&'y Text),
    Fail(&'y Text),
    End(&'y Text),
    /// A legal notification: recognised, comes with a later version.
    Duty,
    /// A request to peers: recognised, comes with a later version.
    Aid,
    /// None or several: a finding has said so.
    Broken,
}

/// Arguments of a call or of a sub-playbook.
#[derive(Debug)]
pub(super) struct Arguments<'y> {
    /// Where they begin, or the step.
    pub(super) place: Place,
    /// Each with the place of its name.
    pub(super) fields: Vec<(Spanned<&'y str>, &'y Yaml)>,
}

#[derive(Debug)]
pub(super) struct Call<'y> {
    pub(super) action: Option<Spanned<ActionName>>,
    pub(super) with: Arguments<'y>,
    pub(super) via: Option<Spanned<StepId>>,
    pub(super) timeout: Option<Length<'y>>,
    pub(super) retry: Option<Spanned<Retry>>,
    pub(super) on_unknown: Option<Spanned<OnUnknown>>,
    pub(super) reach: Option<Reached>,
    pub(super) automatic: bool,
    pub(super) once_per_incident: bool,
}

#[derive(Debug)]
pub(super) struct Gate<'y> {
    pub(super) role: Role,
    pub(super) votes: u32,
    pub(super) within: Option<Length<'y>>,
}

#[derive(Debug)]
pub(super) enum Shows<'y> {
    Steps(Vec<Spanned<&'y str>>),
    Text(&'y Text),
    Title,
}

#[derive(Debug)]
pub(super) enum Wait<'y> {
    For(Length<'y>),
    Until(&'y Text),
    Signal {
        name: Option<&'y Text>,
        role: Option<Role>,
        form: Box<Schema>,
        within: Option<Length<'y>>,
    },
}

#[derive(Debug)]
pub(super) enum Length<'y> {
    Fixed(Span),
    Rendered(&'y Text),
}

#[derive(Debug)]
pub(super) enum OnError<'y> {
    Ask,
    Fail,
    Continue,
    Steps(Vec<Step<'y>>),
}

#[derive(Debug)]
pub(super) enum Undo<'y> {
    None,
    Call { action: Option<Spanned<ActionName>>, with: Arguments<'y> },
    Steps(Vec<Step<'y>>),
}

#[derive(Debug)]
pub(super) enum List<'y> {
    Expression(&'y Text),
    Count(u64),
    Broken,
}

#[derive(Debug)]
pub(super) struct ForEach<'y> {
    pub(super) list: List<'y>,
    pub(super) item: Spanned<StepId>,
    pub(super) max_parallel: u32,
    pub(super) tolerate: Option<Tolerance>,
    pub(super) steps: Vec<Step<'y>>,
}

#[derive(Debug)]
pub(super) struct Case<'y> {
    pub(super) when: Option<&'y Text>,
    pub(super) steps: Vec<Step<'y>>,
}

#[derive(Debug)]
pub(super) struct Repeat<'y> {
    pub(super) until: Option<&'y Text>,
    pub(super) max: u64,
    pub(super) every: Option<Length<'y>>,
    pub(super) steps: Vec<Step<'y>>,
}
