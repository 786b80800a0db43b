//! Plans: from the playbooks on disk for new runs, from the sources in the store for pinned ones.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use beistand_core::model::{Catalogue, Digest, PlaybookName};
use beistand_core::playbook::{
    CheckRequest, Library, Plan, Severity, SourceText, check, finding_text,
};
use beistand_journal::{Journal, Reader, StoreError};
use beistand_script::Scripts;
use serde::{Deserialize, Serialize};

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

/// Plans that are in use, by their pinned sources.
#[derive(Debug, Default)]
pub(crate) struct Plans {
    cache: Mutex<BTreeMap<Digest, Arc<Plan>>>,
}

/// How many plans are kept: more than a provider has playbooks.
const PLANS_MAX: usize = 256;

impl Plans {
    pub(crate) fn get(&self, digest: Digest) -> Option<Arc<Plan>> {
        self.cache.lock().unwrap_or_else(PoisonError::into_inner).get(&digest).cloned()
    }

    pub(crate) fn put(&self, plan: &Arc<Plan>) {
        let mut cache = self.cache.lock().unwrap_or_else(PoisonError::into_inner);
        if cache.len() >= PLANS_MAX {
            cache.pop_first();
        }
        cache.insert(plan.digest(), Arc::clone(plan));
        for child in plan.parts().children.values() {
            cache.entry(child.digest()).or_insert_with(|| Arc::clone(child));
        }
    }
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
        let first = findings.iter().find(|finding| finding.severity == Severity::Error);
        first.map_or_else(String::new, |finding| finding_text(finding, source))
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
