//! How a run looks from outside: the JSON of `show --json` and of the HTTP interface. A contract:
//! fields may be added, none disappears.

use serde_json::{Value, json};

use super::event::StepEnd;
use super::state::{Cause, Home, Phase, RunState, Slot, Step, UndoMark};
use crate::model::{Digest, Direction, IdempotencyKey, Path, StoreId, words};
use crate::playbook::{Kind, Plan};

words! {
    /// A step's status, as pages and commands say it.
    StepStatus = "step status" {
        /// Its insides run.
        Waiting = "waiting",
        /// Its turn has come.
        Ready = "ready",
        /// An attempt, script or probe is out, or its insides run.
        Running = "running",
        /// It will be tried again.
        Retrying = "retrying",
        /// Its outcome is not known.
        Unknown = "unknown",
        /// A probe is out.
        Probing = "probing",
        /// A person decides what to do about its failure.
        NeedsDecision = "needs-decision",
        /// People must say yes.
        WaitingForApproval = "waiting-for-approval",
        /// A person does something.
        WaitingForPerson = "waiting-for-person",
        /// It waits for a signal.
        WaitingForSignal = "waiting-for-signal",
        /// It waits for time.
        WaitingForTime = "waiting-for-time",
        /// A sub-playbook runs.
        WaitingForChild = "waiting-for-child",
        /// It did what it should.
        Succeeded = "succeeded",
        /// It did not.
        Failed = "failed",
        /// It was not to be done.
        Skipped = "skipped",
        /// The run or its block was ended before.
        Cancelled = "cancelled",
        /// It is being taken back.
        Undoing = "undoing",
        /// It was taken back.
        Undone = "undone",
        /// It was not.
        UndoFailed = "undo-failed",
    }
}

impl StepStatus {
    /// The status of a step.
    pub fn of(step: &Step) -> Self {
        match step.undo {
            UndoMark::Wanted | UndoMark::Undoing => return Self::Undoing,
            UndoMark::Undone => return Self::Undone,
            UndoMark::Failed => return Self::UndoFailed,
            UndoMark::Nothing | UndoMark::Possible => {}
        }
        match &step.phase {
            Phase::Ready => Self::Ready,
            Phase::Gated(_) => Self::WaitingForApproval,
            Phase::Reading
            | Phase::Running
            | Phase::Block
            | Phase::Handling
            | Phase::Concluding(..) => Self::Running,
            Phase::Backoff(_) => Self::Retrying,
            Phase::Settling(_) => Self::Unknown,
            Phase::Probing => Self::Probing,
            Phase::Asked(_) if step.unknown => Self::Unknown,
            Phase::Asked(_) => Self::NeedsDecision,
            Phase::Person(_) => Self::WaitingForPerson,
            Phase::Signal(..) => Self::WaitingForSignal,
            Phase::Time(_) => Self::WaitingForTime,
            Phase::Child(_) => Self::WaitingForChild,
            Phase::Ended(StepEnd::Succeeded) => Self::Succeeded,
            Phase::Ended(StepEnd::Failed) => Self::Failed,
            Phase::Ended(StepEnd::Skipped) => Self::Skipped,
            Phase::Ended(StepEnd::Cancelled) => Self::Cancelled,
        }
    }
}

/// The word of a step kind in JSON and on pages.
pub fn kind_word(kind: &Kind) -> &'static str {
    match kind {
        Kind::Call(_) => "call",
        Kind::Script(_) => "script",
        Kind::Task { .. } => "task",
        Kind::Approve { .. } => "approve",
        Kind::Wait(_) => "wait",
        Kind::Group(_) => "group",
        Kind::Parallel { .. } => "parallel",
        Kind::ForEach(_) => "for_each",
        Kind::Switch(_) => "switch",
        Kind::Repeat(_) => "repeat",
        Kind::Playbook { .. } => "playbook",
        Kind::UndoSteps(_) => "undo",
        Kind::Note(_) => "note",
        Kind::Fail(_) => "fail",
        Kind::End(_) => "end",
    }
}

/// A loop item as people say it: a text as it is, an object by its `name` where it has one.
pub fn item_text(item: &Value) -> String {
    let said = item.as_str().or_else(|| item.get("name").and_then(Value::as_str));
    said.map_or_else(|| item.to_string(), str::to_owned)
}

/// A need as JSON, with the six words of its digest beside it. They are made when somebody looks:
/// what is kept is the digest.
pub fn with_words(mut need: Value) -> Value {
    let digest = need.get("digest").and_then(Value::as_str).map(str::parse::<Digest>);
    if let (Some(Ok(digest)), Value::Object(fields)) = (digest, &mut need) {
        fields.insert("words".to_owned(), json!(digest.spoken()));
    }
    need
}

impl RunState {
    /// The run as JSON. `store` goes into the keys that are shown.
    pub fn to_json(&self, plan: &Plan, store: StoreId, incident_number: &str, head: &str) -> Value {
        let opened = &self.opened;
        json!({
            "id": opened.run,
            "playbook": opened.playbook,
            "title": plan.parts().title,
            "digest": opened.digest,
            "mode": opened.mode,
            "status": self.status(),
            "incident": opened.incident,
            "incident_number": incident_number,
            "parent": opened.parent.as_ref().map(|parent| parent.run),
            "more_of": opened.more_of.as_ref().map(|earlier| earlier.run),
            "supersedes": opened.supersedes.as_ref().map(|earlier| earlier.run),
            "superseded_by": self.superseded_by(),
            "children": self.steps().filter(|step| step.home.is_do())
                .filter_map(|step| step.child).collect::<Vec<_>>(),
            "requested_by": opened.by.person,
            "inputs": opened.inputs,
            "outputs": self.outputs,
            "error": self.error,
            "started_at": opened.at.to_string(),
            "ended_at": self.ended_at.map(|at| at.to_string()),
            "head": head,
            "steps": self.steps().filter(|step| matches!(step.home, Home::Seq(_)))
                .map(|step| self.step_json(plan, store, step)).collect::<Vec<_>>(),
            "needs": self.needs().map(|need| with_words(self.need_json(need))).collect::<Vec<_>>(),
            "waits": self.waits_json(),
        })
    }

    /// The loop item a step stands in, as text: the innermost one.
    pub fn item_of(&self, step: &Step) -> Option<String> {
        let mut at = step.home;
        while let Home::Seq(ix) = at {
            let seq = self.seqs.get(&ix)?;
            let owner = self.steps.get(&seq.owner?)?;
            if let (Slot::Item(index), Some(looping)) = (seq.slot, &owner.looping) {
                let item = super::scope::item_at(&looping.items, index)?;
                return Some(item_text(&item));
            }
            at = owner.home;
        }
        None
    }

    /// The steps of loop items, by the items' texts, that can be taken back; only those below some
    /// steps, where such are named.
    pub fn undoable(&self, items: &[String], within: &[Path]) -> Vec<Path> {
        self.steps()
            .filter(|step| matches!(step.undo, UndoMark::Possible | UndoMark::Failed))
            .filter(|step| self.item_of(step).is_some_and(|item| items.contains(&item)))
            .filter(|step| within.is_empty() || within.iter().any(|path| step.path.is_within(path)))
            .map(|step| step.path.clone())
            .collect()
    }

    fn step_json(&self, plan: &Plan, store: StoreId, step: &Step) -> Value {
        let node = plan.node(step.node);
        let key = step.sent.as_ref().map(|_| {
            IdempotencyKey::new(store, self.root(), &step.path, Direction::Do, step.generation)
        });
        json!({
            "path": step.path,
            "id": node.id,
            "item": self.item_of(step),
            "kind": kind_word(&node.kind),
            "title": node.title.as_deref().unwrap_or(node.id.as_str()),
            "status": StepStatus::of(step),
            "attempts": step.attempts_total,
            "key": key,
            "generation": step.generation,
            "connector": step.sent.as_ref().and_then(|sent| sent.intent.connector.clone()),
            "reached": step.reached,
            "late": step.late,
            "due_at": step.due().map(|at| at.to_string()),
            "by_hand": step.by_hand,
            "handled": step.handled,
            "taken_over_from": step.taken_from,
            "already_held_by": step.already_held_by,
            "still_held_by": step.still_held_by,
            "output": step.output,
            "counts": step.looping.as_ref().map(|l| json!({
                "total": l.total, "succeeded": l.succeeded, "failed": l.failed,
                "skipped": l.skipped, "cancelled": l.cancelled,
            })),
            "error": step.error,
            "started_at": step.started_at.map(|at| at.to_string()),
            "ended_at": step.ended_at.map(|at| at.to_string()),
        })
    }

    /// A need as JSON.
    pub fn need_json(&self, need: &super::state::Need) -> Value {
        let step = need.step.and_then(|ix| self.steps.get(&ix));
        json!({
            "id": need.id,
            "kind": need.kind,
            "step": step.map(|step| step.path.clone()),
            "item": step.and_then(|step| self.item_of(step)),
            "role": need.role,
            "title": need.title,
            "run": self.opened.run,
            "incident": self.opened.incident,
            "since": need.since.to_string(),
            "until": need.until.map(|at| at.to_string()),
            "escalated_at": need.escalated_at.map(|at| at.to_string()),
            "votes": need.votes.len(),
            "voted_by": need.votes.iter().map(|vote| &vote.person).collect::<Vec<_>>(),
            "votes_needed": need.votes_needed,
            "digest": need.digest,
            "group": need.group,
            "shows": need.shows,
            "form": need.form,
        })
    }

    fn waits_json(&self) -> Vec<Value> {
        let mut waits: Vec<Value> = self
            .waits_for()
            .filter_map(|(cause, step)| {
                let word = match cause {
                    Cause::Permit(_) => "permit",
                    Cause::Hold(_) => "hold",
                    Cause::Paused => return None,
                };
                Some(json!({"step": step.path, "for": word, "since": step.ready_at.to_string(), "until": null}))
            })
            .collect();
        for step in self.steps() {
            let (word, until) = match &step.phase {
                Phase::Time(at) | Phase::Backoff(at) | Phase::Settling(at) => ("time", Some(*at)),
                Phase::Signal(..) => ("signal", None),
                Phase::Child(_) => ("child", None),
                Phase::Ready
                | Phase::Gated(_)
                | Phase::Reading
                | Phase::Running
                | Phase::Probing
                | Phase::Asked(_)
                | Phase::Person(_)
                | Phase::Block
                | Phase::Handling
                | Phase::Concluding(..)
                | Phase::Ended(_) => continue,
            };
            waits.push(json!({
                "step": step.path,
                "for": word,
                "since": step.started_at.unwrap_or(step.ready_at).to_string(),
                "until": until.map(|at| at.to_string()),
            }));
        }
        waits
    }
}
