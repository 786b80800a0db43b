//! What handlers share: the engine, and whether the server is about to end.

use beistand_runtime::Engine;

use crate::server::Leave;

/// The state of every handler. Cheap to clone.
#[derive(Debug, Clone)]
pub struct App {
    /// Who does what is asked.
    pub(crate) engine: Engine,
    /// Told when the server ends: answers without an end of their own end then.
    pub(crate) leave: Leave,
}

impl App {
    /// Of an engine that owns its store.
    pub fn new(engine: Engine, leave: Leave) -> Self {
        Self { engine, leave }
    }
}
