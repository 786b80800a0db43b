//! Many who ask as fast as they are answered, and what became of it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use beistand_tests::tool::{now, pause};
use serde_json::{Value, json};

use crate::place::Place;
use crate::wire::Wire;

/// Enough for one that only reads and writes.
const STACK_BYTES: usize = 256 << 10;

/// When each asks again.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Pace {
    /// As soon as it is answered.
    Answered,
    /// So many a second by all of them together, answered or not yet: as far as that goes with one
    /// request on each connection.
    PerSecond(f64),
}

impl Pace {
    fn apart(self, count: usize) -> Duration {
        match self {
            Self::Answered => Duration::ZERO,
            Self::PerSecond(rate) => Duration::from_secs_f64(count as f64 / rate.max(1.0)),
        }
    }
}

/// How many of which answer, and how long those with the wanted one took.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    statuses: BTreeMap<u16, u64>,
    micros: Vec<u64>,
    seconds: f64,
}

impl Tally {
    /// One more that took as long as this.
    pub(crate) fn took(&mut self, wanted: u16, asks: impl FnOnce() -> u16) {
        let began = now();
        let status = asks();
        *self.statuses.entry(status).or_default() += 1;
        if status == wanted {
            self.micros.push(u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX));
        }
    }

    /// Answers of the wanted kind in a second.
    pub(crate) fn rate(&self) -> f64 {
        self.micros.len() as f64 / self.seconds.max(0.001)
    }

    fn add(&mut self, other: Self) {
        for (status, count) in other.statuses {
            *self.statuses.entry(status).or_default() += count;
        }
        self.micros.extend(other.micros);
    }

    /// What a table shows: milliseconds, and answers by their status; 0: the
    /// connection was lost.
    pub(crate) fn figures(mut self) -> Value {
        self.micros.sort_unstable();
        let at = |part: f64| {
            let last = self.micros.len().saturating_sub(1);
            let micros = self.micros.get((part * last as f64).round() as usize);
            micros.map(|micros| *micros as f64 / 1_000.0)
        };
        let rate = (self.seconds > 0.0).then(|| self.rate().round());
        let asked = self.statuses.values().sum::<u64>() as f64 / self.seconds;
        let asked = (self.seconds > 0.0).then(|| asked.round());
        let statuses: BTreeMap<String, u64> =
            self.statuses.iter().map(|(status, count)| (status.to_string(), *count)).collect();
        json!({
            "per_second": rate, "asked_per_second": asked, "ms_p50": at(0.5), "ms_p99": at(0.99), "ms_max": at(1.0),
            "answers": statuses,
        })
    }
}

/// A crowd at work.
#[derive(Debug)]
pub(crate) struct Load {
    over: Arc<AtomicBool>,
    began: Instant,
    threads: Vec<JoinHandle<Tally>>,
}

impl Load {
    /// So many, each on a connection of its own that is there before any of them asks.
    pub(crate) fn start(place: &Place, paths: &[String], (count, asks): (usize, Pace)) -> Self {
        let over = Arc::new(AtomicBool::new(false));
        let wires: Vec<Wire> = (0..count).map(|_| place.wire()).collect();
        let began = now();
        let threads = wires.into_iter().enumerate().map(|(number, mut wire)| {
            let path = paths.get(number % paths.len()).cloned().unwrap_or_default();
            let (over, token) = (Arc::clone(&over), place.token().to_owned());
            let (way, apart) = (place.way().clone(), asks.apart(count));
            // Not all in the same instant.
            let mut next = began + apart.mul_f64(number as f64 / count as f64);
            let work = move || {
                let mut tally = Tally::default();
                while !over.load(Ordering::Relaxed) {
                    pause(next.saturating_duration_since(now()));
                    next = (next + apart).max(now());
                    tally.took(200, || wire.get(&path, &token, &way));
                }
                tally
            };
            let builder = thread::Builder::new().stack_size(STACK_BYTES);
            builder.spawn(work).expect("a thread for each who asks")
        });
        Self { threads: threads.collect(), began, over }
    }

    /// For so long, and what came of it.
    pub(crate) fn during(self, length: Duration) -> Tally {
        pause(length);
        self.end()
    }

    /// It is over; what came of it.
    pub(crate) fn end(self) -> Tally {
        let seconds = self.began.elapsed().as_secs_f64();
        self.over.store(true, Ordering::Relaxed);
        let mut all = Tally { seconds, ..Tally::default() };
        for thread in self.threads {
            all.add(thread.join().expect("who asks does not fall over"));
        }
        all
    }
}
