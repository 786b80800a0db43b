//! What a person sees while the chores run: one line a step, with the time since the start.
//!
//! All of it goes to standard error, so that standard output holds what the called programs say
//! and ends with the test runner's own closing line.

use std::time::Instant;

use crate::run::Trouble;

/// The clock and the voice of one call of `cargo xtask`.
pub(crate) struct Report {
    begun: Instant,
}

impl Report {
    /// Starts the clock.
    #[expect(
        clippy::disallowed_methods,
        reason = "a chore shows its real time; nothing depends on it"
    )]
    pub(crate) fn start() -> Self {
        Self { begun: Instant::now() }
    }

    /// Says which step begins now.
    pub(crate) fn step(&self, what: &str) {
        let seconds = self.begun.elapsed().as_secs();
        self.plain(&format!("[{:>2}:{:02}] {what}", seconds / 60, seconds % 60));
    }

    /// Says why the chore ended and what to do about it.
    pub(crate) fn trouble(&self, trouble: &Trouble) {
        self.step(&format!("stopped: {}", trouble.sentence));
    }

    /// Prints text as it stands.
    #[expect(clippy::print_stderr, clippy::unused_self, reason = "the one place that speaks")]
    pub(crate) fn plain(&self, text: &str) {
        eprintln!("{text}");
    }
}
