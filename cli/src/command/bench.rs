//! `bench`: the durable executor on this machine and store. What it counts is what the journal
//! holds; each step's outcome is durable before the next begins.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use beistand_core::entry::StreamKind;
use beistand_core::model::{Mode, PlaybookName, RunId};
use beistand_core::playbook::SourceText;
use beistand_core::run::{AttemptEnd, Head, decode};
use beistand_journal::{Page, Reader, RunFilter};
use beistand_runtime::{Drive, Engine, NewRun};
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::args::{BenchArgs, Shape};
use crate::exit::{Exit, Failure, Outcome};
use crate::session::Context;

mod restart;

/// How many steps at either end of a long run are compared.
const PACE: usize = 100;

/// How long the disk alone is measured, before the runs and again after them: its rate may change
/// within seconds.
const DISK_FOR: Duration = Duration::from_secs(1);

pub(super) async fn bench(context: &Context, args: &BenchArgs) -> Outcome {
    let (url, folder) = place(&context.url, args.keep_in.as_deref())?;
    let own = Context {
        url,
        config: crate::config::Config::default(),
        config_file: None,
        actor: Some(crate::session::named("bench")?),
        said_who: false,
        passphrase: None,
        proved: tokio::sync::OnceCell::new(),
        out: context.out.clone(),
        scripts: Arc::clone(&context.scripts),
        shelves: context.shelves.clone(),
        german: context.german,
        utc: context.utc,
    };
    context.out.note(format_args!(
        "{} runs of {} steps, {} at once, on {}",
        args.runs, args.steps, args.concurrency, own.url
    ));
    let figures = match args.shape {
        Shape::Sequence | Shape::Parallel => steps(&own, args, folder.as_deref()).await,
        Shape::Waiting => restart::waiting(&own, args).await,
        Shape::Start => restart::start(&own).await,
        Shape::Recovery => restart::recovery(&own, args).await,
    };
    if let Some(folder) = folder {
        drop(std::fs::remove_dir_all(folder));
    }
    report(context, &figures?);
    Ok(Exit::Ok)
}

/// Runs of steps: how many a second, and how long each takes from its intent to its outcome.
async fn steps(context: &Context, args: &BenchArgs, folder: Option<&Path>) -> Outcome<Value> {
    let engine = unlimited(context.take(Drive::Yes, Vec::new()).await?.here()?)?;
    let mut disk = folder.map(Disk::new).transpose()?;
    if let Some(disk) = &mut disk {
        disk.measure()?;
    }
    let before = engine.journal().metrics();
    let began = Instant::now();
    let lengths = load(context, &engine, args).await?;
    let seconds = began.elapsed().as_secs_f64();
    let after = engine.journal().metrics();
    if let Some(disk) = &mut disk {
        disk.measure()?;
    }
    let mut measured = measure(engine.journal().reader(), args.runs).await?;
    measured.entries = after.entries - before.entries;
    measured.commits = after.commits - before.commits;
    engine.leave().await;
    Ok(figures(args, (seconds, lengths), measured, disk.map(|disk| disk.rate())))
}

/// Nothing but the store limits how fast it goes.
fn unlimited(engine: Box<Engine>) -> Outcome<Box<Engine>> {
    let simulator = "simulator".parse();
    engine.limit_places(simulator.map_err(|error| Failure::usage(format!("{error}")))?, u32::MAX);
    let looping = engine.as_ref().clone();
    tokio::spawn(async move { looping.run(None).await });
    Ok(engine)
}

/// A fresh SQLite file beside the given one, so that the same disk is measured; or the given
/// PostgreSQL; or a file that somebody else looks after.
fn place(url: &str, kept: Option<&Path>) -> Outcome<(String, Option<PathBuf>)> {
    if let Some(kept) = kept {
        return Ok((format!("sqlite:{}", kept.display()), None));
    }
    let Some(path) = url.strip_prefix("sqlite:") else { return Ok((url.to_owned(), None)) };
    let parent = Path::new(path).parent().filter(|parent| !parent.as_os_str().is_empty());
    let mut random = [0; 8];
    getrandom::fill(&mut random)
        .map_err(|error| Failure::new(Exit::Internal, error.to_string()))?;
    let folder = parent
        .unwrap_or_else(|| Path::new("."))
        .join(format!("beistand-bench-{}", hex::encode(random)));
    std::fs::create_dir(&folder)?;
    Ok((format!("sqlite:{}", folder.join("bench.db").display()), Some(folder)))
}

fn playbook(args: &BenchArgs) -> Outcome<NewRunParts> {
    let parallel = match args.shape {
        Shape::Sequence | Shape::Waiting | Shape::Start | Shape::Recovery => String::new(),
        Shape::Parallel => format!("    max_parallel: {}\n", args.steps),
    };
    let steps = match args.shape {
        Shape::Waiting | Shape::Start => "  - id: rest\n    wait: 30d\n".to_owned(),
        Shape::Sequence | Shape::Parallel | Shape::Recovery => format!(
            "  - id: all\n    for_each: {}\n{parallel}    steps:\n      - id: one\n        call: chat.post\n        with: {{ room: bench, text: bench }}\n        on_unknown: repeat\n",
            args.steps
        ),
    };
    let text = format!("playbook: bench\nlanguage: 1\ntitle: Bench\nsteps:\n{steps}");
    let name: PlaybookName = "bench".parse().map_err(|error| Failure::usage(format!("{error}")))?;
    Ok((name, SourceText::new("bench.yaml", text)))
}

type NewRunParts = (PlaybookName, SourceText);

/// Closed loop: as many runs as wanted at once, each begun when one before it ended. Gives each
/// run's length in microseconds.
async fn load(context: &Context, engine: &Engine, args: &BenchArgs) -> Outcome<Vec<u64>> {
    let (name, source) = playbook(args)?;
    let incident = engine
        .open_incident(&beistand_runtime::NewIncident {
            title: "Bench".to_owned(),
            mode: Mode::Drill,
            severity: beistand_core::model::Severity::default(),
            tlp: beistand_core::model::Tlp::Clear,
            short: "BENCH".to_owned(),
            by: context.who().await?,
        })
        .await?;
    let next = Arc::new(AtomicU64::new(0));
    let mut workers = tokio::task::JoinSet::new();
    for _ in 0..args.concurrency.max(1) {
        let (engine, next, total) = (engine.clone(), Arc::clone(&next), args.runs);
        let new = NewRun {
            sources: std::iter::once((name.clone(), source.clone())).collect(),
            playbook: name.clone(),
            inputs: json!({}),
            incident: Some(incident.id),
            title: None,
            mode: Mode::Drill,
            short: "BENCH".to_owned(),
            start_key: None,
            by_hand_ok: true,
            case: None,
            by: context.who().await?,
        };
        workers.spawn(async move {
            let mut lengths = Vec::new();
            while next.fetch_add(1, Ordering::Relaxed) < total {
                let began = Instant::now();
                let run = engine.launch(new.clone()).await?;
                engine.ended(run).await;
                lengths.push(u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX));
            }
            Ok::<Vec<u64>, beistand_runtime::EngineError>(lengths)
        });
    }
    let mut all = Vec::new();
    while let Some(worker) = workers.join_next().await {
        let lengths = worker.map_err(|error| Failure::new(Exit::Internal, error.to_string()))?;
        all.extend(lengths?);
    }
    Ok(all)
}

/// What the journal holds.
#[derive(Default)]
struct Measured {
    steps: u64,
    entries: u64,
    commits: u64,
    /// Milliseconds from a step's intent to its outcome.
    latencies: Vec<u64>,
    /// When the outcomes of the first run were written, in milliseconds.
    pace: Vec<i64>,
}

/// Counts the steps that succeeded, and the milliseconds from a step's intent to its outcome.
async fn measure(reader: &Reader, runs: u64) -> Outcome<Measured> {
    let mut measured = Measured::default();
    let limit = u32::try_from(runs).unwrap_or(u32::MAX).max(1);
    for (_, row) in reader.runs(&RunFilter::default(), Page::first(limit)).await? {
        steps_of(reader, row.id, &mut measured).await?;
    }
    Ok(measured)
}

async fn steps_of(reader: &Reader, run: RunId, measured: &mut Measured) -> Outcome<()> {
    let is_first = measured.steps == 0;
    let Some(stream) = reader.stream(StreamKind::Run, &run.to_string()).await? else {
        return Ok(());
    };
    let mut after = 0;
    let mut began = std::collections::BTreeMap::new();
    loop {
        let page = reader.entries(&stream, after, 1_000).await?;
        for entry in &page {
            after = entry.seq;
            let Ok((_, events)) = decode(&entry.head, None) else { continue };
            for event in events {
                if let Head::AttemptStarted(intent) = event.head {
                    began.insert(intent.path, entry.at);
                } else if let Head::AttemptEnded { path, end: AttemptEnd::Succeeded, .. } =
                    event.head
                {
                    measured.steps += 1;
                    if is_first {
                        measured.pace.push(entry.at.get());
                    }
                    if let Some(at) = began.remove(&path) {
                        measured.latencies.push(entry.at.since(at).millis());
                    }
                }
            }
        }
        if page.len() < 1_000 {
            return Ok(());
        }
    }
}

/// The machine's own disk: 4 KiB appended and synced, one after the other.
struct Disk {
    file: std::fs::File,
    syncs: u32,
    seconds: f64,
}

impl Disk {
    fn new(folder: &Path) -> Outcome<Self> {
        let file = std::fs::File::create(folder.join("sync.probe"))?;
        Ok(Self { file, syncs: 0, seconds: 0.0 })
    }

    fn measure(&mut self) -> Outcome<()> {
        let block = [0x5a_u8; 4096];
        let began = Instant::now();
        while began.elapsed() < DISK_FOR {
            self.file.write_all(&block)?;
            self.file.sync_data()?;
            self.syncs += 1;
        }
        self.seconds += began.elapsed().as_secs_f64();
        Ok(())
    }

    /// Syncs a second.
    fn rate(&self) -> f64 {
        f64::from(self.syncs) / self.seconds
    }
}

fn percentile(sorted: &[u64], percent: usize) -> u64 {
    let at = sorted.len().saturating_mul(percent) / 100;
    sorted.get(at.min(sorted.len().saturating_sub(1))).copied().unwrap_or(0)
}

/// How much longer the last hundred steps of a long run took than its first hundred.
fn pace(written: &[i64]) -> Option<f64> {
    let span = |hundred: &[i64]| match hundred {
        [first, .., last] => Some((last - first).max(1)),
        [] | [_] => None,
    };
    let (first, last) = (written.get(..PACE)?, written.get(written.len().checked_sub(PACE)?..)?);
    #[expect(clippy::cast_precision_loss, reason = "milliseconds of a bench")]
    (written.len() >= 10 * PACE).then_some(span(last)? as f64 / span(first)? as f64)
}

/// Memory of this process (proc(5), `VmHWM` the most it had, `VmRSS` what it has).
fn memory_mib(field: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(field));
    let kib = line
        .and_then(|line| line.split_whitespace().next())
        .and_then(|text| text.parse::<u64>().ok());
    kib.unwrap_or(0) / 1024
}

fn figures(
    args: &BenchArgs,
    (seconds, mut lengths): (f64, Vec<u64>),
    measured: Measured,
    disk: Option<f64>,
) -> Value {
    lengths.sort_unstable();
    let mut latencies = measured.latencies;
    latencies.sort_unstable();
    #[expect(clippy::cast_precision_loss, reason = "figures for people")]
    let (rate, run_p50) =
        (measured.steps as f64 / seconds, percentile(&lengths, 50) as f64 / 1000.0);
    let round = |value: f64| (value * 100.0).round() / 100.0;
    json!({
        "runs": args.runs, "steps": measured.steps, "seconds": round(seconds),
        "steps_per_s": round(rate), "p50_ms": percentile(&latencies, 50),
        "p99_ms": percentile(&latencies, 99), "run_p50_ms": round(run_p50),
        "entries": measured.entries, "commits": measured.commits,
        "peak_mib": memory_mib("VmHWM:"), "concurrency": args.concurrency,
        "syncs_per_s": disk.map(round), "steps_per_sync": disk.map(|disk| round(rate / disk)),
        "pace": pace(&measured.pace).map(round),
    })
}

fn report(context: &Context, figures: &Value) {
    if context.out.json {
        context.out.value(figures);
    } else if let Value::Object(fields) = figures {
        for (name, value) in fields {
            context.out.line(format_args!("{name:>16}  {value}"));
        }
    }
}
