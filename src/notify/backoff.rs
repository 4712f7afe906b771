//! How long is the pause before the next attempt?

use std::time::Duration;

/// The longest pause, in seconds.
const LONGEST: u64 = 60 * 60;

/// The pause after so many failed attempts: a second at first, and twice as long each time, up to an
/// hour. Half of it is random, so that the attempts of many orders do not come at the same time.
pub(super) fn pause(attempts: u32) -> Duration {
    let doublings = attempts.saturating_sub(1).min(12);
    let most = (1 << doublings).min(LONGEST);
    let least = most.div_ceil(2);
    Duration::from_secs(least + up_to(most - least))
}

/// A random number of seconds, at most this one.
pub(super) fn up_to(most: u64) -> u64 {
    let random = getrandom::u64().expect("the operating system has random numbers");
    random % (most + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_from_a_second_to_an_hour() {
        for (attempts, least, most) in [
            (0, 1, 1),
            (1, 1, 1),
            (2, 1, 2),
            (4, 4, 8),
            (12, 1024, 2048),
            (13, 1800, 3600),
            (u32::MAX, 1800, 3600),
        ] {
            for _ in 0..100 {
                let pause = pause(attempts).as_secs();
                assert!((least..=most).contains(&pause), "{attempts}: {pause}");
            }
        }
    }
}
