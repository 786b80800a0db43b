//! People in other terminals: the store has one owner, and everybody can be heard.

use std::thread;
use std::time::Duration;

use beistand_tests::ledger::{Chance, Fate, Ledger, LedgerPlan};
use beistand_tests::program::{Ended, Running};
use beistand_tests::tool::{PATIENCE, environment, now, wait_for};
use serde_json::Value;

use crate::desk::{ANNA, BEN, Desk, announced, service, step, text};

const CARLA: &str = "carla";
/// How often two people vote at once.
const VOTES: usize = 20;

/// A desk where a run goes on by itself: work that takes long beside gates.
struct Office {
    desk: Desk,
    ledger: Ledger,
}

impl Office {
    fn open(gates: usize, rounds: usize, late_ms: u64) -> Self {
        let desk = Desk::new();
        let ledger = Ledger::start(&desk.path("ledger")).unwrap();
        let chances = vec![Chance { fate: Fate::DoneLate, per_mille: 1000 }];
        ledger.plan(&LedgerPlan { chances, late_ms, ..LedgerPlan::default() }).unwrap();
        desk.configure(&service(&ledger.url()));
        let put = |name: &str| {
            format!(
                "{{ method: PUT, url: {{ base: \"{}/\", path: [{name}, \"${{item_index}}\"] }} }}",
                ledger.url()
            )
        };
        let playbook = format!(
            "playbook: office\nlanguage: 1\ntitle: Work goes on\nsteps:\n\
             \x20 - id: both\n    parallel:\n      work:\n        - id: work\n          for_each: {rounds}\n          steps:\n\
             \x20           - {{ id: put, call: http.request, with: {} }}\n\
             \x20     people:\n        - id: asked\n          for_each: {gates}\n          steps:\n\
             \x20           - {{ id: gate, approve: {{ role: commander, votes: 1, shows: \"go ${{item_index}}\" }} }}\n\
             \x20           - {{ id: sent, call: http.request, with: {} }}\n",
            put("work"),
            put("go"),
        );
        desk.write("office.yaml", &playbook);
        Self { desk, ledger }
    }

    /// Starts the run in a process of its own and waits for its first gate.
    fn start(&self) -> (Running, String) {
        let running = self.desk.call(&["run", "office.yaml", "--as", ANNA]).start().unwrap();
        let run = wait_for("the run", PATIENCE, || Ok(announced(&running.stderr()))).unwrap();
        (running, run)
    }

    /// The gate that is open, once it is another than the last.
    fn gate(&self, run: &str, last: Option<&str>) -> Value {
        wait_for("a gate", PATIENCE, || {
            let needs = self.desk.needs(run);
            Ok(needs.into_iter().find(|need| need["id"].as_str() != last))
        })
        .unwrap()
    }

    fn vote(&self, gate: &Value, who: &str) -> Ended {
        let words = ["approve", text(&gate["id"]), "--digest", text(&gate["digest"]), "--as", who];
        self.desk.done(&words)
    }

    /// Two people vote at the same instant: one vote counts, the other comes too late.
    fn both_vote(&self, gate: &Value) {
        let mut codes = thread::scope(|scope| {
            let voters = [BEN, CARLA].map(|who| scope.spawn(move || self.vote(gate, who)));
            voters.map(|voter| voter.join().unwrap())
        });
        codes.sort_by_key(Ended::code);
        let told = format!("{}: {} / {}", gate["step"], codes[0].stderr, codes[1].stderr);
        assert_eq!(codes.each_ref().map(Ended::code), [0, 7], "{told}");
    }
}

#[test]
fn a_gate_is_answered_in_another_process_while_the_run_goes_on() {
    // Long enough that the run is still at work when a busy machine comes to the vote; a run that
    // only waits leaves, and what is voted then waits for `resume`.
    let office = Office::open(1, 400, 50);
    let (running, run) = office.start();
    let gate = office.gate(&run, None);
    let begun = now();
    office.vote(&gate, BEN).expect_code(0).unwrap();
    assert!(begun.elapsed() < Duration::from_secs(5));
    let went = || office.ledger.records().unwrap().iter().any(|record| record.path == "/go/0");
    wait_for("the effect behind the gate", PATIENCE, || Ok(went().then_some(()))).unwrap();
    let shown = office.desk.show(&run);
    assert_eq!(shown["status"], "running", "the other branch was not disturbed");
    running.wait(PATIENCE * 2).unwrap().expect_code(0).unwrap();
    let shown = office.desk.show(&run);
    assert_eq!(shown["status"], "succeeded");
    assert_eq!(step(&shown, "both/people/asked[0]/gate")["status"], "succeeded");
    assert_eq!(office.ledger.records().unwrap().len(), 401);
}

#[test]
fn a_requester_does_not_approve_and_a_stale_digest_does_not_count() {
    let office = Office::open(1, 60, 50);
    let (running, run) = office.start();
    let gate = office.gate(&run, None);
    office.vote(&gate, ANNA).expect_code(5).unwrap();
    let other = format!("sha256:{}", "0".repeat(64));
    let words = ["approve", text(&gate["id"]), "--digest", &other, "--as", BEN];
    office.desk.ok(7, &words);
    office.vote(&gate, BEN).expect_code(0).unwrap();
    office.vote(&gate, CARLA).expect_code(7).unwrap();
    drop(running);
}

/// `BEISTAND_VOTES` says how often.
#[test]
fn two_approvers_at_once_have_one_outcome() {
    let rounds = environment("BEISTAND_VOTES").map_or(VOTES, |text| text.parse().unwrap());
    let office = Office::open(rounds, 10_000, 20);
    let (running, run) = office.start();
    let mut last: Option<String> = None;
    for _ in 0..rounds {
        let gate = office.gate(&run, last.as_deref());
        office.both_vote(&gate);
        last = Some(text(&gate["id"]).to_owned());
    }
    let went = || {
        let records = office.ledger.records().unwrap();
        let count = records.iter().filter(|record| record.path.starts_with("/go/")).count();
        Ok((count == rounds).then_some(()))
    };
    wait_for("every effect behind a gate", PATIENCE, went).unwrap();
    drop(running);
    let shown = office.desk.show(&run);
    let lines = office.desk.export(text(&shown["incident"]));
    let chain = lines.last().unwrap()["chain"]["entries"].as_array().unwrap();
    let heads: String = chain.iter().map(|entry| text(&entry["head"])).collect();
    assert_eq!(heads.matches(r#""k":"voted""#).count(), rounds, "one vote a gate");
}

/// The owner has gone: whoever comes first takes the lock, the other is heard all the same.
#[test]
fn two_approvers_at_once_without_an_owner_have_one_outcome() {
    for _ in 0..3 {
        let office = Office::open(1, 1, 1);
        let ended = office.desk.done(&["run", "office.yaml", "--as", ANNA]);
        ended.expect_code(6).unwrap();
        let run = announced(&ended.stderr).unwrap();
        let gate = office.gate(&run, None);
        office.both_vote(&gate);
        office.desk.ok(0, &["resume"]);
        assert_eq!(office.desk.show(&run)["status"], "succeeded");
    }
}
