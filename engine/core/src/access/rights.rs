//! What somebody may do, from their grants and from what it is about.

use std::collections::BTreeSet;

use super::grant::{Grant, Reach};
use super::permission::{Permission, may, stands_in};
use crate::model::{IncidentId, Millis, Organisation, Role, Tlp};
use crate::timeline::Scope;

/// What an act is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum About {
    /// The store as a whole, or something new that nobody's organisation is known of yet.
    Instance,
    /// An incident, and whom it concerns.
    Incident {
        /// Which.
        id: IncidentId,
        /// The organisations it is linked to.
        organisations: BTreeSet<Organisation>,
    },
}

/// What somebody may do at an instant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rights {
    /// Their roles; `None`: every role, because the store has no accounts.
    grants: Option<Vec<Grant>>,
    /// A token is for some permissions alone; `None`: for all that its owner has.
    only: Option<BTreeSet<Permission>>,
}

impl Rights {
    /// Every role everywhere: who acts in a store without accounts.
    pub const EVERY: Self = Self { grants: None, only: None };

    /// Those of grants that hold at an instant.
    pub fn of(grants: impl IntoIterator<Item = Grant>, now: Millis) -> Self {
        Self { grants: Some(grants.into_iter().filter(|g| g.holds(now)).collect()), only: None }
    }

    /// No more than these permissions.
    #[must_use]
    pub fn only(mut self, permissions: BTreeSet<Permission>) -> Self {
        self.only = Some(match self.only {
            Some(before) => before.intersection(&permissions).copied().collect(),
            None => permissions,
        });
        self
    }

    fn admits(&self, permission: Permission) -> bool {
        self.only.as_ref().is_none_or(|only| only.contains(&permission))
    }

    /// Whether they may do something to something.
    pub fn may(&self, permission: Permission, about: &About) -> bool {
        let Some(grants) = &self.grants else { return self.admits(permission) };
        let reaches = |grant: &&Grant| {
            let only_reads = permission == Permission::Read;
            if only_reads { reads(&grant.reach, about) } else { acts(&grant.reach, about) }
        };
        self.admits(permission)
            && grants.iter().filter(reaches).any(|grant| may(grant.role, permission))
    }

    /// Whether they may do it to anything at all: what a list or a form is shown for.
    pub fn may_somewhere(&self, permission: Permission) -> bool {
        let Some(grants) = &self.grants else { return self.admits(permission) };
        self.admits(permission) && grants.iter().any(|grant| may(grant.role, permission))
    }

    /// The roles they hold there; `None`: every role.
    pub fn roles(&self, about: &About) -> Option<BTreeSet<Role>> {
        let grants = self.grants.as_ref()?;
        let there = grants.iter().filter(|grant| acts(&grant.reach, about));
        Some(there.map(|grant| grant.role).collect())
    }

    /// Whether they may answer there what a role is asked.
    pub fn answers(&self, role: Role, about: &About) -> bool {
        self.roles(about).is_none_or(|held| held.iter().any(|held| stands_in(*held, role)))
    }

    /// Through whose eyes they read.
    pub fn scope(&self) -> Scope {
        let reading = Permission::Read;
        let Some(grants) = self.grants.as_ref().filter(|_| self.admits(reading)) else {
            return if self.admits(reading) { Scope::ALL } else { Scope::NOTHING };
        };
        // Who is given nothing more reads nothing: no organisation, no incident.
        let mut scope = Scope { tlp: Tlp::Red, ..Scope::NOTHING };
        for grant in grants.iter().filter(|grant| may(grant.role, reading)) {
            match &grant.reach {
                Reach::Instance => return Scope::ALL,
                Reach::Organisation(organisation) => {
                    scope.organisations.get_or_insert_default().insert(organisation.clone());
                }
                Reach::Incident(incident) => {
                    scope.incidents.insert(*incident);
                }
            }
        }
        scope
    }
}

/// Whether a grant of this reach lets somebody act there: an organisation's own, only where no other
/// organisation is concerned.
fn acts(reach: &Reach, about: &About) -> bool {
    match (reach, about) {
        (Reach::Instance, About::Instance | About::Incident { .. }) => true,
        (Reach::Organisation(own), About::Incident { organisations, .. }) => {
            organisations.len() == 1 && organisations.contains(own)
        }
        (Reach::Incident(own), About::Incident { id, .. }) => own == id,
        (Reach::Organisation(_) | Reach::Incident(_), About::Instance) => false,
    }
}

/// Whether a grant of this reach lets somebody read something of it: what exactly, the scope says.
fn reads(reach: &Reach, about: &About) -> bool {
    match (reach, about) {
        (Reach::Organisation(own), About::Incident { organisations, .. }) => {
            organisations.contains(own)
        }
        (Reach::Instance | Reach::Incident(_) | Reach::Organisation(_), _) => acts(reach, about),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Millis = Millis::new(1_000);

    fn grant(role: Role, reach: &str) -> Grant {
        let person = "anna".parse().unwrap();
        Grant { person, role, reach: reach.parse().unwrap(), until: None }
    }

    fn incident(number: u64) -> IncidentId {
        IncidentId::new(number, &[7; 10])
    }

    fn about(number: u64, organisations: &[&str]) -> About {
        let organisations = organisations.iter().map(|name| name.parse().unwrap()).collect();
        About::Incident { id: incident(number), organisations }
    }

    #[test]
    fn without_accounts_everybody_may_everything() {
        for permission in Permission::ALL {
            assert!(Rights::EVERY.may(*permission, &About::Instance));
        }
        assert_eq!(Rights::EVERY.roles(&About::Instance), None);
        assert_eq!(Rights::EVERY.scope(), Scope::ALL);
    }

    #[test]
    fn without_a_grant_nobody_may_anything() {
        let nobody = Rights::of([], NOW);
        for permission in Permission::ALL {
            assert!(!nobody.may(*permission, &About::Instance));
            assert!(!nobody.may_somewhere(*permission));
        }
        assert_eq!(nobody.scope(), Scope { tlp: Tlp::Red, ..Scope::NOTHING });
        assert!(!nobody.answers(Role::Scribe, &about(1, &[])));
    }

    #[test]
    fn a_grant_that_ended_gives_nothing() {
        let mut ended = grant(Role::Commander, "instance");
        ended.until = Some(NOW);
        assert!(!Rights::of([ended], NOW).may(Permission::Launch, &About::Instance));
    }

    #[test]
    fn a_grant_for_one_incident_holds_in_that_one() {
        let rights =
            Rights::of([grant(Role::Commander, &format!("incident:{}", incident(1)))], NOW);
        assert!(rights.may(Permission::Launch, &about(1, &["stadt-a", "stadt-b"])));
        assert!(!rights.may(Permission::Launch, &about(2, &[])));
        assert!(!rights.may(Permission::Stop, &About::Instance));
        assert_eq!(rights.scope().incidents, BTreeSet::from([incident(1)]));
        assert_eq!(rights.scope().organisations, Some(BTreeSet::new()));
    }

    #[test]
    fn an_organisation_acts_where_nobody_else_is_concerned_and_reads_its_part_elsewhere() {
        let rights = Rights::of([grant(Role::Responder, "organisation:stadt-a")], NOW);
        assert!(rights.may(Permission::Launch, &about(1, &["stadt-a"])));
        for others in [&["stadt-a", "stadt-b"][..], &["stadt-b"], &[]] {
            assert!(!rights.may(Permission::Launch, &about(1, others)), "{others:?}");
        }
        assert!(rights.may(Permission::Read, &about(1, &["stadt-a", "stadt-b"])));
        assert!(!rights.may(Permission::Read, &about(1, &["stadt-b"])));
        let only = BTreeSet::from(["stadt-a".parse().unwrap()]);
        assert_eq!(rights.scope().organisations, Some(only));
    }

    #[test]
    fn a_token_has_never_more_than_its_owner_and_never_more_than_it_was_made_for() {
        let owner = Rights::of([grant(Role::Responder, "instance")], NOW);
        let token = owner.only([Permission::Read, Permission::Approve].into());
        assert!(token.may(Permission::Read, &About::Instance));
        assert!(!token.may(Permission::Launch, &About::Instance));
        assert!(!token.may(Permission::Approve, &About::Instance));
        let blind = token.only([Permission::Note].into());
        assert_eq!(blind.scope(), Scope::NOTHING);
    }
}
