//! Places at connectors: how many effects may be out at once.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use beistand_core::model::ConnectorName;
use beistand_core::run;
use tokio::sync::Notify;

/// Effects at once per connector, where the configuration says nothing: what a small appliance's
/// management interface takes without queueing.
pub const PLACES: u32 = 16;

/// All places of an engine.
#[derive(Debug, Default)]
pub(crate) struct Places {
    inner: Mutex<Inner>,
    /// Told when a place became free.
    pub(crate) freed: Notify,
}

#[derive(Debug, Default)]
struct Inner {
    taken: BTreeMap<ConnectorName, u32>,
    limits: BTreeMap<ConnectorName, u32>,
    paused: BTreeSet<ConnectorName>,
}

/// The right to one effect at a connector; gives its place back when dropped.
#[derive(Debug)]
pub(crate) struct Permit {
    places: Arc<Places>,
    connector: ConnectorName,
}

impl Drop for Permit {
    fn drop(&mut self) {
        let mut inner = self.places.lock();
        if let Some(taken) = inner.taken.get_mut(&self.connector) {
            *taken = taken.saturating_sub(1);
        }
        drop(inner);
        self.places.freed.notify_waiters();
    }
}

impl Places {
    fn lock(&self) -> std::sync::MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn limit(&self, connector: ConnectorName, places: u32) {
        self.lock().limits.insert(connector, places);
    }

    pub(crate) fn pause(&self, connector: ConnectorName, paused: bool) {
        let mut inner = self.lock();
        if paused {
            inner.paused.insert(connector);
        } else {
            inner.paused.remove(&connector);
        }
        drop(inner);
        self.freed.notify_waiters();
    }

    pub(crate) fn paused(&self) -> Vec<ConnectorName> {
        self.lock().paused.iter().cloned().collect()
    }

    fn take(self: &Arc<Self>, connector: &ConnectorName) -> Option<Permit> {
        let mut inner = self.lock();
        if inner.paused.contains(connector) {
            return None;
        }
        let limit = inner.limits.get(connector).copied().unwrap_or(PLACES);
        let taken = inner.taken.entry(connector.clone()).or_insert(0);
        if *taken >= limit {
            return None;
        }
        *taken += 1;
        Some(Permit { places: Arc::clone(self), connector: connector.clone() })
    }
}

/// The permits one decision took, waiting for their effects.
#[derive(Debug)]
pub(crate) struct Taken {
    places: Arc<Places>,
    permits: Vec<Permit>,
    /// Whether effects may begin at all.
    starts: bool,
}

impl Taken {
    pub(crate) fn new(places: &Arc<Places>, starts: bool) -> Self {
        Self { places: Arc::clone(places), permits: Vec::new(), starts }
    }

    /// The permit of one effect at a connector.
    pub(crate) fn give(&mut self, connector: &ConnectorName) -> Option<Permit> {
        let at = self.permits.iter().position(|permit| permit.connector == *connector)?;
        Some(self.permits.swap_remove(at))
    }
}

impl run::Permits for Taken {
    fn take(&mut self, connector: &ConnectorName) -> bool {
        match self.places.take(connector).filter(|_| self.starts) {
            Some(permit) => {
                self.permits.push(permit);
                true
            }
            None => false,
        }
    }
}
