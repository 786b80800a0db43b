//! A run's row, snapshot, needs and holds against the fold of its entries.

use std::collections::BTreeMap;
use std::sync::Arc;

use beistand_core::entry::StreamKind;
use beistand_core::model::{Millis, Mode, NeedId, Path, RunId, Target};
use beistand_core::playbook::Plan;
use beistand_core::run::{Claim, Event, Head, Means, RunState, Standing, decode};
use beistand_journal::{self as journal, HoldState, Reader, Snapshot, Stream};
use serde_json::Value;

use super::{Comparison, Difference, Folded, Held, Missing, Moved, PAGE, PLANS_MAX, shown};
use crate::error::EngineError;
use crate::load::{apply, plan_of};
use crate::rows::{by_hand, need_row};

/// A run's fold, and what was found on the way.
struct FoldedRun {
    state: RunState,
    /// What is wrong with its snapshot.
    snapshot: Option<String>,
    /// Its direct releases, and when they were.
    cleared: Vec<(Held, Millis)>,
    /// The holds that it took over from others.
    moved: Vec<Moved>,
}

impl Comparison<'_> {
    pub(super) async fn run(&mut self, stream: &Stream) -> Result<(), EngineError> {
        let Some((row, plan)) = self.pinned(stream).await? else { return Ok(()) };
        let folded = self.fold_run(stream, &plan).await?;
        let Some(folded) = self.judged(stream, folded) else { return Ok(()) };
        let FoldedRun { state, snapshot, cleared, moved } = folded;
        self.note_cleared(cleared);
        self.moved.extend(moved);
        if !state.status().is_ended() {
            self.unfinished.push(stream.clone());
        }
        if let Some(what) = snapshot {
            self.differs(stream, what);
        }
        self.run_row(stream, &row, &state);
        let needs = self.reader.needs_of(row.id).await?;
        self.needs(stream, needs, &state);
        let holds = self.reader.holds_of(row.id).await?;
        self.holds(stream, &holds, &state);
        Ok(())
    }

    /// The run's row and its plan; where one is missing, that is what differs.
    async fn pinned(
        &mut self,
        stream: &Stream,
    ) -> Result<Option<(journal::Run, Arc<Plan>)>, EngineError> {
        let Ok(id) = stream.id().parse::<RunId>() else {
            self.differs(stream, "its name is no run's id".to_owned());
            return Ok(None);
        };
        let Some(row) = self.reader.run(id).await? else {
            self.differs(stream, "it has no row in the table of runs".to_owned());
            return Ok(None);
        };
        if let Some(plan) = self.plans.get(&row.plan) {
            return Ok(Some((row, Arc::clone(plan))));
        }
        match plan_of(&self.reader, &row, &self.catalogue, self.scripts).await {
            Ok(plan) => {
                let plan = Arc::new(plan);
                if self.plans.len() >= PLANS_MAX {
                    self.plans.pop_first();
                }
                self.plans.insert(row.plan, Arc::clone(&plan));
                Ok(Some((row, plan)))
            }
            Err(EngineError::Unreadable { why, .. }) => {
                self.differs(stream, format!("its playbook can not be read: {why}"));
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    async fn fold_run(
        &self,
        stream: &Stream,
        plan: &Plan,
    ) -> Result<Folded<FoldedRun>, EngineError> {
        let kept = self.reader.snapshot(stream).await?;
        let mut snapshot = kept
            .as_ref()
            .map(|kept| format!("its snapshot is of entry {}, which is not there", kept.seq));
        let (mut state, mut cleared): (Option<RunState>, Vec<_>) = (None, Vec::new());
        let mut moved = Vec::new();
        let folded = self
            .each(stream, true, |entry| {
                let (_, events) = decode(&entry.head, entry.body.as_deref())
                    .map_err(|contradiction| contradiction.to_string())?;
                for event in &events {
                    apply(&mut state, plan, event, entry.at)?;
                    moved.extend(moves(event));
                    cleared.extend(state.iter().flat_map(|state| self.clears(state, event)));
                }
                if let (Some(kept), Some(state)) = (&kept, &mut state)
                    && kept.seq == entry.seq
                {
                    snapshot = wrong_snapshot(kept, state);
                }
                Ok(())
            })
            .await?;
        Ok(match (folded, state) {
            (Folded::State(()), Some(state)) => {
                Folded::State(FoldedRun { state, snapshot, cleared, moved })
            }
            (Folded::State(()), None) => Folded::Broken("it has no entry".to_owned()),
            (Folded::Erased, _) => Folded::Erased,
            (Folded::Broken(why), _) => Folded::Broken(why),
        })
    }

    /// What an event freed by a direct release.
    fn clears(&self, state: &RunState, event: &Event) -> Vec<(Held, Millis)> {
        let (Head::AttemptEnded { path, .. }
        | Head::ProbeEnded { path, .. }
        | Head::StepEnded { path, .. }) = &event.head
        else {
            return Vec::new();
        };
        let Some(Claim { targets, effect, standing: Standing::Cleared(at), .. }) =
            state.claim_at(path, &self.catalogue)
        else {
            return Vec::new();
        };
        let mode = state.opened().mode;
        targets.into_iter().map(|target| ((mode, target, effect.clone()), at)).collect()
    }

    fn note_cleared(&mut self, cleared: Vec<(Held, Millis)>) {
        for (held, at) in cleared {
            let last = self.cleared.entry(held).or_insert(at);
            *last = (*last).max(at);
        }
    }

    fn run_row(&mut self, stream: &Stream, row: &journal::Run, state: &RunState) {
        let opened = state.opened();
        let parent = |parent: Option<(RunId, Path)>| {
            shown(parent.map(|(run, path)| format!("{run} at {path}")))
        };
        let folded = opened.parent.as_ref().map(|parent| (parent.run, parent.path.clone()));
        let pairs = [
            ("id", row.id.to_string(), opened.run.to_string()),
            ("status", row.status.clone(), state.status().as_str().to_owned()),
            ("ended_at", shown(row.ended_at), shown(state.ended_at())),
            ("incident", row.incident.to_string(), opened.incident.to_string()),
            ("playbook", row.playbook.clone(), opened.playbook.to_string()),
            ("plan", row.plan.to_string(), opened.digest.to_string()),
            ("mode", row.mode.to_string(), opened.mode.to_string()),
            ("root", row.root.to_string(), state.tree().to_string()),
            ("superseded_by", shown(row.superseded_by), shown(state.superseded_by())),
            ("parent", parent(row.parent.clone()), parent(folded)),
            ("requested_by", row.requested_by.to_string(), opened.by.person.to_string()),
            ("started_at", row.started_at.to_string(), opened.at.to_string()),
        ];
        self.columns(stream, "the run's row", &pairs);
    }

    fn needs(&mut self, stream: &Stream, rows: Vec<journal::Need>, state: &RunState) {
        let mut rows: BTreeMap<NeedId, journal::Need> =
            rows.into_iter().map(|row| (row.id, row)).collect();
        for need in state.needs() {
            let folded = need_row(state, need);
            match rows.remove(&need.id) {
                Some(row) => {
                    let name = format!("the need {}", need.id);
                    self.columns(stream, &name, &need_pairs(&row, &folded));
                }
                None => self.differs(
                    stream,
                    format!("the need {} is open by the entries and not in the table", need.id),
                ),
            }
        }
        for id in rows.keys() {
            let what = format!("the need {id} is open in the table and not by the entries");
            self.differs(stream, what);
        }
    }

    fn holds(&mut self, stream: &Stream, rows: &[journal::Hold], state: &RunState) {
        let mode = state.opened().mode;
        let claims = state.claims(&self.catalogue);
        let mut explained = vec![false; rows.len()];
        for claim in &claims {
            for target in &claim.targets {
                let mut there = false;
                for (row, explained) in rows.iter().zip(&mut explained) {
                    if is_of(&row.key, (mode, target, &claim.effect), &claim.path) {
                        there |= fits(row, &claim.standing);
                        *explained |= fits(row, &claim.standing);
                    }
                }
                if !there {
                    self.not_there(
                        stream,
                        claim,
                        (mode, target.clone(), claim.effect.clone()),
                        state,
                    );
                }
            }
        }
        for (row, explained) in rows.iter().zip(explained) {
            if !explained {
                let what = format!("{}, which does not follow from the entries", held(row));
                self.differs(stream, what);
            }
        }
    }

    /// A step says that it holds a target, and no row does.
    fn not_there(&mut self, stream: &Stream, claim: &Claim, held: Held, state: &RunState) {
        let (effect, target, path) = (&claim.effect.action, &held.1, &claim.path);
        match &claim.standing {
            Standing::Out => {
                let what = format!(
                    "`{path}` is at `{effect}` of `{target}`, the table of holds has it otherwise"
                );
                self.differs(stream, what);
            }
            Standing::Held(_) => {
                let what = format!(
                    "`{path}` holds `{effect}` of `{target}`, the table of holds has it otherwise"
                );
                let since = state.step_at(path).and_then(|step| step.ended_at).unwrap_or_default();
                let stream = stream.name().to_owned();
                let path = path.clone();
                self.missing.push(Missing { stream, held, since, path, what });
            }
            Standing::Open | Standing::Cleared(_) => {}
        }
    }

    /// Holds that are missing were cleared by a direct release, or they differ. A run that went on
    /// after it was looked at may have cleared them since: it is looked at again.
    pub(super) async fn settle(
        &mut self,
        reader: &Reader,
        last: Option<Stream>,
    ) -> Result<(), EngineError> {
        self.take_out_cleared();
        if !self.missing.is_empty() {
            self.reader.look_anew().await?;
            let mut again = std::mem::take(&mut self.unfinished);
            again.extend(reader.streams(StreamKind::Run, last.as_ref(), PAGE).await?);
            for stream in again {
                let Some((_, plan)) = self.pinned(&stream).await? else { continue };
                if let Folded::State(folded) = self.fold_run(&stream, &plan).await? {
                    self.note_cleared(folded.cleared);
                    self.moved.extend(folded.moved);
                }
            }
            self.take_out_cleared();
        }
        for Missing { stream, what, .. } in std::mem::take(&mut self.missing) {
            self.found.differences.push(Difference { stream, what });
        }
        Ok(())
    }

    fn take_out_cleared(&mut self) {
        let (cleared, moved) = (&self.cleared, &self.moved);
        self.missing.retain(|missing| {
            let (_, target, _) = &missing.held;
            let taken = (missing.stream.clone(), missing.path.clone(), target.clone());
            let stays = cleared.get(&missing.held).is_none_or(|at| *at < missing.since);
            stays && !moved.contains(&taken)
        });
    }
}

/// The holds that an event takes over from another run.
fn moves(event: &Event) -> Vec<Moved> {
    let Head::TakenOver { intent, run, .. } = &event.head else { return Vec::new() };
    let of = |target: &Target| (format!("run:{run}"), intent.path.clone(), target.identity());
    event.body.targets.iter().map(of).collect()
}

fn wrong_snapshot(kept: &Snapshot, state: &mut RunState) -> Option<String> {
    let seq = kept.seq;
    match serde_json::from_slice::<RunState>(&kept.bytes) {
        Ok(mut kept) => {
            kept.refresh();
            state.refresh();
            let same = kept == *state;
            (!same).then(|| format!("its snapshot is not what its first {seq} entries fold to"))
        }
        Err(error) => Some(format!("its snapshot of entry {seq} can not be read: {error}")),
    }
}

fn need_pairs(row: &journal::Need, folded: &journal::Need) -> [(&'static str, String, String); 10] {
    let body = |need: &journal::Need| {
        serde_json::from_str::<Value>(&need.body).unwrap_or_default().to_string()
    };
    let pair = |column, part: &dyn Fn(&journal::Need) -> String| (column, part(row), part(folded));
    [
        pair("incident", &|need| need.incident.to_string()),
        pair("mode", &|need| need.mode.to_string()),
        pair("kind", &|need| need.kind.to_string()),
        pair("step", &|need| shown(need.step.as_ref())),
        pair("group", &|need| shown(need.group.as_ref())),
        pair("role", &|need| shown(need.role)),
        pair("digest", &|need| shown(need.digest)),
        pair("since", &|need| need.since.to_string()),
        pair("until", &|need| shown(need.until)),
        pair("body", &body),
    ]
}

/// Whether a row is of this step's effect on this target.
fn is_of(
    key: &journal::HoldKey,
    (mode, target, effect): (Mode, &str, &Means),
    path: &Path,
) -> bool {
    let connector = effect.connector.clone().unwrap_or_else(by_hand);
    key.mode == mode
        && key.target == target
        && key.effect == effect.action.as_str()
        && key.connector == connector
        && key.path == *path
}

/// Whether a row is what must, or may, stand there.
fn fits(row: &journal::Hold, standing: &Standing) -> bool {
    match (standing, row.state) {
        (Standing::Open, _) | (Standing::Out, HoldState::Taking | HoldState::Releasing) => true,
        (Standing::Held(previous), HoldState::Held) => {
            let body: Value = serde_json::from_str(&row.body).unwrap_or_default();
            let kept = body.get("previous").filter(|value| !value.is_null());
            kept == previous.as_deref().filter(|value| !value.is_null())
        }
        (Standing::Out, HoldState::Held)
        | (Standing::Held(_), HoldState::Taking | HoldState::Releasing)
        | (Standing::Cleared(_), _) => false,
    }
}

fn held(row: &journal::Hold) -> String {
    let journal::HoldKey { target, effect, path, .. } = &row.key;
    format!("the table of holds has `{effect}` of `{target}` by `{path}` as {}", row.state.as_str())
}
