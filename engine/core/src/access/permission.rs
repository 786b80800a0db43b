//! The one table of what each role may do.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::model::{IdError, Role};

/// Something that a role may do. Every verb and every route needs exactly one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Permission {
    /// See incidents, runs, needs, holds, playbooks and timelines.
    Read,
    /// Write notes, keep evidence, type in what was done on paper or said on the telephone.
    Note,
    /// Open an incident.
    Open,
    /// Edit, link and close an incident; say how an asset stands.
    Change,
    /// Give roles in an incident; offer and take command.
    Assign,
    /// Launch a run or a single call; ask for more of a run; supersede one.
    Launch,
    /// Pause, cancel, undo a run.
    Control,
    /// Do tasks, take decisions, send signals, where the role fits.
    Answer,
    /// Vote on effects, where the role fits.
    Approve,
    /// The stop switch on.
    Stop,
    /// The stop switch off.
    Resume,
    /// Let a connector start nothing, or go on.
    Connect,
    /// Accounts, grants, credentials.
    Manage,
    /// The program's counters and health in detail: nothing of any incident.
    Observe,
}

impl Permission {
    /// Every permission, in the order of the table.
    pub const ALL: &'static [Self] = &[
        Self::Read,
        Self::Note,
        Self::Open,
        Self::Change,
        Self::Assign,
        Self::Launch,
        Self::Control,
        Self::Answer,
        Self::Approve,
        Self::Stop,
        Self::Resume,
        Self::Connect,
        Self::Manage,
        Self::Observe,
    ];

    /// The word in configuration, tokens and JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Note => "note",
            Self::Open => "open",
            Self::Change => "change",
            Self::Assign => "assign",
            Self::Launch => "launch",
            Self::Control => "control",
            Self::Answer => "answer",
            Self::Approve => "approve",
            Self::Stop => "stop",
            Self::Resume => "resume",
            Self::Connect => "connect",
            Self::Manage => "manage",
            Self::Observe => "observe",
        }
    }
}

impl fmt::Display for Permission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Permission {
    type Err = IdError;
    fn from_str(text: &str) -> Result<Self, IdError> {
        Self::ALL.iter().copied().find(|one| one.as_str() == text).ok_or_else(|| IdError {
            what: "permission",
            text: text.chars().take(80).collect(),
            hint: "one of: read note open change assign launch control answer approve stop resume \
                   connect manage observe",
        })
    }
}

/// Whether a role may do something.
///
/// Who keeps the accounts does nothing in an incident, and who leads one gives no accounts: nobody
/// makes themselves the second pair of eyes.
pub const fn may(role: Role, permission: Permission) -> bool {
    use Permission as P;
    match role {
        Role::Commander | Role::Deputy => match permission {
            P::Read
            | P::Note
            | P::Open
            | P::Change
            | P::Assign
            | P::Launch
            | P::Control
            | P::Answer
            | P::Approve
            | P::Stop
            | P::Resume
            | P::Connect
            | P::Observe => true,
            P::Manage => false,
        },
        Role::Approver => {
            matches!(permission, P::Read | P::Note | P::Answer | P::Approve | P::Stop)
        }
        Role::Responder => matches!(
            permission,
            P::Read | P::Note | P::Open | P::Change | P::Launch | P::Answer | P::Stop
        ),
        Role::Scribe => matches!(permission, P::Read | P::Note | P::Answer),
        Role::Reviewer => matches!(permission, P::Read),
        Role::Dpo => matches!(permission, P::Read | P::Note | P::Answer),
        Role::Admin => {
            matches!(permission, P::Read | P::Stop | P::Connect | P::Manage | P::Observe)
        }
    }
}

/// Whether who holds a role may answer what another role is asked: its own, and those below it in
/// the line of command.
pub fn stands_in(held: Role, asked: Role) -> bool {
    const LINE: [Role; 5] =
        [Role::Commander, Role::Deputy, Role::Approver, Role::Responder, Role::Scribe];
    let place = |role| LINE.iter().position(|one| *one == role);
    held == asked
        || match (place(held), place(asked)) {
            (Some(held), Some(asked)) => held < asked,
            (None, _) | (_, None) => false,
        }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_permission_is_held_by_some_role_and_comes_back_from_its_word() {
        for permission in Permission::ALL {
            assert!(Role::ALL.iter().any(|role| may(*role, *permission)), "{permission}");
            assert_eq!(permission.as_str().parse(), Ok(*permission));
        }
    }

    #[test]
    fn who_keeps_the_accounts_does_nothing_in_an_incident() {
        for role in Role::ALL {
            let acts = [Permission::Launch, Permission::Approve, Permission::Answer];
            let manages = may(*role, Permission::Manage);
            assert!(!(manages && acts.iter().any(|act| may(*role, *act))), "{role}");
        }
    }

    #[test]
    fn whoever_acts_in_an_incident_may_write_down_what_they_saw() {
        let acts = [Permission::Open, Permission::Answer, Permission::Approve, Permission::Launch];
        for role in Role::ALL {
            let does = acts.iter().any(|act| may(*role, *act));
            assert!(!does || may(*role, Permission::Note), "{role}");
        }
    }

    #[test]
    fn a_reviewer_only_reads() {
        for permission in Permission::ALL {
            let reads = *permission == Permission::Read;
            assert_eq!(may(Role::Reviewer, *permission), reads, "{permission}");
        }
    }

    #[test]
    fn a_role_stands_in_for_those_below_it_in_the_line_of_command_alone() {
        assert!(stands_in(Role::Commander, Role::Approver));
        assert!(stands_in(Role::Dpo, Role::Dpo));
        for (held, asked) in [
            (Role::Approver, Role::Commander),
            (Role::Commander, Role::Dpo),
            (Role::Admin, Role::Scribe),
            (Role::Reviewer, Role::Scribe),
        ] {
            assert!(!stands_in(held, asked), "{held} for {asked}");
        }
    }
}
