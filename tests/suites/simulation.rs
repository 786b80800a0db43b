//! The core under every misfortune: random playbooks, and between any two of their steps engines
//! that die, answers that are lost, late or come twice, clocks that jump, two engines for one run,
//! people who do this and that. A ledger outside counts what was really done.
//!
//! `BEISTAND_SCHEDULES` says how many schedules are played, `BEISTAND_SEED` replays one and prints
//! what happened.

mod chance;
mod judge;
mod outside;
mod program;
mod schedule;
mod world;

use std::env;

use beistand_core::model::Catalogue;
use beistand_script::Scripts;

use chance::Dice;
use program::{Program, programs};
use schedule::play;
use world::Planted;

/// How many schedules a whole test run plays.
const SCHEDULES: u64 = 100_000;

/// How many programs they are played on; the same for every seed, so that one can be replayed.
const PROGRAMS: usize = 400;

/// Schedules within which a planted fault must be seen.
const PLANTED_WITHIN: u64 = 3_000;

fn all_programs() -> Vec<Program> {
    programs(0xbe15_7a2d, PROGRAMS)
}

fn number(name: &str) -> Option<u64> {
    #[expect(clippy::disallowed_methods, reason = "a seed is given from outside")]
    let text = env::var(name).ok()?;
    let hex = text.strip_prefix("0x").map(|hex| u64::from_str_radix(hex, 16));
    Some(hex.unwrap_or_else(|| text.parse()).expect("a number, or a hex number with 0x"))
}

#[test]
fn no_schedule_loses_a_step_or_does_one_twice() {
    let programs = all_programs();
    let (catalogue, scripts) = (Catalogue::first(), Scripts::without_budget());
    let tools = (&catalogue, &scripts);
    if let Some(seed) = number("BEISTAND_SEED") {
        let verdict = play(&programs, tools, seed, Planted::Nothing);
        assert!(verdict.faults.is_empty(), "{}\n{:#?}", verdict.story, verdict.faults);
        return;
    }
    let count = number("BEISTAND_SCHEDULES").unwrap_or(SCHEDULES);
    let mut seeds = Dice::new(number("BEISTAND_FIRST").unwrap_or(1));
    let (mut effects, mut taken) = (0, 0);
    for played in 0..count {
        let seed = seeds.draw();
        let verdict = play(&programs, tools, seed, Planted::Nothing);
        effects += verdict.effects;
        taken += verdict.taken as u64;
        assert!(
            verdict.faults.is_empty(),
            "{}\n{:#?}\nschedule {played}; again with BEISTAND_SEED={seed:#x}",
            verdict.story,
            verdict.faults
        );
    }
    // A simulation in which nothing happens proves nothing.
    assert!(effects > count, "only {effects} effects in {count} schedules");
    assert!(taken > count / 500, "only {taken} effects were taken over in {count} schedules");
}

fn is_seen(planted: Planted, words: &str) {
    let programs = all_programs();
    let (catalogue, scripts) = (Catalogue::first(), Scripts::without_budget());
    let mut seeds = Dice::new(2);
    let seen = (0..PLANTED_WITHIN).any(|_| {
        let verdict = play(&programs, (&catalogue, &scripts), seeds.draw(), planted);
        verdict.faults.iter().any(|fault| fault.contains(words))
    });
    assert!(seen, "{planted:?} was planted and nobody saw it");
}

#[test]
fn the_judge_sees_effects_that_are_acknowledged_before_their_commit() {
    is_seen(Planted::AckBeforeCommit, "without a durable intent");
}

#[test]
fn the_judge_sees_a_new_key_on_a_retry() {
    is_seen(Planted::NewKeyOnRetry, "another key");
}

#[test]
fn the_judge_sees_an_intent_that_was_not_written() {
    is_seen(Planted::NoIntent, "without a durable intent");
}
