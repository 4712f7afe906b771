//! A thread that calls back at regular intervals, because time passes.

use std::{
    io,
    ops::ControlFlow,
    thread,
    time::{Duration, Instant},
};

use crate::log::{CheckedClock, NumericDate};

/// A stream is cut at most this long after its token has expired.
const TICK: Duration = Duration::from_millis(250);
const SWEEP: Duration = Duration::from_secs(60);

/// What time it is at one tick.
pub(super) struct Tick {
    pub(super) now: NumericDate,
    /// Once a minute: sweep what has expired by this time. `None` also while the system clock has
    /// jumped ahead, because then records expire whose tokens are still alive.
    pub(super) sweep: Option<NumericDate>,
}

/// Calls `on_tick` four times a second until it returns [`ControlFlow::Break`].
///
/// A thread, so that no runtime is needed.
///
/// # Errors
///
/// Fails if the operating system does not start the thread.
pub(super) fn start(
    mut on_tick: impl FnMut(&Tick) -> ControlFlow<()> + Send + 'static,
) -> io::Result<()> {
    let run = move || {
        let mut swept = Instant::now();
        let clock = CheckedClock::start();
        loop {
            thread::sleep(TICK);
            let mut sweep = None;
            if swept.elapsed() >= SWEEP {
                swept = Instant::now();
                sweep = clock.now().ok();
            }
            let now = NumericDate::now();
            if on_tick(&Tick { now, sweep }).is_break() {
                return;
            }
        }
    };
    thread::Builder::new()
        .name("revocation-clock".into())
        .spawn(run)
        .map(drop)
}
