//! How an incident stands, for who opens its page: what is cut off, what runs, what waits, who leads.
//!
//! Read through the scope of who looks: what is not for them is not in it.

use std::collections::BTreeMap;

use beistand_core::model::{IncidentId, Millis, Mode, Role, Severity};
use beistand_journal::{NeedFilter, RunFilter};
use beistand_runtime::{Caller, ViewPage};
use serde_json::Value;

use super::frame::Frame;
use super::mine::{Sieve, text};
use super::ui::{At, Badge, Deadline};
use crate::app::App;
use crate::report::Problem;

/// Runs of an incident that are shown at once; older ones stand in a list of their own.
const RUNS_MAX: u32 = 50;

/// Kinds of steps that only hold others.
pub(super) const BLOCKS: [&str; 7] =
    ["group", "parallel", "for_each", "switch", "repeat", "playbook", "undo"];

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

/// Something that waits for people.
#[derive(Debug, Clone)]
pub(crate) struct NeedRow {
    pub(crate) href: String,
    pub(crate) kind: String,
    pub(crate) kind_word: String,
    pub(crate) title: String,
    pub(crate) step: String,
    pub(crate) item: String,
    pub(crate) role: String,
    pub(crate) since: Option<At>,
    pub(crate) waits: String,
    pub(crate) until: Option<Deadline>,
    pub(crate) until_millis: Option<i64>,
    pub(crate) votes: Option<(u64, u64)>,
    pub(crate) mine: bool,
}

/// A run.
#[derive(Debug, Clone)]
pub(crate) struct RunRow {
    pub(crate) href: String,
    pub(crate) playbook: String,
    pub(crate) title: String,
    pub(crate) status: Badge,
    pub(crate) open: bool,
    pub(crate) started: Option<At>,
    pub(crate) by: String,
    /// Steps that came to an end.
    pub(crate) done: usize,
    /// What is under way, or stands in the way.
    pub(crate) now: Vec<StepRow>,
}

/// A step that somebody looks at.
#[derive(Debug, Clone)]
pub(crate) struct StepRow {
    pub(crate) href: String,
    pub(crate) title: String,
    pub(crate) item: String,
    pub(crate) status: Badge,
    pub(crate) attempts: usize,
    pub(crate) since: String,
    pub(crate) error: String,
    pub(crate) bad: bool,
}

/// Something that is cut off, or is being.
#[derive(Debug, Clone)]
pub(crate) struct HoldRow {
    pub(crate) target: String,
    pub(crate) effect: String,
    pub(crate) state: String,
    pub(crate) state_word: String,
    pub(crate) since: Option<At>,
    pub(crate) run_href: String,
    pub(crate) run: String,
    pub(crate) path: String,
    pub(crate) connector: String,
    pub(crate) organisation: String,
    pub(crate) mode: Mode,
}

impl HoldRow {
    /// An id for what belongs to it on a page.
    pub(crate) fn proof_id(&self, index: impl std::fmt::Display) -> String {
        format!("release-{}-{index}", self.mode)
    }
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
        let mode: Mode = text(&whole, "mode").parse().unwrap_or(Mode::Live);
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
        let holds = holds.map(|hold| hold_row(frame, hold)).collect();
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
    pub(crate) fn next(&self) -> Option<&NeedRow> {
        let due = self.needs.iter().filter(|need| need.until_millis.is_some());
        due.min_by_key(|need| need.until_millis)
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

/// A list of a thing in JSON; empty where it has none.
pub(crate) fn list<'v>(thing: &'v Value, name: &str) -> &'v [Value] {
    thing.get(name).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

/// Needs as rows: first those of who looks, the oldest first.
pub(crate) async fn need_rows(
    app: &App,
    (caller, frame): (&Caller, &Frame),
    needs: Vec<Value>,
    mode: Mode,
) -> Result<Vec<NeedRow>, Problem> {
    let mut sieve = Sieve::new(app, caller);
    let mut rows = Vec::with_capacity(needs.len());
    for need in &needs {
        let mine = sieve.is_theirs(need).await?;
        rows.push((text(need, "since").to_owned(), need_row(frame, need, (mode, mine))));
    }
    rows.sort_by(|(since, one), (then, other)| (!one.mine, since).cmp(&(!other.mine, then)));
    Ok(rows.into_iter().map(|(_, row)| row).collect())
}

/// A need as a row.
pub(crate) fn need_row(frame: &Frame, need: &Value, (mode, mine): (Mode, bool)) -> NeedRow {
    let kind = text(need, "kind").to_owned();
    let since = Millis::parse(text(need, "since")).ok();
    let until = Millis::parse(text(need, "until")).ok();
    let number = |name: &str| need.get(name).and_then(Value::as_u64);
    let votes = number("votes").zip(number("votes_needed")).filter(|_| kind == "approval");
    let kind_word = frame.words.of("need", &kind);
    let title = match text(need, "title") {
        "" => kind_word.clone(),
        title => title.to_owned(),
    };
    NeedRow {
        href: Frame::to(mode, &format!("/needs/{}", text(need, "id"))),
        kind,
        kind_word,
        title,
        step: text(need, "step").to_owned(),
        item: text(need, "item").to_owned(),
        role: frame.words.of("role", text(need, "role")),
        since: since.map(|at| At::short(frame, at)),
        waits: since.map(|at| frame.times.since(at)).unwrap_or_default(),
        until: until.map(|at| Deadline::of(frame, at)),
        until_millis: until.map(Millis::get),
        votes,
        mine,
    }
}

/// A run as a row, with what is under way in it.
pub(crate) async fn run_row(
    app: &App,
    (caller, frame): (&Caller, &Frame),
    row: &Value,
    mode: Mode,
) -> Result<RunRow, Problem> {
    let (id, status) = (text(row, "id").to_owned(), text(row, "status"));
    let open = text(row, "ended_at").is_empty();
    let mut steps = Vec::new();
    if open && let Ok(run) = id.parse() {
        let whole = app.views.run(run, &caller.rights.scope()).await?;
        steps = list(&whole, "steps").to_vec();
    }
    let over = |step: &&Value| !is_block(step) && !text(step, "ended_at").is_empty();
    let done = steps.iter().filter(over).count();
    let shown = steps.iter().filter(|step| is_of_interest(step));
    let now: Vec<StepRow> = shown.map(|step| step_row(frame, step, (&id, mode))).collect();
    Ok(RunRow {
        href: Frame::to(mode, &format!("/runs/{id}")),
        playbook: text(row, "playbook").to_owned(),
        title: text(row, "title").to_owned(),
        status: Badge::of_run(frame, status),
        open,
        started: At::read(frame, text(row, "started_at")),
        by: text(row, "requested_by").to_owned(),
        done,
        now,
    })
}

/// Whether a step only holds others.
fn is_block(step: &Value) -> bool {
    BLOCKS.contains(&text(step, "kind"))
}

/// Whether a step is under way or stands in the way: what has not begun and what went well is not. A
/// step that holds others is told by them, unless somebody must say yes to it.
fn is_of_interest(step: &Value) -> bool {
    match text(step, "status") {
        "succeeded" | "skipped" | "undone" | "cancelled" | "ready" => false,
        "waiting-for-approval" | "needs-decision" => true,
        _ => !is_block(step),
    }
}

fn step_row(frame: &Frame, step: &Value, (run, mode): (&str, Mode)) -> StepRow {
    let (status, path) = (text(step, "status"), text(step, "path"));
    let began = Millis::parse(text(step, "started_at")).ok();
    let title = match text(step, "title") {
        "" => text(step, "id"),
        title => title,
    };
    StepRow {
        href: step_href(mode, run, path),
        title: title.to_owned(),
        item: text(step, "item").to_owned(),
        status: Badge::of_step(frame, status),
        attempts: step
            .get("attempts")
            .and_then(Value::as_u64)
            .and_then(|n| usize::try_from(n).ok())
            .unwrap_or_default(),
        since: began.map(|at| frame.times.since(at)).unwrap_or_default(),
        error: step
            .pointer("/error/message")
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned(),
        bad: matches!(status, "failed" | "unknown" | "undo-failed" | "needs-decision"),
    }
}

/// Where a step's page is.
pub(crate) fn step_href(mode: Mode, run: &str, path: &str) -> String {
    let path: String = form_urlencoded::byte_serialize(path.as_bytes()).collect();
    Frame::to(mode, &format!("/runs/{run}/step?path={path}"))
}

/// A hold as a row.
pub(crate) fn hold_row(frame: &Frame, hold: &Value) -> HoldRow {
    let mode: Mode = text(hold, "mode").parse().unwrap_or(Mode::Live);
    let (state, run) = (text(hold, "state"), text(hold, "run"));
    HoldRow {
        target: text(hold, "target").to_owned(),
        effect: text(hold, "effect").to_owned(),
        state: state.to_owned(),
        state_word: frame.words.of("hold", state),
        since: At::read(frame, text(hold, "since")),
        run_href: Frame::to(mode, &format!("/runs/{run}")),
        run: run.to_owned(),
        path: text(hold, "path").to_owned(),
        connector: text(hold, "connector").to_owned(),
        organisation: text(hold, "organisation").to_owned(),
        mode,
    }
}
