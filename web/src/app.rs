//! What handlers share: the engine, what is read of its store, the playbooks, and whether the server
//! is about to end.

use std::sync::Arc;

use beistand_runtime::{Engine, Views};

use crate::door::Doorkeeper;
use crate::hook::Hooks;
use crate::server::Leave;
use crate::shelf::{Playbooks, Shelf};
use crate::stream::Streams;

/// The state of every handler. Cheap to clone.
#[derive(Debug, Clone)]
pub struct App {
    /// Who does what is asked.
    pub(crate) engine: Engine,
    /// What is read of its store.
    pub(crate) views: Views,
    /// The provider's short name, for the numbers of new incidents.
    pub(crate) short: String,
    /// Who may send alerts.
    pub(crate) hooks: Arc<Hooks>,
    /// The playbooks that can be named.
    pub(crate) shelf: Shelf,
    /// Who looks again whether who holds a stream may still have it.
    pub(crate) door: Arc<dyn Doorkeeper>,
    /// Places for those who are told what happens.
    pub(crate) streams: Streams,
    /// Told when the server ends: answers without an end of their own end then.
    pub(crate) leave: Leave,
}

impl App {
    /// Of an engine that owns its store, of a provider with this short name, with the shelves that
    /// runs are launched from and whoever knows credentials.
    pub fn new(
        engine: Engine,
        short: impl Into<String>,
        (playbooks, door): (Arc<dyn Playbooks>, Arc<dyn Doorkeeper>),
        leave: Leave,
    ) -> Self {
        let (views, shelf, short) = (engine.views(), Shelf::new(playbooks), short.into());
        let (hooks, streams) = (Arc::default(), Streams::default());
        Self { engine, views, short, hooks, shelf, door, streams, leave }
    }

    /// The same with those outside who may send alerts.
    #[must_use]
    pub fn hearing(mut self, hooks: Hooks) -> Self {
        self.hooks = Arc::new(hooks);
        self
    }
}
