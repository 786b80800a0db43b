//! Plans: from the playbooks on disk for new runs, from the sources in the store for pinned ones.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use beistand_core::model::{Catalogue, Digest, PlaybookName, digest_of_bytes};
use beistand_core::playbook::{CheckRequest, Finding, Library, Plan, SourceText, check};
use beistand_journal::{Journal, Reader, StoreError};
use beistand_script::Scripts;
use serde::{Deserialize, Serialize};

use crate::engine::{Inner, lock};
use crate::error::EngineError;

/// The sources of a run, as they are kept with it.
#[derive(Debug, Serialize, Deserialize)]
pub struct Pinned {
    /// The playbook that was launched.
    pub playbook: PlaybookName,
    /// File name and text of it and of all it calls.
    pub sources: BTreeMap<PlaybookName, SourceText>,
}

impl Library for Pinned {
    fn find(&self, _caller: &SourceText, name: &PlaybookName) -> Option<SourceText> {
        self.sources.get(name).cloned()
    }
}

/// Plans that are in use.
#[derive(Debug, Default)]
pub(crate) struct Plans {
    cache: Mutex<BTreeMap<Digest, Arc<Plan>>>,
    /// By the digest of what was launched: the plan, and where its sources are kept. Checking takes
    /// longer than all else at a launch, and the same text gives the same plan.
    launched: Mutex<BTreeMap<Digest, Kept>>,
}

/// A plan whose sources are in the store.
#[derive(Debug, Clone)]
pub(crate) struct Kept {
    pub(crate) plan: Arc<Plan>,
    pub(crate) sources: Digest,
}

/// How many plans are kept: more than a provider has playbooks.
const PLANS_MAX: usize = 256;

impl Plans {
    pub(crate) fn get(&self, digest: Digest) -> Option<Arc<Plan>> {
        lock(&self.cache).get(&digest).cloned()
    }

    pub(crate) fn put(&self, plan: &Arc<Plan>) {
        let mut cache = lock(&self.cache);
        if cache.len() >= PLANS_MAX {
            cache.pop_first();
        }
        cache.insert(plan.digest(), Arc::clone(plan));
        for child in plan.parts().children.values() {
            cache.entry(child.digest()).or_insert_with(|| Arc::clone(child));
        }
    }

    /// What was launched before with these sources.
    fn launched(&self, sources: Digest) -> Option<Kept> {
        lock(&self.launched).get(&sources).cloned()
    }

    /// Remembers what these sources gave.
    fn remember(&self, sources: Digest, kept: &Kept) {
        let mut launched = lock(&self.launched);
        if launched.len() >= PLANS_MAX {
            launched.pop_first();
        }
        launched.insert(sources, kept.clone());
    }
}

/// The plan of a playbook that is to be launched, its sources kept in the store.
///
/// # Errors
/// [`EngineError::Usage`] with the first finding where it has faults; what the store says.
pub(crate) async fn plan_for(inner: &Inner, pinned: &Pinned) -> Result<Kept, EngineError> {
    let bytes = serde_json::to_vec(pinned).unwrap_or_default();
    let sources = digest_of_bytes(&bytes);
    if let Some(kept) = inner.plans.launched(sources) {
        return Ok(kept);
    }
    // Takes longer than all else at a launch: other runs go on meanwhile.
    let plan =
        tokio::task::block_in_place(|| read_pinned(pinned, &inner.catalogue, &inner.scripts));
    let plan = plan.map_err(EngineError::Usage)?;
    let plan = Arc::new(plan);
    let kept = Kept { sources: pin(&inner.journal, &plan).await?, plan };
    inner.plans.remember(sources, &kept);
    Ok(kept)
}

/// Reads a pinned plan: by the rules of its own language version.
pub fn read_pinned(
    pinned: &Pinned,
    catalogue: &Catalogue,
    scripts: &Scripts,
) -> Result<Plan, String> {
    let Some(source) = pinned.sources.get(&pinned.playbook) else {
        return Err(format!("the source of `{}` is missing", pinned.playbook));
    };
    let request = CheckRequest { source, catalogue, library: pinned, expressions: scripts };
    let (plan, findings) = check(request);
    plan.ok_or_else(|| {
        findings
            .iter()
            .find(|finding| finding.is_error())
            .map_or_else(String::new, Finding::to_string)
    })
}

/// Keeps a plan's sources; the answer is where.
pub(crate) async fn pin(journal: &Journal, plan: &Plan) -> Result<Digest, StoreError> {
    let pinned = Pinned { playbook: plan.name().clone(), sources: plan.sources() };
    let bytes = serde_json::to_vec(&pinned).unwrap_or_default();
    journal.put_blob(bytes).await
}

/// The sources that were kept.
pub async fn pinned(reader: &Reader, digest: Digest) -> Result<Option<Pinned>, StoreError> {
    let bytes = reader.blob(digest).await?;
    Ok(bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok()))
}
