//! Disks that fail: the plug is pulled, a sync fails, space runs out. What was acknowledged stays,
//! and what can not be made durable is not begun.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::time::Duration;

use beistand_tests::disk::{Disk, SmallDisk};
use beistand_tests::ledger::{Ledger, Record};
use beistand_tests::program::{Call, Running};
use beistand_tests::tool::{PATIENCE, environment, now, pause, wait_for};
use rustix::process::Signal;
use serde_json::Value;

use crate::desk::{ANNA, Desk, announced, service, text};

/// Power cuts in CI; `BEISTAND_POWER_ROUNDS` says otherwise.
const ROUNDS: u32 = 6;
/// Room for a store and its reserve.
const DISK_MIB: u32 = 64;

/// A run of many effects, one after the other.
fn work(desk: &Desk, url: &str, effects: u32) {
    desk.configure(&service(url));
    let playbook = format!(
        "playbook: work\nlanguage: 1\ntitle: Work\nsteps:\n  - id: all\n    for_each: {effects}\n    steps:\n      \
         - {{ id: put, call: http.request, with: {{ method: PUT, \
         url: {{ base: \"{url}/\", path: [put, \"${{item_index}}\"] }} }} }}\n"
    );
    desk.write("work.yaml", &playbook);
}

const RUN: [&str; 6] = ["run", "work.yaml", "--start-key", "one", "--as", ANNA];

/// What a power cut showed.
struct Cut {
    /// Effects that took place up to the cut.
    effects: usize,
    /// Effects whose intent the disk has forgotten.
    forgotten: usize,
}

/// Cuts the power while a run writes, and takes the run up on what is left of the disk.
fn cut(after: Duration, start: impl Fn(&Desk) -> Call) -> Cut {
    let outside = tempfile::tempdir().unwrap();
    let ledger = Ledger::start(&outside.path().join("ledger")).unwrap();
    let mut device = Disk::make(DISK_MIB).unwrap();
    let desk = Desk::at(&device.path().join("desk"));
    work(&desk, &ledger.url(), 400);
    // What the administrator put there was there for long.
    rustix_sync();
    let running = start(&desk).start().unwrap();
    let sent = || Ok((ledger.records()?.len() > 3).then_some(()));
    wait_for("effects", PATIENCE, sent).unwrap();
    pause(after);
    // No machine goes on while its power is cut: it stops, and the disk is what it is.
    freeze(&running);
    let remains = device.cut().unwrap();
    let records = ledger.records().unwrap();
    running.kill().unwrap();

    let desk = Desk::at(&remains.path().join("desk"));
    let known = intents(&desk);
    let forgotten = |record: &&Record| record.key.as_ref().is_none_or(|key| !known.contains(key));
    let cut = Cut { effects: records.len(), forgotten: records.iter().filter(forgotten).count() };
    if cut.forgotten == 0 {
        to_the_end(&desk, &ledger);
    }
    cut
}

/// Stops every thread of the program and of those it runs under.
fn freeze(running: &Running) {
    running.signal(Signal::STOP).unwrap();
    pause(Duration::from_millis(20));
}

/// The keys of all intents that the store has, through an export.
fn intents(desk: &Desk) -> BTreeSet<String> {
    let runs = desk.done(&["runs", "--json"]);
    let Ok(runs) = runs.json(0) else { return BTreeSet::new() };
    let mut keys = BTreeSet::new();
    for run in runs.as_array().unwrap() {
        let lines = desk.export(text(&run["incident"]));
        for entry in lines.last().unwrap()["chain"]["entries"].as_array().unwrap() {
            let head: Value = serde_json::from_str(text(&entry["head"])).unwrap();
            let events = head["events"].as_array().cloned().unwrap_or_default();
            keys.extend(events.iter().filter_map(|event| event["key"].as_str()).map(str::to_owned));
        }
    }
    keys
}

fn to_the_end(desk: &Desk, ledger: &Ledger) {
    desk.ok(0, &["verify"]);
    desk.ok(0, &RUN);
    let runs = desk.json(&["runs"]);
    let [run] = runs.as_array().unwrap().as_slice() else { panic!("one run: {runs}") };
    assert_eq!(run["status"], "succeeded");
    let records = ledger.records().unwrap();
    let mut keys = BTreeSet::new();
    for index in 0..400 {
        let path = format!("/put/{index}");
        let of: BTreeSet<&str> = records
            .iter()
            .filter(|record| record.path == path)
            .filter_map(|record| record.key.as_deref())
            .collect();
        assert_eq!(of.len(), 1, "{path}: one effect, one key");
        keys.extend(of);
    }
    assert_eq!(keys.len(), 400);
}

#[test]
fn what_was_begun_before_a_power_cut_is_known_after_it() {
    let rounds = environment("BEISTAND_POWER_ROUNDS").map_or(ROUNDS, |text| text.parse().unwrap());
    let mut effects = 0;
    for round in 0..rounds {
        let after = Duration::from_millis(u64::from(round) * 37 % 250);
        let cut = cut(after, |desk| desk.call(&RUN));
        assert_eq!(cut.forgotten, 0, "round {round}: of {} effects", cut.effects);
        effects += cut.effects;
    }
    println!("{rounds} of {rounds} power cuts: {effects} effects, all of them known");
}

/// The same with a planted fault: every sync is said to have been done and was not, which is what
/// `synchronous=OFF` comes to. If this did not turn red, the test above would prove nothing.
#[test]
fn a_program_that_does_not_sync_is_caught_by_a_power_cut() {
    let lies = "inject=fsync,fdatasync,sync_file_range,msync:retval=0";
    let strace =
        ["strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=fsync,fdatasync", "-e", lies];
    let cut = cut(Duration::from_millis(100), |desk| desk.under(&strace, &RUN));
    assert!(cut.effects > 3);
    assert!(cut.forgotten > 0, "{} effects and all of them known", cut.effects);
}

#[test]
fn after_a_sync_that_failed_nothing_is_begun_and_the_program_ends_with_70() {
    let desk = Desk::new();
    let ledger = Ledger::start(&desk.path("ledger")).unwrap();
    work(&desk, &ledger.url(), 400);
    let fails = "inject=fsync,fdatasync:error=EIO:when=40+";
    let strace = ["strace", "-f", "-qq", "-ttt", "-o", "strace.log", "-e", "trace=fsync,fdatasync"];
    let wrapper = [&strace[..], &["-e", fails]].concat();
    let ended = desk.under(&wrapper, &RUN).run().unwrap();
    ended.expect_code(70).unwrap();
    assert!(ended.stderr.contains("I/O error"), "in words: {}", ended.stderr);
    assert!(ended.stderr.contains("beistand resume"), "with the way out: {}", ended.stderr);

    let failed = first_failure(&desk.path("strace.log"));
    let records = ledger.records().unwrap();
    let after = records.iter().filter(|record| record.at > failed).count();
    assert!(!records.is_empty(), "it must fail in the middle");
    assert_eq!(after, 0, "effects after the sync that failed");
    let begun = now();
    to_the_end(&desk, &ledger);
    assert!(begun.elapsed() < PATIENCE);
}

/// From the first byte on: a program that was killed while it made its store is started again.
#[test]
fn a_kill_at_each_of_the_first_syncs_leaves_a_store_that_opens() {
    for nth in 1..=12 {
        let desk = Desk::new();
        let ledger = Ledger::start(&desk.path("ledger")).unwrap();
        work(&desk, &ledger.url(), 2);
        let kill = format!("inject=fsync,fdatasync:signal=SIGKILL:when={nth}");
        let strace = ["strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=fsync,fdatasync"];
        let wrapper = [&strace[..], &["-e", &kill]].concat();
        let killed = desk.under(&wrapper, &RUN).run().unwrap();
        assert_eq!(killed.code(), -9, "sync {nth}: {}", killed.stderr);
        let again = desk.done(&RUN);
        again.expect_code(0).unwrap_or_else(|trouble| panic!("sync {nth}: {trouble}"));
        desk.ok(0, &["verify"]);
    }
}

/// When the first sync was made to fail, in milliseconds since 1970.
fn first_failure(log: &Path) -> u64 {
    let log = fs::read_to_string(log).unwrap();
    let line = log.lines().find(|line| line.contains("(INJECTED)")).unwrap();
    // `pid seconds.micros call(…) = -1 EIO (Input/output error) (INJECTED)`
    let time = line.split_whitespace().nth(1).unwrap();
    let (seconds, micros) = time.split_once('.').unwrap();
    seconds.parse::<u64>().unwrap() * 1000 + micros.parse::<u64>().unwrap() / 1000
}

#[test]
fn a_full_disk_is_said_in_words_and_the_work_goes_on_when_there_is_space() {
    let outside = tempfile::tempdir().unwrap();
    let ledger = Ledger::start(&outside.path().join("ledger")).unwrap();
    let device = SmallDisk::make(16).unwrap();
    let desk = Desk::at(&device.path().join("desk"));
    work(&desk, &ledger.url(), 400);
    let running = desk.call(&RUN).start().unwrap();
    let run = wait_for("the run", PATIENCE, || Ok(announced(&running.stderr()))).unwrap();
    let begun = || Ok((!ledger.records().unwrap().is_empty()).then_some(()));
    wait_for("the first effect", PATIENCE, begun).unwrap();
    let ballast = device.path().join("ballast");
    fill(&ballast);
    let said = || Ok(running.stderr().contains("full").then_some(()));
    wait_for("a word about the full disk", PATIENCE, said).unwrap();

    let before = ledger.records().unwrap().len();
    assert_eq!(desk.show(&run)["status"], "running", "it can still be looked at");
    let refused = desk.done(&["run", "work.yaml", "--as", ANNA]);
    refused.expect_code(69).unwrap();
    assert!(refused.stderr.contains("full"), "in words: {}", refused.stderr);
    pause(Duration::from_millis(1500));
    let during = ledger.records().unwrap().len() - before;
    assert!(during <= 1, "{during} effects without a durable intent");

    fs::remove_file(&ballast).unwrap();
    running.wait(PATIENCE * 2).unwrap().expect_code(0).unwrap();
    to_the_end(&desk, &ledger);
}

/// Takes all space that is left, to the last page.
fn fill(ballast: &Path) {
    use std::io::Write as _;
    let mut file = fs::File::create(ballast).unwrap();
    for size in [1 << 16, 1 << 12] {
        while file.write_all(&vec![0; size]).is_ok() {}
    }
}

fn rustix_sync() {
    beistand_tests::tool::call("sync", &[]).unwrap();
}
