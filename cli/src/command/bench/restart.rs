//! What a restart costs: with a hundred thousand runs that wait, and after a kill in the middle of
//! five hundred.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use beistand_core::run::RunStatus;
use beistand_journal::{Page, Reader, RunFilter};
use beistand_runtime::{Drive, Engine};
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::args::BenchArgs;
use crate::exit::{Exit, Failure, Outcome};
use crate::session::Context;

/// How long the program that will be killed may work first: long enough to be in full swing.
const SWING: Duration = Duration::from_secs(2);

/// How long the restart is watched before it counts as failed.
const PATIENCE: Duration = Duration::from_mins(1);

/// Opens runs that wait and leaves; how long a new process takes to start with them, and what it
/// holds in memory.
pub(super) async fn waiting(context: &Context, args: &BenchArgs) -> Outcome<Value> {
    let engine = take(context).await?;
    let began = Instant::now();
    super::load(context, &engine, args).await?;
    engine.rest().await;
    let opened = began.elapsed();
    engine.leave().await;
    drop(engine);
    let mut child = Command::new(std::env::current_exe()?);
    child.args(["bench", "--json", "--shape", "start"]);
    match context.url.strip_prefix("sqlite:") {
        Some(file) => child.args(["--keep-in", file]),
        None => child.args(["--store", &context.url]),
    };
    let done = child.stderr(Stdio::inherit()).output()?;
    let mut figures: Value = serde_json::from_slice(&done.stdout).map_err(|error| {
        let why = format!("the program that started again said nothing: {error}");
        Failure::new(Exit::Internal, why)
    })?;
    if let Some(figures) = figures.as_object_mut() {
        figures.insert("open_s".to_owned(), json!(seconds(opened)));
    }
    Ok(figures)
}

/// Starts with what another process left.
pub(super) async fn start(context: &Context) -> Outcome<Value> {
    let began = Instant::now();
    let engine = take(context).await?;
    engine.rest().await;
    let restart = began.elapsed();
    let (resident, peak) = (super::memory_mib("VmRSS:"), super::memory_mib("VmHWM:"));
    let runs = engine.journal().reader().runs(&waiting_runs(), Page::first(u32::MAX)).await?.len();
    engine.leave().await;
    Ok(json!({
        "shape": "waiting", "waiting": runs, "restart_s": seconds(restart),
        "resident_mib": resident, "peak_mib": peak,
    }))
}

/// Kills a program in full swing and times how long a new one takes to end what was in flight.
pub(super) async fn recovery(context: &Context, args: &BenchArgs) -> Outcome<Value> {
    let file = context.url.strip_prefix("sqlite:").ok_or_else(|| {
        Failure::usage("the recovery is measured on SQLite; leave out --store".to_owned())
    })?;
    let mut child = Command::new(std::env::current_exe()?);
    child.args(["bench", "--runs", "1000000", "--keep-in", file]);
    child.args(["--concurrency", &args.concurrency.to_string()]);
    child.args(["--steps", &args.steps.to_string()]);
    let mut child = child.stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
    let began = Instant::now();
    while began.elapsed() < SWING || !Path::new(file).exists() {
        tokio::time::sleep(Duration::from_millis(20)).await;
        if let Some(status) = child.try_wait()? {
            let why = format!("the program that was to be killed ended by itself: {status}");
            return Err(Failure::new(Exit::Internal, why));
        }
    }
    child.kill()?;
    child.wait()?;
    let in_flight = unfinished(&context.reader().await?).await?;
    let began = Instant::now();
    let engine = take(context).await?;
    while unfinished(engine.journal().reader()).await? > 0 && began.elapsed() < PATIENCE {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let recovered = began.elapsed();
    let left = unfinished(engine.journal().reader()).await?;
    engine.leave().await;
    Ok(json!({
        "shape": "recovery", "in_flight": in_flight, "left": left,
        "recovered_s": seconds(recovered),
    }))
}

async fn take(context: &Context) -> Outcome<Box<Engine>> {
    super::unlimited(context.take(Drive::Yes, Vec::new()).await?.here()?)
}

fn waiting_runs() -> RunFilter {
    RunFilter { status: Some(RunStatus::Waiting.as_str().to_owned()), ..RunFilter::default() }
}

async fn unfinished(reader: &Reader) -> Outcome<usize> {
    let filter = RunFilter { unfinished: true, ..RunFilter::default() };
    Ok(reader.runs(&filter, Page::first(100_000)).await?.len())
}

fn seconds(span: Duration) -> f64 {
    (span.as_secs_f64() * 1000.0).round() / 1000.0
}
