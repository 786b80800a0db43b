//! What is behind an error: the chain of its causes, for reports and logs.
//!
//! An error's own text names what failed and leaves its cause out; whoever reports it says both.

use std::error::Error;
use std::iter::successors;

/// An error and, one behind the other, what caused it.
pub fn causes<'e>(
    error: &'e (dyn Error + 'static),
) -> impl Iterator<Item = &'e (dyn Error + 'static)> {
    successors(Some(error), |error| (*error).source())
}

/// The same in one line: `could not do this: that failed: and that`.
pub fn chain(error: &(dyn Error + 'static)) -> String {
    causes(error).map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("could not open")]
    struct Outer(#[source] std::io::Error);

    #[test]
    fn a_chain_has_every_cause_in_order() {
        let error = Outer(std::io::Error::other("no disk"));
        assert_eq!(chain(&error), "could not open: no disk");
        assert_eq!(causes(&error).count(), 2);
    }
}
