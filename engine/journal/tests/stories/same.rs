//! The same commands give the same state on both stores.

use beistand_core::entry::StreamKind;
use beistand_core::model::Mode;
use beistand_journal::{
    Append, Change, Gate, Guard, Hold, HoldKey, HoldState, Journal, Lease, Next, Options, Page,
    RunFilter, Signal, To,
};
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;

use super::{Place, at, put_run, run_id};

/// What a step of the story does.
#[derive(Debug, Clone)]
enum Step {
    Open(u64),
    Append { run: u64, kind: u8, gated: bool },
    Rest { run: u64, due: Option<i64> },
    Wake { run: u64, due: i64 },
    Claim { now: i64, limit: u32 },
    Stop(bool),
    Seal,
}

fn step() -> impl Strategy<Value = Step> {
    let run = 1_u64..8;
    prop_oneof![
        2 => run.clone().prop_map(Step::Open),
        6 => (run.clone(), 0_u8..8, any::<bool>())
            .prop_map(|(run, kind, gated)| Step::Append { run, kind, gated }),
        2 => (run.clone(), proptest::option::of(0_i64..50)).prop_map(|(run, due)| Step::Rest { run, due }),
        1 => (run, 0_i64..50).prop_map(|(run, due)| Step::Wake { run, due }),
        1 => (0_i64..50, 1_u32..4).prop_map(|(now, limit)| Step::Claim { now, limit }),
        1 => any::<bool>().prop_map(Step::Stop),
        1 => Just(Step::Seal),
    ]
}

#[expect(clippy::unnecessary_wraps, reason = "the shape that the journal asks for")]
/// Salts must be the same on both for hashes to be the same.
fn random(bytes: &mut [u8]) -> Result<(), getrandom::Error> {
    bytes.fill(7);
    Ok(())
}

fn change(run: u64, kind: u8, now: i64) -> (Option<Guard>, Option<Change>) {
    let key = HoldKey {
        mode: Mode::Live,
        target: format!("host:pc-{}", run % 2),
        effect: "network.isolate".to_owned(),
        connector: "core-router".parse().unwrap(),
        run: run_id(run),
        path: "cut".parse().unwrap(),
    };
    let hold = |state| {
        Some(Change::PutHold(Box::new(Hold {
            key: key.clone(),
            state,
            since: at(now),
            organisation: None,
            body: "{}".to_owned(),
        })))
    };
    match kind {
        0 => (Some(Guard::TargetFree { hold: key.clone() }), hold(HoldState::Taking)),
        1 => (Some(Guard::NotHeld { hold: key.clone() }), hold(HoldState::Held)),
        2 => (Some(Guard::LastHold { hold: key.clone() }), Some(Change::RemoveHold(key.clone()))),
        3 => {
            let key = (now % 3).to_string();
            let body = now.to_string();
            let signal = Signal {
                run: run_id(run),
                name: "x".to_owned(),
                key,
                at: at(now),
                used_at: None,
                body,
            };
            (None, Some(Change::AddSignal(Box::new(signal))))
        }
        4 => (None, Some(Change::Snapshot { bytes: now.to_be_bytes().to_vec() })),
        5 => {
            let (status, ended_at) = ("failed".to_owned(), Some(at(now)));
            (
                None,
                Some(Change::RunStatus { run: run_id(run), status, ended_at, superseded_by: None }),
            )
        }
        _ => (None, None),
    }
}

#[expect(clippy::too_many_lines, reason = "one arm a kind of step")]
/// What a store says of itself after the story, and what it answered on the way.
async fn told(url: &str, steps: &[Step]) -> Vec<String> {
    let journal = Journal::open(url, Options { random, ..Options::new(at(0)) }).await.unwrap();
    let store = journal.meta().store.to_string();
    let mut leases: std::collections::BTreeMap<u64, Lease> = std::collections::BTreeMap::new();
    let mut said = Vec::new();
    for (now, step) in (1_i64..).zip(steps) {
        let head = format!(r#"{{"now":{now}}}"#).into_bytes();
        said.push(match step {
            Step::Open(run) => {
                let to = To::New { kind: StreamKind::Run, id: run_id(*run).to_string() };
                let result =
                    journal.append(Append::new(to, at(now), head).change(put_run(*run))).await;
                let words = words(&result);
                leases.extend(result.ok().map(|appended| (*run, appended.lease)));
                words
            }
            Step::Append { run, kind, gated } => {
                let Some(lease) = leases.get(run).cloned() else { continue };
                let (guard, change) = change(*run, *kind, now);
                let mut append = Append::new(To::Lease(lease), at(now), head).body(vec![*kind; 9]);
                append.gate = if *gated { Gate::UnlessStopped } else { Gate::Open };
                append.guards.extend(guard);
                append.changes.extend(change);
                let result = journal.append(append).await;
                let words = words(&result);
                leases.extend(result.ok().map(|appended| (*run, appended.lease)));
                words
            }
            Step::Rest { run, due } => {
                let Some(lease) = leases.get(run).cloned() else { continue };
                let next = Next::Release { due: due.map(at) };
                words(
                    &journal.append(Append::new(To::Lease(lease), at(now), head).next(next)).await,
                )
            }
            Step::Wake { run, due } => {
                let to = To::End { kind: StreamKind::Store, id: store.clone() };
                let (kind, id) = (StreamKind::Run, run_id(*run).to_string());
                let change = Change::Wake { kind, id, at: at(*due) };
                words(&journal.append(Append::new(to, at(now), head).change(change)).await)
            }
            Step::Claim { now, limit } => {
                let claimed = journal.claim(at(*now), *limit).await.unwrap();
                let mut names: Vec<String> = Vec::new();
                for lease in claimed {
                    names.push(format!(
                        "{} {} {:?}",
                        lease.stream().id(),
                        lease.fence(),
                        lease.head()
                    ));
                    let run = (1..8).find(|run| run_id(*run).to_string() == lease.stream().id());
                    leases.insert(run.unwrap(), lease);
                }
                names.sort();
                names.join(" ")
            }
            Step::Stop(on) => {
                let to = To::End { kind: StreamKind::Store, id: store.clone() };
                let change = if *on {
                    Change::Stop { at: at(now), body: String::new() }
                } else {
                    Change::GoOn
                };
                words(&journal.append(Append::new(to, at(now), head).change(change)).await)
            }
            Step::Seal => format!("{:?}", journal.seal(at(now)).await.unwrap()),
        });
    }
    let reader = journal.reader().clone();
    let runs = reader.runs(&RunFilter::default(), Page::first(99)).await.unwrap();
    said.push(format!("{:?}", runs.iter().map(|(_, run)| run).collect::<Vec<_>>()));
    said.push(format!("{:?}", reader.holds(None).await.unwrap()));
    for run in 1..8 {
        said.push(format!("{:?}", reader.signals(run_id(run)).await.unwrap()));
        let stream = reader.stream(StreamKind::Run, &run_id(run).to_string()).await.unwrap();
        let Some(stream) = stream else { continue };
        said.push(format!("{:?}", reader.entries(&stream, 0, 99).await.unwrap()));
        said.push(format!("{:?}", reader.snapshot(&stream).await.unwrap()));
    }
    said.push(format!("{:?}", reader.next_due().await.unwrap()));
    said.push(format!("{:?}", beistand_journal::verify::store(&reader, None).await.unwrap()));
    journal.close(at(99)).await.unwrap();
    said
}

fn words(result: &Result<beistand_journal::Appended, beistand_journal::AppendError>) -> String {
    match result {
        Ok(appended) => format!("{:?} {}", appended.lease.head(), appended.lease.fence()),
        Err(error) => error.to_string(),
    }
}

pub(crate) async fn the_same_commands_give_the_same_state_on_both_stores() {
    let mut runner = TestRunner::deterministic();
    for _ in 0..12 {
        let steps = proptest::collection::vec(step(), 60).new_tree(&mut runner).unwrap().current();
        let (sqlite, postgres) = (Place::sqlite(), Place::postgres().await);
        let one = told(&sqlite.url, &steps).await;
        let other = told(&postgres.url, &steps).await;
        for (index, (one, other)) in one.iter().zip(&other).enumerate() {
            assert_eq!(one, other, "answer {index} to {steps:?}");
        }
        assert_eq!(one.len(), other.len());
    }
}
