//! What a server bears: how many reads a second beside 64 runs and what that costs the runs, what a
//! client of events weighs, and how long a vote and the stop switch take when three times as much is
//! asked as it bears. `cargo xtask load` builds the program and runs it; the figures are one JSON.
//!
//! It is no test: it says how much and judges nothing. It drives the real program over TLS, from the
//! same machine, so what the driver takes of the two is taken from the server.

#![expect(clippy::expect_used, reason = "a measurement ends where anything is not as it should be")]
#![expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "figures for people"
)]

mod drive;
mod place;
mod wire;

use std::io::Write as _;
use std::time::Duration;

use beistand_tests::tool::{now, pause};
use serde_json::{Value, json};

use drive::{Load, Pace, Tally};
use place::Place;

/// Readers at once on connections of their own, unless the second argument says how many.
const READERS: usize = 32;

/// Reads in a second that are to be borne beside the runs.
const READS_ASKED: f64 = 2_200.0;

/// Clients of events.
const STREAMS: usize = 500;

/// Of each who watches: fewer than one person may have.
const STREAMS_OF_ONE: usize = 25;

/// Who asks three times as much as is borne: more than are let in, at work and waiting for a place.
const CROWD: usize = 3 * (32 + 256);

/// How often a vote and the stop switch are tried.
const TRIES: usize = 20;

fn main() {
    let mut arguments = std::env::args().skip(1);
    let mut number = || arguments.next().map(|text| text.parse::<usize>().expect("a number"));
    let seconds = number().unwrap_or(10);
    let readers = number().unwrap_or(READERS);
    let length = Duration::from_secs(seconds as u64);
    let figures = json!({
        "cores": std::thread::available_parallelism().map_or(0, usize::from),
        "seconds_each": seconds,
        "reads": reads(length, readers),
        "streams": streams(),
        "crowd": crowd(length, readers),
    });
    writeln!(std::io::stdout(), "{figures:#}").expect("somebody reads the figures");
}

/// Reads of runs at rest, alone and beside runs that go on, as many as are wanted and as many as are
/// answered; and what the runs lose by them.
fn reads(length: Duration, readers: usize) -> Value {
    let place = Place::new();
    let quiet = place.quiet(readers);
    let paths: Vec<String> = quiet.iter().map(|run| format!("/api/v1/runs/{run}")).collect();
    let alone = Load::start(&place, &paths, (readers, Pace::Answered)).during(length);
    place.busy();
    let steps = |length| {
        let (began, before) = (now(), place.counter("beistand_effects_total"));
        pause(length);
        (place.counter("beistand_effects_total") - before) / began.elapsed().as_secs_f64()
    };
    // What begins all at once is not yet what goes on.
    pause(length / 4);
    let beside = |pace: Pace| {
        let before = steps(length);
        let load = Load::start(&place, &paths, (readers, pace));
        let with = steps(length);
        let figures = load.end().figures();
        let after = steps(length);
        let lost = (100.0 * (1.0 - 2.0 * with / (before + after))).round();
        json!({
            "reads": figures, "steps_lost_percent": lost,
            "steps_per_second": [before.round(), with.round(), after.round()],
        })
    };
    json!({
        "connections": readers,
        "alone": alone.figures(),
        "beside_64_runs_as_wanted": beside(Pace::PerSecond(READS_ASKED)),
        "beside_64_runs_as_answered": beside(Pace::Answered),
    })
}

/// What clients of events weigh, by the memory of the process.
fn streams() -> Value {
    let place = Place::watched_by(STREAMS / STREAMS_OF_ONE);
    place.quiet(1);
    // What the first few cost whoever comes after: connections to the store, and what they keep.
    let mut first = place.streams();
    for _ in 0..5 {
        place.note();
        first.iter_mut().for_each(wire::Wire::event);
    }
    drop(first);
    let before = place.resident_kib();
    let mut streams: Vec<_> = (0..STREAMS_OF_ONE).flat_map(|_| place.streams()).collect();
    let connected = place.resident_kib();
    // All are told of something a few times over.
    for _ in 0..5 {
        place.note();
        for stream in &mut streams {
            stream.event();
        }
    }
    let told = place.resident_kib();
    let each =
        |kib: u64| (kib.saturating_sub(before) as f64 / STREAMS as f64 * 10.0).round() / 10.0;
    json!({
        "clients": STREAMS, "resident_kib_before": before, "resident_kib_after": told,
        "kib_each_connected": each(connected), "kib_each_after_five_events": each(told),
    })
}

/// How long what must get through takes while a crowd asks.
fn crowd(length: Duration, readers: usize) -> Value {
    let place = Place::new();
    let paths: Vec<String> =
        place.quiet(8).iter().map(|run| format!("/api/v1/runs/{run}")).collect();
    let capacity = Load::start(&place, &paths, (readers, Pace::Answered)).during(length);
    let gates = place.gates(TRIES);
    let more = 3.0 * capacity.rate();
    let load = Load::start(&place, &paths, (CROWD, Pace::PerSecond(more)));
    pause(length / 4);
    let mut votes = Tally::default();
    for (need, digest) in &gates {
        votes.took(200, || place.vote(need, digest));
    }
    let mut stops = Tally::default();
    for _ in 0..TRIES {
        stops.took(200, || place.stop());
    }
    let crowd = load.end();
    json!({
        "connections": CROWD, "bears": capacity.figures(), "crowd": crowd.figures(),
        "vote": votes.figures(), "stop": stops.figures(),
    })
}
