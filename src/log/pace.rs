//! Has time passed, or has the clock jumped?

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

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: u64 = 60 * 60;

    fn reading(date: u64, uptime: u64) -> Reading {
        Reading {
            date: NumericDate::new(date),
            uptime: Duration::from_secs(uptime),
        }
    }

    /// What is said of readings, the first of which is trusted.
    fn judge<const N: usize>(first: Reading, readings: [(u64, u64); N]) -> [Judgement; N] {
        let mut state = State {
            trusted: first,
            doubted: None,
        };
        readings.map(|(date, uptime)| state.judge(reading(date, uptime)))
    }

    use Judgement::{Held, Jumped, Passed};

    #[test]
    fn time_that_has_passed_is_no_jump_however_long() {
        let start = reading(1_000_000, 50);
        let year = 365 * 24 * HOUR;
        let readings = [(1_000_060, 110), (1_000_060 + year, 110 + year)];
        assert_eq!(judge(start, readings), [Passed, Passed]);
    }

    #[test]
    fn small_step_and_drift_are_tolerated() {
        let start = reading(1_000_000, 0);
        assert_eq!(judge(start, [(1_000_059, 0)]), [Passed]);
        // A clock that gains half a thousandth in a week.
        let week = 7 * 24 * HOUR;
        assert_eq!(
            judge(start, [(1_000_000 + week + week / 2000, week)]),
            [Passed]
        );
    }

    #[test]
    fn jump_ahead_is_held_until_the_clock_is_back() {
        let start = reading(1_000_000, 0);
        let jumped = Jumped(Duration::from_secs(2 * HOUR));
        let readings = [
            (1_000_060 + 2 * HOUR, 60),
            (1_000_120 + 2 * HOUR, 120),
            (1_000_180, 180),
            (1_000_240, 240),
        ];
        assert_eq!(judge(start, readings), [jumped, Held, Passed, Passed]);
    }

    #[test]
    fn clock_that_keeps_to_its_new_time_is_believed_after_an_hour() {
        let ahead = 30 * 24 * HOUR;
        let at = |uptime| (1_000_000 + ahead + uptime, uptime);
        let readings = [at(60), at(60 + HOUR - 1), at(60 + HOUR), at(120 + HOUR)];
        let jumped = Jumped(Duration::from_secs(ahead));
        let start = reading(1_000_000, 0);
        assert_eq!(judge(start, readings), [jumped, Held, Passed, Passed]);
    }

    #[test]
    fn short_jump_is_held_for_no_longer_than_it_is() {
        let at = |uptime| (1_000_000 + 300 + uptime, uptime);
        let readings = [at(10), at(309), at(310)];
        let jumped = Jumped(Duration::from_secs(300));
        assert_eq!(
            judge(reading(1_000_000, 0), readings),
            [jumped, Held, Passed]
        );
    }

    #[test]
    fn second_jump_is_held_anew() {
        let readings = [
            (1_000_000 + 2 * HOUR, 0),
            (1_000_000 + 4 * HOUR, 59 * 60),
            (1_000_000 + 4 * HOUR + 120, 61 * 60),
        ];
        let judgements = judge(reading(1_000_000, 0), readings);
        assert!(matches!(judgements, [Jumped(_), Jumped(_), Held]));
    }

    #[test]
    fn clock_that_went_back_is_believed_and_a_jump_from_there_is_one() {
        let readings = [(500_000, 60), (500_060, 120), (1_000_000, 180)];
        let judgements = judge(reading(1_000_000, 0), readings);
        assert!(matches!(judgements, [Passed, Passed, Jumped(_)]));
    }

    #[test]
    fn uptime_goes_on() {
        let before = uptime();
        assert!(uptime() >= before);
    }
}
