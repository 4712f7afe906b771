//! What happens because time passes: tokens end, records expire, gauges age.

use std::{
    io,
    sync::Weak,
    thread,
    time::{Duration, Instant},
};

use super::{index::Shared, observe};
use crate::log::{CheckedClock, NumericDate};

/// A stream is cut so long after its token has expired, at the latest.
const TICK: Duration = Duration::from_millis(250);
const SWEEP: Duration = Duration::from_secs(60);

/// A thread, so that no runtime is needed. It ends with the index.
pub(super) fn start(shared: Weak<Shared>) -> io::Result<()> {
    let run = move || {
        let mut swept = Instant::now();
        let clock = CheckedClock::start();
        loop {
            thread::sleep(TICK);
            let Some(shared) = shared.upgrade() else {
                return;
            };
            let now = NumericDate::now();
            shared.watchers.expired(now);
            if swept.elapsed() >= SWEEP {
                swept = Instant::now();
                // By a clock that has jumped ahead, records expire whose tokens are alive.
                if let Ok(now) = clock.now() {
                    shared.table.sweep(now);
                }
            }
            observe::gauges(&shared);
        }
    };
    thread::Builder::new()
        .name("revocation-clock".into())
        .spawn(run)
        .map(drop)
}
