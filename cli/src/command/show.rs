//! Reading: runs, one run, holds. Takes no lock.

use beistand_core::model::RunId;
use beistand_core::run::{NeedKind, RunState, StepStatus};
use beistand_core::timeline::{Lang, Scope, need_title};
use beistand_journal::{Page, Reader, Run, RunFilter};
use beistand_runtime::{VIEW_ROWS_MAX, ViewPage, view};
use serde_json::{Value, json};

use crate::exit::{Exit, Outcome};
use crate::find;
use crate::out::cell;
use crate::session::Context;

/// How many rows a list shows.
const ROWS: u32 = VIEW_ROWS_MAX;

pub(super) async fn runs(
    context: &Context,
    incident: Option<&str>,
    status: Option<String>,
) -> Outcome {
    let reader = context.reader().await?;
    context.say_stopped(&reader).await?;
    let incident = match incident {
        Some(text) => Some(find::incident(&reader, text).await?.id),
        None => None,
    };
    let filter = RunFilter { status, incident, ..RunFilter::default() };
    if context.out.json {
        let page = ViewPage::first(ROWS);
        let all = context.views(&reader).runs(&filter, &page, &Scope::ALL).await?;
        context.out.value(&json!(all.items));
        return Ok(Exit::Ok);
    }
    let mut lines = Vec::new();
    for (_, row) in reader.runs(&filter, Page::first(ROWS)).await? {
        lines.push(line(context, &reader, row).await?);
    }
    if lines.is_empty() {
        context.out.note("there are no runs; `beistand run PLAYBOOK` starts one");
    } else {
        context
            .out
            .table(&["RUN", "INCIDENT", "PLAYBOOK", "MODE", "STATUS", "STARTED", "BY"], &lines);
    }
    Ok(Exit::Ok)
}

async fn line(context: &Context, reader: &Reader, row: Run) -> Outcome<Vec<String>> {
    let number = reader.incident(row.incident).await?.map(|incident| incident.number);
    Ok(vec![
        row.id.to_string(),
        number.unwrap_or_default(),
        row.playbook,
        row.mode.to_string(),
        row.status,
        context.time(row.started_at),
        row.requested_by.to_string(),
    ])
}

/// A run as the contract's JSON, with the needs and children of everything below it.
pub(super) async fn run_json(context: &Context, reader: &Reader, run: RunId) -> Outcome<Value> {
    Ok(context.views(reader).run(run, &Scope::ALL).await?)
}

pub(super) async fn show(context: &Context, text: &str) -> Outcome {
    let reader = context.reader().await?;
    context.say_stopped(&reader).await?;
    let run = find::run(&reader, text).await?;
    if context.out.json {
        context.out.value(&run_json(context, &reader, run).await?);
        return Ok(Exit::Ok);
    }
    let (plan, state, _) = view(&reader, run, &context.scripts).await?;
    let opened = state.opened();
    let number =
        reader.incident(opened.incident).await?.map(|incident| incident.number).unwrap_or_default();
    context.out.line(format_args!(
        "{}  ({number}, {}, {})",
        cell(&plan.parts().title),
        opened.mode,
        state.status().as_str()
    ));
    context.out.line(format_args!(
        "run {run}, launched {} by {}",
        context.time(opened.at),
        opened.by.person
    ));
    if let Some(earlier) = &opened.supersedes {
        context.out.line(format_args!("takes over from run {}", earlier.run));
    }
    if let Some(next) = state.superseded_by() {
        context.out.line(format_args!("gives way to run {next}"));
    }
    if let Some(earlier) = &opened.more_of {
        context.out.line(format_args!("more of run {}", earlier.run));
    }
    if let Some(error) = state.error() {
        context.out.line(format_args!("ended by {}: {}", error.kind, cell(&error.message)));
    }
    let rows: Vec<Vec<String>> =
        state.steps().map(|step| step_line(context, &state, step)).collect();
    context.out.table(&["STEP", "STATUS", "ATTEMPTS", "THROUGH", "ITEM", "SINCE"], &rows);
    for need in state.needs() {
        let step = need.step.and_then(|ix| state.step(ix)).map(|step| &step.path);
        let title = need_title(Lang::En, (need.kind, step), &need.title);
        context.out.line(format_args!("waits: {} ({})  {}", cell(&title), need.role, need.id));
        if need.kind == NeedKind::Approval {
            context.out.line(format_args!("  in words: {}", need.digest.spoken()));
        }
    }
    if let Some(outputs) = state.outputs() {
        context.out.line(format_args!("outputs: {outputs}"));
    }
    Ok(Exit::Ok)
}

fn step_line(context: &Context, state: &RunState, step: &beistand_core::run::Step) -> Vec<String> {
    let connector = step.sent.as_ref().and_then(|sent| sent.intent.connector.as_ref());
    let mut status = StepStatus::of(step).as_str().to_owned();
    if step.late {
        status.push_str(" late");
    }
    if step.by_hand {
        status.push_str(" by hand");
    }
    vec![
        step.path.to_string(),
        status,
        if step.attempts_total > 0 { step.attempts_total.to_string() } else { String::new() },
        connector.map(ToString::to_string).unwrap_or_default(),
        state.item_of(step).unwrap_or_default(),
        step.started_at.map(|at| context.time(at)).unwrap_or_default(),
    ]
}

pub(super) async fn holds(context: &Context) -> Outcome {
    let reader = context.reader().await?;
    context.say_stopped(&reader).await?;
    if context.out.json {
        context.out.value(&json!(context.views(&reader).holds(&Scope::ALL).await?));
        return Ok(Exit::Ok);
    }
    let rows = reader.holds(None).await?;
    if rows.is_empty() {
        context.out.note("nothing is held");
        return Ok(Exit::Ok);
    }
    let lines: Vec<Vec<String>> = rows
        .into_iter()
        .map(|hold| {
            vec![
                hold.key.target,
                hold.key.effect,
                hold.state.as_str().to_owned(),
                context.time(hold.since),
                hold.key.run.to_string(),
                hold.key.path.to_string(),
                hold.key.mode.to_string(),
            ]
        })
        .collect();
    context.out.table(&["TARGET", "EFFECT", "STATE", "SINCE", "RUN", "STEP", "MODE"], &lines);
    Ok(Exit::Ok)
}
