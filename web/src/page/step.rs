//! A step of a run: what became of it, attempt by attempt; what it was told to do and what it gave; who
//! is asked about it; and what it still holds.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use beistand_core::model::{Millis, Mode, RunId};
use beistand_core::playbook::Kind;
use beistand_core::run::StepStatus;
use beistand_core::timeline::TimelineEntry;
use beistand_runtime::Caller;
use serde::Deserialize;
use serde_json::Value;

use super::frame::Frame;
use super::incident::May;
use super::mine::{read, text};
use super::need::said;
use super::row::{HoldRow, NeedRow, hold_row, list, need_rows};
use super::run::{Course, Seen, is_undoable, named};
use super::tree::{Line, Node, status_of, tree};
use super::ui::At;
use super::wrong::{Wrong, without};
use crate::app::App;
use crate::asked::{Asked, At as InPath};
use crate::door::Who;
use crate::draw::flow::template_text;
use crate::report::Problem;

/// Rounds of a loop on its own page: no run has more targets by default.
const ROUNDS_MAX: usize = 1_000;

/// Which step.
#[derive(Debug, Deserialize)]
pub(super) struct Which {
    path: String,
}

#[derive(Template)]
#[template(path = "step.html")]
struct Page<'a> {
    frame: &'a Frame,
    run: Course,
    line: Line,
    wrong: Option<Wrong>,
    need: Option<NeedRow>,
    attempts: Vec<Attempt>,
    lines: Vec<(At, String)>,
    arguments: Vec<(String, String)>,
    output: Vec<(String, String)>,
    facts: Vec<(String, String)>,
    holds: Vec<HoldRow>,
    within: Vec<Node>,
    undoable: bool,
    may: May,
    proof: bool,
}

/// An attempt, with what was told of it.
struct Attempt {
    number: usize,
    from: At,
    to: Option<At>,
    took: String,
    told: Vec<String>,
}

/// The page.
pub(super) async fn page(
    State(app): State<App>,
    Who(caller): Who,
    InPath(id): InPath<RunId>,
    Asked(Which { path }): Asked<Which>,
    mut frame: Frame,
) -> Result<Response, Problem> {
    let whole = app.views.run(id, &caller.rights.scope()).await?;
    let mode: Mode = read(&whole, "mode")?;
    if let Some(elsewhere) = frame.elsewhere(mode) {
        return Ok(elsewhere);
    }
    let seen = Seen::of((&app, &caller, &frame), (id, mode), whole).await?;
    let missing = || Problem::not_found("there is no such step in this run").place("path");
    let step = seen.steps().iter().find(|step| text(step, "path") == path).ok_or_else(missing)?;
    let page = Page::of((&app, &caller, &frame), (id, &seen), step).await?;
    frame.page(&page)
}

impl<'a> Page<'a> {
    async fn of(
        (app, caller, frame): (&App, &Caller, &'a Frame),
        (id, seen): (RunId, &Seen),
        step: &Value,
    ) -> Result<Self, Problem> {
        let (own, mode, path) = (id.to_string(), seen.mode, text(step, "path"));
        let incident = text(&seen.whole, "incident").parse();
        let incident = incident.map_err(|_| Problem::not_found(format!("there is no run {id}")))?;
        let may = May::of(caller, &app.engine.about_incident(incident).await?);
        let needs: Vec<Value> = list(&seen.whole, "needs")
            .iter()
            .filter(|need| text(need, "step") == path)
            .cloned()
            .collect();
        let needs = need_rows(app, (caller, frame), needs, mode).await?;
        let line = Line::of(frame, step, (&own, mode));
        let holds = app.views.holds(&caller.rights.scope()).await?;
        let here = |hold: &&Value| text(hold, "run") == own && text(hold, "path") == path;
        let told: Vec<&TimelineEntry> = seen
            .told
            .iter()
            .filter(|line| line.path.as_ref().is_some_and(|own| own.as_str() == path))
            .collect();
        let lines = seen.steps().iter().map(|step| Line::of(frame, step, (&own, mode)));
        let within = if line.block {
            tree(frame, lines.collect(), (Some(path), ROUNDS_MAX))
        } else {
            Vec::new()
        };
        let wrong = line.bad || status_of(step) == Some(StepStatus::Retrying);
        Ok(Self {
            run: Course::of(frame, (id, seen)),
            wrong: wrong.then(|| Wrong::of(frame, (seen, step), (&own, &needs))),
            need: needs.into_iter().next(),
            attempts: attempts(frame, &told, &line.title),
            lines: told.iter().map(|told| (At::short(frame, told.at), told.text.clone())).collect(),
            arguments: arguments(seen, step),
            output: match step.get("output") {
                None | Some(Value::Null) => Vec::new(),
                Some(value @ Value::Object(_)) => named(Some(value)),
                Some(value) => vec![(String::new(), said(value))],
            },
            facts: facts(frame, step),
            holds: holds
                .iter()
                .filter(here)
                .map(|hold| hold_row(frame, hold))
                .collect::<Result<_, _>>()?,
            within,
            undoable: seen.plan.as_ref().is_some_and(|plan| is_undoable(plan, step)),
            proof: mode == Mode::Live && !frame.me.as_ref().is_some_and(|me| me.fresh),
            line,
            frame,
            may,
        })
    }
}

/// The attempts of a step, from what its timeline says: an attempt lasts until its end is told, and
/// what is told before the next one belongs to it.
fn attempts(frame: &Frame, told: &[&TimelineEntry], title: &str) -> Vec<Attempt> {
    let mut all: Vec<Attempt> = Vec::new();
    let mut began = Millis::new(0);
    for line in told {
        let text = without(&line.text, title);
        if line.kind == "attempt-started" {
            began = line.at;
            let (number, from) = (all.len() + 1, At::full(frame, line.at));
            all.push(Attempt { number, from, to: None, took: String::new(), told: vec![text] });
            continue;
        }
        let Some(last) = all.last_mut() else { continue };
        if matches!(line.kind, "attempt-ended" | "step-ended") && last.to.is_none() {
            last.to = Some(At::full(frame, line.at));
            last.took = frame.times.span(line.at.since(began));
        }
        last.told.push(text);
    }
    all
}

/// What it is told to do, as its playbook has it, for who may read that.
fn arguments(seen: &Seen, step: &Value) -> Vec<(String, String)> {
    let Some(plan) = &seen.plan else { return Vec::new() };
    let Some(id) = plan.by_id(text(step, "id")) else { return Vec::new() };
    let Kind::Call(call) = &plan.node(id).kind else { return Vec::new() };
    let with = call.with.iter().map(|(name, value)| (name.clone(), template_text(value)));
    with.collect()
}

/// What a reviewer wants to know of it, too.
fn facts(frame: &Frame, step: &Value) -> Vec<(String, String)> {
    let known = |name: &str| step.get(name).map(said).unwrap_or_default();
    let facts = [
        (frame.t("fact-path"), known("path")),
        (frame.t("fact-kind"), frame.words.of("kind", text(step, "kind"))),
        (frame.t("through"), known("connector")),
        (frame.t("fact-key"), known("key")),
        (
            frame.t("fact-generation"),
            Some(known("generation")).filter(|n| n != "0").unwrap_or_default(),
        ),
        (frame.t("fact-taken-over"), known("taken_over_from")),
        (frame.t("fact-already-held"), known("already_held_by")),
        (frame.t("fact-still-held"), known("still_held_by")),
    ];
    facts.into_iter().filter(|(_, value)| !value.is_empty()).collect()
}
