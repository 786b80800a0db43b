//! Guard, limits and policy: what holds for every playbook, whatever it says.

use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::net::IpAddr;

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use super::target::canonical_range;
use super::{ActionName, Role, Target, TargetKind};

/// Targets that are never touched, compared as resolved identities.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Guard {
    identities: Vec<GuardIdentity>,
}

/// One guarded thing, under every name it goes by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GuardIdentity {
    /// What the configuration calls it, or why it is guarded.
    pub label: String,
    /// Names, in small letters; compared whole and by first label.
    pub names: BTreeSet<String>,
    /// Addresses and ranges; a single address is a range of one.
    pub ranges: Vec<IpNet>,
    /// Hardware addresses.
    pub macs: BTreeSet<String>,
}

/// A target that the guard refuses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GuardHit {
    /// The target's name.
    pub target: String,
    /// What it matched.
    pub label: String,
}

impl Guard {
    /// From its identities: those of the configuration and the engine's own.
    pub fn new(identities: Vec<GuardIdentity>) -> Self {
        Self { identities }
    }

    /// The identities, in the order of the configuration.
    pub fn identities(&self) -> &[GuardIdentity] {
        &self.identities
    }

    /// The first target that must not be touched.
    pub fn hit(&self, targets: &[Target]) -> Option<GuardHit> {
        targets.iter().find_map(|target| {
            self.identities.iter().find(|identity| identity.covers(target)).map(|identity| {
                GuardHit { target: target.name.clone(), label: identity.label.clone() }
            })
        })
    }
}

impl GuardIdentity {
    /// A guarded thing from the text of the configuration: a range, an address, a MAC or a name.
    pub fn from_text(text: &str) -> Self {
        let text = text.trim().to_lowercase();
        let mut identity = Self {
            label: text.clone(),
            names: BTreeSet::new(),
            ranges: Vec::new(),
            macs: BTreeSet::new(),
        };
        if let Ok(range) = text.parse::<IpNet>() {
            identity.ranges.push(canonical_range(range));
        } else if let Ok(address) = text.parse::<IpAddr>() {
            identity.ranges.push(IpNet::from(address.to_canonical()));
        } else if is_mac(&text) {
            identity.macs.insert(text.replace('-', ":"));
        } else {
            identity.names.insert(text.trim_end_matches('.').to_owned());
        }
        identity
    }

    /// Whether this can be meant as a range, an address, a MAC or a name. What only looks like an
    /// address would guard a name that nothing has.
    pub fn is_meant(text: &str) -> bool {
        let identity = Self::from_text(text);
        let strange = |c: char| c.is_whitespace() || "/*?:,;[]".contains(c);
        identity.names.iter().all(|name| {
            // The last label of a name is never a number (RFC 3696, 2).
            let last = name.rsplit('.').next().unwrap_or_default();
            let numeric = name.contains('.') && last.bytes().all(|b| b.is_ascii_digit());
            !name.is_empty() && !name.contains(strange) && !numeric
        })
    }

    fn covers(&self, target: &Target) -> bool {
        self.names.iter().any(|name| same_name(name, &target.name))
            || self.macs.iter().any(|mac| target.macs.contains(mac))
            || target.addresses.iter().any(|address| self.contains(*address))
            || (target.kind == TargetKind::Address && self.overlaps(&target.name))
    }

    fn contains(&self, address: IpAddr) -> bool {
        // An IPv4 address written as IPv6 is the same machine.
        let address = address.to_canonical();
        self.ranges.iter().any(|range| range.contains(&address))
    }

    fn overlaps(&self, text: &str) -> bool {
        text.parse::<IpNet>().map(canonical_range).is_ok_and(|wanted| {
            self.ranges.iter().any(|range| {
                range.contains(&wanted.network())
                    || wanted.contains(&range.network())
                    || range.contains(&wanted.broadcast())
            })
        })
    }
}

fn is_mac(text: &str) -> bool {
    let parts: Vec<&str> = text.split([':', '-']).collect();
    parts.len() == 6
        && parts.iter().all(|part| part.len() == 2 && part.bytes().all(|b| b.is_ascii_hexdigit()))
}

/// Whole names are equal, or one is the bare first label of the other: `dc01` guards
/// `dc01.example`, and `dc01.example` guards `dc01`.
fn same_name(guarded: &str, target: &str) -> bool {
    let label = |name: &str| name.split('.').next().unwrap_or_default().to_owned();
    guarded == target
        || ((!guarded.contains('.') || !target.contains('.')) && label(guarded) == label(target))
}

/// How many distinct targets may be touched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[expect(clippy::struct_field_names, reason = "the words that the configuration has for them")]
pub struct Limits {
    /// By one run.
    pub targets_per_run: Option<u32>,
    /// By all runs within an hour.
    pub targets_per_hour: Option<u32>,
    /// Of one organisation, by all runs within an hour.
    pub targets_per_organisation: Option<u32>,
}

impl Limits {
    /// No limits: cases and drills.
    pub const NONE: Self =
        Self { targets_per_run: None, targets_per_hour: None, targets_per_organisation: None };
}

/// How many people of which role must say yes. The stricter one is the greater: more votes, and of
/// as many those of the role that stands higher.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Votes {
    /// How many; at least one.
    pub votes: u32,
    /// Of which role.
    pub role: Role,
}

impl Ord for Votes {
    fn cmp(&self, other: &Self) -> Ordering {
        self.votes.cmp(&other.votes).then_with(|| other.role.cmp(&self.role))
    }
}

impl Votes {
    /// What satisfies both: as many as the one wants that wants more, of the role that stands
    /// higher.
    #[must_use]
    pub fn with(self, other: Self) -> Self {
        Self { votes: self.votes.max(other.votes), role: self.role.min(other.role) }
    }
}

impl PartialOrd for Votes {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// A rule of the policy: these actions, above so many targets, need so many votes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PolicyRule {
    /// The actions it speaks of.
    pub actions: Vec<ActionName>,
    /// It holds only for more targets than this: of one run, with all sub-playbooks that it calls and
    /// the runs for more of it. What is launched apart is counted apart; over all runs count limits.
    #[serde(default)]
    pub above: u32,
    /// Of which role.
    #[serde(default = "commander")]
    pub role: Role,
    /// How many votes.
    pub votes: u32,
}

const fn commander() -> Role {
    Role::Commander
}

impl PolicyRule {
    /// The votes that `rules` want for an action on so many targets, or nothing.
    ///
    /// Entries replace the default only for the actions they name. The default: every destructive
    /// effect one vote of the commander, above 20 targets two. Of several that match, the most
    /// votes count.
    pub fn votes(
        rules: &[Self],
        action: &ActionName,
        destructive: bool,
        targets: u32,
    ) -> Option<Votes> {
        let named: Vec<&Self> = rules.iter().filter(|rule| rule.actions.contains(action)).collect();
        if named.is_empty() {
            let votes = if targets > DEFAULT_TWO_VOTES_ABOVE { 2 } else { 1 };
            return destructive.then_some(Votes { votes, role: Role::Commander });
        }
        named
            .into_iter()
            .filter(|rule| targets > rule.above || rule.above == 0)
            .map(|rule| Votes { votes: rule.votes, role: rule.role })
            .filter(|votes| votes.votes > 0)
            .max()
    }

    /// How many targets `votes` people may let an action through to together; `None` for any
    /// number. What [`PolicyRule::votes`] asks for more is what so few do not carry.
    pub fn carried(rules: &[Self], action: &ActionName, votes: u32) -> Option<u32> {
        let mut named = rules.iter().filter(|rule| rule.actions.contains(action)).peekable();
        if named.peek().is_some() {
            return named.filter(|rule| rule.votes > votes).map(|rule| rule.above).min();
        }
        match votes {
            0 => Some(0),
            1 => Some(DEFAULT_TWO_VOTES_ABOVE),
            _ => None,
        }
    }
}

/// From here on two people: about one floor of desks, more than a mistake should take down.
const DEFAULT_TWO_VOTES_ABOVE: u32 = 20;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Inventory;

    fn guard(texts: &[&str]) -> Guard {
        Guard::new(texts.iter().map(|text| GuardIdentity::from_text(text)).collect())
    }

    #[test]
    fn what_only_looks_like_an_address_is_no_name() {
        for good in
            ["dc01", "dc01.kreis.example", "10.0.0.0/29", "fd00::1", "00-11-22-33-44-55", "büro-7"]
        {
            assert!(GuardIdentity::is_meant(good), "{good}");
        }
        for bad in [
            "10.0.0.0/99",
            "10.0.0.1-10.0.0.9",
            "10.0.0",
            "10.0.0.*",
            "fd00::1::2",
            "",
            "dc01, dc02",
        ] {
            assert!(!GuardIdentity::is_meant(bad), "{bad}");
        }
    }

    #[test]
    fn a_guarded_host_is_found_by_name_label_address_and_range() {
        let inventory = Inventory::of_names();
        let guard = guard(&["dc01", "10.0.0.0/29"]);
        for name in ["dc01", "DC01.example.org", "10.0.0.3"] {
            let target = inventory.resolve(TargetKind::Host, name).unwrap();
            assert!(guard.hit(&[target]).is_some(), "{name}");
        }
        for name in ["dc011", "10.0.0.9"] {
            let target = inventory.resolve(TargetKind::Host, name).unwrap();
            assert!(guard.hit(&[target]).is_none(), "{name}");
        }
        for range in ["10.0.0.0/8", "10.0.0.4/31", "::ffff:10.0.0.1"] {
            let target = inventory.resolve(TargetKind::Address, range).unwrap();
            assert!(guard.hit(&[target]).is_some(), "{range}");
        }
    }

    #[test]
    fn policy_entries_replace_the_default_only_for_the_actions_they_name() {
        let isolate: ActionName = "network.isolate".parse().unwrap();
        let cut: ActionName = "link.cut".parse().unwrap();
        let rule =
            PolicyRule { actions: vec![isolate.clone()], above: 5, role: Role::Deputy, votes: 3 };
        let rules = [rule];
        let votes = |action, targets| {
            PolicyRule::votes(&rules, action, true, targets).map(|votes| votes.votes)
        };
        assert_eq!(votes(&isolate, 3), None);
        assert_eq!(votes(&isolate, 6), Some(3));
        assert_eq!(votes(&cut, 20), Some(1));
        assert_eq!(votes(&cut, 21), Some(2));
    }

    #[test]
    fn what_so_few_do_not_carry_is_what_more_are_asked_for() {
        let isolate: ActionName = "network.isolate".parse().unwrap();
        let cut: ActionName = "link.cut".parse().unwrap();
        let rule = |above, votes| {
            let actions = vec![isolate.clone()];
            PolicyRule { actions, above, role: Role::Deputy, votes }
        };
        let rules = [rule(5, 1), rule(12, 3)];
        for action in [&isolate, &cut] {
            for (given, count) in (0..5).flat_map(|given| (1..30).map(move |count| (given, count)))
            {
                let wanted = PolicyRule::votes(&rules, action, true, count);
                let enough = wanted.is_none_or(|wanted| wanted.votes <= given);
                let carried = PolicyRule::carried(&rules, action, given);
                assert_eq!(carried.is_none_or(|most| count <= most), enough, "{given} {count}");
            }
        }
    }

    #[test]
    fn of_as_many_votes_those_of_the_higher_role_count() {
        let isolate: ActionName = "network.isolate".parse().unwrap();
        let rule =
            |above, role| PolicyRule { actions: vec![isolate.clone()], above, role, votes: 1 };
        let rules = [rule(0, Role::Deputy), rule(5, Role::Commander)];
        let wanted =
            |count| PolicyRule::votes(&rules, &isolate, true, count).map(|votes| votes.role);
        assert_eq!((wanted(5), wanted(6)), (Some(Role::Deputy), Some(Role::Commander)));
    }
}
