//! How often a run is read in a second: `cargo run --release -p beistand-runtime --example reads --
//! sqlite:beistand.db RUN|newest [SECONDS] [READERS]`.
//!
//! Each reader asks for the run's JSON, one answer after the other, as the HTTP interface would.
//! `newest` asks for whatever run is the newest at each moment: beside `beistand bench` on the same
//! store that is one that changes. Prints answers a second, their times, and how many were new.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use beistand_core::model::RunId;
use beistand_core::timeline::Scope;
use beistand_journal::{Page, Reader, RunFilter};
use beistand_runtime::Views;
use beistand_script::Scripts;

/// How often the newest run is looked for.
const LOOK_EVERY: Duration = Duration::from_millis(50);

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
#[expect(
    clippy::print_stdout,
    clippy::disallowed_methods,
    clippy::cast_precision_loss,
    reason = "a measurement"
)]
async fn main() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let mut arguments = std::env::args().skip(1);
    let usage = "usage: reads URL RUN|newest [SECONDS] [READERS]";
    let url = arguments.next().ok_or(usage)?;
    let run: Option<RunId> = match arguments.next().ok_or(usage)?.as_str() {
        "newest" => None,
        id => Some(id.parse()?),
    };
    let seconds: u64 = arguments.next().map_or(Ok(5), |text| text.parse())?;
    let readers: u64 = arguments.next().map_or(Ok(8), |text| text.parse())?;
    let reader = Reader::open(&url).await?;
    let views = Views::new(reader.clone(), Arc::new(Scripts::without_budget()));
    let began = Instant::now();
    let until = began + Duration::from_secs(seconds);
    let mut running = tokio::task::JoinSet::new();
    for _ in 0..readers {
        let (views, reader) = (views.clone(), reader.clone());
        running.spawn(async move { read(&views, &reader, run, until).await });
    }
    let (mut times, mut tags, mut bytes) = (Vec::new(), BTreeSet::new(), 0);
    while let Some(read) = running.join_next().await {
        let (their, new, largest) = read??;
        times.extend(their);
        tags.extend(new);
        bytes = bytes.max(largest);
    }
    let elapsed = began.elapsed().as_secs_f64();
    times.sort_unstable();
    let at = |part: usize| times.get(times.len() * part / 1000).copied().unwrap_or_default();
    println!(
        "{:.0} answers/s, p50 {:?}, p99 {:?}, max {:?}; {} different ones, up to {bytes} bytes",
        times.len() as f64 / elapsed,
        at(500),
        at(990),
        at(999),
        tags.len(),
    );
    reader.close().await;
    Ok(())
}

/// The times of one reader's answers, their tags, and the size of the largest.
type Answers = (Vec<Duration>, BTreeSet<Arc<str>>, usize);

#[expect(clippy::disallowed_methods, reason = "a measurement")]
async fn read(
    views: &Views,
    reader: &Reader,
    run: Option<RunId>,
    until: Instant,
) -> Result<Answers, Box<dyn std::error::Error + Send + Sync>> {
    let (mut times, mut tags, mut bytes) = (Vec::new(), BTreeSet::new(), 0);
    let mut newest: Option<(Instant, RunId)> = None;
    while Instant::now() < until {
        let id = match (run, newest) {
            (Some(run), _) => run,
            (None, Some((looked, run))) if looked.elapsed() < LOOK_EVERY => run,
            (None, _) => {
                let rows = reader.runs(&RunFilter::default(), Page::first(1)).await?;
                let (_, row) = rows.first().ok_or("there is no run")?;
                newest = Some((Instant::now(), row.id));
                row.id
            }
        };
        let began = Instant::now();
        let answer = views.run_bytes(id, &Scope::ALL).await?;
        times.push(began.elapsed());
        bytes = bytes.max(answer.bytes.len());
        tags.insert(answer.etag);
    }
    Ok((times, tags, bytes))
}
