//! One run, and lists of runs.

use beistand_core::entry::StreamKind;
use beistand_core::model::RunId;
use beistand_core::timeline::Scope;
use beistand_journal::{NeedFilter, Page, Run, RunFilter};
use serde_json::{Value, json};

use super::{Listed, ViewPage, Views, cursor, whole};
use crate::error::EngineError;
use crate::load::fold;

/// Children of one run that are shown.
const CHILDREN_MAX: u32 = 1_000;

impl Views {
    /// A run as the contract's JSON, with the needs and children of everything below it.
    ///
    /// # Errors
    /// [`EngineError::NotFound`] where it is not there, or not for these eyes;
    /// [`EngineError::Unreadable`], [`EngineError::Store`].
    pub async fn run(&self, id: RunId, scope: &Scope) -> Result<Value, EngineError> {
        whole(scope)?;
        let row = self.0.reader.run(id).await?;
        let row = row.ok_or_else(|| EngineError::NotFound(format!("there is no run {id}")))?;
        self.of_row(&row).await
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
        whole(scope)?;
        let limit = page.rows();
        let cursor = cursor::row(page.cursor.as_deref())?;
        let rows = self.0.reader.runs(filter, Page { cursor, limit }).await?;
        let mut items = Vec::with_capacity(rows.len());
        for (_, row) in &rows {
            let mut run = self.of_row(row).await?;
            if let Value::Object(fields) = &mut run {
                fields.remove("steps");
            }
            items.push(run);
        }
        Ok(Listed { items, next: cursor::next(&rows, limit)? })
    }

    async fn of_row(&self, row: &Run) -> Result<Value, EngineError> {
        let (reader, id) = (&self.0.reader, row.id);
        let stream = reader
            .stream(StreamKind::Run, &id.to_string())
            .await?
            .ok_or_else(|| EngineError::NotFound(format!("run {id} has no entries")))?;
        let plan = self.plan(row).await?;
        let (state, _) = fold(reader, &stream, &plan, id).await?;
        let number = reader.incident(row.incident).await?.map(|incident| incident.number);
        let head = reader.head(&stream).await?.hash.to_string();
        let store = reader.meta().await?.store;
        let mut json = state.to_json(&plan, store, &number.unwrap_or_default(), &head);
        let Value::Object(fields) = &mut json else { return Ok(json) };
        let filter = RunFilter { parent: Some(id), ..RunFilter::default() };
        let children = reader.runs(&filter, Page::first(CHILDREN_MAX)).await?;
        let children: Vec<String> =
            children.iter().map(|(_, child)| child.id.to_string()).collect();
        fields.insert("children".to_owned(), json!(children));
        let needs = reader.needs(&NeedFilter { run: Some(id), ..NeedFilter::default() }).await?;
        let below = needs.iter().filter(|need| need.run != Some(id));
        if let Some(Value::Array(own)) = fields.get_mut("needs") {
            own.extend(below.filter_map(|need| serde_json::from_str(&need.body).ok()));
        }
        Ok(json)
    }
}
