//! What one action destroyed in a run, the sub-playbooks it called and the runs that were launched
//! for more of it, and under how many votes.
//!
//! A policy asks more people above so many targets. What stands apart in a playbook, in branches,
//! loops or sub-playbooks, is still one cut: it is counted together.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::model::RunId;

/// The yes an effect goes out under, where a policy counts targets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Yes {
    /// The run at the top; what it, its sub-playbooks and the runs for more of it do is counted
    /// together.
    pub root: RunId,
    /// How many people said yes; 0 where nobody need be asked.
    pub votes: u32,
    /// How many targets so many people may let through together; absent: any number.
    pub carries: Option<u32>,
}

/// Distinct targets, each with the votes and the run that first let it through.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Struck {
    votes_of: BTreeMap<String, u32>,
    counts: BTreeMap<u32, u32>,
    firsts: BTreeMap<RunId, u32>,
}

impl Struck {
    /// Counts a target; one that is counted already stays as it was.
    pub fn add(&mut self, target: &str, run: RunId, votes: u32) {
        if self.votes_of.contains_key(target) {
            return;
        }
        self.votes_of.insert(target.to_owned(), votes);
        *self.counts.entry(votes).or_default() += 1;
        *self.firsts.entry(run).or_default() += 1;
    }

    /// How many stand under `votes` or fewer.
    pub fn under(&self, votes: u32) -> u32 {
        self.counts.range(..=votes).map(|(_, count)| count).sum()
    }

    /// Whether a target stands under `votes` or fewer.
    pub fn is_under(&self, target: &str, votes: u32) -> bool {
        self.votes_of.get(target).is_some_and(|given| *given <= votes)
    }

    /// All of them, where any is another run's than this one's.
    pub fn beside(&self, run: RunId) -> impl Iterator<Item = &str> {
        let all = u32::try_from(self.votes_of.len()).unwrap_or(u32::MAX);
        let own = self.firsts.get(&run).copied().unwrap_or(0);
        let beside = if all > own { self.votes_of.len() } else { 0 };
        self.votes_of.keys().map(String::as_str).take(beside)
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.votes_of.keys().map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_counts_once_under_the_votes_that_first_let_it_through() {
        let (one, other) = (RunId::new(1, &[1; 10]), RunId::new(1, &[2; 10]));
        let mut struck = Struck::default();
        struck.add("host:a", one, 1);
        struck.add("host:b", one, 2);
        struck.add("host:a", other, 3);
        assert_eq!((struck.under(0), struck.under(1), struck.under(2)), (0, 1, 2));
        assert!(struck.is_under("host:a", 1) && !struck.is_under("host:b", 1));
        assert_eq!(struck.beside(one).count(), 0);
        assert_eq!(struck.beside(other).count(), 2);
    }
}
