//! The kill campaign: a run with effects of every class, killed again and again, against a witness
//! that knows nothing of the journal.
//!
//! A round is one run on a store of its own. Half of the rounds are killed at random instants, the
//! others at named places of the program. After each kill somebody starts it again; what nobody can
//! know is settled by a person who looks at the truth. At rest the judge compares the ledger, the
//! run and the export.
//!
//! `BEISTAND_ROUNDS` (100) says how many, `BEISTAND_SEED` replays: a round depends on the seed and
//! its number alone, as far as a killed program can be replayed.

mod dice;
mod judge;
mod planted;
mod round;

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use beistand_tests::tool::{environment, now};

use self::dice::Dice;
use self::judge::judge;
use self::round::{Blow, Observed, play};

/// The named places.
const POINTS: [&str; 7] = [
    "before_append",
    "after_append",
    "before_effect",
    "after_effect",
    "before_commit",
    "after_commit",
    "after_seal",
];
/// In how many rounds this is a proof: 0 of 100 means less than 3 in 100, with 95 % confidence.
const ROUNDS: u64 = 100;
/// How often each place must be hit in a campaign of at least [`ROUNDS`].
const HITS_MIN: u64 = 10;
/// Rounds at once: as many as there are processors in CI.
const WORKERS: usize = 2;

/// What the rounds came to, together.
#[derive(Debug, Default)]
struct Campaign {
    hits: BTreeMap<&'static str, u64>,
    kills: u64,
    effects: usize,
    unknown: u64,
    faults: Vec<String>,
}

#[test]
fn no_kill_loses_a_step_or_repeats_one() {
    let seed = environment("BEISTAND_SEED").map_or_else(chance, |text| text.parse().unwrap());
    let rounds = environment("BEISTAND_ROUNDS").map_or(ROUNDS, |text| text.parse().unwrap());
    println!("kill campaign: {rounds} rounds, replay with BEISTAND_SEED={seed}");
    let begun = now();
    let length = measured(seed);
    let campaign = Mutex::new(Campaign::default());
    play_all(0..rounds, &campaign, |number| planned(seed, number, length));
    let hits_min = HITS_MIN.min(rounds / 10);
    aim_at_the_missed(seed, rounds, hits_min, &campaign);
    let campaign = campaign.into_inner().unwrap();
    println!(
        "undisturbed {length:?}; {} kills, {} effects, {} settled by a person, {:?}; hits {:?}",
        campaign.kills,
        campaign.effects,
        campaign.unknown,
        begun.elapsed(),
        campaign.hits
    );
    assert!(campaign.faults.is_empty(), "seed {seed}:\n{}", campaign.faults.join("\n"));
    for point in POINTS {
        let hits = campaign.hits.get(point).copied().unwrap_or(0);
        assert!(hits >= hits_min, "{point} was hit {hits} times; is the program built for this?");
    }
}

/// How long a run takes that nobody disturbs: random kills fall within this.
fn measured(seed: u64) -> Duration {
    let begun = now();
    let observed = play(Dice::new(seed, u64::MAX), &[]);
    let length = begun.elapsed();
    assert_eq!(judge(&observed), [], "even without a kill");
    length.min(observed.first)
}

/// The blows of a round: even numbers at random instants, odd ones at named places.
fn planned(seed: u64, number: u64, length: Duration) -> (Dice, Vec<Blow>) {
    let mut dice = Dice::new(seed, number);
    let blows = (0..3).map(|strike| {
        if number.is_multiple_of(2) {
            return Blow::After(length.mul_f64(dice.part()));
        }
        let turn = usize::try_from(number / 2).unwrap() + strike * 3;
        let point = POINTS[turn % POINTS.len()];
        let often = if point == "after_seal" || strike > 0 { 1 } else { 1 + dice.below(8) };
        Blow::At(point, often)
    });
    let blows = blows.collect();
    (dice, blows)
}

/// A place that luck left out is aimed at until it was hit often enough.
fn aim_at_the_missed(seed: u64, rounds: u64, hits_min: u64, campaign: &Mutex<Campaign>) {
    for number in rounds..rounds + HITS_MIN * 2 {
        let missed = {
            let campaign = campaign.lock().unwrap();
            let often = |point: &&str| campaign.hits.get(point).copied().unwrap_or(0);
            POINTS.into_iter().filter(|point| often(point) < hits_min).collect::<Vec<_>>()
        };
        if missed.is_empty() {
            return;
        }
        play_all(number..number + 1, campaign, |number| {
            let blows = missed.iter().take(3).map(|point| Blow::At(point, 1)).collect();
            (Dice::new(seed, number), blows)
        });
    }
}

fn play_all(
    rounds: std::ops::Range<u64>,
    campaign: &Mutex<Campaign>,
    plan: impl Fn(u64) -> (Dice, Vec<Blow>) + Sync,
) {
    let next = AtomicU64::new(rounds.start);
    thread::scope(|scope| {
        for _ in 0..WORKERS {
            scope.spawn(|| {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if !rounds.contains(&number) {
                        return;
                    }
                    let (dice, blows) = plan(number);
                    let observed = play(dice, &blows);
                    campaign.lock().unwrap().take(number, &blows, &observed);
                }
            });
        }
    });
}

impl Campaign {
    fn take(&mut self, number: u64, blows: &[Blow], observed: &Observed) {
        for point in &observed.hits {
            *self.hits.entry(point).or_default() += 1;
        }
        self.kills += observed.kills;
        self.effects += observed.records.len();
        self.unknown += observed.settled;
        let faults = judge(observed);
        if !faults.is_empty() {
            self.faults
                .push(format!("round {number} with {blows:?}: {faults:#?}\n{}", observed.told()));
        }
    }
}

fn chance() -> u64 {
    let mut bytes = [0; 8];
    getrandom::fill(&mut bytes).unwrap();
    u64::from_le_bytes(bytes)
}
