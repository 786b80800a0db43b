//! How fast entries become durable: `cargo run --release --example append -- sqlite:append.db 64 5`.
//!
//! Each of N tasks opens a stream and appends one entry after the other, each durable before the
//! next begins. Prints entries a second, the latency of an append, the mean batch, and the
//! machine's own sequential 4 KiB append + fdatasync rate.

use std::io::Write as _;
use std::time::{Duration, Instant};

use beistand_core::entry::StreamKind;
use beistand_core::model::Millis;
use beistand_journal::{Append, Journal, Options, To};

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
#[expect(
    clippy::print_stdout,
    clippy::disallowed_methods,
    clippy::cast_precision_loss,
    reason = "a measurement"
)]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let url = arguments.next().ok_or("usage: append URL [TASKS] [SECONDS]")?;
    let tasks: u64 = arguments.next().map_or(Ok(64), |text| text.parse())?;
    let seconds: u64 = arguments.next().map_or(Ok(5), |text| text.parse())?;

    let syncs = machine()?;
    let journal = Journal::open(&url, Options::new(Millis::new(1_790_000_000_000))).await?;
    let until = Instant::now() + Duration::from_secs(seconds);
    let before = journal.metrics();
    let started = Instant::now();
    let mut running = tokio::task::JoinSet::new();
    for number in 0..tasks {
        let journal = journal.clone();
        running.spawn(async move { drive(journal, number, until).await });
    }
    let mut latencies = Vec::new();
    while let Some(result) = running.join_next().await {
        latencies.extend(result??);
    }
    let elapsed = started.elapsed();
    let metrics = journal.metrics();
    latencies.sort_unstable();
    let at =
        |part: usize| latencies.get(latencies.len() * part / 1000).copied().unwrap_or_default();
    let entries = metrics.entries - before.entries;
    let per_second = entries as f64 / elapsed.as_secs_f64();
    println!(
        "{entries} entries, {per_second:.0}/s, p50 {:?}, p99 {:?}, batch {:.1}, machine {syncs:.0} syncs/s",
        at(500),
        at(990),
        entries as f64 / (metrics.commits - before.commits) as f64,
    );
    journal.close(Millis::new(1_790_000_001_000)).await?;
    Ok(())
}

#[expect(clippy::disallowed_methods, reason = "a measurement")]
async fn drive(
    journal: Journal,
    number: u64,
    until: Instant,
) -> Result<Vec<Duration>, beistand_journal::AppendError> {
    let head = vec![b'h'; 250];
    let body = vec![b'b'; 150];
    let at = Millis::new(1_790_000_000_000);
    let id = format!("0000-{number}-{:?}", Instant::now());
    let to = To::New { kind: StreamKind::Run, id };
    let mut lease = journal.append(Append::new(to, at, head.clone())).await?.lease;
    let mut latencies = Vec::new();
    while Instant::now() < until {
        let asked = Instant::now();
        let append = Append::new(To::Lease(lease), at, head.clone()).body(body.clone());
        lease = journal.append(append).await?.lease;
        latencies.push(asked.elapsed());
    }
    Ok(latencies)
}

/// The machine's own rate of sequential 4 KiB append and fdatasync.
#[expect(clippy::disallowed_methods, reason = "a measurement")]
fn machine() -> std::io::Result<f64> {
    let path = std::env::temp_dir().join(format!("beistand-append-{}", std::process::id()));
    let mut file = std::fs::File::create(&path)?;
    let page = [0; 4096];
    let started = Instant::now();
    let mut syncs = 0_u32;
    while started.elapsed() < Duration::from_secs(1) {
        file.write_all(&page)?;
        file.sync_data()?;
        syncs += 1;
    }
    std::fs::remove_file(&path)?;
    Ok(f64::from(syncs) / started.elapsed().as_secs_f64())
}
