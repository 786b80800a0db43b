//! How an incident stands, for who opens its page: what is cut off, what runs, what waits, who leads.
//!
//! Read through the scope of who looks: what is not for them is not in it.

use std::collections::BTreeMap;

use beistand_core::model::{IncidentId, Millis, Mode, Role, Severity};
use beistand_journal::{NeedFilter, RunFilter};
use beistand_runtime::{Caller, ViewPage};
use serde_json::Value;

use super::frame::Frame;
use super::mine::{read, text};
use super::row::{Due, HoldRow, NeedRow, RunRow, StepRow, hold_row, list, need_rows, run_row};
use super::ui::At;
use crate::app::App;
use crate::report::Problem;

/// Runs of an incident that are shown at once; older ones stand in a list of their own.
const RUNS_MAX: u32 = 50;

/// An incident as it stands.
#[derive(Debug)]
pub(crate) struct Situation {
    pub(crate) id: IncidentId,
    pub(crate) number: String,
    pub(crate) mode: Mode,
    pub(crate) href: String,
    /// Empty where it is not theirs to read.
    pub(crate) title: String,
    pub(crate) severity: String,
    pub(crate) severity_grade: u8,
    pub(crate) tlp: String,
    pub(crate) open_for: String,
    pub(crate) closed: Option<At>,
    pub(crate) commander: Option<String>,
    pub(crate) deputy: Option<String>,
    pub(crate) others: Vec<(String, String)>,
    pub(crate) organisations: Vec<String>,
    pub(crate) needs: Vec<NeedRow>,
    pub(crate) runs: Vec<RunRow>,
    pub(crate) holds: Vec<HoldRow>,
    /// What it is about: kind, name, state.
    pub(crate) assets: Vec<[String; 3]>,
    /// What is kept: name, digest, by whom.
    pub(crate) evidence: Vec<[String; 3]>,
    /// The drill that it was, and the live incident that it turned out to be.
    pub(crate) drill: Option<String>,
    pub(crate) real: Option<String>,
    pub(crate) whole: Value,
}

impl Situation {
    /// How an incident stands for who looks.
    ///
    /// # Errors
    /// 404 where it is not there for them.
    pub(crate) async fn of(
        app: &App,
        (caller, frame): (&Caller, &Frame),
        id: IncidentId,
    ) -> Result<Self, Problem> {
        let scope = caller.rights.scope();
        let whole = app.views.incident(id, &scope).await?;
        let mode: Mode = read(&whole, "mode")?;
        let filter = NeedFilter { incident: Some(id), ..NeedFilter::default() };
        let needs = app.views.needs(&filter, &scope).await?;
        let needs = need_rows(app, (caller, frame), needs, mode).await?;
        let filter = RunFilter { incident: Some(id), ..RunFilter::default() };
        let listed = app.views.runs(&filter, &ViewPage::first(RUNS_MAX), &scope).await?;
        let mut runs = Vec::with_capacity(listed.items.len());
        for row in listed.items.iter().filter(|row| text(row, "parent").is_empty()) {
            runs.push(run_row(app, (caller, frame), row, mode).await?);
        }
        let own: Vec<&str> = listed.items.iter().map(|row| text(row, "id")).collect();
        let holds = app.views.holds(&scope).await?;
        let holds = holds.iter().filter(|hold| own.contains(&text(hold, "run")));
        let holds = holds.map(|hold| hold_row(frame, hold)).collect::<Result<_, _>>()?;
        let due: Vec<&Due> = runs.iter().flat_map(|run| run.due.iter()).collect();
        let needs = needs.into_iter().map(|need| need.due_with_its_step(&due)).collect();
        Ok(Self::with(frame, whole, (id, mode), (needs, runs, holds)))
    }

    fn with(
        frame: &Frame,
        whole: Value,
        (id, mode): (IncidentId, Mode),
        (needs, runs, holds): (Vec<NeedRow>, Vec<RunRow>, Vec<HoldRow>),
    ) -> Self {
        let number = text(&whole, "number").to_owned();
        let grade = whole.get("severity").and_then(Value::as_u64).unwrap_or(3);
        let grade = u8::try_from(grade).ok().and_then(|grade| Severity::try_from(grade).ok());
        let severity_grade = grade.unwrap_or_default().get();
        let opened = Millis::parse(text(&whole, "opened_at")).unwrap_or(frame.times.now);
        let mut roles = roles(&whole);
        let (commander, deputy) = (roles.remove(&Role::Commander), roles.remove(&Role::Deputy));
        let assets = list(&whole, "assets").iter().map(|asset| {
            let kind = frame.words.of("target", text(asset, "kind"));
            let state = frame.words.of("asset", text(asset, "state"));
            [kind, text(asset, "value").to_owned(), state]
        });
        let evidence = list(&whole, "evidence").iter();
        let evidence =
            evidence.map(|file| ["name", "digest", "by"].map(|name| text(file, name).to_owned()));
        let (assets, evidence) = (assets.collect(), evidence.collect());
        let others =
            roles.into_iter().map(|(role, name)| (frame.words.of("role", role.as_str()), name));
        Self {
            id,
            href: Frame::to(mode, &format!("/incidents/{number}")),
            number,
            mode,
            title: text(&whole, "title").to_owned(),
            severity: frame.words.of("severity", &severity_grade.to_string()),
            severity_grade,
            tlp: text(&whole, "tlp").to_owned(),
            open_for: frame.times.since(opened),
            closed: Millis::parse(text(&whole, "closed_at")).ok().map(|at| At::full(frame, at)),
            commander,
            deputy,
            others: others.collect(),
            organisations: list(&whole, "organisations")
                .iter()
                .filter_map(Value::as_str)
                .map(str::to_owned)
                .collect(),
            needs,
            runs,
            holds,
            assets,
            evidence,
            drill: whole.get("drill").and_then(Value::as_str).map(str::to_owned),
            real: whole.get("real").and_then(Value::as_str).map(str::to_owned),
            whole,
        }
    }

    /// What is due next of all that has an end, and of what.
    pub(crate) fn next(&self) -> Option<Due> {
        let asked = self.needs.iter().filter_map(Due::of_need);
        let steps = self.runs.iter().flat_map(|run| run.due.iter().cloned());
        // Of a step and the need that it waits for the need is what somebody can answer.
        asked.chain(steps).min_by_key(|due| due.at)
    }

    /// What waits for who looks.
    pub(crate) fn mine(&self) -> Vec<&NeedRow> {
        self.needs.iter().filter(|need| need.mine).collect()
    }

    /// What waits for others.
    pub(crate) fn theirs(&self) -> Vec<&NeedRow> {
        self.needs.iter().filter(|need| !need.mine).collect()
    }

    /// Steps that failed or of which nobody knows how they ended.
    pub(crate) fn bad(&self) -> Vec<&StepRow> {
        let open = self.runs.iter().filter(|run| run.open);
        open.flat_map(|run| run.now.iter().filter(|step| step.bad)).collect()
    }

    /// Runs that go on.
    pub(crate) fn running(&self) -> Vec<&RunRow> {
        self.runs.iter().filter(|run| run.open).collect()
    }

    /// Runs that ended.
    pub(crate) fn ended(&self) -> Vec<&RunRow> {
        self.runs.iter().filter(|run| !run.open).collect()
    }

    /// What is cut off, without what is only being cut off.
    pub(crate) fn held(&self) -> usize {
        self.holds.iter().filter(|hold| hold.state == "held").count()
    }
}

fn roles(whole: &Value) -> BTreeMap<Role, String> {
    let held = list(whole, "roles")
        .iter()
        .map(|one| (text(one, "role").parse(), text(one, "person").to_owned()));
    held.filter_map(|(role, person)| Some((role.ok()?, person))).collect()
}
