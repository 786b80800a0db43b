//! The judge bites: each planted fault turns it red, and by the law it breaks.
//!
//! The faults are planted into what was seen of a real round, because the program that users get
//! has no switch that makes it unsafe.

use beistand_tests::ledger::{Fate, Record};
use serde_json::{Value, json};

use super::dice::Dice;
use super::judge::{Fault, judge};
use super::round::{Blow, Observed, play};

/// A round that was killed once, in which an answer to `PUT` was lost and sent again.
fn witnessed() -> Observed {
    for seed in 1..50 {
        let seen = play(Dice::new(seed, 0), &[Blow::At("after_effect", 3)]);
        let again = repeated(&seen).is_some();
        let posted =
            seen.records.iter().any(|record| record.method == "POST" && record.fate.is_done());
        if again && posted && seen.settled > 0 {
            assert_eq!(judge(&seen), [], "before anything is planted\n{}", seen.told());
            return seen;
        }
    }
    panic!("no round had an answer that was lost")
}

/// The place of a request that repeats an earlier one.
fn repeated(seen: &Observed) -> Option<usize> {
    seen.records.iter().enumerate().skip(1).find_map(|(index, record)| {
        let earlier = seen.records.get(..index)?;
        let same = |other: &Record| other.path == record.path && record.method == "PUT";
        earlier.iter().any(same).then_some(index)
    })
}

#[test]
fn every_planted_fault_turns_the_judge_red() {
    let seen = witnessed();
    let red = |plant: &dyn Fn(&mut Observed)| {
        let mut planted = seen.clone();
        plant(&mut planted);
        judge(&planted)
    };
    let has = |faults: &[Fault], law: fn(&Fault) -> bool| {
        assert!(faults.iter().any(law), "{faults:?}");
    };

    let new_key_on_retry = red(&|seen| {
        let index = repeated(seen).unwrap();
        seen.records[index].key = Some("f".repeat(32));
    });
    has(&new_key_on_retry, |fault| matches!(fault, Fault::OtherKey(_)));

    let no_intent = red(&|seen| drop_events(seen, "attempt-started"));
    has(&no_intent, |fault| matches!(fault, Fault::NoIntent(_)));

    // Effects began before their intent was durable: its commit came later, or never.
    let effect_before_commit = red(&|seen| {
        let first = seen.records[0].at;
        for entry in &mut seen.chain {
            let late = entry["at"].as_u64().unwrap().max(first + 1);
            entry["at"] = json!(late);
        }
    });
    has(&effect_before_commit, |fault| matches!(fault, Fault::NoIntent(_)));

    let acknowledged_before_commit = red(&|seen| drop_events(seen, "need-answered"));
    has(&acknowledged_before_commit, |fault| matches!(fault, Fault::Forgotten(_)));
    let another_run = red(&|seen| seen.announced.push("another".to_owned()));
    has(&another_run, |fault| matches!(fault, Fault::Forgotten(_)));

    let repeated_once = red(&|seen| {
        let done = |record: &&Record| record.method == "POST" && record.fate.is_done();
        let again = seen.records.iter().find(done).unwrap().clone();
        seen.records.push(again);
    });
    has(&repeated_once, |fault| matches!(fault, Fault::Repeated(_)));

    let lost = red(&|seen| seen.records.retain(|record| record.path != "/once/closing"));
    has(&lost, |fault| matches!(fault, Fault::Lost(_)));

    let untrue = red(&|seen| {
        for record in &mut seen.records {
            record.fate = Fate::Lost;
        }
    });
    has(&untrue, |fault| matches!(fault, Fault::Untrue(_)));

    let untold = red(&|seen| seen.lines.clear());
    has(&untold, |fault| matches!(fault, Fault::Untold(_)));

    let stuck = red(&|seen| seen.run["status"] = json!("running"));
    has(&stuck, |fault| matches!(fault, Fault::Stuck(_)));
}

/// Takes events of one kind out of the chain, as if they had never been written.
fn drop_events(seen: &mut Observed, kind: &str) {
    for entry in &mut seen.chain {
        let mut head: Value = serde_json::from_str(entry["head"].as_str().unwrap()).unwrap();
        if let Some(events) = head["events"].as_array_mut() {
            events.retain(|event| event["k"] != kind);
        }
        entry["head"] = json!(head.to_string());
    }
}
