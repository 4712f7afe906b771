//! Which readings of the two clocks are trusted?

use super::*;

const HOUR: u64 = 60 * 60;

fn reading(date: u64, uptime: u64) -> Reading {
    Reading {
        date: NumericDate::new(date),
        uptime: Duration::from_secs(uptime),
    }
}

/// Checks readings after a first one that is trusted.
fn check<const N: usize>(first: Reading, readings: [(u64, u64); N]) -> [Check; N] {
    let mut state = State::at(first);
    readings.map(|(date, uptime)| state.check(reading(date, uptime)))
}

use Check::{Held, Jumped, Passed};

#[test]
fn long_time_that_has_passed_is_not_a_jump() {
    let start = reading(1_000_000, 50);
    let year = 365 * 24 * HOUR;
    let readings = [(1_000_060, 110), (1_000_060 + year, 110 + year)];
    assert_eq!(check(start, readings), [Passed, Passed]);
}

#[test]
fn small_step_and_drift_are_tolerated() {
    let start = reading(1_000_000, 0);
    assert_eq!(check(start, [(1_000_059, 0)]), [Passed]);
    // A clock that gains half a thousandth and is read once a week.
    let week = 7 * 24 * HOUR;
    assert_eq!(
        check(start, [(1_000_000 + week + week / 2000, week)]),
        [Passed]
    );
}

#[test]
fn jump_ahead_is_held_until_the_clock_is_set_back() {
    let start = reading(1_000_000, 0);
    let jumped = Jumped(Duration::from_secs(2 * HOUR));
    let readings = [
        (1_000_060 + 2 * HOUR, 60),
        (1_000_120 + 2 * HOUR, 120),
        (1_000_180, 180),
        (1_000_240, 240),
    ];
    assert_eq!(check(start, readings), [jumped, Held, Passed, Passed]);
}

#[test]
fn clock_that_runs_evenly_after_a_jump_is_trusted_after_an_hour() {
    let ahead = 30 * 24 * HOUR;
    let at = |uptime| (1_000_000 + ahead + uptime, uptime);
    let readings = [at(60), at(60 + HOUR - 1), at(60 + HOUR), at(120 + HOUR)];
    let jumped = Jumped(Duration::from_secs(ahead));
    let start = reading(1_000_000, 0);
    assert_eq!(check(start, readings), [jumped, Held, Passed, Passed]);
}

#[test]
fn short_jump_is_held_for_its_own_length() {
    let at = |uptime| (1_000_000 + 300 + uptime, uptime);
    let readings = [at(10), at(309), at(310)];
    let jumped = Jumped(Duration::from_secs(300));
    assert_eq!(
        check(reading(1_000_000, 0), readings),
        [jumped, Held, Passed]
    );
}

#[test]
fn second_jump_is_held_again() {
    let readings = [
        (1_000_000 + 2 * HOUR, 0),
        (1_000_000 + 4 * HOUR, 59 * 60),
        (1_000_000 + 4 * HOUR + 120, 61 * 60),
    ];
    let checks = check(reading(1_000_000, 0), readings);
    assert!(matches!(checks, [Jumped(_), Jumped(_), Held]));
}

#[test]
fn clock_that_was_set_back_is_trusted_and_a_jump_from_there_is_noticed() {
    let readings = [(500_000, 60), (500_060, 120), (1_000_000, 180)];
    let checks = check(reading(1_000_000, 0), readings);
    assert!(matches!(checks, [Passed, Passed, Jumped(_)]));
}

#[test]
fn uptime_never_decreases() {
    let before = uptime();
    assert!(uptime() >= before);
}

/// Reads a clock at these uptimes, each with the seconds that the clock has gained by then. Returns
/// the gain of the last trusted reading, and whether all readings were trusted.
fn run(readings: impl IntoIterator<Item = (u64, u64)>) -> (Option<u64>, bool) {
    let mut state = State::at(reading(1_000_000, 0));
    let (mut last, mut all) = (None, true);
    for (uptime, gained) in readings {
        match state.check(reading(1_000_000 + uptime + gained, uptime)) {
            Passed => last = Some(gained),
            _ => all = false,
        }
    }
    (last, all)
}

#[test]
fn small_steps_add_up_to_a_jump() {
    for step in [1, 7, 30, 59] {
        let sweeps = (1..=2 * HOUR).map(|uptime| (uptime, uptime * step));
        let (trusted, _) = run(sweeps);
        assert!(trusted <= Some(60), "steps of {step}: {trusted:?}");
    }
}

#[test]
fn clock_that_stepped_ahead_is_trusted_an_hour_after_the_last_step() {
    let steps = 122;
    let gained = |uptime: u64| 59 * uptime.min(steps);
    let at = |uptime| (uptime, gained(uptime));
    assert_eq!(run((1..HOUR).map(at)).0, Some(59));
    // The last steps may lie within the hour, as long as their sum is tolerated.
    let (trusted, _) = run((1..=steps + HOUR).map(at));
    assert_eq!(trusted, Some(gained(steps)));
}

#[test]
fn rare_small_steps_do_not_add_up_to_hours() {
    let day = 24 * HOUR;
    for (step, period) in [(59, 600), (59, 61), (30, 60), (20, 600), (3, 60)] {
        let sweeps = (1..=day).map(|uptime| (uptime, uptime / period * step));
        let (trusted, _) = run(sweeps);
        assert!(trusted < Some(HOUR), "{step} in {period}: {trusted:?}");
    }
}

#[test]
fn slow_drift_is_tolerated_for_weeks() {
    let month = 30 * 24 * HOUR;
    for period in [1, 60, 3600] {
        let sweeps = (1..=month / period).map(|sweep| (sweep * period, sweep * period / 2000));
        assert!(run(sweeps).1, "read every {period} s");
    }
    // A daemon corrects the clock in steps of a second.
    let sweeps = (1..=month / 60).map(|sweep| (sweep * 60, sweep * 60 / 1200));
    assert!(run(sweeps).1);
}

#[test]
fn clock_that_gains_a_hundredth_is_still_trusted_sometimes() {
    let week = 7 * 24 * HOUR;
    let mut state = State::at(reading(1_000_000, 0));
    let mut last = 0;
    for uptime in (0..4 * week).step_by(60) {
        if state.check(reading(1_000_000 + uptime + uptime / 100, uptime)) == Passed {
            last = uptime;
        }
        assert!(uptime - last < 3 * HOUR, "stuck since {last}");
    }
}

#[test]
fn step_back_is_subtracted_from_the_sum_of_small_steps() {
    let start = reading(1_000_000, 0);
    let steps = [
        (1_000_050, 0),
        (1_000_000, 0),
        (1_000_050, 0),
        (1_000_100, 0),
    ];
    let jumped = Jumped(Duration::from_secs(100));
    assert_eq!(check(start, steps), [Passed, Passed, Passed, jumped]);
}

#[test]
fn failed_reading_of_the_uptime_hides_no_jump() {
    let start = reading(1_000_000, 100_000);
    let readings = [(1_000_001, 0), (1_000_002 + HOUR, 100_002)];
    let jumped = Jumped(Duration::from_secs(HOUR));
    assert_eq!(check(start, readings), [Passed, jumped]);
}
