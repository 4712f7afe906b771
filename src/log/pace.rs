//! Has time passed, or has the clock jumped?

#[cfg(test)]
mod tests;

use std::{
    fs,
    sync::{Mutex, OnceLock, PoisonError},
    time::{Duration, Instant},
};

use super::{LogError, LogErrorKind, NumericDate, observe};

/// The system's clock may run ahead of the time that has passed by this much, and by a thousandth
/// of that time. Clocks that are set right in small steps stay within it.
const TOLERANCE: Duration = Duration::from_secs(60);
/// A clock that has jumped is believed after this time at the latest, if it then runs on evenly.
const LONGEST_HOLD: Duration = Duration::from_secs(60 * 60);

/// The system's clock, for those who forget by it.
///
/// What expires by a clock that is ahead is still alive. So a reading counts only if as much time
/// has passed as the clock says, by a clock that nobody sets. After a jump ahead it counts again
/// once the clock has run evenly for as long as the jump was, and for an hour at most.
#[derive(Debug)]
pub(crate) struct Pace(Mutex<State>);

#[derive(Clone, Copy, Debug)]
struct Reading {
    /// The system's clock.
    date: NumericDate,
    /// How long the machine has been up.
    uptime: Duration,
}

#[derive(Debug)]
struct State {
    /// The last reading that counted.
    trusted: Reading,
    doubted: Option<Doubted>,
}

#[derive(Clone, Copy, Debug)]
struct Doubted {
    reading: Reading,
    hold: Duration,
}

impl Pace {
    /// Takes the present reading on trust.
    pub(crate) fn start() -> Self {
        Self::at(Reading::now())
    }

    /// Continues a clock that was last read then. How much time has passed since is not known, so
    /// a long time is held for a jump.
    #[cfg(feature = "embedded")]
    pub(crate) fn since(date: NumericDate) -> Self {
        let uptime = Reading::now().uptime;
        Self::at(Reading { date, uptime })
    }

    fn at(trusted: Reading) -> Self {
        Self(Mutex::new(State {
            trusted,
            doubted: None,
        }))
    }

    /// The present, for those who forget what has expired by it.
    ///
    /// # Errors
    ///
    /// [`ClockJumped`](LogErrorKind::ClockJumped) if the clock is ahead of the time that has passed.
    pub(crate) fn now(&self) -> Result<NumericDate, LogError> {
        let reading = Reading::now();
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match state.judge(reading) {
            Judgement::Passed => Ok(reading.date),
            Judgement::Jumped(ahead) => {
                observe::clock_jumped(ahead);
                Err(LogError::new(LogErrorKind::ClockJumped))
            }
            Judgement::Held => Err(LogError::new(LogErrorKind::ClockJumped)),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Judgement {
    Passed,
    /// By this much, and it is seen for the first time.
    Jumped(Duration),
    Held,
}

impl State {
    fn judge(&mut self, reading: Reading) -> Judgement {
        let ahead = reading.ahead_of(self.trusted);
        if ahead.is_zero() {
            self.trust(reading);
            return Judgement::Passed;
        }
        let Some(doubted) = self.doubted.filter(|it| reading.is_even_with(it.reading)) else {
            let hold = ahead.min(LONGEST_HOLD);
            self.doubted = Some(Doubted { reading, hold });
            return Judgement::Jumped(ahead);
        };
        if reading.uptime.saturating_sub(doubted.reading.uptime) < doubted.hold {
            return Judgement::Held;
        }
        self.trust(reading);
        Judgement::Passed
    }

    fn trust(&mut self, reading: Reading) {
        self.trusted = reading;
        self.doubted = None;
    }
}

impl Reading {
    fn now() -> Self {
        Self {
            date: NumericDate::now(),
            uptime: uptime(),
        }
    }

    /// How far the clock is ahead of the time that has passed since, beyond what is tolerated.
    fn ahead_of(self, earlier: Self) -> Duration {
        let passed = self.uptime.saturating_sub(earlier.uptime);
        let claimed = Duration::from_secs(self.date.since(earlier.date));
        let ahead = claimed.saturating_sub(passed);
        if ahead > TOLERANCE + passed / 1000 {
            ahead
        } else {
            Duration::ZERO
        }
    }

    /// Whether the clock has run as time has, forwards and backwards.
    fn is_even_with(self, earlier: Self) -> bool {
        let passed = self.uptime.saturating_sub(earlier.uptime);
        let claimed = Duration::from_secs(self.date.since(earlier.date));
        self.ahead_of(earlier).is_zero()
            && passed.saturating_sub(claimed) <= TOLERANCE + passed / 1000
    }
}

/// How long the machine has been up, by a clock that nobody sets. Where there is one that counts
/// the time that the machine sleeps, it is that one: sleep is no jump.
fn uptime() -> Duration {
    static BEGUN: OnceLock<Instant> = OnceLock::new();
    let proc = fs::read_to_string("/proc/uptime").ok();
    let seconds = proc.and_then(|line| line.split_whitespace().next()?.parse::<f64>().ok());
    seconds
        .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
        .unwrap_or_else(|| BEGUN.get_or_init(Instant::now).elapsed())
}
