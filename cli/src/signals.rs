//! What the process is told from outside, beside Ctrl-C.

use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::exit::Outcome;

/// Unheard, each of them would end the process: who reads that it listens may already send one.
pub(crate) struct Signals {
    /// SIGTERM: it leaves in order.
    pub(crate) terminate: Signal,
    /// SIGUSR1: no effect starts any more.
    pub(crate) stop: Signal,
}

impl Signals {
    pub(crate) fn listen() -> Outcome<Self> {
        let terminate = signal(SignalKind::terminate())?;
        Ok(Self { terminate, stop: signal(SignalKind::user_defined1())? })
    }
}
