//! One round: a run on a store of its own, its kills, and what was seen of it from outside.

use std::time::Duration;

use beistand_tests::ledger::{Chance, Fate, Ledger, LedgerPlan, Record};
use beistand_tests::program::{Call, DEADLINE, Ended};
use beistand_tests::tool::{now, pause};
use serde_json::Value;

use super::dice::Dice;
use crate::desk::{ANNA, BEN, Desk, announced, service, text};

/// Items of the loop.
const ITEMS: u64 = 4;
/// So often may a person be asked before the round is called stuck.
const SETTLED_MAX: u64 = 40;

/// How a program ends before its time.
#[derive(Debug, Clone, Copy)]
pub(super) enum Blow {
    /// After so long.
    After(Duration),
    /// When it is at a named place for the n-th time.
    At(&'static str, u64),
}

/// What was seen of a round.
#[derive(Debug, Clone)]
pub(super) struct Observed {
    /// What the ledger wrote down.
    pub(super) records: Vec<Record>,
    /// The run, as `show --json` has it.
    pub(super) run: Value,
    /// The lines of the export.
    pub(super) lines: Vec<Value>,
    /// The chain's entries.
    pub(super) chain: Vec<Value>,
    /// The effects that the playbook asks for, by method and path.
    pub(super) wanted: Vec<String>,
    /// The run that was announced as launched, each time.
    pub(super) announced: Vec<String>,
    /// Answers of a person that were accepted.
    pub(super) settled: u64,
    /// How often it was killed.
    pub(super) kills: u64,
    /// The named places it died at.
    pub(super) hits: Vec<&'static str>,
    /// How long its first program lived.
    pub(super) first: Duration,
    /// What went wrong already while it was played.
    pub(super) faults: Vec<String>,
    /// What `verify` ended with.
    pub(super) verified: i32,
}

impl Observed {
    /// For whoever must find out why.
    pub(super) fn told(&self) -> String {
        let records = self.records.iter().map(|record| {
            let (at, key) = (record.at, record.key.as_deref().unwrap_or("no key"));
            format!("{at} {} {} {key} {:?}\n", record.method, record.path, record.fate)
        });
        let heads = self.chain.iter().map(|entry| format!("{} {}\n", entry["at"], entry["head"]));
        let records: String = records.collect();
        let heads: String = heads.collect();
        format!("ledger:\n{records}chain:\n{heads}run: {:#}", self.run)
    }
}

/// Plays a round to rest.
pub(super) fn play(dice: Dice, blows: &[Blow]) -> Observed {
    let desk = Desk::new();
    let ledger = Ledger::start(&desk.path("ledger")).unwrap();
    ledger.plan(&moods(dice)).unwrap();
    desk.configure(&service(&ledger.url()));
    desk.write("campaign.yaml", &playbook(&ledger.url()));
    let mut player = Player::new(&desk, &ledger);
    let run = player.play_out(blows);
    let shown = desk.show(&run);
    let mut lines = desk.export(text(&shown["incident"]));
    let chain = lines.pop().map(|mut line| line["chain"]["entries"].take());
    Observed {
        records: ledger.records().unwrap(),
        run: shown,
        lines,
        chain: chain.and_then(|entries| entries.as_array().cloned()).unwrap_or_default(),
        wanted: wanted(),
        announced: player.announced,
        settled: player.settled,
        kills: player.kills,
        hits: player.hits,
        first: player.first,
        faults: player.faults,
        verified: desk.done(&["verify"]).code(),
    }
}

/// The world is not kind: one request in three goes wrong in some way.
fn moods(mut dice: Dice) -> LedgerPlan {
    let chances = [
        (Fate::DoneLate, 80),
        (Fate::DoneTwice, 40),
        (Fate::DoneUnsaid, 60),
        (Fate::DoneBadly, 40),
        (Fate::Lost, 60),
        (Fate::Unavailable, 60),
        (Fate::Refused, 20),
    ];
    let chances = chances.map(|(fate, per_mille)| Chance { fate, per_mille });
    let chances = chances.to_vec();
    LedgerPlan { chances, seed: dice.next(), late_ms: 30, ..LedgerPlan::default() }
}

/// `PUT` may be repeated with its key, `POST` never.
fn playbook(url: &str) -> String {
    let call = |method: &str, class: &str, name: &str| {
        format!(
            "call: http.request, with: {{ method: {method}, url: {{ base: \"{url}/\", \
             path: [{class}, \"{name}\"] }}, body: {{ of: \"{name}\" }} }}, \
             retry: {{ attempts: 4, initial: 20ms, max: 100ms }}, on_error: continue }}\n"
        )
    };
    let (put, post) =
        (|name: &str| call("PUT", "put", name), |name: &str| call("POST", "once", name));
    [
        "playbook: campaign\nlanguage: 1\ntitle: Kill campaign\nsteps:\n".to_owned(),
        format!("  - {{ id: opening, {}", put("opening")),
        format!("  - {{ id: alarm, {}", post("alarm")),
        "  - { id: reckon, script: \"let sum = 0; for n in 0..100 { sum += n } sum\" }\n"
            .to_owned(),
        format!("  - id: hosts\n    for_each: {ITEMS}\n    max_parallel: 2\n    steps:\n"),
        format!("      - {{ id: cut, {}", put("cut-${item_index}")),
        format!("      - {{ id: tell, {}", post("tell-${item_index}")),
        "  - { id: said, note: \"the sum is ${steps.reckon.output}\" }\n".to_owned(),
        format!("  - {{ id: closing, {}", post("closing")),
    ]
    .concat()
}

fn wanted() -> Vec<String> {
    let mut wanted = vec!["PUT /put/opening".to_owned(), "POST /once/alarm".to_owned()];
    for index in 0..ITEMS {
        wanted.push(format!("PUT /put/cut-{index}"));
        wanted.push(format!("POST /once/tell-{index}"));
    }
    wanted.push("POST /once/closing".to_owned());
    wanted
}

struct Player<'a> {
    desk: &'a Desk,
    ledger: &'a Ledger,
    announced: Vec<String>,
    settled: u64,
    kills: u64,
    hits: Vec<&'static str>,
    first: Duration,
    faults: Vec<String>,
}

impl<'a> Player<'a> {
    fn new(desk: &'a Desk, ledger: &'a Ledger) -> Self {
        let (announced, hits, faults) = (Vec::new(), Vec::new(), Vec::new());
        Self { desk, ledger, announced, settled: 0, kills: 0, hits, first: Duration::ZERO, faults }
    }

    /// Kills it as planned, starts it again, settles what nobody knows; the run's id.
    fn play_out(&mut self, blows: &[Blow]) -> String {
        let begun = now();
        let mut ended = false;
        for blow in blows {
            let end = self.strike(*blow);
            if self.first.is_zero() {
                self.first = begun.elapsed();
            }
            ended = self.at_rest(&end);
            if ended {
                break;
            }
        }
        while !ended {
            let end = self.next().run().unwrap();
            if self.first.is_zero() {
                self.first = begun.elapsed();
            }
            self.heard(&end);
            ended = self.at_rest(&end);
            if !ended {
                self.faults.push(format!("ended with {}: {}", end.code(), end.stderr));
                break;
            }
        }
        let Some(run) = self.announced.first().cloned() else {
            panic!("nothing was ever announced: {:#?}", self.faults)
        };
        while self.settle(&run) {
            let end = self.next().run().unwrap();
            if !self.at_rest(&end) || self.settled > SETTLED_MAX {
                self.faults.push(format!("stuck with {}: {}", end.code(), end.stderr));
                break;
            }
        }
        run
    }

    /// Until a run is known to be there it is launched, always with the same key; then taken up.
    fn next(&self) -> Call {
        match self.announced.first() {
            None => self.desk.call(&["run", "campaign.yaml", "--start-key", "one", "--as", ANNA]),
            Some(_) => self.desk.call(&["resume", "--as", ANNA]),
        }
    }

    fn strike(&mut self, blow: Blow) -> Ended {
        let end = match blow {
            Blow::After(length) => {
                let running = self.next().start().unwrap();
                pause(length);
                running.kill().unwrap()
            }
            Blow::At(point, often) => {
                let call = self.next().env("BEISTAND_CRASH_AT", format!("{point}:{often}"));
                let end = call.start().unwrap().wait(DEADLINE).unwrap();
                if end.code() == -9 {
                    self.hits.push(point);
                }
                end
            }
        };
        self.kills += u64::from(end.code() == -9);
        self.heard(&end);
        end
    }

    fn heard(&mut self, end: &Ended) {
        self.announced.extend(announced(&end.stderr));
    }

    fn at_rest(&mut self, end: &Ended) -> bool {
        match end.code() {
            0 | 6 => true,
            -9 => false,
            code => {
                self.faults.push(format!("ended with {code}: {}", end.stderr));
                false
            }
        }
    }

    /// A person looks at the truth. Whether there was something to settle.
    fn settle(&mut self, run: &str) -> bool {
        let needs = self.desk.needs(run);
        for need in &needs {
            let path = text(&need["step"]);
            if need["kind"] != "unknown" {
                self.faults.push(format!("{path} asks for {}", need["kind"]));
                return false;
            }
            let shown = self.desk.show(run);
            let key = crate::desk::step(&shown, path)["key"].clone();
            let records = self.ledger.records().unwrap();
            let done = records
                .iter()
                .any(|record| record.fate.is_done() && record.key.as_deref() == key.as_str());
            let truth = if done { "done" } else { "not-done" };
            let words = ["resolve", run, path, truth, "--reason", "looked", "--as", BEN];
            let end = self.desk.done(&words);
            if end.code() == 0 {
                self.settled += 1;
            } else {
                self.faults.push(format!("{words:?} ended with {}: {}", end.code(), end.stderr));
                return false;
            }
        }
        !needs.is_empty()
    }
}
