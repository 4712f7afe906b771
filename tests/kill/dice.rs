//! Random numbers from a seed. The scheduling of the machine stays random.

use std::{
    hash::{BuildHasher as _, RandomState},
    time::Duration,
};

/// A new seed at every call.
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

    /// A number below the bound.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        let bound = u64::try_from(bound).expect("64 bits");
        usize::try_from(self.roll() % bound).expect("less than the bound")
    }

    /// A duration of at most `longest`.
    pub(crate) fn within(&mut self, longest: Duration) -> Duration {
        let micros = usize::try_from(longest.as_micros()).expect("a short duration");
        Duration::from_micros(self.below(micros + 1) as u64)
    }
}
