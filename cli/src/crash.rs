//! Named places where a test lets the program die, as a power cut would: only in builds for tests.

/// Called at each named place; absent in what users get.
#[cfg(not(feature = "crash-points"))]
pub(crate) const POINT: Option<fn(&'static str)> = None;

/// Called at each named place.
#[cfg(feature = "crash-points")]
pub(crate) const POINT: Option<fn(&'static str)> = Some(armed::reach);

#[cfg(feature = "crash-points")]
mod armed {
    use std::sync::OnceLock;
    use std::sync::atomic::{AtomicU64, Ordering};

    /// `BEISTAND_CRASH_AT=name:n`: at the n-th time the place is reached.
    struct Armed {
        name: String,
        at: u64,
    }

    static ARMED: OnceLock<Option<Armed>> = OnceLock::new();
    static REACHED: AtomicU64 = AtomicU64::new(0);

    pub(super) fn reach(name: &'static str) {
        let armed = ARMED.get_or_init(|| {
            let text = crate::config::variable("BEISTAND_CRASH_AT")?;
            let (name, at) = text.split_once(':')?;
            Some(Armed { name: name.to_owned(), at: at.parse().ok()? })
        });
        let Some(armed) = armed else { return };
        if armed.name == name && REACHED.fetch_add(1, Ordering::SeqCst) + 1 == armed.at {
            // SIGKILL to ourselves: nothing is flushed, nothing is unwound.
            let ourselves = rustix::process::getpid();
            if let Err(error) =
                rustix::process::kill_process(ourselves, rustix::process::Signal::KILL)
            {
                tracing::error!(%error, "The program could not end itself.");
            }
        }
    }
}
