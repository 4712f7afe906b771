//! Has time passed, or has the clock jumped?

#[cfg(test)]
mod tests;

use std::{
    fs,
    sync::{Mutex, OnceLock, PoisonError},
    time::{Duration, Instant},
};

use super::{LogError, LogErrorKind, NumericDate, observe};

/// The system's clock may run ahead of the time that has passed by this much in all, and by the
/// drift of that time. Clocks that are set right in small steps stay within it.
const TOLERANCE: Duration = Duration::from_secs(60);
/// A clock that has jumped is believed after this time at the latest, if it then runs on evenly.
const LONGEST_HOLD: Duration = Duration::from_secs(60 * 60);

/// The system's clock, for those who forget by it.
///
/// What expires by a clock that is ahead is still alive. So a reading counts only if as much time
/// has passed as the clock says, by a clock that nobody sets. Small steps ahead add up: many of them
/// are as bad as one jump. A step back is taken off the sum.
///
/// After a jump ahead, readings count again once the clock has run evenly for as long as it had
/// gained, and for an hour at most. What it gained in earlier jumps counts as well, until the drift
/// of the time since has made up for it. So a clock that gains on the time again and again is
/// believed less and less often.
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
    trusted: Trusted,
    /// What was gained in jumps that were believed in the end.
    gained: Duration,
    doubted: Option<Doubted>,
}

/// The last reading that counted.
#[derive(Clone, Copy, Debug)]
struct Trusted {
    reading: Reading,
    /// How far small steps have brought the clock ahead of the time that has passed.
    lead: Duration,
}

#[derive(Clone, Copy, Debug)]
struct Doubted {
    reading: Reading,
    /// How far it is ahead.
    ahead: Duration,
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

    fn at(reading: Reading) -> Self {
        Self(Mutex::new(State::at(reading)))
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
    fn at(reading: Reading) -> Self {
        Self {
            trusted: Trusted::at(reading),
            gained: Duration::ZERO,
            doubted: None,
        }
    }

    fn judge(&mut self, mut reading: Reading) -> Judgement {
        // A time that cannot be read for once must not look like a long one afterwards.
        reading.uptime = reading.uptime.max(self.trusted.reading.uptime);
        let ahead = match self.trusted.next(reading) {
            Ok(trusted) => {
                self.trust(trusted);
                return Judgement::Passed;
            }
            Err(ahead) => ahead,
        };
        let even = self.doubted.filter(|it| !reading.is_behind(it.reading));
        let even = even.and_then(|it| Some((it, Trusted::at(it.reading).next(reading).ok()?)));
        let Some((doubted, trusted)) = even else {
            self.doubted = Some(Doubted { reading, ahead });
            return Judgement::Jumped(ahead);
        };
        let gained = (self.gained + doubted.ahead).min(LONGEST_HOLD);
        if reading.since(doubted.reading) < gained {
            return Judgement::Held;
        }
        self.trust(trusted);
        self.gained = gained;
        Judgement::Passed
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

    /// The next reading, if it is to be trusted too. Else how far it is ahead.
    fn next(self, reading: Reading) -> Result<Self, Duration> {
        let passed = reading.since(self.reading);
        let claimed = Duration::from_secs(reading.date.since(self.reading.date));
        // A step back takes as much off the lead.
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

    /// How much time has passed since an earlier one.
    fn since(self, earlier: Self) -> Duration {
        self.uptime.saturating_sub(earlier.uptime)
    }

    /// Whether the clock has been set back since, or has stood still.
    fn is_behind(self, earlier: Self) -> bool {
        let passed = self.since(earlier);
        let claimed = Duration::from_secs(self.date.since(earlier.date));
        passed.saturating_sub(claimed) > TOLERANCE + drift(passed)
    }
}

/// By how much clocks that are right may differ after this time. None that is kept right by NTP
/// drifts faster.
fn drift(passed: Duration) -> Duration {
    passed / 1000
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
