//! `kill -9`, a thousand times: a token whose revocation returned 200 is refused after the restart,
//! and no token is live before the index is ready.
//!
//! The killed process is this program itself, started again: see [`child`].

mod child;
mod dice;
mod ledger;
mod life;
mod process;
mod round;
mod token;

use std::{
    env,
    sync::atomic::{AtomicUsize, Ordering},
    thread,
};

use dice::Dice;
use life::{Life, Seen};

/// The number of kills. The variable `KILLS` overrides it.
const KILLS: usize = 1000;
/// The number of kills for one log. After every kill, the test checks all tokens of the log again.
const KILLS_OF_A_LOG: usize = 50;

/// The name of the test below. The child process runs it too.
const TEST: &str =
    "confirmed_revocations_hold_after_a_kill_and_nothing_is_live_before_the_index_is_ready";

fn number(name: &str) -> Option<u64> {
    let number = env::var(name).ok()?;
    Some(number.parse().expect("a number"))
}

#[test]
fn confirmed_revocations_hold_after_a_kill_and_nothing_is_live_before_the_index_is_ready() {
    if let Some(file) = env::var_os(process::FILE) {
        return child::run(file.as_ref());
    }
    let kills = number("KILLS").map_or(KILLS, |kills| {
        usize::try_from(kills).expect("KILLS is too large")
    });
    let seed = number("SEED").unwrap_or_else(dice::seed);
    println!("SEED={seed}");

    // Two at a time: one computes while the other waits for the disk.
    let lives = kills.div_ceil(KILLS_OF_A_LOG);
    let next = AtomicUsize::new(0);
    let live_on = || {
        let mut sum = Seen::default();
        loop {
            let life = next.fetch_add(1, Ordering::Relaxed);
            if life >= lives {
                return sum;
            }
            let dice = Dice::new(seed.wrapping_add(life as u64));
            let kills = KILLS_OF_A_LOG.min(kills - life * KILLS_OF_A_LOG);
            sum += Life::new(dice).run(kills);
        }
    };
    let sum = thread::scope(|scope| {
        let other = scope.spawn(live_on);
        let mut sum = live_on();
        sum += other.join().expect("the test failed: see above");
        sum
    });

    println!("{sum:#?}");
    assert_eq!(sum.kills, kills);
    if kills >= 200 {
        sum.assert_every_moment_was_hit();
    }
}
