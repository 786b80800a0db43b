//! The one reader of the system's time.

use std::fmt::Debug;

use beistand_core::model::Millis;

/// Where the time comes from.
pub trait Clock: Debug + Send + Sync {
    /// The instant now.
    fn now(&self) -> Millis;
}

/// The system's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct WallClock;

impl Clock for WallClock {
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the system's time")]
    fn now(&self) -> Millis {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        Millis::new(since.ok().and_then(|since| i64::try_from(since.as_millis()).ok()).unwrap_or(0))
    }
}
