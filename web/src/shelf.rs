//! The playbooks that can be named: whoever has the shelves hands them over.
//!
//! A check is work for a processor and not for a moment: a few at once, beside everything else. A text
//! may be anybody's, and takes none of these places: whoever lets texts be checked keeps no run from
//! being launched. How many texts are checked at once says the lane of their route.

use std::collections::BTreeSet;
use std::sync::Arc;

use beistand_core::model::PlaybookName;
use beistand_core::playbook::{Finding, Plan};
use tokio::sync::Semaphore;

use crate::report::Problem;

/// Playbooks of the shelves that are looked at at once: what is launched, read and listed.
const LOOKS_AT_ONCE: usize = 2;

/// A playbook as it stands on the shelf: its plan unless it has faults, and what was found.
pub type Found = (Option<Plan>, Vec<Finding>);

/// The shelves.
pub trait Playbooks: std::fmt::Debug + Send + Sync {
    /// The names of all playbooks.
    fn names(&self) -> BTreeSet<PlaybookName>;
    /// The one of a name, checked with everything it calls; nothing where there is none.
    fn named(&self, name: &PlaybookName) -> Option<Found>;
    /// What is wrong with a text. It may be anybody's: nothing is read for it but the shelves.
    fn check(&self, text: &str) -> Vec<Finding>;
}

/// The shelves for handlers.
#[derive(Debug, Clone)]
pub(crate) struct Shelf {
    playbooks: Arc<dyn Playbooks>,
    places: Arc<Semaphore>,
}

impl Shelf {
    pub(crate) fn new(playbooks: Arc<dyn Playbooks>) -> Self {
        Self { playbooks, places: Arc::new(Semaphore::new(LOOKS_AT_ONCE)) }
    }

    /// Asks the shelves something that takes a while.
    ///
    /// # Errors
    /// Our fault, if it broke.
    pub(crate) async fn ask<T: Send + 'static>(
        &self,
        ask: impl FnOnce(&dyn Playbooks) -> T + Send + 'static,
    ) -> Result<T, Problem> {
        let place = Arc::clone(&self.places).acquire_owned().await;
        let place = place.map_err(|closed| Problem::internal(&closed))?;
        self.aside(move |playbooks| {
            let answer = ask(playbooks);
            drop(place);
            answer
        })
        .await
    }

    /// What is wrong with a text; for who has a place in the lane of checks.
    ///
    /// # Errors
    /// Our fault, if it broke.
    pub(crate) async fn check(&self, text: String) -> Result<Vec<Finding>, Problem> {
        self.aside(move |playbooks| playbooks.check(&text)).await
    }

    async fn aside<T: Send + 'static>(
        &self,
        ask: impl FnOnce(&dyn Playbooks) -> T + Send + 'static,
    ) -> Result<T, Problem> {
        let playbooks = Arc::clone(&self.playbooks);
        let asked = tokio::task::spawn_blocking(move || ask(playbooks.as_ref()));
        asked.await.map_err(|broken| Problem::internal(&broken))
    }

    /// A playbook that has a plan.
    ///
    /// # Errors
    /// 404 where there is none of this name; 400 with every fault where it has some.
    pub(crate) async fn plan(&self, name: PlaybookName) -> Result<Plan, Problem> {
        let asked = name.clone();
        let found = self.ask(move |playbooks| playbooks.named(&asked)).await?;
        let Some((plan, findings)) = found else { return Err(not_there(&name)) };
        plan.ok_or_else(|| {
            let text = format!("the playbook `{name}` has faults");
            Problem::malformed(text).place("playbook").problems(serde_json::json!(findings))
        })
    }
}

/// 404 for a playbook.
pub(crate) fn not_there(name: &PlaybookName) -> Problem {
    Problem::not_found(format!("there is no playbook `{name}`"))
        .hint("`GET /api/v1/playbooks` lists them")
}
