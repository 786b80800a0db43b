//! What a playbook does, for who reads it before it does anything: its steps, its faults.
//!
//! The facts are those that `beistand plan` prints; how they look on a page stands here.

use beistand_core::model::{ActionName, Mode, Role, Votes};
use beistand_core::playbook::{Finding, Gate, Kind, Plan, Template, Wait};
use beistand_core::run::{Missing, PlannedEffect, PlannedStep, PlannedUndo, kind_word};
use serde_json::Value;

use super::frame::Frame;
use super::need::said;
use crate::app::App;

/// Steps are moved in by their depth as far as a telephone has room for.
const DEPTH_MAX: usize = 4;

/// A step.
pub(super) struct Step {
    pub(super) kind: &'static str,
    pub(super) kind_said: String,
    pub(super) title: String,
    pub(super) path: String,
    pub(super) depth: usize,
    /// Who does it, where people do.
    pub(super) role: String,
    pub(super) instructions: String,
    pub(super) effect: Option<Effect>,
    /// `2 × Commander`.
    pub(super) gate: String,
    pub(super) when: String,
    pub(super) calls: String,
}

/// What a step does outside.
pub(super) struct Effect {
    pub(super) action: String,
    /// Connectors; by hand where there are none.
    pub(super) through: String,
    pub(super) by_hand: bool,
    pub(super) destructive: bool,
    /// What takes it back; empty where nothing does.
    pub(super) undo: String,
    pub(super) arguments: Vec<(String, String)>,
}

/// The steps of a plan with nothing entered yet.
pub(super) fn steps(app: &App, frame: &Frame, plan: &Plan) -> Vec<Step> {
    let planned = app.engine.planned(plan, Mode::Live, &Value::Null);
    planned.iter().map(|step| Step::of(frame, step)).collect()
}

impl Step {
    fn of(frame: &Frame, step: &PlannedStep<'_>) -> Self {
        let node = step.node;
        let kind = kind_word(&node.kind);
        let (role, instructions, own) = for_people(&node.kind);
        let gate = own.or(node.approval.as_ref());
        Self {
            kind,
            kind_said: frame.words.of("does", kind),
            title: node.title.clone().unwrap_or_else(|| node.id.to_string()),
            path: step.path.clone(),
            depth: step.depth.min(DEPTH_MAX),
            role: role.map(|role| role_word(frame, role)).unwrap_or_default(),
            instructions,
            effect: step.effect.as_ref().map(|effect| Effect::of(frame, effect)),
            gate: gate
                .map(|Gate { role, votes, .. }| asks(frame, Votes { votes: *votes, role: *role }))
                .unwrap_or_default(),
            when: node.when.as_ref().map(|when| when.text.to_string()).unwrap_or_default(),
            calls: step.calls.as_ref().map(|(plan, _)| plan.name().to_string()).unwrap_or_default(),
        }
    }
}

/// What a step asks of people: who does it, what they read, and its own gate.
fn for_people(kind: &Kind) -> (Option<Role>, String, Option<&Gate>) {
    let text = |template: &Template| said(&template.written());
    match kind {
        Kind::Task { role, instructions, .. } => (Some(*role), text(instructions), None),
        Kind::Approve { gate, .. } => (None, String::new(), Some(gate)),
        Kind::Wait(Wait::Signal { role, name, .. }) => (*role, text(name), None),
        Kind::Note(line) | Kind::Fail(line) | Kind::End(line) => (None, text(line), None),
        Kind::Call(_)
        | Kind::Script(_)
        | Kind::Wait(Wait::For(_) | Wait::Until(_))
        | Kind::Group(_)
        | Kind::Parallel { .. }
        | Kind::ForEach(_)
        | Kind::Switch(_)
        | Kind::Repeat(_)
        | Kind::Playbook { .. }
        | Kind::UndoSteps(_) => (None, String::new(), None),
    }
}

impl Effect {
    pub(super) fn of(frame: &Frame, effect: &PlannedEffect<'_>) -> Self {
        let PlannedEffect { call, connectors, .. } = effect;
        let names: Vec<String> = connectors.iter().map(ToString::to_string).collect();
        let arguments = call.with.iter();
        Self {
            action: call.action.to_string(),
            by_hand: names.is_empty(),
            through: if names.is_empty() { frame.t("by-hand") } else { names.join(", ") },
            destructive: effect.destructive,
            undo: undo(frame, &effect.undo),
            arguments: arguments
                .map(|(name, with)| (name.clone(), said(&with.written())))
                .collect(),
        }
    }
}

fn undo(frame: &Frame, undo: &PlannedUndo) -> String {
    match undo {
        PlannedUndo::Nothing => String::new(),
        PlannedUndo::Call(action) => action.to_string(),
        PlannedUndo::Steps => frame.t("plan-undo-steps"),
    }
}

/// `2 × Commander`.
pub(super) fn asks(frame: &Frame, Votes { votes, role }: Votes) -> String {
    format!("{votes} × {}", role_word(frame, role))
}

fn role_word(frame: &Frame, role: Role) -> String {
    frame.words.of("role", role.as_str())
}

/// What a live run lacks.
#[derive(Default)]
pub(super) struct Lacks {
    /// Actions that people would do, if they may.
    pub(super) for_people: Vec<String>,
    /// What no yes of anybody replaces, a sentence each.
    pub(super) blocks: Vec<String>,
    /// Hosts that nobody knows: a step that acts on one fails.
    pub(super) hosts: Vec<String>,
}

impl Lacks {
    /// In words.
    pub(super) fn of(frame: &Frame, missing: &[Missing]) -> Self {
        let mut lacks = Self::default();
        let action = |action: &ActionName| action.to_string();
        for one in missing {
            match one {
                Missing::Connector { action: name, by_hand: true } => {
                    lacks.for_people.push(action(name));
                }
                Missing::Connector { action: name, by_hand: false } => {
                    lacks
                        .blocks
                        .push(frame.ta("plan-must-be-automatic", name.to_string().as_str()));
                }
                Missing::Guard { action: name } => {
                    lacks.blocks.push(frame.ta("lacks-guard", name.to_string().as_str()));
                }
                Missing::Host { name } => lacks.hosts.push(name.clone()),
            }
        }
        lacks
    }
}

/// A finding.
pub(super) struct Fault {
    pub(super) file: String,
    pub(super) line: u32,
    pub(super) column: u32,
    pub(super) error: bool,
    pub(super) code: String,
    pub(super) message: String,
    pub(super) hint: String,
}

impl From<&Finding> for Fault {
    fn from(finding: &Finding) -> Self {
        Self {
            // Where the shelves of this machine stand is nobody's business.
            file: finding.file.rsplit('/').next().unwrap_or_default().to_owned(),
            line: finding.line,
            column: finding.column,
            error: finding.is_error(),
            code: finding.code.clone(),
            message: finding.message.clone(),
            hint: finding.hint.clone().unwrap_or_default(),
        }
    }
}
