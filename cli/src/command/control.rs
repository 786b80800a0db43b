//! Pause, cancel, undo, the stop switch.

use beistand_core::model::{Path, Reason, RunId};
use beistand_core::run::{Command, RunState, UndoMark};
use beistand_core::timeline::{Lang, need_title};
use beistand_journal::{Page, Reader, RunFilter};
use beistand_runtime::{Verb, view};
use serde_json::{Value, json};

use crate::args::{CancelArgs, UndoArgs, Which};
use crate::exit::{Exit, Failure, Outcome};
use crate::find;
use crate::out::cell;
use crate::session::Context;

async fn which(reader: &Reader, which: &Which) -> Outcome<Vec<RunId>> {
    if let Some(run) = &which.run {
        return Ok(vec![find::run(reader, run).await?]);
    }
    let Some(incident) = &which.incident else { return Ok(Vec::new()) };
    let incident = find::incident(reader, incident).await?.id;
    let filter = RunFilter { incident: Some(incident), unfinished: true, ..RunFilter::default() };
    let rows = reader.runs(&filter, Page::first(10_000)).await?;
    // What a run called goes with it.
    Ok(rows.into_iter().filter(|(_, row)| row.parent.is_none()).map(|(_, row)| row.id).collect())
}

pub(super) async fn pause(context: &Context, wanted: &Which, pause: bool) -> Outcome {
    let reader = context.reader().await?;
    let runs = which(&reader, wanted).await?;
    for run in runs.iter().copied() {
        let by = context.who().await?;
        let command = if pause {
            Command::Pause { by, reason: String::new(), with_caller: false }
        } else {
            Command::Unpause { by, with_caller: false }
        };
        context.act(Verb::Run { run, command }).await?;
        context.out.note(format_args!("run {run} {}", if pause { "is paused" } else { "goes on" }));
    }
    statuses(context, &reader, &runs).await
}

pub(super) async fn cancel(context: &Context, args: &CancelArgs) -> Outcome {
    let reader = context.reader().await?;
    let runs = which(&reader, &args.which).await?;
    for run in runs.iter().copied() {
        let command =
            Command::Cancel { by: context.who().await?, reason: args.reason.clone().into() };
        context.act(Verb::Run { run, command }).await?;
        context.out.note(format_args!("run {run} is being ended; what is out is settled first"));
    }
    statuses(context, &reader, &runs).await
}

/// How the runs stand now, where JSON is wanted.
async fn statuses(context: &Context, reader: &Reader, runs: &[RunId]) -> Outcome {
    if !context.out.json {
        return Ok(Exit::Ok);
    }
    let mut all = Vec::new();
    for run in runs {
        let row = reader.run(*run).await?;
        all.push(json!({"id": run, "status": row.map(|row| row.status)}));
    }
    context.out.value(&all.into());
    Ok(Exit::Ok)
}

pub(super) async fn undo(context: &Context, args: UndoArgs) -> Outcome {
    let reader = context.reader().await?;
    let run = find::run(&reader, &args.run).await?;
    let (_, state, _) = view(&reader, run, &context.scripts).await?;
    let mut paths: Vec<Path> = Vec::new();
    for step in &args.steps {
        paths.push(find::step(&state, step)?);
    }
    if !args.items.is_empty() {
        paths.extend(state.undoable(&args.items, &paths));
        if paths.is_empty() {
            return Err(Failure::not_found("no step of these items can be taken back"));
        }
    }
    let command = Command::Undo { by: context.who().await?, paths, reason: args.reason.into() };
    context.act_and_drive(Verb::Run { run, command }).await?;
    // Nobody drives a store that is ours alone: the undo is driven here, to rest.
    if let crate::session::Held::Here(engine) =
        context.take(beistand_runtime::Drive::Yes, Vec::new()).await?
    {
        super::resume::drive_all(context, *engine, None).await?;
    }
    let (_, state, _) = view(&reader, run, &context.scripts).await?;
    if context.out.json {
        context.out.value(&super::show::run_json(context, &reader, run).await?);
    }
    Ok(outcome(context, &state))
}

/// 0: all undone; 6: a gate waits; 9: partly.
fn outcome(context: &Context, state: &RunState) -> Exit {
    if state.needs().next().is_some() {
        for need in state.needs() {
            let step = need.step.and_then(|ix| state.step(ix)).map(|step| step.path.clone());
            context.out.note(format_args!(
                "waits: {} ({})  {}",
                cell(&need_title(Lang::En, (need.kind, step.as_ref()), &need.title)),
                need.role,
                need.id
            ));
        }
        return Exit::Waits;
    }
    let left = state.steps().filter(|step| {
        matches!(step.undo, UndoMark::Failed | UndoMark::Wanted | UndoMark::Undoing)
    });
    let left: Vec<String> = left.map(|step| step.path.to_string()).collect();
    if left.is_empty() {
        context.out.note("all that can be taken back was taken back");
        return Exit::Ok;
    }
    context.out.note(format_args!("not taken back: {}", left.join(", ")));
    Exit::Partly
}

pub(super) async fn stop_all(context: &Context, reason: Reason) -> Outcome {
    // Without one a store would be made in this moment, and that it is stopped would stop nothing.
    drop(context.reader().await?);
    let verb = Verb::StopAll { by: context.who().await?, reason: reason.into() };
    let answer = context.act(verb).await?;
    if context.out.json {
        context.out.value(&answer);
        return Ok(Exit::Ok);
    }
    context.out.note("stopped: no effect starts any more");
    for open in answer.get("open").and_then(Value::as_array).into_iter().flatten() {
        context.out.note(format_args!("still out: {}", cell(&out(open))));
    }
    Ok(Exit::Ok)
}

/// An effect that had begun, as a sentence.
fn out(open: &Value) -> String {
    let text = |at: &str| open.pointer(at).and_then(Value::as_str).unwrap_or_default();
    let through = match text("/effect/connector") {
        "" => "a person",
        connector => connector,
    };
    format!(
        "{} on {} through {through}, run {} at {}",
        text("/effect/action"),
        text("/target"),
        text("/run"),
        text("/path")
    )
}

pub(super) async fn go_on(context: &Context, reason: Option<Reason>) -> Outcome {
    let reason = reason.map(String::from).unwrap_or_default();
    if let Some(file) = context.present_stop_file() {
        let text = format!(
            "the stop file {} is there, and would stop everything again at once",
            file.display()
        );
        return Err(Failure::new(Exit::Conflict, text)
            .hint("take it away first; then `beistand go-on` lets things go on"));
    }
    let stopped = context.reader().await?.meta().await?.stopped_at.is_some();
    let answer = context.act(Verb::GoOn { by: context.who().await?, reason }).await;
    let other = || "whoever did not stop it says `beistand go-on --as OTHER`".to_owned();
    let answer = answer.map_err(|failure| failure.or_hint(Exit::NotAllowed, other))?;
    if context.out.json {
        context.out.value(&answer);
    }
    context.out.note(if stopped {
        "effects may start again"
    } else {
        "nothing was stopped: the stop switch was off, and effects start as before"
    });
    Ok(Exit::Ok)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_still_out_is_said_as_a_sentence() {
        let open = |connector: Value| {
            let effect = json!({"action": "network.isolate", "connector": connector});
            out(
                &json!({"target": "host:pc-1", "effect": effect, "run": "0190", "path": "all[1]/cut"}),
            )
        };
        let said = "network.isolate on host:pc-1 through core-router, run 0190 at all[1]/cut";
        assert_eq!(open(json!("core-router")), said);
        assert!(open(Value::Null).contains("through a person"));
    }
}
