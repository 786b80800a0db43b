//! What changes in the tables with an entry.

use beistand_core::access::{Account, Grant};
use beistand_core::entry::StreamKind;
use beistand_core::model::{
    AccountName, ConnectorName, IncidentId, Millis, NeedId, Organisation, Person, Role, RunId,
};

use crate::access::Credential;
use crate::table::{
    Asset, Evidence, Hold, HoldKey, Incident, Need, Once, Run, Signal, Strike, TargetUse,
};

/// A change of one row. The changes of an append are a set: at most one of a kind for one row.
/// They are applied kind by kind, in the order they stand here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// Opens a run's row, or writes all of it anew.
    PutRun(Box<Run>),
    /// The status of a run; the rest of its row stays.
    RunStatus {
        /// Which run.
        run: RunId,
        /// As core's run status says it.
        status: String,
        /// When it ended.
        ended_at: Option<Millis>,
        /// The run that takes over from it.
        superseded_by: Option<RunId>,
    },
    /// The folded state of the append's own stream, including this entry.
    Snapshot {
        /// In the caller's own form.
        bytes: Vec<u8>,
    },
    /// Opens a need, or writes all of it anew.
    PutNeed(Box<Need>),
    /// A need was answered or fell away.
    CloseNeed {
        /// Which.
        need: NeedId,
        /// When.
        at: Millis,
    },
    /// All open needs of a run fall away, because it ended.
    CloseNeedsOf {
        /// Whose.
        run: RunId,
        /// When.
        at: Millis,
    },
    /// A signal came. One with a known key changes nothing.
    AddSignal(Box<Signal>),
    /// A step took a signal.
    UseSignal {
        /// Whose.
        run: RunId,
        /// Its key.
        key: String,
        /// When.
        at: Millis,
    },
    /// A command of another process is answered.
    AnswerCommand {
        /// Which.
        command: String,
        /// The answer, JSON.
        answer: String,
        /// When.
        at: Millis,
    },
    /// Adds a hold, or moves it on.
    PutHold(Box<Hold>),
    /// Removes a hold.
    RemoveHold(HoldKey),
    /// A target was touched.
    UseTarget(TargetUse),
    /// A target was destroyed; who came first stays.
    Strike(Strike),
    /// Something was done that is done once.
    Once(Once),
    /// Opens an incident's row, or writes all of it anew.
    PutIncident(Box<Incident>),
    /// A person takes a role, or leaves it.
    SetRole {
        /// In which incident.
        incident: IncidentId,
        /// Which role.
        role: Role,
        /// Who; `None` leaves it empty.
        person: Option<Person>,
    },
    /// An organisation is concerned by an incident.
    LinkOrganisation {
        /// By which.
        incident: IncidentId,
        /// Who is concerned.
        organisation: Organisation,
    },
    /// Something an incident is about, or its new state.
    PutAsset(Box<Asset>),
    /// A file is kept as evidence.
    AddEvidence(Box<Evidence>),
    /// The stop switch goes on; where it is on, since when stays, and by whom and why is said anew.
    Stop {
        /// When.
        at: Millis,
        /// Who and why, JSON.
        body: String,
    },
    /// The stop switch goes off.
    GoOn,
    /// A stream that nobody owns can be claimed from `at` on; one that is owned, as soon as it is
    /// released. No wake-up is lost between the two.
    Wake {
        /// Of what.
        kind: StreamKind,
        /// Its public id.
        id: String,
        /// From when on.
        at: Millis,
    },
    /// The body of an entry is erased (retention, GDPR); the chain stays verifiable.
    EraseBody {
        /// Of which stream.
        kind: StreamKind,
        /// Its public id.
        id: String,
        /// Which entry.
        seq: u64,
    },
    /// What may happen once definitely did not: the claim of this run goes.
    NotOnce(Once),
    /// No call starts through a connector.
    Pause {
        /// Which.
        connector: ConnectorName,
        /// Since when.
        at: Millis,
    },
    /// Calls through it start again.
    Unpause {
        /// Which.
        connector: ConnectorName,
    },
    /// Makes an account, or writes all of it anew.
    PutAccount(Box<Account>),
    /// Gives an account a way to prove itself, in place of one of this id.
    PutCredential(Box<Credential>),
    /// Takes it back.
    RemoveCredential {
        /// Which.
        id: String,
    },
    /// Gives a role, in place of the same one with another end.
    PutGrant(Box<Grant>),
    /// Takes it back, whatever its end.
    RemoveGrant(Box<Grant>),
    /// Every session of an account is over.
    EndSessions {
        /// Whose.
        account: AccountName,
    },
    /// What counts once is used up by what this entry says; [`crate::Guard::Unused`] holds it.
    UseUp {
        /// Which credential.
        credential: String,
        /// When.
        at: Millis,
    },
}

impl Change {
    /// Whether it changes what somebody may do who shows something.
    pub(crate) const fn is_of_access(&self) -> bool {
        match self {
            Self::PutAccount(_)
            | Self::PutCredential(_)
            | Self::RemoveCredential { .. }
            | Self::PutGrant(_)
            | Self::RemoveGrant(_)
            | Self::EndSessions { .. }
            | Self::SetRole { .. } => true,
            Self::PutRun(_)
            | Self::RunStatus { .. }
            | Self::Snapshot { .. }
            | Self::PutNeed(_)
            | Self::CloseNeed { .. }
            | Self::CloseNeedsOf { .. }
            | Self::AddSignal(_)
            | Self::UseSignal { .. }
            | Self::AnswerCommand { .. }
            | Self::PutHold(_)
            | Self::RemoveHold(_)
            | Self::UseTarget(_)
            | Self::Strike(_)
            | Self::Once(_)
            | Self::NotOnce(_)
            | Self::PutIncident(_)
            | Self::LinkOrganisation { .. }
            | Self::PutAsset(_)
            | Self::AddEvidence(_)
            | Self::Stop { .. }
            | Self::GoOn
            | Self::Wake { .. }
            | Self::EraseBody { .. }
            | Self::Pause { .. }
            | Self::Unpause { .. }
            | Self::UseUp { .. } => false,
        }
    }
}
