//! A run: what waits, what went wrong, how far it has come; its steps as a list, over time and as a
//! drawing; and what is done to it.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use beistand_core::model::{Catalogue, Millis, Mode, RunId};
use beistand_core::playbook::{Kind, Plan, Undo, Wait};
use beistand_core::timeline::TimelineEntry;
use beistand_runtime::Caller;
use serde_json::Value;

use super::drawn::{Drawn, flow_words, gantt_words};
use super::frame::Frame;
use super::incident::May;
use super::mine::{read, text};
use super::need::said;
use super::row::{BLOCKS, HoldRow, NeedRow, hold_row, list, need_rows};
use super::schema::{Field, fields};
use super::steer::FORM;
use super::tree::{FOLDED_MAX, Line, Node, is_bad, tree};
use super::ui::{At, Badge, Deadline};
use super::wrong::Wrong;
use crate::app::App;
use crate::asked::At as InPath;
use crate::door::Who;
use crate::draw::flow::of_plan;
use crate::draw::gantt::{Happening, of_run};
use crate::report::Problem;

/// Steps that went wrong and are told one by one: of more, the list below has the rest.
const WRONG_MAX: usize = 6;

/// Steps that can be ticked to be taken back.
const TICKED_MAX: usize = 200;

/// Held targets that are named: all of them stand on their own page.
const HOLDS_MAX: usize = 12;

/// Runs beside this one that are named.
const BESIDE_MAX: usize = 20;

#[derive(Template)]
#[template(path = "run.html")]
struct Page<'a> {
    frame: &'a Frame,
    one: Course,
    wrong: Vec<Wrong>,
    wrong_more: usize,
    needs: Vec<NeedRow>,
    waits: Vec<Waiting>,
    nodes: Vec<Node>,
    gantt: Option<Drawn>,
    flow: Option<Drawn>,
    beside: Vec<Beside>,
    holds: Vec<HoldRow>,
    holds_more: usize,
    inputs: Vec<(String, String)>,
    outputs: Vec<(String, String)>,
    signals: Vec<Signal>,
    ticks: Vec<(String, String)>,
    may: May,
    proof: bool,
}

/// How a run stands, in a few words.
pub(super) struct Course {
    pub(super) id: RunId,
    pub(super) href: String,
    pub(super) title: String,
    pub(super) playbook: String,
    pub(super) status: Badge,
    pub(super) word: String,
    pub(super) incident: (String, String),
    pub(super) started: Option<At>,
    pub(super) ended: Option<At>,
    /// For how long it has run.
    pub(super) took: String,
    pub(super) by: String,
    pub(super) digest: String,
    pub(super) error: String,
    pub(super) done: usize,
    pub(super) tlp: String,
    /// How many steps stand how, the most first.
    pub(super) tally: Vec<(usize, Badge)>,
}

/// A step that waits for something that is no person.
struct Waiting {
    href: String,
    title: String,
    item: String,
    what: String,
    until: Option<Deadline>,
}

/// Another run that belongs to this one.
struct Beside {
    how: String,
    href: String,
    playbook: String,
    status: Option<Badge>,
}

/// A signal that a step waits for.
struct Signal {
    path: String,
    /// Nothing where only the run knows it.
    name: Option<String>,
    title: String,
    /// The same from this page twice is one.
    key: String,
    fields: Vec<Field>,
}

/// What a page about a run is made of.
pub(super) struct Seen {
    pub(super) whole: Value,
    pub(super) mode: Mode,
    /// For whom its incident is to be read.
    pub(super) tlp: String,
    /// Only for who may read the whole of its incident.
    pub(super) plan: Option<std::sync::Arc<Plan>>,
    /// What is told of it in its incident's timeline.
    pub(super) told: Vec<TimelineEntry>,
}

/// The page.
pub(super) async fn page(
    State(app): State<App>,
    Who(caller): Who,
    InPath(id): InPath<RunId>,
    mut frame: Frame,
) -> Result<Response, Problem> {
    let whole = app.views.run(id, &caller.rights.scope()).await?;
    let mode: Mode = read(&whole, "mode")?;
    if let Some(elsewhere) = frame.elsewhere(mode) {
        return Ok(elsewhere);
    }
    let seen = Seen::of((&app, &caller, &frame), (id, mode), whole).await?;
    let page = Page::of((&app, &caller, &frame), (id, &seen)).await?;
    frame.page(&page)
}

impl Seen {
    /// Reads what a page needs beside the run itself, through the eyes of who looks.
    pub(super) async fn of(
        (app, caller, frame): (&App, &Caller, &Frame),
        (id, mode): (RunId, Mode),
        whole: Value,
    ) -> Result<Self, Problem> {
        let scope = caller.rights.scope();
        let plan = app.views.plan_of(id, &scope).await?;
        let mut told = Vec::new();
        let mut tlp = String::new();
        if let Ok(incident) = text(&whole, "incident").parse() {
            tlp.push_str(text(&app.views.incident(incident, &scope).await?, "tlp"));
            let all = app.views.told(incident, frame.show.lang, &scope).await?.lines;
            told.extend(all.iter().filter(|line| line.run == Some(id)).cloned());
        }
        Ok(Self { whole, mode, tlp, plan, told })
    }

    pub(super) fn steps(&self) -> &[Value] {
        list(&self.whole, "steps")
    }
}

impl Course {
    pub(super) fn of(frame: &Frame, (id, seen): (RunId, &Seen)) -> Self {
        let run = &seen.whole;
        let (started, ended) = (text(run, "started_at"), text(run, "ended_at"));
        let from = Millis::parse(started).ok();
        let to = Millis::parse(ended).unwrap_or(frame.times.now);
        let acting: Vec<&Value> =
            seen.steps().iter().filter(|step| !BLOCKS.contains(&text(step, "kind"))).collect();
        let playbook = text(run, "playbook").to_owned();
        let number = text(run, "incident_number").to_owned();
        Self {
            id,
            href: Frame::to(seen.mode, &format!("/runs/{id}")),
            title: match text(run, "title") {
                "" => playbook.clone(),
                title => title.to_owned(),
            },
            playbook,
            status: Badge::of_run(frame, text(run, "status")),
            word: text(run, "status").to_owned(),
            incident: (Frame::to(seen.mode, &format!("/incidents/{number}")), number),
            started: At::read(frame, started),
            ended: At::read(frame, ended),
            took: from.map(|from| frame.times.span(to.since(from))).unwrap_or_default(),
            by: text(run, "requested_by").to_owned(),
            digest: text(run, "digest").to_owned(),
            error: run
                .pointer("/error/message")
                .and_then(Value::as_str)
                .unwrap_or_default()
                .to_owned(),
            done: acting.iter().filter(|step| !text(step, "ended_at").is_empty()).count(),
            tlp: seen.tlp.clone(),
            tally: tally(frame, &acting),
        }
    }

    /// Whether it has ended.
    pub(super) fn over(&self) -> bool {
        self.ended.is_some()
    }
}

/// How many steps stand how: what somebody has to look at first.
fn tally(frame: &Frame, steps: &[&Value]) -> Vec<(usize, Badge)> {
    let mut counts: Vec<(usize, &str)> = Vec::new();
    for step in steps {
        let word = text(step, "status");
        match counts.iter_mut().find(|(_, known)| *known == word) {
            Some((count, _)) => *count += 1,
            None => counts.push((1, word)),
        }
    }
    counts.sort_by_key(|(count, word)| (!is_bad(word.parse().ok()), std::cmp::Reverse(*count)));
    counts.into_iter().map(|(count, word)| (count, Badge::of_step(frame, word))).collect()
}

impl<'a> Page<'a> {
    async fn of(
        (app, caller, frame): (&App, &Caller, &'a Frame),
        (id, seen): (RunId, &Seen),
    ) -> Result<Self, Problem> {
        let (run, mode) = (&seen.whole, seen.mode);
        let incident = text(run, "incident").parse();
        let incident = incident.map_err(|_| Problem::not_found(format!("there is no run {id}")))?;
        let may = May::of(caller, &app.engine.about_incident(incident).await?);
        let needs = list(run, "needs").to_vec();
        let needs = need_rows(app, (caller, frame), needs, mode).await?;
        let holds = app.views.holds(&caller.rights.scope()).await?;
        let own = id.to_string();
        let holds = holds.iter().filter(|hold| text(hold, "run") == own);
        let holds: Vec<HoldRow> =
            holds.map(|hold| hold_row(frame, hold)).collect::<Result<_, _>>()?;
        let mut wrong = Wrong::all(frame, seen, (&own, &needs));
        let wrong_more = wrong.len().saturating_sub(WRONG_MAX);
        wrong.truncate(WRONG_MAX);
        let lines = seen.steps().iter().map(|step| Line::of(frame, step, (&own, mode)));
        let gantt = gantt(frame, seen);
        Ok(Self {
            one: Course::of(frame, (id, seen)),
            wrong,
            wrong_more,
            waits: waits(frame, seen, &own),
            nodes: tree(frame, lines.collect(), (None, FOLDED_MAX)),
            gantt,
            flow: flow(frame, seen),
            beside: beside((app, caller, frame), run).await?,
            holds_more: holds.len().saturating_sub(HOLDS_MAX),
            holds,
            inputs: named(run.get("inputs")),
            outputs: named(run.get("outputs")),
            signals: signals(frame, seen),
            ticks: ticks(seen),
            needs,
            frame,
            may,
            proof: mode == Mode::Live && !frame.me.as_ref().is_some_and(|me| me.fresh),
        })
    }
}

/// The run over time; nothing before its first step.
fn gantt(frame: &Frame, seen: &Seen) -> Option<Drawn> {
    let happened: Vec<Happening> = seen.told.iter().filter_map(Happening::of_line).collect();
    let words = gantt_words(frame.show.lang);
    let gantt = of_run(&seen.whole, &happened, frame.times.now, &words);
    (!gantt.rows.is_empty()).then(|| Drawn::gantt(frame, &gantt))
}

/// What its playbook does and how far it has come, for who may read that.
fn flow(frame: &Frame, seen: &Seen) -> Option<Drawn> {
    let plan = seen.plan.as_ref()?;
    let flow = of_plan(plan, Some(&seen.whole), &flow_words(frame.show.lang));
    let description = frame.t("run-flow-hint");
    Some(Drawn::flow(frame, &flow, (&plan.parts().title, &description)))
}

/// What waits for time, a signal, another run or a place.
fn waits(frame: &Frame, seen: &Seen, id: &str) -> Vec<Waiting> {
    let waits = list(&seen.whole, "waits").iter();
    let rows = waits.filter_map(|wait| {
        let step = seen.steps().iter().find(|step| text(step, "path") == text(wait, "step"))?;
        let line = Line::of(frame, step, (id, seen.mode));
        let until = Millis::parse(text(wait, "until")).ok();
        let what = match text(step, "status") {
            status @ ("retrying" | "unknown") => frame.words.of("step", status),
            _ => frame.words.of("wait", text(wait, "for")),
        };
        let until = until.map(|at| Deadline::of(frame, at));
        Some(Waiting { href: line.href, title: line.title, item: line.item, what, until })
    });
    rows.take(BESIDE_MAX).collect()
}

/// The runs that belong to it.
async fn beside(
    (app, caller, frame): (&App, &Caller, &Frame),
    run: &Value,
) -> Result<Vec<Beside>, Problem> {
    let one = |how: &'static str| (how, text(run, how).to_owned());
    let single = ["superseded_by", "supersedes", "more_of", "parent"].map(one);
    let children = list(run, "children").iter().filter_map(Value::as_str);
    let children = children.map(|child| ("children", child.to_owned()));
    let mut rows = Vec::new();
    for (how, id) in single.into_iter().chain(children).take(BESIDE_MAX) {
        let Ok(other) = id.parse::<RunId>() else { continue };
        // What is not for these eyes is not named either.
        let Ok(row) = app.views.row_of(other, &caller.rights.scope()).await else { continue };
        rows.push(Beside {
            how: frame.words.of("run-beside", &how.replace('_', "-")),
            href: Frame::to(row.mode, &format!("/runs/{id}")),
            playbook: row.playbook.clone(),
            status: Some(Badge::of_run(frame, &row.status)),
        });
    }
    Ok(rows)
}

/// Values by their names, as people read them.
pub(super) fn named(values: Option<&Value>) -> Vec<(String, String)> {
    let fields = values.and_then(Value::as_object).into_iter().flatten();
    fields.map(|(name, value)| (name.replace('_', " "), said(value))).collect()
}

/// Signals that steps wait for. One that asks somebody is answered where it asks.
fn signals(frame: &Frame, seen: &Seen) -> Vec<Signal> {
    let Some(plan) = &seen.plan else { return Vec::new() };
    let waits = seen.steps().iter().filter(|step| text(step, "status") == "waiting-for-signal");
    let found = waits.filter_map(|step| {
        let node = plan.node(plan.by_id(text(step, "id"))?);
        let Kind::Wait(Wait::Signal { name, role: None, form, .. }) = &node.kind else {
            return None;
        };
        let path = text(step, "path");
        let name = name.literal().and_then(|name| name.as_str().map(str::to_owned));
        let seen = format!("{path} {} {}", step["generation"], text(step, "started_at"));
        let key = beistand_core::model::digest_of_bytes(seen.as_bytes());
        Some(Signal {
            path: path.to_owned(),
            name,
            title: text(step, "title").to_owned(),
            key: format!("page-{}", key.hex()),
            fields: fields(frame, form, (FORM, &Value::Null)),
        })
    });
    found.take(BESIDE_MAX).collect()
}

/// Steps that can be ticked to be taken back: path, and what is said of it.
fn ticks(seen: &Seen) -> Vec<(String, String)> {
    let Some(plan) = &seen.plan else { return Vec::new() };
    let found = seen.steps().iter().filter(|step| is_undoable(plan, step)).map(|step| {
        let title = text(step, "title");
        let said = match text(step, "item") {
            "" => title.to_owned(),
            item => format!("{title} – {item}"),
        };
        (text(step, "path").to_owned(), said)
    });
    found.take(TICKED_MAX).collect()
}

/// Whether there is a way back from what a step did. The engine knows it exactly, and says so to who
/// asks for what can not be.
pub(super) fn is_undoable(plan: &Plan, step: &Value) -> bool {
    let Some(id) = plan.by_id(text(step, "id")) else { return false };
    let node = plan.node(id);
    let Kind::Call(call) = &node.kind else { return false };
    let has_way = match &node.undo {
        Undo::Catalogue => {
            Catalogue::first().get(&call.action).is_some_and(|spec| spec.undo.is_some())
        }
        Undo::None => false,
        Undo::Call { .. } | Undo::Steps(_) => true,
    };
    has_way && matches!(text(step, "status"), "succeeded" | "undo-failed")
}

#[cfg(test)]
mod tests;
