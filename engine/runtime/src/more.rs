//! More of the same: a further run of a plan, for items that were found later.

use std::sync::Arc;

use beistand_core::model::RunId;
use beistand_core::run::{Actor, Earlier, Event, Head, Launch, Legacy, MoreError, more};
use beistand_journal::Run;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::engine::Engine;
use crate::error::EngineError;
use crate::incidents::{refused, standing};
use crate::load::{known_plan, sources_of};
use crate::open::opening_of;
use crate::plans::Kept;
use crate::repeat::{Other, given, is_same};

/// More items for a playbook that ran, or runs.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct NewMore {
    /// The run, or one that was for more items of it.
    pub run: RunId,
    /// The lists of its inputs that have more items.
    pub inputs: Map<String, Value>,
    /// The same items with the same key give the same run.
    #[serde(default)]
    pub start_key: Option<String>,
    /// Steps without a connector may fall to people, also where they did not in the first run.
    #[serde(default)]
    pub by_hand_ok: bool,
    /// Who asks.
    pub by: Actor,
}

/// The run that more is asked of.
struct First {
    row: Run,
    opening: Event,
}

impl First {
    fn inputs(&self) -> Value {
        given(&self.opening, "inputs")
    }
}

impl Engine {
    /// Launches a run of the same plan, in the same incident, for what no run before it was given.
    /// The answer is `{run, left_out}`: the run, and a sentence for each item that is with an earlier
    /// run already.
    ///
    /// # Errors
    /// [`EngineError::NotFound`], [`EngineError::Conflict`] where the run can not have more or
    /// nothing of it is new, [`EngineError::Usage`] where what is given is no list of its, and what
    /// a launch is refused for; then nothing was opened.
    pub async fn more(&self, new: NewMore) -> Result<Value, EngineError> {
        let inner = &self.0;
        let reader = inner.journal.reader();
        // Who asks for the same at the same moment finds the run that is opened here.
        let _following = inner.following.lock().await;
        let first = self.first(new.run).await?;
        let tree = first.row.root;
        if let Some(key) = &new.start_key
            && let Some(known) = reader.run_by_start_key(key).await?
        {
            if known.root != tree || known.id == first.row.id {
                let text = format!("run {} was started with this key", known.id);
                return Err(EngineError::Conflict(text));
            }
            let left_out = self.repeated(&first, known.id, &new).await?;
            return Ok(json!({"run": known.id, "left_out": left_out}));
        }
        inner.may_begin().await?;
        let incident = inner.incidents.get(&inner.journal, first.row.incident).await?;
        let standing = standing(&incident)?;
        standing.admits(first.row.mode).map_err(|no| refused(&no))?;
        let plan = known_plan(inner, &first.row).await?;
        let sources = sources_of(&first.row)
            .ok_or_else(|| EngineError::Internal(format!("run {} has no sources", new.run)))?;
        let earlier = self.earlier(&first).await?;
        let borrowed: Vec<(RunId, &Value)> =
            earlier.iter().map(|(run, inputs)| (*run, inputs)).collect();
        let found =
            more(&plan.parts().inputs, &borrowed, &new.inputs).map_err(|error| no_more(&error))?;
        inner.load_tree(first.row.mode, tree).await?;
        let setup = inner.modes.of(first.row.mode);
        let wanted = Launch {
            run: inner.chance()?.run_id(inner.clock.now()),
            incident: incident.id,
            mode: first.row.mode,
            incident_facts: standing.facts(),
            by: new.by,
            inputs: found.inputs,
            bindings: setup.bindings.clone(),
            by_hand_ok: new.by_hand_ok || was_by_hand_ok(&first.opening),
            guarded: setup.setup.guarded,
            parent: None,
            more_of: Some(Earlier { run: first.row.id, tree, restored: None }),
            supersedes: None,
            legacy: Legacy::default(),
            trace: None,
        };
        let kept = Kept { plan: Arc::clone(&plan), sources };
        let run = self.begin(wanted, &kept, new.start_key, None).await?;
        let left_out: Vec<String> = found.left_out.iter().map(ToString::to_string).collect();
        Ok(json!({"run": run, "left_out": left_out}))
    }

    /// What was left out of a run when it was asked for, if it is for what is asked for now; as nobody
    /// knew of it yet.
    async fn repeated(
        &self,
        first: &First,
        known: RunId,
        new: &NewMore,
    ) -> Result<Vec<String>, EngineError> {
        let plan = known_plan(&self.0, &first.row).await?;
        let earlier = self.earlier(first).await?;
        let before = earlier.iter().take_while(|(run, _)| *run != known);
        let before: Vec<(RunId, &Value)> = before.map(|(run, inputs)| (*run, inputs)).collect();
        let asked = more(&plan.parts().inputs, &before, &new.inputs).ok();
        let opening = self.opened(known).await?.opening;
        // What was erased can not be compared any more.
        let kept = opening.body.value.is_some();
        let inputs = given(&opening, "inputs");
        let is_asked = asked.as_ref().is_some_and(|asked| is_same(&asked.inputs, &inputs));
        let by_hand_ok = new.by_hand_ok || was_by_hand_ok(&first.opening);
        let mut other = Other::default();
        other.note(kept && !is_asked, "inputs");
        other.note(by_hand_ok != was_by_hand_ok(&opening), "by_hand_ok");
        other.refused("more with")?;
        let left_out = asked.into_iter().flat_map(|asked| asked.left_out);
        Ok(left_out.map(|one| one.to_string()).collect())
    }

    /// The run that more is asked of: of one that was for more items itself, the first.
    async fn first(&self, asked: RunId) -> Result<First, EngineError> {
        let found = self.opened(asked).await?;
        let Head::RunOpened { parent, more_of, .. } = &found.opening.head else {
            return Err(EngineError::Internal(format!("the first entry of {asked} opens no run")));
        };
        if let Some(parent) = parent {
            let text =
                format!("run {asked} was called by run {}: ask for more of that", parent.run);
            return Err(EngineError::Conflict(text));
        }
        let first = match more_of {
            Some(earlier) => self.opened(earlier.run).await?,
            None => found,
        };
        if let Some(by) = first.row.superseded_by {
            let text = format!("run {} gave way to run {by}: ask for more of that", first.row.id);
            return Err(EngineError::Conflict(text));
        }
        Ok(first)
    }

    async fn opened(&self, run: RunId) -> Result<First, EngineError> {
        let reader = self.0.journal.reader();
        let missing = || EngineError::NotFound(format!("there is no run {run}"));
        let row = reader.run(run).await?.ok_or_else(missing)?;
        let opening = opening_of(reader, run).await?.ok_or_else(missing)?;
        Ok(First { row, opening })
    }

    /// What this run and all that belong with it were given, this one first.
    async fn earlier(&self, first: &First) -> Result<Vec<(RunId, Value)>, EngineError> {
        let reader = self.0.journal.reader();
        let mut earlier = vec![(first.row.id, first.inputs())];
        for row in reader.runs_with(first.row.root).await? {
            if row.id != first.row.id
                && let Some(opening) = opening_of(reader, row.id).await?
            {
                earlier.push((row.id, given(&opening, "inputs")));
            }
        }
        Ok(earlier)
    }
}

fn was_by_hand_ok(opening: &Event) -> bool {
    matches!(opening.head, Head::RunOpened { by_hand_ok: true, .. })
}

fn no_more(error: &MoreError) -> EngineError {
    match error {
        MoreError::NothingNew(_) => EngineError::Conflict(error.to_string()),
        MoreError::NoSuchInput(_) | MoreError::NoList(_) | MoreError::NoItem => {
            EngineError::Usage(error.to_string())
        }
    }
}
