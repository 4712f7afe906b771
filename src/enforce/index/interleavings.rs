//! A watch and a record of its token start at the same time, and their threads run in many orders.
//!
//! There are too many orders to try them all, as the tests of the table do. These are random. In
//! shuttle every read sees the last write, so these tests do not check the fences in `watch`.

use std::task::{Context, Waker};

use shuttle::{check_random, thread};
use tokio_test::{assert_ready_eq, task};

use super::*;
use crate::{
    enforce::watch::End,
    introspect::TokenKind,
    log::{Revocation, SelectorClass},
};

const ORDERS: usize = 5000;
const REVOKED: End = End::Revoked(Some(SelectorClass::Grant));

fn life(shared: &Arc<Shared>) -> TokenLife {
    let mut token = Introspection::new(TokenKind::AccessToken, "s6BhdRkqt3");
    token.grant = Some("g1".into());
    TokenLife::new(shared.clone(), token)
}

/// A record of the token comes, in a thread of its own.
fn revoke(shared: &Arc<Shared>) -> thread::JoinHandle<()> {
    let shared = shared.clone();
    let record = Revocation::forever(Selector::grant("g1"), NumericDate::FOREVER);
    thread::spawn(move || shared.read(Position::default(), &[record]))
}

#[test]
fn a_token_that_is_watched_while_its_record_comes_has_ended() {
    check_random(
        || {
            let shared = Index::new().shared;
            let writer = revoke(&shared);
            let life = life(&shared);
            life.watch();
            writer.join().unwrap();
            assert_eq!(life.ended(), Some(REVOKED));
        },
        ORDERS,
    );
}

#[test]
fn a_task_that_waits_while_the_record_comes_is_woken() {
    check_random(
        || {
            let shared = Index::new().shared;
            let writer = revoke(&shared);
            // Two clones, so that they use two slots.
            let life = life(&shared);
            let mut ends = [task::spawn(life.end()), task::spawn(life.end())];
            let waits = ends.each_mut().map(|end| end.poll().is_pending());
            writer.join().unwrap();
            for (end, waits) in ends.iter_mut().zip(waits) {
                assert_eq!(end.is_woken(), waits);
                assert_ready_eq!(end.poll(), REVOKED);
            }
        },
        ORDERS,
    );
}

#[test]
fn a_life_that_is_dropped_while_its_record_comes_leaves_no_watch() {
    check_random(
        || {
            let shared = Index::new().shared;
            let writer = revoke(&shared);
            let life = life(&shared);
            let mut watch = life.watch().cloned().unwrap();
            let _ = watch.poll_ended(&mut Context::from_waker(Waker::noop()));
            drop((life, watch));
            writer.join().unwrap();
            assert!(shared.watchers.is_empty());
        },
        ORDERS,
    );
}
