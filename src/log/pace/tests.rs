//! Readings of two clocks, and what is said of them.

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
    let mut state = State::at(first);
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
    // A clock that gains half a thousandth, and is read once a week.
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

/// How far a clock gets that is read at these times, by which it has gained so many seconds. Tells
/// the last reading that passed, and whether all did.
fn run(readings: impl IntoIterator<Item = (u64, u64)>) -> (Option<u64>, bool) {
    let mut state = State::at(reading(1_000_000, 0));
    let (mut last, mut all) = (None, true);
    for (uptime, gained) in readings {
        match state.judge(reading(1_000_000 + uptime + gained, uptime)) {
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
        let (believed, _) = run(sweeps);
        assert!(believed <= Some(60), "steps of {step}: {believed:?}");
    }
}

#[test]
fn clock_that_stepped_ahead_is_believed_an_hour_after_the_last_step() {
    let steps = 122;
    let gained = |uptime: u64| 59 * uptime.min(steps);
    let at = |uptime| (uptime, gained(uptime));
    assert_eq!(run((1..HOUR).map(at)).0, Some(59));
    // The last steps, of a tolerable sum, may have come in the hour.
    let (believed, _) = run((1..=steps + HOUR).map(at));
    assert_eq!(believed, Some(gained(steps)));
}

#[test]
fn rare_small_steps_do_not_add_up_to_hours() {
    let day = 24 * HOUR;
    for (step, period) in [(59, 600), (59, 61), (30, 60), (20, 600), (3, 60)] {
        let sweeps = (1..=day).map(|uptime| (uptime, uptime / period * step));
        let (believed, _) = run(sweeps);
        assert!(believed < Some(HOUR), "{step} in {period}: {believed:?}");
    }
}

#[test]
fn slow_drift_is_tolerated_for_weeks() {
    let month = 30 * 24 * HOUR;
    for period in [1, 60, 3600] {
        let sweeps = (1..=month / period).map(|sweep| (sweep * period, sweep * period / 2000));
        assert!(run(sweeps).1, "read every {period} s");
    }
    // In steps of a second, by a daemon that sets the clock right.
    let sweeps = (1..=month / 60).map(|sweep| (sweep * 60, sweep * 60 / 1200));
    assert!(run(sweeps).1);
}

#[test]
fn clock_that_gains_a_hundredth_is_still_believed_now_and_then() {
    let week = 7 * 24 * HOUR;
    let mut state = State::at(reading(1_000_000, 0));
    let mut last = 0;
    for uptime in (0..4 * week).step_by(60) {
        if state.judge(reading(1_000_000 + uptime + uptime / 100, uptime)) == Passed {
            last = uptime;
        }
        assert!(uptime - last < 3 * HOUR, "stuck since {last}");
    }
}

#[test]
fn step_back_takes_off_what_small_steps_have_added() {
    let start = reading(1_000_000, 0);
    let steps = [
        (1_000_050, 0),
        (1_000_000, 0),
        (1_000_050, 0),
        (1_000_100, 0),
    ];
    let jumped = Jumped(Duration::from_secs(100));
    assert_eq!(judge(start, steps), [Passed, Passed, Passed, jumped]);
}

#[test]
fn uptime_that_cannot_be_read_for_once_hides_no_jump() {
    let start = reading(1_000_000, 100_000);
    let readings = [(1_000_001, 0), (1_000_002 + HOUR, 100_002)];
    let jumped = Jumped(Duration::from_secs(HOUR));
    assert_eq!(judge(start, readings), [Passed, jumped]);
}
