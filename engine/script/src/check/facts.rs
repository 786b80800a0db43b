//! What a condition proves: which steps were looked at, which values are not null.

use std::collections::BTreeSet;

/// Something that holds at a place of the text.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Fact {
    /// The status of this step was tested.
    Tested(String),
    /// The value at this path is not null.
    NotNull(Vec<String>),
}

/// Several of them.
pub(super) type Facts = BTreeSet<Fact>;

/// What a condition proves where it holds, and where it does not.
#[derive(Debug, Clone, Default)]
pub(super) struct Proof {
    pub(super) yes: Facts,
    pub(super) no: Facts,
}

impl Proof {
    /// The same either way.
    pub(super) fn both(facts: Facts) -> Self {
        Self { yes: facts.clone(), no: facts }
    }

    /// Of the negated condition.
    pub(super) fn negated(self) -> Self {
        Self { yes: self.no, no: self.yes }
    }

    /// Of `a && b`: if it holds, both do.
    pub(super) fn and(mut self, next: Self) -> Self {
        self.yes.extend(next.yes);
        self.no = self.no.intersection(&next.no).cloned().collect();
        self
    }

    /// Of `a || b`: if it does not hold, neither does.
    pub(super) fn or(self, next: Self) -> Self {
        self.negated().and(next.negated()).negated()
    }
}
