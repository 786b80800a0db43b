//! What handlers share: the engine, what is read of its store, the playbooks, and whether the server
//! is about to end.

use std::sync::Arc;

use beistand_runtime::{Engine, Passkeys, Views};

use crate::door::Doorkeeper;
use crate::hook::Hooks;
use crate::server::Leave;
use crate::shelf::{Playbooks, Shelf};
use crate::sso::SingleSignOn;
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
    /// The identity provider that people may log in at, where there is one.
    pub(crate) sso: Option<Arc<SingleSignOn>>,
    /// The playbooks that can be named.
    pub(crate) shelf: Shelf,
    /// Who looks again whether who holds a stream may still have it.
    pub(crate) door: Arc<dyn Doorkeeper>,
    /// What devices are asked under the server's name; none without a name.
    pub(crate) passkeys: Option<Passkeys>,
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
        let (passkeys, sso) = (None, None);
        Self { engine, views, short, hooks, sso, shelf, door, passkeys, streams, leave }
    }

    /// The same with an identity provider that people may log in at.
    #[must_use]
    pub fn signing_on(mut self, sso: Option<SingleSignOn>) -> Self {
        self.sso = sso.map(Arc::new);
        self
    }

    /// The same with those outside who may send alerts.
    #[must_use]
    pub fn hearing(mut self, hooks: Hooks) -> Self {
        self.hooks = Arc::new(hooks);
        self
    }

    /// The same with passkeys for its name.
    #[must_use]
    pub fn named(mut self, passkeys: Passkeys) -> Self {
        self.passkeys = Some(passkeys);
        self
    }
}
