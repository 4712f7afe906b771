//! Sweeps by a clock of the test, and the list of readers.

use std::time::Duration;

use futures::executor::block_on;

use super::*;
use crate::{
    enforce::Index,
    introspect::{Introspection, TokenKind},
    log::Snapshot,
};

const HOUR: Duration = Duration::from_secs(3600);

#[test]
fn state_is_unknown_to_a_new_index_after_a_sweep_by_a_clock_that_was_ahead() {
    let (log, now) = (MemoryLog::new(), NumericDate::now());
    let record = Revocation::forever(Selector::grant("g1"), now + HOUR);
    block_on(log.append(vec![record])).unwrap();
    assert_eq!(log.state().sweep(now + 2 * HOUR), 1);

    let index = block_on(Index::follow(&log)).unwrap();
    let mut token = Introspection::new(TokenKind::AccessToken, "s6BhdRkqt3");
    token.grant = Some("g1".into());
    token.exp = Some(now + HOUR);
    assert!(!index.is_live(&token, now));
    token.exp = Some(now + 2 * HOUR);
    assert!(index.is_live(&token, now));
}

#[test]
fn horizon_never_moves_back() {
    let (log, now) = (MemoryLog::new(), NumericDate::now());
    let record = |name, expires| vec![Revocation::forever(Selector::grant(name), expires)];
    block_on(log.append(record("g1", now + HOUR))).unwrap();
    log.state().sweep(now + 2 * HOUR);
    block_on(log.append(record("g2", NumericDate::new(1000)))).unwrap();
    assert_eq!(log.sweep().unwrap(), 1);
    assert_eq!(block_on(Snapshot::of(&log)).unwrap().forgotten, now + HOUR);
}

#[test]
fn reader_is_listed_once_and_removed_after_it_is_dropped() {
    struct Ignoring;
    impl Reader for Ignoring {
        fn read(&self, _: &[Revocation]) {}
        fn complete(&self, _: Position, _: Moment) {}
        fn forgotten(&self, _: NumericDate) {}
    }
    let log = MemoryLog::new();
    let known: Arc<dyn Reader> = Arc::new(Ignoring);
    for _ in 0..10 {
        let dropped: Arc<dyn Reader> = Arc::new(Ignoring);
        block_on(log.follow(Arc::downgrade(&known))).unwrap();
        block_on(log.follow(Arc::downgrade(&dropped))).unwrap();
    }
    // The last dropped reader is removed when another one is added.
    assert_eq!(format!("{:?}", log.state().readers), "Readers(2)");
}
