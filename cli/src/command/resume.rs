//! `resume`: taking up what has not ended, of all runs or of one.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use beistand_core::model::RunId;
use beistand_core::playbook::Case;
use beistand_core::run::RunStatus;
use beistand_journal::{NeedFilter, Page, Reader, RunFilter};
use beistand_runtime::{Clock as _, Drive, Engine, WallClock};

use super::drill::{self, Cast};
use super::run::{Runs, drive, waits};
use crate::exit::{DEAD_HINT, Exit, Failure, Outcome};
use crate::find;
use crate::session::Context;
use crate::signals::Signals;

/// How often the people of drills look whether it is their turn, while nothing else happens.
const CAST_EVERY: Duration = Duration::from_millis(200);

/// Unfinished runs that are counted: more than a provider has going on at once.
const RUNS_MAX: u32 = 10_000;

pub(super) async fn resume(context: &Context, wanted: Option<&str>) -> Outcome {
    let mut drills = drill::unfinished(context).await?;
    let canned = drills.iter_mut().flat_map(|(_, played)| std::mem::take(&mut played.canned));
    let held = context.take(Drive::Yes, canned.collect()).await?.here();
    let engine = *held.map_err(|owned| {
        owned.hint("it drives the runs; `beistand watch RUN` follows one of them")
    })?;
    let played = drills.into_iter().map(|(run, played)| (run, played.case));
    let reader = engine.journal().reader().clone();
    if context.say_stopped(&reader).await? {
        context
            .out
            .note("  what is ready waits here for that; Ctrl-C ends this, and loses nothing");
    }
    if let Some(text) = wanted {
        let run = match find::run(&reader, text).await {
            Ok(run) => run,
            Err(failure) => {
                engine.leave().await;
                return Err(failure);
            }
        };
        engine.answer_commands().await?;
        return drive(context, engine, Runs { before: None, run }, None, played).await;
    }
    let before = unfinished(&reader).await?;
    let interrupted = drive_all(context, engine, played).await?;
    let exit = summary(context, &context.reader().await?, before).await?;
    Ok(if interrupted { Exit::Interrupted } else { exit })
}

/// Drives all runs of the store to rest and leaves; says whether it was cut short by a signal.
pub(super) async fn drive_all(
    context: &Context,
    engine: Engine,
    played: impl IntoIterator<Item = (RunId, Case)>,
) -> Outcome<bool> {
    let mut cast = Cast::new(&engine, context, played).await?;
    cast.announce(context);
    let background = context.drive(&engine);
    let mut signals = Signals::listen()?;
    engine.answer_commands().await?;
    let mut pause = Duration::ZERO;
    let interrupted = loop {
        let resting = async {
            tokio::time::sleep(pause).await;
            engine.rest().await;
        };
        tokio::select! {
            () = resting => match cast.goes_on(&engine, context).await {
                Ok(true) => pause = CAST_EVERY,
                Ok(false) => break false,
                Err(failure) => {
                    engine.leave().await;
                    return Err(failure);
                }
            },
            _ = tokio::signal::ctrl_c() => break true,
            _ = signals.terminate.recv() => break true,
            _ = signals.stop.recv() => engine.stop_from_outside("SIGUSR1").await,
        }
    };
    // What just rested may have woken its caller: a moment later nothing must be due.
    if !interrupted {
        tokio::time::sleep(Duration::from_millis(100)).await;
        engine.rest().await;
    }
    let dead = engine.dead();
    engine.leave().await;
    drop(background.await);
    match dead {
        Some(why) => Err(Failure::new(Exit::Internal, why).hint(DEAD_HINT)),
        None => Ok(interrupted),
    }
}

/// The runs that have not ended; what a run called goes with it.
async fn unfinished(reader: &Reader) -> Outcome<BTreeSet<RunId>> {
    let filter = RunFilter { unfinished: true, ..RunFilter::default() };
    let rows = reader.runs(&filter, Page::first(RUNS_MAX)).await?;
    Ok(rows.into_iter().filter(|(_, row)| row.parent.is_none()).map(|(_, row)| row.id).collect())
}

/// How the runs stand that were taken up or began meanwhile, counted: what had ended before was not
/// resumed. 6 where any run of the store waits for people or is paused, otherwise 0.
async fn summary(context: &Context, reader: &Reader, before: BTreeSet<RunId>) -> Outcome {
    // By its needs: a run that waits for a day costs nothing here.
    let needs = reader.needs(&NeedFilter::default()).await?;
    let asking: BTreeSet<RunId> = needs.iter().filter_map(|need| need.root.or(need.run)).collect();
    for run in &asking {
        waits(context, reader, *run).await?;
    }
    if let Some(due) = reader.next_due().await?.filter(|due| *due > WallClock.now()) {
        let at = context.time(due);
        context.out.note(format_args!("waits for time, the next until {at}: `beistand resume`"));
    }
    let mut resumed = before;
    resumed.extend(unfinished(reader).await?);
    let mut counts: BTreeMap<String, u64> = BTreeMap::new();
    for run in resumed {
        if let Some(row) = reader.run(run).await? {
            *counts.entry(row.status).or_default() += 1;
        }
    }
    // One that was called may be paused alone.
    let is_paused = reader
        .run_counts()
        .await?
        .iter()
        .any(|(status, count)| *status == RunStatus::Paused.as_str() && *count > 0);
    if context.out.json {
        context.out.value(&serde_json::json!(counts));
    } else if counts.is_empty() {
        context.out.note("no run is left to go on with");
    } else {
        let words: Vec<String> =
            counts.iter().map(|(status, count)| format!("{count} {status}")).collect();
        context.out.note(format_args!("resumed: {}", words.join(", ")));
    }
    Ok(if asking.is_empty() && !is_paused { Exit::Ok } else { Exit::Waits })
}
