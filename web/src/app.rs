//! What handlers share: the engine, what is read of its store, and whether the server is about to end.

use std::sync::Arc;

use beistand_runtime::{Engine, Views};

use crate::hook::Hooks;
use crate::server::Leave;

/// The state of every handler. Cheap to clone.
#[derive(Debug, Clone)]
pub struct App {
    /// Who does what is asked.
    pub(crate) engine: Engine,
    /// What is read.
    pub(crate) views: Views,
    /// The provider's short name, for the numbers of new incidents.
    pub(crate) short: String,
    /// Who may send alerts.
    pub(crate) hooks: Arc<Hooks>,
    /// Told when the server ends: answers without an end of their own end then.
    pub(crate) leave: Leave,
}

impl App {
    /// Of an engine that owns its store, of a provider with this short name.
    pub fn new(engine: Engine, short: impl Into<String>, leave: Leave) -> Self {
        let (views, hooks) = (engine.views(), Arc::default());
        Self { engine, views, short: short.into(), hooks, leave }
    }

    /// The same with those outside who may send alerts.
    #[must_use]
    pub fn hearing(mut self, hooks: Hooks) -> Self {
        self.hooks = Arc::new(hooks);
        self
    }
}
