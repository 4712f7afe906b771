//! A clock that jumps ahead and back never makes a revoked token live again.

use std::time::Duration;

use futures::executor::block_on;

use crate::{
    enforce::Index,
    introspect::{Introspection, TokenKind},
    log::{
        EmbeddedLog, LogErrorKind, NumericDate, Position, Revocation, RevocationLog as _, Selector,
        Snapshot,
    },
};

const HOUR: Duration = Duration::from_secs(3600);

fn until(name: &str, expires: NumericDate) -> Vec<Revocation> {
    vec![Revocation::forever(Selector::grant(name), expires)]
}

fn token(grant: &str, exp: Option<NumericDate>) -> Introspection {
    let mut token = Introspection::new(TokenKind::AccessToken, "s6BhdRkqt3");
    token.grant = Some(grant.into());
    token.iat = Some(NumericDate::new(1000));
    token.exp = exp;
    token
}

/// Sweeps once by a clock that is ahead.
fn sweep(log: &EmbeddedLog, ahead: Duration) -> u64 {
    let now = NumericDate::now() + ahead;
    block_on(log.write(move |work| work.sweep(0, now)))
        .unwrap()
        .removed
}

#[test]
fn state_is_unknown_after_a_restart_if_a_sweep_used_a_clock_that_was_ahead() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log.redb");
    let now = NumericDate::now();
    let log = EmbeddedLog::open(&path).unwrap();
    let index = block_on(Index::follow(&log)).unwrap();
    block_on(log.append(until("g1", now + HOUR))).unwrap();
    assert_eq!(sweep(&log, 2 * HOUR), 1);
    // The index still has the record.
    assert!(!index.is_live(&token("g1", Some(now + HOUR)), now));
    drop((index, log));

    let log = EmbeddedLog::open(&path).unwrap();
    let snapshot = block_on(Snapshot::of(&log)).unwrap();
    assert_eq!(
        (snapshot.records.len(), snapshot.forgotten),
        (0, now + HOUR)
    );
    let index = block_on(Index::follow(&log)).unwrap();
    let minute = Duration::from_secs(60);
    for exp in [now + minute, now + HOUR] {
        assert!(!index.is_live(&token("g1", Some(exp)), now), "{exp:?}");
        assert!(!index.is_live(&token("g2", Some(exp)), now), "{exp:?}");
    }
    // A token without an expiry may have had any record.
    assert!(!index.is_live(&token("g1", None), now));
    // A record about this token would not have been removed.
    let later = now + HOUR + minute;
    assert!(index.is_live(&token("g1", Some(later)), now));
    // In an hour, all removed records have expired by a correct clock.
    let hour_later = now + HOUR;
    assert!(index.is_live(&token("g1", None), hour_later));
    assert!(index.is_live(&token("g1", Some(hour_later + minute)), hour_later));
}

#[test]
fn removal_of_replaced_records_does_not_move_the_horizon() {
    let folder = tempfile::tempdir().unwrap();
    let log = EmbeddedLog::open(folder.path().join("log.redb")).unwrap();
    let now = NumericDate::now();
    let watermark = |not_before| {
        let not_before = NumericDate::new(not_before);
        vec![Revocation::watermark(
            Selector::subject("alice"),
            not_before,
            now + HOUR,
        )]
    };
    block_on(log.append(watermark(1000))).unwrap();
    block_on(log.append(watermark(2000))).unwrap();
    assert_eq!(block_on(log.sweep()).unwrap(), 1);
    let forgotten = block_on(Snapshot::of(&log)).unwrap().forgotten;
    assert_eq!(forgotten, NumericDate::new(0));
}

#[test]
fn horizon_never_moves_back() {
    let folder = tempfile::tempdir().unwrap();
    let log = EmbeddedLog::open(folder.path().join("log.redb")).unwrap();
    let now = NumericDate::now();
    block_on(log.append(until("g1", now + HOUR))).unwrap();
    sweep(&log, 2 * HOUR);
    block_on(log.append(until("g2", NumericDate::new(1000)))).unwrap();
    assert_eq!(block_on(log.sweep()).unwrap(), 1);
    let snapshot = block_on(Snapshot::of(&log)).unwrap();
    assert_eq!(snapshot.forgotten, now + HOUR);
}

#[test]
fn log_does_not_sweep_by_a_clock_that_has_jumped() {
    let disk = super::Disk::new();
    let yesterday = NumericDate::new(NumericDate::now().seconds() - 24 * 3600);
    let log = disk.log_since(yesterday);
    block_on(log.append(until("g1", NumericDate::new(1000)))).unwrap();
    for _ in 0..2 {
        let error = block_on(log.sweep()).unwrap_err();
        assert_eq!(error.kind(), LogErrorKind::ClockJumped);
    }
    let Position { sequence, .. } = block_on(Snapshot::of(&log)).unwrap().position;
    assert_eq!(sequence, 1);
    assert_eq!(block_on(Snapshot::of(&log)).unwrap().records.len(), 1);
}
