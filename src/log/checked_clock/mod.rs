//! Has time passed, or has the system's clock jumped?

#[cfg(test)]
mod tests;

use std::{
    fs,
    sync::{Mutex, OnceLock, PoisonError},
    time::{Duration, Instant},
};

use super::{LogError, LogErrorKind, NumericDate, observe};

/// How far the system's clock may be ahead of the time that has passed in total, in addition to the
/// drift in that time. A clock that is corrected in small steps stays within this limit.
const TOLERANCE: Duration = Duration::from_secs(60);
/// A clock that has jumped is trusted again after at most this time, if it then runs evenly.
const LONGEST_HOLD: Duration = Duration::from_secs(60 * 60);

/// The system's clock, for code that removes expired entries.
///
/// By a clock that is ahead, entries expire that are still needed. A reading is therefore trusted
/// only if a clock that cannot be set confirms that as much time has passed. Small steps ahead add
/// up, because many of them do the same harm as one jump. A step back is subtracted from the sum.
///
/// After a jump ahead, readings are trusted again once the clock has run evenly for as long as the
/// jump was, and after at most an hour. The length of earlier jumps is added, until the drift of
/// the time since then has compensated for it. A clock that jumps again and again is therefore
/// trusted less and less often.
#[derive(Debug)]
pub(crate) struct CheckedClock(Mutex<State>);

#[derive(Clone, Copy, Debug)]
struct Reading {
    /// The system's clock.
    date: NumericDate,
    /// How long the machine has been up.
    uptime: Duration,
}

#[derive(Debug)]
struct State {
    trusted: Trusted,
    /// The length of the jumps that were trusted in the end.
    gained: Duration,
    doubted: Option<Doubted>,
}

/// The last trusted reading.
#[derive(Clone, Copy, Debug)]
struct Trusted {
    reading: Reading,
    /// How far small steps have moved the clock ahead of the time that has passed.
    lead: Duration,
}

/// The first reading after a jump.
#[derive(Clone, Copy, Debug)]
struct Doubted {
    reading: Reading,
    /// How far it is ahead.
    ahead: Duration,
}

impl CheckedClock {
    /// Trusts the current reading.
    pub(crate) fn start() -> Self {
        Self::at(Reading::now())
    }

    /// Continues a clock that was last read at `date`. The time that has passed since is not known,
    /// so a long time counts as a jump.
    #[cfg(feature = "embedded")]
    pub(crate) fn since(date: NumericDate) -> Self {
        let uptime = Reading::now().uptime;
        Self::at(Reading { date, uptime })
    }

    fn at(reading: Reading) -> Self {
        Self(Mutex::new(State::at(reading)))
    }

    /// Returns the current time, for code that removes what has expired by it.
    ///
    /// # Errors
    ///
    /// Fails with [`ClockJumped`](LogErrorKind::ClockJumped) if the clock is ahead of the time that
    /// has passed.
    pub(crate) fn now(&self) -> Result<NumericDate, LogError> {
        let reading = Reading::now();
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match state.check(reading) {
            Check::Passed => Ok(reading.date),
            Check::Jumped(ahead) => {
                observe::clock_jumped(ahead);
                Err(LogError::new(LogErrorKind::ClockJumped))
            }
            Check::Held => Err(LogError::new(LogErrorKind::ClockJumped)),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Check {
    /// The reading is trusted.
    Passed,
    /// The clock has jumped by this much. This is the first reading after the jump.
    Jumped(Duration),
    /// A later reading after a jump that is not trusted yet.
    Held,
}

impl State {
    fn at(reading: Reading) -> Self {
        Self {
            trusted: Trusted::at(reading),
            gained: Duration::ZERO,
            doubted: None,
        }
    }

    fn check(&mut self, mut reading: Reading) -> Check {
        // If the uptime cannot be read once, the next reading must not look like a long time.
        reading.uptime = reading.uptime.max(self.trusted.reading.uptime);
        let ahead = match self.trusted.next(reading) {
            Ok(trusted) => {
                self.trust(trusted);
                return Check::Passed;
            }
            Err(ahead) => ahead,
        };
        let even = self.doubted.filter(|it| !reading.is_behind(it.reading));
        let even = even.and_then(|it| Some((it, Trusted::at(it.reading).next(reading).ok()?)));
        let Some((doubted, trusted)) = even else {
            self.doubted = Some(Doubted { reading, ahead });
            return Check::Jumped(ahead);
        };
        let gained = (self.gained + doubted.ahead).min(LONGEST_HOLD);
        if reading.since(doubted.reading) < gained {
            return Check::Held;
        }
        self.trust(trusted);
        self.gained = gained;
        Check::Passed
    }

    fn trust(&mut self, trusted: Trusted) {
        let passed = trusted.reading.since(self.trusted.reading);
        self.gained = self.gained.saturating_sub(drift(passed));
        self.trusted = trusted;
        self.doubted = None;
    }
}

impl Trusted {
    fn at(reading: Reading) -> Self {
        let lead = Duration::ZERO;
        Self { reading, lead }
    }

    /// Returns the next trusted reading, or how far ahead it is if it cannot be trusted.
    fn next(self, reading: Reading) -> Result<Self, Duration> {
        let passed = reading.since(self.reading);
        let claimed = Duration::from_secs(reading.date.since(self.reading.date));
        // A step back reduces the lead by its length.
        let back = Duration::from_secs(self.reading.date.since(reading.date));
        let ahead = (self.lead + claimed).saturating_sub(passed + back);
        if ahead > TOLERANCE + drift(passed) {
            return Err(ahead);
        }
        let lead = ahead.saturating_sub(drift(passed));
        Ok(Self { reading, lead })
    }
}

impl Reading {
    fn now() -> Self {
        Self {
            date: NumericDate::now(),
            uptime: uptime(),
        }
    }

    /// Returns how much time has passed since an earlier reading.
    fn since(self, earlier: Self) -> Duration {
        self.uptime.saturating_sub(earlier.uptime)
    }

    /// Returns whether the clock was set back or has stopped since an earlier reading.
    fn is_behind(self, earlier: Self) -> bool {
        let passed = self.since(earlier);
        let claimed = Duration::from_secs(self.date.since(earlier.date));
        passed.saturating_sub(claimed) > TOLERANCE + drift(passed)
    }
}

/// Returns how far two correct clocks may differ after this time. A clock that NTP corrects never
/// drifts faster.
fn drift(passed: Duration) -> Duration {
    passed / 1000
}

/// Returns how long the machine has been up, by a clock that cannot be set. It includes the time
/// that the machine sleeps, where the platform has such a clock: sleep is not a jump.
fn uptime() -> Duration {
    static START: OnceLock<Instant> = OnceLock::new();
    let proc = fs::read_to_string("/proc/uptime").ok();
    let seconds = proc.and_then(|line| line.split_whitespace().next()?.parse::<f64>().ok());
    seconds
        .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
        .unwrap_or_else(|| START.get_or_init(Instant::now).elapsed())
}
