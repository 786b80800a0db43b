//! What the engine works with, for live runs and for drills: two sets that never mix.

use std::collections::BTreeMap;
use std::sync::Arc;

use beistand_connector_api::Connector;
use beistand_core::model::{ActionName, ConnectorName, Mode, Offer, Target, Value};
use beistand_core::run::{self, Binding, Setup};

/// Everything for one mode. A drill's connectors hold no address and no secret.
#[derive(Debug)]
pub struct ModeSetup {
    /// Guard, limits, policy, inventory.
    pub setup: Setup,
    /// Who does effects.
    pub connectors: BTreeMap<ConnectorName, Arc<dyn Connector>>,
    /// Who does what, pinned by each run at launch.
    pub bindings: Vec<Binding>,
}

impl run::Connectors for ModeSetup {
    fn offer(
        &self,
        connector: &ConnectorName,
        action: &ActionName,
        arguments: &Value,
    ) -> Option<Offer> {
        self.connectors.get(connector)?.offer(action, arguments)
    }
    fn destructive(
        &self,
        connector: &ConnectorName,
        action: &ActionName,
        arguments: &Value,
    ) -> bool {
        self.connectors
            .get(connector)
            .is_some_and(|connector| connector.destructive(action, arguments))
    }
    fn goes_to(
        &self,
        connector: &ConnectorName,
        action: &ActionName,
        arguments: &Value,
    ) -> Option<Target> {
        self.connectors.get(connector)?.goes_to(action, arguments)
    }
}

/// Both modes.
#[derive(Debug)]
pub struct Modes {
    /// The real thing.
    pub live: ModeSetup,
    /// Drills.
    pub drill: ModeSetup,
}

impl Modes {
    /// The one for a mode.
    pub fn of(&self, mode: Mode) -> &ModeSetup {
        match mode {
            Mode::Live => &self.live,
            Mode::Drill => &self.drill,
        }
    }
}
