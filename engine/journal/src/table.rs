//! The rows of the cold tables, as callers write and read them.
//!
//! `status` and `state` words and the `body` JSON belong to the caller; the journal filters
//! by them and keeps them as they are.

use beistand_core::model::{
    ActionName, ConnectorName, Digest, IncidentId, Millis, Mode, NeedId, Organisation, Path,
    Person, Role, RunId, Severity, StoreId, Tlp,
};
use beistand_core::run::NeedKind;

/// A run, as lists show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// Public id.
    pub id: RunId,
    /// The incident it belongs to.
    pub incident: IncidentId,
    /// The playbook's name.
    pub playbook: String,
    /// The plan's digest.
    pub plan: Digest,
    /// Inherited from the incident.
    pub mode: Mode,
    /// `running`, `waiting`, … as core's run status says it.
    pub status: String,
    /// The run with whose targets this one's are counted: the one at the top, of which this was
    /// called or is for more items; itself where it belongs with none.
    pub root: RunId,
    /// The run that called it, and at which path.
    pub parent: Option<(RunId, Path)>,
    /// The same key gives the same run.
    pub start_key: Option<String>,
    /// Who asked for it.
    pub requested_by: Person,
    /// Whose, where it is only one organisation's.
    pub organisation: Option<Organisation>,
    /// The corrected run that took over.
    pub superseded_by: Option<RunId>,
    /// When it began.
    pub started_at: Millis,
    /// When it ended; `None` while unfinished.
    pub ended_at: Option<Millis>,
    /// A restore found it unfinished: its first open effects and all that follow were possibly sent.
    pub restored: bool,
    /// The summary that lists show without folding, JSON.
    pub body: String,
}

/// Something that waits for a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Need {
    /// Public id, bound to the digest.
    pub id: NeedId,
    /// The run that waits; `None` for needs of an incident.
    pub run: Option<RunId>,
    /// The run at the top of `run`.
    pub root: Option<RunId>,
    /// The incident.
    pub incident: IncidentId,
    /// Inherited from the incident.
    pub mode: Mode,
    /// What is asked for.
    pub kind: NeedKind,
    /// The step; `None` for the run itself.
    pub step: Option<Path>,
    /// Needs of one step and one cause carry one group.
    pub group: Option<String>,
    /// Who is asked.
    pub role: Option<Role>,
    /// Whose.
    pub organisation: Option<Organisation>,
    /// What an answer is bound to.
    pub digest: Option<Digest>,
    /// Since when.
    pub since: Millis,
    /// Until when.
    pub until: Option<Millis>,
    /// When it was escalated.
    pub escalated_at: Option<Millis>,
    /// When it was answered or fell away; `None` while open.
    pub closed_at: Option<Millis>,
    /// Title, votes, form and what else people see, JSON.
    pub body: String,
}

/// An open need that asks a role, without what it shows: for who looks at all of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenNeed {
    /// Public id.
    pub id: NeedId,
    /// The incident.
    pub incident: IncidentId,
    /// Inherited from the incident.
    pub mode: Mode,
    /// What is asked for.
    pub kind: NeedKind,
    /// Who is asked.
    pub role: Role,
    /// What an answer is bound to.
    pub digest: Option<Digest>,
    /// Since when.
    pub since: Millis,
    /// Until when.
    pub until: Option<Millis>,
    /// When it was escalated.
    pub escalated_at: Option<Millis>,
}

/// What makes a hold one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct HoldKey {
    /// Drills hold nothing of the real world.
    pub mode: Mode,
    /// `host:pc-17`.
    pub target: String,
    /// What is held there: the effect's action, `network.isolate`.
    pub effect: String,
    /// Through which connector: it may know a target of this name that is another one's too.
    pub connector: ConnectorName,
    /// By which run.
    pub run: RunId,
    /// At which step.
    pub path: Path,
}

/// Where a hold stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HoldState {
    /// The effect is under way or its outcome is unknown.
    Taking,
    /// The effect holds.
    Held,
    /// The release is under way or its outcome is unknown.
    Releasing,
}

impl HoldState {
    /// The word in the table.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Taking => "taking",
            Self::Held => "held",
            Self::Releasing => "releasing",
        }
    }
    pub(crate) fn parse(text: &str) -> Option<Self> {
        [Self::Taking, Self::Held, Self::Releasing].into_iter().find(|s| s.as_str() == text)
    }
}

/// A run's claim on an effect on a target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hold {
    /// What makes it one.
    pub key: HoldKey,
    /// Where it stands.
    pub state: HoldState,
    /// Since when.
    pub since: Millis,
    /// Whose target.
    pub organisation: Option<Organisation>,
    /// What was there before and the effect's output, JSON: the *first* hold's previous value is
    /// what the last release restores.
    pub body: String,
}

/// A target that a run touched, for the limits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TargetUse {
    /// Drills do not count against live limits.
    pub mode: Mode,
    /// By which run.
    pub run: RunId,
    /// `host:pc-17`.
    pub target: String,
    /// Whose.
    pub organisation: Option<Organisation>,
    /// When last.
    pub at: Millis,
}

/// A target that an action destroyed, for the policy: counted over a run and all it called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Strike {
    /// The run that nobody called.
    pub root: RunId,
    /// `network.isolate`.
    pub action: ActionName,
    /// `host:pc-17`.
    pub target: String,
    /// Which of the tree's runs came first.
    pub run: RunId,
    /// How many people had said yes to that one.
    pub votes: u32,
}

/// An effect that may happen once in its incident, and whose it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Once {
    /// In which incident.
    pub incident: IncidentId,
    /// What makes the effect one, digested: playbook, path, action and targets.
    pub key: Digest,
    /// The run that did it, or is at it.
    pub run: RunId,
    /// At which step.
    pub path: Path,
}

/// A signal that came to a run; early ones are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signal {
    /// To which run.
    pub run: RunId,
    /// Its name in the plan.
    pub name: String,
    /// The sender's key: the same key is the same signal.
    pub key: String,
    /// When it came.
    pub at: Millis,
    /// When a step took it; `None` while unused.
    pub used_at: Option<Millis>,
    /// Who sent it and the form, JSON.
    pub body: String,
}

/// An incident.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Incident {
    /// Public id.
    pub id: IncidentId,
    /// For people: `SIT-2026-0007`.
    pub number: String,
    /// Fixed when it is opened.
    pub mode: Mode,
    /// One line.
    pub title: String,
    /// How bad.
    pub severity: Severity,
    /// Who may read it.
    pub tlp: Tlp,
    /// Whose, where it is only one organisation's.
    pub organisation: Option<Organisation>,
    /// When it was opened.
    pub opened_at: Millis,
    /// When it was closed.
    pub closed_at: Option<Millis>,
    /// Roles, links and what else people see, JSON.
    pub body: String,
}

/// Something an incident is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asset {
    /// Of which incident.
    pub incident: IncidentId,
    /// `host`, `account`, …
    pub kind: String,
    /// Its name.
    pub value: String,
    /// `suspected`, `contained`, …
    pub state: String,
    /// Whose.
    pub organisation: Option<Organisation>,
    /// Since when in this state.
    pub at: Millis,
}

/// A file kept as evidence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evidence {
    /// Of which incident.
    pub incident: IncidentId,
    /// SHA-256 of its bytes.
    pub digest: Digest,
    /// Its name.
    pub name: String,
    /// Whose.
    pub organisation: Option<Organisation>,
    /// Who added it.
    pub by: Person,
    /// When.
    pub at: Millis,
}

/// What the store says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Meta {
    /// Made with the store; survives backup and restore. Part of every idempotency key.
    pub store: StoreId,
    /// New when a store is made and at each restore; 32 hex digits.
    pub epoch: String,
    /// When it was made.
    pub created_at: Millis,
    /// When it was restored last.
    pub restored_at: Option<Millis>,
    /// Since when the stop switch is on.
    pub stopped_at: Option<Millis>,
    /// Who set it and why, JSON; empty while off.
    pub stop_body: String,
}
