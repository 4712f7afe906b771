//! By a clock of our own, and who is told.

use std::time::Duration;

use futures::executor::block_on;

use super::*;
use crate::{
    enforce::Index,
    introspect::{Introspection, TokenKind},
};

const HOUR: Duration = Duration::from_secs(3600);

#[test]
fn what_was_forgotten_by_a_clock_that_was_ahead_is_unknown_to_a_new_index() {
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
    assert_eq!(block_on(log.snapshot()).unwrap().forgotten, now + HOUR);
}

#[test]
fn reader_that_is_added_again_is_told_once_and_one_that_is_gone_makes_room() {
    struct Nobody;
    impl Reader for Nobody {
        fn read(&self, _: Position, _: &[Revocation]) {}
    }
    let log = MemoryLog::new();
    let start = block_on(log.snapshot()).unwrap().position;
    let known: Arc<dyn Reader> = Arc::new(Nobody);
    for _ in 0..10 {
        let gone: Arc<dyn Reader> = Arc::new(Nobody);
        block_on(log.tail(start, Arc::downgrade(&known))).unwrap();
        block_on(log.tail(start, Arc::downgrade(&gone))).unwrap();
    }
    // The last one that is gone is found when another comes.
    assert_eq!(format!("{:?}", log.state().readers), "Readers(2)");
}
