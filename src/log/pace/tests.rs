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
