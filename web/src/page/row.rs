//! Needs, runs, steps and holds as rows of a list, as who looks may see them.

use beistand_core::model::{Millis, Mode};
use beistand_core::run::StepStatus;
use beistand_runtime::Caller;
use serde_json::Value;

use super::frame::Frame;
use super::mine::{Sieve, read, text};
use super::tree::{is_bad, status_of};
use super::ui::{At, Badge, Deadline};
use crate::app::App;
use crate::report::Problem;

/// Kinds of steps that only hold others.
pub(super) const BLOCKS: [&str; 7] =
    ["group", "parallel", "for_each", "switch", "repeat", "playbook", "undo"];

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
    pub(crate) until_at: Option<Millis>,
    /// The id of the run that it belongs to.
    pub(crate) run: String,
    pub(crate) votes: Option<(u64, u64)>,
    pub(crate) mine: bool,
    pub(crate) mode: Mode,
    /// The incident's number, where needs of several stand together.
    pub(crate) number: Option<String>,
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
    /// What should end until a time.
    pub(crate) due: Vec<Due>,
}

/// Something that should have ended by then.
#[derive(Debug, Clone)]
pub(crate) struct Due {
    pub(crate) href: String,
    /// What has to be done until then: the word for an approval, a task …, or for a step.
    pub(crate) what: String,
    pub(crate) title: String,
    pub(crate) at: Millis,
    pub(crate) until: Deadline,
    /// The step, `run/path`.
    step: String,
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

impl NeedRow {
    /// What has no time of its own is due when its step is.
    pub(super) fn due_with_its_step(self, due: &[&Due]) -> Self {
        let step = format!("{}/{}", self.run, self.step);
        match due.iter().find(|due| self.until_at.is_none() && due.step == step) {
            Some(due) => Self { until: Some(due.until.clone()), until_at: Some(due.at), ..self },
            None => self,
        }
    }
}

impl Due {
    pub(super) fn of_need(need: &NeedRow) -> Option<Self> {
        Some(Self {
            href: need.href.clone(),
            what: need.kind_word.clone(),
            title: need.title.clone(),
            at: need.until_at?,
            until: need.until.clone()?,
            step: format!("{}/{}", need.run, need.step),
        })
    }

    fn of_step(frame: &Frame, step: &Value, (run, mode): (&str, Mode)) -> Option<Self> {
        let at = Millis::parse(text(step, "due_at")).ok()?;
        let path = text(step, "path");
        Some(Self {
            href: step_href(mode, run, path),
            what: frame.t("due-step"),
            title: text(step, "title").to_owned(),
            at,
            until: Deadline::of(frame, at),
            step: format!("{run}/{path}"),
        })
    }
}

impl HoldRow {
    /// An id for what belongs to it on a page.
    pub(crate) fn proof_id(&self, index: impl std::fmt::Display) -> String {
        format!("release-{}-{index}", self.mode)
    }
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
        until_at: until,
        run: text(need, "run").to_owned(),
        votes,
        mine,
        mode,
        number: None,
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
    let due = steps.iter().filter_map(|step| Due::of_step(frame, step, (&id, mode))).collect();
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
        due,
    })
}

/// Whether a step only holds others.
fn is_block(step: &Value) -> bool {
    BLOCKS.contains(&text(step, "kind"))
}

/// Whether a step is under way or stands in the way: what has not begun and what went well is not. A
/// step that holds others is told by them, unless somebody must say yes to it.
fn is_of_interest(step: &Value) -> bool {
    let Some(status) = status_of(step) else { return true };
    match status {
        StepStatus::Succeeded
        | StepStatus::Skipped
        | StepStatus::Undone
        | StepStatus::Cancelled
        | StepStatus::Ready => false,
        StepStatus::WaitingForApproval | StepStatus::NeedsDecision => true,
        StepStatus::Waiting
        | StepStatus::Running
        | StepStatus::Retrying
        | StepStatus::Unknown
        | StepStatus::Probing
        | StepStatus::WaitingForPerson
        | StepStatus::WaitingForSignal
        | StepStatus::WaitingForTime
        | StepStatus::WaitingForChild
        | StepStatus::Failed
        | StepStatus::Undoing
        | StepStatus::UndoFailed => !is_block(step),
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
        bad: is_bad(status_of(step)),
    }
}

/// Where a step's page is.
pub(crate) fn step_href(mode: Mode, run: &str, path: &str) -> String {
    let path: String = form_urlencoded::byte_serialize(path.as_bytes()).collect();
    Frame::to(mode, &format!("/runs/{run}/step?path={path}"))
}

/// A hold as a row.
///
/// # Errors
/// 500 where it does not say whether it is real.
pub(crate) fn hold_row(frame: &Frame, hold: &Value) -> Result<HoldRow, Problem> {
    let mode: Mode = read(hold, "mode")?;
    let (state, run) = (text(hold, "state"), text(hold, "run"));
    Ok(HoldRow {
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
    })
}
