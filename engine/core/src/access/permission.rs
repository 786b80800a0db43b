//! The one table of what each role may do.

use crate::model::{Role, words};

words! {
    /// Something that a role may do. Every verb and every route needs exactly one.
    Permission = "permission" {
        /// See incidents, runs, needs, holds, playbooks and timelines.
        Read = "read",
        /// Write notes, keep evidence, type in what was done on paper or said on the telephone.
        Note = "note",
        /// Open an incident.
        Open = "open",
        /// Edit, link and close an incident; say how an asset stands.
        Change = "change",
        /// Give roles in an incident; offer and take command.
        Assign = "assign",
        /// Launch a run or a single call; ask for more of a run; supersede one.
        Launch = "launch",
        /// Pause, cancel, undo a run.
        Control = "control",
        /// Do tasks, take decisions, send signals, where the role fits.
        Answer = "answer",
        /// Vote on effects, where the role fits.
        Approve = "approve",
        /// The stop switch on.
        Stop = "stop",
        /// The stop switch off.
        Resume = "resume",
        /// Let a connector start nothing, or go on.
        Connect = "connect",
        /// Accounts, grants, credentials.
        Manage = "manage",
        /// The program's counters and health in detail: nothing of any incident.
        Observe = "observe",
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
