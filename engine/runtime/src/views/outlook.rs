//! What would become of a run's effects if a corrected playbook took over: told, and nothing done.

use beistand_core::model::RunId;
use beistand_core::playbook::Plan;
use beistand_core::run::{Outlook, RunState, Shared, World, outlook};
use beistand_core::timeline::Scope;
use beistand_journal::{Page, RunFilter};
use serde_json::json;

use super::Views;
use crate::error::EngineError;
use crate::load::{PAGE, view};
use crate::modes::Modes;
use crate::successor::legacy_of;

impl Views {
    /// What would become of the effects of a run, and of those it called, if a corrected playbook took
    /// over now. Readers of some organisations are not told what was done on which target.
    ///
    /// # Errors
    /// As [`Views::run`].
    pub async fn outlook(
        &self,
        run: RunId,
        next: &Plan,
        modes: &Modes,
        scope: &Scope,
    ) -> Result<Outlook, EngineError> {
        let row = self.run_row(run, scope).await?;
        let (reader, scripts) = (&self.0.reader, self.0.scripts.as_ref());
        let mut runs = Vec::new();
        let mut open = vec![run];
        while let Some(run) = open.pop() {
            let (plan, state, _) = view(reader, run, scripts).await?;
            runs.push((plan, state));
            let children = RunFilter { parent: Some(run), ..RunFilter::default() };
            let children = reader.runs(&children, Page::first(PAGE)).await?;
            open.extend(children.into_iter().map(|(_, child)| child.id));
        }
        let Some((plan, state)) = runs.first() else { return Ok(Outlook::default()) };
        let legacy = legacy_of(reader, run, plan).await?;
        let mode = modes.of(state.opened().mode);
        let (shared, assets) = (Shared::default(), json!([]));
        let world = |plan| World {
            now: state.opened().at,
            plan,
            scripts,
            catalogue: &self.0.catalogue,
            setup: &mode.setup,
            connectors: mode,
            shared: &shared,
            assets: &assets,
        };
        let worlds: Vec<World<'_>> = runs.iter().map(|(plan, _)| world(plan.as_ref())).collect();
        let runs: Vec<(&World<'_>, &RunState)> =
            worlds.iter().zip(runs.iter().map(|(_, state)| state)).collect();
        let mut found = outlook(&runs, &legacy, next);
        if scope.within(row.incident).organisations.is_some() {
            let Outlook { taken_over, new, dropped } = &mut found;
            for line in [taken_over, new, dropped].into_iter().flatten() {
                line.targets.clear();
            }
        }
        Ok(found)
    }
}
