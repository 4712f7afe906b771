//! Chance that can be repeated, as far as the machine's own allows.

use std::{
    hash::{BuildHasher as _, RandomState},
    time::Duration,
};

/// Another one every time.
pub(crate) fn seed() -> u64 {
    RandomState::new().hash_one(())
}

/// `SplitMix64`.
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }

    /// Less than so many.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        let bound = u64::try_from(bound).expect("as wide");
        usize::try_from(self.roll() % bound).expect("less than the bound")
    }

    /// No longer than so long.
    pub(crate) fn within(&mut self, longest: Duration) -> Duration {
        let micros = usize::try_from(longest.as_micros()).expect("not that long");
        Duration::from_micros(self.below(micros + 1) as u64)
    }
}
