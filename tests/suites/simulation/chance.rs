//! One seed, every choice: what a schedule does follows from its number alone.

use beistand_core::run::Chance;

/// `SplitMix64` (Steele, Lea, Flood 2014): small, quick, good enough to shuffle schedules.
#[derive(Debug, Clone)]
pub(super) struct Dice(u64);

impl Dice {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(super) fn draw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// From 0 to `below` − 1.
    pub(super) fn below(&mut self, below: usize) -> usize {
        usize::try_from(self.draw() % below as u64).unwrap()
    }

    /// True once in `of`.
    pub(super) fn once_in(&mut self, of: usize) -> bool {
        self.below(of) == 0
    }

    pub(super) fn pick<'a, T>(&mut self, among: &'a [T]) -> &'a T {
        &among[self.below(among.len())]
    }

    /// Ids of the engine, from the same seed.
    pub(super) fn engine(&mut self) -> Chance {
        let mut seed = [0; 32];
        seed[..8].copy_from_slice(&self.draw().to_be_bytes());
        Chance::new(seed)
    }
}
