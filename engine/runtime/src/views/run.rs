//! One run, and lists of runs.

use std::sync::Arc;

use beistand_core::model::{Path, RunId, digest_of_bytes};
use beistand_core::playbook::Plan;
use beistand_core::timeline::{Eyes, Scope};
use beistand_journal::{Below, Head, Need, NeedFilter, Page, Run, RunFilter, RunVersion};
use serde_json::{Value, json};

use super::folded::Folded;
use super::{Listed, ViewPage, Views, cursor, lock, seen};
use crate::error::EngineError;
use crate::recent::Bounds;

/// Children of one run that are shown.
const CHILDREN_MAX: u32 = 1_000;

/// Rendered runs in memory: those that pages and machines ask for again and again, for a few kinds
/// of eyes. A run of ten steps is 8 KiB, one of a hundred hosts 100.
pub(super) const RENDERED: Bounds = Bounds { count: 4_096, bytes: 64 << 20 };

/// A run's JSON, ready to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunBytes {
    /// The JSON of [`Views::run`].
    pub bytes: Arc<[u8]>,
    /// Changes whenever the bytes do, and differs for other eyes; without quotes. For who may read
    /// everything it is the run's head, as hex digits, unless the run has called others.
    pub etag: Arc<str>,
}

/// What was rendered, and of which state of the store.
#[derive(Debug, Clone)]
pub(super) struct Rendered {
    head: Head,
    below: Below,
    answer: RunBytes,
}

impl Views {
    /// A run as the contract's JSON, with the needs and children of everything below it.
    ///
    /// # Errors
    /// [`EngineError::NotFound`] where it is not there, or not for these eyes;
    /// [`EngineError::Unreadable`], [`EngineError::Store`].
    pub async fn run(&self, id: RunId, scope: &Scope) -> Result<Value, EngineError> {
        let version = self.seen_version(id, scope).await?;
        let held = self.folded(id, &version).await?;
        self.of_folded(held.get()?, version.children, scope).await
    }

    /// The row of a run: for who wants to do something about it.
    ///
    /// # Errors
    /// [`EngineError::NotFound`] where it is not there, or not for these eyes;
    /// [`EngineError::Store`].
    pub async fn row_of(&self, id: RunId, scope: &Scope) -> Result<Run, EngineError> {
        self.run_row(id, scope).await
    }

    /// Whether a run, or one that it calls, ever waits for a signal of this name.
    ///
    /// # Errors
    /// As [`Views::run`].
    pub async fn awaits(&self, id: RunId, name: &str, scope: &Scope) -> Result<bool, EngineError> {
        let row = self.run_row(id, scope).await?;
        Ok(self.plan(&row).await?.awaits(name))
    }

    /// The playbook of a run as it was when the run began; nothing for who sees the run in outline
    /// alone: what is written in it is nobody's in particular.
    ///
    /// # Errors
    /// As [`Views::run`].
    pub async fn plan_of(
        &self,
        id: RunId,
        scope: &Scope,
    ) -> Result<Option<Arc<Plan>>, EngineError> {
        let row = self.run_row(id, scope).await?;
        match scope.within(row.incident).organisations {
            None => self.plan(&row).await.map(Some),
            Some(_) => Ok(None),
        }
    }

    /// The steps of some loop items that can be taken back, all or those below some steps.
    ///
    /// # Errors
    /// As [`Views::run`].
    pub async fn undoable(
        &self,
        id: RunId,
        (items, within): (&[String], &[Path]),
        scope: &Scope,
    ) -> Result<Vec<Path>, EngineError> {
        let version = self.seen_version(id, scope).await?;
        let held = self.folded(id, &version).await?;
        Ok(held.get()?.state.undoable(items, within))
    }

    /// Runs, newest first: each as [`Views::run`] has it, without its steps.
    ///
    /// # Errors
    /// [`EngineError::Usage`] for a cursor of something else; as for one run.
    pub async fn runs(
        &self,
        filter: &RunFilter,
        page: &ViewPage,
        scope: &Scope,
    ) -> Result<Listed, EngineError> {
        let limit = page.rows();
        let cursor = cursor::row(page.cursor.as_deref())?;
        let filter = RunFilter { eyes: seen::filter(scope), ..filter.clone() };
        let rows = self.0.reader.runs(&filter, Page { cursor, limit }).await?;
        let mut items = Vec::with_capacity(rows.len());
        for (_, row) in &rows {
            if !self.is_open(row, scope).await? {
                continue;
            }
            let version = self.version(row.id).await?;
            let held = self.folded(row.id, &version).await?;
            let mut run = self.of_folded(held.get()?, version.children, scope).await?;
            if let Value::Object(fields) = &mut run {
                fields.remove("steps");
            }
            items.push(run);
        }
        Ok(Listed { items, next: cursor::next(&rows, limit)? })
    }

    /// A run as it stands, through somebody's eyes, with the needs of everything below it.
    pub(super) async fn of_folded(
        &self,
        folded: &Folded,
        children: u64,
        scope: &Scope,
    ) -> Result<Value, EngineError> {
        let (reader, id) = (&self.0.reader, folded.row.id);
        let head = folded.head.hash.to_string();
        let state = &folded.state;
        let json = state.to_json(&folded.plan, reader.store(), &folded.number, &head);
        let scope = &scope.within(folded.row.incident);
        let mut json = Eyes::on(state, scope).run(json);
        let Value::Object(fields) = &mut json else { return Ok(json) };
        if children == 0 {
            fields.insert("children".to_owned(), json!([]));
            return Ok(json);
        }
        let filter = RunFilter { parent: Some(id), ..RunFilter::default() };
        let children = reader.runs(&filter, Page::first(CHILDREN_MAX)).await?;
        let children: Vec<String> =
            children.iter().map(|(_, child)| child.id.to_string()).collect();
        fields.insert("children".to_owned(), json!(children));
        let needs = reader.needs(&NeedFilter { run: Some(id), ..NeedFilter::default() }).await?;
        let below: Vec<&Need> = needs.iter().filter(|need| need.run != Some(id)).collect();
        if let Some(Value::Array(own)) = fields.get_mut("needs") {
            // A step deeper: whoever holds a run's place may ask for those below it.
            own.extend(Box::pin(self.needs_of(&below, scope)).await?);
        }
        Ok(json)
    }

    /// A run's JSON as bytes, from memory where nothing has changed.
    ///
    /// # Errors
    /// As [`Views::run`].
    pub async fn run_bytes(&self, id: RunId, scope: &Scope) -> Result<RunBytes, EngineError> {
        let version = self.seen_version(id, scope).await?;
        let below = match version.children {
            0 => Below::default(),
            _ => self.0.reader.below(id).await?,
        };
        let key = (id, scope.clone());
        if let Some(found) = self.rendered(&key, &version, below) {
            return Ok(found);
        }
        let held = self.folded(id, &version).await?;
        // Somebody else may have rendered it while its place was held.
        if let Some(found) = self.rendered(&key, &version, below) {
            return Ok(found);
        }
        let folded = held.get()?;
        let json = self.of_folded(folded, version.children, scope).await?;
        let json = serde_json::to_vec(&json);
        let bytes = json.map_err(|error| EngineError::Internal(error.to_string()))?;
        let etag = etag(folded.head, below, scope).into();
        let rendered =
            Rendered { head: folded.head, below, answer: RunBytes { bytes: bytes.into(), etag } };
        let answer = rendered.answer.clone();
        let weight = answer.bytes.len();
        lock(&self.0.rendered).put(key, rendered, weight);
        Ok(answer)
    }

    /// How far a run has come that these eyes may see.
    async fn seen_version(&self, id: RunId, scope: &Scope) -> Result<RunVersion, EngineError> {
        if !scope.is_all() {
            self.run_row(id, scope).await?;
        }
        self.version(id).await
    }

    /// What was rendered before, if it is still true.
    fn rendered(
        &self,
        key: &(RunId, Scope),
        version: &RunVersion,
        below: Below,
    ) -> Option<RunBytes> {
        let found = lock(&self.0.rendered).get(key)?;
        // What was read after its version was asked for is newer than that, never older.
        let is_true = found.head.seq >= version.head.seq && found.below >= below;
        is_true.then_some(found.answer)
    }
}

/// What tells one answer from another: the run's head, where that is all it depends on.
fn etag(head: Head, below: Below, scope: &Scope) -> String {
    let mut etag = head.hash.hex();
    if below != Below::default() {
        etag = format!("{etag}-{}.{}", below.runs, below.entries);
    }
    if !scope.is_all() {
        let eyes = digest_of_bytes(format!("{scope:?}").as_bytes()).hex();
        etag.push('-');
        etag.extend(eyes.chars().take(16));
    }
    etag
}
