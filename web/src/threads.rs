//! Threads of their own for those who stand at the door.
//!
//! However many ask at once, what they ask is read, and answered where it is only to be read, on
//! these threads. The engine's own threads see none of it: there what acts is done, and whoever is
//! to be heard waits behind nobody who only wants to know.

use std::io;
use std::thread::available_parallelism;

use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinHandle;

/// The threads, one for every second core: a crowd leaves the other half to what goes on. What goes
/// on in them ends with this.
#[derive(Debug)]
#[must_use = "what goes on in them ends with this"]
pub struct Threads(Option<Runtime>);

impl Threads {
    /// Begins the threads.
    ///
    /// # Errors
    /// Where the system gives none.
    pub(crate) fn open() -> io::Result<Self> {
        let cores = available_parallelism().map_or(1, usize::from);
        let mut runtime = Builder::new_multi_thread();
        runtime.worker_threads(cores.div_ceil(2)).thread_name("beistand-web").enable_all();
        Ok(Self(Some(runtime.build()?)))
    }

    /// Goes on with this there; none where they have ended.
    pub(crate) fn spawn<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> Option<JoinHandle<T>> {
        self.0.as_ref().map(|runtime| runtime.spawn(work))
    }
}

impl Drop for Threads {
    fn drop(&mut self) {
        // Nobody may wait for threads in a thread that others wait for.
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}
