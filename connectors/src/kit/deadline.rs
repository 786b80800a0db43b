//! A deadline that knows whether anything was sent: only then is "no answer" an unknown outcome.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use beistand_connector_api::{CallError, Span};

/// Whether an effect may have left this machine.
#[derive(Debug, Default)]
pub struct Progress(AtomicBool);

impl Progress {
    /// To be said right *before* the first byte that could cause the effect.
    pub fn sending(&self) {
        self.0.store(true, Ordering::SeqCst);
    }
    /// Whether it was said.
    pub fn was_sent(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }
    /// What a lost connection means at this point.
    pub fn lost(&self, message: impl Into<String>) -> CallError {
        if self.was_sent() { CallError::unknown(message) } else { CallError::unavailable(message) }
    }
}

/// Runs `work` for at most `span`.
///
/// # Errors
/// What `work` says; after the deadline `Unknown` where something was sent, else `Unavailable`.
pub async fn within<T>(
    span: Span,
    progress: &Progress,
    who: &str,
    work: impl Future<Output = Result<T, CallError>>,
) -> Result<T, CallError> {
    match tokio::time::timeout(Duration::from_millis(span.millis()), work).await {
        Ok(result) => result,
        Err(_) => Err(progress.lost(format!("no answer from {who} within {span}"))),
    }
}
