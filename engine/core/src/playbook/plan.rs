//! A checked playbook: every name resolves, every expression compiles, every limit is a number.
//!
//! Nodes stand in one list and name each other by [`NodeId`]; a block is a list of nodes that run
//! one after the other. Only `check` makes a plan.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::json;

use super::gates::{CallGate, Gates};
use super::{Expression, Place, SourceText, Template};
use crate::model::{
    ActionName, Digest, NotCanonical, PlaybookName, Reached, Role, Schema, Span, StepId, Tlp,
    digest_of, digest_of_bytes,
};

/// The index of a node in its plan.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
#[serde(transparent)]
pub struct NodeId(pub u32);

/// Nodes that run one after the other.
pub type Block = Vec<NodeId>;

/// A checked playbook with everything it calls.
#[derive(Debug, Clone)]
pub struct Plan {
    parts: PlanParts,
    by_id: BTreeMap<StepId, NodeId>,
    digest: Digest,
    gates: Gates,
}

/// What `check` found out; `Plan::new` seals it.
#[derive(Debug, Clone)]
pub struct PlanParts {
    /// The playbook's name.
    pub name: PlaybookName,
    /// For people.
    pub title: String,
    /// The language version it was written in.
    pub language: u32,
    /// How far it may be shared.
    pub tlp: Tlp,
    /// Where its content comes from.
    pub references: Vec<String>,
    /// An object schema with all inputs.
    pub inputs: Schema,
    /// Connectors by role, where a capability is needed twice.
    pub slots: BTreeMap<StepId, Slot>,
    /// All nodes; a [`NodeId`] is an index into this.
    pub nodes: Vec<Node>,
    /// The steps.
    pub steps: Block,
    /// Run when the run fails.
    pub on_failure: Block,
    /// Run after success, failure and cancel.
    pub always: Block,
    /// What the run gives, in the order of the file.
    pub outputs: Vec<(StepId, Expression)>,
    /// Sub-playbooks by name, with all they call themselves.
    pub children: BTreeMap<PlaybookName, Arc<Plan>>,
    /// The file itself.
    pub source: SourceText,
}

/// A named place for a connector.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slot {
    /// The capability it must offer.
    pub capability: String,
    /// Whether the playbook copes without it.
    pub optional: bool,
}

/// One step of the file.
#[derive(Debug, Clone)]
pub struct Node {
    /// Unique in the file.
    pub id: StepId,
    /// For people; the id where absent.
    pub title: Option<String>,
    /// Where it stands in the file.
    pub place: Place,
    /// The enclosing block step.
    pub parent: Option<NodeId>,
    /// The path segment between the parent's path and this step's id: the branch name in a
    /// `parallel`, `on_error`, `always`, `undo` or `on_failure` where it stands in such a block.
    pub branch: Option<String>,
    /// What it does.
    pub kind: Kind,
    /// Skipped unless this holds.
    pub when: Option<Expression>,
    /// People who must say yes first. For `approve:` steps the gate is in the kind.
    pub approval: Option<Gate>,
    /// When it is marked late.
    pub within: Option<Length>,
    /// What happens when it fails; the language's default is already filled in.
    pub on_error: OnError,
    /// What takes it back.
    pub undo: Undo,
    /// Run after the block, however it ended (`group` and `for_each`).
    pub always: Block,
    /// Whether a reader after it must reckon with it not having run.
    pub possibly_skipped: bool,
}

/// What a step does.
#[derive(Debug, Clone)]
pub enum Kind {
    /// An effect through a connector.
    Call(CallNode),
    /// Rhai, pure.
    Script(Expression),
    /// A person does something and fills in a form.
    Task {
        /// Who.
        role: Role,
        /// What to do.
        instructions: Template,
        /// What to fill in: an object schema.
        form: Schema,
    },
    /// A gate of its own.
    Approve {
        /// Who must say yes.
        gate: Gate,
        /// What is signed.
        shows: Shows,
    },
    /// Time, or a signal.
    Wait(Wait),
    /// One after the other.
    Group(Block),
    /// All branches at once.
    Parallel {
        /// In the order of the file.
        branches: Vec<(StepId, Block)>,
        /// When it goes on.
        join: Join,
    },
    /// The same steps per item.
    ForEach(ForEach),
    /// The first case that holds.
    Switch(Vec<SwitchCase>),
    /// Rounds until something holds.
    Repeat(Repeat),
    /// A sub-playbook.
    Playbook {
        /// Its name; the plan is among the children.
        name: PlaybookName,
        /// Its inputs.
        with: BTreeMap<String, Template>,
    },
    /// Takes back what these steps did.
    UndoSteps(Vec<NodeId>),
    /// A line in the timeline.
    Note(Template),
    /// Ends the run as failed.
    Fail(Template),
    /// Ends the run as succeeded.
    End(Template),
}

/// An effect.
#[derive(Debug, Clone)]
pub struct CallNode {
    /// What to do.
    pub action: ActionName,
    /// The arguments.
    pub with: BTreeMap<String, Template>,
    /// Which slot's connector does it.
    pub via: Option<StepId>,
    /// How long one attempt may take.
    pub timeout: Length,
    /// When it is tried again.
    pub retry: Retry,
    /// What happens when the outcome is not known.
    pub on_unknown: OnUnknown,
    /// How far it must come; absent: the furthest the connector offers.
    pub reach: Option<Reached>,
    /// Refuse to let a person do it by hand.
    pub automatic: bool,
    /// Skip it where another run of the incident has the same effect.
    pub once_per_incident: bool,
}

/// When and how often a call is tried again after a definite failure.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Retry {
    /// How many attempts, the first included; at least 1.
    pub attempts: u32,
    /// The first pause.
    pub initial: Span,
    /// By what the pause grows.
    pub factor: f64,
    /// The longest pause.
    pub max: Span,
}

impl Default for Retry {
    fn default() -> Self {
        Self { attempts: 5, initial: Span::from_secs(1), factor: 2.0, max: Span::from_secs(60) }
    }
}

/// What happens when the outcome of a call is not known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnUnknown {
    /// A probe or a person settles it.
    Ask,
    /// It is sent again with the same key: only where duplicates are harmless.
    Repeat,
}

/// People who must say yes.
#[derive(Debug, Clone, PartialEq)]
pub struct Gate {
    /// Of which role.
    pub role: Role,
    /// How many different persons; at least 1.
    pub votes: u32,
    /// When it is escalated.
    pub within: Option<Length>,
}

/// What an `approve:` step signs.
#[derive(Debug, Clone)]
pub enum Shows {
    /// The outputs of these steps.
    Steps(Vec<NodeId>),
    /// A text.
    Text(Template),
    /// Its title.
    Title,
}

/// A wait.
#[derive(Debug, Clone)]
#[expect(clippy::large_enum_variant, reason = "a few per plan, and made once")]
pub enum Wait {
    /// For so long.
    For(Length),
    /// Until an instant that the expression gives as RFC 3339.
    Until(Expression),
    /// For a signal from outside or a person.
    Signal {
        /// Its name.
        name: Template,
        /// Who may give it by hand; opens a task.
        role: Option<Role>,
        /// What it carries: an object schema.
        form: Schema,
        /// When it is escalated.
        within: Option<Length>,
    },
}

/// When a `parallel` goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Join {
    /// When every branch ended.
    All,
    /// At the first success.
    Any,
}

/// A loop over a list.
#[derive(Debug, Clone)]
pub struct ForEach {
    /// Over what.
    pub list: ListSource,
    /// The loop variable's name.
    pub item: StepId,
    /// How many items at once; at least 1.
    pub max_parallel: u32,
    /// How many items may fail.
    pub tolerate: Option<Tolerance>,
    /// Per item.
    pub steps: Block,
}

/// What a loop runs over.
#[derive(Debug, Clone)]
pub enum ListSource {
    /// A list that an expression gives.
    Expression(Expression),
    /// 0 to n − 1.
    Count(u64),
}

/// How many items of a loop may fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tolerance {
    /// So many.
    Count(u64),
    /// So many of a hundred; rounds down.
    Percent(u8),
}

impl Tolerance {
    /// How many of `total` may fail.
    pub fn of(self, total: u64) -> u64 {
        match self {
            Self::Count(count) => count,
            Self::Percent(percent) => total.saturating_mul(u64::from(percent)) / 100,
        }
    }
}

/// One alternative of a `switch`.
#[derive(Debug, Clone)]
pub struct SwitchCase {
    /// Absent: otherwise.
    pub when: Option<Expression>,
    /// What runs.
    pub steps: Block,
}

/// Rounds.
#[derive(Debug, Clone)]
pub struct Repeat {
    /// Evaluated after each round; sees that round.
    pub until: Expression,
    /// Most rounds; reached without `until`: failed, kind `exhausted`.
    pub max: u64,
    /// Pause between rounds.
    pub every: Option<Length>,
    /// Per round.
    pub steps: Block,
}

/// A duration, written down or rendered.
#[derive(Debug, Clone, PartialEq)]
pub enum Length {
    /// Written down.
    Fixed(Span),
    /// Rendered to a text like `4h`.
    Rendered(Template),
}

/// What happens when a step fails.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OnError {
    /// A need opens: retry, skip, by hand, abort.
    Ask,
    /// The failure goes outwards.
    Fail,
    /// The run goes on; the step stays failed.
    Continue,
    /// These steps run, then the run goes on; the step stays failed, marked handled.
    Steps(Block),
}

/// What takes a step back.
#[derive(Debug, Clone)]
pub enum Undo {
    /// What the catalogue says, if it says anything.
    Catalogue,
    /// Nothing.
    None,
    /// This call, rendered at the time of the effect.
    Call {
        /// What to do.
        action: ActionName,
        /// The arguments.
        with: BTreeMap<String, Template>,
    },
    /// These steps.
    Steps(Block),
}

impl Plan {
    /// Seals a plan: its digest is over the bytes of its source and of every sub-playbook, in order
    /// of name.
    ///
    /// # Errors
    /// Never in practice: names and digests always have a canonical form.
    pub(crate) fn new(parts: PlanParts) -> Result<Self, NotCanonical> {
        let mut sources = BTreeMap::new();
        sources.insert(parts.name.clone(), parts.source.clone());
        for child in parts.children.values() {
            child.collect_sources(&mut sources);
        }
        let list: Vec<_> = sources
            .iter()
            .map(|(name, source)| {
                json!([name.as_str(), digest_of_bytes(source.text().as_bytes()).hex()])
            })
            .collect();
        let digest = digest_of("plan", &json!(list))?;
        let by_id = parts
            .nodes
            .iter()
            .zip(0..)
            .map(|(node, index)| (node.id.clone(), NodeId(index)))
            .collect();
        let mut plan = Self { parts, by_id, digest, gates: Gates::default() };
        plan.gates = Gates::new(&plan);
        Ok(plan)
    }

    fn collect_sources(&self, sources: &mut BTreeMap<PlaybookName, SourceText>) {
        sources.insert(self.parts.name.clone(), self.parts.source.clone());
        for child in self.parts.children.values() {
            child.collect_sources(sources);
        }
    }

    /// The plan digest (`identity`: purpose `plan`).
    pub fn digest(&self) -> Digest {
        self.digest
    }
    /// What it is made of.
    pub fn parts(&self) -> &PlanParts {
        &self.parts
    }
    /// The playbook's name.
    pub fn name(&self) -> &PlaybookName {
        &self.parts.name
    }
    /// One node.
    ///
    /// # Panics
    /// Never: a [`NodeId`] is made with its plan.
    #[expect(clippy::indexing_slicing, reason = "a NodeId is made with its plan")]
    pub fn node(&self, id: NodeId) -> &Node {
        &self.parts.nodes[id.0 as usize]
    }
    /// The node with an id.
    pub fn by_id(&self, id: &str) -> Option<NodeId> {
        self.by_id.get(id).copied()
    }
    /// Where a call is asked about: the innermost approval that can bind it; without one, the
    /// outermost loop whose items and arguments are known when it begins; otherwise the call itself.
    /// Absent for what is no call.
    pub fn gate_of(&self, call: NodeId) -> Option<CallGate> {
        self.gates.of(call)
    }
    /// Whether a block is the gate of any call inside it.
    pub fn binds(&self, block: NodeId) -> bool {
        self.gates.binds(block)
    }
    /// Whether it, or a playbook that it calls, waits for a signal of this name; a rendered name may
    /// be any.
    pub fn awaits(&self, name: &str) -> bool {
        let own = self.nodes().any(|(_, node)| {
            let Kind::Wait(Wait::Signal { name: awaited, .. }) = &node.kind else { return false };
            awaited.literal().is_none_or(|literal| literal.as_str() == Some(name))
        });
        own || self.parts.children.values().any(|child| child.awaits(name))
    }
    /// Sources of the playbook and all it calls, by name.
    pub fn sources(&self) -> BTreeMap<PlaybookName, SourceText> {
        let mut sources = BTreeMap::new();
        self.collect_sources(&mut sources);
        sources
    }
    /// All nodes with their ids, in the order of the file.
    pub fn nodes(&self) -> impl Iterator<Item = (NodeId, &Node)> {
        self.parts.nodes.iter().zip(0..).map(|(node, index)| (NodeId(index), node))
    }
}
